r"""A crossbar of differential pairs: signed weights on conductances.

.. math:: i_j = \sum_i v_i (G^+_{ij} - G^-_{ij}), \qquad W_{ij} = (G^+_{ij} - G^-_{ij})/G_{unit},
          \qquad G_{unit} = (G_{max} - G_{min})\sqrt{n_{rows}}/k

G+ and G- of a weight are neighbouring columns of one physical array (rows, 2 columns). Every operation returns the
`Events` it caused. The crossbar knows no learning and no converters.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from hardware_models import pins, write_costs
from hardware_models.check import DeviceRangeError, RunError, UsageError, in_range, positive_int
from hardware_models.devices.adapted import adapted
from hardware_models.devices.base import Device
from hardware_models.devices.state import CellState, remade
from hardware_models.events import Events
from hardware_models.kernels import pulses as kernels
from hardware_models.kernels.products import matmul
from hardware_models.kernels.random import normal
from hardware_models.kernels.reads import column_panels
from hardware_models.keys import Key
from hardware_models.line_sums import LineSums
from hardware_models.tiles import Tiling

FEW = 0.1
"""Share of the cells below which a burst visits only those that get pulses; the results are the same."""
SomePulses = Callable[[CellState, np.ndarray, np.ndarray, Key], None]
"""`BaseDevice.pulse_some` of a device."""
_REFRESH_BITS = 8
"""Bits of the conversion of a pair that is refreshed."""


class Crossbar:
    """One logical array of pairs of `device`, fabricated from `key`.

    Parameters
    ----------
    device : Device
        What stands at each crossing.
    shape : (rows, columns)
        Word lines and weights per word line; there are 2 columns bit lines.
    key : Key
        Fabrication; also the stream of operations that are called without a key.
    tile : (rows, columns)
        Largest number of cells on a side of one physical tile.
    weight_range : float
        k: the largest weight is k/sqrt(rows).

    Raises
    ------
    UsageError
        For a shape, tile or range that makes no array.
    """

    def __init__(
        self,
        device: Device,
        shape: tuple[int, int],
        *,
        key: Key,
        tile: tuple[int, int] = (256, 256),
        weight_range: float = 4.0,
    ) -> None:
        self.device = adapted(device)
        rows, columns = (positive_int("a crossbar", "its shape", n) for n in shape)
        if rows * columns >= 2**31:
            raise UsageError(f"a crossbar of {rows} x {columns} pairs is too large, at most 2^31 cells on an array.")
        self.shape = (rows, columns)
        self.tiling = Tiling(rows, 2 * columns, *tile)
        self.key = key
        k = in_range("a crossbar", "weight_range", weight_range, 1e-6, 1e6)
        self.g_unit = self.device.g_range * math.sqrt(rows) / k  # [S] per unit of weight
        self.weight_limit = k / math.sqrt(rows)
        self.weight_step = self.weight_limit / self.device.states  # nominal change of W by one device pulse
        self.time = 0.0  # chip clock [s]
        self._seen_at = 0.0  # clock when the differences were last computed [s]
        self._operations = 0
        self._parity = 0
        self._one_sided = {"both": 0, "up": 1, "down": -1}[self.device.polarities]
        # Cells that get no pulse need not be visited, if the device can and if nothing else happens to them.
        alone = not self._one_sided and not self.device.timed
        self._few: SomePulses | None = self.device.pulse_some if alone and self.device.pulses_some else None
        self._writes = 0  # since fabrication; one-sided pairs are looked after by it
        self.state = self.device.fabricate((rows, 2 * columns), key.child("fabricate"))
        self.received = np.zeros((rows, 2 * columns), np.int32)  # pulses of both polarities since fabrication
        panels, self._width = column_panels(columns)
        self.blocks = np.empty((panels, rows, self._width), np.float32)  # G+ - G- [S] by panels of columns
        self._whole: np.ndarray | None = None
        self._row_sums = np.empty(rows)
        # Only passive arrays have half-selected cells; the lines' sums price them without a look at each.
        self._lines = LineSums(self.tiling) if self.device.access == "passive" else None
        self._noise: tuple[np.ndarray, float] | None = None
        self._refresh()

    # --- looking (for the bench and the tests; a chip decides who may) ---

    @property
    def conductances(self) -> np.ndarray:
        """G+ and G- as (2, rows, columns) [S]."""
        g = self._present()
        return np.stack((g[:, 0::2], g[:, 1::2]))

    @property
    def weights(self) -> np.ndarray:
        """Weights W = (G+ - G-)/G_unit, (rows, columns) float32."""
        return self.differences / np.float32(self.g_unit)

    @property
    def row_sums(self) -> np.ndarray:
        """G+ + G- summed over each word line, (rows,) float64 [S]; a copy."""
        self.look_again()
        return self._row_sums.copy()

    # --- reading ---

    def partial_currents(self, voltages: np.ndarray) -> tuple[np.ndarray, Events]:
        """Return the noiseless currents of each row tile, (T, B, columns) [A], for voltages (B, rows) [V].

        Signed voltages take two phases, one for each sign; a read of one sign takes one.
        """
        rows, columns = self.shape
        v = pins.finite("voltages", voltages, (None, rows))
        self.look_again()
        batch = v.shape[0]
        partial = np.empty((self.tiling.row_tiles, batch, columns), np.float32)
        difference = self.differences
        for t, (start, stop) in enumerate(self.tiling.row_cuts):
            matmul(v[:, start:stop], difference[start:stop], partial[t])
        phases = 2 if batch and float(v.min(initial=0.0)) < 0.0 < float(v.max(initial=0.0)) else 1
        return partial, self.read_events(np.square(v.astype(np.float64)).sum(axis=0), batch, phases)

    def noise_deviation(self, voltages: np.ndarray) -> np.ndarray | None:
        """Return the standard deviation of the currents' white noise, (T, B, 1 or columns) [A], None without noise.

        The pair adds both devices' variances: sigma_j² = sum_i v_i² (sigma²(G+_ij) + sigma²(G-_ij)).
        """
        pairs, common = self.noise_map()
        if common == 0.0:
            return None
        squares = np.square(np.asarray(voltages, np.float32))
        if not pairs.size:
            sums = [squares[:, a:b].sum(axis=1, dtype=np.float64)[:, None] for a, b in self.tiling.row_cuts]
        else:
            whole = np.concatenate(list(pairs), axis=1)[:, : self.shape[1]]
            sums = [matmul(squares[:, a:b], whole[a:b]) for a, b in self.tiling.row_cuts]
        return np.sqrt(common * np.stack(sums)).astype(np.float32)

    def noise_map(self) -> tuple[np.ndarray, float]:
        """Return the pairs' variance of one read, like `blocks`, float32 in units of a number [S²], and the number.

        The array is empty if the variance is the same for all pairs; the number is 0 without noise. Kept until something
        is written.
        """
        if self._noise is None:
            variance = self.device.read_variance(self.state, self.time)
            if np.ndim(variance) == 0:
                self._noise = np.empty((0, 0, 0), np.float32), 2.0 * float(variance)
            else:
                # Scaled by the range, so that squares of siemens do not leave float32's normal numbers.
                unit = self.device.g_range**2
                pairs = np.empty_like(self.blocks)
                scaled = np.ascontiguousarray(variance * np.float32(1.0 / unit), np.float32)
                kernels.pair_sums(scaled, np.float32(1.0), pairs, np.empty(self.shape[0]))
                self._noise = pairs, unit
        return self._noise

    @property
    def differences(self) -> np.ndarray:
        """G+ - G- (rows, columns) float32 [S], the matrix of a read; a copy, kept until something is written."""
        if self._whole is None:
            self._whole = np.concatenate(list(self.blocks), axis=1)[:, : self.shape[1]]
        return self._whole

    def read(self, voltages: np.ndarray, *, key: Key | None = None) -> tuple[np.ndarray, Events]:
        """Return the currents (B, columns) [A] for voltages (B, rows) [V], with read noise, tiles summed."""
        partial, events = self.partial_currents(voltages)
        sigma = self.noise_deviation(voltages)
        if sigma is not None:
            noise = normal(partial.shape, self._next(key, "read"))
            partial = partial + sigma * noise
        self.time += events.integrals["time"]
        return partial.sum(axis=0), events

    def read_transposed(self, voltages: np.ndarray, *, key: Key | None = None) -> tuple[np.ndarray, Events]:
        """Return the currents (B, rows) [A] for voltages (B, columns) [V] on the bit-line pairs (G- driven inversely)."""
        rows, columns = self.shape
        v = pins.finite("voltages", voltages, (None, columns))
        current = matmul(v, np.ascontiguousarray(self.differences.T))
        g = self._present()
        column_sums = (g[:, 0::2] + g[:, 1::2]).sum(axis=0, dtype=np.float64)
        squares = v.astype(np.float64) ** 2
        variance = self.device.read_variance(self.state, self.time)
        if np.ndim(variance) or variance:
            pairs = np.broadcast_to(variance, g.shape)
            per_cell = (pairs[:, 0::2] + pairs[:, 1::2]).astype(np.float64)
            noise = normal(current.shape, self._next(key, "read_transposed"))
            current = current + (np.sqrt(squares @ per_cell.T) * noise).astype(np.float32)
        seconds = 2 * v.shape[0] * self.device.t_read
        self.time += seconds
        # A signed pair drive is always two phases: G- sees the opposite sign of G+.
        counts = {
            "reads.transposed_cells": 2 * 2 * rows * columns * v.shape[0],
            "reads.transposed_columns": 2 * rows * self.tiling.column_tiles * v.shape[0],
            "integrator": rows * self.tiling.column_tiles * v.shape[0],
        }
        return current, Events(counts, {"read.v2g": float(squares.sum(axis=0) @ column_sums), "time": seconds})

    def read_events(self, squares: np.ndarray, batch: int, phases: int) -> Events:
        """Return the events of a read of `batch` samples; squares (rows,) float64: sum of v² over them [V²]."""
        rows, columns = self.shape
        tiles = self.tiling.row_tiles
        counts = {
            "reads.cells": phases * batch * rows * 2 * columns,
            "reads.columns": phases * batch * tiles * 2 * columns,
            "integrator": phases * batch * tiles * columns,
        }
        v2g = float(squares @ self._row_sums)
        return Events(counts, {"read.v2g": v2g, "time": phases * batch * self.device.t_read})

    # --- writing ---

    def pulse(
        self, counts: np.ndarray, *, key: Key | None = None, window: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Events:
        """Give each weight a signed number of device pulses, addressed row by row; + raises W.

        counts int32 (rows, columns), or of the window's shape. +n raises G+ by one half and lowers G- by the other;
        which of the two gets the odd pulse alternates over the array and from call to call. Where the device's pulses have one
        sign only (`polarities`), all n go to the device of the pair that can follow.
        """
        counts = pins.pulse_numbers(counts, self.shape if window is None else tuple(len(lines) for lines in window))
        if window is not None:
            # Addressed pulses are as slow as the wires anyway: a window is written into an empty plan.
            plan = np.zeros(self.shape, np.int32)
            plan[np.ix_(*window)] = counts
            counts = plan
        if self._few is not None:
            cells = np.empty(self.shape[0], np.int64)
            kernels.count_cells(counts, cells)
            if int(cells.sum()) < FEW * 2 * counts.size:
                return self._burst_some(self._few, counts, cells, self._next(key, "pulse"))
        pulses = np.empty((self.shape[0], 2 * self.shape[1]), np.int32)
        if self._one_sided:
            kernels.split_one_sided(counts, self._one_sided, pulses)
        else:
            kernels.split_pairs(counts, self._parity, pulses)
            self._parity ^= 1
        events = self._burst(pulses, self._next(key, "pulse"))
        return events + self._look_after_pairs(key)

    def turn_over(self) -> None:
        """Turn over the chequerboard of `pulse`; for callers whose calls alternate in sign as the chequerboard does."""
        self._parity ^= 1

    def _burst(self, pulses: np.ndarray, key: Key) -> Events:
        """Apply pulses (rows, 2 columns) addressed row by row."""
        if self._lines is not None:
            self.look_again()  # cells that drift are half-selected as they are now
        before = self._present().copy()
        self.device.pulse_at(self.time, self.state, pulses, key)
        return self._follow(before, pulses)

    def _follow(self, before: np.ndarray, pulses: np.ndarray) -> Events:
        """Book a burst that has changed the cells, arrays (rows, 2 columns), and look at all of them anew."""
        after = self.state.g
        sums, slots = kernels.write_sums(before, after, pulses, self.tiling.tile_columns)
        kernels.add_sizes(self.received, pulses)
        half = None
        if self._lines is not None:
            earlier, selected = self._lines.present(), self._lines.select(before, after, pulses)
        self._refresh()
        if self._lines is not None:
            half = self._lines.half_selected(earlier, slots, selected)
        events = write_costs.priced(self.device, self.tiling, sums, slots, half)
        self.time += events.integrals["time"]
        return events

    def _burst_some(self, few: SomePulses, counts: np.ndarray, cells: np.ndarray, key: Key) -> Events:
        """Do what `_burst` does where few cells get pulses (`cells`: how many in each row), without touching the others."""
        first = np.concatenate(([0], np.cumsum(cells)))
        where, pulses = np.empty(first[-1], np.int64), np.empty(first[-1], np.int32)
        kernels.list_cells(counts, self._parity, first, where, pulses)
        self._parity ^= 1
        g = self.state.g
        before, after = np.empty(len(where), np.float32), np.empty(len(where), np.float32)
        kernels.gather(g.reshape(-1), where, before)
        few(self.state, where, pulses, key)
        kernels.gather(g.reshape(-1), where, after)
        sums, slots = kernels.write_sums_some(first, where, pulses, before, after, g.shape[1], self.tiling.tile_columns)
        kernels.follow_cells(first, where, pulses, before, after, g, self.received, self.blocks, self._row_sums)
        self._whole = self._noise = None
        half = None
        if self._lines is not None:
            earlier = self._lines.present()
            selected = self._lines.select_some(first, where, pulses, before, after)
            half = self._lines.half_selected(earlier, slots, selected)
        events = write_costs.priced(self.device, self.tiling, sums, slots, half)
        self.time += events.integrals["time"]
        return events

    def _look_after_pairs(self, key: Key | None) -> Events:
        """Refresh one-sided pairs after every `refresh_every` writes, if the device can be renewed."""
        every = self.device.refresh_every
        if not self._one_sided or not every:
            return Events()
        self._writes += 1
        return self.refresh(key=key) if self._writes % every < 1.0 else Events()

    def refresh(self, *, key: Key | None = None) -> Events:
        """Renew pairs of a one-sided device that have used up their range, and program their difference again.

        Every cell is read once, row by row, and compared with a threshold (`refresh_share` of the range from the end
        that the pulses drive it to); of the pairs with a device beyond it both currents are converted (8 bit), both
        devices get one strong pulse to the other end (counted as one pulse each at its voltage), and the one that
        should be nearer the end is driven there by the nominal number of pulses.
        """
        d = self.device
        if not self._one_sided or not d.renews:
            raise UsageError(f"device {d.name} cannot be refreshed: its pulses have both signs, or it has no renewal.")
        key = self._next(key, "refresh")
        rows, columns = self.shape
        g = np.array(d.conductance(self.state, self.time), np.float64)
        square = d.v_read**2
        seconds = rows * d.t_read
        n = 2 * rows * columns
        counts = {"reads.cells": n, "reads.columns": n, "integrator": n, "comparator": n}
        events = Events(counts, {"read.v2g": square * float(g.sum()), "time": seconds})
        self.time += seconds
        deviation = np.sqrt(np.broadcast_to(d.read_variance(self.state, self.time), g.shape))
        seen = g + deviation * normal(g.shape, key.child("read"))
        left = seen - d.g_min if self._one_sided < 0 else d.g_max - seen
        spent = (left < d.refresh_share * d.g_range).reshape(rows, columns, 2).any(axis=2)
        if not spent.any():
            return events
        cells = np.repeat(spent, 2, axis=1)
        before = self._present().copy()
        d.renew_at(self.time, self.state, cells, key)
        events += Events({f"adc.{_REFRESH_BITS}": 2 * int(spent.sum())})
        renewed = np.where(cells, -self._one_sided, 0).astype(np.int32)
        strong = self._follow(before, renewed)
        steps = np.rint((seen[:, 0::2] - seen[:, 1::2]) / (d.g_range / d.states))
        wanted = np.where(spent, np.clip(steps, -d.states, d.states), 0).astype(np.int32)
        pulses = np.empty((rows, 2 * columns), np.int32)
        kernels.split_one_sided(wanted, self._one_sided, pulses)
        return events + strong + self._burst(pulses, key.child("program"))

    def program(self, weights: np.ndarray, *, key: Key | None = None) -> Events:
        """Ask for weights (rows, columns), open loop: pulses for the difference from the nominal fresh pair, unverified."""
        wanted = pins.finite("weights", weights, self.shape, np.float64)
        counts = np.rint(np.clip(wanted, -self.weight_limit, self.weight_limit) / self.weight_step)
        return self.pulse(counts.astype(np.int32), key=self._next(key, "program"))

    def fire(self, rows: np.ndarray, columns: np.ndarray, sign: int, *, key: Key | None = None) -> Events:
        """Apply coinciding pulse trains: rows (slots, rows) and columns (slots, columns) of 0/1, one polarity a call.

        A weight whose row and column are both on in a slot moves by one device pulse of `sign`; calls alternate between
        the two devices of the pairs. The cost goes with the number of active rows times active columns.
        """
        r, c = pins.train("row trains", rows, self.shape[0]), pins.train("column trains", columns, self.shape[1])
        sign = pins.polarity(sign)
        if len(r) != len(c):
            raise UsageError(f"trains of rows and columns should have as many slots, got {len(r)} and {len(c)}.")
        active_rows, active_columns = np.flatnonzero(r.any(axis=0)), np.flatnonzero(c.any(axis=0))
        if self._one_sided:
            side, polarity = int(sign != self._one_sided), self._one_sided
        else:
            side = self._parity
            self._parity ^= 1
            polarity = sign if side == 0 else -sign
        pulse_key = self._next(key, "fire")
        row_lines, column_lines = int(r.sum()), int(c.sum())
        if not active_rows.size or not active_columns.size:
            half = self._half_selected(r, c, 2 * np.arange(self.shape[1]) + side, 0.0)
            events = write_costs.train(self.device, self.shape, 0.0, 0, row_lines, column_lines, len(r), polarity, half)
            self.time += events.integrals["time"]
            return events + self._look_after_pairs(key)
        hits = r[:, active_rows].T.astype(np.float32) @ c[:, active_columns].astype(np.float32)
        pulses = (polarity * hits).astype(np.int32)
        place = (active_rows, 2 * active_columns + side)
        cells = np.ix_(*place)
        before = self._present()[cells]
        self.device.pulse_at(self.time, self.state, pulses, pulse_key, place)
        after = self._present()[cells]
        self.received[cells] = np.minimum(self.received[cells].astype(np.int64) + np.abs(pulses), pins.MOST_PULSES)
        mean_sum = float((np.abs(pulses) * 0.5 * (before.astype(np.float64) + after)).sum())
        half = self._half_selected(r, c, 2 * np.arange(self.shape[1]) + side, mean_sum)  # sums of before
        if self.device.conductance(self.state, self.time) is self.state.g:
            change = after.astype(np.float64) - before
            self._row_sums[active_rows] += change.sum(axis=1)
            if self._lines is not None:
                self._lines.follow(*place, change)
            other = self.state.g[np.ix_(active_rows, 2 * active_columns + 1 - side)]
            panel, column = np.divmod(active_columns, self._width)
            self.blocks[panel, active_rows[:, None], column] = after - other if side == 0 else other - after
            self._whole = self._noise = None
        else:  # what a read sees is not the stored g alone: only the device can tell
            self._refresh()
        half = 0.5 * (half + self._half_selected(r, c, 2 * np.arange(self.shape[1]) + side, mean_sum))
        events = write_costs.train(
            self.device, self.shape, mean_sum, int(hits.sum()), row_lines, column_lines, len(r), polarity, half
        )
        self.time += events.integrals["time"]
        return events + self._look_after_pairs(key)

    def _half_selected(self, r: np.ndarray, c: np.ndarray, lines: np.ndarray, selected: float) -> float:
        """Return sum of n G over half-selected cells [S]: on a driven line, but not at a crossing of two.

        rows (G 1) + columns (G^T 1) - 2 selected, from the running sums; `lines` are the bit lines of the columns.
        """
        if self._lines is None:
            return 0.0
        on_rows = float(r.sum(axis=0, dtype=np.float64) @ self._row_sums)
        return on_rows + float(c.sum(axis=0, dtype=np.float64) @ self._lines.whole(lines)) - 2.0 * selected

    def wait(self, seconds: float, *, key: Key | None = None) -> Events:
        """Let the chip's clock run for `seconds`; devices that drift or leak do so."""
        seconds = pins.seconds(seconds)
        self.device.wait(self.state, seconds, self._next(key, "wait"))
        self.time += seconds
        self._refresh()
        return Events({}, {"time": seconds})

    # --- state ---

    def _present(self) -> np.ndarray:
        """Return the conductances now, (rows, 2 columns) [S]; RunError for other shapes, which kernels would read beyond."""
        g = self.device.conductance(self.state, self.time)
        if np.shape(g) != self.received.shape or g.dtype.kind != "f":
            raise RunError(
                f"conductance of device '{self.device.name}' should return {self.received.shape} real numbers, it returned "
                f"{np.shape(g)} of {getattr(g, 'dtype', type(g).__name__)}."
            )
        return g

    def look_again(self) -> None:
        """Compute the differences anew if the device changes in time and the clock has moved since the last time."""
        if self._seen_at != self.time and self.device.timed:
            self._refresh()

    def _refresh(self) -> None:
        self._seen_at = self.time
        g = np.ascontiguousarray(self._present(), np.float32)
        kernels.pair_sums(g, np.float32(-1.0), self.blocks, self._row_sums)
        if self._lines is not None:
            self._lines.renew(g)
        self._whole = self._noise = None
        if not np.isfinite(self._row_sums).all():
            self.check_conductances()

    def check_sums(self) -> None:
        """Compare the running sums of conductances with sums over all cells; ArithmeticError if they have gone astray."""
        if self._seen_at != self.time and self.device.timed:
            return  # cells that change by themselves are summed anew before they are read
        g = self._present()
        near = 1e-6 * self.device.g_max
        good = np.allclose(self._row_sums, g.sum(axis=1, dtype=np.float64), rtol=1e-6, atol=near)
        if not good or not (self._lines is None or self._lines.check(g, near)):
            raise ArithmeticError("the running sums of conductances differ from those over all cells.")

    def _next(self, key: Key | None, purpose: str) -> Key:
        if key is not None:
            return key.child(purpose)
        self._operations += 1
        return self.key.child(purpose).at(self._operations)

    def check_conductances(self) -> None:
        """Raise DeviceRangeError if a cell holds what is no conductance: not a number, below 0, or far above g_max.

        A device is examined before a run; what it does after thousands of pulses shows here, at every checkpoint. Cells may lie
        beyond g_max by their spread, a hundred times beyond it they cannot.
        """
        g, most = self.state.g, 100.0 * self.device.g_max
        if g.min() >= 0.0 and not np.isfinite(self._row_sums).all():
            g = self._present()  # the state is sound, and what the device makes of it is not
        if not (g.min() >= 0.0 and g.max() <= most):  # NaN is neither
            wrong = g[~((g >= 0.0) & (g <= most))].flat[0]
            raise DeviceRangeError(
                f"a cell of device '{self.device.name}' has a conductance of {wrong:g} S, which is none from 0 to {most:g} S "
                "(100 g_max): the device has left its range, and no figure of the run would mean anything"
            )

    def save(self) -> dict[str, np.ndarray]:
        """Return everything that `restore` needs, as plain arrays; a run saves every epoch, and so checks its sums."""
        self.check_conductances()
        self.check_sums()
        own = np.array([self.time, self._operations, self._parity, self._writes, self._seen_at], np.float64)
        # The row sums are running sums: their last bits depend on the order of the updates, so they are kept as they are.
        sums = {"row_sums": self._row_sums.copy()} | (self._lines.save() if self._lines is not None else {})
        return {"crossbar": own, **sums, "received": self.received.copy()} | {
            f"state.{name}": np.array(a) for name, a in zip(self.state._fields, self.state, strict=True)
        }

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Take up the state that `save` returned."""
        time, operations, parity, *later = (float(x) for x in saved["crossbar"])
        self.time, self._operations, self._parity = time, int(operations), int(parity)
        self._writes = int(later[0]) if later else 0  # earlier states have none
        self.state = remade(self.state, (np.array(saved[f"state.{name}"]) for name in self.state._fields))
        self._refresh()
        self._row_sums[:] = saved["row_sums"]
        if self._lines is not None:
            self._lines.restore(saved)
        # Sums of before the clock moved are still those of then: they are made anew before cells that age are read.
        self._seen_at = later[1] if len(later) > 1 else time
        self.received[:] = saved.get("received", 0)  # earlier checkpoints have none
