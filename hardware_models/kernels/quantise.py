"""Converters' arithmetic: rounding to the levels of a DAC or an ADC, fused with scaling and read noise."""

from __future__ import annotations

import numpy as np
from numba import prange

from hardware_models.kernels.compile import kernel, parallel_kernel
from hardware_models.kernels.random import fill_normal


@kernel
def drive_row(x, inverse, levels, v):
    """Write v = round(clip(x inverse, -1, 1) levels)/levels of one sample and return how many values were clipped.

    x, v (n,) float32; levels = 0 converts without rounding or clipping.
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
            # The half level of tolerance: a value that rounds to full scale is not clipped.
            beyond += abs(u) * n - n > np.float32(0.5)
            v[i] = np.rint(min(max(u, -one), one) * n) * step
    return beyond


@kernel
def digitise_row(partial, factor, xi, step, levels, z):
    """Add round(clip(partial factor + xi)) of one sample and tile to z and return how many values were clipped.

    partial (n,) [A]; factor turns amperes into units of z; xi (n,) noise, z (n,) and step in units of z; levels on each
    side of zero, 0: no rounding and no clipping.
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
    """Digital to analog, row by row: v (B, n) from x (B, n), see `drive_row`; clipped (B,) int64."""
    inverse = np.float32(1.0) / np.float32(scale)
    for b in prange(x.shape[0]):
        clipped[b] = drive_row(x[b], inverse, levels, v[b])


@parallel_kernel
def digitise(partial, scale, sigma, full_scale, levels, z, clipped, w0, w1):
    """Analog to digital, summed over tiles: z[b, j] = sum_t round(clip(partial scale + sigma xi)).

    partial (T, B, n) [A]; scale turns amperes into units of z; sigma (T, B, 1 or n) standard deviation of the read
    noise in units of z (size 0: none); levels on each side of zero over +-full_scale; z (B, n) float32; clipped (B,)
    int64. Noise is drawn by the flat position of (t, b, j).
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
