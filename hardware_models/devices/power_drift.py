r"""Power-law drift: stored conductances fall, or rise, with a power of the time since the write, for any device.

.. math:: G(t) = g \left(\frac{\max(t - t_w, t_0)}{t_0}\right)^{-\nu}, \qquad
          \nu = \bar\nu + b \ln\frac{g}{G_{max}} + \sigma_\nu\,\xi_{cell}

counted from the cell's last write t_w; nu is limited to [-0.5, 0.5], and below 0 the conductance rises. g is the conductance
t_0 after the write: pulses act on it and set t_w, so drift is never applied twice and starts anew with each write, as in
`PhaseChange`, whose law this is (Nandakumar et al., ICECS 2019, doi:10.1109/ICECS46596.2019.8964852). `hardware_models.fitting`
writes its figures from retention traces. A model with a law of time of its own is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from hardware_models.devices.base import si
from hardware_models.devices.state import CellState, extended, inside
from hardware_models.devices.windows import Window, crossings
from hardware_models.devices.wrapper import TimedWrapper
from hardware_models.kernels import drift
from hardware_models.kernels.bursts import as_float64
from hardware_models.kernels.random import normal
from hardware_models.keys import Key

STEEPEST = 0.5
"""Largest size of an exponent."""


class DriftingState(CellState, Protocol):
    """Entries that `PowerDrift` adds to the state of the device inside."""

    @property
    def written(self) -> np.ndarray:
        """Time of the last write [s], float64."""
        ...

    @property
    def xi(self) -> np.ndarray:
        """The cell's normal number of the exponent [1]."""
        ...


@dataclass(frozen=True, kw_only=True)
class PowerDrift(TimedWrapper[DriftingState]):
    """Device that drifts with a power of the time; see the module for the law."""

    law_of_time: ClassVar[str] = "drift"

    nu: float = si("1", -STEEPEST, STEEPEST)  # mean exponent at g_max
    nu_slope: float = si("1", -STEEPEST, STEEPEST, 0.0)  # b: its change per e-fold of g
    nu_spread: float = si("1", 0.0, STEEPEST, 0.0)  # sigma_nu, from cell to cell
    t0: float = si("s", 0.0, 1e6, 1.0, low_open=True)

    def imperfections(self) -> dict[str, list[str]]:
        """Return the spread of the exponent."""
        return super().imperfections() | {"spread": ["nu_spread"]}

    def law(self) -> drift.DriftLaw:
        """Return the figures as `kernels.drift.drifted` takes them, float64."""
        law = drift.DriftLaw(
            t0=self.t0, g_max=self.g_max, nu_slope=self.nu_slope, nu=self.nu, nu_low=-STEEPEST, nu_high=STEEPEST,
            spread_slope=0.0, spread=self.nu_spread, spread_low=0.0, spread_high=STEEPEST, nu_least=-STEEPEST,
        )  # fmt: skip
        return as_float64(law)

    def fabricate(self, shape: tuple[int, int], key: Key) -> CellState:
        """Draw each cell's exponent; fresh cells count as written at time 0."""
        return extended(
            self.inner.fabricate(shape, key), written=np.zeros(shape), xi=normal(shape, key.child("exponent"))
        )

    def pulse(
        self, state: DriftingState, pulses: np.ndarray, key: Key, window: Window | None = None, *, time: float = 0.0
    ) -> None:
        """Pulse the cells at `time` [s], from which on they drift anew."""
        drift.stamp(state.written, pulses, *crossings(state.g.shape, window), time)
        self.pulse_inside(state, pulses, key, window, time)

    def renew(self, state: DriftingState, cells: np.ndarray, key: Key, *, time: float = 0.0) -> None:
        """Let the renewed cells drift from `time` [s] on."""
        drift.stamp(state.written, np.asarray(cells, np.int32), *crossings(state.g.shape, None), time)
        super().renew(state, cells, key, time=time)

    def conductance(self, state: DriftingState, time: float) -> np.ndarray:
        """Return the drifted conductance at `time` [S]."""
        g = self.inner.conductance(inside(state), time)
        out = np.empty_like(g)
        drift.drifted(g, state.written, state.xi, state.xi, self.law(), time, out)
        return out
