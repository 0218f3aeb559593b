r"""The one-sided device: pulses only lower its conductance.

.. math:: \Delta = \delta\Bigl(1 - \gamma\,\frac{high - g}{high - low}\Bigr), \qquad g' = \mathrm{clip}(g - \Delta), \qquad
          \delta = (G_{max} - G_{min})/states \;\mathrm{[S]\;at\;the\;upper\;bound}

with the noise of `linear_step`, gamma = 1 a soft lower bound. Single reset pulses below 1 V on HfOx/Ti learn by
Forward-Forward in Renaudineau et al. (2026), arXiv:2601.09903: a weight W = (G+ - G-)/G_unit rises by lowering G- and falls
by lowering G+. When a device of a pair has come within `refresh_share` of the range of its lower bound, the pair is
refreshed by the crossbar: both devices are set to their upper bounds by one strong set pulse (`v_up`, `t_up`; it lands
below the bound by |N(0, (`set_noise` (G_max - G_min))²)|), and the difference is programmed again by reset pulses. The
crossbar reads all pairs after every `refresh_every` writes to see which need it, and counts it all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import Polarities, si
from hardware_models.devices.linear_step import LinearStepState, rate
from hardware_models.devices.pulsed import Cells, PulsedDevice, Words
from hardware_models.devices.state import CellState, field
from hardware_models.kernels import steps as kernels
from hardware_models.kernels.bursts import Burst, Draws
from hardware_models.kernels.random import normal, quantile_middles
from hardware_models.keys import Key


@dataclass(frozen=True, kw_only=True)
class OneSided(PulsedDevice):
    """Device whose pulses only lower it; see the module for the equation and the refresh."""

    name: str = "one_sided"
    g_min: float = 1e-6
    g_max: float = 10e-6
    states: float = 100.0
    gamma: float = si("1", 0.0, 1.0, 1.0)  # share of the step lost between the upper and the lower bound
    gamma_spread: float = si("1", 0.0, 1.0, 0.0)  # log-normal spread of gamma
    set_noise: float = si("1", 0.0, 0.5, 0.0)  # how far a set pulse lands below the upper bound, in units of the range
    refresh_share: float = si("1", 0.0, 0.9, 0.2)  # a pair is refreshed when a device is this near its lower bound
    refresh_every: float = si("1", 0.0, 1e9, 100.0)  # writes between two looks at all pairs; 0: never by itself
    fresh: str = "high"

    polarities: ClassVar[Polarities] = "down"
    SPREADS: ClassVar[tuple[str, ...]] = (*PulsedDevice.SPREADS, "gamma_spread")
    NOISES: ClassVar[tuple[str, ...]] = (*PulsedDevice.NOISES, "set_noise")

    def straight(self) -> dict[str, float]:
        """Return the numbers that make every step the nominal one."""
        return {"gamma": 0.0}

    def cells(self, shape: tuple[int, int], key: Key) -> LinearStepState:
        """Draw each cell's bounds, steps and slopes."""
        low, high = self.bounds(shape, key)
        up, down = self.steps(shape, key)
        gamma = np.minimum(self.gamma * self.factor(shape, key, "gamma", self.gamma_spread), np.float32(1.0))
        g = np.clip(self.fresh_conductance(shape, key), low, high)
        return LinearStepState(g, low, high, 0 * up, down, 0 * up, rate(gamma, down, high - low), high.copy())

    def move(self, cells: Cells, where: Burst, words: Words) -> None:
        """Move by the closed form; a pulse that raises is refused."""
        if where.pulses.max(initial=0) > 0:
            raise UsageError(f"device {self.name} has pulses of one sign only: counts above zero cannot be applied.")
        noise = kernels.StepNoise(*self.relative_noise())
        kernels.linear_steps(cells, where, noise, Draws(*words, quantile_middles()))

    def renew(self, state: CellState, cells: np.ndarray, key: Key) -> None:
        """Set the cells of a mask to just below their upper bounds, in place."""
        fallen = np.float32(self.set_noise * self.g_range) * np.abs(normal(state.g.shape, key.child("renew")))
        own = LinearStepState(*tuple(state)[: len(LinearStepState._fields)])
        top = np.maximum(own.high - fallen, own.low)
        hidden = field(state, "hidden")
        if hidden is not None:
            hidden[cells] = top[cells]
            seen = np.float32(self.write_noise * self.g_range) * normal(state.g.shape, key.child("renew_noise"))
            top = np.maximum(top + seen, np.float32(0.0))
        state.g[cells] = top[cells]
