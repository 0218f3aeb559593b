"""The currents of writes, and the number of cells that are pulsed at once on a line so that they stay within the limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from hardware_models.check import RunError
from hardware_models.crossbar.groups import ROUNDING, cells_at_once
from hardware_models.crossbar.pulse_currents import PulseCurrents, Sums
from hardware_models.devices.base import BaseDevice
from hardware_models.kernels.slots import Array, Burst, Given, Slot, burst_slots
from hardware_models.kernels.train_blocks import Crossings, TrainGiven, Trains, train_slots
from hardware_models.tiles import Tiling


class Train(NamedTuple):
    """Coinciding trains as they are given, group by group."""

    rows: np.ndarray  # (rows,): how often each word line is driven in all slots
    columns: np.ndarray  # (columns,): how often each bit line is driven
    slots: int  # slots that the train takes


class WriteWatch:
    """Cells of a line that are pulsed at once, and the largest currents that flowed in writes.

    Parameters
    ----------
    device, tiling : what stands on the array, and how that is divided.
    limit, margin : what a line bears [A]; the factor that `fix` leaves between it and the currents seen.
    g_max : largest nominal conductance of a cell with its access transistor [S].
    """

    def __init__(self, device: BaseDevice, tiling: Tiling, limit: float, margin: float, *, g_max: float) -> None:
        self.tiling, self.limit, self.margin = tiling, limit, margin
        self._currents = PulseCurrents(device, g_max)
        self._volts = self._currents.volts
        self._half = 0.5 if device.access == "passive" else 0.0
        self._most = max(tiling.rows, tiling.bit_lines)
        nominal = self._currents.nominal
        self.cells = np.array([self._fitting(float(i)) for i in nominal])  # at once on a line, up and down
        self.drawn = np.zeros(
            (2, 2)
        )  # sum of the currents of pulsed cells [A], and their number, until `fix`; up and down
        self.peaks = np.zeros((2, 2, tiling.row_tiles, tiling.column_tiles))  # [A], as those of `ReadWatch`
        self.marks = np.zeros(3, np.int64)  # groups fixed, slots repeated while sought, repeated since

    @property
    def _now(self) -> int:
        return int(self.marks[0])

    def fix(self) -> None:
        """Set the cells at once by the mean current of a pulsed cell so far, and the margin.

        A slot above the limit is repeated cell by cell; where such slots are many, fewer cells are given at once.
        """
        for p, (current, number) in enumerate(self.drawn):
            if current > 0.0:
                self.cells[p] = max(1, self._fitting(self.margin * current / number))
        self.marks[0] = 1

    def _fitting(self, current: float) -> int:
        return cells_at_once(self.limit, current, self._most)

    def burst(
        self, first: np.ndarray, where: np.ndarray, pulses: np.ndarray, most: np.ndarray, sums: Sums | None
    ) -> np.ndarray:
        """Return the slots (rows, U, 2) int64 of a burst that is addressed row by row, the repeated ones among them.

        Row i has the entries first[i] to first[i + 1] of flat positions `where`, signed pulses, and the larger conductance before
        and after [S]; `sums` are those of a passive array.
        """
        cut = self.tiling
        shape = cut.rows, cut.column_tiles
        slots, refused = np.zeros((*shape, 2), np.int64), np.zeros((cut.rows, 2), np.int64)
        word, bit, cell = np.zeros(shape), np.zeros(shape), np.zeros((cut.rows, 2))
        most, sums = self._currents.of(most, pulses > 0), self._currents.beside(sums, cut)
        on_rows, on_columns = (np.zeros((1, 1)), np.zeros((1, 1))) if sums is None else sums
        burst_slots(
            Burst(first, where, pulses, most),
            Slot(self._volts, self.cells, self.limit * (1.0 + ROUNDING), self._half),
            Array(cut.tile_rows, cut.tile_columns, cut.rows, cut.bit_lines, on_rows, on_columns),
            Given(slots, refused, word, bit, cell),
        )
        self._check(float(cell.max(initial=0.0)))
        tops = [a for a, _ in cut.row_cuts]
        self._enter(np.maximum.reduceat(word, tops, axis=0), np.maximum.reduceat(bit, tops, axis=0))
        for p, sign in enumerate((1, -1)):
            if not self._now:
                mine = np.maximum(sign * pulses, 0)
                self.drawn[p] += self._volts[p] * float(mine @ most), int(mine.sum())
            repeated = int(refused[:, p].sum())
            self._count(p, repeated, int(slots[:, :, p].sum()) - repeated * int(self.cells[p]), int(self.cells[p]))
        return slots

    def train(
        self, r: np.ndarray, c: np.ndarray, place: tuple[np.ndarray, np.ndarray], most: np.ndarray, polarity: int,
        sums: Sums | None,
    ) -> Train:  # fmt: skip
        """Return trains r (slots, rows) and c (slots, columns) of bool as they are given to one side of the pairs.

        place : rows and bit lines that are ever on; most : larger conductance where they cross, before and after [S]. In a slot,
        blocks of rows and columns take turns, in all tiles at once.
        """
        rows, lines = place
        cut, p = self.tiling, 0 if polarity > 0 else 1
        shape, slots, at_once = (cut.row_tiles, cut.column_tiles), len(r), int(self.cells[p])
        trains = np.ascontiguousarray(r[:, rows]), np.ascontiguousarray(c[:, lines // 2])
        given = TrainGiven(
            np.zeros(slots, np.int64), np.zeros(slots, np.int64), np.zeros(trains[0].shape, np.int64),
            np.zeros(trains[1].shape, np.int64), np.zeros((slots, *shape)), np.zeros((slots, *shape)),
        )  # fmt: skip
        most, sums = self._currents.of(most, polarity > 0), self._currents.beside(sums, cut)
        half = self._half * self._volts[p]
        alike = self._currents.gate is not None and sums is None
        on_rows = np.zeros((len(rows), shape[1])) if sums is None else half * sums[0][rows]
        on_columns = np.zeros((shape[0], len(lines))) if sums is None else half * sums[1][:, lines]
        train_slots(
            Trains(*trains, rows // cut.tile_rows, lines // cut.tile_columns, shape),
            Crossings(most, self._volts[p] - half, on_rows, on_columns, at_once, self.limit * (1.0 + ROUNDING), alike),
            given,
        )
        self._check(float(max(given.word.max(initial=0.0), given.bit.max(initial=0.0))))
        self._enter(given.word.max(axis=0), given.bit.max(axis=0))
        self._count(p, int(given.refused.sum()), int((given.slots - given.refused * at_once**2).sum()), at_once**2)
        times = np.zeros(r.shape[1], np.int64), np.zeros(c.shape[1], np.int64)
        times[0][rows], times[1][lines // 2] = given.row_drives.sum(axis=0), given.column_drives.sum(axis=0)
        return Train(*times, int(given.slots.sum()))

    def _count(self, p: int, refused: int, slots: int, cells: int) -> None:
        """Count refused slots of `cells` cells among `slots`; give fewer cells at once where that costs less."""
        self.marks[1 + self._now] += refused
        at_once = int(self.cells[p])
        if refused and refused * cells * (at_once - 1) > slots:
            self.cells[p] = at_once - 1

    def _check(self, current: float) -> None:
        """Raise RunError if the current of one cell, with the half-selected cells of its line, is above the limit."""
        if current > self.limit * (1.0 + ROUNDING):
            half = ", with the half-selected cells of its line," if self._half else ""
            fewer = "smaller tiles, " if self._half else ""
            raise RunError(
                f"a pulse on one cell{half} drives {current:.3g} A through a line that bears {self.limit:.3g} A: no group is "
                f"smaller; choose {fewer}a device that conducts less, or a technology with wider lines."
            )

    def _enter(self, word: np.ndarray, bit: np.ndarray) -> None:
        peaks = self.peaks[self._now]
        np.maximum(peaks[0], word, out=peaks[0])
        np.maximum(peaks[1], bit, out=peaks[1])

    # --- report and state ---

    def report(self) -> dict[str, int]:
        """Return the cells at once and the repeated slots as plain numbers."""
        up, down = (int(n) for n in self.cells)
        return {
            "cells_at_once_up": up,
            "cells_at_once_down": down,
            "repeated_in_calibration": int(self.marks[1]),
            "repeated": int(self.marks[2]),
        }

    def save(self) -> dict[str, np.ndarray]:
        """Return the state as arrays."""
        return {
            "cells": self.cells.copy(), "drawn": self.drawn.copy(), "peaks": self.peaks.copy(), "marks": self.marks.copy()
        }  # fmt: skip

    def restore(self, saved: Mapping[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        for name, array in self.save().items():
            np.copyto(getattr(self, name), saved[name].astype(array.dtype))
