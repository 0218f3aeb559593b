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
from hardware_models.crossbar.access import NO_ACCESS, Access
from hardware_models.crossbar.line_noise import NO_LINE_NOISE, LineNoise
from hardware_models.crossbar.line_sums import LineSums
from hardware_models.crossbar.line_watch import LineLimit, LineWatch
from hardware_models.crossbar.seen import Seen
from hardware_models.crossbar.wired import Wired
from hardware_models.crossbar.write_watch import Train
from hardware_models.devices.base import BaseDevice
from hardware_models.devices.state import CellState, remade
from hardware_models.kernels import pulses as kernels
from hardware_models.kernels import windows
from hardware_models.kernels.listed import Kept, Listed, Sums
from hardware_models.kernels.reads import column_panels
from hardware_models.keys import Key
from hardware_models.tiles import Tiling
from hardware_models.user_contract import unmasked
from hardware_models.wires import Interconnect

NEVER = float("-inf")
"""Clock of cells that lines have not seen since they changed [s]."""


class Written(NamedTuple):
    """A burst that was addressed row by row, as far as its price depends on it."""

    sums: np.ndarray  # (rows, 4): sum of n (g + g')/2 [S] up and down, with transistors; number of pulses up and down
    slots: np.ndarray  # (rows, column tiles, 2) int64: slots of each row in each tile, up and down
    half: (
        tuple[int, np.ndarray] | None
    )  # half-selected cells, and their sum of G [S] by polarity; None behind transistors


class Cells(Seen):
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
    access : Access
        Transistors in series with the cells; by default none.
    """

    def __init__(
        self, device: BaseDevice, tiling: Tiling, key: Key, noise: LineNoise = NO_LINE_NOISE,
        interconnect: Interconnect | None = None, limit: LineLimit | None = None, access: Access = NO_ACCESS,
    ) -> None:  # fmt: skip
        self.device, self.tiling, self.noise = device, tiling, noise.for_device(device)
        self.access = access
        rows, bit_lines = tiling.rows, tiling.bit_lines
        self.time = 0.0  # chip clock [s]
        self.state: CellState = device.fabricate((rows, bit_lines), key)
        unmasked(f"the state of device '{device.name}'", list(self.state), RunError)
        self.received = np.zeros((rows, bit_lines), np.int32)  # pulses of both polarities since fabrication
        panels, self._width = column_panels(bit_lines // 2)
        self.blocks = np.empty((panels, rows, self._width), np.float32)  # G+ - G- of each pair [S] by panels of columns
        self.row_sums = np.empty(rows)  # G+ + G- over each word line [S]
        # Only passive arrays have half-selected cells; the lines' sums price them without a look at each.
        self.lines = LineSums(tiling) if device.access == "passive" else None
        self.wired = Wired(tiling, interconnect) if interconnect is not None else None
        self._matrix = np.empty(0)  # what reads see of each cell behind wires and transistors, (rows, bit lines) [S]
        self._in_step = self.bare  # whether blocks and sums of drawn currents are those of that matrix
        self._connected: np.ndarray | None = None
        self.drawn = self.row_sums if self.bare else np.empty(rows)
        """Sum over each word line of what its cells draw per volt, (rows,) [S]."""
        self.watch = None if limit is None else LineWatch(device, tiling, limit, access)
        self.seen_at = 0.0  # clock when the differences were last computed [s]
        self._whole: np.ndarray | None = None
        self._panels: np.ndarray | None = None
        self._noise: tuple[np.ndarray, float] | None = None
        self._bit_lines: np.ndarray | None = None
        self.look()

    # --- reports of those who write ---

    def changed_everywhere(self, before: np.ndarray, pulses: np.ndarray) -> Written:
        """Follow a burst that may have changed any cell; arrays (rows, bit lines)."""
        before, after = self.access.conductance(before), self.access.conductance(self.state.g)
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

    def pulse_few(self, counts: np.ndarray, number: np.ndarray, parity: int, key: Key) -> Written:
        """Pulse pairs by signed counts (rows, columns) without a look at the cells that get none; `number`: cells of each row."""
        first = np.concatenate(([0], np.cumsum(number)))
        size, tile_columns = int(first[-1]), self.tiling.tile_columns
        listed = Listed(first, np.empty(size, np.int64), np.empty(size, np.int32), *np.empty((2, size), np.float32))
        resistance = np.float32(self.access.resistance)
        kept = Kept(self.state.g, self.received, self.blocks, self.row_sums, resistance, tile_columns)
        rows = self.tiling.rows
        sums = Sums(np.zeros((rows, 4)), np.zeros((rows, self.tiling.column_tiles, 2), np.int64))
        self.device.pulse_pairs(self.state, counts, parity, listed, kept, sums, key)
        slots = sums.slots
        if self.watch is not None:
            most = np.maximum(listed.before, listed.after)
            slots = self.watch.writes.burst(first, listed.where, listed.pulses, most, self._sums())
        self._forget()
        if self.lines is None:
            return Written(sums.conductance, slots, None)
        earlier = self.lines.present()
        half = self.lines.half_selected(earlier, slots, self.lines.select_some(listed))
        return Written(sums.conductance, slots, half)

    @property
    def sees_stored(self) -> bool:
        """True if a read sees the stored g and nothing else; otherwise only the device can tell what it sees."""
        return self.device.conductance(self.state, self.time) is self.state.g

    def crossings(self, rows: np.ndarray, lines: np.ndarray) -> np.ndarray:
        """Return the conductances now where `rows` and bit `lines` cross, (rows, lines) float32 [S]."""
        found = np.empty((rows.size, lines.size), np.float32)
        windows.crossings(np.ascontiguousarray(self.present(), np.float32), rows, lines, found)
        return found

    def changed_in_window(self, window: windows.Window) -> None:
        """Follow pulses where ascending rows and bit lines cross, all of them of one side of the pairs."""
        if not self.sees_stored:
            self.changed_unseen_in_window(window.rows, window.lines, window.pulses)
            return
        windows.follow_window(window, self.state.g, self.received, self.blocks, self.row_sums)
        if self.lines is not None:
            self.lines.follow(window.rows, window.lines, window.after.astype(np.float64) - window.before)
        self._forget()

    @property
    def priced_by_device(self) -> bool:
        """True if neither price nor current of a pulse depends on the conductance of the cell: no look at it is needed."""
        device = self.device
        known = device.pulse_energy(True) is not None and device.pulse_energy(False) is not None
        return known and self.lines is None and device.timed and (self.watch is None or device.c_gate > 0.0)

    def changed_unseen_in_window(self, rows: np.ndarray, lines: np.ndarray, pulses: np.ndarray) -> None:
        """Follow pulses where `rows` and `lines` cross without a look at the cells."""
        windows.count_received(self.received, rows, lines, pulses)
        self.changed_unseen()

    def disturbed(self, reads: np.ndarray) -> None:
        """Follow reads of each word line, (rows,), where a read changes the cells that it drives."""
        if self.device.disturbs and reads.any():
            self.device.disturb(self.state, reads, self.time)
            self.changed_unseen()

    def changed_unseen(self) -> None:
        """Ask the device what lines see: at once where half-selected cells have to be priced, else before the next read."""
        if self.lines is not None or not self.device.timed:
            self.look()
            return
        self.seen_at = NEVER
        self._forget()

    def _sums(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the sums along the lines of each tile that the watch over a write needs; None behind transistors."""
        return None if self.lines is None else (self.lines.rows, self.lines.columns)

    def train(
        self, trains: tuple[np.ndarray, np.ndarray], at_once: Train, place: tuple[np.ndarray, np.ndarray],
        through: np.ndarray, beyond: np.ndarray, polarity: int,
    ) -> Train:  # fmt: skip
        """Return coinciding trains as they are given: at once, or in groups of lines where these bear no more.

        trains : rows (slots, rows) and columns (slots, columns), bool; at_once : the same without a limit; place : rows and bit
        lines that are ever on; through, beyond : conductances where they cross before and after the train, as the lines see
        them [S].
        """
        if self.watch is None:
            return at_once
        return self.watch.writes.train(*trains, place, np.maximum(through, beyond), polarity, self._sums())

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

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return sums, pulses received and state, as plain arrays; the clocks `time` and `seen_at` are left to the caller.

        Without `copy` the arrays (rows, bit lines) are those of the cells.
        """
        # The row sums are running sums: their last bits depend on the order of the updates, so they are kept as they are.
        sums = {"row_sums": self.row_sums.copy()} | (self.lines.save() if self.lines is not None else {})
        if self.wired is not None:
            sums |= self.wired.save(copy=copy) | {"wires.in_step": np.array(self._in_step)}
        if self.watch is not None:
            sums |= {f"lines.{name}": array for name, array in self.watch.save().items()}
        cells = {"received": self.received}
        cells |= {f"state.{name}": np.asarray(a) for name, a in zip(self.state._fields, self.state, strict=True)}
        return sums | ({name: array.copy() for name, array in cells.items()} if copy else cells)

    def restore(self, saved: Mapping[str, np.ndarray], time: float, seen_at: float) -> None:
        """Restore a state returned by `save`, with the clocks of then [s]."""
        self.time = time
        restored = [saved[f"state.{name}"] for name in self.state._fields]
        apart = len({id(own) for own in self.state}) == len(restored)  # a device may fabricate two fields as one array
        pairs = zip(self.state, restored, strict=True)
        self.state = remade(self.state, [_in_place(own, array) if apart else np.array(array) for own, array in pairs])
        if self.wired is not None:
            self.wired.restore(saved)
        self.look()
        if self.wired is not None and saved.get("wires.in_step", False):
            self._follow()
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


def _in_place(own: np.ndarray, saved: np.ndarray) -> np.ndarray:
    """Return an array equal to `saved`: `own` itself where it can take the values, so that no further array is in memory."""
    fits = own.dtype == saved.dtype and own.shape == saved.shape
    if not (fits and own.base is None and own.flags.writeable):
        return np.array(saved)
    own[...] = saved
    return own
