r"""The exponential-activity device: the step depends exponentially on the conductance (aihwkit's form).

.. math:: z = 2a\frac{g - c}{high - low} + b, \qquad y^\pm(z) = \max(0,\, 1 - A^\pm e^{\pm\gamma^\pm z}), \qquad
          \Delta^\pm = \delta^\pm\, y^\pm(z)/y^\pm(b)

.. math:: g' = \mathrm{clip}\bigl(g \pm \Delta^\pm + (\sigma\Delta + \sigma_{add}\,(G_{max} - G_{min})
               + \sigma_{slope}\,|g - c|)\,\xi\bigr)

with the nominal step delta [S] at c = `center`. aihwkit writes the step as y dw; here it is normalised to its value at the
center, so that `states` is the number of nominal pulses over the range. sigma = `cycle_noise` `states`, sigma_add =
`noise_added`, sigma_slope = `noise_slope` ("complex noise"). There is no closed form: the kernel loops over the pulses.

`ExpStep` of aihwkit (Rasch et al., AICAS 2021, doi:10.1109/AICAS51828.2021.9458494); fitted to ReRAM by Gong et al., Nat.
Commun. 9, 2102 (2018), doi:10.1038/s41467-018-04485-1. `a`, `b` are numbers; gamma and A spread log-normally.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import si
from hardware_models.devices.pulsed import Cells, PulsedDevice, Words
from hardware_models.kernels import shaped_steps as kernels
from hardware_models.kernels.bursts import Burst, Draws, as_float32
from hardware_models.kernels.random import quantile_middles
from hardware_models.keys import Key


class ExponentialActivityState(NamedTuple):
    """State of an array of exponential-activity cells, all (rows, columns) float32."""

    g: np.ndarray  # conductance [S]
    low: np.ndarray  # lower bound [S]
    high: np.ndarray  # upper bound [S]
    step_up: np.ndarray  # step at activity one, up [S]
    step_down: np.ndarray  # step at activity one, down [S]
    amplitude_up: np.ndarray  # A+ [1]
    amplitude_down: np.ndarray  # A- [1]
    gamma_up: np.ndarray  # [1]
    gamma_down: np.ndarray  # [1]


@dataclass(frozen=True, kw_only=True)
class ExponentialActivity(PulsedDevice):
    """Device with steps exponential in its conductance; see the module for the equation."""

    name: str = "exponential_activity"
    g_min: float = 1e-6
    g_max: float = 10e-6
    states: float = 1000.0
    a: float = si("1", -10.0, 10.0, -0.5)  # scale of z
    b: float = si("1", -10.0, 10.0, 0.0)  # z at the center
    amplitude_up: float = si("1", -1e3, 1e3, -1.0)  # A of the up step
    amplitude_down: float = si("1", -1e3, 1e3, -1.0)  # A of the down step
    gamma_up: float = si("1", 0.0, 20.0, 1.0)  # steepness of the up step
    gamma_down: float = si("1", 0.0, 20.0, 1.0)  # steepness of the down step
    amplitude_spread: float = si("1", 0.0, 1.0, 0.0)  # log-normal spread of A, each polarity apart
    gamma_spread: float = si("1", 0.0, 1.0, 0.0)  # log-normal spread of gamma, each polarity apart
    noise_added: float = si("1", 0.0, 1.0, 0.0)  # sigma of a pulse whatever its step, in units of the range
    noise_slope: float = si("1", 0.0, 1.0, 0.0)  # sigma of a pulse per distance from the center

    SPREADS: ClassVar[tuple[str, ...]] = (*PulsedDevice.SPREADS, "amplitude_spread", "gamma_spread")
    NOISES: ClassVar[tuple[str, ...]] = (*PulsedDevice.NOISES, "noise_added", "noise_slope")

    def __post_init__(self) -> None:
        """Check ranges; a pulse must move a cell at the center."""
        super().__post_init__()
        if min(self.activity_at_center()) <= 0.0:
            raise UsageError(f"device {self.name} needs 1 - A exp(+-gamma b) > 0, both up and down, at its center.")

    def activity_at_center(self) -> tuple[float, float]:
        """Return y+(b) and y-(b)."""
        up = 1.0 - self.amplitude_up * math.exp(self.gamma_up * self.b)
        return up, 1.0 - self.amplitude_down * math.exp(-self.gamma_down * self.b)

    def noise_of_finer_steps(self) -> tuple[str, ...]:
        """Return the noises of one pulse in units of the range."""
        return ("cycle_noise", "noise_added", "noise_slope")

    def straight(self) -> dict[str, float]:
        """Return the numbers that make every step the nominal one."""
        return {"amplitude_up": 0.0, "amplitude_down": 0.0}

    def cells(self, shape: tuple[int, int], key: Key) -> ExponentialActivityState:
        """Draw each cell's bounds, steps and shapes."""
        low, high = self.bounds(shape, key)
        up, down = self.steps(shape, key)
        y_up, y_down = (np.float32(y) for y in self.activity_at_center())
        shapes = [
            np.float32(getattr(self, what)) * self.factor(shape, key, what, sigma)
            for what, sigma in (
                ("amplitude_up", self.amplitude_spread),
                ("amplitude_down", self.amplitude_spread),
                ("gamma_up", self.gamma_spread),
                ("gamma_down", self.gamma_spread),
            )
        ]
        g = np.clip(self.fresh_conductance(shape, key), low, high)
        return ExponentialActivityState(g, low, high, up / y_up, down / y_down, *shapes)

    def move(self, cells: Cells, where: Burst, words: Words) -> None:
        """Move pulse by pulse."""
        law = kernels.ActivityLaw(
            scale=2.0 * self.a,
            offset=self.b,
            center=self.g_center,
            noise=self.cycle_noise * self.states,
            noise_added=self.noise_added * self.g_range,
            noise_slope=self.noise_slope,
        )
        kernels.exponential_activity_steps(cells, where, as_float32(law), Draws(*words, quantile_middles()))
