"""Messages for a person on standard error (progress, warnings, errors), and the answer of a command on standard output."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from hardware_models.check import CommandError


class Nowhere(io.TextIOBase):
    """A stream that accepts all text and shows none."""

    def write(self, text: str) -> int:
        """Accept a text without showing it."""
        return len(text)


def tell(line: str, end: str = "\n") -> None:
    """Print a line on standard error if it is still open; a missing reader must not stop a run."""
    if sys.stderr is None:  # it was closed before the program began; print would use standard output instead
        return
    try:
        print(line, end=end, file=sys.stderr, flush=True)
    except (OSError, ValueError):  # the reader has ended, or the stream was closed
        sys.stderr = Nowhere()  # otherwise Python would exit with its own status when it flushes the stream


def on_terminal() -> bool:
    """Tell whether standard error is an open terminal."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except (OSError, ValueError):
        return False


class Aside(Nowhere):
    """A stream whose texts go to standard error; closing it does not close standard error."""

    def write(self, text: str) -> int:
        """Show a text on standard error."""
        tell(text, end="")
        return len(text)


class NoAnswerError(CommandError):
    """Standard output cannot be written, so the answer of the command cannot be shown."""


class ReaderGoneError(CommandError):
    """The reader of standard output has closed the pipe, such as ``| head -1``: the command ends, and nothing was wrong.

    It is no BrokenPipeError, which the library that prints tables would answer by ending the program.
    """


class Checked:
    """A stream that raises `NoAnswerError`, with the reason in one sentence, if a text cannot be written.

    Where the reader of a pipe has ended it raises `ReaderGoneError`.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text to the stream."""
        with self._said():
            return self._stream.write(text)

    def flush(self) -> None:
        """Flush the stream."""
        with self._said():
            self._stream.flush()

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError as error:
            raise ReaderGoneError("the reader of standard output has ended.") from error
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
            raise NoAnswerError(f"standard output cannot be written ({reason.rstrip('.')}).") from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_KEPT: list[TextIO] = []


@contextmanager
def standard_output(*, kept: bool) -> Iterator[None]:
    """Check writes to standard output within the ``with``; if it is `kept` for `answer`, prints of user code go to stderr."""
    original = sys.stdout
    checked = cast(TextIO, Nowhere() if original is None else Checked(original))
    sys.stdout = cast(TextIO, Aside()) if kept else checked
    _KEPT.append(checked)
    try:
        yield
        checked.flush()
    finally:
        sys.stdout = original
        _KEPT.pop()


def answer(text: str) -> None:
    """Print the answer of a command on standard output; raise NoAnswerError if that was closed when the command began."""
    stream = _KEPT[-1] if _KEPT else sys.stdout
    if isinstance(stream, Nowhere):
        raise NoAnswerError("standard output cannot be written (it is closed).")
    print(text, file=stream, flush=True)
