r"""Base classes of learners that follow the read-out's error: a stack shown no labels, one batch at once, the first step back.

The network is the one that Forward-Forward trains, without labels in its input: x_l = (a_l, s), y_l = f(x_l W_l),
a_{l+1} = rms(y_l), and a softmax read-out V on the read-out layers, p = softmax(h V). With t the one-hot label, the loss of an
image is the cross-entropy

.. math:: L = -\log p_t, \qquad -\frac{\partial L}{\partial h} = (t - p) V^\top
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Unpack

import numpy as np

from analog_ff.learners.base import ALWAYS, Learner, LearnerKeywords
from analog_ff.learners.local import ArrayKeywords, ArrayLearner
from analog_ff.network.base import Activity, Network
from analog_ff.network.stack import Stack
from analog_ff.objective.readout import SoftmaxReadout
from analog_ff.objective.schedule import Moment, averaged_over
from hardware_models.check import UsageError
from hardware_models.events import Events, Tally
from hardware_models.keys import Key


class Supervised(Learner):
    """A stack that is shown no labels, all of whose layers learn from every batch.

    Parameters
    ----------
    network : Network
        A stack that is shown no labels.
    classes, seed, readout_layers, readout_rate, readout_decay
        See `Learner`.

    Raises
    ------
    UsageError
        If the network is shown labels, has several arrays a layer, or a goodness of regions.
    """

    name: ClassVar[str] = "supervised"
    labelled: ClassVar[bool] = False

    def __init__(self, network: Network, **shared: Unpack[LearnerKeywords]) -> None:
        super().__init__(network, **shared)
        self.stack = plain_stack(self.name, network)

    def all_at_once(self, moment: Moment, images: int) -> int:
        """Return the divisor of the sum over a batch of so many images; refuse a moment in which a pass or a layer rests."""
        if not (moment.positive and moment.negative and moment.layers is None):
            raise UsageError(f"learner {self.name} learns from every batch at once: choose --schedule interleaved.")
        return averaged_over(moment, images)

    def loss(self, features: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return L (B,) float64 of the digital read-out for its inputs (B, F)."""
        return cross_entropy(self.softmax, features, labels)

    def output_errors(self, error: np.ndarray, tally: Tally) -> list[np.ndarray | None]:
        """Return (t - p) V^T for each layer that the read-out sees, None for the others; digital."""
        found: list[np.ndarray | None] = [None] * len(self.network.units)
        start = 0
        for layer in self.readout_layers:
            units = self.network.units[layer]
            found[layer] = self.softmax.back(error, slice(start, start + units))
            start += units
        tally.add("readout", products(len(error), start * self.classes, self.softmax.product))
        return found

    @staticmethod
    def through_normaliser(activity: Activity, e: np.ndarray) -> np.ndarray:
        """Return the error of y from that of a = rms(y); 0 where the layer is dead."""
        length = np.sqrt(np.square(activity.y).mean(axis=1, keepdims=True))
        a = activity.normalised
        inside = e - a * (a * e).mean(axis=1, keepdims=True)
        return np.divide(inside, length, out=np.zeros_like(inside), where=length > 0)


def plain_stack(name: str, network: Network) -> Stack:
    """Return the network if it is a stack that is shown no labels, without regions; raise UsageError otherwise."""
    if network.label_place != "none" or not isinstance(network, Stack):
        raise UsageError(f"learner {name} trains a stack that is shown no labels: choose --network stack.")
    if any(goodness.regions != 1 for goodness in network.goodness):
        raise UsageError(f"learner {name} has no goodness of regions: choose --regions 1.")
    return network


class Batch(NamedTuple):
    """One batch after its forward pass."""

    images: np.ndarray  # (B, n) in [0, 1]
    labels: np.ndarray  # (B,)
    activities: list[Activity]  # of the forward pass, layer by layer
    features: np.ndarray  # (B, F), inputs of the softmax read-out
    key: Key  # of every draw of this step
    gain: float  # factor on all learning rates
    full: int  # images that a sum over the batch is divided by


Change = tuple[Sequence[np.ndarray], np.ndarray]
"""The change of one layer: its inputs x, an entry per array, and the drive d (B, neurons) float32; W moves along x^T d."""


class ErrorDriven(Supervised, ArrayLearner):
    """A learner of one forward pass a batch, after which every layer is moved along x^T d; a subclass defines x and d.

    Parameters
    ----------
    network : Network
        A stack that is shown no labels.
    learning_rate, update, update_options, bias_rate
        See `ArrayLearner`.
    classes, seed, readout_layers, readout_rate, readout_decay
        See `Learner`.
    """

    name: ClassVar[str] = "error-driven"

    def __init__(self, network: Network, **shared: Unpack[ArrayKeywords]) -> None:
        ArrayLearner.__init__(self, network, **shared)
        self.stack = plain_stack(self.name, network)

    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, gain: float, moment: Moment = ALWAYS) -> Tally:
        """Learn from one batch, (B, n) in [0, 1] and (B,); all updates use the weights from before the update."""
        full = self.all_at_once(moment, len(images))
        key = Key(self.seed, "train", step)
        activities, tally = self.look(images, None, key, "forward")
        batch = Batch(images, labels, activities, self.features(activities), key, gain, full)
        stored = self.stored(batch)
        self.meter.hold(stored)
        changes, tally = self.changes(batch, tally)
        for layer, (x, d) in enumerate(changes):
            tally = tally + self.bring(layer, x, (d,), full, gain * self.learning_rate, key)
        self.train_readouts(batch, tally)
        self.meter.release(stored)
        return tally

    @abstractmethod
    def changes(self, batch: Batch, tally: Tally) -> tuple[list[Change], Tally]:
        """Return the change of every layer, and the tally with the events of finding the changes."""

    def train_readouts(self, batch: Batch, tally: Tally) -> None:
        """Train the digital read-out on the features of the forward pass, and count it."""
        tally.add("readout", self.train_readout(batch.features, batch.labels, batch.gain, batch.full))

    def stored(self, batch: Batch) -> int:
        """Return the number of values of the forward pass kept until the arrays are written: every activity."""
        return sum(activity.y.size for activity in batch.activities)


def cross_entropy(readout: SoftmaxReadout, features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return -log p (B,) of the labels (B,) in float64: learning by perturbation needs small differences of it."""
    logits = readout.logits(features).astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    found: np.ndarray = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels]
    return found


def products(batch: int, words: int, product: str = "mac.fp32") -> Events:
    """Return the cost of one digital product of (B, n) with n x m = `words` weights read once; `product` counts its parts."""
    return Events({product: batch * words, "sram.words_read": words})
