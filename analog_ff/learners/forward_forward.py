r"""Forward-Forward on a chip: two passes, a local goodness in each layer, no backward pass.

For each layer, with G the goodness (sum_j y_j² unless chosen otherwise), s = +1 or -1 as positives are to have a high or a
low one, theta = `theta_factor` n and p = sigma(s (G - theta)/T),

.. math:: d^+ = s\,(1-p)\,G'(y) + \lambda(\bar m - m), \qquad d^- = -s\,p\,G'(y), \qquad
          g = \frac1B\left(x^{+\top} d^+ + x^{-\top} d^-\right)

and the layer's update scheme brings g to the array. A positive is an image with its label; a negative the same image
with a wrong label, drawn in proportion to what the softmax read-out believes in a pass with the neutral label ("hard"), or
whatever else the maker of negatives makes. Where no labels are shown, only the negatives' form differs. No derivative of
the neurons is used unless a slope is chosen (`analog_ff.learners.slopes`): for a rectifier y f'(z) = y. The recipe is
Hinton's (arXiv:2212.13345 and his MATLAB code); the same steps in float64 without hardware are
`analog_ff.objective.reference`.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import numpy as np

from analog_ff.learners.base import _part
from analog_ff.learners.local import LocalLearner
from analog_ff.network.base import Activity, Network
from analog_ff.objective.negatives import WRONG_LABELS, Relabel
from analog_ff.objective.schedule import Moment
from hardware_models.check import UsageError
from hardware_models.events import Events, Tally
from hardware_models.keys import Key
from hardware_models.tables import lookup

ALWAYS = Moment(0, 0)


class ForwardForward(LocalLearner):
    """Forward-Forward; see the module for the equations.

    Parameters
    ----------
    network : Network
        The wiring, with its layers' goodness; its chip may be sealed.
    classes, seed, readout_layers, label_strength, readout_rate, readout_decay
        See `Learner`.
    learning_rate, peer, update, update_options, slope, slope_options, dropout, bias_rate, weight_decay, decay_every
        See `LocalLearner`.
    negatives
        What `analog_ff.objective.negatives.load_negatives` returns, or the name of a kind of wrong labels.
    """

    name = "forward-forward"

    def __init__(self, network: Network, *, negatives: Any = "hard", **shared: Any) -> None:
        super().__init__(network, **shared)
        if isinstance(negatives, str):
            negatives = Relabel(lookup("kind of wrong labels", negatives, WRONG_LABELS))
        if negatives.labelled != (network.label_place != "none"):
            raise UsageError(
                "negatives that are wrong labels need a network that is shown labels."
                if negatives.labelled
                else "negatives without labels need a network that is shown none."
            )
        self._negatives = negatives
        self.mean_goodness: list[tuple[float, float]] = [(0.0, 0.0)] * len(network.units)

    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, gain: float, moment: Moment = ALWAYS) -> Tally:
        """Learn from one batch, (B, n) in [0, 1] and (B,); updates use the activities of before the update.

        `moment` says whether the batch is shown as positives, negatives or both, and which layers learn. The read-out
        learns from a pass with the neutral label, or without labels from the positives; in sleep it rests.
        """
        key = Key(self.seed, "train", step)
        before = self._negatives.prepare(self, step, key.child("prepare")) if moment.negative else Tally()
        neutral, tally = self.look(images, None, key, "neutral", dropout=self.dropout)
        tally = before + tally
        features = self.features(neutral)
        self.meter.hold(features.size)
        believed = self.softmax.probabilities(features)
        words = features.shape[1] * self.classes
        tally.add("readout", Events({"mac.fp32": len(images) * words, "sram.words_read": words}))
        positive = negative = iter(())  # type: Any
        if moment.positive:
            positive = self._pass(images, labels, key, "positive")
        if moment.negative:
            made, wrong = self._negatives(images, labels, believed, key.child("negatives").generator())
            negative = self._pass(made, wrong, key, "negative")
        rate = gain * self.learning_rate
        for iteration, passes in enumerate(zip_longest(positive, negative)):
            above, below = (None if found is None else found[0] for found in passes)
            for found in passes:
                tally = tally if found is None else tally + found[1]
            if iteration < self.network.first_learned:
                continue
            here = key if iteration == 0 else key.child("iteration", iteration)
            stored = sum(activity.y.size for activities in (above, below) for activity in activities or ())
            self.meter.hold(stored)
            for layer in moment.layers or range(len(self.network.units)):
                one, two = (None if activities is None else activities[layer] for activities in (above, below))
                tally = tally + self._learn(layer, one, two, len(images), rate, here)
            self.meter.release(stored)
        tally = tally + self.decay(step, rate, key)
        if moment.positive:
            tally.add("readout", self.train_readout(features, labels, gain))
        self.meter.release(features.size)
        return tally

    def _pass(self, images: np.ndarray, labels: np.ndarray | None, key: Key, name: str) -> Any:
        return self.network.forward(self.show(images, labels), key, name, dropout=self.dropout)

    def _learn(
        self,
        layer: int,
        above: Activity | None,
        below: Activity | None,
        images: int,
        rate: float,
        key: Key,
    ) -> Tally:
        """Bring one network layer's updates to its arrays, from its activity in a positive and in a negative pass."""
        tally = Tally()
        inputs: list[tuple[np.ndarray, ...]] = []
        drives: list[tuple[np.ndarray, ...]] = []
        for activity, positive in ((above, True), (below, False)):
            if activity is None:
                continue
            slope, events = self.slope(layer, activity, key.child("slope", layer).child(str(positive)))
            tally = tally + events
            inputs.append(activity.x)
            drives.append(self.network.split(layer, self._drive(layer, activity.y, slope, positive)))
        x = [np.concatenate(found) for found in zip(*inputs, strict=True)]
        d = [np.concatenate(found) for found in zip(*drives, strict=True)]
        return tally + self.bring(layer, x, d, images, rate, key)

    def _drive(self, layer: int, y: np.ndarray, slope: np.ndarray, positive: bool) -> np.ndarray:
        """Return d (B, units) float32, what the outer product with x asks of the weights."""
        goodness = self.network.goodness[layer]
        d = goodness.drive(y, slope, positive=positive)
        mean = float(goodness.value(y).sum(axis=1).mean())
        before = self.mean_goodness[layer]
        self.mean_goodness[layer] = (mean, before[1]) if positive else (before[0], mean)
        return self.among_peers(layer, d, y) if positive else d

    def save(self) -> dict[str, np.ndarray]:
        """Return the learner's own state, and what the maker of negatives remembers."""
        return super().save() | {f"negatives.{name}": value for name, value in self._negatives.save().items()}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Take up a state that `save` returned."""
        super().restore(saved)
        self._negatives.restore(_part(saved, "negatives."))
