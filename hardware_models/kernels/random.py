r"""Counter-based random numbers: a hash of a key's words and an absolute position.

.. math:: h(p) = m(m(p \oplus w_0) + w_1)

with m the 32-bit finaliser *lowbias32* (C. Wellons, hash-prospector, public domain), a bijection of 32-bit words.
Uniform numbers are the upper 24 bits. Gaussian numbers are the inverse of the normal distribution function at the
32-bit uniform number :math:`(h + 1/2)/2^{32}`: a table of 65 536 intervals of equal probability with linear
interpolation inside an interval, and the exact inverse in the outermost 64 intervals of each side, where a straight
line would not do. The largest possible value is 6.3 standard deviations.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from hardware_models.kernels.compile import inlined, kernel, parallel_kernel

INTERVALS = 65_536
TAIL = 64
"""Intervals on each side in which the inverse is computed, not interpolated (beyond 3.1 standard deviations)."""


def _quantile_edges() -> np.ndarray:
    """Return normal quantiles at i/65536, the two infinite ends replaced by values that mark the tails."""
    from statistics import NormalDist

    inverse = NormalDist().inv_cdf
    edges = np.array([inverse(i / INTERVALS) for i in range(1, INTERVALS)])
    return np.concatenate(([edges[0] - 1.0], edges, [edges[-1] + 1.0])).astype(np.float32)


_EDGES: list[np.ndarray] = []


def quantile_edges() -> np.ndarray:
    """Return the table of quantiles, (65537,) float32, made once a process."""
    if not _EDGES:
        _EDGES.append(_quantile_edges())
    return _EDGES[0]


_MIDDLES: list[np.ndarray] = []


def quantile_middles() -> np.ndarray:
    """Return the means of the normal distribution within 65 536 equally probable intervals, variance made one.

    (65536,) float32. The mean over an interval is (phi(a) - phi(b)) / P with phi the density: exact also in the
    outermost intervals, whose mean of 4.3 standard deviations is the largest value there is.
    """
    if not _MIDDLES:
        edges = quantile_edges().astype(np.float64)
        density = np.exp(-0.5 * edges**2) / np.sqrt(2.0 * np.pi)
        density[0] = density[-1] = 0.0
        means = (density[:-1] - density[1:]) * INTERVALS
        means = 0.5 * (means - means[::-1])
        _MIDDLES.append((means / np.sqrt(np.mean(means**2))).astype(np.float32))
    return _MIDDLES[0]


@inlined
def mix(h):
    """Return the lowbias32 finaliser of a 32-bit word."""
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * np.uint32(0x7FEB352D))
    h = np.uint32(h ^ (h >> np.uint32(15)))
    h = np.uint32(h * np.uint32(0x846CA68B))
    return np.uint32(h ^ (h >> np.uint32(16)))


@inlined
def hashed(position, w0, w1):
    """Return the 32 random bits of one position of a stream."""
    return mix(np.uint32(mix(np.uint32(np.uint32(position) ^ w0)) + w1))


@inlined
def uniform(position, w0, w1):
    """Return a uniform number in [0, 1[, a multiple of 2^-24."""
    return np.float32(hashed(position, w0, w1) >> np.uint32(8)) * np.float32(5.9604645e-08)


@kernel
def tail_quantile(h):
    """Return the normal quantile at (h + 1/2)/2^32 for h in a tail, to float32 precision, by Newton's method."""
    u = (np.float64(h) + 0.5) / 4294967296.0
    p = min(u, 1.0 - u)
    t = math.sqrt(-2.0 * math.log(p))
    # Start: rational approximation 26.2.23 of Abramowitz and Stegun; three Newton steps on the distribution function.
    z = t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (
        1.0 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t
    )
    for _ in range(3):
        z += (0.5 * math.erfc(z / math.sqrt(2.0)) - p) * math.sqrt(2.0 * math.pi) * math.exp(0.5 * z * z)
    return np.float32(-z) if u < 0.5 else np.float32(z)


@inlined
def fill_normal(out, first, w0, w1, edges):
    """Fill the vector `out` with the standard normal numbers of positions first, first + 1, ..."""
    start = np.uint32(first)
    for j in range(out.size):
        h = hashed(np.uint32(start + np.uint32(j)), w0, w1)
        i = np.int64(h >> np.uint32(16))
        fraction = (np.float32(h & np.uint32(0xFFFF)) + np.float32(0.5)) * np.float32(1.52587890625e-05)
        out[j] = edges[i] + (edges[i + 1] - edges[i]) * fraction
    # Interpolation is good to 1e-5 inside; the few numbers near the ends are looked at again, one by one.
    limit = edges[INTERVALS - TAIL]
    for j in range(out.size):
        if out[j] > limit or out[j] < -limit:
            out[j] = tail_quantile(hashed(np.uint32(start + np.uint32(j)), w0, w1))


@inlined
def fill_coarse_normal(out, first, w0, w1, middles):
    """Fill the vector `out` with Gaussian numbers of 65 536 different values, cut at 4.3 standard deviations.

    Twice as fast as `fill_normal`; used for the noise of pulses, of which there are billions.
    """
    start = np.uint32(first)
    for j in range(out.size):
        out[j] = middles[np.int64(hashed(np.uint32(start + np.uint32(j)), w0, w1) >> np.uint32(16))]


@parallel_kernel
def normal_matrix(out, w0, w1, edges):
    """Fill (rows, columns) `out` with standard normal numbers, indexed by flat position."""
    from_row = out.shape[1]
    for i in prange(out.shape[0]):
        fill_normal(out[i], i * from_row, w0, w1, edges)


@parallel_kernel
def uniform_matrix(out, w0, w1):
    """Fill (rows, columns) `out` with uniform numbers in [0, 1[, indexed by flat position."""
    for i in prange(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = uniform(i * out.shape[1] + j, w0, w1)


def normal(shape, key):
    """Return float32 standard normal numbers of `shape` from a `Key`."""
    out = np.empty(shape, np.float32)
    w0, w1, _, _ = key.words
    normal_matrix(out.reshape(-1, out.shape[-1]), w0, w1, quantile_edges())
    return out
