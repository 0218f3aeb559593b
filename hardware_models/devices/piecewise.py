r"""The piecewise device: measured mean step against state, on nodes.

.. math:: u = \frac{g - low}{high - low}, \qquad
          \Delta^\pm = \delta^\pm\, f^\pm(u)\, e^{\tau^\pm(u - 1/2)}\,(1 + \sigma\xi), \qquad g' = \mathrm{clip}(g \pm \Delta^\pm)

f is interpolated linearly between `nodes_up` (`nodes_down`), which stand at equal distances from the lower bound (first) to
the upper (last) in units of the nominal step delta = (G_max - G_min)/`states` [S]. tau is a tilt of each cell's curve,
N(0, `tilt_spread`²). sigma = `cycle_noise` `states`. The kernel loops over the pulses. `PiecewiseStep` of aihwkit (Rasch et
al., AICAS 2021, doi:10.1109/AICAS51828.2021.9458494).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import si
from hardware_models.devices.pulsed import Cells, PulsedDevice, Words
from hardware_models.kernels import shaped_steps as kernels
from hardware_models.kernels.bursts import Burst, Draws
from hardware_models.kernels.random import quantile_middles
from hardware_models.keys import Key


class PiecewiseState(NamedTuple):
    """State of an array of piecewise cells, all (rows, columns) float32."""

    g: np.ndarray  # conductance [S]
    low: np.ndarray  # lower bound [S]
    high: np.ndarray  # upper bound [S]
    step_up: np.ndarray  # step at a node of one, up [S]
    step_down: np.ndarray  # step at a node of one, down [S]
    tilt_up: np.ndarray  # tilt of the up curve [1]
    tilt_down: np.ndarray  # tilt of the down curve [1]


@dataclass(frozen=True, kw_only=True)
class Piecewise(PulsedDevice):
    """Device with a measured mean step on nodes; see the module for the equation."""

    name: str = "piecewise"
    g_min: float = 1e-6
    g_max: float = 10e-6
    states: float = 1000.0
    nodes_up: tuple[float, ...] = (1.0, 1.0)  # up step from the lower to the upper bound, units of the nominal step
    nodes_down: tuple[float, ...] = (1.0, 1.0)  # down step from the lower to the upper bound, units of the nominal step
    tilt_spread: float = si("1", 0.0, 2.0, 0.0)  # spread of the tilt of a cell's curves, each polarity apart

    SPREADS: ClassVar[tuple[str, ...]] = (*PulsedDevice.SPREADS, "tilt_spread")

    def __post_init__(self) -> None:
        """Check ranges and nodes."""
        for name in ("nodes_up", "nodes_down"):
            nodes = tuple(float(x) for x in getattr(self, name))
            object.__setattr__(self, name, nodes)
            if len(nodes) < 2 or not all(math.isfinite(x) and x >= 0 for x in nodes):
                raise UsageError(f"device {self.name} needs at least two numbers >= 0 as {name}, got {nodes}.")
        if len(self.nodes_up) != len(self.nodes_down):
            raise UsageError(f"device {self.name} needs as many nodes_up as nodes_down.")
        super().__post_init__()

    def cells(self, shape: tuple[int, int], key: Key) -> PiecewiseState:
        """Draw each cell's bounds, steps and tilts."""
        low, high = self.bounds(shape, key)
        tilts = [np.log(self.factor(shape, key, what, self.tilt_spread)) for what in ("tilt_up", "tilt_down")]
        g = np.clip(self.fresh_conductance(shape, key), low, high)
        return PiecewiseState(g, low, high, *self.steps(shape, key), *tilts)

    def move(self, cells: Cells, where: Burst, words: Words) -> None:
        """Move pulse by pulse."""
        nodes = np.array((self.nodes_up, self.nodes_down), np.float32)
        kernels.node_steps(cells, where, nodes, self.relative_noise()[0], Draws(*words, quantile_middles()))
