"""The search for groups of lines: a pass of training data through the programmed chip, before training."""

from __future__ import annotations

import numpy as np

from analog_ff.learners.base import Learner
from hardware_models.events import Tally
from hardware_models.keys import Key
from hardware_models.port import ChipBench

CALIBRATED = 200
"""Training images that the search reads, or all if there are fewer."""


def calibrate(learner: Learner, port: ChipBench, images: np.ndarray, seed: int) -> Tally:
    """Read training images by every read-out, end the search for groups, and return the events.

    The energy read-out shows each image with every label, so that right and wrong labels are among what flows. The chip keeps its
    margin until then: a read above it is repeated in smaller groups.
    """
    key = Key(seed, "calibrate")
    some = np.sort(key.generator().permutation(len(images))[:CALIBRATED])
    _, tally = learner.predict(images[some], key=key)
    port.fix_groups()
    return tally
