r"""A capacitor that holds the gate voltage of a read transistor (3T1C): linear steps, an exponential leak, and what disturbs it.

Charge pulses change the voltage by equal steps; the charge leaks away with a time constant `tau` [s] per cell. The
equation is that of `devices/linear_decay.py`, with additive noise; the cell without charge rests at G_min unless
`rest` says otherwise. To it a cell of three transistors and a capacitor adds, with u = (G - G_min)/(G_max - G_min):

.. math:: f^\pm \leftarrow f^\pm (1 \pm q), \quad q \sim N(\bar q, \sigma_q^2), \qquad
          G_{read} = G(t) + o\,(G_{max} - G_{min}), \quad o \sim N(0, \sigma_o^2), \qquad
          u \leftarrow u_r + (u - u_r)(1 - r)

q is the charge that a switch injects when it opens, as a share of the step and of one sign whatever the pulse does
(`charge_injection`); o is the zero offset of a cell, the threshold of its read transistor (`offset_spread`); r is the share of
the charge beyond rest that one read takes (`read_disturb`). A pulse costs the charge of the two transistors that it opens and
that of a step through the supply V of the pulse,

.. math:: E = C_{gate} V^2 + C\,\frac{U}{states} V

with C the `capacity` and U the `swing` of its voltage over the range. A cell without `capacity` dissipates V² G t as other
cells do. Sources: Y. Li et al., VLSI Technology 2018, doi:10.1109/VLSIT.2018.8510648; S. Ambrogio et al., Nature 558, 60 (2018),
doi:10.1038/s41586-018-0180-5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_models.devices.base import si
from hardware_models.devices.linear_decay import LinearDecay, LinearDecayState
from hardware_models.devices.state import extended, field
from hardware_models.kernels import drift
from hardware_models.kernels.random import normal
from hardware_models.keys import Key


@dataclass(frozen=True, kw_only=True)
class Capacitor(LinearDecay):
    """Linear device that leaks; see the module for what it adds to `devices/linear_decay.py`."""

    name: str = "capacitor"
    tau: float = si("s", 0.0, 1e6, 1.0, low_open=True)  # time constant of the leak
    charge_injection: float = si("1", -0.9, 0.9, 0.0)  # mean of q, in units of the step
    injection_spread: float = si("1", 0.0, 0.9, 0.0)  # sigma of q from cell to cell
    offset_spread: float = si("1", 0.0, 0.5, 0.0)  # sigma of the zero offset in units of the range
    read_disturb: float = si("1", 0.0, 0.5, 0.0)  # r, share of the charge beyond rest that a read takes
    capacity: float = si("F", 0.0, 1e-9, 0.0)  # C of the storage node; 0: a pulse dissipates V² G t
    swing: float = si("V", 0.0, 10.0, 0.0)  # U, voltage of the storage node over the range

    def imperfections(self) -> dict[str, list[str]]:
        """Return the names of the numbers that are read noise, write noise and spread."""
        known = super().imperfections()
        return known | {"spread": [*known["spread"], "injection_spread", "offset_spread"]}

    def fabricate(self, shape: tuple[int, int], key: Key) -> LinearDecayState:
        """Draw each cell's steps, bounds, time constant, injected charge and offset."""
        state = super().fabricate(shape, key)
        if self.charge_injection or self.injection_spread:
            q = np.full(shape, self.charge_injection, np.float32)
            if self.injection_spread:
                q += np.float32(self.injection_spread) * normal(shape, key.child("injection"))
            np.clip(q, -0.9, 0.9, out=q)  # no pulse runs backwards
            state = state._replace(factor_up=state.factor_up * (1 + q), factor_down=state.factor_down * (1 - q))
        if not self.offset_spread:
            return state
        offset = np.float32(self.offset_spread * self.g_range) * normal(shape, key.child("offset"))
        made: LinearDecayState = extended(state, offset=offset)  # type: ignore[assignment]
        return made

    def conductance(self, state: LinearDecayState, time: float) -> np.ndarray:
        """Return the relaxed conductance at `time` with each cell's zero offset [S]."""
        offset = field(state, "offset")
        if offset is None:
            return super().conductance(state, time)
        out = np.empty_like(state.g)
        drift.relaxed_beside(state.g, state.written, state.tau, state.rest, offset, float(time), out)
        return out

    @property
    def disturbs(self) -> bool:
        """True if a read takes charge."""
        return self.read_disturb > 0.0

    def disturb(self, state: LinearDecayState, reads: np.ndarray, time: float) -> None:
        """Take from the cells of word lines read `reads` (rows,) times, at `time` [s], their share of the charge."""
        rows = np.flatnonzero(reads)
        left = np.power(1.0 - self.read_disturb, reads[rows]).astype(np.float32)
        drift.drained(state.g, state.written, state.tau, state.rest, rows, left, float(time))

    def pulse_energy(self, up: bool) -> float | None:
        """Return the energy of a pulse [J], see the module; None without a capacity."""
        if not self.capacity:
            return None
        volts = self.v_up if up else self.v_down
        return self.c_gate * volts**2 + self.capacity * self.swing / self.states * volts
