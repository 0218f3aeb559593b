r"""The slope inside a layer: what stands for :math:`\partial g(y_j)/\partial z_j` where nobody knows the neurons' curve.

`dropped`: :math:`g'(y)` alone, as if f' were 1. For a rectifier and squares this is exact (y f' = y); for any
non-decreasing f it is still a direction of ascent for each sample. It costs nothing.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from analog_ff.network.base import Activity, Network
from hardware_models.events import Tally
from hardware_models.keys import Key


class Slope(Protocol):
    """How a learner comes by the slope of a layer's goodness."""

    def __call__(self, layer: int, activity: Activity, key: Key) -> tuple[np.ndarray, Tally]:
        """Return dg/dz (B, units), up to the goodness's factor, and what it cost."""
        ...


class Dropped:
    """The default: no derivative of the neurons is used."""

    def __init__(self, network: Network, **options: Any) -> None:
        del options
        self._network = network

    def __call__(self, layer: int, activity: Activity, key: Key) -> tuple[np.ndarray, Tally]:
        """Return g'(y)."""
        del key
        return self._network.goodness[layer].kind.derivative(activity.y), Tally()


SLOPES = MappingProxyType({"dropped": "analog_ff.learners.slopes:Dropped"})
"""Slopes by name; each is made from (network, **options)."""
