r"""Charge-trap memory (SONOS, floating gate) read below threshold: the logarithm of the conductance is linear.

A pulse moves the threshold voltage by an equal step, and the current below threshold depends on it exponentially. With
x the level in [0, 1] and f the cell's factor,

.. math:: x \leftarrow x + n f/P + \sigma\sqrt{|n|}\,\xi, \qquad
          G = G_{min}\,(G_{max}/G_{min})^{x} + A\,(1 - e^{-G/B})\,\xi'

n pulses at once are n times one in distribution: a noisy burst that may reach x = 0 or 1 is looped over. The second term
is the programming error that a read sees; it is drawn anew with each write and the level x does not know of it. Its form is
the fit of 40 nm SONOS arrays (Agrawal et al., IEDM 2022, doi:10.1109/IEDM45625.2022.10019564).

Lost charge moves the threshold by equal amounts in each decade of time, so that a read at t sees

.. math:: G(t) = G\,\left(\max(t - t_w, t_0)/t_0\right)^{-\nu},\qquad
          \nu = \bar\nu + \nu'\ln(G/G_{max}) + \sigma_\nu\xi_{cell}

counted from the cell's last write t_w; a cell of negative nu gains charge of the other sign. Reads have noise of standard
deviation A_r (1 - e^{-G(t)/B_r}) beside that of every device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice, si
from hardware_models.devices.drawn import log_normal, saturating_variance
from hardware_models.devices.windows import Window, crossings
from hardware_models.kernels import charge, drift
from hardware_models.kernels.bursts import Draws, as_float64, crossing
from hardware_models.kernels.random import normal, quantile_middles
from hardware_models.keys import Key


class FloatingGateState(NamedTuple):
    """State of an array of charge-trap cells, (rows, columns)."""

    g: np.ndarray  # conductance t0 after the last write, programming error included [S]
    level: np.ndarray  # x [1], float64
    written: np.ndarray  # time of the last write [s], float64
    xi: np.ndarray  # the cell's normal number of the drift exponent [1]
    factor_up: np.ndarray  # step in units of the mean step, up [1]
    factor_down: np.ndarray  # step in units of the mean step, down [1]


@dataclass(frozen=True, kw_only=True)
class FloatingGate(BaseDevice[FloatingGateState]):
    """Charge-trap device, linear in the logarithm; see the module for the equations."""

    timed: ClassVar[bool] = True

    name: str = "floating_gate"
    states_down: float = si("1", 1.0, 1e9, 0.0)  # pulses over the range, down; 0: as many as up
    cycle_noise: float = si("1", 0.0, 1.0, 0.0)  # sigma of one pulse in units of the level's range
    step_spread: float = si("1", 0.0, 2.0, 0.0)  # log-normal spread of the step from device to device
    error_high: float = si("S", 0.0, 1.0, 0.0)  # A: programming error far above B
    error_scale: float = si("S", 0.0, 1.0, 1.0, low_open=True)  # B
    t0: float = si("s", 0.0, 1e6, 1.0, low_open=True)  # time after a write to which g belongs
    nu: float = si("1", -0.5, 0.5, 0.0)  # mean exponent of the loss at g_max
    nu_slope: float = si("1", -0.5, 0.5, 0.0)  # nu': its change per e-fold of g
    nu_spread: float = si("1", 0.0, 0.5, 0.0)  # its spread from device to device
    read_noise_high: float = si("S", 0.0, 1.0, 0.0)  # A_r: noise of one read far above B_r
    read_noise_scale: float = si("S", 0.0, 1.0, 1.0, low_open=True)  # B_r

    def __post_init__(self) -> None:
        """Fill in the down states and check that the logarithm exists."""
        if self.states_down == 0.0:
            object.__setattr__(self, "states_down", self.states)
        super().__post_init__()
        if self.g_min <= 0.0:
            raise UsageError(f"device {self.name} needs g_min above 0 S, its levels are steps of the logarithm.")

    def imperfections(self) -> dict[str, list[str]]:
        """Return the names of the numbers that are read noise, write noise and spread."""
        read = [*super().imperfections()["read_noise"], "read_noise_high"]
        write, spread = ["cycle_noise", "error_high"], ["step_spread", "nu_spread"]
        return {"read_noise": read, "write_noise": write, "spread": spread}

    def noise_of_finer_steps(self) -> tuple[str, ...]:
        """Return the noises of one pulse in units of the range."""
        return ("cycle_noise",)

    def law(self) -> charge.LogLaw:
        """Return the figures as the kernel takes them, float64."""
        law = charge.LogLaw(
            g_min=self.g_min,
            logarithm=math.log(self.g_max / self.g_min),
            step_up=1.0 / self.states,
            step_down=1.0 / self.states_down,
            cycle_noise=self.cycle_noise,
            error_high=self.error_high,
            error_scale=self.error_scale,
        )
        return as_float64(law)

    def drift_law(self) -> drift.DriftLaw:
        """Return the figures of the loss as `kernels.drift.drifted` takes them, float64; the exponent may be negative."""
        law = drift.DriftLaw(
            t0=self.t0,
            g_max=self.g_max,
            nu_slope=self.nu_slope,
            nu=self.nu,
            nu_low=-0.5,
            nu_high=0.5,
            spread_slope=0.0,
            spread=self.nu_spread,
            spread_low=0.0,
            spread_high=0.5,
            nu_least=-1.0,
        )
        return as_float64(law)

    def fabricate(self, shape: tuple[int, int], key: Key) -> FloatingGateState:
        """Draw each cell's steps and loss; fresh cells count as written at time 0."""
        g = self.fresh_conductance(shape, key)
        level = np.log(g.astype(np.float64) / self.g_min) / math.log(self.g_max / self.g_min)
        up, down = (log_normal(shape, self.step_spread, key.child(w)) for w in ("up", "down"))
        return FloatingGateState(g, np.clip(level, 0.0, 1.0), np.zeros(shape), normal(shape, key.child("nu")), up, down)

    def pulse(
        self, state: FloatingGateState, pulses: np.ndarray, key: Key, window: Window | None = None, *, time: float = 0.0
    ) -> None:
        """Move the level, redraw the programming error and start the loss anew at `time` [s]."""
        w0, w1, _, _ = key.words
        place = crossings(state.g.shape, window)
        cells = (state.g, state.level, state.factor_up, state.factor_down)
        charge.log_steps(cells, crossing(pulses, *place, window is None), self.law(), Draws(w0, w1, quantile_middles()))
        drift.stamp(state.written, pulses, *place, time)

    def conductance(self, state: FloatingGateState, time: float) -> np.ndarray:
        """Return the conductance at `time` [S]."""
        if self.nu == 0.0 and self.nu_slope == 0.0 and self.nu_spread == 0.0:
            return state.g
        out = np.empty_like(state.g)
        drift.drifted(state.g, state.written, state.xi, state.xi, self.drift_law(), time, out)
        return out

    def read_variance(self, state: FloatingGateState, time: float) -> np.ndarray | float:
        """Return the noise of every device and the one that saturates, together [S²]."""
        common = super().read_variance(state, time)
        if self.read_noise_high == 0.0:
            return common
        g = self.conductance(state, time)
        return saturating_variance(self.read_noise_high, self.read_noise_scale, g) + np.float32(common)
