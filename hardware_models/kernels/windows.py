"""Loops over the cells where some rows and some bit lines cross: the cells of coinciding pulse trains."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.compile import kernel, parallel_kernel
from hardware_models.kernels.pulses import counted


class Window(NamedTuple):
    """The cells at the crossings of rows and bit lines, and their pulses."""

    rows: np.ndarray  # ascending, int64
    lines: np.ndarray  # ascending, all of one side of the pairs, int64
    pulses: np.ndarray  # signed, (rows, lines) int32
    before: np.ndarray  # conductances before the pulses [S], (rows, lines) float32
    after: np.ndarray  # and after them [S]


BLOCK = 32
"""Rows whose pulses are counted together: their counters of one byte stay in the cache."""


@kernel
def add_bytes(term, total):
    """Add one vector of bytes to another."""
    for b in range(total.size):
        total[b] += term[b]


@kernel
def enter(total, columns, sign, pulses):
    """Add the counters at `columns`, times a sign, to pulses (columns,), and set all counters to zero."""
    for b in range(columns.size):
        pulses[b] += sign * np.int32(total[columns[b]])
    for b in range(total.size):
        total[b] = np.uint8(0)


@kernel
def block_coincidences(r, c, slots, rows, columns, sign, pulses):
    """Do `coincidences` for a few rows, pulses (rows, columns)."""
    totals, number = np.zeros((rows.size, c.shape[1]), np.uint8), np.zeros(rows.size, np.int64)
    for a in range(rows.size):
        for b in range(columns.size):
            pulses[a, b] = 0
    for s in slots:
        for a in range(rows.size):
            if r[s, rows[a]]:
                add_bytes(c[s], totals[a])
                number[a] += 1
                if number[a] == 255:  # one more may not fit into a byte
                    enter(totals[a], columns, sign, pulses[a])
                    number[a] = 0
    for a in range(rows.size):
        enter(totals[a], columns, sign, pulses[a])


@parallel_kernel
def coincidences(r, c, slots, rows, columns, sign, pulses):
    """Write the pulses (rows, columns) int32 of coinciding trains of a sign where `rows` and `columns` cross.

    r (all slots, all rows) and c (all slots, all columns) are bytes of 0 and 1; only `slots` are looked at.
    """
    for p in prange((rows.size + BLOCK - 1) // BLOCK):
        top = np.int64(p) * BLOCK  # an unsigned index would compile what is called a second time
        bottom = min(top + BLOCK, rows.size)
        block_coincidences(r, c, slots, rows[top:bottom], columns, sign, pulses[top:bottom])


@parallel_kernel
def crossings(g, rows, lines, found):
    """Write to `found` the numbers of g where rows and lines cross."""
    for a in prange(rows.size):
        for b in range(lines.size):
            found[a, b] = g[rows[a], lines[b]]


@parallel_kernel
def selected(pulses, before, after, sums):
    """Write to sums (rows,) float64 the sum of |n| (g + g')/2 over each row [S]."""
    for a in prange(pulses.shape[0]):
        total = 0.0
        for b in range(pulses.shape[1]):
            total += abs(pulses[a, b]) * 0.5 * (np.float64(before[a, b]) + np.float64(after[a, b]))
        sums[a] = total


@kernel
def follow_crossings(i, lines, pulses, g, received, blocks):
    """Do `follow_window` for row i, but for its sum."""
    width = blocks.shape[2]
    panel, left = 0, 0
    for b in range(lines.size):
        column = lines[b] >> 1
        received[i, lines[b]] = counted(received[i, lines[b]], pulses[b])
        while column >= left + width:
            panel, left = panel + 1, left + width
        blocks[panel, i, column - left] = g[i, 2 * column] - g[i, 2 * column + 1]


@parallel_kernel
def follow_window(window, g, received, blocks, row_sums):
    """Change what is kept of the cells of a window: pulses received, differences of pairs, sums of rows."""
    rows, lines, pulses, before, after = window
    for a in prange(rows.size):
        follow_crossings(rows[a], lines, pulses[a], g, received, blocks)
        change = 0.0
        for b in range(lines.size):
            change += np.float64(after[a, b]) - np.float64(before[a, b])
        row_sums[rows[a]] += change


@parallel_kernel
def count_received(received, rows, lines, pulses):
    """Add the sizes of pulses (rows, lines) to the numbers received where rows and lines cross."""
    for a in prange(rows.size):
        for b in range(lines.size):
            received[rows[a], lines[b]] = counted(received[rows[a], lines[b]], pulses[a, b])
