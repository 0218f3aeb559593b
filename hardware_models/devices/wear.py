r"""Endurance: each cell wears out after a number of pulses of its own and stays as it was.

.. math:: N = \max(1, \lceil N_0\, e^{s\,\xi}\rceil)

A cell takes its first N pulses of either sign; the rest of a burst and all later ones change nothing (they still cost
their energy). Composes with any device: ``Wear.around(device, endurance=1e6, endurance_spread=0.5)``. A log-normal number
of cycles is how endurance tests are usually summarised; the figures are the user's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hardware_models.devices.base import si
from hardware_models.devices.drawn import log_normal
from hardware_models.devices.state import CellState, extended
from hardware_models.devices.windows import Window, crossings
from hardware_models.devices.wrapper import Wrapper
from hardware_models.kernels import drift
from hardware_models.keys import Key


class WearingState(CellState, Protocol):
    """Entries that `Wear` adds to the state of the device inside."""

    @property
    def pulsed(self) -> np.ndarray:
        """Pulses that each cell has had, int64."""
        ...

    @property
    def lifetime(self) -> np.ndarray:
        """Pulses that each cell stands, int64."""
        ...


@dataclass(frozen=True, kw_only=True)
class Wear(Wrapper[WearingState]):
    """Device whose cells wear out; see the module for the law."""

    endurance: float = si("pulses", 1.0, 1e15)  # N_0, the median
    endurance_spread: float = si("1", 0.0, 5.0, 0.0)  # s, log-normal

    def imperfections(self) -> dict[str, list[str]]:
        """Return the spread of the endurance."""
        return super().imperfections() | {"spread": ["endurance_spread"]}

    def fabricate(self, shape: tuple[int, int], key: Key) -> CellState:
        """Draw each cell's life; `pulsed` and `lifetime` are int64 [pulses]."""
        factor = log_normal(shape, self.endurance_spread, key.child("lifetime")).astype(np.float64)
        lifetime = np.ceil(np.clip(self.endurance * factor, 1.0, 1e18)).astype(np.int64)
        return extended(self.inner.fabricate(shape, key), pulsed=np.zeros(shape, np.int64), lifetime=lifetime)

    def pulse(
        self, state: WearingState, pulses: np.ndarray, key: Key, window: Window | None = None, *, time: float = 0.0
    ) -> None:
        """Hand on the pulses that each cell still takes."""
        allowed = np.empty(pulses.shape, np.int32)
        drift.wear_down(pulses, state.pulsed, state.lifetime, *crossings(state.g.shape, window), allowed)
        self.pulse_inside(state, allowed, key, window, time)

    def renew(self, state: WearingState, cells: np.ndarray, key: Key, *, time: float = 0.0) -> None:
        """Count the strong pulse as one; a worn cell does not follow it."""
        allowed = np.empty(cells.shape, np.int32)
        once = np.asarray(cells, np.int32)
        drift.wear_down(once, state.pulsed, state.lifetime, *crossings(state.g.shape, None), allowed)
        super().renew(state, allowed != 0, key, time=time)
