"""Frozen random layers with a trained softmax read-out: the baseline that every figure must be shown beside."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from analog_ff.learners.base import ALWAYS, Learner
from analog_ff.objective.schedule import Moment, averaged_over
from hardware_models.events import Tally
from hardware_models.keys import Key


class RandomFeatures(Learner):
    """The same network as Forward-Forward, its hidden layers never changed."""

    name: ClassVar[str] = "random-features"
    in_situ: ClassVar[bool] = False

    @property
    def readouts(self) -> tuple[str, ...]:
        """The softmax read-out alone: random layers have no goodness to read."""
        return ("softmax",)

    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, gain: float, moment: Moment = ALWAYS) -> Tally:
        """Train the read-out on one batch, except in sleep."""
        if not moment.positive:
            return Tally()
        activities, tally = self.look(images, None, Key(self.seed, "train", step), "neutral")
        features = self.features(activities)
        self.meter.hold(features.size)
        tally.add("readout", self.train_readout(features, labels, gain, averaged_over(moment, len(labels))))
        self.meter.release(features.size)
        return tally
