"""The cells of an array as its reads see them: differences of pairs, their noise, the matrix behind transistors and wires.

Everything here is computed from the cells when a read asks for it, and kept until they change. The writes that change them
stand in `hardware_models.crossbar.cells`.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from hardware_models.check import RunError
from hardware_models.crossbar.access import Access
from hardware_models.crossbar.divided import Divided
from hardware_models.crossbar.line_noise import LineNoise, between
from hardware_models.crossbar.line_sums import LineSums
from hardware_models.crossbar.wired import Wired
from hardware_models.devices.base import BaseDevice
from hardware_models.devices.state import CellState
from hardware_models.kernels import seen as kernels
from hardware_models.kernels.reads import column_panels
from hardware_models.user_contract import unmasked
from hardware_models.wires import Interconnect


def in_panels(matrix: np.ndarray) -> np.ndarray:
    """Return a matrix (rows, columns) float32 by panels of columns, (panels, rows, width), with zeros beyond the last column."""
    panels, width = column_panels(matrix.shape[1])
    found = np.zeros((panels, len(matrix), width), np.float32)
    for p in range(panels):
        part = matrix[:, p * width : (p + 1) * width]
        found[p, :, : part.shape[1]] = part
    return found


class Seen(Divided):
    """Base of the cells of an array: what reads ask of them."""

    device: BaseDevice
    noise: LineNoise
    access: Access
    state: CellState
    time: float
    """Clock of the chip [s]."""
    seen_at: float
    """Clock when the differences were last computed [s]."""
    received: np.ndarray
    """Pulses of both polarities since fabrication, (rows, bit lines) int32."""
    blocks: np.ndarray
    """G+ - G- of each pair [S] by panels of columns."""
    row_sums: np.ndarray
    """G+ + G- over each word line, (rows,) float64 [S]."""
    drawn: np.ndarray
    """Sum over each word line of what its cells draw per volt, (rows,) [S]."""
    lines: LineSums | None
    wired: Wired | None
    _matrix: np.ndarray
    _in_step: bool
    _connected: np.ndarray | None
    _whole: np.ndarray | None
    _panels: np.ndarray | None
    _noise: tuple[np.ndarray, float] | None
    _bit_lines: np.ndarray | None

    @abstractmethod
    def check_conductances(self) -> None:
        """Raise DeviceRangeError if a cell holds what is no conductance."""

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

    def connected(self) -> np.ndarray:
        """Return the conductance of each cell in series with its access transistor, (rows, bit lines) [S]; G without one."""
        if not self.access:
            return self.present()
        if self._connected is None:
            g = np.ascontiguousarray(self.present(), np.float32)
            self._connected = np.empty_like(g)
            kernels.connect(g, np.float32(self.access.resistance), self._connected)
        return self._connected

    @property
    def bare(self) -> bool:
        """True if lines see the cells alone: no access transistors, no wires with resistance."""
        return self.wired is None and not self.access

    def variance(self) -> np.ndarray | float:
        """Return the variance of one read now [S²], one number or one a cell."""
        variance = self.device.read_variance(self.state, self.time)
        unmasked(f"the read_variance of device '{self.device.name}'", variance, RunError)
        return variance

    @property
    def differences(self) -> np.ndarray:
        """G+ - G- of each weight, all its pairs together, (rows, columns) float32 [S]: the matrix of a read.

        It is a copy, kept until something is written.
        """
        if self.seen_at < 0.0:  # changed since lines last saw them
            self.look()
        self._follow()
        if self._whole is None:
            self._whole = self._joined(self.blocks)
        return self._whole

    @property
    def panels(self) -> np.ndarray:
        """Differences of the weights by panels of columns, (panels, rows, width) float32 [S]; of one pair each, `blocks`."""
        if self.tiling.pairs == 1:
            return self.blocks
        if self._panels is None:
            self._panels = in_panels(self.differences)
        return self._panels

    def _joined(self, blocks: np.ndarray) -> np.ndarray:
        """Return the sum over the pairs of each weight, (rows, columns), from panels of columns of single pairs."""
        single = np.concatenate(list(blocks), axis=1)[:, : self.tiling.bit_lines // 2]
        pairs = self.tiling.pairs
        joined: np.ndarray = sum((single[:, k::pairs] for k in range(1, pairs)), single[:, 0::pairs])
        return joined

    def noise_map(self) -> tuple[np.ndarray, float]:
        """Return the weights' variance of one read, like `panels`, float32 in units of a number [S²], and the number.

        It is the sum over the cells of a weight. The array is empty if the variance is the same for all weights; the number is 0
        without noise. Kept until something is written.
        """
        self._follow()
        if self._noise is None:
            variance = self.variance()
            if np.ndim(variance) == 0 and (self.bare or not variance):
                self._noise = np.empty((0, 0, 0), np.float32), self.tiling.unit * float(variance)
            else:
                # Scaled by the range, so that squares of siemens do not leave float32's normal numbers.
                unit = self.device.g_range**2
                pairs = np.empty_like(self.blocks)
                self._pair_variances(variance, unit, pairs)
                self._noise = pairs if self.tiling.pairs == 1 else in_panels(self._joined(pairs)), unit
        return self._noise

    def _pair_variances(self, variance: np.ndarray | float, unit: float, pairs: np.ndarray) -> None:
        """Write the pairs' variance of one read to panels of columns, for that of the cells [S²], one number or one a cell."""
        g = np.ascontiguousarray(self.present(), np.float32)
        shares = np.empty((len(g), 0), np.float32) if self.wired is None else self.wired.shares
        cells = np.asarray(variance, np.float32)
        if not cells.ndim:
            cells = np.full((len(g), 1), cells)
        resistance = np.float32(self.access.resistance)
        kernels.pair_variances(g, resistance, shares, np.ascontiguousarray(cells), np.float32(1.0 / unit), pairs)

    def read_variance(self) -> np.ndarray | float:
        """Return the variance of one read of each cell as its line sees it [S²], (rows, bit lines) or one number for all."""
        self._follow()
        variance = self.variance()
        if self.bare or not np.any(variance):
            return variance
        share = self.access.slope(self.present()) if self.access else np.float32(1.0)
        return variance * np.square(share if self.wired is None else share * self.wired.shares)

    def bit_line_sums(self) -> np.ndarray:
        """Return the conductance of each bit line of each row tile that is noisy, (T, bit lines) float64 [S]; kept until a write.

        It is the sum of G; behind wires, see `hardware_models.crossbar.line_noise`.
        """
        self._follow()
        if self._bit_lines is None:
            self._bit_lines = between(*(self._tile_sums(matrix) for matrix in self._both_matrices()))
        return self._bit_lines

    def _tile_sums(self, matrix: np.ndarray) -> np.ndarray:
        """Return the sum of each bit line of each row tile, (T, bit lines) float64, of a matrix (rows, bit lines)."""
        cuts = np.array([0, *(stop for _, stop in self.tiling.row_cuts)], np.int64)
        sums = np.empty((self.tiling.row_tiles, self.tiling.bit_lines))
        kernels.tile_sums(np.ascontiguousarray(matrix, np.float32), cuts, sums)
        return sums

    def word_line_sums(self) -> np.ndarray:
        """Return the conductance of each word line that is noisy, (rows,) float64 [S], in the same way.

        A cell counts once for each group of bit lines that a transposed read reads in its tile.
        """
        reads = self.reads_of_bit_lines
        return between(*((m * reads).sum(axis=1, dtype=np.float64) for m in self._both_matrices()))

    def _both_matrices(self) -> list[np.ndarray]:
        """Return G, with its transistors, and behind wires T (rows, bit lines) [S]."""
        return [self.connected(), *([self.seen()] if self.wired is not None else [])]

    @property
    def aged(self) -> bool:
        """True if cells that change in time may have done so since they were last looked at."""
        return self.seen_at != self.time and self.device.timed

    def look_again(self) -> None:
        """Compute anew what is kept, if the device changes in time and the clock has moved since the last time."""
        if self.aged:
            self.look()
        self._follow()

    def seen(self) -> np.ndarray:
        """Return the conductance of each cell as reads see it, (rows, bit lines) [S].

        It is that of the cell in series with its transistor, and behind wires its entry of their matrix.
        """
        self._follow()
        return self.connected() if self.wired is None else self._matrix

    def lay_wires(self, interconnect: Interconnect) -> None:
        """See the cells behind wires from now on."""
        self.wired = Wired(self.tiling, interconnect)
        self.drawn = np.empty(self.tiling.rows)
        self.look()

    def watch_wires(self, v: np.ndarray) -> None:
        """Count a read and, from time to time, hold the currents of an input v (rows,) [V] against those of exact wires."""
        if self.wired is not None and self.wired.due() and self.wired.off(self.connected(), v):
            self._in_step = False
            self._follow()

    def _follow(self) -> None:
        """Compute what reads see behind wires and transistors, if cells have changed since the last time."""
        if self._in_step:
            return
        g = np.ascontiguousarray(self.connected(), np.float32)
        self._matrix = g if self.wired is None else self.wired.matrix(g)
        kernels.pair_sums(self._matrix, np.float32(-1.0), self.blocks, self.drawn)
        self._forget()
        self._connected, self._in_step = g, True

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
        self._whole = self._panels = self._noise = self._bit_lines = self._connected = None
        self._in_step = self.bare
        if self.watch is not None:
            self.watch.forget()
