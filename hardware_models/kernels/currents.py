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


class Array(NamedTuple):
    """The array of a burst, and the conductances that its half-selected cells see."""

    tile_rows: int
    tile_columns: int
    rows: int
    columns: int
    on_rows: np.ndarray  # sums of g along the rows of each tile [S], (rows, U); looked at in passive arrays alone
    on_columns: np.ndarray  # the same along the columns, (T, bit lines)


class Given(NamedTuple):
    """The slots of a burst and the currents that flowed."""

    slots: np.ndarray  # slots of each row in each tile, up and down, (rows, U, 2) int64
    refused: np.ndarray  # slots that were refused by the driver, up and down, (rows, 2) int64
    word: np.ndarray  # largest current of the word line [A], (rows, U) float64
    bit: np.ndarray  # largest current of a bit line [A], (rows, U) float64
    cell: np.ndarray  # largest current of one cell, up and down [A], (rows, 2) float64


class Place(NamedTuple):
    """The cells of one row in one tile, and a polarity."""

    row: int
    tile: int
    start: int  # the first entry of the burst
    stop: int  # the entry behind the last
    polarity: int  # 0: up, 1: down


@inlined
def of_polarity(n, polarity):
    """Return the pulses of a polarity: n or -n."""
    return n if polarity == 0 else -n


@kernel
def most_pulses_of(pulses, place):
    """Return the largest number of pulses of one polarity."""
    most = 0
    for a in range(place.start, place.stop):
        most = max(most, of_polarity(pulses[a], place.polarity))
    return most


@kernel
def end_of_tile(where, start, end, columns, tile_columns):
    """Return the entry behind those that lie in the same tile as entry `start` of a row, whose entries end at `end`."""
    t = where[start] % columns // tile_columns
    stop = start
    while stop < end and where[stop] % columns // tile_columns == t:
        stop += 1
    return stop


@kernel
def close_slot(given, place, limit, count, total, largest):
    """Book a slot of `count` cells with `total` on the word line; above the limit it is repeated cell by cell."""
    i, t, p = place.row, place.tile, place.polarity
    given.slots[i, t, p] += 1
    if total > limit and count > 1:
        given.refused[i, p] += 1
        given.slots[i, t, p] += count
        total = largest
    given.word[i, t] = max(given.word[i, t], total)


@kernel
def give_slot(burst, slot, array, given, place, s):
    """Give pulse s to the cells of a place that get so many, at most `slot.cells` of them at once."""
    i, t, start, stop, p = place
    volts, passive = slot.volts[p], slot.half > 0.0
    base = slot.half * volts * array.on_rows[i, t] if passive else 0.0
    count, total, largest = 0, base, 0.0
    for a in range(start, stop):
        if of_polarity(burst.pulses[a], p) >= s:
            line = burst.where[a] - i * array.columns
            column = slot.half * volts * array.on_columns[i // array.tile_rows, line] if passive else 0.0
            added = volts * np.float64(burst.most[a]) * (1.0 - slot.half)
            given.cell[i, p] = max(given.cell[i, p], max(base, column) + added)
            given.bit[i, t] = max(given.bit[i, t], column + added)
            largest = max(largest, base + added)
            count += 1
            total += added
        if count == slot.cells[p] or (a == stop - 1 and count > 0):
            close_slot(given, place, slot.limit, count, total, largest)
            count, total, largest = 0, base, 0.0


@parallel_kernel
def burst_slots(burst, slot, array, given):
    """Give a burst with at most `slot.cells` cells of a word line pulsed at once, and write to `given` what flows.

    A slot above the limit is refused by the driver and repeated cell by cell, which takes one slot more for each of its cells.
    """
    for i in prange(array.rows):
        start, end = burst.first[i], burst.first[i + 1]
        while start < end:
            t = burst.where[start] % array.columns // array.tile_columns
            stop = end_of_tile(burst.where, start, end, array.columns, array.tile_columns)
            for p in range(2):
                place = Place(i, t, start, stop, p)
                for s in range(1, most_pulses_of(burst.pulses, place) + 1):
                    give_slot(burst, slot, array, given, place, s)
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


class Trains(NamedTuple):
    """Coinciding pulse trains, and the lines on which they are given."""

    rows: np.ndarray  # rows that are on, (slots, n) bool
    columns: np.ndarray  # columns that are on, (slots, m) bool
    row_tiles: np.ndarray  # tile of each row, (n,) int64
    column_tiles: np.ndarray  # tile of each column, (m,) int64
    shape: tuple[int, int]  # number of tiles (T, U)


class Crossings(NamedTuple):
    """The cells where trains cross, and what a line bears."""

    current: np.ndarray  # larger conductance of each crossing before and after the train [S], (n, m) float32
    volts: float  # voltage that a pulse adds at a crossing [V]
    on_rows: np.ndarray  # currents of the half-selected cells of each row in each tile [A], (n, U)
    on_columns: np.ndarray  # the same of each column, (T, m)
    at_once: int  # most rows and columns of a block
    limit: float  # current that a line bears [A]


class TrainGiven(NamedTuple):
    """The slots and drives of trains, and the largest currents."""

    slots: np.ndarray  # slots of each slot, (slots,) int64
    refused: np.ndarray  # refused blocks, (slots,) int64
    row_drives: np.ndarray  # how often each row is driven, (slots, n) int64
    column_drives: np.ndarray  # how often each column is driven, (slots, m) int64
    word: np.ndarray  # largest current of a word line [A], (slots, T, U) float64
    bit: np.ndarray  # largest current of a bit line [A], (slots, T, U) float64


class On(NamedTuple):
    """The lines of one direction that are on in one slot; tile t has the entries first[t] to first[t + 1]."""

    lines: np.ndarray  # indices, int64
    first: np.ndarray  # (tiles + 1,) int64


@inlined
def lines_on(on, tile, number):
    """Return the lines that are on as an `On`."""
    found = On(np.empty(on.size, np.int64), np.zeros(number + 1, np.int64))
    listed(on, tile, number, found.lines, found.first)
    return found


@kernel
def turns(on, at_once):
    """Return the number of blocks of at most `at_once` lines in the fullest tile, at least 1."""
    most = 1
    for t in range(on.first.size - 1):
        most = max(most, (on.first[t + 1] - on.first[t] + at_once - 1) // at_once)
    return most


@kernel
def largest_currents(crossings, rows, columns, t, u):
    """Return the largest currents of a word line and of a bit line [A] where `rows` and `columns` of tile (t, u) are driven."""
    most_word, most_bit = 0.0, 0.0
    for i in rows:
        total = crossings.on_rows[i, u]
        for j in columns:
            total += crossings.volts * np.float64(crossings.current[i, j])
        most_word = max(most_word, total)
    for j in columns:
        total = crossings.on_columns[t, j]
        for i in rows:
            total += crossings.volts * np.float64(crossings.current[i, j])
        most_bit = max(most_bit, total)
    return most_word, most_bit


@kernel
def give_one_by_one(crossings, given, s, rows, columns, t, u):
    """Book a block that is repeated cell by cell."""
    for i in rows:
        given.row_drives[s, i] += columns.size
        for j in columns:
            one = crossings.volts * np.float64(crossings.current[i, j])
            given.word[s, t, u] = max(given.word[s, t, u], crossings.on_rows[i, u] + one)
            given.bit[s, t, u] = max(given.bit[s, t, u], crossings.on_columns[t, j] + one)
    for j in columns:
        given.column_drives[s, j] += rows.size


@kernel
def give_block(crossings, given, s, rows, columns, t, u):
    """Give a block of rows and columns in one tile; return the number of repeated cells, 0 within the limit."""
    if rows.size == 0 or columns.size == 0:
        return 0
    word, bit = largest_currents(crossings, rows, columns, t, u)
    if max(word, bit) > crossings.limit and rows.size * columns.size > 1:
        give_one_by_one(crossings, given, s, rows, columns, t, u)
        return rows.size * columns.size
    given.word[s, t, u] = max(given.word[s, t, u], word)
    given.bit[s, t, u] = max(given.bit[s, t, u], bit)
    return 0


@inlined
def block(on, tile, turn, at_once):
    """Return the lines of a tile that are driven in a turn."""
    start = on.first[tile] + turn * at_once
    return on.lines[min(start, on.first[tile + 1]) : min(start + at_once, on.first[tile + 1])]


@kernel
def train_slots(trains, crossings, given):
    """Give coinciding trains in blocks of at most `at_once` rows and columns of a tile, and write to `given` what that takes.

    A block above the limit in any tile is refused and repeated cell by cell.
    """
    at_once = crossings.at_once
    for s in range(trains.rows.shape[0]):
        rows = lines_on(trains.rows[s], trains.row_tiles, trains.shape[0])
        columns = lines_on(trains.columns[s], trains.column_tiles, trains.shape[1])
        down, across = turns(rows, at_once), turns(columns, at_once)
        for k in range(rows.first[-1]):
            given.row_drives[s, rows.lines[k]] = across
        for k in range(columns.first[-1]):
            given.column_drives[s, columns.lines[k]] = down
        given.slots[s] = down * across
        for turn in range(down * across):
            repeats = 0
            for t in range(trains.shape[0]):
                i = block(rows, t, turn // across, at_once)
                for u in range(trains.shape[1]):
                    j = block(columns, u, turn % across, at_once)
                    repeats = max(repeats, give_block(crossings, given, s, i, j, t, u))
            if repeats > 0:
                given.refused[s] += 1
                given.slots[s] += repeats
