"""Arithmetic of output converters that have faults: each has an offset, a gain and a curve of its own, and a noisy comparator."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.compile import inlined, parallel_kernel
from hardware_models.kernels.random import fill_normal

PEAK = 1.5 * 3.0**0.5
"""Makes 1 the largest value of PEAK s (1 - s²) for 0 <= s <= 1, at s = 1/sqrt(3)."""
_PEAK = np.float32(PEAK)


class Characteristics(NamedTuple):
    """The converters of an array, and what is corrected of them; arrays (tiles, columns) float32."""

    offset: np.ndarray  # [LSB]
    gain: np.ndarray  # 1 for none too much
    inl: np.ndarray  # peak of the curve [LSB]
    noise: np.float32  # standard deviation of the comparator's noise [LSB]
    known_offset: np.ndarray  # that a calibration has found [LSB]
    known_gain: np.ndarray  # that a calibration has found


@inlined
def characteristic(u, limit, offset, gain, inl):
    """Return the signal at the comparator for an input u [LSB]: gain u + offset + inl PEAK s (1 - s²), s = u/limit within 1."""
    one = np.float32(1.0)
    s = min(max(u / limit, -one), one)
    return gain * u + offset + inl * _PEAK * s * (one - s * s)


@parallel_kernel
def digitise_each(partial, scale, sigma, own, full_scale, levels, z, clipped, words):
    """Do as `quantise.digitise` with converters of `own` characteristics (`Characteristics`) and at least one level.

    The comparators' noise is drawn from the last two of the four words, by the same positions as the read noise.
    """
    w0, w1, w2, w3 = words
    offset, gain, inl, noise, known_offset, known_gain = own
    tiles, batch, columns = partial.shape
    factor = np.float32(scale)
    step = np.float32(full_scale / levels)
    limit = np.float32(levels)
    for b in prange(batch):
        xi, eta = np.zeros(columns, np.float32), np.zeros(columns, np.float32)
        z[b, :] = np.float32(0.0)
        beyond = 0
        for t in range(tiles):
            first = (t * batch + b) * columns
            if sigma.size > 0:
                fill_normal(xi, first, w0, w1)
                for j in range(columns):
                    xi[j] *= sigma[t, b, j if sigma.shape[2] > 1 else 0]
            if noise > np.float32(0.0):
                fill_normal(eta, first, w2, w3)
            for j in range(columns):
                u = (partial[t, b, j] * factor + xi[j]) / step
                code = np.rint(characteristic(u, limit, offset[t, j], gain[t, j], inl[t, j]) + noise * eta[j])
                beyond += abs(code) > limit
                code = min(max(code, -limit), limit)
                z[b, j] += (code - known_offset[t, j]) / known_gain[t, j] * step
        clipped[b] = beyond
