"""Loops over cells that share pulses among the devices of pairs, and the sums from which the energy of pulses is computed."""

from __future__ import annotations

import numpy as np
from numba import prange

from hardware_models.kernels.compile import inlined, parallel_kernel


@parallel_kernel
def count_cells(counts, cells):
    """Write to `cells` the number of pulsed cells of each row if `split_pairs` splits the signed counts (rows, columns)."""
    for i in prange(counts.shape[0]):
        number = 0
        for j in range(counts.shape[1]):
            n = counts[i, j]
            # A single device pulse goes to one cell of the pair; two or more pulses are shared by both.
            number += min(abs(n), np.int32(2))
        cells[i] = number


@parallel_kernel
def list_cells(counts, parity, first, where, pulses):
    """List the pulsed cells as flat positions and pulses, row i from first[i] on; counts are split as by `split_pairs`."""
    for i in prange(counts.shape[0]):
        place = first[i]
        if place == first[i + 1]:
            continue
        for j in range(counts.shape[1]):
            n = counts[i, j]
            if n == 0:
                continue
            half = n // 2
            rest = n - half
            odd = (i + j + parity) % 2 != 0
            plus = half if odd else rest
            minus = -rest if odd else -half
            cell = 2 * (i * counts.shape[1] + j)
            if plus != 0:
                where[place] = cell
                pulses[place] = plus
                place += 1
            if minus != 0:
                where[place] = cell + 1
                pulses[place] = minus
                place += 1


@parallel_kernel
def gather(flat, where, found):
    """Write to `found` the entries of a flat array at some positions."""
    for a in prange(where.size):
        found[a] = flat[where[a]]


@parallel_kernel
def write_sums_some(first, where, pulses, before, after, bit_lines, tile_columns):
    """Return the sums of `write_sums`, computed from listed cells; row i has the entries first[i] to first[i + 1]."""
    rows = first.size - 1
    tiles = (bit_lines + tile_columns - 1) // tile_columns
    sums = np.zeros((rows, 4))
    slots = np.zeros((rows, tiles, 2), np.int64)
    for i in prange(rows):
        for a in range(first[i], first[i + 1]):
            n = pulses[a]
            mean = np.float32(0.5) * (before[a] + after[a])
            t = (where[a] - i * bit_lines) // tile_columns
            if n > 0:
                sums[i, 0] += n * mean
                sums[i, 2] += n
                slots[i, t, 0] = max(slots[i, t, 0], n)
            else:
                sums[i, 1] -= n * mean
                sums[i, 3] -= n
                slots[i, t, 1] = max(slots[i, t, 1], -n)
    return sums, slots


@inlined
def _counted(received, pulses):
    """Return a counter of pulses increased by |pulses|; it saturates at the largest int32."""
    return np.int32(min(np.int64(received) + abs(np.int64(pulses)), np.int64(2**31 - 1)))


@parallel_kernel
def follow_cells(first, where, pulses, before, after, g, received, blocks, row_sums):
    """Update everything derived from the listed cells: their pulse counts, the pairs' differences and the rows' sums."""
    bit_lines = g.shape[1]
    width = blocks.shape[2]
    for i in prange(first.size - 1):
        change = 0.0
        for a in range(first[i], first[i + 1]):
            line = where[a] - i * bit_lines
            received[i, line] = _counted(received[i, line], pulses[a])
            column = line // 2
            blocks[column // width, i, column % width] = g[i, 2 * column] - g[i, 2 * column + 1]
            change += np.float64(after[a]) - np.float64(before[a])
        row_sums[i] += change


@inlined
def _row_sums(before, after, pulses):
    """Return the sums of `write_sums` of a part of a row, and its most pulses up (>= 0) and down (<= 0)."""
    up_g = 0.0
    down_g = 0.0
    up_n = 0
    down_n = 0
    most = np.int32(0)
    least = np.int32(0)
    for j in range(pulses.size):
        n = pulses[j]
        mean = np.float32(0.5) * (before[j] + after[j])
        positive = max(n, np.int32(0))
        negative = max(-n, np.int32(0))
        up_g += positive * mean
        down_g += negative * mean
        up_n += positive
        down_n += negative
        most = max(most, n)
        least = min(least, n)
    return up_g, down_g, up_n, down_n, most, least


@parallel_kernel
def write_sums(before, after, pulses, tile_columns):
    """Return, row by row, the sums from which the energy and time of one burst are computed.

    The first array is (rows, 4) float64: the sum of n (g + g')/2 over up pulses and over down pulses [S], the number of up
    pulses and of down pulses. The second is (rows, column tiles, 2) int64: the slots of a row in each tile, up and down.
    """
    rows, columns = pulses.shape
    tiles = (columns + tile_columns - 1) // tile_columns
    sums = np.zeros((rows, 4))
    slots = np.zeros((rows, tiles, 2), np.int64)
    for i in prange(rows):
        for t in range(tiles):
            j = t * tile_columns
            k = min(j + tile_columns, columns)
            up_g, down_g, up_n, down_n, most, least = _row_sums(before[i, j:k], after[i, j:k], pulses[i, j:k])
            sums[i, 0] += up_g
            sums[i, 1] += down_g
            sums[i, 2] += up_n
            sums[i, 3] += down_n
            slots[i, t, 0] = most
            slots[i, t, 1] = -least
    return sums, slots


@parallel_kernel
def split_pairs(counts, parity, pulses):
    """Split signed device pulses on each weight into pulses on the two devices of its pair.

    +n raises G+ and lowers G-. The larger half goes to G+ or G- in a chequerboard pattern that `parity` inverts, so that
    over many calls both devices get equally many pulses. counts (rows, columns) -> pulses (rows, 2 columns).
    """
    for i in prange(counts.shape[0]):
        for j in range(counts.shape[1]):
            n = counts[i, j]
            half = n // 2
            rest = n - half
            first = (i + j + parity) % 2 == 0
            pulses[i, 2 * j] = rest if first else half
            pulses[i, 2 * j + 1] = -half if first else -rest


@parallel_kernel
def split_one_sided(counts, polarity, pulses):
    """Give signed device pulses on each weight to the one device of its pair that can move that way; polarity is +1 or -1.

    If pulses only lower G (-1), +n lowers G- and -n lowers G+; if they only raise G (+1), +n raises G+ and -n raises G-.
    """
    for i in prange(counts.shape[0]):
        for j in range(counts.shape[1]):
            n = counts[i, j]
            positive = max(n, np.int32(0))
            negative = max(-n, np.int32(0))
            pulses[i, 2 * j] = positive if polarity > 0 else -negative
            pulses[i, 2 * j + 1] = negative if polarity > 0 else -positive


@parallel_kernel
def add_sizes(received, pulses):
    """Add the number of pulses of either sign to the count of each cell (rows, bit lines) int32."""
    for i in prange(pulses.shape[0]):
        for j in range(pulses.shape[1]):
            received[i, j] = _counted(received[i, j], pulses[i, j])


@parallel_kernel
def pair_sums(g, sign, blocks, row_sums):
    """Combine the interleaved pairs of g (m, 2 n) [S] into panels of columns, and sum g over each row.

    blocks (panels, m, width) <- g(G+) + sign g(G-), zero beyond the last column; row_sums (m,) <- sum of all g of a row.
    """
    panels, rows, width = blocks.shape
    columns = g.shape[1] // 2
    for i in prange(rows):
        total = 0.0
        for p in range(panels):
            left = p * width
            for j in range(min(columns, left + width) - left):
                plus = g[i, 2 * (left + j)]
                minus = g[i, 2 * (left + j) + 1]
                blocks[p, i, j] = plus + sign * minus
                total += plus + minus
            for j in range(columns - left, width):
                blocks[p, i, j] = np.float32(0.0)
        row_sums[i] = total
