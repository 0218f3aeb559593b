r"""Currents in the lines of an array: sums of conductance by groups of lines, and the currents of bursts and of pulse trains.

A collecting line j of a group of driven lines i carries the sum of v_i g_ij. With the mean mu_i of the conductances of line i
over the collecting lines of a tile, the inequality of Cauchy and Schwarz bounds all of these at once:

.. math:: I_j \le \sum_i v_i \mu_i + \sqrt{\sum_i v_i^2}\; \max_j \sqrt{\sum_i (g_{ij} - \mu_i)^2}
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.compile import inlined, kernel, parallel_kernel


class Burst(NamedTuple):
    """The pulsed cells of a burst that is addressed row by row."""

    first: np.ndarray  # row i has the entries first[i] to first[i + 1], (rows + 1,) int64
    where: np.ndarray  # flat positions, ascending, int64
    pulses: np.ndarray  # signed pulses, int32
    most: np.ndarray  # larger conductance of each cell before and after the burst [S], float32


class Slot(NamedTuple):
    """Conditions of one slot of a burst."""

    volts: np.ndarray  # voltage of a pulse up and down [V], (2,) float64
    cells: np.ndarray  # most cells of a word line that are pulsed at once, up and down, (2,) int64
    limit: float  # current that a line bears [A]
    half: float  # share of the voltage at half-selected cells: 0.5 in a passive array, else 0


@parallel_kernel
def group_sums(g, driven, groups, tiles, loads, mean, spread):
    r"""Write sums, means and deviations of g (n, m) [S] over collecting lines, from which currents and their bounds follow.

    driven : borders of the groups of driven lines; groups, tiles : borders of the groups and of the tiles of collecting lines.
    loads (n, C) float64: sum of each driven line in each group. mean (n, U) float32: its mean in each tile.
    spread (D, U) float32: largest :math:`\sqrt{\sum_i (g_{ij} - \mu_i)^2}` of a line j of a tile, i being the lines of a group.
    """
    for d in prange(driven.size - 1):
        squares = np.zeros(g.shape[1], np.float32)
        for i in range(driven[d], driven[d + 1]):
            for c in range(groups.size - 1):
                total = 0.0
                for j in range(groups[c], groups[c + 1]):
                    total += np.float64(g[i, j])
                loads[i, c] = total
            c = 0
            for t in range(tiles.size - 1):
                total = 0.0
                while c < groups.size - 1 and groups[c] < tiles[t + 1]:
                    total += loads[i, c]
                    c += 1
                middle = np.float32(total / (tiles[t + 1] - tiles[t]))
                mean[i, t] = middle
                for j in range(tiles[t], tiles[t + 1]):
                    away = g[i, j] - middle
                    squares[j] += away * away
        for t in range(tiles.size - 1):
            most = np.float32(0.0)
            for j in range(tiles[t], tiles[t + 1]):
                most = max(most, squares[j])
            spread[d, t] = np.sqrt(most)


@inlined
def base_of_column(slot, volts, on_columns, tile, line):
    """Return the current of the half-selected cells on a bit line of a tile [A]."""
    return slot.half * volts * on_columns[tile, line] if slot.half > 0.0 else 0.0


@parallel_kernel
def burst_slots(burst, slot, tile, shape, on_rows, on_columns, slots, refused, word, bit, cell):
    """Write the slots of each row in each tile with at most `slot.cells` cells pulsed at once, and the currents.

    tile, shape : (rows, columns) of a tile and of the array. on_rows (rows, U) and on_columns (T, bit lines) are the sums of g
    along the lines of each tile [S], which half-selected cells need; they are looked at if `slot.half` is above 0.
    slots (rows, U, 2) int64: slots up and down. A slot above the limit is refused by the driver and repeated cell by cell, which
    takes one slot more for each of its cells; refused (rows, 2) int64 counts these, up and down.
    word, bit (rows, U) float64 [A]: largest current of the word line, and of a bit line. cell (rows, 2) float64 [A]: largest
    current of one cell.
    """
    first, where, pulses, most = burst
    for i in prange(shape[0]):
        start = first[i]
        while start < first[i + 1]:
            t = (where[start] - i * shape[1]) // tile[1]
            stop = start
            while stop < first[i + 1] and (where[stop] - i * shape[1]) // tile[1] == t:
                stop += 1
            for p in range(2):
                volts = slot.volts[p]
                last = 0
                for a in range(start, stop):
                    n = pulses[a] if p == 0 else -pulses[a]
                    last = max(last, n)
                base = slot.half * volts * on_rows[i, t] if slot.half > 0.0 else 0.0
                for s in range(1, last + 1):
                    count = 0
                    total = base
                    largest = 0.0
                    for a in range(start, stop + 1):
                        taken = False
                        if a < stop:
                            n = pulses[a] if p == 0 else -pulses[a]
                            taken = n >= s
                        if taken:
                            one = volts * np.float64(most[a])
                            column = base_of_column(slot, volts, on_columns, i // tile[0], where[a] - i * shape[1])
                            added = one * (1.0 - slot.half)
                            cell[i, p] = max(cell[i, p], max(base, column) + added)
                            bit[i, t] = max(bit[i, t], column + added)
                            largest = max(largest, base + added)
                            count += 1
                            total += added
                        if count == slot.cells[p] or (a == stop and count > 0):
                            slots[i, t, p] += 1
                            if total > slot.limit and count > 1:
                                refused[i, p] += 1
                                slots[i, t, p] += count
                                total = largest
                            word[i, t] = max(word[i, t], total)
                            count = 0
                            total = base
                            largest = 0.0
            start = stop


@inlined
def listed(on, tile, number, found, first):
    """List the lines that are on, and where those of each tile begin: tile t has the entries first[t] to first[t + 1]."""
    count = 0
    at = 0
    for i in range(on.size):
        while at <= tile[i]:
            first[at] = count
            at += 1
        if on[i]:
            found[count] = i
            count += 1
    while at <= number:
        first[at] = count
        at += 1


@kernel
def train_slots(trains, tiles, shape, g, volts, at_once, limit, on_rows, on_columns, given, word, bit):
    """Give coinciding trains in blocks of at most `at_once` rows and columns of a tile, and write what that takes.

    trains : which rows (slots, n) and columns (slots, m) are on, bool; tiles : the tiles of these lines (n,) and (m,) int64;
    shape : number of tiles (T, U); g (n, m) float32: larger conductance of each crossing before and after the train [S];
    on_rows (n, U), on_columns (T, m): currents of the half-selected cells of a line [A].
    A block above the limit in any tile is refused and repeated cell by cell. given holds, of each slot, its slots (slots,), the
    refused blocks (slots,), and how often each row (slots, n) and each column (slots, m) is driven, all int64.
    word, bit (slots, T, U) float64 [A]: largest currents.
    """
    rows, columns = trains
    slots, refused, row_drives, column_drives = given
    for s in range(rows.shape[0]):
        i_on, j_on = np.empty(rows.shape[1], np.int64), np.empty(columns.shape[1], np.int64)
        i_first, j_first = np.zeros(shape[0] + 1, np.int64), np.zeros(shape[1] + 1, np.int64)
        listed(rows[s], tiles[0], shape[0], i_on, i_first)
        listed(columns[s], tiles[1], shape[1], j_on, j_first)
        across, down = 1, 1
        for t in range(shape[0]):
            down = max(down, (i_first[t + 1] - i_first[t] + at_once - 1) // at_once)
        for u in range(shape[1]):
            across = max(across, (j_first[u + 1] - j_first[u] + at_once - 1) // at_once)
        for k in range(i_first[-1]):
            row_drives[s, i_on[k]] = across
        for k in range(j_first[-1]):
            column_drives[s, j_on[k]] = down
        slots[s] = down * across
        for a in range(down):
            for b in range(across):
                over = False
                repeats = 0
                for t in range(shape[0]):
                    i0 = i_first[t] + a * at_once
                    i1 = min(i0 + at_once, i_first[t + 1])
                    for u in range(shape[1]):
                        j0 = j_first[u] + b * at_once
                        j1 = min(j0 + at_once, j_first[u + 1])
                        if i0 >= i1 or j0 >= j1:
                            continue
                        most_word, most_bit = 0.0, 0.0
                        for k in range(i0, i1):
                            total = on_rows[i_on[k], u]
                            for m in range(j0, j1):
                                total += volts * np.float64(g[i_on[k], j_on[m]])
                            most_word = max(most_word, total)
                        for m in range(j0, j1):
                            total = on_columns[t, j_on[m]]
                            for k in range(i0, i1):
                                total += volts * np.float64(g[i_on[k], j_on[m]])
                            most_bit = max(most_bit, total)
                        if max(most_word, most_bit) > limit and (i1 - i0 > 1 or j1 - j0 > 1):
                            over = True
                            repeats = max(repeats, (i1 - i0) * (j1 - j0))
                            for k in range(i0, i1):
                                row_drives[s, i_on[k]] += j1 - j0
                                for m in range(j0, j1):
                                    one = volts * np.float64(g[i_on[k], j_on[m]])
                                    word[s, t, u] = max(word[s, t, u], on_rows[i_on[k], u] + one)
                                    bit[s, t, u] = max(bit[s, t, u], on_columns[t, j_on[m]] + one)
                            for m in range(j0, j1):
                                column_drives[s, j_on[m]] += i1 - i0
                        else:
                            word[s, t, u] = max(word[s, t, u], most_word)
                            bit[s, t, u] = max(bit[s, t, u], most_bit)
                if over:
                    refused[s] += 1
                    slots[s] += repeats
