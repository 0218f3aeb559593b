r"""Forward-Forward on a chip: two passes, a local goodness in each layer, no backward pass.

For each layer, with G the goodness (sum_j y_j² unless chosen otherwise), s = +1 or -1 as positives are to have a high or a
low one, theta = `theta_factor` n and p = sigma(s (G - theta)/T),

.. math:: d^+ = s\,(1-p)\,G'(y) + \lambda(\bar m - m), \qquad d^- = -s\,p\,G'(y), \qquad
          g = \frac1B\left(x^{+\top} d^+ + x^{-\top} d^-\right)

and the layer's update scheme applies g to the array. A positive is an image with its label; a negative the same image
with a wrong label, drawn in proportion to the softmax read-out's probabilities in a pass with the neutral label ("hard"),
or another form that the maker of negatives makes. Where no labels are shown, only the negatives' form differs. What other
layers hold for an image may enter p as a constant (`analog_ff.objective.collaboration`). No derivative of
the neurons is used unless a slope is chosen (`analog_ff.learners.slopes`): for a rectifier y f'(z) = y. The recipe is
Hinton's (arXiv:2212.13345 and his MATLAB code); the same steps in float64 without hardware are
`analog_ff.objective.reference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Unpack

import numpy as np

from analog_ff.learners.base import ALWAYS, _part
from analog_ff.learners.gated import GatedKeywords, GatedLearner
from analog_ff.network.base import Activity, Network, Shown
from analog_ff.objective.collaboration import Collaboration
from analog_ff.objective.negatives import WRONG_LABELS, Negatives, Relabel
from analog_ff.objective.schedule import Moment, averaged_over
from hardware_models.check import UsageError
from hardware_models.events import Events, Tally
from hardware_models.keys import Key
from hardware_models.tables import lookup


def together(shown: Sequence[Shown]) -> Shown:
    """Return several things shown as one batch, one below the other."""
    pixels = np.concatenate([one.pixels for one in shown])
    codes = [one.label for one in shown if one.label is not None]
    return Shown(pixels, np.concatenate(codes) if codes else None)


class ContrastKeywords(GatedKeywords, total=False):
    """Keyword arguments of Forward-Forward beside its negatives; see `ForwardForward`."""

    collaboration: float
    collaborators: str


class ForwardForward(GatedLearner):
    """Forward-Forward; see the module for the equations.

    Parameters
    ----------
    network : Network
        The wiring, with its layers' goodness; its chip may be sealed.
    classes, seed, readout_layers, label_strength, readout_rate, readout_decay
        See `Learner`.
    learning_rate, peer, update, update_options, slope, slope_options, dropout, bias_rate, weight_decay, decay_every
        See `LocalLearner`.
    skip_silent, gate, drive_bits, drive_rounding
        See `GatedLearner`.
    collaboration, collaborators
        See `analog_ff.objective.collaboration`.
    negatives
        A maker of negatives from `analog_ff.objective.negatives.load_negatives`, or the name of a kind of wrong labels.
    """

    name: ClassVar[str] = "forward-forward"

    def __init__(
        self,
        network: Network,
        *,
        negatives: Negatives | str = "hard",
        collaboration: float = 0.0,
        collaborators: str = "all",
        **shared: Unpack[GatedKeywords],
    ) -> None:
        super().__init__(network, **shared)
        self._collaboration = Collaboration(collaboration, collaborators)
        if isinstance(negatives, str):
            negatives = Relabel(lookup("kind of wrong labels", negatives, WRONG_LABELS))
        if negatives.labelled != (network.label_place != "none"):
            raise UsageError(
                "negatives that are wrong labels need a network that is shown labels."
                if negatives.labelled
                else "negatives without labels need a network that is shown none."
            )
        self._negatives = negatives
        self.least = negatives.least
        self._mean_goodness: list[tuple[float, float]] = [(0.0, 0.0)] * len(network.units)

    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, gain: float, moment: Moment = ALWAYS) -> Tally:
        """Learn from one batch, (B, n) in [0, 1] and (B,); updates use the activities from before the update.

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
        tally.add("readout", self.product_events(features) + Events({"sram.words_read": words}))
        shown: list[Shown] = []
        if moment.positive:
            shown.append(self.show(images, labels))
        if moment.negative:
            made, wrong, events = self.made_negatives(images, labels, believed, key)
            shown.append(self.show(made, wrong))
            tally = tally + events
        positives = len(images) if moment.positive else 0
        rate, full = gain * self.learning_rate, averaged_over(moment, len(images))
        # The two passes meet the same weights and know nothing of each other: they are read as one batch, positives first.
        passes = self.network.forward(together(shown), key, "contrast", dropout=self.dropout)
        for iteration, (activities, events) in enumerate(passes):
            tally = tally + events
            if iteration < self.network.first_learned:
                continue
            here = key if iteration == 0 else key.child("iteration", iteration)
            stored = sum(activity.y.size for activity in activities)
            self.meter.hold(stored)
            others = self._others(activities)
            for layer in moment.layers or range(len(self.network.units)):
                beside = others[layer] if others else None
                tally = tally + self._learn(layer, activities[layer], positives, full, rate, here, beside)
            self.meter.release(stored)
        tally = tally + self.decay(step, rate, key)
        if moment.positive:
            tally.add("readout", self.train_readout(features, labels, gain, full, p=believed))
        self.meter.release(features.size)
        return tally

    def made_negatives(
        self, images: np.ndarray, labels: np.ndarray, believed: np.ndarray, key: Key
    ) -> tuple[np.ndarray, np.ndarray | None, Tally]:
        """Return the negatives of a batch with their labels, and the events of making them; see `Negatives`."""
        made, wrong = self._negatives(images, labels, believed, key.child("negatives").generator())
        events = self._negatives.costs(len(images))
        return made, wrong, Tally({"shared": events}) if events.counts else Tally()

    def _others(self, activities: Sequence[Activity]) -> list[np.ndarray]:
        """Return the evidence of the other layers (B,) for each layer; an empty list without collaboration."""
        return self._collaboration(self.network.goodness, [one.y for one in activities]) if self._collaboration else []

    def _learn(
        self,
        layer: int,
        activity: Activity,
        positives: int,
        full: int,
        rate: float,
        key: Key,
        beside: np.ndarray | None = None,
    ) -> Tally:
        """Apply the updates of one network layer to its arrays, from its activity in a batch whose first rows are positives.

        A full batch has `full` images; `beside` (B,) is the evidence of other layers for each image.
        """
        slope, tally = self.slope(layer, activity, key.child("slope", layer))
        d, push = np.empty(activity.y.shape, np.float32), None
        for rows, positive in ((slice(0, positives), True), (slice(positives, None), False)):
            y = activity.y[rows]
            if not len(y):
                continue
            here = key.child("gate", layer).child("positive" if positive else "negative")
            said = None if beside is None else beside[rows]
            _, taught, events = self._drive(layer, y, slope[rows], positive, here, out=d[rows], beside=said)
            tally.add(self.network.parts[layer][0], events)
            if positive:
                push, added = self.push_to_peers(layer, activity.x, d, y, taught)
                tally = tally + added
        return tally + self.bring_taught(layer, activity.x, d, full, rate, key, push)

    def _drive(
        self,
        layer: int,
        y: np.ndarray,
        slope: np.ndarray,
        positive: bool,
        key: Key,
        *,
        out: np.ndarray | None = None,
        beside: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray, Events]:
        """Return d (B, units) without the peer term, in `out` if given, a mask (B,) of images that teach, the counted events."""
        goodness = self.network.goodness[layer]
        g = goodness.value(y)
        mean = float(g.sum(axis=1).mean())
        before = self._mean_goodness[layer]
        self._mean_goodness[layer] = (mean, before[1]) if positive else (before[0], mean)
        factors = goodness.coefficients(g, positive=positive, beside=beside)
        c, taught, events = self.gated(layer, factors, key)
        if beside is not None:
            events = events + self._collaboration.costs(len(y))
        return goodness.driven(c, slope, out), taught, events

    @property
    def mean_goodness(self) -> Sequence[tuple[float, float]]:
        """Mean goodness of the last positives and negatives, layer by layer."""
        return self._mean_goodness

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the learner's own state, and the memory of the maker of negatives."""
        return super().save(copy=copy) | {f"negatives.{name}": value for name, value in self._negatives.save().items()}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        super().restore(saved)
        self._negatives.restore(_part(saved, "negatives."))
