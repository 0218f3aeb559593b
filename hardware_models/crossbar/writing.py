"""The ways to write cells: bursts that are addressed row by row, and coinciding pulse trains.

Each way pulses the device, reports to `Cells` what has changed, moves the clock on and returns the events.
"""

from __future__ import annotations

import numpy as np

from hardware_models.crossbar import write_costs
from hardware_models.crossbar.cells import Cells, Written
from hardware_models.crossbar.write_watch import Train
from hardware_models.events import Events
from hardware_models.kernels import windows
from hardware_models.keys import Key


def burst(cells: Cells, pulses: np.ndarray, key: Key) -> Events:
    """Apply pulses (rows, bit lines) int32."""
    if cells.lines is not None:
        cells.look_again()  # cells that drift are half-selected as they are now
    before = cells.present().copy()
    cells.device.pulse_at(cells.time, cells.state, pulses, key)
    return booked(cells, cells.changed_everywhere(before, pulses))


def booked(cells: Cells, written: Written) -> Events:
    """Return the events of a burst that the cells have followed, and move the clock on by its time."""
    events = write_costs.priced(cells.device, cells.tiling, *written)
    cells.time += events.integrals["time"]
    return events


def fire(cells: Cells, r: np.ndarray, c: np.ndarray, side: int, polarity: int, key: Key) -> Events:
    """Apply coinciding trains of bool, r (slots, rows) and c (slots, columns), to one side of the pairs: 0 is G+, 1 is G-."""
    driven = r.sum(axis=0, dtype=np.int32), c.sum(axis=0, dtype=np.int32)
    rows, columns = np.flatnonzero(driven[0]), np.flatnonzero(driven[1])
    shape = cells.tiling.rows, cells.tiling.bit_lines // 2
    if rows.size and columns.size:
        pulses = np.empty((rows.size, columns.size), np.int32)
        slots = np.flatnonzero(c.any(axis=1))
        windows.coincidences(r.view(np.uint8), c.view(np.uint8), slots, rows, columns, np.int32(polarity), pulses)
        hits = abs(int(pulses.sum()))
        given, mean_sum, half = _coincide(
            cells, (r, c), Train(*driven, len(r)), (rows, 2 * columns + side), pulses, key
        )
        on_lines = int(given.rows.sum()), int(given.columns.sum())
        events = write_costs.train(cells.device, shape, mean_sum, hits, *on_lines, given.slots, polarity, half)
    else:
        half, on_lines = _half_selected(cells, *driven, side, 0.0), (int(driven[0].sum()), int(driven[1].sum()))
        events = write_costs.train(cells.device, shape, 0.0, 0, *on_lines, len(r), polarity, half)
    cells.time += events.integrals["time"]
    return events


def _coincide(
    cells: Cells, trains: tuple[np.ndarray, np.ndarray], at_once: Train, place: tuple[np.ndarray, np.ndarray],
    pulses: np.ndarray, key: Key,
) -> tuple[Train, float, float]:  # fmt: skip
    """Pulse the crossings of `place` = (rows, bit lines); return the trains as given, and two sums of G [S].

    at_once : the trains as they are given to lines that bear any current. The sums are those over selected and over
    half-selected cells.
    """
    side = int(place[1][0]) & 1
    if cells.priced_by_device:
        cells.device.pulse_at(cells.time, cells.state, pulses, key, place)
        unseen = np.zeros(pulses.shape, np.float32)
        given = cells.train(trains, at_once, place, unseen, unseen, 1 if pulses.max() > 0 else -1)
        cells.changed_unseen_in_window(*place, pulses)
        return given, 0.0, 0.0
    before = cells.crossings(*place)
    cells.device.pulse_at(cells.time, cells.state, pulses, key, place)
    after = cells.crossings(*place)
    through, beyond = cells.access.conductance(before), cells.access.conductance(after)
    sums = np.empty(len(pulses))
    windows.selected(pulses, through, beyond, sums)
    mean_sum = float(sums.sum())
    given = cells.train(trains, at_once, place, through, beyond, 1 if pulses.max() > 0 else -1)
    half = _half_selected(cells, given.rows, given.columns, side, mean_sum)  # sums of before
    cells.changed_in_window(windows.Window(*place, pulses, before, after))
    return given, mean_sum, 0.5 * (half + _half_selected(cells, given.rows, given.columns, side, mean_sum))


def _half_selected(cells: Cells, rows: np.ndarray, columns: np.ndarray, side: int, selected: float) -> float:
    """Return sum of n G over half-selected cells [S]: on a driven line, but not at a crossing of two.

    rows, columns : how often each line is driven.
    rows (G 1) + columns (G^T 1) - 2 selected, from the running sums.
    """
    if cells.lines is None:
        return 0.0
    bit_lines = np.arange(side, cells.tiling.bit_lines, 2)
    on_rows = float(rows.astype(np.float64) @ cells.row_sums)
    return on_rows + float(columns.astype(np.float64) @ cells.lines.whole(bit_lines)) - 2.0 * selected
