"""Matrix products whose bits do not depend on the number of threads.

The rows of the output are cut into panels whose borders depend only on the shape. Each panel is one call of
single-threaded BLAS (threadpoolctl holds BLAS to one thread), and Numba divides the panels among its threads. A threaded
BLAS would divide the work by the number of threads, which would change the rounding and so the last bits.

Numba's threads are used instead of a Python thread pool because they are awake: on two cores a pool's worker needs up to a
millisecond to wake, as long as a complete product.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numba
import numpy as np
from numba import prange
from threadpoolctl import OpenBLASController, ThreadpoolController

from hardware_models.kernels.compile import parallel_kernel

try:
    _free_control = OpenBLASController.clear_controlling_thread
except AttributeError:  # before threadpoolctl 3.8 every Python thread can set the limit, so nothing is to be done

    def _free_control(force):
        """Accept and ignore `force`, in place of a function that old versions of threadpoolctl lack."""


_blas: list[ThreadpoolController] = []
_limits = []
_inside = 0
_counting = threading.Lock()


@contextmanager
def one_blas_thread():
    """Return a context in which every BLAS library of this process uses one thread.

    Code that calls NumPy's own products instead of `matmul` and needs the same bits on any machine runs inside this context.
    A context inside another one does nothing, because setting the limit takes as long as a small product. Of several Python
    threads, the first one that enters sets the limit and the last one that leaves removes it.
    """
    global _inside
    with _counting:
        if not _blas:
            import scipy.linalg.cython_blas  # noqa: F401  Numba's products call this library: load it before looking

            _blas.append(ThreadpoolController().select(user_api="blas"))
        if not _inside:
            _free_control(force=True)  # without it, only the first thread that ever set the limit could set it again
            _limits.append(_blas[0].limit(limits=1))
        _inside += 1
    try:
        yield
    finally:
        with _counting:
            _inside -= 1
            if not _inside:
                _free_control(force=True)
                _limits.pop().restore_original_limits()
                _free_control(force=True)


WORTH = 4_000_000
"""Multiply-adds below which a second thread takes longer to wake than it saves."""


@contextmanager
def awake_threads(multiply_adds: int) -> Iterator[None]:
    """Return a context in which loops with few multiply-adds run on one thread; the bits are the same for any number."""
    threads = numba.get_num_threads()
    if multiply_adds < WORTH and threads > 1:
        numba.set_num_threads(1)
        try:
            yield
        finally:
            numba.set_num_threads(threads)
    else:
        yield


def panels(rows: int) -> int:
    """Return the number of panels for `rows` rows: 1 below 16 rows, 2 below 256, then panels of about 128 rows."""
    if rows < 16:
        return 1
    return 2 if rows < 256 else 2 * -(-rows // 256)


@parallel_kernel
def _by_panels(a, b, out, count):
    rows = a.shape[0]
    for p in prange(count):
        start = rows * p // count
        stop = rows * (p + 1) // count
        np.dot(a[start:stop], b, out[start:stop])


def matmul(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Return ``a @ b`` of C-contiguous (m, k) and (k, n) arrays of one dtype, with the same bits for any number of threads."""
    a = np.ascontiguousarray(a)
    b = np.ascontiguousarray(b)
    if out is None:
        out = np.empty((a.shape[0], b.shape[1]), a.dtype)
    with one_blas_thread():
        _by_panels(a, b, out, panels(a.shape[0]))
    return out
