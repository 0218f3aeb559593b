r"""The power-step device: the step is a power of the range left to go.

.. math:: \omega = \frac{high - g}{high - low}, \qquad \Delta^+ = \delta^+ (2\omega)^{\gamma^+}, \qquad
          \Delta^- = \delta^- (2(1 - \omega))^{\gamma^-}, \qquad
          g' = \mathrm{clip}\bigl(g \pm \Delta^\pm(1 + \sigma\xi)\bigr)

with the nominal step delta [S] at mid-range (aihwkit's dw is 2^gamma times it). sigma = `cycle_noise` `states`. There is no
closed form for a general gamma: the kernel loops over the pulses. `PowStep` of aihwkit (Rasch et al., AICAS 2021,
doi:10.1109/AICAS51828.2021.9458494); gamma = 1 is `soft_bounds` with multiplicative noise, gamma = 0 `constant_step`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from hardware_models.devices.base import si
from hardware_models.devices.pulsed import Cells, PulsedDevice, Words
from hardware_models.kernels import shaped_steps as kernels
from hardware_models.kernels.bursts import Burst, Draws
from hardware_models.kernels.random import quantile_middles
from hardware_models.keys import Key


class PowerStepState(NamedTuple):
    """State of an array of power-step cells, all (rows, columns) float32."""

    g: np.ndarray  # conductance [S]
    low: np.ndarray  # lower bound [S]
    high: np.ndarray  # upper bound [S]
    step_up: np.ndarray  # step in the middle of the cell's range, up [S]
    step_down: np.ndarray  # step in the middle of the cell's range, down [S]
    gamma_up: np.ndarray  # exponent [1]
    gamma_down: np.ndarray  # exponent [1]


@dataclass(frozen=True, kw_only=True)
class PowerStep(PulsedDevice):
    """Device whose step is a power of the range left; see the module for the equation."""

    name: str = "power_step"
    g_min: float = 1e-6
    g_max: float = 10e-6
    states: float = 1000.0
    gamma_up: float = si("1", 0.0, 10.0, 1.0)  # exponent of the up step
    gamma_down: float = si("1", 0.0, 10.0, 1.0)  # exponent of the down step
    gamma_spread: float = si("1", 0.0, 1.0, 0.0)  # log-normal spread of the exponents, each polarity apart

    SPREADS: ClassVar[tuple[str, ...]] = (*PulsedDevice.SPREADS, "gamma_spread")

    def straight(self) -> dict[str, float]:
        """Return the numbers that make every step the nominal one."""
        return {"gamma_up": 0.0, "gamma_down": 0.0}

    def cells(self, shape: tuple[int, int], key: Key) -> PowerStepState:
        """Draw each cell's bounds, steps and exponents."""
        low, high = self.bounds(shape, key)
        gamma_up = np.float32(self.gamma_up) * self.factor(shape, key, "gamma_up", self.gamma_spread)
        gamma_down = np.float32(self.gamma_down) * self.factor(shape, key, "gamma_down", self.gamma_spread)
        g = np.clip(self.fresh_conductance(shape, key), low, high)
        return PowerStepState(g, low, high, *self.steps(shape, key), gamma_up, gamma_down)

    def move(self, cells: Cells, where: Burst, words: Words) -> None:
        """Move pulse by pulse."""
        kernels.power_steps(cells, where, self.relative_noise()[0], Draws(*words, quantile_middles()))
