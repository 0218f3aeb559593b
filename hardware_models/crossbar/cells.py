"""The cells of one array, and everything that is computed from them and kept.

Reads need the differences G+ - G-, the sums of each word line and the variances of the noise; they are kept, because an array
is read far more often than it is written. Who changes cells reports what has changed, in the narrowest of four ways:
`changed_everywhere`, `changed_in_window`, `changed_listed` or, if only the device can tell, `look`. Everything that is kept is
brought into step here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from hardware_models.check import DeviceRangeError, RunError
from hardware_models.crossbar.divided import Divided
from hardware_models.crossbar.line_noise import NO_LINE_NOISE, LineNoise, between
from hardware_models.crossbar.line_sums import LineSums
from hardware_models.crossbar.line_watch import LineLimit, LineWatch
from hardware_models.crossbar.wired import Wired
from hardware_models.crossbar.write_watch import Train
from hardware_models.devices.base import BaseDevice
from hardware_models.devices.state import CellState, remade
from hardware_models.kernels import pulses as kernels
from hardware_models.kernels.reads import column_panels
from hardware_models.keys import Key
from hardware_models.pins import MOST_PULSES
from hardware_models.tiles import Tiling
from hardware_models.user_contract import unmasked
from hardware_models.wires import Interconnect


class Written(NamedTuple):
    """A burst that was addressed row by row, as far as its price depends on it."""

    sums: np.ndarray  # (rows, 4): sum of n (g + g')/2 [S] up and down, number of pulses up and down
    slots: np.ndarray  # (rows, column tiles, 2) int64: slots of each row in each tile, up and down
    half: (
        tuple[int, np.ndarray] | None
    )  # half-selected cells, and their sum of G [S] by polarity; None behind transistors


class Listed(NamedTuple):
    """Some cells of an array, row by row: row i has the entries first[i] to first[i + 1]."""

    first: np.ndarray  # (rows + 1,) int64
    where: np.ndarray  # flat positions, int64
    pulses: np.ndarray  # pulses of each, int32


class Cells(Divided):
    """The cells of `device` on one array of `tiling`, fabricated from `key`, with the clock that they live by.

    Parameters
    ----------
    device : BaseDevice
        What stands at each crossing.
    tiling : Tiling
        Size of the array, and its division into tiles.
    key : Key
        Fabrication.
    noise : LineNoise
        What physics adds to the device's own read noise.
    interconnect : Interconnect, optional
        The wires of the tiles; default: ideal wires.
    limit : LineLimit, optional
        What a line bears; reads and writes are then made in groups of lines. Default: any current.
    """

    def __init__(
        self, device: BaseDevice, tiling: Tiling, key: Key, noise: LineNoise = NO_LINE_NOISE,
        interconnect: Interconnect | None = None, limit: LineLimit | None = None,
    ) -> None:  # fmt: skip
        self.device, self.tiling, self.noise = device, tiling, noise.for_device(device)
        rows, bit_lines = tiling.rows, tiling.bit_lines
        self.time = 0.0  # chip clock [s]
        self.state: CellState = device.fabricate((rows, bit_lines), key)
        unmasked(f"the state of device '{device.name}'", list(self.state), RunError)
        self.received = np.zeros((rows, bit_lines), np.int32)  # pulses of both polarities since fabrication
        panels, self._width = column_panels(bit_lines // 2)
        self.blocks = np.empty((panels, rows, self._width), np.float32)  # G+ - G- [S] by panels of columns
        self.row_sums = np.empty(rows)  # G+ + G- over each word line [S]
        # Only passive arrays have half-selected cells; the lines' sums price them without a look at each.
        self.lines = LineSums(tiling) if device.access == "passive" else None
        self.wired = Wired(tiling, interconnect) if interconnect is not None else None
        self._matrix = np.empty(0)  # what reads see of each cell behind the wires, (rows, bit lines) [S]
        self._behind_wires = self.wired is None  # whether blocks and sums of drawn currents are those behind the wires
        self.drawn = self.row_sums if self.wired is None else np.empty(rows)
        """Sum over each word line of what its cells draw per volt, (rows,) [S]."""
        self.watch = None if limit is None else LineWatch(device, tiling, limit)
        self.seen_at = 0.0  # clock when the differences were last computed [s]
        self._whole: np.ndarray | None = None
        self._noise: tuple[np.ndarray, float] | None = None
        self._bit_lines: np.ndarray | None = None
        self.look()

    # --- what a read sees ---

    def present(self) -> np.ndarray:
        """Return the conductances now, (rows, bit lines) [S]; raise RunError for another shape, which kernels cannot read."""
        g = self.device.conductance(self.state, self.time)
        unmasked(f"the conductance of device '{self.device.name}'", g, RunError)
        if np.shape(g) != self.received.shape or g.dtype.kind != "f":
            raise RunError(
                f"conductance of device '{self.device.name}' should return {self.received.shape} real numbers, it returned "
                f"{np.shape(g)} of {getattr(g, 'dtype', type(g).__name__)}."
            )
        return g

    def variance(self) -> np.ndarray | float:
        """Return the variance of one read now [S²], one number or one a cell."""
        variance = self.device.read_variance(self.state, self.time)
        unmasked(f"the read_variance of device '{self.device.name}'", variance, RunError)
        return variance

    @property
    def differences(self) -> np.ndarray:
        """G+ - G- (rows, columns) float32 [S], the matrix of a read; a copy, kept until something is written."""
        self._follow_wires()
        if self._whole is None:
            self._whole = np.concatenate(list(self.blocks), axis=1)[:, : self.tiling.bit_lines // 2]
        return self._whole

    def noise_map(self) -> tuple[np.ndarray, float]:
        """Return the pairs' variance of one read, like `blocks`, float32 in units of a number [S²], and the number.

        The array is empty if the variance is the same for all pairs; the number is 0 without noise. Kept until something
        is written.
        """
        self._follow_wires()
        if self._noise is None:
            variance = self.read_variance()
            if np.ndim(variance) == 0:
                self._noise = np.empty((0, 0, 0), np.float32), 2.0 * float(variance)
            else:
                # Scaled by the range, so that squares of siemens do not leave float32's normal numbers.
                unit = self.device.g_range**2
                pairs = np.empty_like(self.blocks)
                scaled = np.ascontiguousarray(variance * np.float32(1.0 / unit), np.float32)
                kernels.pair_sums(scaled, np.float32(1.0), pairs, np.empty(self.tiling.rows))
                self._noise = pairs, unit
        return self._noise

    def read_variance(self) -> np.ndarray | float:
        """Return the variance of one read of each cell as its line sees it [S²], (rows, bit lines) or one number for all."""
        self._follow_wires()
        variance = self.variance()
        return variance * np.square(self.wired.shares) if self.wired is not None and np.any(variance) else variance

    def bit_line_sums(self) -> np.ndarray:
        """Return the conductance of each bit line of each row tile that is noisy, (T, bit lines) float64 [S]; kept until a write.

        It is the sum of G; behind wires, see `hardware_models.crossbar.line_noise`.
        """
        self._follow_wires()
        if self._bit_lines is None:
            cuts = self.tiling.row_cuts
            every = [np.stack([m[a:b].sum(axis=0, dtype=np.float64) for a, b in cuts]) for m in self._both_matrices()]
            self._bit_lines = between(*every)
        return self._bit_lines

    def word_line_sums(self) -> np.ndarray:
        """Return the conductance of each word line that is noisy, (rows,) float64 [S], in the same way.

        A cell counts once for each group of bit lines that a transposed read reads in its tile.
        """
        reads = self.reads_of_bit_lines
        return between(*((m * reads).sum(axis=1, dtype=np.float64) for m in self._both_matrices()))

    def _both_matrices(self) -> list[np.ndarray]:
        """Return G and, behind wires, T (rows, bit lines) [S]."""
        return [self.present(), *([self.seen()] if self.wired is not None else [])]

    @property
    def aged(self) -> bool:
        """True if cells that change in time may have done so since they were last looked at."""
        return self.seen_at != self.time and self.device.timed

    def look_again(self) -> None:
        """Compute anew what is kept, if the device changes in time and the clock has moved since the last time."""
        if self.aged:
            self.look()
        self._follow_wires()

    def seen(self) -> np.ndarray:
        """Return the conductance of each cell as reads see it, (rows, bit lines) [S]: behind wires, its entry of their matrix."""
        self._follow_wires()
        return self.present() if self.wired is None else self._matrix

    def lay_wires(self, interconnect: Interconnect) -> None:
        """See the cells behind wires from now on."""
        self.wired = Wired(self.tiling, interconnect)
        self.drawn = np.empty(self.tiling.rows)
        self.look()

    def watch_wires(self, v: np.ndarray) -> None:
        """Count a read and, from time to time, hold the currents of an input v (rows,) [V] against those of exact wires."""
        if self.wired is not None and self.wired.due() and self.wired.off(self.present(), v):
            self._behind_wires = False
            self._follow_wires()

    def _follow_wires(self) -> None:
        """Compute what reads see behind the wires, if cells have changed since the last time."""
        if self.wired is None or self._behind_wires:
            return
        self._matrix = self.wired.matrix(np.ascontiguousarray(self.present(), np.float32))
        kernels.pair_sums(self._matrix, np.float32(-1.0), self.blocks, self.drawn)
        self._forget()
        self._behind_wires = True

    def look(self) -> None:
        """Compute anew everything that is kept."""
        self.seen_at = self.time
        g = np.ascontiguousarray(self.present(), np.float32)
        kernels.pair_sums(g, np.float32(-1.0), self.blocks, self.row_sums)
        if self.lines is not None:
            self.lines.renew(g)
        self._forget()
        if not np.isfinite(self.row_sums).all():
            self.check_conductances()

    def _forget(self) -> None:
        self._whole = self._noise = self._bit_lines = None
        self._behind_wires = self.wired is None
        if self.watch is not None:
            self.watch.forget()

    # --- reports of those who write ---

    def changed_everywhere(self, before: np.ndarray, pulses: np.ndarray) -> Written:
        """Follow a burst that may have changed any cell; arrays (rows, bit lines)."""
        after = self.state.g
        sums, slots = kernels.write_sums(before, after, pulses, self.tiling.tile_columns)
        kernels.add_sizes(self.received, pulses)
        if self.watch is not None:
            where = np.flatnonzero(pulses)
            first = np.searchsorted(where, np.arange(len(pulses) + 1) * pulses.shape[1])
            most = np.maximum(before.reshape(-1)[where], after.reshape(-1)[where])
            slots = self.watch.writes.burst(first, where, pulses.reshape(-1)[where], most, self._sums())
        if self.lines is None:
            self.look()
            return Written(sums, slots, None)
        earlier, selected = self.lines.present(), self.lines.select(before, after, pulses)
        self.look()
        return Written(sums, slots, self.lines.half_selected(earlier, slots, selected))

    def changed_listed(self, cells: Listed, before: np.ndarray) -> Written:
        """Follow a burst on some cells, whose conductances were `before` [S], without a look at the others."""
        first, where, pulses = cells
        g, columns = self.state.g, self.tiling.tile_columns
        after = self.gathered(where)
        sums, slots = kernels.write_sums_some(first, where, pulses, before, after, g.shape[1], columns)
        kernels.follow_cells(first, where, pulses, before, after, g, self.received, self.blocks, self.row_sums)
        if self.watch is not None:
            slots = self.watch.writes.burst(first, where, pulses, np.maximum(before, after), self._sums())
        self._forget()
        if self.lines is None:
            return Written(sums, slots, None)
        earlier = self.lines.present()
        selected = self.lines.select_some(first, where, pulses, before, after)
        return Written(sums, slots, self.lines.half_selected(earlier, slots, selected))

    def changed_in_window(
        self, rows: np.ndarray, lines: np.ndarray, before: np.ndarray, after: np.ndarray, pulses: np.ndarray
    ) -> None:
        """Follow pulses where ascending `rows` and bit `lines` cross, all of them of one side of the pairs.

        before, after : (rows, lines) conductances [S]; pulses : their numbers.
        """
        place = np.ix_(rows, lines)
        self.received[place] = np.minimum(self.received[place].astype(np.int64) + np.abs(pulses), MOST_PULSES)
        if self.device.conductance(self.state, self.time) is not self.state.g:
            self.look()  # what a read sees is not the stored g alone: only the device can tell
            return
        change = after.astype(np.float64) - before
        self.row_sums[rows] += change.sum(axis=1)
        if self.lines is not None:
            self.lines.follow(rows, lines, change)
        other = self.state.g[np.ix_(rows, lines ^ 1)]  # the neighbours of the pairs
        panel, column = np.divmod(lines >> 1, self._width)
        self.blocks[panel, rows[:, None], column] = other - after if lines[0] & 1 else after - other
        self._forget()

    def _sums(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the sums along the lines of each tile that the watch over a write needs; None behind transistors."""
        return None if self.lines is None else (self.lines.rows, self.lines.columns)

    def train(
        self,
        trains: tuple[np.ndarray, np.ndarray],
        place: tuple[np.ndarray, np.ndarray],
        most: np.ndarray,
        polarity: int,
    ) -> Train:
        """Return coinciding trains as they are given: at once, or in groups of lines where these bear no more.

        trains : rows (slots, rows) and columns (slots, columns), bool; place, most : see `WriteWatch.train`.
        """
        if self.watch is None:
            return Train(*trains, len(trains[0]))
        return self.watch.writes.train(*trains, place, most, polarity, self._sums())

    def gathered(self, where: np.ndarray) -> np.ndarray:
        """Return the stored conductances at flat positions [S]."""
        g = np.empty(len(where), np.float32)
        kernels.gather(self.state.g.reshape(-1), where, g)
        return g

    # --- checks and state ---

    def check_sums(self) -> None:
        """Compare the running sums of conductances with sums over all cells; ArithmeticError if they have gone astray."""
        if self.aged:
            return  # cells that change by themselves are summed anew before they are read
        g = self.present()
        near = 1e-6 * self.device.g_max
        good = np.allclose(self.row_sums, g.sum(axis=1, dtype=np.float64), rtol=1e-6, atol=near)
        if not good or not (self.lines is None or self.lines.check(g, near)):
            raise ArithmeticError("the running sums of conductances differ from those over all cells.")

    def check_conductances(self) -> None:
        """Raise DeviceRangeError if a cell holds what is no conductance: not a number, below 0, or far above g_max.

        A device is examined before a run; what it does after thousands of pulses shows here, at every checkpoint. Cells may lie
        beyond g_max by their spread, a hundred times beyond it they cannot.
        """
        g, most = self.state.g, 100.0 * self.device.g_max
        if g.min() >= 0.0 and not np.isfinite(self.row_sums).all():
            g = self.present()  # the state is sound, and what the device makes of it is not
        if not (g.min() >= 0.0 and g.max() <= most):  # NaN is neither
            wrong = g[~((g >= 0.0) & (g <= most))].flat[0]
            raise DeviceRangeError(
                f"a cell of device '{self.device.name}' has a conductance of {wrong:g} S, which is none from 0 to {most:g} S "
                "(100 g_max): the device has left its range, and no figure of the run would mean anything"
            )

    def save(self) -> dict[str, np.ndarray]:
        """Return sums, pulses received and state, as plain arrays; the clocks `time` and `seen_at` are left to the caller."""
        # The row sums are running sums: their last bits depend on the order of the updates, so they are kept as they are.
        sums = {"row_sums": self.row_sums.copy()} | (self.lines.save() if self.lines is not None else {})
        if self.wired is not None:
            sums |= self.wired.save() | {"wires.in_step": np.array(self._behind_wires)}
        if self.watch is not None:
            sums |= {f"lines.{name}": array for name, array in self.watch.save().items()}
        return {**sums, "received": self.received.copy()} | {
            f"state.{name}": np.array(a) for name, a in zip(self.state._fields, self.state, strict=True)
        }

    def restore(self, saved: Mapping[str, np.ndarray], time: float, seen_at: float) -> None:
        """Restore a state returned by `save`, with the clocks of then [s]."""
        self.time = time
        self.state = remade(self.state, (np.array(saved[f"state.{name}"]) for name in self.state._fields))
        if self.wired is not None:
            self.wired.restore(saved)
        self.look()
        if self.wired is not None and saved.get("wires.in_step", False):
            self._follow_wires()
            self.wired.restore(saved)  # the counters, in which that solution stands already
        self.row_sums[:] = saved["row_sums"]
        if self.lines is not None:
            self.lines.restore(saved)
        if self.watch is not None:
            start = "lines."
            self.watch.restore({n.removeprefix(start): array for n, array in saved.items() if n.startswith(start)})
        # Sums of before the clock moved are still those of then: they are made anew before cells that age are read.
        self.seen_at = seen_at
        self.received[:] = saved.get("received", 0)  # earlier checkpoints have none
