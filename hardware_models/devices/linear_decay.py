r"""Linear steps with relaxation in time: the equation shared by electrochemical cells and capacitors.

With u = (G - G_min)/(G_max - G_min), s = +1 or -1 the pulse's sign and f the cell's factor of that polarity,

.. math:: u \leftarrow u + s\,(\Delta + \sigma \Delta'\,\xi), \qquad
          \Delta = \delta f \max\left(0, 1 - \gamma_s\, s\,\frac{u - z}{d_s}\right), \qquad d_+ = 1 - z,\; d_- = z

pulse by pulse, clipped to the cell's bounds. gamma is the cell's own, |gamma + `gamma_spread` xi|; z is where the steps are
nominal; Delta' is delta f (additive noise) or Delta (noise as a share of the present step, `noise_scales`). The linear step
of aihwkit (Rasch et al., AICAS 2021, doi:10.1109/AICAS51828.2021.9458494). Between pulses a cell relaxes to
its rest value with its own time constant,

.. math:: G(t) = G_r + (G(t_w) - G_r)\,e^{-(t - t_w)/\tau}

counted from its last write: exact for any waits, and two waits of t are one of 2t. tau = 0 means no relaxation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice, si
from hardware_models.devices.drawn import cell_bounds, log_normal
from hardware_models.devices.windows import Window, crossings
from hardware_models.kernels import charge, drift
from hardware_models.kernels.bursts import Draws, as_float32, crossing
from hardware_models.kernels.random import normal, quantile_middles
from hardware_models.keys import Key


class LinearDecayState(NamedTuple):
    """State of an array of linear cells that relax, (rows, columns)."""

    g: np.ndarray  # conductance at the last write [S]
    written: np.ndarray  # time of the last write [s], float64
    tau: np.ndarray  # time constant [s], 0: none
    rest: np.ndarray  # rest value [S]
    factor_up: np.ndarray  # step up in units of the mean step [1]
    factor_down: np.ndarray  # step down in units of the mean step [1]
    low: np.ndarray  # lower bound [S]
    high: np.ndarray  # upper bound [S]
    gamma_up: np.ndarray  # share of the step lost between z and the upper bound [1]
    gamma_down: np.ndarray  # between z and the lower bound [1]


@dataclass(frozen=True, kw_only=True)
class LinearDecay(BaseDevice[LinearDecayState]):
    """Linear-step device that relaxes in time; see the module for the equations."""

    timed: ClassVar[bool] = True

    zero: float = si("1", 0.01, 0.99, 0.5)  # z: share of the range where the steps are nominal
    gamma_up: float = si("1", -1.0, 1.0, 0.0)
    gamma_down: float = si("1", -1.0, 1.0, 0.0)
    gamma_spread: float = si("1", 0.0, 1.0, 0.0)  # spread of either gamma from device to device; its sign stays
    cycle_noise: float = si("1", 0.0, 10.0, 0.0)  # sigma of one pulse in units of the step
    noise_scales: bool = False  # True: in units of the present step, False: of the cell's step at z
    step_spread: float = si("1", 0.0, 2.0, 0.0)  # log-normal spread of the step, both polarities together
    asymmetry_spread: float = si("1", 0.0, 2.0, 0.0)  # log-normal spread of up against down
    bound_spread: float = si("1", 0.0, 0.3, 0.0)  # spread of each bound in units of the range
    tau: float = si("s", 0.0, 1e12, 0.0)  # time constant of the relaxation, 0: none
    tau_spread: float = si("1", 0.0, 3.0, 0.0)  # its log-normal spread
    rest: float = si("1", 0.0, 1.0, 0.0)  # rest value as a share of the range

    def __post_init__(self) -> None:
        """Check the switch as well."""
        super().__post_init__()
        if not isinstance(self.noise_scales, bool):
            raise UsageError(f"device {self.name} needs true or false for noise_scales, got {self.noise_scales!r}.")

    def imperfections(self) -> dict[str, list[str]]:
        """Return the names of the numbers that are read noise, write noise and spread."""
        spread = ["step_spread", "asymmetry_spread", "bound_spread", "tau_spread", "gamma_spread"]
        return super().imperfections() | {"write_noise": ["cycle_noise"], "spread": spread}

    @property
    def leak_time(self) -> float:
        """The time constant of the relaxation [s]."""
        return self.tau

    def noise_of_finer_steps(self) -> tuple[str, ...]:
        """Return none: the noise of a pulse is given in units of its step."""
        return ()

    def law(self) -> charge.ChargeLaw:
        """Return the figures as the kernel takes them, float32."""
        law = charge.ChargeLaw(
            g_min=self.g_min,
            width=self.g_range,
            step=1.0 / self.states,
            zero=self.zero,
            cycle_noise=self.cycle_noise,
            noise_scales=float(self.noise_scales),
        )
        return as_float32(law)

    def gammas(self, shape: tuple[int, int], key: Key) -> list[np.ndarray]:
        """Return each cell's gamma of up and of down pulses; a spread turns no slope round."""
        found = []
        for mean, name in ((self.gamma_up, "gamma_up"), (self.gamma_down, "gamma_down")):
            gamma = np.full(shape, mean, np.float32)
            if self.gamma_spread > 0.0:
                drawn = np.float32(abs(mean)) + np.float32(self.gamma_spread) * normal(shape, key.child(name))
                gamma = np.copysign(drawn, np.float32(mean))
            found.append(gamma)
        return found

    def fabricate(self, shape: tuple[int, int], key: Key) -> LinearDecayState:
        """Draw each cell's steps, bounds and time constant; fresh cells count as written at time 0."""
        low, high = cell_bounds(self, self.bound_spread, shape, key)
        g = np.clip(self.fresh_conductance(shape, key), low, high)
        common = log_normal(shape, self.step_spread, key.child("step"))
        apart = log_normal(shape, self.asymmetry_spread, key.child("asymmetry"))
        tau = np.float32(self.tau) * log_normal(shape, self.tau_spread, key.child("tau"))
        rest = np.full(shape, self.g_min + self.rest * self.g_range, np.float32)
        factors = common * apart, common / apart
        return LinearDecayState(g, np.zeros(shape), tau, rest, *factors, low, high, *self.gammas(shape, key))

    def pulse(
        self, state: LinearDecayState, pulses: np.ndarray, key: Key, window: Window | None = None, *, time: float = 0.0
    ) -> None:
        """Let the pulsed cells relax up to `time` [s], then step."""
        w0, w1, _, _ = key.words
        burst = crossing(pulses, *crossings(state.g.shape, window), window is None)
        cells = (state.g, state.factor_up, state.factor_down, state.low, state.high, state.gamma_up, state.gamma_down)
        leak = charge.Leak(state.written, state.tau, state.rest, float(time), self.tau > 0.0)
        charge.charge_steps(cells, leak, burst, self.law(), Draws(w0, w1, quantile_middles()))

    def conductance(self, state: LinearDecayState, time: float) -> np.ndarray:
        """Return the relaxed conductance at `time` [S]."""
        if self.tau == 0.0:
            return state.g
        out = np.empty_like(state.g)
        drift.relaxed(state.g, state.written, state.tau, state.rest, time, out)
        return out
