"""The only place where Numba's options are written.

``cache``: kernels are compiled once and kept on disk. ``error_model="numpy"``: a division does not carry a branch,
so that loops vectorise. ``fastmath`` is off everywhere: results are the same bits on every run.
"""

from __future__ import annotations

import os

# Waiting threads must sleep, not spin: when another process holds a core, spinning at the end of every parallel loop
# makes each loop cost a time slice of the scheduler (8 ms instead of 0.2 ms, measured on 2 cores).
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numba

kernel = numba.njit(cache=True, error_model="numpy")
"""A serial kernel."""

inlined = numba.njit(cache=True, error_model="numpy", inline="always")
"""A formula that is used inside other kernels' loops; inlined so that these loops vectorise."""

parallel_kernel = numba.njit(cache=True, error_model="numpy", parallel=True)
"""A kernel whose outer loop (rows) is shared among threads; each row's arithmetic is the same for any number of them."""
