r"""A device that is written once and verified: programming error and drift, as measured on arrays for inference.

Not trainable in situ: pulses stand for the writer's ideal steps. They move a target by (G_max - G_min)/P each, and each
write draws a new error around it:

.. math:: g = \max(\bar g + \sigma(\bar g)\,\xi, 0), \qquad
          \bar g = \max\Bigl(\hat g + \sum_{k=0}^{10} d_k (\hat g/G_{max})^k, 0\Bigr), \qquad
          \sigma = \sum_{k=0}^{4} c_k (\bar g/G_{max})^k + A\,(1 - e^{-\bar g/B})

A read at time t, with age a = max(t - t_w, t_0)/t_0 since the last write, sees

.. math:: G(t) = g\,a^{-\nu} + m \ln a + (r_0 + r_1 \ln a)\,\xi_w \;\; (a > 1), \qquad
          \nu = \max(\bar\nu(g) + \sigma_\nu(g)\,\xi_{cell}, 0)

with mean and spread of nu = clip(slope ln(g/G_max) + offset, low, high), each replaced above its knee by a polynomial
n2 (g/G_max)² + n1 (g/G_max) + n0. d is what an array has lost or gained on average by the time of the fit.

Reads have 1/f noise of standard deviation Q G(t) sqrt(ln[(t + t_r)/(2 t_r)]), a share of the drifted conductance, with
Q = clip(q (g/G_max)^-e + q' ln(g/G_max), low, high), above `q_knee` a polynomial of order 3; and noise A_r (1 - e^{-G/B_r}).
Both are drawn anew for each read. xi_cell stays with the cell, xi_w is drawn with each write.
Fits: Nandakumar et al., ICECS 2019, doi:10.1109/ICECS46596.2019.8964852, and those of the parameter files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from hardware_models.devices.base import BaseDevice, si
from hardware_models.devices.drawn import saturating_variance
from hardware_models.devices.windows import Window, crossings
from hardware_models.kernels import drift, switching
from hardware_models.kernels.bursts import Draws, as_float64, crossing
from hardware_models.kernels.random import normal, quantile_middles
from hardware_models.keys import Key


class ProgrammedState(NamedTuple):
    """State of an array of programmed cells, (rows, columns)."""

    g: np.ndarray  # conductance t0 after the last write [S]
    target: np.ndarray  # what the writer wanted [S], float64
    written: np.ndarray  # time of the last write [s], float64
    xi: np.ndarray  # the cell's normal number of the drift exponent [1]
    relax: np.ndarray  # the write's normal number of the relaxation [1]


SLOW = ("q_noise", "q_slope", "q_low", "q_3", "q_2", "q_1", "q_0")
"""Figures of the 1/f noise, all 0 without it."""


@dataclass(frozen=True, kw_only=True)
class Programmed(BaseDevice[ProgrammedState]):
    """Written and verified device with drift; see the module for the equations."""

    timed: ClassVar[bool] = True
    trainable: ClassVar[bool] = False

    name: str = "programmed"
    shift_0: float = si("S", -1.0, 1.0, 0.0)  # d_0 of the mean shift
    shift_1: float = si("S", -1.0, 1.0, 0.0)
    shift_2: float = si("S", -1.0, 1.0, 0.0)
    shift_3: float = si("S", -1.0, 1.0, 0.0)
    shift_4: float = si("S", -1.0, 1.0, 0.0)
    shift_5: float = si("S", -1.0, 1.0, 0.0)
    shift_6: float = si("S", -1.0, 1.0, 0.0)
    shift_7: float = si("S", -1.0, 1.0, 0.0)
    shift_8: float = si("S", -1.0, 1.0, 0.0)
    shift_9: float = si("S", -1.0, 1.0, 0.0)
    shift_10: float = si("S", -1.0, 1.0, 0.0)
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
    nu_spread_knee: float = si("1", 0.0, 1e9, 1e9)  # the same of the spread
    nu_spread_2: float = si("1", -1.0, 1.0, 0.0)
    nu_spread_1: float = si("1", -1.0, 1.0, 0.0)
    nu_spread_0: float = si("1", -1.0, 1.0, 0.0)
    log_drift: float = si("S", -1.0, 1.0, 0.0)  # m, per e-fold of time
    relax_0: float = si("S", 0.0, 1.0, 0.0)  # r_0
    relax_1: float = si("S", 0.0, 1.0, 0.0)  # r_1, per e-fold of time
    q_noise: float = si("1", -1.0, 1.0, 0.0)  # q of the 1/f noise
    q_exponent: float = si("1", 0.0, 5.0, 0.0)
    q_slope: float = si("1", -1.0, 1.0, 0.0)  # q'
    q_low: float = si("1", 0.0, 1.0, 0.0)
    q_high: float = si("1", 0.0, 1.0, 1.0)
    q_knee: float = si("1", 0.0, 1e9, 1e9)  # share of g_max above which Q is the polynomial
    q_3: float = si("1", -1.0, 1.0, 0.0)
    q_2: float = si("1", -1.0, 1.0, 0.0)
    q_1: float = si("1", -1.0, 1.0, 0.0)
    q_0: float = si("1", -1.0, 1.0, 0.0)
    t_noise: float = si("s", 0.0, 1.0, 250e-9, low_open=True)  # t_r of the 1/f noise
    read_noise_high: float = si("S", 0.0, 1.0, 0.0)  # A_r: noise of one read far above B_r
    read_noise_scale: float = si("S", 0.0, 1.0, 1.0, low_open=True)  # B_r

    def imperfections(self) -> dict[str, list[str]]:
        """Return the names of the numbers that are read noise, write noise and spread."""
        return {
            "read_noise": [*super().imperfections()["read_noise"], *SLOW, "read_noise_high"],
            "write_noise": [*(f"error_{k}" for k in range(5)), "error_high", "relax_0", "relax_1"],
            "spread": ["nu_spread_slope", "nu_spread", "nu_spread_low", *(f"nu_spread_{k}" for k in range(3))],
        }

    def law(self) -> switching.WriteLaw:
        """Return the figures of a write as the kernel takes them, float64."""
        law = switching.WriteLaw(
            g_min=self.g_min,
            g_max=self.g_max,
            step=self.g_range / self.states,
            error_0=self.error_0,
            error_1=self.error_1,
            error_2=self.error_2,
            error_3=self.error_3,
            error_4=self.error_4,
            error_high=self.error_high,
            error_scale=self.error_scale,
        )
        return as_float64(law)

    def shift(self) -> np.ndarray:
        """Return d_0, d_1, ... up to the last that is not zero, float64 [S]."""
        figures = [getattr(self, f"shift_{k}") for k in range(11)]
        return np.trim_zeros(np.array(figures), "b")

    def drift_law(self) -> drift.DriftLaw:
        """Return the figures of the drift as `kernels.drift.drifted` takes them, float64."""
        law = drift.DriftLaw(
            t0=self.t0, g_max=self.g_max,
            nu_slope=self.nu_slope, nu=self.nu, nu_low=self.nu_low, nu_high=self.nu_high,
            spread_slope=self.nu_spread_slope, spread=self.nu_spread,
            spread_low=self.nu_spread_low, spread_high=self.nu_spread_high,
            nu_knee=self.nu_knee, nu_2=self.nu_2, nu_1=self.nu_1, nu_0=self.nu_0,
            log_drift=self.log_drift, relax_0=self.relax_0, relax_1=self.relax_1,
            spread_knee=self.nu_spread_knee,
            spread_2=self.nu_spread_2, spread_1=self.nu_spread_1, spread_0=self.nu_spread_0,
        )  # fmt: skip
        return as_float64(law)

    def slow_law(self) -> drift.SlowNoiseLaw:
        """Return the figures of the 1/f noise as `kernels.drift.slow_noise` takes them, float64."""
        law = drift.SlowNoiseLaw(
            self.g_max, q=self.q_noise, exponent=self.q_exponent, low=self.q_low, high=self.q_high, slope=self.q_slope,
            knee=self.q_knee, q_3=self.q_3, q_2=self.q_2, q_1=self.q_1, q_0=self.q_0,
        )  # fmt: skip
        return as_float64(law)

    def fabricate(self, shape: tuple[int, int], key: Key) -> ProgrammedState:
        """Return fresh cells, which count as written at time 0 without error."""
        g = self.fresh_conductance(shape, key)
        xi, relax = normal(shape, key.child("nu")), normal(shape, key.child("relax"))
        return ProgrammedState(g, g.astype(np.float64), np.zeros(shape), xi, relax)

    def pulse(
        self, state: ProgrammedState, pulses: np.ndarray, key: Key, window: Window | None = None, *, time: float = 0.0
    ) -> None:
        """Move the targets by ideal steps and write the cells anew at `time` [s]."""
        w0, w1, _, _ = key.words
        place = crossings(state.g.shape, window)
        cells, burst = (state.g, state.target, state.relax), crossing(pulses, *place, window is None)
        switching.verified_writes(cells, burst, self.law(), self.shift(), Draws(w0, w1, quantile_middles()))
        drift.stamp(state.written, pulses, *place, time)

    def conductance(self, state: ProgrammedState, time: float) -> np.ndarray:
        """Return the conductance at `time` [S]."""
        out = np.empty_like(state.g)
        drift.drifted(state.g, state.written, state.xi, state.relax, self.drift_law(), time, out)
        return out

    def read_variance(self, state: ProgrammedState, time: float) -> np.ndarray | float:
        """Return white noise, the one that saturates and 1/f noise together [S²]."""
        variance = super().read_variance(state, time)
        slow = any(getattr(self, name) != 0.0 for name in SLOW)
        if not slow and self.read_noise_high == 0.0:
            return variance
        g = self.conductance(state, time)
        if self.read_noise_high > 0.0:
            variance = np.float32(variance) + saturating_variance(self.read_noise_high, self.read_noise_scale, g)
        if slow:
            out = np.empty_like(state.g)
            drift.slow_noise(state.g, g, state.written, time, self.slow_law(), self.t_noise, out)
            variance = out + np.float32(variance)
        return variance
