"""A complete read in two parallel loops: input converters, then products tile by tile, read noise and output converters.

The output is cut into panels of columns, and a large batch also into panels of samples; the borders depend only on the shape.
BLAS rearranges its right factor before it multiplies: with panels of columns each part of the matrix is rearranged once, not
once by every thread. A panel's partial sums and draws stay in the cache of the core that works on it. The arithmetic is that
of `quantise.drive`, `products.matmul` and `quantise.digitise` one after the other; tests compare the two.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.compile import inlined, parallel_kernel
from hardware_models.kernels.quantise import digitise_row, drive_row
from hardware_models.kernels.random import fill_normal


def column_panels(columns: int) -> tuple[int, int]:
    """Return the number of panels for `columns` columns, and a panel's width; the last panel may be narrower."""
    count = 1 if columns < 32 else max(2, -(-columns // 256))
    width = -(-columns // count)
    return -(-columns // width), width


class Matrix(NamedTuple):
    """The conductances of an array and their read noise, for a read."""

    blocks: np.ndarray  # G+ - G- in panels of columns, (panels, rows, width) float32 [S]
    variance: (
        np.ndarray
    )  # read noise of each pair in units of `common`, as `blocks`; with size 0 each pair has `common`
    common: np.float32  # unit of the variance [S²]
    cuts: np.ndarray  # tile t holds the rows cuts[t] to cuts[t + 1], int64
    thermal: np.ndarray  # variance of the lines' Johnson noise, (tiles, columns) float32 [units of z²]; size 0 for none


class Converter(NamedTuple):
    """The output converters."""

    to_z: np.float32  # z of one ampere [1/A]
    step: np.float32  # height of a level [units of z]
    levels: int  # number of levels on each side of zero, 0 for no rounding and no clipping


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


@inlined
def panel_of(samples, k, count):
    """Return the first sample of panel k of `count` panels, and the panel's number of samples."""
    first = samples * k // count
    return first, samples * (k + 1) // count - first


@inlined
def tile_voltages(v, cuts, t, batch, first, size):
    """Return the voltages (size, rows) of tile t for the samples from `first` on, from those of `drive_tiles`."""
    n = cuts[t + 1] - cuts[t]
    start = batch * cuts[t] + first * n
    return v[start : start + size * n].reshape(size, n)


@inlined
def scale_noise(xi, v, sigma, b, common, to_z, per_cell):
    """Multiply normal numbers by the standard deviations of the currents of sample b [units of z]; v is (B, rows) [V].

    sigma (B, columns) is the variance of each column in units of `common`, used if `per_cell` is True.
    """
    if per_cell:
        for j in range(xi.size):
            xi[j] *= np.sqrt(common * sigma[b, j]) * to_z
    else:
        deviation = np.sqrt(common * np.dot(v[b], v[b])) * to_z
        for j in range(xi.size):
            xi[j] *= deviation


@inlined
def scale_both(xi, v, sigma, b, common, to_z, per_cell, thermal):
    """Do as `scale_noise` for the sum of the read noise and the Johnson noise of the lines, thermal (columns,) [units of z²]."""
    if per_cell:
        for j in range(xi.size):
            xi[j] *= np.sqrt(common * sigma[b, j] * to_z * to_z + thermal[j])
    else:
        read = common * np.dot(v[b], v[b]) * to_z * to_z
        for j in range(xi.size):
            xi[j] *= np.sqrt(read + thermal[j])


@inlined
def clear(z, first, last, left, right):
    """Set a part of z to zero."""
    for b in range(first, last):
        for j in range(left, right):
            z[b, j] = np.float32(0.0)


@inlined
def scale(xi, vt, sigma, b, common, to_z, per_cell, thermal, t, left):
    """Scale Gaussian numbers to the noise of one row: of its cells, and of its lines from column `left` on if they have any."""
    if thermal.size > 0:
        scale_both(xi, vt, sigma, b, common, to_z, per_cell, thermal[t, left : left + xi.size])
    else:
        scale_noise(xi, vt, sigma, b, common, to_z, per_cell)


@parallel_kernel
def converted_read(v, matrix, converter, words, count, z, clipped):
    """Write the read result z (B, n) float32, through the output converters, for the voltages v of `drive_tiles`.

    count is the number of panels of samples; clipped (count, panels) int64 counts clipped values. Noise is drawn by the flat
    position of (tile, sample, column).
    """
    blocks, variance, common, cuts, thermal = matrix
    to_z, step, levels = converter
    w0, w1 = words
    batch, columns = z.shape
    panels, _, width = blocks.shape
    per_cell = variance.size > 0
    for work in prange(count * panels):
        p = work % panels
        first, size = panel_of(batch, work // panels, count)
        left, right = p * width, min(columns, p * width + width)
        partial, xi = np.empty((size, width), np.float32), np.zeros(right - left, np.float32)
        sigma = np.empty((size if per_cell else 0, width), np.float32)
        beyond = 0
        clear(z, first, first + size, left, right)
        for t in range(cuts.size - 1):
            vt = tile_voltages(v, cuts, t, batch, first, size)
            np.dot(vt, blocks[p, cuts[t] : cuts[t + 1]], partial)
            if per_cell:
                np.dot(vt * vt, variance[p, cuts[t] : cuts[t + 1]], sigma)
            for b in range(size):
                if thermal.size > 0 or common > np.float32(0.0):
                    fill_normal(xi, (t * batch + first + b) * columns + left, w0, w1)
                    scale(xi, vt, sigma, b, common, to_z, per_cell, thermal, t, left)
                beyond += digitise_row(partial[b], to_z, xi, step, levels, z[first + b, left:right])
        clipped[work // panels, p] = beyond
