"""The watch over the currents in the lines of one array: reads in both directions, bursts and pulse trains.

All currents are those of ideal wires, v G, where G is that of a cell in series with its access transistor if it has one. They are
an upper bound where wires have resistance (`hardware_models.wires`), because the voltage that drops along them is missing at the
cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from hardware_models.check import UsageError, in_range
from hardware_models.crossbar.access import NO_ACCESS, Access
from hardware_models.crossbar.groups import ROUNDING, Lines, Woven
from hardware_models.crossbar.pulse_currents import PulseCurrents
from hardware_models.crossbar.read_watch import ReadWatch
from hardware_models.crossbar.write_watch import WriteWatch
from hardware_models.devices.base import BaseDevice
from hardware_models.tiles import Tiling


class LineLimit(NamedTuple):
    """Current that a line of the array bears, and the way to keep it."""

    current: float  # [A]
    margin: float = 1.0  # factor by which currents stay below the limit while groups are sought
    joined: bool = False  # whether the currents of row tiles add on one line (analog partial sums)

    def check(self, device: BaseDevice, access: Access = NO_ACCESS) -> None:
        """Raise UsageError for a limit that makes no sense, or that a single cell of the device, behind `access`, exceeds."""
        in_range("a chip", "line_current", self.current, 0.0, 1e3, "A", low_open=True)
        in_range("a chip", "current_margin", self.margin, 1.0, 100.0)
        most = access.conductance(device.g_max)
        pulses = PulseCurrents(device, most)
        drawn = [("pulse", *pair) for pair in zip(pulses.volts, pulses.nominal, strict=True)]
        for what, volts, current in (("read", device.v_read, device.v_read * most), *drawn):
            if current > self.current * (1.0 + ROUNDING):
                raise UsageError(
                    f"a cell of device '{device.name}' draws {current:.3g} A in a {what} at {volts:g} V, and a line "
                    f"bears {self.current:.3g} A, so no group of lines is small enough: choose a device that conducts less, or a "
                    "technology with wider lines."
                )


class LineWatch:
    """The watches of one array of `tiling` with cells of `device`; see `ReadWatch` and `WriteWatch`."""

    def __init__(self, device: BaseDevice, tiling: Tiling, limit: LineLimit, access: Access = NO_ACCESS) -> None:
        limit.check(device, access)
        words, bits = Lines(tiling.rows, tiling.tile_rows), Lines(tiling.bit_lines, tiling.tile_columns, tiling.unit)
        most, full = access.conductance(device.g_max), device.v_read
        current, margin, cell = limit.current, limit.margin, full * most
        self.limit = limit
        self.forwards = ReadWatch(
            words, bits, current, margin, cell=cell, full=full, joined=limit.joined, stranded=True
        )  # fmt: skip
        self.backwards = ReadWatch(bits, words, current, margin, cell=cell, full=full)
        self.scans = ReadWatch(words, bits, current, margin, cell=cell, full=full)  # row by row, at full scale
        self._ordered: tuple[Woven, np.ndarray, np.ndarray] | None = None
        self.writes = WriteWatch(device, tiling, current, margin, g_max=most)

    def forget(self) -> None:
        """Forget what follows from conductances that have changed since."""
        for reads in (self.forwards, self.backwards, self.scans):
            reads.forget()
        self._ordered = None

    def ordered(self, blocks: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return panels of columns (panels, rows, width) with the rows group by group; kept until a write or other groups."""
        woven = self.forwards.woven
        if self._ordered is None or self._ordered[0] is not woven:
            one, other = (np.take(a, woven.order, axis=1) if a.size else a for a in (blocks, variance))
            self._ordered = woven, one, other
        return self._ordered[1:]

    def fix(self) -> None:
        """End the search for groups: from now on a read or write may use up the margin before it is repeated."""
        for watch in (self.forwards, self.backwards, self.scans, self.writes):
            watch.fix()

    def scan(self, g: np.ndarray) -> int:
        """Return the reads, one after the other, that look at every cell row by row; see `ReadWatch.scan`."""
        reads = self.scans.scan(g)
        if self.forwards.fixed:
            self.scans.fix()
        return reads

    @property
    def added_lines(self) -> int:
        """Word lines that the division of constant rows adds, over all tiles."""
        tiles = self.forwards.collecting.tiles
        return int((self.forwards.strands - 1).sum()) * tiles

    def report(self) -> dict[str, object]:
        """Return groups, repetitions, and the largest currents of each tile [A], as plain values."""
        stages = enumerate(("calibration", "run"))
        return {
            "limit_ampere": self.limit.current,
            "margin": self.limit.margin,
            "read": self.forwards.report(),
            "transposed_read": _turned(self.backwards.report()) if self.backwards.marks[1] else None,
            "write": self.writes.report(),
            "added_word_lines": self.added_lines,
            "ampere": {
                stage: {
                    "read_word_lines": self._most(n, 0).tolist(),
                    "read_bit_lines": self._most(n, 1).tolist(),
                    "write_word_lines": self.writes.peaks[n, 0].tolist(),
                    "write_bit_lines": self.writes.peaks[n, 1].tolist(),
                }
                for n, stage in stages
            },
        }

    def _most(self, stage: int, lines: int) -> np.ndarray:
        """Return the largest currents of word lines (0) or bit lines (1) in all reads, by tile [A]."""
        turned = self.backwards.peaks[stage, 1 - lines].T
        most: np.ndarray = np.maximum(
            np.maximum(self.forwards.peaks[stage, lines], turned), self.scans.peaks[stage, lines]
        )
        return most

    def save(self) -> dict[str, np.ndarray]:
        """Return the state as arrays."""
        return {
            f"{part}.{name}": value for part, watch in self._parts().items() for name, value in watch.save().items()
        }

    def restore(self, saved: Mapping[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        for part, watch in self._parts().items():
            start = f"{part}."
            watch.restore({name[len(start) :]: value for name, value in saved.items() if name.startswith(start)})

    def _parts(self) -> dict[str, ReadWatch | WriteWatch]:
        return {
            "forwards": self.forwards, "backwards": self.backwards, "scans": self.scans, "writes": self.writes
        }  # fmt: skip


def _turned(found: dict[str, int]) -> dict[str, int]:
    """Return the report of a transposed read with the names of the array: its driven lines are columns."""
    return {
        "row_groups": found["column_groups"],
        "column_groups": found["row_groups"],
        "repeated_in_calibration": found["repeated_in_calibration"],
        "repeated": found["repeated"],
    }
