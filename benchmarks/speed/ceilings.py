"""Limits of the machine, measured with the same threads and clock as the operations that are held against them.

- products: numpy.matmul of 2048 x 2048 matrices in float32 [FLOP/s];
- memory: a copy between arrays of 128 MiB, reading and writing counted, and one between arrays of 4 MiB that stay in the
  caches [bytes/s];
- random numbers of the project's own generator: normal ones, the coarse normal ones of the noise of pulses, and uniform ones,
  each into an array of 1 MiB [1/s].

A limit is the best of its rounds, because what else runs on the machine only takes from it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange
from timing import Turn, taking_turns

from hardware_models.kernels.compile import parallel_kernel
from hardware_models.kernels.random import fill_coarse_normal, normal_matrix, quantile_middles, uniform_matrix
from hardware_models.keys import Key

ORDER = 2048
"""Rows and columns of the matrices of the product."""
LARGE, SMALL = 2**25, 2**20
"""Number of float32 in the arrays that are copied, beyond the caches and within them."""
CACHED = 16 * 2**20
"""Bytes that an operation moves in one pass, up to which it is held against copies within the caches."""
DRAWN = (512, 512)
"""Shape of the arrays of random numbers."""


class Ceilings(NamedTuple):
    """Limits for one number of threads."""

    flop: float
    memory: float
    cache: float
    normal: float
    coarse: float
    uniform: float


@parallel_kernel
def copy_rows(out: np.ndarray, given: np.ndarray) -> None:
    """Copy a matrix row by row."""
    for i in prange(out.shape[0]):
        for j in range(out.shape[1]):  # a loop, because Numba's assignment of a row is three times slower
            out[i, j] = given[i, j]


@parallel_kernel
def coarse_matrix(out: np.ndarray, w0: np.uint32, w1: np.uint32, middles: np.ndarray) -> None:
    """Fill a matrix with coarse normal numbers."""
    for i in prange(out.shape[0]):
        fill_coarse_normal(out[i], i * out.shape[1], w0, w1, middles)


def measured(threads: int, rounds: int = 5) -> Ceilings:
    """Measure the limits with some threads."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((ORDER, ORDER), np.float32) for _ in range(2))
    product, drawn = np.empty_like(a), np.empty(DRAWN, np.float32)
    copies = [tuple(np.full((256, size // 256), one, np.float32) for one in (0.0, 1.0)) for size in (LARGE, SMALL)]
    (w0, w1, _, _), middles = Key(0, "speed").words, quantile_middles()
    calls = {
        "flop": (2.0 * ORDER**3, Turn(lambda: np.matmul(a, b, out=product), free=True)),
        "memory": (8.0 * LARGE, Turn(lambda: copy_rows(*copies[0]))),
        "cache": (8.0 * SMALL, Turn(lambda: copy_rows(*copies[1]))),
        "normal": (drawn.size, Turn(lambda: normal_matrix(drawn, w0, w1))),
        "coarse": (drawn.size, Turn(lambda: coarse_matrix(drawn, w0, w1, middles))),
        "uniform": (drawn.size, Turn(lambda: uniform_matrix(drawn, w0, w1))),
    }
    times = taking_turns({name: turn for name, (_, turn) in calls.items()}, threads, rounds)
    return Ceilings(**{name: amount / float(times[name].min()) for name, (amount, _) in calls.items()})
