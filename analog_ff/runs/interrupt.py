"""Ctrl-C, or a request to end, at a place where it is safe.

Python raises KeyboardInterrupt wherever the signal finds it. Inside a callback of Numba's or a weak reference's it is
swallowed, or comes out as a SystemError (seen once in ten to once in forty trials on short batches). So a run takes note
of the first Ctrl-C and raises at the border of a batch; a second one raises at once. SIGTERM, with which systems end their
jobs, is taken in the same way.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Terminated(KeyboardInterrupt):
    """The run was asked to end by SIGTERM; the command line exits with status 143."""


class Interruptible:
    """Within a ``with``, hold back the first SIGINT or SIGTERM until `check` is called.

    Only the main thread may set signal handlers: elsewhere, or where a signal is ignored or handled outside Python,
    nothing changes. A handler of SIGINT in Python is replaced whatever set it (importing Brian2 sets one) and put back
    afterwards; SIGTERM is taken only from the system, which would end the process.
    """

    def __init__(self) -> None:
        self._asked: int | None = None
        self._before: dict[signal.Signals, Any] = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self._asked is not None:
            self._asked = number
            self.check()
        self._asked = number

    def check(self) -> None:
        """Raise KeyboardInterrupt if there was a Ctrl-C, Terminated if there was a SIGTERM."""
        if self._asked is not None:
            raise Terminated if self._asked == signal.SIGTERM else KeyboardInterrupt

    def __enter__(self) -> Interruptible:
        if threading.current_thread() is not threading.main_thread():
            return self
        if callable(signal.getsignal(signal.SIGINT)):  # SIG_IGN and SIG_DFL are not, None is not Python's
            self._before[signal.SIGINT] = signal.signal(signal.SIGINT, self._note)
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._before[signal.SIGTERM] = signal.signal(signal.SIGTERM, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        # Ctrl-C reaches every process of a terminal: a chip's process may end before the border of the batch, and the
        # errors that follow from that are no fault of the run.
        if kind is None or issubclass(kind, Exception):
            self.check()
