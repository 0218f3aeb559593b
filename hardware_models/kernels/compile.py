"""The only place where Numba's options are written, and where a compiled loop meets the process that calls it.

``cache``: kernels are compiled once and kept on disk, where there is a disk to keep them on. ``error_model="numpy"``: a
division does not carry a branch, so that loops vectorise. ``fastmath`` is off everywhere: results are the same bits on
every run.

Numba's threads know two ways to end a process without a word to Python: GNU OpenMP ends a forked child of a process whose
threads had started, and the layer ``workqueue`` aborts when two Python threads are inside it. `parallel_kernel` turns the
first into a RunError and keeps the second from happening.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import sys
import threading
from pathlib import Path

# Waiting threads must sleep, not spin: when another process holds a core, spinning at the end of every parallel loop
# makes each loop cost a time slice of the scheduler (8 ms instead of 0.2 ms, measured on 2 cores).
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numba
from numba.core.caching import FunctionCache

from hardware_models.check import RunError

ROWS = {
    "prange": True, "comprehension": False, "fusion": False, "inplace_binop": False, "numpy": False, "reduction": False,
    "setitem": False, "stencil": False,
}  # fmt: skip
"""What of a kernel runs in parallel: its loop over rows alone. Numba would look for more in every expression on arrays."""
_one_at_a_time = threading.RLock()
# True until a thread layer has started that bears calls from several Python threads: until then, and with a layer that
# never does, calls take the lock.
_guarded = True
_forked = False
_told = False


@functools.cache
def sources():
    """Return the SHA-256 of all sources in this folder."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


class _Cache(FunctionCache):
    """Numba's cache on disk; where the disk refuses (full, or gone since) the kernel still runs, compiled in memory.

    Numba takes a cached kernel as long as the kernel's own file is unchanged. Formulas of other files are inlined in it, so here
    all sources of this folder must be unchanged.
    """

    def __init__(self, function):
        super().__init__(function)
        self._cache_file._source_stamp = (self._cache_file._source_stamp, sources())

    def save_overload(self, sig, data):
        """Save what was compiled, or say that it could not be saved."""
        try:
            super().save_overload(sig, data)
        except OSError as problem:
            _tell(problem.strerror or type(problem).__name__)


def _tell(why):
    """Say once in a process that compiled kernels are not kept."""
    global _told
    if not _told:
        _told = True
        logging.getLogger("hardware_models").warning(
            "compiled kernels cannot be kept on disk (%s), so every process compiles them again: "
            "set NUMBA_CACHE_DIR to a folder that can be written to.",
            why,
        )


def _compiled(function, **options):
    """Return Numba's dispatcher of `function`, with a cache if any of Numba's cache folders can be written to."""
    dispatcher = numba.njit(error_model="numpy", **options)(function)
    try:
        dispatcher._cache = _Cache(function)
    except RuntimeError:  # Numba's "no locator available": neither beside the source, nor at home, nor NUMBA_CACHE_DIR
        _tell("no writable folder")
    return dispatcher


def kernel(function):
    """Compile a serial kernel."""
    return _compiled(function)


def inlined(function):
    """Compile a formula that is used inside other kernels' loops; inlined so that these loops vectorise."""
    return _compiled(function, inline="always")


def parallel_kernel(function):
    """Compile a kernel whose outer loop (rows) is shared among threads.

    Each row's arithmetic is the same for any number of threads. It is called from Python, never from another kernel.
    """
    dispatcher = _compiled(function, parallel=ROWS)

    @functools.wraps(function)
    def call(*args, **named):
        return _call_alone(dispatcher, args, named) if _guarded else dispatcher(*args, **named)

    call.py_func = function
    return call


def _call_alone(dispatcher, args, named):
    """Call a parallel kernel while no other Python thread is in one; find out whether that is needed the next time."""
    global _guarded
    if _forked:
        raise RunError(
            "this process is a fork of one whose parallel kernels had run, and GNU OpenMP cannot go on in a fork: "
            'start processes by "spawn" or "forkserver" (multiprocessing.get_context("spawn")), '
            "or set NUMBA_THREADING_LAYER=workqueue."
        )
    with _one_at_a_time:
        result = dispatcher(*args, **named)
        _guarded = numba.threading_layer() == "workqueue"
    return result


def _after_fork():
    """In a forked child: take a lock that nobody holds, and refuse parallel kernels if OpenMP's threads stayed behind."""
    global _one_at_a_time, _guarded, _forked
    _one_at_a_time = threading.RLock()
    try:
        _forked = numba.threading_layer() == "omp"
    except ValueError:  # no thread layer had started
        return
    _guarded = _guarded or _forked


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_after_fork)
