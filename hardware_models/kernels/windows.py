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


@kernel
def add_row(term, total):
    """Add one vector to another."""
    for b in range(total.size):
        total[b] += term[b]


@parallel_kernel
def coincidences(r, signs, pulses):
    """Write the pulses (rows, columns) of coinciding trains.

    r (slots, rows) bool; signs (slots, columns) int32, the sign of the train where a column is on, else 0.
    """
    for a in prange(pulses.shape[0]):
        for b in range(pulses.shape[1]):
            pulses[a, b] = 0
        for s in range(r.shape[0]):
            if r[s, a]:
                add_row(signs[s], pulses[a])


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
