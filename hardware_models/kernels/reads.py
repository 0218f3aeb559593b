"""A complete read in two parallel loops: input converters, then products tile by tile, read noise and output converters.

The output is cut into panels of columns, and a large batch also into panels of samples; the borders depend only on the shape.
BLAS rearranges its right factor before it multiplies: with panels of columns each part of the matrix is rearranged once, not
once by every thread. A panel's partial sums and draws stay in the cache of the core that works on it. The arithmetic is that
of `quantise.drive`, `products.matmul` and `quantise.digitise` one after the other; tests compare the two.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from hardware_models.kernels.compile import parallel_kernel
from hardware_models.kernels.quantise import digitise_row, drive_row
from hardware_models.kernels.random import fill_normal


def column_panels(columns: int) -> tuple[int, int]:
    """Return the number of panels for `columns` columns, and a panel's width; the last panel may be narrower."""
    count = 1 if columns < 32 else max(2, -(-columns // 256))
    width = -(-columns // count)
    return -(-columns // width), width


@parallel_kernel
def drive_tiles(x, inverse, levels, volts, cuts, v, squares, clipped, polarity):
    """Write the voltages v of x (B, m) tile by tile: tile t holds rows cuts[t] to cuts[t + 1] of all samples.

    v is (B m,) float32 [V]. For each of P panels of samples it also writes squares (P, m) float64, the sums of v² [V²];
    clipped (P,) int64, the number of clipped values; polarity (P, 2), which tells whether any voltage was negative and
    whether any was positive. inverse is 1/input_scale; volts is the full-scale voltage [V].
    """
    batch = x.shape[0]
    panels = squares.shape[0]
    for p in prange(panels):
        squares[p, :] = 0.0
        below = False
        above = False
        beyond = 0
        for b in range(batch * p // panels, batch * (p + 1) // panels):
            for t in range(cuts.size - 1):
                left = cuts[t]
                right = cuts[t + 1]
                total = squares[p, left:right]
                start = batch * left + b * (right - left)
                row = v[start : start + right - left]
                beyond += drive_row(x[b, left:right], inverse, levels, row)
                for i in range(row.size):
                    row[i] *= volts
                    below |= row[i] < np.float32(0.0)
                    above |= row[i] > np.float32(0.0)
                    total[i] += np.float64(row[i]) * np.float64(row[i])
        clipped[p] = beyond
        polarity[p, 0] = below
        polarity[p, 1] = above


@parallel_kernel
def converted_read(v, blocks, variance, common, cuts, count, to_z, step, levels, w0, w1, z, clipped):
    """Write the read result z (B, n) float32, through the output converters, for the voltages v of `drive_tiles`.

    blocks (panels, m, width) [S] is the matrix in panels of columns. variance (panels, m, width) is the read noise of each pair
    in units of `common` [S²]; with size 0 each pair has `common`. count is the number of panels of samples; to_z [1/A] converts
    currents; step [units of z] and levels belong to the ADC; clipped (count, panels) int64 counts clipped values. Noise is
    drawn by the flat position of (tile, sample, column).
    """
    batch, columns = z.shape
    panels, _, width = blocks.shape
    per_cell = variance.size > 0
    noisy = common > np.float32(0.0)
    for work in prange(count * panels):
        p = work % panels
        first = batch * (work // panels) // count
        size = batch * (work // panels + 1) // count - first
        left = p * width
        right = min(columns, left + width)
        partial = np.empty((size, width), np.float32)
        sigma = np.empty((size if per_cell else 0, width), np.float32)
        xi = np.zeros(right - left, np.float32)
        beyond = 0
        for b in range(first, first + size):
            for j in range(left, right):
                z[b, j] = np.float32(0.0)
        for t in range(cuts.size - 1):
            n = cuts[t + 1] - cuts[t]
            start = batch * cuts[t] + first * n
            vt = v[start : start + size * n].reshape(size, n)
            np.dot(vt, blocks[p, cuts[t] : cuts[t + 1]], partial)
            if per_cell:
                np.dot(vt * vt, variance[p, cuts[t] : cuts[t + 1]], sigma)
            for b in range(size):
                if noisy:
                    fill_normal(xi, (t * batch + first + b) * columns + left, w0, w1)
                    if per_cell:
                        for j in range(xi.size):
                            xi[j] *= np.sqrt(common * sigma[b, j]) * to_z
                    else:
                        deviation = np.sqrt(common * np.dot(vt[b], vt[b])) * to_z
                        for j in range(xi.size):
                            xi[j] *= deviation
                beyond += digitise_row(partial[b], to_z, xi, step, levels, z[first + b, left:right])
        clipped[work // panels, p] = beyond
