"""Loops over an array as its lines see it: behind access transistors, behind wires, and pair by pair.

The laws stand in `hardware_models.crossbar.access` and `hardware_models.crossbar.wired`; each loop reads an array once and
writes what follows from it.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from hardware_models.kernels.compile import inlined, kernel, parallel_kernel


@inlined
def through(g, resistance):
    """Return the conductance of a cell in series with its access transistor [S]; see `hardware_models.crossbar.access`."""
    return g / (np.float32(1.0) + g * resistance)


@parallel_kernel
def connect(g, resistance, connected):
    """Write g/(1 + g R), all (rows, bit lines) float32 [S]."""
    for i in prange(g.shape[0]):
        for j in range(g.shape[1]):
            connected[i, j] = through(g[i, j], resistance)


@kernel
def pair_row(i, g, sign, blocks):
    """Write g(G+) + sign g(G-) of one row g (bit lines,) to its place in the panels; return the sum of g, float64."""
    panels, _, width = blocks.shape
    columns = g.size // 2
    total = 0.0
    for p in range(panels):
        left = p * width
        for j in range(min(columns, left + width) - left):
            plus, minus = g[2 * (left + j)], g[2 * (left + j) + 1]
            blocks[p, i, j] = plus + sign * minus
            total += plus + minus
        for j in range(columns - left, width):
            blocks[p, i, j] = np.float32(0.0)
    return total


@parallel_kernel
def pair_sums(g, sign, blocks, row_sums):
    """Combine the interleaved pairs of g (m, 2 n) [S] into panels of columns, and sum g over each row.

    blocks (panels, m, width) <- g(G+) + sign g(G-), zero beyond the last column; row_sums (m,) <- sum of all g of a row.
    """
    for i in prange(g.shape[0]):
        row_sums[i] = pair_row(i, g[i], sign, blocks)


@kernel
def tracked_row(g, shares, sneaking, matrix):
    """Write T = G A + T_s of one row, the matrix behind wires [S]."""
    for j in range(g.size):
        matrix[j] = g[j] * shares[j] + sneaking[j]


@parallel_kernel
def track(g, shares, sneaking, matrix):
    """Write T = G A + T_s, all (rows, bit lines) float32, as `hardware_models.crossbar.wired` follows it."""
    for i in prange(g.shape[0]):
        tracked_row(g[i], shares[i], sneaking[i], matrix[i])


@kernel
def variance_row(g, resistance, shares, variance, unit, found):
    """Write the variance of one read of each cell of a row as its line sees it, in units of 1/`unit`.

    It is that of the cell times the square of the slope of its transistor and of its share of the voltage behind wires.
    """
    one = np.float32(1.0)
    for j in range(g.size):
        t = one + g[j] * resistance
        share = one / (t * t)
        if shares.size > 0:
            share = share * shares[j]
        found[j] = variance[j if variance.size > 1 else 0] * (share * share) * unit


@parallel_kernel
def pair_variances(g, resistance, shares, variance, unit, blocks):
    """Write the variance of one read of each pair to panels of columns as `pair_sums` does, in units of 1/`unit`.

    g (rows, bit lines) [S]; shares of the same shape, or (rows, 0) without wires; variance of the same shape [S²], or (rows, 1).
    """
    for i in prange(g.shape[0]):
        found = np.empty(g.shape[1], np.float32)
        variance_row(g[i], resistance, shares[i], variance[i], unit, found)
        pair_row(i, found, np.float32(1.0), blocks)


@kernel
def add_rows(g, top, bottom, sums):
    """Add the rows of g from `top` to before `bottom` to sums (bit lines,) float64, one after the other."""
    for i in range(top, bottom):
        for j in range(sums.size):
            sums[j] += np.float64(g[i, j])


@parallel_kernel
def tile_sums(g, cuts, sums):
    """Write the sums of g (rows, bit lines) [S] over the rows cuts[t] to cuts[t + 1] of each tile to sums (T, bit lines)."""
    for t in prange(sums.shape[0]):
        sums[t, :] = 0.0
        add_rows(g, cuts[t], cuts[t + 1], sums[t])
