r"""A crossbar of differential pairs: signed weights on conductances.

.. math:: i_j = \sum_i v_i \sum_p (G^+_{ijp} - G^-_{ijp}), \qquad W_{ij} = \sum_p (G^+_{ijp} - G^-_{ijp})/G_{unit},
          \qquad G_{unit} = N (G_{max} - G_{min})\sqrt{n_{rows}}/k

A weight is one pair, or N pairs that are read in parallel and written in turn (`hardware_models.crossbar.turns`). G+ and G- of
all its pairs are neighbouring columns of one physical array (rows, 2 N columns), which meet before the converter. Every operation
returns the `Events` it caused. The crossbar knows no learning and no converters. It checks what it is asked, names the stream of
random numbers, and leaves the rest to its `Cells` and to the ways of reading and writing them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from hardware_models import pins
from hardware_models.check import UsageError, counted, in_range, positive_int
from hardware_models.crossbar import reading, row_reads, writing
from hardware_models.crossbar.access import Access
from hardware_models.crossbar.cells import Cells
from hardware_models.crossbar.given import Taken, take
from hardware_models.crossbar.line_noise import NO_LINE_NOISE, LineNoise
from hardware_models.crossbar.line_watch import LineLimit
from hardware_models.crossbar.renewal import renew_spent
from hardware_models.crossbar.turns import BURST, DOWN, UP, Turns
from hardware_models.devices.adapted import adapted
from hardware_models.devices.base import Device
from hardware_models.devices.state import CellState
from hardware_models.events import Events
from hardware_models.kernels import pulses as kernels
from hardware_models.kernels.listed import count_cells
from hardware_models.kernels.random import normal
from hardware_models.keys import Key
from hardware_models.tiles import Tiling
from hardware_models.wires import Interconnect

FEW = 0.25
"""Share of the cells below which a burst visits only those that get pulses; the results are the same."""


class Crossbar:
    """One logical array of pairs of `device`, fabricated from `key`.

    Parameters
    ----------
    device : Device
        What stands at each crossing.
    shape : (rows, columns)
        Word lines and weights per word line; there are 2 N columns bit lines.
    key : Key
        Fabrication; also the stream of operations that are called without a key.
    tile : (rows, columns)
        Largest number of cells on a side of one physical tile.
    weight_range : float
        k: the largest weight is k/sqrt(rows).
    noise : LineNoise
        Johnson and shot noise of the lines, beside the device's own read noise; by default none.
    wires : Interconnect, optional
        Resistance of the wires, and how it is followed; default: ideal wires.
    limit : LineLimit, optional
        What a line of the array bears; see `hardware_models.crossbar.groups`. Default: any current.
    access_transistor : bool
        Whether lines see each cell in series with the `r_access` of its device; see `hardware_models.crossbar.access`.
    single_ended : bool
        Whether only the first cell of each pair is pulsed; the second one is its reference. By default both are.
    pairs : int
        N, the pairs of cells of a weight.

    Raises
    ------
    UsageError
        For a shape, tile, range or number of pairs that makes no array.
    """

    def __init__(
        self,
        device: Device,
        shape: tuple[int, int],
        *,
        key: Key,
        tile: tuple[int, int] = (256, 256),
        weight_range: float = 4.0,
        noise: LineNoise = NO_LINE_NOISE,
        wires: Interconnect | None = None,
        limit: LineLimit | None = None,
        access_transistor: bool = False,
        single_ended: bool = False,
        pairs: int = 1,
    ) -> None:
        self.device = adapted(device)
        rows, columns = (positive_int("a crossbar", "its shape", n) for n in shape)
        self._turns = Turns(pairs)
        if rows * columns * pairs >= 2**31:
            raise UsageError(
                f"a crossbar of {rows} x {columns * pairs} pairs is too large, at most 2^31 cells on an array."
            )
        self.shape = (rows, columns)
        self.tiling = Tiling.of_weights(rows, columns, tile, pairs)
        self.key = key
        k = in_range("a crossbar", "weight_range", weight_range, 1e-6, 1e6)
        self.g_unit = pairs * self.device.g_range * math.sqrt(rows) / k  # [S] per unit of weight
        self.weight_limit = k / math.sqrt(rows)
        self.weight_step = self.weight_limit / (self.device.states * pairs)  # nominal change of W by one device pulse
        self._operations = 0
        self._one_sided = {"both": 0, "up": 1, "down": -1}[self.device.polarities]
        self._single_ended = single_ended
        if single_ended:
            if self._one_sided:
                raise UsageError(
                    f"device {self.device.name} has pulses of one sign only, so that a weight needs both cells of a pair."
                )
            self.weight_limit *= 0.5  # from the middle of the range one cell reaches half of what a pair does
        # Cells that get no pulse need not be visited, if the device can and if nothing else happens to them.
        alone = not self._one_sided and not self.device.timed and not single_ended
        self._few = alone and self.device.pulses_some
        self._writes = 0  # since fabrication; one-sided pairs are looked after by it
        access = Access.of(self.device, access_transistor)
        self.cells = Cells(self.device, self.tiling, key.child("fabricate"), noise, wires, limit, access)

    def __repr__(self) -> str:
        rows, columns = self.shape
        tiles = self.tiling.row_tiles * self.tiling.column_tiles
        cut = f"{counted(tiles, 'tile')} of at most {self.tiling.tile_rows} x {self.tiling.tile_columns} cells"
        pairs = columns * self.tiling.pairs
        return f"<Crossbar of device '{self.device.name}': {rows} x {pairs} pairs in {cut}>"

    # --- looking (for the bench and the tests; a chip decides who may) ---

    @property
    def time(self) -> float:
        """Clock of the chip [s]."""
        return self.cells.time

    @time.setter
    def time(self, seconds: float) -> None:
        self.cells.time = seconds

    @property
    def state(self) -> CellState:
        """State of the cells, arrays (rows, bit lines)."""
        return self.cells.state

    @property
    def received(self) -> np.ndarray:
        """Pulses of both polarities that each cell has received since fabrication, (rows, bit lines) int32."""
        return self.cells.received

    @property
    def conductances(self) -> np.ndarray:
        """G+ and G- as (2, rows, N columns) [S], the N pairs of a weight side by side."""
        g = self.cells.present()
        return np.stack((g[:, 0::2], g[:, 1::2]))

    @property
    def differences(self) -> np.ndarray:
        """G+ - G- of each weight as lines see it, (rows, columns) float32 [S], the matrix of a read; kept until a write."""
        return self.cells.differences

    @property
    def weights(self) -> np.ndarray:
        """Weights W as lines see them, (rows, columns) float32."""
        return self.differences / np.float32(self.g_unit)

    @property
    def row_sums(self) -> np.ndarray:
        """G+ + G- summed over each word line, (rows,) float64 [S]; a copy."""
        self.cells.look_again()
        return self.cells.row_sums.copy()

    def take(self, conductances: ArrayLike, what: str = "the array") -> Taken:
        """Set the cells to conductances (2, rows, N columns) or (rows, bit lines) [S]; see `crossbar.given.take`."""
        return take(self.cells, conductances, what)

    def lay_wires(self, interconnect: Interconnect) -> None:
        """Give the tiles wires with resistance from now on; what is saved then has their state."""
        self.cells.lay_wires(interconnect)

    def wire_tracking(self) -> dict[str, float | None]:
        """Return the counts and errors of `hardware_models.crossbar.wired.Wired.tracking`; {} without wires."""
        return {} if self.cells.wired is None else self.cells.wired.tracking()

    # --- reading ---

    def partial_currents(self, voltages: np.ndarray) -> tuple[np.ndarray, Events]:
        """Return the noiseless currents of each row tile, or group of rows, (T, B, columns) [A], for voltages (B, rows) [V].

        Signed voltages take two phases, one for each sign; a read of one sign takes one.
        """
        return reading.partial_currents(self.cells, pins.finite("voltages", voltages, (None, self.shape[0])))

    def noise_deviation(self, voltages: np.ndarray) -> np.ndarray | None:
        """Return the standard deviation of the currents' white noise, (T, B, 1 or columns) [A], None without noise."""
        return reading.noise_deviation(self.cells, voltages)

    def noise_map(self) -> tuple[np.ndarray, float]:
        """Return the weights' variance of one read in units of a number [S²], and the number; see `Cells.noise_map`."""
        return self.cells.noise_map()

    def read(self, voltages: np.ndarray, *, key: Key | None = None) -> tuple[np.ndarray, Events]:
        """Return the currents (B, columns) [A] for voltages (B, rows) [V], with read noise, tiles summed."""
        refused, _ = reading.settle(self.cells, pins.finite("voltages", voltages, (None, self.shape[0])))
        partial, events = self.partial_currents(voltages)
        events = refused + events
        sigma = self.noise_deviation(voltages)
        if sigma is not None:
            noise = normal(partial.shape, self._next(key, "read"))
            partial = partial + sigma * noise
        self.cells.time += events.integrals["time"]
        self.cells.disturbed(np.count_nonzero(voltages, axis=0))
        return partial.sum(axis=0), events

    def read_rows(self, rows: np.ndarray, volts: np.ndarray, *, joined: bool = False) -> row_reads.RowReads:
        """Return the currents of word lines `rows` (N,), driven at `volts` (N,) [V] one by one, before their noise is drawn."""
        rows = pins.lines("word lines", rows, self.shape[0])
        seen = row_reads.read_rows(self.cells, rows, np.asarray(volts, np.float32), joined=joined)
        self.cells.time += seen.events.integrals["time"]
        self.cells.disturbed(np.bincount(rows, minlength=self.shape[0]))
        return seen

    def disturbed(self, reads: np.ndarray) -> None:
        """Let reads of each word line, (rows,), do to the cells what reads of their device do."""
        self.cells.disturbed(reads)

    def read_transposed(self, voltages: np.ndarray, *, key: Key | None = None) -> tuple[np.ndarray, Events]:
        """Return the currents (B, rows) [A] for voltages (B, columns) [V] on the bit-line pairs (G- driven inversely)."""
        v = pins.finite("voltages", voltages, (None, self.shape[1]))
        refused, _ = reading.settle_transposed(self.cells, v)
        current, sigma, events = reading.transposed_currents(self.cells, v)
        events = refused + events
        if sigma is not None:
            noise = normal(current.shape, self._next(key, "read_transposed"))
            current = current + (sigma * noise).astype(np.float32)
        self.cells.time += events.integrals["time"]
        self.cells.disturbed(np.full(self.shape[0], 2 * len(v)))
        return current, events

    # --- writing ---

    def pulse(
        self, counts: np.ndarray, *, key: Key | None = None, window: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Events:
        """Give each weight a signed number of device pulses, addressed row by row; + raises W.

        counts int32 (rows, columns), or of the window's shape. +n raises G+ by one half and lowers G- by the other;
        which of the two gets the odd pulse alternates over the array and from call to call. Where the device's pulses have one
        sign only (`polarities`), all n go to the device of the pair that can follow. Of weights of several pairs, the pair whose
        turn it is gets all of them.
        """
        counts = self._planned(counts, window)
        pair, parity = self._turns.next(BURST)
        return self._pulse(self._turns.to_one(counts, pair), parity, key)

    def _planned(self, counts: np.ndarray, window: tuple[np.ndarray, np.ndarray] | None = None) -> np.ndarray:
        """Return checked numbers of pulses of every weight, (rows, columns) int32."""
        shape = self.shape if window is None else tuple(len(lines) for lines in window)
        counts = pins.pulse_numbers(counts, shape)
        if window is not None:
            # Addressed pulses are as slow as the wires anyway: a window is written into an empty plan.
            plan = np.zeros(self.shape, np.int32)
            plan[np.ix_(*window)] = counts
            counts = plan
        return counts

    def _pulse(self, counts: np.ndarray, parity: int, key: Key | None) -> Events:
        """Give each pair its signed number of pulses, (rows, pairs on a word line) int32."""
        if self._few and self.cells.sees_stored:
            number = np.empty(self.shape[0], np.int64)
            count_cells(counts, number)
            if int(number.sum()) < FEW * 2 * counts.size:
                written = self.cells.pulse_few(counts, number, parity, self._next(key, "pulse"))
                return writing.booked(self.cells, written)
        pulses = np.empty((self.shape[0], self.tiling.bit_lines), np.int32)
        if self._one_sided:
            kernels.split_one_sided(counts, self._one_sided, pulses)
        elif self._single_ended:
            pulses[:, 0::2], pulses[:, 1::2] = counts, 0
        else:
            kernels.split_pairs(counts, parity, pulses)
        events = writing.burst(self.cells, pulses, self._next(key, "pulse"))
        return events + self._look_after_pairs(key)

    def turn_over(self) -> None:
        """Turn over the chequerboard of `pulse`; for callers whose calls alternate in sign as the chequerboard does."""
        self._turns.turn_over()

    def _look_after_pairs(self, key: Key | None) -> Events:
        """Refresh one-sided pairs after every `refresh_every` writes, if the device can be renewed."""
        every = self.device.refresh_every
        if not self._one_sided or not every:
            return Events()
        self._writes += 1
        return self.refresh(key=key) if self._writes % every < 1.0 else Events()

    def refresh(self, *, key: Key | None = None) -> Events:
        """Renew pairs of a one-sided device that have used up their range, and program their difference again.

        See `hardware_models.crossbar.renewal.renew_spent`. UsageError if the device cannot be renewed.
        """
        if not self._one_sided or not self.device.renews:
            raise UsageError(
                f"device {self.device.name} cannot be refreshed: its pulses have both signs, or it has no renewal."
            )
        return renew_spent(self.cells, self._one_sided, self._next(key, "refresh"))

    def program(self, weights: np.ndarray, *, key: Key | None = None) -> Events:
        """Ask for weights (rows, columns), open loop: pulses for the difference from the nominal fresh pair, unverified.

        The pairs of a weight share the pulses.
        """
        wanted = pins.finite("weights", weights, self.shape, np.float64)
        counts = np.rint(np.clip(wanted, -self.weight_limit, self.weight_limit) / self.weight_step)
        counts = self._planned(counts.astype(np.int32))
        return self._pulse(self._turns.to_all(counts), self._turns.whole(), self._next(key, "program"))

    def fire(self, rows: np.ndarray, columns: np.ndarray, sign: int, *, key: Key | None = None) -> Events:
        """Apply coinciding pulse trains: rows (slots, rows) and columns (slots, columns) of 0/1, one polarity a call.

        A weight whose row and column are both on in a slot moves by one device pulse of `sign`; calls alternate between
        the two devices of the pairs, and calls of one sign go through the pairs of the weights. The cost goes with the number of
        active rows times active columns.
        """
        r, c = pins.train("row trains", rows, self.shape[0]), pins.train("column trains", columns, self.shape[1])
        sign = pins.polarity(sign)
        if len(r) != len(c):
            raise UsageError(f"trains of rows and columns should have as many slots, got {len(r)} and {len(c)}.")
        pair, side = self._turns.next(UP if sign > 0 else DOWN)
        polarity = sign if side == 0 else -sign
        if self._one_sided:
            side, polarity = int(sign != self._one_sided), self._one_sided
        elif self._single_ended:
            side, polarity = 0, sign
        events = writing.fire(self.cells, r, self._turns.to_one(c, pair), side, polarity, self._next(key, "fire"))
        return events + self._look_after_pairs(key)

    def wait(self, seconds: float, *, key: Key | None = None) -> Events:
        """Let the chip's clock run for `seconds`; devices that drift or leak do so."""
        seconds = pins.seconds(seconds)
        self.device.wait(self.state, seconds, self._next(key, "wait"))
        self.cells.time += seconds
        self.cells.changed_unseen()
        return Events({}, {"time": seconds})

    def _next(self, key: Key | None, purpose: str) -> Key:
        if key is not None:
            return key.child(purpose)
        self._operations += 1
        return self.key.child(purpose).at(self._operations)

    # --- state ---

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return everything that `restore` needs, as plain arrays; a run saves every epoch, and so checks its sums.

        Without `copy` the arrays (rows, bit lines) are those of the cells.
        """
        self.cells.check_conductances()
        self.cells.check_sums()
        own = (self.time, self._operations, self._turns.parities[0], self._writes, self.cells.seen_at)
        return {"crossbar": np.array(own, np.float64)} | self._turns.save() | self.cells.save(copy=copy)

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        time, operations, parity, *later = (float(x) for x in saved["crossbar"])
        self._operations = int(operations)
        self._turns.restore(saved, int(parity))
        self._writes = int(later[0]) if later else 0  # earlier states have none
        self.cells.restore(saved, time, later[1] if len(later) > 1 else time)
