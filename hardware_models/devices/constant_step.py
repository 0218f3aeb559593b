r"""The constant-step device: every pulse moves the conductance by the same amount.

.. math:: g' = \mathrm{clip}(g + n\,\delta^{\pm} + \delta^{\pm}\sigma\sqrt{|n|}\,\xi,\; low,\; high), \qquad
          \delta = (G_{max} - G_{min})/states \;\mathrm{[S]}

Gokmen and Vlasov, Front. Neurosci. 10, 333 (2016), doi:10.3389/fnins.2016.00333; `ConstantStep` of aihwkit (Rasch et al.,
AICAS 2021, doi:10.1109/AICAS51828.2021.9458494). sigma = `cycle_noise` `states`. Where the path of a noisy burst comes
near a bound there is no closed form, and the kernel loops over the pulses: n at once are n times one in distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hardware_models.devices.pulsed import Cells, PulsedDevice, Words
from hardware_models.kernels import steps as kernels
from hardware_models.kernels.bursts import Burst, Draws
from hardware_models.kernels.random import quantile_middles
from hardware_models.keys import Key


class ConstantStepState(NamedTuple):
    """State of an array of constant-step cells, all (rows, columns) float32 [S]."""

    g: np.ndarray  # conductance
    low: np.ndarray  # lower bound
    high: np.ndarray  # upper bound
    step_up: np.ndarray  # rise of one up pulse
    step_down: np.ndarray  # fall of one down pulse


@dataclass(frozen=True, kw_only=True)
class ConstantStep(PulsedDevice):
    """Device with equal steps; see the module for the equation."""

    name: str = "constant_step"
    g_min: float = 1e-6
    g_max: float = 10e-6
    states: float = 1000.0

    def cells(self, shape: tuple[int, int], key: Key) -> ConstantStepState:
        """Draw each cell's bounds and steps."""
        low, high = self.bounds(shape, key)
        g = np.clip(self.fresh_conductance(shape, key), low, high)
        return ConstantStepState(g, low, high, *self.steps(shape, key))

    def move(self, cells: Cells, where: Burst, words: Words) -> None:
        """Move by the closed form."""
        kernels.constant_steps(cells, where, self.relative_noise()[0], Draws(*words, quantile_middles()))
