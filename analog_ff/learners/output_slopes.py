"""Learners that follow the read-out's error through slopes of the neurons' outputs, which they may measure.

The slope dy/dz is one of `analog_ff.learners.options.SLOPES`: by default that of a rectifier, [y > 0]; a dither finds that of any
neurons, on a sealed chip too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

import numpy as np

from analog_ff.learners.base import _part
from analog_ff.learners.local import ArrayKeywords
from analog_ff.learners.options import SLOPES
from analog_ff.learners.slopes import Slope
from analog_ff.learners.supervised import ErrorDriven
from analog_ff.network.base import Activity, Network
from hardware_models.events import Tally
from hardware_models.keys import Key
from hardware_models.tables import lookup


class SlopeKeywords(ArrayKeywords, total=False):
    """Keyword arguments of every learner with slopes of outputs; see `OutputSlopes`."""

    slope: str
    slope_options: Mapping[str, object] | None


class OutputSlopes(ErrorDriven):
    """A learner whose errors pass the neurons by a slope that is chosen by name.

    Parameters
    ----------
    network, learning_rate, update, update_options, bias_rate, and those of `Learner`
        See `ArrayLearner`.
    slope : str
        Name of the slope of the neurons' outputs; `slope_options` go to it.
    """

    def __init__(
        self,
        network: Network,
        *,
        slope: str = "dropped",
        slope_options: Mapping[str, object] | None = None,
        **shared: Unpack[ArrayKeywords],
    ) -> None:
        super().__init__(network, **shared)
        self._slope: Slope = lookup("slope", slope, SLOPES)(network, outputs=True, **(slope_options or {}))

    def slope(self, layer: int, activity: Activity, key: Key, tally: Tally) -> np.ndarray:
        """Return dy/dz (B, units) of a layer, found by the chosen method; its events are added to `tally`."""
        found, events = self._slope(layer, activity, key.child("slope", layer))
        for name, counted in events.layers.items():
            tally.add(name, counted)
        return found

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the learner's own state, what its slope remembers included."""
        return super().save(copy=copy) | {f"slope.{name}": value for name, value in self._slope.save().items()}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        super().restore(saved)
        self._slope.restore(_part(saved, "slope."))
