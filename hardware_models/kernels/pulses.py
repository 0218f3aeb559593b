"""Loops over cells that share pulses among the devices of pairs, and the sums from which the energy of pulses is computed."""

from __future__ import annotations

import numpy as np
from numba import prange

from hardware_models.kernels.compile import inlined, parallel_kernel


@inlined
def counted(received, pulses):
    """Return a counter of pulses increased by |pulses|; it saturates at the largest int32."""
    return np.int32(min(np.int64(received) + abs(np.int64(pulses)), np.int64(2**31 - 1)))


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
            received[i, j] = counted(received[i, j], pulses[i, j])
