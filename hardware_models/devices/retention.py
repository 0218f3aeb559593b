r"""Retention: stored conductances relax towards a rest value, for any device.

.. math:: G(t) = G_r + (G(t_w) - G_r)\,e^{-(t - t_w)/\tau}, \qquad
          \tau = \tau_0\,e^{s\,\xi}\,\exp\left[\frac{E_a}{k_B}\left(\frac1T - \frac1{T_0}\right)\right]

counted from the cell's last write t_w, which takes the relaxed conductance as its start. tau_0 belongs to
T_0 = 300 K; with an activation energy E_a of a retention test it follows Arrhenius' law, the law of accelerated bakes
(JEDEC JESD22-A117); with E_a = 0 the temperature does nothing. Composes with devices whose whole state is g (steps and
bounds); a model with a hidden level or drift of its own is refused, whether its figures switch that drift on or not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import si
from hardware_models.devices.drawn import log_normal
from hardware_models.devices.state import CellState, extended
from hardware_models.devices.windows import Window, crossings
from hardware_models.devices.wrapper import TimedWrapper
from hardware_models.kernels import drift
from hardware_models.keys import Key
from hardware_models.units import BOLTZMANN

REFERENCE = 300.0  # [K]
HELD_ELSEWHERE = {"switched": "whole junctions", "hidden": "a hidden level under its write noise"}
"""Fields of a state that pulses act on instead of g: relaxing g would be undone by the next pulse."""


class ForgettingState(CellState, Protocol):
    """Entries that `Retention` adds to the state of the device inside."""

    @property
    def written(self) -> np.ndarray:
        """Time of the last write [s], float64."""
        ...

    @property
    def tau(self) -> np.ndarray:
        """Time constant of the relaxation [s]."""
        ...

    @property
    def rest(self) -> np.ndarray:
        """Rest value [S]."""
        ...


@dataclass(frozen=True, kw_only=True)
class Retention(TimedWrapper[ForgettingState]):
    """Device that forgets; see the module for the law."""

    law_of_time: ClassVar[str] = "retention"

    tau: float = si("s", 0.0, 1e15, low_open=True)  # tau_0, at 300 K
    tau_spread: float = si("1", 0.0, 5.0, 0.0)  # s, log-normal
    rest: float = si("1", 0.0, 1.0, 0.0)  # rest value as a share of the range
    activation_energy: float = si("J", 0.0, 1e-18, 0.0)  # E_a
    temperature: float = si("K", 1.0, 1000.0, REFERENCE)

    def __post_init__(self) -> None:
        """Refuse a device that has a clock of its own, or whose pulses act on something else than g."""
        super().__post_init__()
        held = self.chain()[-1].fabricate((1, 1), Key(0, "retention"))._fields
        for name, what in HELD_ELSEWHERE.items():
            if name in held:
                raise UsageError(f"device {self.name} holds {what}; retention cannot be put around it.")

    @property
    def leak_time(self) -> float:
        """The time constant of the relaxation at the device's temperature [s]."""
        heat = self.activation_energy / BOLTZMANN * (1.0 / self.temperature - 1.0 / REFERENCE)
        return self.tau * math.exp(heat)

    def imperfections(self) -> dict[str, list[str]]:
        """Return the spread of the time constant."""
        return super().imperfections() | {"spread": ["tau_spread"]}

    def fabricate(self, shape: tuple[int, int], key: Key) -> CellState:
        """Draw each cell's time constant at the device's temperature."""
        tau = np.float32(self.leak_time) * log_normal(shape, self.tau_spread, key.child("tau"))
        rest = np.full(shape, self.g_min + self.rest * self.g_range, np.float32)
        return extended(self.inner.fabricate(shape, key), written=np.zeros(shape), tau=tau, rest=rest)

    def pulse(
        self, state: ForgettingState, pulses: np.ndarray, key: Key, window: Window | None = None, *, time: float = 0.0
    ) -> None:
        """Let the pulsed cells relax up to `time` [s], then pulse them."""
        place = crossings(state.g.shape, window)
        drift.settle(state.g, state.written, state.tau, state.rest, pulses, *place, time)
        self.pulse_inside(state, pulses, key, window, time)

    def renew(self, state: ForgettingState, cells: np.ndarray, key: Key, *, time: float = 0.0) -> None:
        """Let the renewed cells forget from `time` [s] on."""
        place = crossings(state.g.shape, None)
        drift.settle(state.g, state.written, state.tau, state.rest, np.asarray(cells, np.int32), *place, time)
        super().renew(state, cells, key, time=time)

    def conductance(self, state: ForgettingState, time: float) -> np.ndarray:
        """Return the relaxed conductance at `time` [S]."""
        out = np.empty_like(state.g)
        drift.relaxed(state.g, state.written, state.tau, state.rest, time, out)
        return out
