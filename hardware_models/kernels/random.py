r"""Counter-based random numbers: each is a hash of a key's words and an absolute position.

.. math:: h(p) = m(m(p \oplus w_0) + w_1)

with m the 32-bit finaliser *lowbias32* (C. Wellons, hash-prospector, public domain), a bijection of 32-bit words.
Uniform numbers are the upper 24 bits. Gaussian numbers are the inverse of the normal distribution function by
arithmetic alone, so that loops around it vectorise and no table is needed: the top bit is the sign, the other 31 bits
m give the probability :math:`q = (m + 1/2)/2^{32}` of the tail beyond |z|, and

.. math:: t = \sqrt{-2 \ln q}, \qquad |z| = t - \frac{a_0 + a_1 t + a_2 t^2 + a_3 t^3}{1 + b_1 t + b_2 t^2 + b_3 t^3}

with the logarithm from the exponent of m + 1/2 as a float32 and a polynomial of its fraction. Both sets of coefficients
are least-squares fits at Chebyshev nodes; z is within 1e-6 of the exact inverse everywhere (test). The form is that of
Abramowitz and Stegun 26.2.23, with a third term. The largest possible value is 6.3 standard deviations.

A run draws billions of numbers for the noise of pulses. These are coarser and take half the time: the upper 16 bits choose one
of 65 536 intervals of equal probability, and the number is the interval's mean. The largest is 4.3 standard deviations.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numba import prange

from hardware_models.kernels.compile import inlined, kernel, parallel_kernel

INTERVALS = 65_536
"""Number of intervals of the coarse Gaussian numbers."""
_A0, _A1, _A2, _A3 = (np.float32(c) for c in (3.0942279, 6.6631783, 1.1410828, 0.0057101574))
_B1, _B2, _B3 = (np.float32(c) for c in (4.4655293, 2.8682298, 0.25035882))
_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7, _L8 = (
    np.float32(c)
    for c in (
        3.3869654e-08, 0.99999427, -0.49983856, 0.33154862, -0.23982616, 0.16582275, -0.093252039, 0.034849712,
        -0.0061514710,
    )
)  # fmt: skip
_LN2 = np.float32(0.69314718)
_FRACTION = np.float32(2.0**-23)


@inlined
def mix(h):
    """Return a 32-bit word hashed by the finaliser lowbias32."""
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * np.uint32(0x7FEB352D))
    h = np.uint32(h ^ (h >> np.uint32(15)))
    h = np.uint32(h * np.uint32(0x846CA68B))
    return np.uint32(h ^ (h >> np.uint32(16)))


@inlined
def hashed(position, w0, w1):
    """Return 32 random bits for a position in the stream of key words w0, w1."""
    return mix(np.uint32(mix(np.uint32(np.uint32(position) ^ w0)) + w1))


@inlined
def uniform(position, w0, w1):
    """Return a uniform number in [0, 1[ for a position; it is a multiple of 2^-24."""
    return np.float32(hashed(position, w0, w1) >> np.uint32(8)) * np.float32(5.9604645e-08)


@inlined
def quantile(h):
    """Return the standard normal number that 32 random bits stand for."""
    x = np.float32(np.int32(h & np.uint32(0x7FFFFFFF))) + np.float32(0.5)
    bits = np.float32(x).view(np.int32)
    f = np.float32(bits & np.int32(0x7FFFFF)) * _FRACTION
    log1p = _L0 + f * (_L1 + f * (_L2 + f * (_L3 + f * (_L4 + f * (_L5 + f * (_L6 + f * (_L7 + f * _L8)))))))
    # ln q = ln x - 32 ln 2; the powers of two are subtracted first, so that no digits are lost near q = 1/2.
    minus_log = np.float32(np.int32(159) - (bits >> np.int32(23))) * _LN2 - log1p
    t = np.sqrt(minus_log + minus_log)
    z = t - (_A0 + t * (_A1 + t * (_A2 + t * _A3))) / (np.float32(1.0) + t * (_B1 + t * (_B2 + t * _B3)))
    return -z if h > np.uint32(0x7FFFFFFF) else z


@inlined
def gaussian(position, w0, w1):
    """Return the standard normal number of a position in the stream of key words w0, w1."""
    return quantile(hashed(position, w0, w1))


@inlined
def fill_normal(out, first, w0, w1):
    """Fill the vector `out` with the standard normal numbers of positions first, first + 1, ..."""
    start = np.uint32(first)
    for j in range(out.size):
        out[j] = gaussian(np.uint32(start + np.uint32(j)), w0, w1)


_MIDDLES: list[np.ndarray] = []


def quantile_middles() -> np.ndarray:
    """Return the means of the normal distribution in 65 536 equally probable intervals, scaled to a variance of 1.

    The result is (65536,) float32. The mean over an interval is (phi(a) - phi(b)) / P with phi the density; it is exact also
    in the outermost intervals, whose mean of 4.3 standard deviations is the largest value.
    """
    if not _MIDDLES:
        inverse = NormalDist().inv_cdf
        edges = np.array([inverse(i / INTERVALS) for i in range(1, INTERVALS)])
        density = np.concatenate(([0.0], np.exp(-0.5 * edges**2) / np.sqrt(2.0 * np.pi), [0.0]))
        means = (density[:-1] - density[1:]) * INTERVALS
        means = 0.5 * (means - means[::-1])
        _MIDDLES.append((means / np.sqrt(np.mean(means**2))).astype(np.float32))
    return _MIDDLES[0]


@inlined
def fill_coarse_normal(out, first, w0, w1, middles):
    """Fill the vector `out` with Gaussian numbers of 65 536 different values, of at most 4.3 standard deviations."""
    start, intervals = np.uint32(first), np.empty(out.size, np.uint32)
    for j in range(out.size):  # a loop of its own: without the look-up it vectorises
        intervals[j] = hashed(np.uint32(start + np.uint32(j)), w0, w1) >> np.uint32(16)
    for j in range(out.size):
        out[j] = middles[intervals[j]]


@kernel
def coarse_normals(position, w0, w1, middles, out):
    """Fill the vector `out` with the coarse Gaussian numbers of given positions, uint32."""
    intervals = np.empty(out.size, np.uint32)
    for e in range(out.size):  # a loop of its own: without the look-up it vectorises
        intervals[e] = hashed(position[e], w0, w1) >> np.uint32(16)
    for e in range(out.size):
        out[e] = middles[intervals[e]]


@inlined
def word_of_pulse(w0, k):
    """Return the first key word for the k-th pulse of a burst."""
    return mix(np.uint32(w0 + np.uint32(k) * np.uint32(0x9E3779B9)))


@inlined
def draw(position, w0, w1, middles):
    """Return the coarse Gaussian number (one of 65 536 values) of a position in the stream of key words w0, w1."""
    return middles[np.int64(hashed(np.uint32(position), w0, w1) >> np.uint32(16))]


@inlined
def pulse_bits(position, k, w0, w1):
    """Return the 32 random bits of pulse k of a burst on the cell at `position`.

    The number of the pulse goes into the second word here and into the first word in `word_of_pulse`: the two kinds of kernels
    draw different numbers, and the results of both are published.
    """
    return hashed(position, w0, np.uint32(w1 + mix(np.uint32(k))))


@inlined
def pulse_draw(position, k, w0, w1, middles):
    """Return the coarse Gaussian number (one of 65 536 values) of pulse k of a burst on the cell at `position`."""
    return middles[np.int64(pulse_bits(position, k, w0, w1) >> np.uint32(16))]


@inlined
def first_half(position, w0):
    """Return the first half of the hash of `pulse_bits`, the same for all pulses on a cell; `pulse_normals` goes on from it."""
    return mix(np.uint32(np.uint32(position) ^ w0))


@kernel
def pulse_normals(halves, k, w1, middles, out):
    """Write `pulse_draw` of pulse k on cells with given `first_half`, uint32, to the vector `out`."""
    intervals, word = np.empty(out.size, np.uint32), np.uint32(w1 + mix(np.uint32(k)))
    for e in range(out.size):  # a loop of its own: without the look-up it vectorises
        intervals[e] = mix(np.uint32(halves[e] + word)) >> np.uint32(16)
    for e in range(out.size):
        out[e] = middles[intervals[e]]


@parallel_kernel
def normal_matrix(out, w0, w1):
    """Fill `out` (rows, columns) with the standard normal numbers of the flat positions."""
    for i in prange(out.shape[0]):
        fill_normal(out[i], i * out.shape[1], w0, w1)


@parallel_kernel
def quantile_matrix(bits, out):
    """Write to `out` the standard normal numbers of given random bits (rows, columns) uint32."""
    for i in prange(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = quantile(bits[i, j])


@parallel_kernel
def uniform_matrix(out, w0, w1):
    """Fill `out` (rows, columns) with the uniform numbers in [0, 1[ of the flat positions."""
    for i in prange(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = uniform(i * out.shape[1] + j, w0, w1)


def normal(shape, key):
    """Return an array of `shape` of float32 standard normal numbers for a `Key`."""
    out = np.empty(shape, np.float32)
    w0, w1, _, _ = key.words
    normal_matrix(out.reshape(-1, out.shape[-1]), w0, w1)
    return out
