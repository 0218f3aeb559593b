"""A device of your own in Python: you see the examination pass, and how 20 pulses up and 20 down move its cells."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hardware_models import BaseDevice, Key, examine_device, gathered, si


class State(NamedTuple):
    g: np.ndarray  # (rows, columns) conductance [S]


@dataclass(frozen=True, kw_only=True)
class Even(BaseDevice):
    """g' = clip(g + n (g_max - g_min)/states): equal steps, an invention."""

    name: str = "even"
    source: str = "an invention"
    g_min: float = si("S", 0.0, 1.0, 1e-6)
    g_max: float = si("S", 0.0, 1.0, 1e-5)
    states: float = si("1", 1.0, 1e9, 200.0)

    def fabricate(self, shape, key):
        return State(self.fresh_conductance(shape, key))

    def pulse(self, state, pulses, key, window=None):
        if window is not None:
            return gathered(self.pulse, state, pulses, key, window)
        state.g[:] = np.clip(state.g + pulses * np.float32(self.g_range / self.states), self.g_min, self.g_max)


device = Even()
print("examined:", "passed" if examine_device(device, quick=True).passed else "failed")
cells = device.fabricate((1, 4), Key(0, "cells"))
for n in (20, -20):
    device.pulse(cells, np.full((1, 4), n, np.int32), Key(n, "pulses"))
    print(f"after {n:+d} pulses [uS]:", (1e6 * cells.g).round(2))
