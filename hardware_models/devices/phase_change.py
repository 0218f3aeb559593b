r"""Phase-change memory: one-sided, noisy, drifting.

Partial SET pulses raise the conductance in steps that shrink as it grows; a RESET melts the cell and throws it back to
its lower bound. With u = (G - G_min)/(G_max - G_min) and a cell factor f,

.. math:: u \leftarrow u + \Delta + \sigma_c (\Delta + \sigma_a + \sigma_s u)\,\xi, \qquad
          \Delta = \delta f (1 + A e^{-\gamma u}), \qquad \xi \sim N(0, 1)

pulse by pulse, clipped to the cell's bounds: the one-sided exponential step with complex noise fitted to the
measurements of Nandakumar et al., Front. Neurosci. 14:406 (2020), doi:10.3389/fnins.2020.00406. Any number of negative
pulses is one RESET: u falls to the cell's bound, plus `reset_noise` \|xi\|.

A pair uses positive pulses only (`polarities` is "up"). When either side is near its top the pair is refreshed: the
wanted weight is read, both sides get a RESET, and the side that should lead gets the SET pulses of the difference
(`Crossbar.refresh`, by itself after every `refresh_every` writes).

**Drift.** The stored g is the conductance t0 after the last write. A read at time t sees

.. math:: G(t) = g \left(\max(t - t_w, t_0)/t_0\right)^{-\nu}, \qquad
          \nu = \max(\bar\nu(g) + \sigma_\nu(g)\,\xi_{cell}, 0)

with clipped logarithms for the mean and the spread of the exponent (Nandakumar et al., ICECS 2019,
doi:10.1109/ICECS46596.2019.8964852). Pulses act on g and set t_w, so drift is never applied twice and starts anew with
each write: what drifts is the amorphous phase, which a pulse makes afresh.

**1/f read noise.** Standard deviation Q G(t) sqrt(ln[(t + t_r)/(2 t_r)]), Q = min(q (g/G_max)^-e, Q_max), t since the
write: a share, given by the conductance as written, of the drifted one. It is drawn anew for each read: its correlation
between reads is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from hardware_models.devices.base import BaseDevice, Polarities, si
from hardware_models.devices.drawn import cell_bounds, log_normal
from hardware_models.devices.windows import Window, crossings
from hardware_models.kernels import drift, switching
from hardware_models.kernels.bursts import Draws, as_float32, as_float64, crossing
from hardware_models.kernels.random import normal, quantile_middles
from hardware_models.keys import Key


class PhaseChangeState(NamedTuple):
    """State of an array of phase-change cells, (rows, columns)."""

    g: np.ndarray  # conductance t0 after the last write [S]
    written: np.ndarray  # time of the last write [s], float64
    xi: np.ndarray  # the cell's normal number of the drift exponent [1]
    factor_up: np.ndarray  # step of a partial SET in units of the mean step [1]
    low: np.ndarray  # bound of a RESET [S]
    high: np.ndarray  # bound of the SET [S]


@dataclass(frozen=True, kw_only=True)
class PhaseChange(BaseDevice[PhaseChangeState]):
    """One-sided phase-change memory with drift and 1/f noise; see the module for the equations."""

    timed: ClassVar[bool] = True
    polarities: ClassVar[Polarities] = "up"

    name: str = "phase_change"
    fresh: str = "low"
    amplitude: float = si("1", 0.0, 1000.0, 0.0)  # A: extra size of the first step
    gamma: float = si("1", 0.0, 100.0, 0.0)  # decay of the step with u
    cycle_noise: float = si("1", 0.0, 10.0, 0.0)  # sigma_c, in units of the step
    noise_add: float = si("1", 0.0, 1.0, 0.0)  # sigma_a, in units of the range
    noise_slope: float = si("1", 0.0, 1.0, 0.0)  # sigma_s
    refresh_share: float = si("1", 0.0, 0.9, 0.2)  # a pair is refreshed when a device is this near its upper bound
    refresh_every: float = si("1", 0.0, 1e9, 100.0)  # writes between two looks at all pairs; 0: never by itself
    reset_noise: float = si("1", 0.0, 0.5, 0.0)  # spread of one RESET in units of the range
    step_spread: float = si("1", 0.0, 2.0, 0.0)  # log-normal spread of the step from device to device
    bound_spread: float = si("1", 0.0, 0.3, 0.0)  # spread of each bound in units of the range
    t0: float = si("s", 0.0, 1e6, 20.0, low_open=True)  # time after a write to which g belongs
    nu_slope: float = si("1", -1.0, 1.0, 0.0)  # mean exponent: slope of ln(g/g_max)
    nu: float = si("1", -0.5, 0.5, 0.0)  # mean exponent at g_max
    nu_low: float = si("1", 0.0, 0.5, 0.0)
    nu_high: float = si("1", 0.0, 0.5, 0.5)
    nu_spread_slope: float = si("1", -1.0, 1.0, 0.0)  # spread of the exponent: slope of ln(g/g_max)
    nu_spread: float = si("1", -0.5, 0.5, 0.0)  # spread of the exponent at g_max
    nu_spread_low: float = si("1", 0.0, 0.5, 0.0)
    nu_spread_high: float = si("1", 0.0, 0.5, 0.5)
    q_noise: float = si("1", 0.0, 1.0, 0.0)  # q of the 1/f noise
    q_exponent: float = si("1", 0.0, 5.0, 0.0)
    q_high: float = si("1", 0.0, 1.0, 1.0)
    t_noise: float = si("s", 0.0, 1.0, 250e-9, low_open=True)  # t_r of the 1/f noise

    def imperfections(self) -> dict[str, list[str]]:
        """Return the names of the numbers that are read noise, write noise and spread."""
        base = super().imperfections()
        return {
            "read_noise": [*base["read_noise"], "q_noise"],
            "write_noise": ["cycle_noise", "reset_noise"],
            "spread": ["step_spread", "bound_spread", "nu_spread_slope", "nu_spread", "nu_spread_low"],
        }

    def law(self) -> switching.SetLaw:
        """Return the figures of the pulses as the kernel takes them, float32."""
        law = switching.SetLaw(
            g_min=self.g_min,
            width=self.g_range,
            step=1.0 / self.states,
            amplitude=self.amplitude,
            gamma=self.gamma,
            cycle=self.cycle_noise,
            added=self.noise_add,
            slope=self.noise_slope,
            reset=self.reset_noise,
        )
        return as_float32(law)

    def drift_law(self) -> drift.DriftLaw:
        """Return the figures of the drift as `kernels.drift.drifted` takes them, float64."""
        law = drift.DriftLaw(
            t0=self.t0,
            g_max=self.g_max,
            nu_slope=self.nu_slope,
            nu=self.nu,
            nu_low=self.nu_low,
            nu_high=self.nu_high,
            spread_slope=self.nu_spread_slope,
            spread=self.nu_spread,
            spread_low=self.nu_spread_low,
            spread_high=self.nu_spread_high,
        )
        return as_float64(law)

    def slow_law(self) -> drift.SlowNoiseLaw:
        """Return the figures of the 1/f noise as `kernels.drift.slow_noise` takes them, float64."""
        law = drift.SlowNoiseLaw(self.g_max, q=self.q_noise, exponent=self.q_exponent, low=0.0, high=self.q_high)
        return as_float64(law)

    def noise_of_finer_steps(self) -> tuple[str, ...]:
        """Return the noises of one pulse in units of the range."""
        return ("noise_add", "noise_slope")

    def fabricate(self, shape: tuple[int, int], key: Key) -> PhaseChangeState:
        """Draw each cell's step, bounds and drift exponent; fresh cells count as written at time 0."""
        low, high = cell_bounds(self, self.bound_spread, shape, key)
        g = np.clip(self.fresh_conductance(shape, key), low, high)
        xi = normal(shape, key.child("nu"))
        up = log_normal(shape, self.step_spread, key.child("up"))
        return PhaseChangeState(g, np.zeros(shape), xi, up, low, high)

    def pulse(
        self, state: PhaseChangeState, pulses: np.ndarray, key: Key, window: Window | None = None, *, time: float = 0.0
    ) -> None:
        """Apply n > 0 partial SET pulses, or a RESET for n < 0, at `time` [s]."""
        w0, w1, _, _ = key.words
        place = crossings(state.g.shape, window)
        cells, burst = (state.g, state.factor_up, state.low, state.high), crossing(pulses, *place, window is None)
        switching.partial_sets(cells, burst, self.law(), Draws(w0, w1, quantile_middles()))
        drift.stamp(state.written, pulses, *place, time)

    def renew(self, state: PhaseChangeState, cells: np.ndarray, key: Key, *, time: float = 0.0) -> None:
        """RESET the cells where `cells` is true, at `time` [s]."""
        self.pulse(state, -np.asarray(cells, np.int32), key.child("renew"), time=time)

    def conductance(self, state: PhaseChangeState, time: float) -> np.ndarray:
        """Return the drifted conductance at `time` [S]."""
        out = np.empty_like(state.g)
        drift.drifted(state.g, state.written, state.xi, state.xi, self.drift_law(), time, out)
        return out

    def read_variance(self, state: PhaseChangeState, time: float) -> np.ndarray | float:
        """Return white and 1/f noise together [S²]."""
        white = super().read_variance(state, time)
        if self.q_noise == 0.0:
            return white
        out = np.empty_like(state.g)
        now = self.conductance(state, time)
        drift.slow_noise(state.g, now, state.written, time, self.slow_law(), self.t_noise, out)
        return out + np.float32(white)
