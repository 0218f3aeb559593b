"""Numba's options for all kernels, and the rules for calling compiled loops from threads and forked processes.

``cache``: kernels are compiled once and kept on disk, if there is a folder that can be written to. ``error_model="numpy"``: a
division needs no branch, so that loops vectorise. ``fastmath`` is off everywhere, so that results have the same bits in
every run.

Numba's threads can end a process in two ways without a Python exception: GNU OpenMP ends a forked child of a process whose
threads had started, and the layer ``workqueue`` aborts if two Python threads use it at once. `parallel_kernel` turns the
first into a RunError and prevents the second.
"""

from __future__ import annotations

import functools
import os
import sys
import threading

# Waiting threads must sleep, not spin: when another process holds a core, spinning at the end of every parallel loop
# makes each loop cost a time slice of the scheduler (8 ms instead of 0.2 ms, measured on 2 cores).
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numba

from hardware_models.check import RunError
from hardware_models.kernels import calls, compiling
from hardware_models.kernels.cache import SharedCache, tell

ROWS = {
    "prange": True, "comprehension": False, "fusion": False, "inplace_binop": False, "numpy": False, "reduction": False,
    "setitem": False, "stencil": False,
}  # fmt: skip
"""Parallel options: only the loop over rows runs in parallel; Numba would otherwise parallelise array expressions too."""
_one_at_a_time = threading.RLock()
# Calls take the lock while this is True: until a thread layer has started that allows calls from several Python threads, and
# always with a layer that does not.
_guarded = True
_forked = False
compiling.listen()


def _compiled(function, **options):
    """Return Numba's dispatcher of `function`, with a cache if any of Numba's cache folders can be written to."""
    dispatcher = numba.njit(error_model="numpy", **options)(function)
    if numba.config.DISABLE_JIT:
        return function
    try:
        dispatcher._cache = SharedCache(function)
    except RuntimeError:  # Numba's "no locator available": neither beside the source, nor at home, nor NUMBA_CACHE_DIR
        tell("no writable folder")
    return dispatcher


def kernel(function):
    """Compile a serial kernel."""
    return _compiled(function)


def serial_kernel(function):
    """Compile a serial loop that Python calls, over arrays so small that waking a thread would take longer.

    Unlike a plain `kernel` it is noted by a rehearsal, so that it is compiled ahead.
    """
    return calls.noted(function) if numba.config.DISABLE_JIT else _compiled(function)


def inlined(function):
    """Compile a formula for use inside the loops of kernels; it is inlined so that these loops vectorise.

    Numba inlines it before it looks at types. Inlining by LLVM (``forceinline``) compiles a third faster, but types each formula
    by itself, which changes the last bits of long runs.
    """
    return _compiled(function, inline="always")


def parallel_kernel(function):
    """Compile a kernel whose outer loop (over rows) is divided among threads.

    Each row's arithmetic is the same for any number of threads. Only Python may call such a kernel, never another kernel.
    """
    if numba.config.DISABLE_JIT:
        return calls.noted(function)
    dispatcher = _compiled(function, parallel=ROWS)

    @functools.wraps(function)
    def call(*args, **named):
        return _call_alone(dispatcher, args, named) if _guarded else dispatcher(*args, **named)

    call.py_func, call.dispatcher = function, dispatcher
    return call


def _call_alone(dispatcher, args, named):
    """Call a parallel kernel while no other Python thread is in one, and learn whether later calls need that too."""
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
    """Prepare a forked child: make a free lock, and refuse parallel kernels if OpenMP threads ran in the parent."""
    global _one_at_a_time, _guarded, _forked
    _one_at_a_time = threading.RLock()
    try:
        _forked = numba.threading_layer() == "omp"
    except ValueError:  # no thread layer had started
        return
    _guarded = _guarded or _forked


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_after_fork)
