r"""A device that is written once and verified: programming error and drift, as measured on arrays for inference.

Not trainable in situ: pulses stand for the writer's ideal steps. They move a target by (G_max - G_min)/P each, and each
write draws a new error around it:

.. math:: g = \max(\hat g + \sigma(\hat g)\,\xi, 0), \qquad
          \sigma = \sum_{k=0}^{4} c_k (\hat g/G_{max})^k + A\,(1 - e^{-\hat g/B})

A read at time t, with age a = max(t - t_w, t_0)/t_0 since the last write, sees

.. math:: G(t) = g\,a^{-\nu} + m \ln a + (r_0 + r_1 \ln a)\,\xi_w \;\; (a > 1), \qquad
          \nu = \max(\bar\nu(g) + \sigma_\nu(g)\,\xi_{cell}, 0)

with mean and spread of nu = clip(slope ln(g/G_max) + offset, low, high), the mean replaced above `nu_knee` by
q2 (g/G_max)² + q1 (g/G_max) + q0; and 1/f read noise of standard deviation Q g sqrt(ln[(t + t_r)/(2 t_r)]),
Q = min(q (g/G_max)^-e, Q_max), drawn anew for each read. xi_cell stays with the cell, xi_w is drawn with each write.
Fits: Nandakumar et al., ICECS 2019, doi:10.1109/ICECS46596.2019.8964852, and those of the parameter files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from hardware_models.devices.base import BaseDevice, Window, crossings, si
from hardware_models.kernels import drift, switching
from hardware_models.kernels.random import normal, quantile_middles
from hardware_models.keys import Key


class ProgrammedState(NamedTuple):
    """State of an array of programmed cells, (rows, columns)."""

    g: np.ndarray  # conductance t0 after the last write [S]
    target: np.ndarray  # what the writer wanted [S], float64
    written: np.ndarray  # time of the last write [s], float64
    xi: np.ndarray  # the cell's normal number of the drift exponent [1]
    relax: np.ndarray  # the write's normal number of the relaxation [1]


@dataclass(frozen=True, kw_only=True)
class Programmed(BaseDevice):
    """Written and verified device with drift; see the module for the equations."""

    timed: ClassVar[bool] = True
    trainable: ClassVar[bool] = False

    name: str = "programmed"
    error_0: float = si("S", -1.0, 1.0, 0.0)  # c_0 of the programming error
    error_1: float = si("S", -1.0, 1.0, 0.0)
    error_2: float = si("S", -1.0, 1.0, 0.0)
    error_3: float = si("S", -1.0, 1.0, 0.0)
    error_4: float = si("S", -1.0, 1.0, 0.0)
    error_high: float = si("S", 0.0, 1.0, 0.0)  # A
    error_scale: float = si("S", 0.0, 1.0, 1.0, low_open=True)  # B
    t0: float = si("s", 0.0, 1e6, 1.0, low_open=True)  # time after a write to which g belongs
    nu_slope: float = si("1", -1.0, 1.0, 0.0)
    nu: float = si("1", -0.5, 0.5, 0.0)
    nu_low: float = si("1", 0.0, 0.5, 0.0)
    nu_high: float = si("1", 0.0, 0.5, 0.5)
    nu_spread_slope: float = si("1", -1.0, 1.0, 0.0)
    nu_spread: float = si("1", -0.5, 0.5, 0.0)
    nu_spread_low: float = si("1", 0.0, 0.5, 0.0)
    nu_spread_high: float = si("1", 0.0, 0.5, 0.5)
    nu_knee: float = si("1", 0.0, 1e9, 1e9)  # share of g_max above which the mean exponent is the polynomial
    nu_2: float = si("1", -1.0, 1.0, 0.0)
    nu_1: float = si("1", -1.0, 1.0, 0.0)
    nu_0: float = si("1", -1.0, 1.0, 0.0)
    log_drift: float = si("S", -1.0, 1.0, 0.0)  # m, per e-fold of time
    relax_0: float = si("S", 0.0, 1.0, 0.0)  # r_0
    relax_1: float = si("S", 0.0, 1.0, 0.0)  # r_1, per e-fold of time
    q_noise: float = si("1", 0.0, 1.0, 0.0)  # q of the 1/f noise
    q_exponent: float = si("1", 0.0, 5.0, 0.0)
    q_high: float = si("1", 0.0, 1.0, 1.0)
    t_noise: float = si("s", 0.0, 1.0, 250e-9, low_open=True)  # t_r of the 1/f noise

    def imperfections(self) -> dict[str, list[str]]:
        """Return which numbers are read noise, write noise and spread."""
        return {
            "read_noise": [*super().imperfections()["read_noise"], "q_noise"],
            "write_noise": [*(f"error_{k}" for k in range(5)), "error_high", "relax_0", "relax_1"],
            "spread": ["nu_spread_slope", "nu_spread", "nu_spread_low"],
        }

    def coefficients(self) -> np.ndarray:
        """Return (g_min, g_max, step, c0 .. c4, A, B) as the kernel takes them, float64 [S]."""
        poly = (self.error_0, self.error_1, self.error_2, self.error_3, self.error_4)
        return np.array([self.g_min, self.g_max, self.g_range / self.states, *poly, self.error_high, self.error_scale])

    def drift_law(self) -> np.ndarray:
        """Return the figures of the drift as `kernels.drift.drifted` takes them."""
        mean = (self.nu_slope, self.nu, self.nu_low, self.nu_high)
        spread = (self.nu_spread_slope, self.nu_spread, self.nu_spread_low, self.nu_spread_high)
        above = (self.nu_knee, self.nu_2, self.nu_1, self.nu_0)
        after = (self.log_drift, self.relax_0, self.relax_1, 0.0)
        return np.array([self.t0, self.g_max, *mean, *spread, *above, *after])

    def fabricate(self, shape: tuple[int, int], key: Key) -> ProgrammedState:
        """Return fresh cells, which count as written at time 0 without error."""
        g = self.fresh_conductance(shape, key)
        xi, relax = normal(shape, key.child("nu")), normal(shape, key.child("relax"))
        return ProgrammedState(g, g.astype(np.float64), np.zeros(shape), xi, relax)

    def pulse(
        self, state: Any, pulses: np.ndarray, key: Key, window: Window | None = None, *, time: float = 0.0
    ) -> None:
        """Move the targets by ideal steps and write the cells anew at `time` [s]."""
        w0, w1, _, _ = key.words
        place = crossings(state.g.shape, window)
        cells = (state.g, state.target, state.relax)
        switching.verified_writes(*cells, pulses, *place, self.coefficients(), w0, w1, quantile_middles())
        drift.stamp(state.written, pulses, *place, time)

    def conductance(self, state: Any, time: float) -> np.ndarray:
        """Return the conductance at `time` [S]."""
        out = np.empty_like(state.g)
        drift.drifted(state.g, state.written, state.xi, state.relax, self.drift_law(), time, out)
        return out

    def read_variance(self, state: Any, time: float) -> np.ndarray | float:
        """Return white and 1/f noise together [S²]."""
        white = super().read_variance(state, time)
        if self.q_noise == 0.0:
            return white
        out = np.empty_like(state.g)
        law = np.array([self.g_max, self.q_noise, self.q_exponent, self.q_high])
        drift.slow_noise(state.g, state.written, time, law, self.t_noise, out)
        return out + np.float32(white)
