r"""Ferroelectric transistor (FeFET): domains switch, conductance saturates.

Under identical pulses the switched share of the domains follows a stretched exponential of the number of pulses
(Kolmogorov-Avrami; Ishibashi and Takagi, J. Phys. Soc. Jpn. 31, 506 (1971), doi:10.1143/JPSJ.31.506). With
u = (G - G_min)/(G_max - G_min), P the pulses over the range and k the `saturation`,

.. math:: u(n) = B\,\left(1 - e^{-(k n/P)^\beta}\right), \qquad B = 1/(1 - e^{-k^\beta})

n pulses from any state move along this curve, m -> m + f n with m the count at which the curve passes u and f the
cell's factor: n pulses at once are n times one, exactly. Noise adds sigma xi pulse by pulse, stopped at the bounds.

scheme = "identical": a down pulse switches the domains back along the mirrored curve, 1 - u in place of u.
scheme = "incremental": the driver raises the amplitude from pulse to pulse and so walks up and down one staircase; a
down pulse retraces the curve (with its own k). The driver must know where on the staircase it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice, si
from hardware_models.devices.drawn import cell_bounds, log_normal
from hardware_models.devices.state import in_one_row
from hardware_models.devices.windows import Window, crossings
from hardware_models.kernels import switching
from hardware_models.kernels.bursts import Burst, Draws, as_float64, crossing, listing
from hardware_models.kernels.random import quantile_middles
from hardware_models.keys import Key

SCHEMES = ("identical", "incremental")


class FerroelectricState(NamedTuple):
    """State of an array of ferroelectric cells, (rows, columns) float32."""

    g: np.ndarray  # conductance [S]
    factor_up: np.ndarray  # effective pulses per pulse, up [1]
    factor_down: np.ndarray  # effective pulses per pulse, down [1]
    low: np.ndarray  # lower bound [S]
    high: np.ndarray  # upper bound [S]


@dataclass(frozen=True, kw_only=True)
class Ferroelectric(BaseDevice[FerroelectricState]):
    """Ferroelectric device of switching domains; see the module for the equations."""

    name: str = "ferroelectric"
    scheme: str = "identical"
    saturation_up: float = si("1", 0.0, 20.0, 1.0, low_open=True)  # k of the up curve
    saturation_down: float = si("1", 0.0, 20.0, 1.0, low_open=True)  # k of the down curve
    shape_exponent: float = si("1", 0.2, 5.0, 1.0)  # beta
    cycle_noise: float = si("1", 0.0, 1.0, 0.0)  # sigma of one pulse in units of the range
    step_spread: float = si("1", 0.0, 2.0, 0.0)  # log-normal spread of the effective pulses
    bound_spread: float = si("1", 0.0, 0.3, 0.0)  # spread of each bound in units of the range

    def __post_init__(self) -> None:
        """Check the scheme as well."""
        super().__post_init__()
        if self.scheme not in SCHEMES:
            raise UsageError(f"device {self.name} needs scheme to be one of {', '.join(SCHEMES)}, got {self.scheme!r}.")

    def imperfections(self) -> dict[str, list[str]]:
        """Return the names of the numbers that are read noise, write noise and spread."""
        return super().imperfections() | {"write_noise": ["cycle_noise"], "spread": ["step_spread", "bound_spread"]}

    def noise_of_finer_steps(self) -> tuple[str, ...]:
        """Return the noises of one pulse in units of the range."""
        return ("cycle_noise",)

    def law(self) -> switching.DomainLaw:
        """Return the figures as the kernel takes them, float64."""
        law = switching.DomainLaw(
            g_min=self.g_min,
            width=self.g_range,
            rate_up=self.saturation_up / self.states,
            rate_down=self.saturation_down / self.states,
            height_up=-1.0 / math.expm1(-(self.saturation_up**self.shape_exponent)),
            height_down=-1.0 / math.expm1(-(self.saturation_down**self.shape_exponent)),
            beta=self.shape_exponent,
            cycle_noise=self.cycle_noise,
            mirror=float(self.scheme == "identical"),
        )
        return as_float64(law)

    def fabricate(self, shape: tuple[int, int], key: Key) -> FerroelectricState:
        """Draw each cell's factors and bounds."""
        low, high = cell_bounds(self, self.bound_spread, shape, key)
        g = np.clip(self.fresh_conductance(shape, key), low, high)
        up, down = (log_normal(shape, self.step_spread, key.child(w)) for w in ("up", "down"))
        return FerroelectricState(g, up, down, low, high)

    def pulse(self, state: FerroelectricState, pulses: np.ndarray, key: Key, window: Window | None = None) -> None:
        """Move along the switching curve by its closed form."""
        self._switch(state, crossing(pulses, *crossings(state.g.shape, window), window is None), key)

    def pulse_some(self, state: FerroelectricState, where: np.ndarray, pulses: np.ndarray, key: Key) -> None:
        """Do what `pulse` does with the cells at flat positions `where` (k,) int64, each once."""
        with in_one_row(state) as rows:
            self._switch(FerroelectricState(*rows), listing(pulses, where), key)

    def _switch(self, state: FerroelectricState, burst: Burst, key: Key) -> None:
        w0, w1, _, _ = key.words
        switching.domain_switching(state, burst, self.law(), Draws(w0, w1, quantile_middles()))
