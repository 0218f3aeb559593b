"""Coinciding pulse trains in blocks of rows and columns, whose lines carry no more than they bear."""

from typing import NamedTuple

import numpy as np

from hardware_models.kernels.compile import inlined, kernel


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
    alike: bool  # True: all crossings draw the same, and there are no half-selected cells, so that all lines of a block are alike


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
    looked_rows, looked_columns = (rows[:1], columns[:1]) if crossings.alike else (rows, columns)
    for i in looked_rows:
        total = crossings.on_rows[i, u]
        for j in columns:
            total += crossings.volts * np.float64(crossings.current[i, j])
        most_word = max(most_word, total)
    for j in looked_columns:
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
