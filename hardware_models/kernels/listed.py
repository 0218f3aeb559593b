"""Loops over the pulsed cells of a burst alone: listing them, and following what an array keeps of its cells.

Lists go row by row, so that rows are worked off side by side; of a burst on few cells no loop looks at the others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.compile import kernel, parallel_kernel
from hardware_models.kernels.pulses import counted
from hardware_models.kernels.seen import through


class Listed(NamedTuple):
    """The pulsed cells of a burst, row by row: row i has the entries first[i] to first[i + 1]."""

    first: np.ndarray  # (rows + 1,) int64
    where: np.ndarray  # flat positions, ascending, int64
    pulses: np.ndarray  # signed pulses of each, int32
    before: np.ndarray  # its conductance before the burst [S], float32
    after: np.ndarray  # and after it [S], float32


class Kept(NamedTuple):
    """Quantities that an array keeps of its cells and changes with them."""

    g: np.ndarray  # conductances after the burst, (rows, bit lines) float32 [S]
    received: np.ndarray  # pulses of both polarities so far, (rows, bit lines) int32
    blocks: np.ndarray  # G+ - G- by panels of columns, (panels, rows, width) float32 [S]
    row_sums: np.ndarray  # sums of g over each row, (rows,) float64 [S]
    resistance: np.float32  # of the access transistors, 0 for none [Ohm]
    tile_columns: int  # bit lines of a tile


class Sums(NamedTuple):
    """The sums of `write_sums`."""

    conductance: np.ndarray  # (rows, 4) float64
    slots: np.ndarray  # (rows, column tiles, 2) int64


@parallel_kernel
def count_cells(counts, cells):
    """Write to `cells` the number of pulsed cells of each row if `split_pairs` splits the signed counts (rows, columns).

    The number is negative where a count is -2^31, whose opposite is no int32.
    """
    for i in prange(counts.shape[0]):
        number = 0
        for j in range(counts.shape[1]):
            n = counts[i, j]
            # A single device pulse goes to one cell of the pair; two or more pulses are shared by both.
            number += min(abs(n), np.int32(2))
        cells[i] = number


@kernel
def places_of(counts, places):
    """Write the places of the counts that differ from zero, and return their number; `places` holds one entry more than counts.

    There is no branch, because no processor could predict it.
    """
    number = 0
    for j in range(counts.size):
        places[number] = j
        number += np.int64(counts[j] != 0)
    return number


@kernel
def list_row(counts, odd, memory, where, pulses):
    """List the pulsed cells of one row as their places on it and their pulses.

    odd : 1 where the smaller half of a weight's pulses goes to G+ in column 0, else 0. memory : see `list_rows`.
    """
    places, line, number = memory
    place = 0
    for a in range(places_of(counts, places)):
        j = places[a]
        n = counts[j]
        half = n >> 1
        rest = n - half
        minor = np.int32((j + odd) & 1)
        plus = rest + minor * (half - rest)
        line[place], number[place] = 2 * j, plus  # written over by the next one if it has no pulses
        place += np.int64(plus != 0)
        line[place], number[place] = 2 * j + 1, plus - n
        place += np.int64(plus != n)
    for a in range(where.size):
        where[a] = line[a]
    for a in range(where.size):
        pulses[a] = number[a]


@kernel
def list_rows(top, bottom, counts, parity, g, listed):
    """Do `list_cells` for the rows from `top` to before `bottom`."""
    first, where, pulses, before, _ = listed
    columns = counts.shape[1]
    memory = (np.empty(columns + 1, np.int64), np.empty(2 * columns + 1, np.int64), np.empty(2 * columns + 1, np.int32))
    for i in range(top, bottom):
        start, stop = first[i], first[i + 1]
        if start < stop:
            list_row(counts[i], (i + parity) % 2, memory, where[start:stop], pulses[start:stop])
            for a in range(start, stop):
                before[a] = g[i, where[a]]
            for a in range(start, stop):
                where[a] += i * g.shape[1]


ROWS = 8
"""Rows that a thread works off together: arrays for their pulsed cells are made once."""
LINE = 16
"""Numbers of 4 bytes on a line of memory."""
SPARSE = 64
"""Cells of which at least one is pulsed where whole rows are fetched; below this density, single lines are."""


@kernel
def fetch_rows(array, top, bottom, seen):
    """Look at one number of each line of memory of some rows, in order.

    A processor fetches lines ahead that are asked for in order, and then fetches five times as many a second as it does where
    every tenth cell is asked for. What was looked at is summed in `seen` (1,), so that no compiler leaves it out.
    """
    even, odd = 0.0, 0.0  # two sums, because one would be waited for
    for i in range(top, bottom):
        for j in range(0, array.shape[1] - LINE, 2 * LINE):
            even += array[i, j]
            odd += array[i, j + LINE]
    seen[0] += even + odd


@parallel_kernel
def list_cells(counts, parity, g, listed):
    """List the pulsed cells of signed counts (rows, columns), split as by `split_pairs`, with their conductances before."""
    rows = counts.shape[0]
    for q in prange((rows + ROWS - 1) // ROWS):
        list_rows(q * ROWS, min(q * ROWS + ROWS, rows), counts, parity, g, listed)


@kernel
def keep_row(i, line, pulses, after, kept):
    """Change what is kept of the cells at some places of row i, and write their conductances to `after`."""
    g, received, blocks, _, _, _ = kept  # outside of the loop: taking an array from a tuple counts a reference
    width = blocks.shape[2]
    panel, left = 0, 0
    for a in range(line.size):
        j = line[a]
        after[a] = g[i, j]
        received[i, j] = counted(received[i, j], pulses[a])
        column = j >> 1
        while column >= left + width:  # places ascend: no division is needed
            panel, left = panel + 1, left + width
        blocks[panel, i, column - left] = g[i, 2 * column] - g[i, 2 * column + 1]


@kernel
def sum_row(line, pulses, before, after, tile_columns, sums, slots):
    """Write the sums of `write_sums` of one row to sums (4,) and slots (column tiles, 2)."""
    up_g, down_g, up_n, down_n = 0.0, 0.0, 0, 0
    for a in range(line.size):
        up, down = max(pulses[a], np.int32(0)), max(-pulses[a], np.int32(0))
        mean = np.float32(0.5) * (before[a] + after[a])
        up_g += up * mean
        down_g += down * mean
        up_n += up
        down_n += down
    sums[0], sums[1], sums[2], sums[3] = up_g, down_g, up_n, down_n
    a = 0
    for tile in range(slots.shape[0]):
        most, least, right = np.int32(0), np.int32(0), (tile + 1) * tile_columns
        while a < line.size and line[a] < right:
            most, least = max(most, pulses[a]), min(least, pulses[a])
            a += 1
        slots[tile, 0], slots[tile, 1] = most, -least


@kernel
def see_through(g, resistance):
    """Replace conductances by those in series with an access transistor; 0 Ohm leaves them as they are."""
    if resistance > np.float32(0.0):
        for a in range(g.size):
            g[a] = through(g[a], resistance)


@kernel
def follow_rows(top, bottom, listed, kept, sums):
    """Do `follow_cells` for the rows from `top` to before `bottom`."""
    for i in range(top, bottom):
        start, stop = listed.first[i], listed.first[i + 1]
        line, pulses = listed.where[start:stop] - i * kept.g.shape[1], listed.pulses[start:stop]
        before, after = listed.before[start:stop], listed.after[start:stop]
        keep_row(i, line, pulses, after, kept)
        change = 0.0
        for a in range(line.size):
            change += np.float64(after[a]) - np.float64(before[a])
        kept.row_sums[i] += change
        see_through(before, kept.resistance)
        see_through(after, kept.resistance)
        sum_row(line, pulses, before, after, kept.tile_columns, sums.conductance[i], sums.slots[i])


@parallel_kernel
def follow_cells(listed, kept, sums):
    """Change everything that is kept of the listed cells as they have changed, and write the sums of `write_sums`.

    `before` and `after` of the cells are then as the lines see them, behind access transistors.
    """
    rows = kept.g.shape[0]
    for q in prange((rows + ROWS - 1) // ROWS):
        follow_rows(q * ROWS, min(q * ROWS + ROWS, rows), listed, kept, sums)
