"""Ctrl-C at a place where it is safe.

Python raises KeyboardInterrupt wherever the signal finds it. Inside a callback of Numba's or a weak reference's it is
swallowed, or comes out as a SystemError (seen once in ten to once in forty trials on short batches). So a run takes note
of the first Ctrl-C and raises at the border of a batch; a second one raises at once.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interruptible:
    """Within a ``with``, hold back the first SIGINT until `check` is called.

    Only the main thread may set signal handlers: elsewhere, or where the signal is ignored or handled outside Python,
    nothing changes. A handler in Python is replaced whoever set it (importing Brian2 sets one) and put back afterwards.
    """

    def __init__(self) -> None:
        self._asked = False
        self._before: Any = None

    def _note(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def check(self) -> None:
        """Raise KeyboardInterrupt if there was a Ctrl-C."""
        if self._asked:
            raise KeyboardInterrupt

    def __enter__(self) -> Interruptible:
        here = threading.current_thread() is threading.main_thread()
        if here and callable(signal.getsignal(signal.SIGINT)):  # SIG_IGN and SIG_DFL are not, None is not Python's
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if kind is None:
            self.check()
