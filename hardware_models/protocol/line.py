"""The side that asks: one message out, one answer back, within a time; a line that has failed once stays closed."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from hardware_models.check import RunError, UsageError, shown
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.protocol import frames
from hardware_models.protocol.links import EndError, Link, opened_link
from hardware_models.protocol.values import ERRORS, events_of, key_entries

ANSWER_WITHIN = 60.0
"""Time for every answer [s] where no other is given."""
NOTHING: Mapping[str, object] = {}


class Answer(NamedTuple):
    """The answer of a box: its value, arrays, events and all entries of its line."""

    value: object
    arrays: dict[str, np.ndarray]
    events: Events
    entries: dict[str, object]


class Line:
    """A box behind a link; close it, or use it in a ``with``.

    Parameters
    ----------
    link : the open link; the line closes it.
    within : time for every answer [s], None: any.
    errors : classes of errors that keep their name on the way; a box's own errors are RunError.
    heard : called with the entries of every answer, one with an error included.
    """

    def __init__(
        self,
        link: Link,
        within: float | None = ANSWER_WITHIN,
        errors: Mapping[str, type[Exception]] = ERRORS,
        heard: Callable[[Mapping[str, object]], None] = lambda entries: None,
    ) -> None:
        self.link, self.name, self._within, self._errors, self._heard = link, link.name, within, errors, heard
        self._failed = ""
        weakref.finalize(self, link.close)  # a line that nobody closes, and at the end of Python

    @classmethod
    def to(cls, spec: str, what: str, within: float | None = ANSWER_WITHIN) -> Line:
        """Return the line to the box that a text names; raise UsageError if it cannot be reached."""
        return cls(opened_link(spec, what, within), within)

    def call(
        self,
        method: str,
        *,
        layer: int | None = None,
        key: Key | None = None,
        arguments: Mapping[str, object] = NOTHING,
        arrays: Mapping[str, np.ndarray] = frames.NO_ARRAYS,
    ) -> Answer:
        """Return the answer to one message.

        Raises
        ------
        RunError : in one sentence, if the box has ended, says nothing in time, says what is no answer, or answers with an error.
        """
        where = f"'{method}'" + ("" if layer is None else f" of layer {layer}")
        if self._failed:
            raise RunError(self._failed)
        if self.link.closed:
            raise RunError(f"{self.name} has been closed: it answers no {where}.")
        entries = {
            "version": frames.VERSION,
            "method": method,
            "layer": layer,
            **key_entries(key),
            "arguments": arguments,
        }
        try:
            message = frames.written(entries, arrays)
        except frames.FrameError as error:
            raise UsageError(f"a message to {self.name} {error}.") from None
        with self._sound(where):
            self.link.limit(self._within)
            self.link.send(message)
            answer = frames.read(self.link)
            events = events_of(answer.entries.get("events"))
        self._heard(answer.entries)
        if (refused := answer.entries.get("error")) is not None:
            raise self._raised(refused, where)
        return Answer(answer.entries.get("value"), answer.arrays, events, answer.entries)

    @contextmanager
    def _sound(self, where: str) -> Iterator[None]:
        """Close the line if it fails in the ``with``, or is interrupted: a late answer would be taken for the next one."""
        try:
            yield
        except (EndError, ValueError) as error:
            self._failed = f"{self.name} {str(error).rstrip('.')} (asked for {where})."
            if not isinstance(error, EndError | frames.FrameError):
                self._failed = f"{self.name} answered {where} wrongly: {str(error).rstrip('.')}."
            self.close()
            raise RunError(self._failed) from None
        except BaseException:
            self._failed = f"{self.name} was interrupted in {where}."
            self.close()
            raise

    def _raised(self, error: object, where: str) -> Exception:
        given = error if isinstance(error, dict) else {"message": error}
        said, kind = str(given.get("message", "")), self._errors.get(str(given.get("kind")))
        if kind is None or self._errors is ERRORS:  # only a chip of this project has this project's errors
            return RunError(
                f"{self.name} answered {where} with an error: {shown(said, 300, quoted=False).rstrip('.')}."
            )
        return kind(said)

    def refuse(self, why: str) -> RunError:
        """Close the line because of an answer that is wrong, and return the error."""
        self._failed = f"{self.name} {why}."
        self.close()
        return RunError(self._failed)

    def array(self, answer: Answer, name: str, shape: tuple[int | None, ...]) -> np.ndarray:
        """Return one array of an answer, of a shape (None: any length) and of finite numbers, as float32.

        Raises
        ------
        RunError : it is missing, or has another shape, or NaN or infinity in it.
        """
        array = answer.arrays.get(name)
        if array is None:
            raise self.refuse(f"sent no array '{name}'")
        fits = array.ndim == len(shape) and all(n in (None, m) for n, m in zip(shape, array.shape, strict=True))
        if not fits:
            wanted = ", ".join("B" if n is None else str(n) for n in shape)
            raise self.refuse(f"should send '{name}' of the shape ({wanted}), it sent {array.shape}")
        with np.errstate(over="ignore"):
            cast = np.ascontiguousarray(array, np.float32).reshape(array.shape)
        if not np.isfinite(cast).all():
            raise self.refuse(f"sent NaN or infinity in '{name}', where finite numbers should stand")
        return cast

    def hello(self, what: str, arguments: Mapping[str, object] = NOTHING) -> dict[str, object]:
        """Return the hello of the box; raise UsageError if it is no box of the kind `what`, or says nothing."""
        try:
            said = self.call("hello", arguments={"what": what, **arguments}).value
            if not isinstance(said, dict) or said.get("what") != what:
                raise self.refuse(f"should say in its hello that it is of the kind '{what}', it said {shown(said)}")
            for name in ("save", "repeatable"):
                if not isinstance(said.setdefault(name, False), bool):
                    raise self.refuse(f"should say true or false of '{name}' in its hello, it said {shown(said[name])}")
        except RunError as error:
            self.close()
            raise UsageError(str(error)) from None
        return said

    def close(self) -> None:
        """Close the link; a process ends."""
        self.link.close()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *what: object) -> None:
        self.close()
