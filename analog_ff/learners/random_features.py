"""Frozen random layers with a trained softmax read-out: the baseline that every figure must be shown beside."""

from __future__ import annotations

import numpy as np

from analog_ff.learners.base import LabelLearner
from hardware_models.events import Tally
from hardware_models.keys import Key


class RandomFeatures(LabelLearner):
    """The same network as Forward-Forward, its hidden layers never changed."""

    name = "random-features"

    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, gain: float) -> Tally:
        """Train the read-out on one batch."""
        activities, tally = self.passes(images, None, Key(self.seed, "train", step), "neutral")
        tally.add("readout", self.train_readout(self.features(activities), labels, gain))
        return tally
