"""Converters' arithmetic: rounding to the levels of a DAC or an ADC, fused with scaling and read noise."""

from __future__ import annotations

import numpy as np
from numba import prange

from hardware_models.kernels.compile import parallel_kernel
from hardware_models.kernels.random import fill_normal


@parallel_kernel
def drive(x, scale, levels, v, clipped):
    """Digital to analog: v = round(clip(x/scale, -1, 1) levels)/levels, row by row; counts what was clipped.

    x, v (B, n) float32, v in units of the full-scale voltage; levels = 0 converts without rounding or clipping;
    clipped (B,) int64.
    """
    one = np.float32(1.0)
    inverse = one / np.float32(scale)
    for b in prange(x.shape[0]):
        beyond = 0
        if levels == 0:
            for i in range(x.shape[1]):
                v[b, i] = x[b, i] * inverse
        else:
            n = np.float32(levels)
            step = one / n
            for i in range(x.shape[1]):
                u = x[b, i] * inverse
                # The half level of tolerance: a value that rounds to full scale is not clipped.
                beyond += (u - one) * n > np.float32(0.5) or (-u - one) * n > np.float32(0.5)
                v[b, i] = np.rint(min(max(u, -one), one) * n) * step
        clipped[b] = beyond


@parallel_kernel
def digitise(partial, scale, sigma, full_scale, levels, z, clipped, w0, w1, edges):
    """Analog to digital, summed over tiles: z[b, j] = sum_t round(clip(partial scale + sigma xi)).

    partial (T, B, n) [A]; scale turns amperes into units of z; sigma (T, B) or (T, B, n) standard deviation of the
    read noise in units of z (size 0: none); levels on each side of zero over +-full_scale, 0: no rounding, no clipping;
    z (B, n) float32; clipped (B,) int64. Noise is drawn by the flat position of (t, b, j).
    """
    tiles, batch, columns = partial.shape
    factor = np.float32(scale)
    limit = np.float32(levels)
    step = np.float32(full_scale / levels) if levels > 0 else np.float32(1.0)
    inverse = np.float32(1.0) / step
    for b in prange(batch):
        xi = np.zeros(columns, np.float32)
        beyond = 0
        for j in range(columns):
            z[b, j] = np.float32(0.0)
        for t in range(tiles):
            if sigma.size > 0:
                fill_normal(xi, (t * batch + b) * columns, w0, w1, edges)
                if sigma.shape[2] == 1:
                    s = sigma[t, b, 0]
                    for j in range(columns):
                        xi[j] *= s
                else:
                    for j in range(columns):
                        xi[j] *= sigma[t, b, j]
            if levels == 0:
                for j in range(columns):
                    z[b, j] += partial[t, b, j] * factor + xi[j]
            else:
                for j in range(columns):
                    u = np.rint((partial[t, b, j] * factor + xi[j]) * inverse)
                    beyond += abs(u) > limit
                    z[b, j] += min(max(u, -limit), limit) * step
        clipped[b] = beyond
