r"""Noise that physics adds to the current of a line: Johnson noise of every cell, and shot noise of the currents.

A read averages a line's current over the read time t, so the noise has the equivalent bandwidth B = 1/(2t) (the rectangular
window of an integrator). A cell of conductance G at the temperature T adds to the variance of the current

.. math:: \sigma_{Johnson}^2 = 4 k T G B = 2 k T G/t, \qquad \sigma_{shot}^2 = 2 q F |I| B = q F |I|/t

- Johnson noise comes from every cell on the line, driven or not: an undriven word line is held at 0 V by its driver and all word
  lines of a tile are selected, so the cell conducts between two fixed potentials. A line that is cut off (a dead line of
  `hardware_models.devices.faults`) has no conductance and adds nothing.
- A read in groups of lines (`hardware_models.crossbar.groups`) is a read for each group of rows, with a window of its own. The
  other rows of the tile are at 0 V meanwhile, so that every group adds the Johnson noise of all cells of the tile's bit line:
  n groups add n times that of one read. Shot noise is that of the driven cells, and stays what it is.
- Each phase of a read in two phases is a window of its own: Johnson noise is added once for each. The current of a cell flows in
  one of them, so its shot noise is added once.
- Behind an access transistor (`hardware_models.crossbar.access`) G is that of both in series, which have one temperature.
- G+ and G- of a weight are on lines of their own, whose noise adds up in the difference.
- Behind wires a line has the Johnson noise of the conductance Y between it and all around it (Nyquist), which is less than
  the sum of G and more than that of T, the matrix of `hardware_models.crossbar.wired`. Their geometric mean is taken: up to 2 %
  above the variance of a 64 x 64 tile of 55 uS cells and 3 Ohm wires, 16 % at 20 Ohm. The currents of shot noise are v T.
- F is the Fano factor. F = 1, Schottky's noise of independent electrons, is an upper bound for ohmic cells: a macroscopic
  resistor has no shot noise, a diffusive wire shorter than its electron-phonon length F = 1/3, one tunnel junction F = 1. The
  sum of both is above the exact noise of a tunnel junction, 2 q I coth(q V/2kT) B, which holds the Johnson noise already.

Sources: J. B. Johnson, Phys. Rev. 32, 97 (1928), 10.1103/PhysRev.32.97; H. Nyquist, Phys. Rev. 32, 110 (1928),
10.1103/PhysRev.32.110; W. Schottky, Ann. Phys. 362, 541 (1918), 10.1002/andp.19183622304; Y. M. Blanter, M. Buettiker, Phys. Rep.
336, 1 (2000), 10.1016/S0370-1573(99)00123-4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hardware_models.check import UsageError, in_range
from hardware_models.devices.base import BaseDevice
from hardware_models.units import BOLTZMANN, ELECTRON


@dataclass(frozen=True, kw_only=True)
class LineNoise:
    """Noise of the lines of an array; see the module. By default there is none.

    Attributes
    ----------
    johnson : whether cells have Johnson noise.
    fano : Fano factor of the shot noise [1]; 0 for none.
    temperature : of the cells [K].
    """

    johnson: bool = False
    fano: float = 0.0
    temperature: float = 300.0

    def __post_init__(self) -> None:
        """Raise UsageError for a number outside its range."""
        in_range("the noise of a line", "fano", self.fano, 0.0, 1.0)
        in_range("the noise of a line", "temperature", self.temperature, 0.0, 1000.0, "K")

    def for_device(self, device: BaseDevice) -> LineNoise:
        """Return the noise that is not yet in the read noise of `device`; raise UsageError if its reads take no time."""
        left = replace(self, johnson=self.johnson and not device.read_noise_contains_thermal)
        if (left.thermal or left.fano) and device.t_read == 0.0:
            raise UsageError(
                f"device {device.name} reads in 0 s, a window of infinite bandwidth, which lets in infinite Johnson and shot "
                "noise; give a read time above 0 s."
            )
        return left

    @property
    def thermal(self) -> bool:
        """True if there is any Johnson noise: there is none at 0 K."""
        return self.johnson and self.temperature > 0.0

    def johnson_variance(self, conductance: np.ndarray, t_read: float) -> np.ndarray:
        """Return 4kTG B [A²] of one phase of a read for the sums of conductance on lines [S]."""
        return (2.0 * BOLTZMANN * self.temperature / t_read) * conductance

    def shot_variance(self, current: np.ndarray, t_read: float) -> np.ndarray:
        """Return 2qF|I| B [A²] for the sums of the sizes of the currents of cells [A]."""
        return (ELECTRON * self.fano / t_read) * current


def between(ideal: np.ndarray, behind: np.ndarray | None = None) -> np.ndarray:
    """Return the noisy conductance of lines [S] from their sums of G and, behind wires, of T; see the module."""
    return ideal if behind is None else np.asarray(np.sqrt(ideal * behind))


NO_LINE_NOISE = LineNoise()
