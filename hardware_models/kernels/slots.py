"""The slots of a burst that is addressed row by row, where a line bears no more than some current.

Cells of a word line are pulsed together, so many at once as are planned. A slot above the limit is refused by the driver and
repeated cell by cell. Slots in which the same cells are pulsed are alike and are booked together: the work goes with the number
of different counts on a line, not with their size.
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
def least_pulses_of(pulses, place, least):
    """Return the smallest number of pulses of one polarity that is at least `least`, where some cell gets so many."""
    found = np.int64(2**31)
    for a in range(place.start, place.stop):
        n = np.int64(of_polarity(pulses[a], place.polarity))
        found = min(found, n if n >= least else found)
    return found


@kernel
def end_of_tile(where, start, end, beyond):
    """Return the entry behind those that lie before position `beyond`; the entries from `start` end at `end`."""
    stop = start
    while stop < end and where[stop] < beyond:
        stop += 1
    return stop


@kernel
def close_slot(given, place, times, limit, count, total, largest):
    """Book slots of `count` cells with `total` on the word line; above the limit each is repeated cell by cell."""
    i, t, p = place.row, place.tile, place.polarity
    given.slots[i, t, p] += times
    if total > limit and count > 1:
        given.refused[i, p] += times
        given.slots[i, t, p] += times * count
        total = largest
    given.word[i, t] = max(given.word[i, t], total)


@kernel
def give_slots(where, pulses, most, slot, array, given, place, least, times):
    """Give `times` pulses to the cells of a place that get at least `least`, at most `slot.cells` of them at once."""
    i, t, start, stop, p = place
    volts, at_once, passive = slot.volts[p], slot.cells[p], slot.half > 0.0
    base = slot.half * volts * array.on_rows[i, t] if passive else 0.0
    count, total, largest, cell, bit = 0, base, 0.0, given.cell[i, p], given.bit[i, t]
    for a in range(start, stop):
        if of_polarity(pulses[a], p) >= least:
            column = 0.0
            if passive:
                column = slot.half * volts * array.on_columns[i // array.tile_rows, where[a] - i * array.columns]
            added = volts * np.float64(most[a]) * (1.0 - slot.half)
            cell, bit = max(cell, max(base, column) + added), max(bit, column + added)
            largest = max(largest, base + added)
            count += 1
            total += added
        if count == at_once or (a == stop - 1 and count > 0):
            close_slot(given, place, times, slot.limit, count, total, largest)
            count, total, largest = 0, base, 0.0
    given.cell[i, p], given.bit[i, t] = cell, bit


FEW = 8
"""Pulses that are given one by one: looking for alike slots would take as long."""


@inlined
def give_place(where, pulses, most, slot, array, given, place):
    """Give the cells of a place all their pulses; slots in which the same cells are pulsed are booked together."""
    done, last = np.int64(0), np.int64(most_pulses_of(pulses, place))
    while done < last:
        now = done + 1 if last - done <= FEW else least_pulses_of(pulses, place, done + 1)
        give_slots(where, pulses, most, slot, array, given, place, now, now - done)
        done = now


@parallel_kernel
def burst_slots(burst, slot, array, given):
    """Give a burst with at most `slot.cells` cells of a word line pulsed at once, and write to `given` what flows.

    A slot above the limit is refused by the driver and repeated cell by cell, which takes one slot more for each of its cells.
    """
    first, where, pulses, most = burst  # outside of the loop: taking an array from a tuple counts a reference
    for row in prange(array.rows):
        i = np.int64(row)  # an unsigned index would compile every kernel that is called here a second time
        start, end, left = first[i], first[i + 1], i * array.columns
        while start < end:
            t = (where[start] - left) // array.tile_columns
            stop = end_of_tile(where, start, end, left + min((t + 1) * array.tile_columns, array.columns))
            for p in range(2):
                give_place(where, pulses, most, slot, array, given, Place(i, t, start, stop, p))
            start = stop
