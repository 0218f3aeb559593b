r"""Weight perturbation: every weight is moved by a random sign on the chip itself, and the loss says whether that was good.

.. math:: W \to W + \sigma s, \quad s_{ij} = \pm 1; \qquad \Delta W_{ij} = -\eta\,\frac{L(W + \sigma s) - L(W)}{\sigma}\,s_{ij}

with L the mean loss of the batch (see `analog_ff.learners.supervised`). E[Delta W] is the gradient up to O(sigma²), each
entry with the variance of all the others' squares: the learning rate must be smaller than that of backpropagation by about the
number of weights (simultaneous perturbation: Spall, IEEE Transactions on Automatic Control 37:332, 1992, doi:10.1109/9.119632;
weight perturbation on analog chips: Jabri, Flower, IEEE Transactions on Neural Networks 3:154, 1992, doi:10.1109/72.105429).

The perturbation is written with real pulses, q = sigma/DeltaW of them rounded to at least one, cell by cell; after the perturbed
pass a second write takes it back and adds the update, -q s + n, with n = floor(Delta W/DeltaW + u), u ~ U[0, 1), in
whole pulses. So a batch writes every weight twice. The signs are made again from their seed and stored nowhere; the only word of
memory is the loss. The chip need only read the whole network: neither an input nor an output of an inner layer is kept. The
price on cells that are noisy or not linear: taking a perturbation back does not restore the weight exactly.

The bias row, driven at full scale s, is perturbed by sigma/s and updated with the factor 1/s², as if its input were 1.
"""

from __future__ import annotations

from typing import ClassVar, Unpack

import numpy as np

from analog_ff.learners.base import ALWAYS, LearnerKeywords
from analog_ff.learners.node_perturbation import random_signs
from analog_ff.learners.supervised import Supervised
from analog_ff.network.base import Network
from analog_ff.objective.schedule import Moment
from hardware_models.check import in_range
from hardware_models.events import Events, Tally
from hardware_models.keys import Key

RANDOM_BITS = 24
"""Bits of one uniform number of the rounding."""


class WeightPerturbation(Supervised):
    """Weight perturbation by pulses; see the module for the equations.

    Parameters
    ----------
    network : Network
        A stack that is shown no labels; its chip may be sealed.
    weight_perturbation : float
        sigma in units of the largest weight W_max [1].
    learning_rate : float
        eta.
    classes, seed, readout_layers, readout_rate, readout_decay
        See `Learner`.
    """

    name: ClassVar[str] = "weight-perturbation"

    def __init__(
        self,
        network: Network,
        *,
        weight_perturbation: float = 0.005,
        learning_rate: float = 3e-4,
        **shared: Unpack[LearnerKeywords],
    ) -> None:
        super().__init__(network, **shared)
        owner = f"learner {self.name}"
        self.share = in_range(owner, "--weight-perturbation", weight_perturbation, 0.0, 1.0, "W_max", low_open=True)
        self.learning_rate = in_range(owner, "learning_rate", learning_rate, 0.0, 100.0)
        self.pulses = [self._pulses(layer) for layer in range(len(self.port.shapes))]

    def _pulses(self, layer: int) -> np.ndarray:
        """Return q (inputs, 1), int32: pulses of one perturbation, row by row, at least one."""
        sheet = self.port.datasheet[layer]
        sigma = np.full((sheet.inputs, 1), self.share * sheet.weight_limit)
        sigma[-1] /= sheet.input_scale
        return np.maximum(np.rint(sigma / sheet.weight_step), 1.0).astype(np.int32)

    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, gain: float, moment: Moment = ALWAYS) -> Tally:
        """Learn from one batch, (B, n) in [0, 1] and (B,); the read-out learns from the clean pass."""
        full = self.all_at_once(moment, len(images))
        key = Key(self.seed, "train", step)
        activities, tally = self.look(images, None, key, "forward")
        features = self.features(activities)
        self.meter.hold(features.size)  # for the read-out alone
        clean = float(self.loss(features, labels).mean())
        tally = tally + self.perturb(key)
        activities, events = self.look(images, None, key, "perturbed")
        tally = tally + events
        moved = self.features(activities)
        rise = float(self.loss(moved, labels).mean()) - clean
        counts = {"mac.fp32": self.products(moved) + 1, "add.fp32": 2 * len(images)}
        tally.add("readout", Events(counts | {"sram.words_read": self.softmax.weights.size}))
        tally = tally + self.learn(rise * (len(images) / full), gain * self.learning_rate, key)
        tally.add("readout", self.train_readout(features, labels, gain, full))
        self.meter.release(features.size)
        return tally

    def signs(self, layer: int, key: Key) -> tuple[np.ndarray, Events]:
        """Return s (inputs, neurons) of a step, made from its key, and the events of drawing its random bits."""
        found = random_signs(key.child("signs", layer), self.port.shapes[layer])
        return found.astype(np.int32), Events({"rng.bits": found.size})

    def perturb(self, key: Key) -> Tally:
        """Write the perturbation q s to every array and return the events."""
        tally = Tally()
        for layer, q in enumerate(self.pulses):
            s, events = self.signs(layer, key)
            tally.add(layer, events + self.port.fire_cells(layer, q * s, key=key.child("perturb", layer)))
        return tally

    def learn(self, rise: float, rate: float, key: Key) -> Tally:
        """Take the perturbation back and apply the update in one write of every array; return the events."""
        tally = Tally()
        for layer, q in enumerate(self.pulses):
            s, events = self.signs(layer, key)
            wanted = self.pulses_wanted(layer, rise, rate) * s
            draws = key.child("rounding", layer).generator().integers(0, 2**RANDOM_BITS, s.shape, dtype=np.uint32)
            n = np.floor(wanted + draws * 2.0**-RANDOM_BITS).astype(np.int32)
            events += Events({"rng.bits": RANDOM_BITS * s.size})
            tally.add(layer, events + self.port.fire_cells(layer, n - q * s, key=key.child("learn", layer)))
        return tally

    def pulses_wanted(self, layer: int, rise: float, rate: float) -> np.ndarray:
        """Return the pulses (inputs, 1) of an update with s = 1, for a `rise` of the mean loss."""
        sheet = self.port.datasheet[layer]
        wanted: np.ndarray = -rate * rise / (self.pulses[layer] * sheet.weight_step) / sheet.weight_step
        wanted[-1] /= sheet.input_scale**2
        # No change is larger than the range; a loss that explodes must not overflow the counter.
        most = sheet.weight_limit / sheet.weight_step
        return np.clip(wanted, -most, most)
