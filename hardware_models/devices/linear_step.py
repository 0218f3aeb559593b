r"""The linear-step device: the step is a linear function of the conductance.

.. math:: \Delta^+ = \delta^+\Bigl(1 - \gamma^+\frac{g - c}{high - c}\Bigr), \qquad
          \Delta^- = \delta^-\Bigl(1 - \gamma^-\frac{c - g}{c - low}\Bigr), \qquad g' = \mathrm{clip}(g \pm \Delta^\pm)

with c = `center` and delta the nominal step [S]. With kappa = gamma delta/(high - c) and q = 1 - kappa, n pulses are

.. math:: g_n = g_0 \pm \frac{1 - q^n}{1 - q}\Delta^\pm(g_0) + \sigma\delta\sqrt{\frac{1 - q^{2n}}{1 - q^2}}\,\xi

exactly for `noise` "additive" (away from the bounds; near them the kernel loops over the pulses). For "multiplicative"
noise, Delta (1 + sigma xi), the pulses are looped over. sigma = `cycle_noise` `states`.
`LinearStep` of aihwkit (Rasch et al., AICAS 2021, doi:10.1109/AICAS51828.2021.9458494); gamma = 1 is `soft_bounds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import si
from hardware_models.devices.pulsed import Cells, PulsedDevice, Words
from hardware_models.kernels import steps as kernels
from hardware_models.kernels.bursts import Burst, Draws
from hardware_models.kernels.random import quantile_middles
from hardware_models.keys import Key

NOISE = ("additive", "multiplicative")


class LinearStepState(NamedTuple):
    """State of an array of linear-step cells, all (rows, columns) float32."""

    g: np.ndarray  # conductance [S]
    low: np.ndarray  # lower bound [S]
    high: np.ndarray  # upper bound [S]
    step_up: np.ndarray  # rise of an up pulse at the center [S]
    step_down: np.ndarray  # fall of a down pulse at the center [S]
    rate_up: np.ndarray  # -ln(1 - kappa) of an up pulse [1]
    rate_down: np.ndarray  # of a down pulse [1]
    center: np.ndarray  # where the steps are step_up and step_down [S]


def rate(gamma: np.ndarray | float, step: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Return -ln(1 - kappa), kappa = gamma step/distance to the bound; a step cannot pass the fixed point."""
    kappa = np.minimum(gamma * step.astype(np.float64) / distance, 1.0 - 1e-6)
    return -np.log1p(-kappa).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class LinearStep(PulsedDevice):
    """Device whose step is linear in the conductance; see the module for the equation."""

    name: str = "linear_step"
    g_min: float = 1e-6
    g_max: float = 10e-6
    states: float = 400.0
    gamma_up: float = si("1", 0.0, 1.0, 0.05)  # share of the step lost between the center and the upper bound
    gamma_down: float = si("1", 0.0, 1.0, 0.05)  # share of the step lost between the center and the lower bound
    gamma_spread: float = si("1", 0.0, 1.0, 0.0)  # log-normal spread of gamma, each polarity apart
    noise: str = "additive"  # "additive": sigma of the step at the center; "multiplicative": of the step itself

    nominal_slope: bool = False  # kappa by the nominal bounds, whatever the cell's own

    SPREADS: ClassVar[tuple[str, ...]] = (*PulsedDevice.SPREADS, "gamma_spread")

    def __post_init__(self) -> None:
        """Check ranges and the kind of noise."""
        super().__post_init__()
        if self.noise not in NOISE:
            raise UsageError(f"device {self.name} needs noise to be one of {', '.join(NOISE)}, got {self.noise!r}.")
        if not 0.0 < self.center < 1.0:
            raise UsageError(f"device {self.name} needs 0 < center < 1, got {self.center:g}.")

    def straight(self) -> dict[str, float]:
        """Return the numbers that make every step the nominal one."""
        return {"gamma_up": 0.0, "gamma_down": 0.0}

    def cells(self, shape: tuple[int, int], key: Key) -> LinearStepState:
        """Draw each cell's bounds, steps and slopes."""
        low, high = self.bounds(shape, key)
        up, down = self.steps(shape, key)
        center = np.full(shape, self.g_center, np.float32)
        gamma_up = self.gamma_up * self.factor(shape, key, "gamma_up", self.gamma_spread)
        gamma_down = self.gamma_down * self.factor(shape, key, "gamma_down", self.gamma_spread)
        g = np.clip(self.fresh_conductance(shape, key), low, high)
        above, below = high - center, center - low
        if self.nominal_slope:
            above, below = (np.full(shape, d * self.g_range, np.float32) for d in (1.0 - self.center, self.center))
        rates = rate(gamma_up, up, above), rate(gamma_down, down, below)
        return LinearStepState(g, low, high, up, down, *rates, center)

    def move(self, cells: Cells, where: Burst, words: Words) -> None:
        """Move by the closed form, or pulse by pulse under multiplicative noise."""
        noise = kernels.StepNoise(*self.relative_noise())
        loop = self.noise == "multiplicative" and noise.up > 0
        kernel = kernels.linear_steps_multiplied if loop else kernels.linear_steps
        kernel(cells, where, noise, Draws(*words, quantile_middles()))
