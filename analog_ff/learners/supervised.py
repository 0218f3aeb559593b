r"""What learners that follow the read-out's error share: a stack shown no labels, one batch at once, the error's first step back.

The network is the one that Forward-Forward trains, without labels in its input: x_l = (a_l, s), y_l = f(x_l W_l),
a_{l+1} = rms(y_l), and a softmax read-out V on the read-out layers, p = softmax(h V). With t the one-hot label, the loss of an
image is the cross-entropy

.. math:: L = -\log p_t, \qquad -\frac{\partial L}{\partial h} = (t - p) V^\top
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from analog_ff.learners.base import Learner
from analog_ff.network.base import Activity, Network
from analog_ff.objective.readout import SoftmaxReadout
from analog_ff.objective.schedule import Moment, averaged_over
from hardware_models.check import UsageError
from hardware_models.events import Events, Tally


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

    name = "supervised"
    labelled: ClassVar[bool] = False

    def __init__(self, network: Network, **shared: Any) -> None:
        super().__init__(network, **shared)
        if network.label_place != "none" or any(len(parts) != 1 for parts in network.parts):
            raise UsageError(f"learner {self.name} trains a stack that is shown no labels: choose --network stack.")
        if any(goodness.regions != 1 for goodness in network.goodness):
            raise UsageError(f"learner {self.name} has no goodness of regions: choose --regions 1.")

    def all_at_once(self, moment: Moment | None, images: int) -> int:
        """Return what the sum over a batch of so many images is divided by; refuse a moment in which a pass or a layer rests."""
        if moment is not None and not (moment.positive and moment.negative and moment.layers is None):
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
            found[layer] = error @ self.softmax.weights[start : start + units].T
            start += units
        tally.add("readout", products(len(error), start * self.classes))
        return found

    @staticmethod
    def through_normaliser(activity: Activity, e: np.ndarray) -> np.ndarray:
        """Return the error of y from that of a = rms(y); 0 where the layer is dead."""
        length = np.sqrt(np.square(activity.y).mean(axis=1, keepdims=True))
        a = activity.normalised
        inside = e - a * (a * e).mean(axis=1, keepdims=True)
        return np.divide(inside, length, out=np.zeros_like(inside), where=length > 0)


def cross_entropy(readout: SoftmaxReadout, features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return -log p (B,) of the labels (B,), float64: a difference of two of them is what perturbations live on."""
    logits = readout.logits(features).astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    found: np.ndarray = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels]
    return found


def products(batch: int, words: int) -> Events:
    """Return the cost of one digital product of (B, n) with n x m = `words` weights read once."""
    return Events({"mac.fp32": batch * words, "sram.words_read": words})
