r"""The soft-bounds device: the step shrinks in proportion to the distance left to the bound.

.. math:: \Delta^+ = \delta^+\frac{high - g}{high - c}, \qquad \Delta^- = \delta^-\frac{g - low}{c - low}, \qquad
          g_n = high - (high - g_0)(1 - \kappa)^n, \qquad \kappa = \delta^+/(high - c)

with the nominal step delta [S] at c = `center`; the noise of n pulses is
sigma delta sqrt((1 - q^{2n})/(1 - q^2)), q = 1 - kappa, sigma = `cycle_noise` `states` (away from the bounds; near them
the kernel loops over the pulses). `SoftBounds` of aihwkit (Rasch et al., AICAS 2021,
doi:10.1109/AICAS51828.2021.9458494), there also with a reference device programmed to each cell's symmetry point

.. math:: g^* : \Delta^+(g^*) = \Delta^-(g^*)

(Gong and Rasch et al., IEDM 2022, doi:10.1109/IEDM45625.2022.10019569). `symmetry` True subtracts it: the cell's scale is
moved so that g* lies at `center`, up to an error of N(0, (`symmetry_error` (G_max - G_min))²).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import si
from hardware_models.devices.linear_step import LinearStepState, rate
from hardware_models.devices.pulsed import Cells, PulsedDevice, Words
from hardware_models.kernels import steps as kernels
from hardware_models.kernels.bursts import Burst, Draws
from hardware_models.kernels.random import normal, quantile_middles
from hardware_models.keys import Key


@dataclass(frozen=True, kw_only=True)
class SoftBounds(PulsedDevice):
    """Device that approaches its bounds geometrically; see the module for the equation."""

    name: str = "soft_bounds"
    g_min: float = 1e-6
    g_max: float = 10e-6
    states: float = 1000.0
    symmetry: bool = False  # subtract each cell's symmetry point
    symmetry_error: float = si("1", 0.0, 0.5, 0.0)  # sigma of the reference in units of the range

    SPREADS: ClassVar[tuple[str, ...]] = (*PulsedDevice.SPREADS, "symmetry_error")

    def __post_init__(self) -> None:
        """Check ranges."""
        super().__post_init__()
        if not 0.0 < self.center < 1.0:
            raise UsageError(f"device {self.name} needs 0 < center < 1, got {self.center:g}.")

    def cells(self, shape: tuple[int, int], key: Key) -> LinearStepState:
        """Draw each cell's bounds and steps; move the scale of each cell if its symmetry point is subtracted."""
        low, high = self.bounds(shape, key)
        up, down = self.steps(shape, key)
        center = np.full(shape, self.g_center, np.float32)
        rates = rate(1.0, up, high - center), rate(1.0, down, center - low)
        if self.symmetry:
            shift = center - self.symmetry_point(low, high, *rates)
            if self.symmetry_error:
                shift += np.float32(self.symmetry_error * self.g_range) * normal(shape, key.child("symmetry"))
            low, high, center = low + shift, high + shift, center + shift
            low = np.maximum(low, np.float32(0.0))
            high = np.maximum(high, low)
        g = np.clip(self.fresh_conductance(shape, key), low, high)
        return LinearStepState(g, low, high, up, down, *rates, center)

    @staticmethod
    def symmetry_point(low: np.ndarray, high: np.ndarray, rate_up: np.ndarray, rate_down: np.ndarray) -> np.ndarray:
        """Return g* = (kappa+ high + kappa- low)/(kappa+ + kappa-), where up and down steps are equal [S]."""
        up, down = -np.expm1(-rate_up), -np.expm1(-rate_down)
        return (up * high + down * low) / (up + down)

    def move(self, cells: Cells, where: Burst, words: Words) -> None:
        """Move by the closed form."""
        noise = kernels.StepNoise(*self.relative_noise())
        kernels.linear_steps(cells, where, noise, Draws(*words, quantile_middles()))
