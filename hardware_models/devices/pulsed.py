r"""Common parts of devices that move by steps: spread of steps and bounds, noise of the pulses, write noise.

The nominal step is the one at `center` (a share of the range, default its middle): (G_max - G_min)/`states` up,
(G_max - G_min)/`states_down` down. A cell's steps are multiplied by

.. math:: e^{s\,\xi_1 + b\,\xi_2}\;(up), \qquad e^{s\,\xi_1 - b\,\xi_2}\;(down), \qquad \xi \sim N(0, 1)

with s = `step_spread` common to both polarities and b = `balance_spread` between them, so that no cell runs backwards; its
bounds lie at `center` plus e^{`high_spread` xi} and minus e^{`low_spread` xi} times their nominal distance from it, the
lower one never below zero.

Write noise (Rasch et al., AICAS 2021, doi:10.1109/AICAS51828.2021.9458494): pulses act on a hidden state, a read sees
g = hidden + `write_noise` (G_max - G_min) xi, drawn anew each time the cell is pulsed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice, Window, si
from hardware_models.devices.state import CellState, extended, field, in_one_row
from hardware_models.kernels import steps as kernels
from hardware_models.kernels.bursts import Burst, Draws, crossing, listing
from hardware_models.kernels.random import normal, quantile_middles
from hardware_models.keys import Key

Cells = tuple[np.ndarray, ...]
"""The arrays of a state, of which the pulses move the first."""
Words = tuple[np.uint32, np.uint32]


@dataclass(frozen=True, kw_only=True)
class PulsedDevice(BaseDevice[CellState]):
    """Base of the step models; a model fabricates with `cells` and moves with `move`."""

    states_down: float = si("1", 1.0, 1e9, 0.0)  # nominal pulses over the range, down; 0: as many as up
    center: float = si("1", 0.0, 1.0, 0.5)  # where a step is the nominal one, in units of the range
    cycle_noise: float = si("1", 0.0, 2.0, 0.0)  # sigma of a nominal up pulse in units of the range (cycle to cycle)
    write_noise: float = si(
        "1", 0.0, 1.0, 0.0
    )  # sigma of what a read sees around the hidden state, in units of the range
    step_spread: float = si("1", 0.0, 2.0, 0.0)  # log-normal spread of a cell's step, both polarities alike
    balance_spread: float = si("1", 0.0, 1.0, 0.0)  # log-normal spread of a cell's up step against its down step
    low_spread: float = si("1", 0.0, 1.0, 0.0)  # log-normal spread of the lower bound's distance from the center
    high_spread: float = si("1", 0.0, 1.0, 0.0)  # log-normal spread of the upper bound's distance from the center

    SPREADS: ClassVar[tuple[str, ...]] = ("step_spread", "balance_spread", "low_spread", "high_spread")
    NOISES: ClassVar[tuple[str, ...]] = ("cycle_noise", "write_noise")

    def __post_init__(self) -> None:
        """Fill in the down states and check the ranges."""
        if self.states_down == 0.0:
            object.__setattr__(self, "states_down", self.states)
        super().__post_init__()

    def imperfections(self) -> dict[str, list[str]]:
        """Return the names of the numbers that are read noise, write noise and spread."""
        return super().imperfections() | {"write_noise": list(self.NOISES), "spread": list(self.SPREADS)}

    def noise_of_finer_steps(self) -> tuple[str, ...] | None:
        """Return the noises of one pulse in units of the range."""
        return ("cycle_noise",)

    # --- fabrication ---

    @property
    def g_center(self) -> float:
        """Conductance of the nominal step [S]."""
        return self.g_min + self.center * self.g_range

    def factor(self, shape: tuple[int, int], key: Key, what: str, sigma: float) -> np.ndarray:
        """Return log-normal factors exp(N(0, sigma²)) of the cells, drawn for the purpose `what`."""
        if sigma == 0.0:
            return np.ones(shape, np.float32)
        return np.exp(np.float32(sigma) * normal(shape, key.child(what)))

    def steps(self, shape: tuple[int, int], key: Key) -> tuple[np.ndarray, np.ndarray]:
        """Return each cell's nominal step up and down [S], both positive."""
        common = self.factor(shape, key, "step", self.step_spread)
        balance = self.factor(shape, key, "balance", self.balance_spread)
        up, down = self.g_range / self.states, self.g_range / self.states_down
        return np.float32(up) * common * balance, np.float32(down) * common / balance

    def bounds(self, shape: tuple[int, int], key: Key) -> tuple[np.ndarray, np.ndarray]:
        """Return each cell's lower and upper bound [S]."""
        center = np.float32(self.g_center)
        below = np.float32(self.g_center - self.g_min) * self.factor(shape, key, "low", self.low_spread)
        above = np.float32(self.g_max - self.g_center) * self.factor(shape, key, "high", self.high_spread)
        # Without spread the bounds are the nominal ones to the bit.
        low = np.maximum(center - below, np.float32(0.0)) if self.low_spread else np.full(shape, self.g_min, np.float32)
        high = center + above if self.high_spread else np.full(shape, self.g_max, np.float32)
        return low, high

    def cells(self, shape: tuple[int, int], key: Key) -> CellState:
        """Return the fabricated cells without write noise."""
        raise NotImplementedError

    def fabricate(self, shape: tuple[int, int], key: Key) -> CellState:
        """Draw each cell's constants; fresh cells lie within their bounds."""
        state = self.cells(shape, key)
        if self.write_noise == 0.0:
            return state
        hidden = state.g.copy()
        seen = hidden + np.float32(self.write_noise * self.g_range) * normal(shape, key.child("write_noise"))
        np.maximum(seen, np.float32(0.0), out=state.g)
        return extended(state, hidden=hidden)

    # --- pulses ---

    def relative_noise(self) -> tuple[np.float32, np.float32]:
        """Return the sigma of a pulse in units of a cell's nominal step; the same for both polarities."""
        return np.float32(self.cycle_noise * self.states), np.float32(self.cycle_noise * self.states)

    def pulse(self, state: CellState, pulses: np.ndarray, key: Key, window: Window | None = None) -> None:
        """Move the cells, then draw anew what is seen of the moved ones if there is write noise."""
        whole = window is None
        places = [np.arange(n) for n in state.g.shape] if window is None else window
        rows, columns = (np.ascontiguousarray(p, np.int64) for p in places)
        pulses = np.ascontiguousarray(pulses, np.int32)
        if pulses.shape != (rows.size, columns.size):
            raise UsageError(
                f"device {self.name} needs pulses of shape {(rows.size, columns.size)}, got {pulses.shape}."
            )
        self._apply(tuple(state), crossing(pulses, rows, columns, whole), key, field(state, "hidden") is not None)

    def pulse_some(self, state: CellState, where: np.ndarray, pulses: np.ndarray, key: Key) -> None:
        """Do what `pulse` does with the cells at flat positions `where` (k,) int64, each once."""
        with in_one_row(state) as rows:
            self._apply(tuple(rows), listing(pulses, where), key, field(state, "hidden") is not None)

    def _apply(self, arrays: Cells, burst: Burst, key: Key, hides: bool) -> None:
        """Move the cells of a burst; the arrays of a state that `hides` end with the hidden one, and that is what moves."""
        w0, w1, w2, w3 = key.words
        cells = (arrays[-1], *arrays[1:-1]) if hides else arrays
        self.move(cells, burst, (w0, w1))
        if hides:
            sigma = np.float32(self.write_noise * self.g_range)
            kernels.appear(arrays[0], cells[0], burst, sigma, Draws(w2, w3, quantile_middles()))

    def move(self, cells: Cells, where: Burst, words: Words) -> None:
        """Apply pulses to cells[0] in place."""
        raise NotImplementedError
