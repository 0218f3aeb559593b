r"""The exponential-step device: conductance saturates exponentially with the number of pulses.

The analytic model of NeuroSim (Chen, Peng, Yu, IEDM 2017, doi:10.1109/IEDM.2017.8268337). With u = (G - G_min) /
(G_max - G_min), a pulse count p >= 0 along the curve of one polarity gives

.. math:: u(p) = B\,(1 - e^{-p/A}), \qquad B = 1 / (1 - e^{-P/A}), \qquad A = a P

with P the pulses of that polarity over the whole range. n pulses from any state move along the curve, so

.. math:: u' = u + (B - u)\,(1 - e^{-n/A}) + \sigma\sqrt{\frac{1 - e^{-2n/A}}{1 - e^{-2\,\mathrm{sgn}(n)/A}}}\;\xi,
          \qquad \xi \sim N(0, 1)

exactly, for n pulses at once as for n times one (the noise in distribution): each pulse's noise fades as the later
pulses move on along the curve, which NeuroSim's own sqrt(|n|) leaves out. A noisy burst that comes within four standard
deviations of a bound has no closed form and is looped over, pulse by pulse; n < 0 on the curve
of the other polarity, where a < 0 means that the down curve bends the other way than the up curve (asymmetric) and
a > 0 that it retraces it. Then u is clipped to the cell's bounds. `a` is the paper's normalised A of the label NL.

Spread from device to device: each cell has a factor on its number of effective pulses, one per polarity,
exp(N(0, s²)) with log-normal spread s = `step_spread`, so that no cell runs backwards; and its own bounds, moved
inwards or outwards by N(0, (`bound_spread` (G_max - G_min))²) each, never below zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice, Window, si
from hardware_models.devices.state import alike, in_one_row
from hardware_models.kernels import exponential as kernels
from hardware_models.kernels import exponential_blocks as blocks
from hardware_models.kernels.bursts import Draws, as_float32
from hardware_models.kernels.listed import Kept, Listed, Sums
from hardware_models.kernels.random import normal, quantile_middles
from hardware_models.keys import Key


class ExponentialStepState(NamedTuple):
    """State of an array of exponential-step cells, all (rows, columns) float32."""

    g: np.ndarray  # conductance [S]
    factor_up: np.ndarray  # effective pulses per pulse, up [1]
    factor_down: np.ndarray  # effective pulses per pulse, down [1]
    low: np.ndarray  # lower bound of the cell [S]
    high: np.ndarray  # upper bound of the cell [S]


@dataclass(frozen=True, kw_only=True)
class ExponentialStep(BaseDevice[ExponentialStepState]):
    """Device with exponentially saturating steps (NeuroSim form); see the module for the equation."""

    name: str = "exponential_step"
    states_down: float = si("1", 1.0, 1e9, 0.0)  # pulses over the range, down; 0: as many as up
    a_up: float = si("1", -1e6, 1e6, 1e6)  # A/P of the up curve
    a_down: float = si("1", -1e6, 1e6, 1e6)  # A/P of the down curve
    cycle_noise: float = si("1", 0.0, 1.0, 0.0)  # sigma of one pulse in units of the range (cycle to cycle)
    step_spread: float = si("1", 0.0, 2.0, 0.0)  # log-normal spread of the step from device to device
    bound_spread: float = si("1", 0.0, 0.3, 0.0)  # spread of each bound in units of the range

    def __post_init__(self) -> None:
        """Fill in the down states and check the ranges."""
        if self.states_down == 0.0:
            object.__setattr__(self, "states_down", self.states)
        super().__post_init__()
        for name in ("a_up", "a_down"):
            if abs(getattr(self, name)) < 0.01:
                raise UsageError(f"device {self.name} needs |{name}| of at least 0.01, got {getattr(self, name):g}.")

    def imperfections(self) -> dict[str, list[str]]:
        """Return the names of the numbers that are read noise, write noise and spread."""
        return super().imperfections() | {"write_noise": ["cycle_noise"], "spread": ["step_spread", "bound_spread"]}

    def noise_of_finer_steps(self) -> tuple[str, ...]:
        """Return the noises of one pulse in units of the range."""
        return ("cycle_noise",)

    def straight(self) -> dict[str, float]:
        """Return the numbers that make every step the nominal one."""
        return {"a_up": 1e6, "a_down": 1e6}

    @staticmethod
    def asymptote(a: float) -> float:
        """Return B = 1/(1 - exp(-1/a))."""
        return -1.0 / math.expm1(-1.0 / a)

    def law(self) -> kernels.ExponentialLaw:
        """Return the figures as the kernels take them, float32."""
        law = kernels.ExponentialLaw(
            g_min=self.g_min,
            width=self.g_range,
            rate_up=1.0 / (self.a_up * self.states),
            asymptote_up=self.asymptote(self.a_up),
            rate_down=1.0 / (self.a_down * self.states_down),
            asymptote_down=self.asymptote(self.a_down),
            cycle_noise=self.cycle_noise,
        )
        return as_float32(law)

    def fabricate(self, shape: tuple[int, int], key: Key) -> ExponentialStepState:
        """Draw each cell's step factors and bounds; fresh cells lie within their bounds."""

        def spread(what: str, sigma: float) -> np.ndarray:
            return np.float32(sigma) * normal(shape, key.child(what)) if sigma > 0 else np.zeros(shape, np.float32)

        width = np.float32(self.g_range)
        low = np.float32(self.g_min) + width * spread("low", self.bound_spread)
        high = np.float32(self.g_max) + width * spread("high", self.bound_spread)
        low = np.maximum(low, np.float32(0.0))
        high = np.maximum(high, low)
        g = np.clip(self.fresh_conductance(shape, key), low, high)
        up, down = np.exp(spread("up", self.step_spread)), np.exp(spread("down", self.step_spread))
        return ExponentialStepState(g, up, down, low, high)

    def pulse(self, state: ExponentialStepState, pulses: np.ndarray, key: Key, window: Window | None = None) -> None:
        """Apply pulses in closed form."""
        if window is not None:
            rows, columns = window
            where = (np.asarray(rows)[:, None] * state.g.shape[1] + np.asarray(columns)).reshape(-1)
            self._move(state, where, pulses.reshape(-1), key)
            return
        most, number = np.empty(len(pulses), np.int32), np.empty(len(pulses), np.int64)
        kernels.look_through(pulses, most, number)
        if most.max(initial=0) > 1:
            first = np.concatenate(([0], np.cumsum(number)))
            where, some = np.empty(first[-1], np.int64), np.empty(first[-1], np.int32)
            kernels.list_whole(pulses, first, where, some)
            self._move(state, where, some, key)
            return
        kernels.exponential_step_singles(state, pulses, self.law(), _draws(key))

    def pulse_some(self, state: ExponentialStepState, where: np.ndarray, pulses: np.ndarray, key: Key) -> None:
        """Pulse the cells at flat positions `where` (k,) int64, each once; the bits of `pulse` with zeros elsewhere."""
        self._move(state, where, pulses, key)

    def _move(self, state: ExponentialStepState, where: np.ndarray, pulses: np.ndarray, key: Key) -> None:
        """Do what `pulse_some` says; `pulse` calls this, so that a class with a `pulse_some` of its own may call both."""
        with in_one_row(state) as rows:
            flat = ExponentialStepState(*(row[0] for row in rows))
            blocks.exponential_step_listed(flat, where, pulses, self.law(), _draws(key))

    def pulse_pairs(
        self, state: ExponentialStepState, counts: np.ndarray, parity: int, listed: Listed, kept: Kept, sums: Sums, key: Key
    ) -> None:  # fmt: skip
        """Do what the base class says in one pass."""
        if type(self).pulse_some is not ExponentialStep.pulse_some or not alike(state):
            super().pulse_pairs(state, counts, parity, listed, kept, sums, key)
            return
        blocks.exponential_step_pairs(state, counts, parity, listed, kept, sums, self.law(), _draws(key))


def _draws(key: Key) -> Draws:
    """Return the random numbers of the bursts of one key."""
    w0, w1, _, _ = key.words
    return Draws(w0, w1, quantile_middles())
