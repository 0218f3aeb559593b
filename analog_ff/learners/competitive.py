r"""The competitive rule: groups of neurons, one a class, and the group of the true class is to win in every layer.

For each layer, with q_k the mean square of the outputs of group k and p = softmax(q/T) (`analog_ff.objective.competition`),

.. math:: d_j = ([k(j) = t] - p_{k(j)})\,\frac{\bar n}{n_k}\,y_j + \lambda(\bar m - m_j), \qquad g = \frac1B\,x^\top d

and the layer's update scheme applies g to the array. An image passes once and is learned from once: its label chooses the group
that is to win and is not in the input, and the other groups take the place of negatives. Forward-Forward shows an image two
times more and learns from it twice. A layer needs its own inputs and outputs, and one number for each class; nothing comes back
from the layers above. No derivative of the neurons is used unless a slope is chosen (`analog_ff.learners.slopes`).

The rule is the competition of channels (CwC) of Papachristodoulou et al., AAAI 2024, doi:10.1609/aaai.v38i13.29369, for neurons
in place of channels. Renaudineau et al. 2026, arXiv:2601.09903, trained memristors with a single-pass competitive rule of this
family; of that article the abstract was read, so that details may differ.

The read-out "competition" takes the class whose log p, summed over the read-out layers, is the largest: one pass, no digital
weights. The digital softmax read-out is trained beside it, unless it is switched off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Unpack

import numpy as np

from analog_ff.learners.base import ALWAYS, Learner
from analog_ff.learners.gated import GatedKeywords, GatedLearner
from analog_ff.learners.readouts import Scores
from analog_ff.network.base import Activity, Network
from analog_ff.objective.competition import Competition
from analog_ff.objective.goodness import GOODNESS
from analog_ff.objective.schedule import Moment, averaged_over
from hardware_models.check import UsageError
from hardware_models.events import Events, Tally
from hardware_models.keys import Key

EACH = 2
"""Digital multiply-adds for each class, image and layer: q_k/(n_k T) and the division by the sum of the exponentials."""


class Competitive(GatedLearner):
    """The competitive single-pass rule; see the module for the equations.

    Parameters
    ----------
    network : Network
        The wiring, shown no labels, its layers with the goodness "sum-of-squares" in one region; T is the temperature of
        that goodness. Its chip may be sealed. Where a layer has positions, every position has the same groups.
    classes, seed, readout_layers, readout_rate, readout_decay
        See `Learner`.
    softmax_readout : bool
        Whether a digital softmax read-out is trained beside the competition.
    learning_rate, peer, update, update_options, slope, slope_options, dropout, bias_rate, weight_decay, decay_every
        See `LocalLearner`.
    gate, drive_bits, drive_rounding
        See `GatedLearner`; the factors are the c of each group, so that a group which is out of the competition rests.

    Raises
    ------
    UsageError
        If the network is shown labels or has another goodness, or a layer has fewer neurons than there are classes.
    """

    name: ClassVar[str] = "competitive"
    usual_rate: ClassVar[float] = 0.03
    labelled: ClassVar[bool] = False

    def __init__(self, network: Network, *, softmax_readout: bool = True, **shared: Unpack[GatedKeywords]) -> None:
        self.softmax_readout = bool(softmax_readout)  # asked for by `readouts`, which the bases read
        super().__init__(network, **shared)
        squares = GOODNESS["sum-of-squares"]
        if network.label_place != "none" or any(
            one.kind is not squares or one.regions != 1 for one in network.goodness
        ):
            raise UsageError(
                "learner competitive needs a network without labels whose layers have the goodness 'sum-of-squares' in one "
                "region."
            )
        self.groups = []
        for units, parts, goodness in zip(network.units, network.parts, network.goodness, strict=True):
            neurons = self.port.shapes[parts[0]][1]
            self.groups.append(
                Competition(neurons, self.classes, temperature=goodness.temperature, positions=units // neurons)
            )
        self._mean_goodness: list[tuple[float, float]] = [(0.0, 0.0)] * len(network.units)

    @property
    def readouts(self) -> tuple[str, ...]:
        """The competition, and the digital softmax regression where it is trained."""
        return ("competition", "softmax") if self.softmax_readout else ("competition",)

    @property
    def mean_goodness(self) -> Sequence[tuple[float, float]]:
        """Mean q of the true class's group and of the other groups in the last batch, layer by layer."""
        return self._mean_goodness

    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, gain: float, moment: Moment = ALWAYS) -> Tally:
        """Learn from one batch, (B, n) in [0, 1] and (B,), in one pass; updates use the weights from before the update.

        `moment` says which layers learn; in sleep, without images, none does.
        """
        if not moment.positive:
            return Tally()
        key = Key(self.seed, "train", step)
        activities, tally = self.look(images, None, key, "forward", dropout=self.dropout)
        rate, full = gain * self.learning_rate, averaged_over(moment, len(images))
        # A layer can write its array before the next one is read: only the read-out's features are kept.
        features = self.features(activities) if self.softmax_readout else np.empty((0, 0), np.float32)
        self.meter.hold(features.size)
        for layer in moment.layers or range(len(self.network.units)):
            tally = tally + self._learn(layer, activities[layer], labels, full, rate, key)
        tally = tally + self.decay(step, rate, key)
        if self.softmax_readout:
            tally.add("readout", self.train_readout(features, labels, gain, full))
        self.meter.release(features.size)
        return tally

    def _learn(self, layer: int, activity: Activity, labels: np.ndarray, full: int, rate: float, key: Key) -> Tally:
        """Apply the update of one network layer to its arrays and return the events; a full batch has `full` images."""
        slope, tally = self.slope(layer, activity, key.child("slope", layer))
        groups, y = self.groups[layer], activity.y
        q = groups.goodness(y)
        self._note(layer, q, labels)
        tally.add(self.network.parts[layer][0], Events({"mac.fp32": EACH * q.size}))
        c, taught, events = self.gated(layer, groups.coefficients(q, labels), key.child("gate", layer))
        tally.add(self.network.parts[layer][0], events)
        d = groups.driven(c, slope)
        push, added = self.push_to_peers(layer, activity.x, d, y, taught)
        return tally + added + self.bring_taught(layer, activity.x, d, full, rate, key, push)

    def _note(self, layer: int, q: np.ndarray, labels: np.ndarray) -> None:
        """Note the mean goodness (B, classes) of the true class's group, and of the other groups."""
        true = q[np.arange(len(q)), labels]
        others = (q.sum(axis=1) - true) / (self.classes - 1)
        self._mean_goodness[layer] = (float(true.mean()), float(others.mean()))


def competition(learner: Learner, images: np.ndarray, key: Key, known: Scores) -> tuple[np.ndarray, Tally]:
    """Return log p summed over the read-out layers, (B, classes) float64, in one pass, and the events.

    Raise UsageError for a learner whose neurons form no groups.
    """
    del known
    if not isinstance(learner, Competitive):
        raise UsageError(f"learner {learner.name} has no groups of neurons that compete.")
    activities, tally = learner.look(images, None, key, "layer")
    scores = np.zeros((len(images), learner.classes))
    for layer in learner.readout_layers:
        q = learner.groups[layer].goodness(activities[layer].y)
        scores += learner.groups[layer].log_probabilities(q)
        tally.add(learner.network.parts[layer][0], Events({"mac.fp32": EACH * q.size}))
    return scores, tally
