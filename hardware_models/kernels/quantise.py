"""Arithmetic of converters: rounding to the levels of a DAC or an ADC, fused with scaling and read noise."""

from __future__ import annotations

import numpy as np
from numba import prange

from hardware_models.kernels.compile import kernel, parallel_kernel
from hardware_models.kernels.random import fill_normal


@kernel
def drive_row(x, inverse, levels, v):
    """Write v = round(clip(x inverse, -1, 1) levels)/levels of one sample and return the number of clipped values.

    x and v are (n,) float32; levels = 0 means no rounding and no clipping.
    """
    beyond = 0
    if levels == 0:
        for i in range(v.size):
            v[i] = x[i] * inverse
    else:
        one = np.float32(1.0)
        n = np.float32(levels)
        step = one / n
        for i in range(v.size):
            u = x[i] * inverse
            # The tolerance of half a level: a value that rounds to full scale does not count as clipped.
            beyond += abs(u) * n - n > np.float32(0.5)
            v[i] = np.rint(min(max(u, -one), one) * n) * step
    return beyond


@kernel
def digitise_row(partial, factor, xi, step, levels, z):
    """Add round(clip(partial factor + xi)) of one sample and tile to z and return the number of clipped values.

    partial is (n,) [A]; factor converts amperes into units of z; the noise xi (n,), z (n,) and step are in units of z; levels
    is the number of steps on each side of zero, 0 for no rounding and no clipping.
    """
    beyond = 0
    if levels == 0:
        for j in range(z.size):
            z[j] += partial[j] * factor + xi[j]
    else:
        limit = np.float32(levels)
        inverse = np.float32(1.0) / step
        for j in range(z.size):
            u = np.rint((partial[j] * factor + xi[j]) * inverse)
            beyond += abs(u) > limit
            z[j] += min(max(u, -limit), limit) * step
    return beyond


@parallel_kernel
def drive(x, scale, levels, v, clipped):
    """Write the driven values v (B, n) of x (B, n) by `drive_row`, and the number of clipped values, clipped (B,) int64."""
    inverse = np.float32(1.0) / np.float32(scale)
    for b in prange(x.shape[0]):
        clipped[b] = drive_row(x[b], inverse, levels, v[b])


@parallel_kernel
def digitise(partial, scale, sigma, full_scale, levels, z, clipped, w0, w1):
    """Write z[b, j] = sum_t round(clip(partial scale + sigma xi)), the converted partial sums added over tiles.

    partial is (T, B, n) [A]; scale converts amperes into units of z; sigma (T, B, 1 or n) is the standard deviation of the read
    noise in units of z (size 0: no noise); levels is the number of steps on each side of zero up to full_scale; z is (B, n)
    float32 and clipped (B,) int64. Noise is drawn by the flat position of (t, b, j).
    """
    tiles, batch, columns = partial.shape
    factor = np.float32(scale)
    step = np.float32(full_scale / levels) if levels > 0 else np.float32(1.0)
    for b in prange(batch):
        xi = np.zeros(columns, np.float32)
        z[b, :] = np.float32(0.0)
        beyond = 0
        for t in range(tiles):
            if sigma.size > 0:
                fill_normal(xi, (t * batch + b) * columns, w0, w1)
                for j in range(columns):
                    xi[j] *= sigma[t, b, j if sigma.shape[2] > 1 else 0]
            beyond += digitise_row(partial[t, b], factor, xi, step, levels, z[b])
        clipped[b] = beyond
