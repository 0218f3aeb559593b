r"""Forward-only learning without negatives: effective dimensionality of noisy copies (stochastic Forward-Forward).

S noisy copies of each of B unlabelled images pass the network. Copies of one image should agree, their means should fill many
directions: each layer descends its own L = (L_c + L_d)/2 (`analog_ff.objective.dimensionality`; arXiv:2505.16649),

.. math:: d = -n\,BS\,\frac{\partial L}{\partial y} \odot f' + \lambda(\bar m - m), \qquad g = \frac1{BS}\,x^\top d

n the layer's units, f' the slope that the chosen method finds (`dropped`: 1 where a unit is on), and the layer's update scheme
applies g to the array. ED does not depend on the length of y, so d falls as 1/y: the factor n makes it of order 1 for outputs
of order 1. No labels are shown, no threshold is needed.

The copies differ by their source: `dropout` drops a share of the pixels before the input's normaliser, which replaces the
division of inverted dropout; `read-noise` shows the same image S times and leaves the difference to the chip's reads. Prediction
keeps the noise on, and a class scores by the mean of its squared output over the copies (`SquaredReadout`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Unpack

import numpy as np

from analog_ff.learners.base import ALWAYS
from analog_ff.learners.goodness_options import COPIES_FROM
from analog_ff.learners.local import LocalKeywords, LocalLearner
from analog_ff.network.base import Activity, Network
from analog_ff.network.stack import dropped
from analog_ff.objective.dimensionality import Dimensionality
from analog_ff.objective.goodness import GOODNESS
from analog_ff.objective.readout import SquaredReadout
from analog_ff.objective.schedule import Moment, averaged_over
from hardware_models.check import UsageError, in_range
from hardware_models.events import Events, Tally
from hardware_models.keys import Key


class DimensionalityLearner(LocalLearner):
    """Stochastic Forward-Forward; see the module for the equations.

    Parameters
    ----------
    network : Network
        The wiring, shown no labels, its layers with the goodness "sum", whose slope is that of the neurons alone.
    classes, seed, readout_layers, label_strength, readout_rate, readout_decay
        See `Learner`.
    copies : int
        S, at least 2.
    copies_from : str
        A name of `COPIES_FROM`.
    copy_dropout : float
        Share of the pixels that each copy loses, above 0, with "dropout".
    projection : int, optional
        Random directions on which ED is measured, see `Dimensionality`.
    learning_rate, peer, update, update_options, slope, slope_options, dropout, bias_rate, weight_decay, decay_every
        See `LocalLearner`.

    Raises
    ------
    UsageError
        If the network is shown labels or has another goodness, a name is unknown, or a number is out of range.
    """

    name: ClassVar[str] = "dimensionality"
    usual_rate: ClassVar[float] = 4e-4
    labelled: ClassVar[bool] = False

    def __init__(
        self,
        network: Network,
        *,
        copies: int = 4,
        copies_from: str = "dropout",
        copy_dropout: float = 0.2,
        projection: int | None = None,
        **shared: Unpack[LocalKeywords],
    ) -> None:
        super().__init__(network, **shared)
        if network.label_place != "none" or any(found.kind is not GOODNESS["sum"] for found in network.goodness):
            raise UsageError(
                "learner dimensionality needs a network without labels whose layers have the goodness 'sum'."
            )
        if copies_from not in COPIES_FROM:
            raise UsageError(f"copies differ by {' or '.join(COPIES_FROM)}, got {copies_from!r}.")
        share = in_range(self.name, "copy_dropout", copy_dropout, 0.0, 0.9, low_open=True)
        self.copy_dropout = share if copies_from == "dropout" else 0.0
        self.losses = [
            Dimensionality(
                units, copies=copies, projection=projection, key=Key(self.seed, "weights").child("projection", layer)
            )
            for layer, units in enumerate(network.units)
        ]
        self.copies = copies
        old = self.softmax
        self.softmax: SquaredReadout = SquaredReadout(
            *old.weights.shape, old.rate, old.decay, copies=copies, key=Key(self.seed, "weights").child("readout")
        )
        self._measured: dict[str, float] = {}

    @property
    def measured(self) -> Mapping[str, float]:
        """Effective dimensionality of the copies of an image and of their means, layer by layer, of the last batch."""
        return self._measured

    def look(
        self, images: np.ndarray, labels: np.ndarray | None, key: Key, name: str, *, dropout: float = 0.0
    ) -> tuple[list[Activity], Tally]:
        """Return the activities of one pass of all copies, those of an image in neighbouring rows, and the events."""
        shown = np.repeat(np.asarray(images, np.float32), self.copies, axis=0)
        made = Events()
        if self.copy_dropout:
            shown, made = dropped(shown, self.copy_dropout, key.child("copies"))
        activities, tally = super().look(shown, labels, key, name, dropout=dropout)
        tally.add(0, made)
        return activities, tally

    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, gain: float, moment: Moment = ALWAYS) -> Tally:
        """Learn from one batch, (B, n) in [0, 1]; only the read-out sees the labels (B,).

        All updates use the activities from before the update. `moment` says which layers learn; in sleep, without images, none
        does.
        """
        if not moment.positive:
            return Tally()
        key = Key(self.seed, "train", step)
        activities, tally = self.look(images, None, key, "copies", dropout=self.dropout)
        rate, full = gain * self.learning_rate, averaged_over(moment, len(images))
        stored = sum(activity.y.size for activity in activities)
        self.meter.hold(stored)
        for layer in moment.layers or range(len(self.network.units)):
            tally = tally + self._learn(layer, activities[layer], full, rate, key)
        tally = tally + self.decay(step, rate, key)
        tally.add("readout", self.train_readout(self.features(activities), labels, gain, full))
        self.meter.release(stored)
        return tally

    def _learn(self, layer: int, activity: Activity, full: int, rate: float, key: Key) -> Tally:
        """Apply the update of one network layer to its arrays and return the events; a full batch has `full` images."""
        y = activity.y
        rows, units = y.shape
        slope, tally = self.slope(layer, activity, key.child("slope", layer))
        loss = self.losses[layer]
        apart, between, asked = loss(y)
        self._measured |= {f"dimensionality_copies_{layer}": apart, f"dimensionality_means_{layer}": between}
        d = np.float32(-units * rows) * asked * slope
        d = self.among_peers(layer, d, y)
        seen = units if loss.directions is None else loss.directions.shape[1]
        images = rows // self.copies
        # Both matrices A and their products with Y; the projection there and back.
        macs = 2 * (rows * self.copies + images * images) * seen + (2 * rows * units * seen if seen < units else 0)
        tally.add(self.network.parts[layer][0], Events({"mac.fp32": macs, "sram.words_read": 2 * rows * units}))
        return tally + self.bring(layer, activity.x, self.network.split(layer, d), full * self.copies, rate, key)
