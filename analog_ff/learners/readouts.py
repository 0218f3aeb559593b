r"""Read-outs: the score of each label, whose best is the answer.

Energy: :math:`E_c = \sum s\,G` over the read-out layers in a pass with the label c. Softmax: the logits
:math:`L_c = (h V)_c` of a digital regression in a pass without a label. Both, with N the neurons that E sums over and w
`goodness_weight`:

.. math:: S_c = L_c + w\,\frac{E_c - \max_k E_k}{N} = \log\mathrm{softmax}(L)_c + \log\mathrm{softmax}(w E/N)_c + \text{const.}

The constant is the same for all labels of an image. So the answer is that of the product of the two probabilities, and no
exponential is needed for it. It takes the passes of both read-outs, and none beyond them where both were made anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from analog_ff.objective.readout import together
from hardware_models.events import Events, Tally
from hardware_models.keys import Key

if TYPE_CHECKING:
    from analog_ff.learners.base import Learner

Scores = Mapping[str, np.ndarray]
"""Scores (B, classes) of read-outs that were asked already, by name."""


def softmax(learner: Learner, images: np.ndarray, key: Key, known: Scores) -> tuple[np.ndarray, Tally]:
    """Return the logits (B, classes) float32 in a pass with the neutral label, and the events."""
    del known
    features, tally = learner.neutral(images, key)
    return learner.softmax.logits(features), tally


def energy(learner: Learner, images: np.ndarray, key: Key, known: Scores) -> tuple[np.ndarray, Tally]:
    """Return s G summed over the read-out layers, (B, classes) float64, in one pass per label, and the events."""
    del known
    tally = Tally()
    scores = np.empty((len(images), learner.classes))
    for label in range(learner.classes):
        scores[:, label], events = learner.agreement(images, np.full(len(images), label), key.child("label", label))
        tally = tally + events
    return scores, tally


def both(learner: Learner, images: np.ndarray, key: Key, known: Scores) -> tuple[np.ndarray, Tally]:
    """Return S (B, classes) float64 and the events: a multiply-add a label, and those of the passes that are not `known`."""
    tally = Tally()
    parts = {}
    for name in ("energy", "softmax"):
        parts[name], events = (known[name], Tally()) if name in known else learner.scores(images, name, key)
        tally = tally + events
    scores = together(parts["softmax"], parts["energy"], learner.scored_neurons, learner.goodness_weight)
    tally.add("readout", Events({"mac.fp32": scores.size}))
    return scores, tally


def output(learner: Learner, images: np.ndarray, key: Key, known: Scores) -> tuple[np.ndarray, Tally]:
    """Return the outputs of the last layer, (B, classes), and the events."""
    del known
    return learner.outputs(images, key)
