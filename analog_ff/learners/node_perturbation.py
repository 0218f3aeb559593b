r"""Node perturbation: the loss with random biases on all neurons, against the loss without.

One pass is clean, one has a bias :math:`\sigma\xi_{lj}`, :math:`\xi = \pm 1`, on every neuron of every layer, another for every
image. With L the loss of an image (see `analog_ff.learners.supervised`),

.. math:: d_{lj} = -\frac{L(z + \sigma\xi) - L(z)}{\sigma}\,\xi_{lj}, \qquad \Delta W_l \propto x_l^\top d_l, \qquad
          E[d_{lj}] = -\frac{\partial L}{\partial z_{lj}} + O(\sigma^2)

The estimate needs no model of the chip: a read-out, one number an image, and a seed. It is unbiased to second order, because
even terms vanish with the signs. Its variance is the price: with N neurons,

.. math:: \mathrm{var}[d_{lj}] = \sum_{(m,k) \ne (l,j)} \left(\frac{\partial L}{\partial z_{mk}}\right)^2 + O(\sigma^2)

so that the learning rate must be some N times smaller than that of backpropagation. `perturbations` averages over several
perturbed passes. Bias pulses on the neurons are a pin of the chip; the random signs are made again from their seed and not
stored. What is stored are the inputs x of the clean pass, until the loss of the perturbed one is known.

Widrow, Lehr, Proceedings of the IEEE 78:1415, 1990, doi:10.1109/5.58323; Williams, Machine Learning 8:229, 1992,
doi:10.1007/BF00992696.
"""

from __future__ import annotations

from typing import ClassVar, Unpack

import numpy as np

from analog_ff.learners.local import ArrayKeywords
from analog_ff.learners.supervised import Batch, Change, ErrorDriven
from analog_ff.network.base import Activity, Network
from hardware_models.check import in_range, positive_int
from hardware_models.events import Events, Tally
from hardware_models.keys import Key


class NodePerturbation(ErrorDriven):
    """Node perturbation through the neurons' biases; see the module for the equations.

    Parameters
    ----------
    network : Network
        A stack that is shown no labels; its chip may be sealed.
    perturbation : float
        sigma [units of z].
    perturbations : int
        Perturbed passes that are averaged.
    learning_rate, update, update_options, bias_rate
        See `ArrayLearner`.
    classes, seed, readout_layers, readout_rate, readout_decay
        See `Learner`.
    """

    name: ClassVar[str] = "node-perturbation"
    usual_rate: ClassVar[float] = 0.03

    def __init__(
        self,
        network: Network,
        *,
        perturbation: float = 0.25,
        perturbations: int = 1,
        **shared: Unpack[ArrayKeywords],
    ) -> None:
        super().__init__(network, **shared)
        owner = f"learner {self.name}"
        self.sigma = in_range(owner, "--perturbation", perturbation, 0.0, 100.0, "units of z", low_open=True)
        self.draws = positive_int(owner, "--perturbations", perturbations, 1, 1_000_000)

    def changes(self, batch: Batch, tally: Tally) -> tuple[list[Change], Tally]:
        """Return x and the estimate d of every layer, and the tally with the perturbed passes."""
        clean = self.loss(batch.features, batch.labels)
        drives, events = self.estimate(batch.images, batch.labels, clean, batch.key)
        return [(activity.x, d) for activity, d in zip(batch.activities, drives, strict=True)], tally + events

    def estimate(
        self, images: np.ndarray, labels: np.ndarray, clean: np.ndarray, key: Key
    ) -> tuple[list[np.ndarray], Tally]:
        """Return d (B, neurons) float32 of every layer, for the loss (B,) of the clean pass, and the events."""
        tally = Tally()
        drives = [np.zeros((len(images), units), np.float32) for units in self.network.units]
        for draw in range(self.draws):
            here = key.child("draw", draw)
            signs = [random_signs(here.child("signs", layer), d.shape) for layer, d in enumerate(drives)]
            activities, events = self.perturbed(images, signs, here)
            features = self.features(activities)
            rise = self.loss(features, labels) - clean
            share = (-rise / (self.sigma * self.draws)).astype(np.float32)[:, None]
            tally = tally + events
            words = self.softmax.weights.size
            counts = {"mac.fp32": self.products(features), "sram.words_read": words, "add.fp32": len(images)}
            tally.add("readout", Events(counts))
            for layer, (d, xi) in enumerate(zip(drives, signs, strict=True)):
                d += share * xi
                tally.add(layer, Events({"rng.bits": d.size, "mac.fp32": d.size}))
        return drives, tally

    def perturbed(self, images: np.ndarray, signs: list[np.ndarray], key: Key) -> tuple[list[Activity], Tally]:
        """Return the activities of a pass with the biases sigma xi, and the events."""
        tally = Tally()
        activities = []
        a = self.stack.enter(self.show(images, None))
        for layer, xi in enumerate(signs):
            bias = np.float32(self.sigma) * xi
            activity, a, events = self.stack.through(layer, a, key, "perturbed", bias=bias)
            tally = tally + events
            activities.append(activity)
        return activities, tally


def random_signs(key: Key, shape: tuple[int, ...]) -> np.ndarray:
    """Return independent random signs, float32, -1 or 1 with the same probability."""
    bits = key.generator().integers(0, 2, shape, dtype=np.int8)
    return (2 * bits - 1).astype(np.float32)
