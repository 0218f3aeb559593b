"""The time that this process spends compiling kernels, and a call when it begins to compile the first one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_seconds = 0.0
_depth = 0
_began = 0.0
_first: list[Callable[[], None]] = []


def seconds() -> float:
    """Return the wall time spent so far on compiling kernels and on waiting for other processes that compile them [s]."""
    return _seconds + (time.perf_counter() - _began if _depth else 0.0)


@contextmanager
def at_first(call: Callable[[], None]) -> Iterator[None]:
    """Call `call` within the ``with`` when the first kernel is about to be compiled, if one is."""
    _first.append(call)
    try:
        yield
    finally:
        if call in _first:
            _first.remove(call)


def waited(added: float) -> None:
    """Count time that was spent on waiting for another process [s]; within a compilation it is counted already."""
    global _seconds
    if not _depth:
        _seconds += added


def listen() -> None:
    """Count from now on; kernels compile others while they are compiled, whose time is counted once."""
    from numba.core import event

    class Listener(event.Listener):  # type: ignore[misc]  # Numba has no types
        def on_start(self, started: Any) -> None:
            global _depth, _began
            if not _depth:
                _began = time.perf_counter()
                while _first:
                    _first.pop()()
            _depth += 1

        def on_end(self, ended: Any) -> None:
            global _depth, _seconds
            _depth -= 1
            if not _depth:
                _seconds += time.perf_counter() - _began

    event.register("numba:compile", Listener())
