"""Lines for a person on standard error (progress, warnings, errors: nobody need be listening), the answer on standard output."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from hardware_models.check import CommandError


class Nowhere(io.TextIOBase):
    """A stream that takes everything and shows nothing."""

    def write(self, text: str) -> int:
        """Take a text."""
        return len(text)


def tell(line: str, end: str = "\n") -> None:
    """Print a line on standard error, if it is still open: that nobody reads must not stop a run."""
    if sys.stderr is None:  # closed before the program began; print would take standard output instead
        return
    try:
        print(line, end=end, file=sys.stderr, flush=True)
    except (OSError, ValueError):  # the reader has gone; the stream was closed
        sys.stderr = Nowhere()  # or Python would end with a status of its own when it empties the stream


def on_terminal() -> bool:
    """Tell whether standard error is a terminal that is still there."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except (OSError, ValueError):
        return False


class Aside(Nowhere):
    """A stream whose texts go to standard error; to close it closes nothing else."""

    def write(self, text: str) -> int:
        """Show a text."""
        tell(text, end="")
        return len(text)


class NoAnswerError(CommandError):
    """Standard output takes nothing, so that what was asked for cannot be said."""


class Checked:
    """A stream that says in one sentence why it takes nothing."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text."""
        with self._said():
            return self._stream.write(text)

    def flush(self) -> None:
        """Hand on what was written."""
        with self._said():
            self._stream.flush()

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:  # nobody reads any more: no fault
            raise
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
            raise NoAnswerError(f"standard output cannot be written ({reason.rstrip('.')}).") from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_KEPT: list[TextIO] = []


@contextmanager
def standard_output(*, kept: bool) -> Iterator[None]:
    """Check within the ``with`` what is written; if it is `kept` for `answer`, what a user's own code prints stands aside."""
    own = sys.stdout
    checked = cast(TextIO, Nowhere() if own is None else Checked(own))
    sys.stdout = cast(TextIO, Aside()) if kept else checked
    _KEPT.append(checked)
    try:
        yield
        checked.flush()
    finally:
        sys.stdout = own
        _KEPT.pop()


def answer(text: str) -> None:
    """Print what a command was asked for on standard output."""
    print(text, file=_KEPT[-1] if _KEPT else sys.stdout)
