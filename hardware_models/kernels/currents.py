r"""Currents in the lines of an array: sums of conductance by groups of lines, and the currents of bursts.

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


class Sets(NamedTuple):
    """Sets of groups of driven lines that are on at once; set s has the groups groups[first[s]] to groups[first[s + 1]]."""

    groups: np.ndarray  # int64
    first: np.ndarray  # (sets + 1,) int64
    row: np.ndarray  # row of the peaks that each set belongs to, (sets,) int64


class Loads(NamedTuple):
    """Conductances of driven lines, and what bounds the currents that they send into collecting lines."""

    g: np.ndarray  # (n, m) float32 [S]
    borders: np.ndarray  # group d has the lines borders[d] to borders[d + 1], int64
    mean: np.ndarray  # from `group_sums`, (n, U) float32 [S]
    spread: np.ndarray  # (D, U) float32 [S]
    width: int  # collecting lines of a tile


class Search(NamedTuple):
    """Conditions of a search for the largest currents."""

    limit: float  # current that a line bears [A]
    fixed: (
        bool  # whether groups are fixed: then currents below the limit count only where they may be the largest so far
    )
    slack: float  # factor on a bound that is computed in float32, so that it is one for the exact current


@kernel
def lengths_of(part, found):
    """Write the length of each row of a matrix."""
    for b in range(part.shape[0]):
        even, odd, last = (
            np.float32(0.0),
            np.float32(0.0),
            part.shape[1] - 1,
        )  # two sums, because one would be waited for
        for i in range(0, last, 2):
            even += part[b, i] * part[b, i]
            odd += part[b, i + 1] * part[b, i + 1]
        if last % 2 == 0:
            even += part[b, last] * part[b, last]
        found[b] = np.sqrt(even + odd)


@kernel
def bounds_of(v, loads, groups, slack):
    """Return the bound of the currents of each sample in each tile, (B, U) float32 [A], while some groups are on."""
    _, borders, mean, spread, _ = loads
    samples, tiles = v.shape[0], mean.shape[1]
    bound, term = np.zeros((samples, tiles), np.float32), np.empty((samples, tiles), np.float32)
    length = np.empty(samples, np.float32)
    for d in groups:
        part = np.ascontiguousarray(v[:, borders[d] : borders[d + 1]])
        np.dot(part, mean[borders[d] : borders[d + 1]], term)
        lengths_of(part, length)
        for b in range(samples):
            for u in range(tiles):
                bound[b, u] += term[b, u] + length[b] * spread[d, u]
    for b in range(samples):
        for u in range(tiles):
            bound[b, u] *= np.float32(slack)
    return bound


@kernel
def largest_current(v, loads, groups, tile):
    """Return the largest current of a tile's collecting lines [A] for one sample v (n,), while some groups are on."""
    g = loads.g
    left, right = tile * loads.width, min((tile + 1) * loads.width, g.shape[1])
    currents = np.zeros(right - left, np.float32)
    for d in groups:
        for i in range(loads.borders[d], loads.borders[d + 1]):
            if v[i] != np.float32(0.0):
                for j in range(left, right):
                    currents[j - left] += v[i] * g[i, j]
    return currents.max()


@kernel
def look_at_set(v, loads, groups, search, known):
    """Enter the largest currents of one set of groups into known (U,) [A], and return the largest of those computed.

    The most promising sample comes first: it spares most of the others.
    """
    bound, largest = bounds_of(v, loads, groups, search.slack), 0.0
    for t in range(known.size):
        most = bound[:, t].max()
        if most > known[t]:
            for promising in range(2):
                least = known[t] if promising == 0 or not search.fixed else max(known[t], search.limit)
                for b in range(v.shape[0]):
                    if bound[b, t] > least and (bound[b, t] == most or promising == 1):
                        current = np.float64(largest_current(v[b], loads, groups, t))
                        known[t], largest = max(known[t], current), max(largest, current)
    return largest


@parallel_kernel
def collecting_currents(v, loads, sets, search, peaks, largest):
    """Enter the largest currents of collecting lines for voltages v (B, n) into peaks (rows, U) [A].

    largest (rows,) [A] <- the largest current computed for the sets of each row. A sample whose bound is above the limit is
    computed. Of the others only the most promising one is, to know what flows, and only if its bound is above what has been seen
    on the tile; until groups are fixed all such samples are.
    """
    groups, first, row = sets
    for r in prange(peaks.shape[0]):
        for s in range(row.size):
            if row[s] == r:
                found = look_at_set(v, loads, groups[first[s] : first[s + 1]], search, peaks[r])
                largest[r] = max(largest[r], found)


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
    for row in prange(array.rows):
        i = np.int64(row)  # an unsigned index would compile every kernel that is called here a second time
        start, end = burst.first[i], burst.first[i + 1]
        while start < end:
            t = burst.where[start] % array.columns // array.tile_columns
            stop = end_of_tile(burst.where, start, end, array.columns, array.tile_columns)
            for p in range(2):
                place = Place(i, t, start, stop, p)
                for s in range(1, most_pulses_of(burst.pulses, place) + 1):
                    give_slot(burst, slot, array, given, place, s)
            start = stop
