"""Matrix products whose bits do not depend on the number of threads.

The rows of the output are cut into panels whose borders depend on the shape alone. Each panel is one call of
single-threaded BLAS (threadpoolctl holds BLAS to one thread) and Numba shares the panels among its threads. A threaded
BLAS would cut the work by the number of threads, and with the cut change the rounding and the last bits.

Numba's threads, not a Python thread pool, because they are awake: on two cores a pool's worker needs up to a
millisecond to wake, as long as a whole product.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager

import numpy as np
from numba import prange
from threadpoolctl import OpenBLASController, ThreadpoolController

from hardware_models.kernels.compile import parallel_kernel

try:
    _free_control = OpenBLASController.clear_controlling_thread
except AttributeError:  # before threadpoolctl 3.8 every Python thread could set the limit

    def _free_control(force):
        """Do nothing."""


_blas: list[ThreadpoolController] = []
_limits = []
_inside = 0
_counting = threading.Lock()


@contextmanager
def one_blas_thread():
    """Return a context in which every BLAS library of this process uses one thread.

    Whoever calls NumPy's own products beside `matmul` and wants the same bits on any machine works inside it. Inside
    itself it does nothing: asking the libraries takes as long as a small product. Of several Python threads the first to
    come sets the limit and the last to go lifts it.
    """
    global _inside
    with _counting:
        if not _blas:
            import scipy.linalg.cython_blas  # noqa: F401  Numba's products call this library: load it before looking

            _blas.append(ThreadpoolController().select(user_api="blas"))
        if not _inside:
            _free_control(force=True)  # else the limit is silently not set in any thread but the first that ever did
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


def panels(rows: int) -> int:
    """Return into how many panels `rows` rows are cut: 1 below 16, 2 below 256, then about 128 rows each."""
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
    """Return ``a @ b`` of C-contiguous (m, k) and (k, n) arrays of one dtype, the same bits for any thread count."""
    a = np.ascontiguousarray(a)
    b = np.ascontiguousarray(b)
    if out is None:
        out = np.empty((a.shape[0], b.shape[1]), a.dtype)
    with one_blas_thread():
        _by_panels(a, b, out, panels(a.shape[0]))
    return out
