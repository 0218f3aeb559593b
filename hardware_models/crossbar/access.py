r"""The access transistor in series with each cell, as the lines of the array see both.

.. math:: G_e = \frac{G}{1 + G R}, \qquad \frac{dG_e}{dG} = \frac{1}{(1 + G R)^2}, \qquad G = \frac{G_e}{1 - G_e R}

R is the resistance of the transistor that is on [Ohm]. All currents of reads and writes flow through both, so that they follow
G_e: V G_e on the line, V² G_e from its driver. A small change of G, such as read noise, reaches the line by the slope. Cell and
transistor are at one temperature, so that their Johnson noise together is that of G_e. The state of a cell, and what pulses do to
it, stays that of G.

Source of the law: Ohm's law for two resistances in series. NeuroSim reads its cells so, all but ferroelectric transistors
(``ReadCell`` in Array.cpp of MLP_NeuroSim_V3.0 at commit 553313c).
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np

from hardware_models.devices.base import BaseDevice

LEAST = 1e-3
"""Smallest share 1 - G_e R of the voltage that a controller takes a cell to have."""
G = TypeVar("G", np.ndarray, float)


class Access(NamedTuple):
    """Resistance [Ohm] of the transistors of one array; 0: none."""

    resistance: float = 0.0

    @classmethod
    def of(cls, device: BaseDevice, wanted: bool) -> Access:
        """Return the transistors of a device's cells if they are `wanted`; a device without, or of passive cells, has none."""
        return cls(device.r_access) if wanted and device.access == "1T1R" else NO_ACCESS

    def __bool__(self) -> bool:
        return self.resistance > 0.0

    def conductance(self, g: G) -> G:
        """Return G_e [S] of conductances g [S], of any shape; without transistors g itself."""
        return g / (1.0 + g * self.resistance) if self else g

    def slope(self, g: np.ndarray) -> np.ndarray:
        """Return dG_e/dG [1] at conductances g [S], of the same shape."""
        return 1.0 / np.square(1.0 + g * self.resistance)

    def behind(self, seen: np.ndarray) -> np.ndarray:
        """Return the G [S] that a controller infers from G_e `seen` [S], which noise may lift up to 1/R and above.

        Such a cell counts as one of 1/`LEAST` times what was seen.
        """
        return seen / np.maximum(1.0 - seen * self.resistance, LEAST) if self else seen


NO_ACCESS = Access()
