r"""The ideal device: a fine, exact, noiseless staircase of conductance.

.. math:: g_{n} = \mathrm{clip}(g_0 + n\,\delta,\; 0,\; 2^{-17}\,\mathrm{S}), \qquad \delta = 2^{-17-22}\,\mathrm{S}

Every state is a whole number of steps below 2^23 and so exact in float32. It is the limit in which the chip follows the
float64 reference. An invention, with no source: its pulses have no voltage, so its writes cost no energy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hardware_models.devices.base import BaseDevice, Window
from hardware_models.keys import Key


class IdealState(NamedTuple):
    """State of an array of ideal cells."""

    g: np.ndarray  # (rows, columns) conductance [S]


@dataclass(frozen=True, kw_only=True)
class Ideal(BaseDevice[IdealState]):
    """A noiseless linear device with 2^22 steps; see the module for the equation."""

    name: str = "ideal"
    source: str = "an idealisation, not a measured device"
    g_min: float = 0.0
    g_max: float = 2.0**-17
    states: float = 2.0**22
    assumptions: tuple[str, ...] = ("writes are free: an ideal pulse has no voltage",)

    def fabricate(self, shape: tuple[int, int], key: Key) -> IdealState:
        """Return cells in mid-range, exactly."""
        return IdealState(self.fresh_conductance(shape, key))

    def pulse(self, state: IdealState, pulses: np.ndarray, key: Key, window: Window | None = None) -> None:
        """Move by exactly n steps and stop at the bounds."""
        del key
        place = np.ix_(*window) if window is not None else ...
        step = np.float32(self.g_range / self.states)
        # int32 counts of up to 2^22 are exact in float32, and so are their products with a power of two.
        moved = state.g[place] + pulses.astype(np.float32) * step
        state.g[place] = np.clip(moved, np.float32(self.g_min), np.float32(self.g_max))
