r"""A saturating amplifier, :math:`f(z) = c \tanh(\max(z, 0)/c)` with the ceiling c = 2 in units of z."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_models.keys import Key


@dataclass(frozen=True)
class Saturating:
    """A rectifying amplifier whose output stays below a ceiling [units of z]."""

    name: str = "saturating"
    analog: bool = True
    ceiling: float = 2.0

    def fabricate(self, neurons: int, key: Key):
        """Return the amplifier's function, which is the same for all neurons."""
        del neurons, key
        c = np.float32(self.ceiling)
        return lambda z: c * np.tanh(np.maximum(z, np.float32(0)) / c)
