"""Half-selected cells of a burst: pulses on the lines, sums of conductance along the lines, and their products."""

import numpy as np
from numba import prange

from hardware_models.kernels.compile import kernel, parallel_kernel


@parallel_kernel
def select(pulses, before, after, tile_rows, columns, conductance):
    """Write the pulses of a burst on bit lines (2, row tiles, bit lines) and the sums of n (g + g')/2 (row tiles, 2) [S]."""
    rows, lines = pulses.shape
    for t in prange(columns.shape[1]):
        for i in range(t * tile_rows, min((t + 1) * tile_rows, rows)):
            for j in range(lines):
                n = pulses[i, j]
                if n != 0:
                    p = 0 if n > 0 else 1
                    columns[p, t, j] += abs(n)
                    conductance[t, p] += abs(n) * 0.5 * (np.float64(before[i, j]) + np.float64(after[i, j]))


@parallel_kernel
def select_some(listed, tile_rows, tile_columns, columns, conductance, g_rows, g_columns):
    """Write the results of `select` for listed cells, and update the sums of g of lines."""
    first, where, pulses, before, after = listed  # a `kernels.listed.Listed`
    rows, lines = first.size - 1, g_columns.shape[1]
    for t in prange(columns.shape[1]):
        for i in range(t * tile_rows, min((t + 1) * tile_rows, rows)):
            for a in range(first[i], first[i + 1]):
                j = where[a] - i * lines
                p = 0 if pulses[a] > 0 else 1
                columns[p, t, j] += abs(pulses[a])
                old, new = np.float64(before[a]), np.float64(after[a])
                conductance[t, p] += abs(pulses[a]) * 0.5 * (old + new)
                g_rows[i, j // tile_columns] += new - old
                g_columns[t, j] += new - old


@kernel
def driven(slots, columns, old_rows, old_columns, rows, lines, width, height, sums):
    """Return the number of cells on driven lines, summed over slots, and add their mean G to `sums` (2,), up and down."""
    number = 0
    for i in range(rows.shape[0]):
        for t in range(rows.shape[1]):
            for p in range(2):
                number += slots[i, t, p] * width[t]
                sums[p] += slots[i, t, p] * 0.5 * (old_rows[i, t] + rows[i, t])
    for p in range(2):
        for t in range(lines.shape[0]):
            for j in range(lines.shape[1]):
                number += columns[p, t, j] * height[t]
                sums[p] += columns[p, t, j] * 0.5 * (old_columns[t, j] + lines[t, j])
    return number
