r"""Forward-Forward on a chip: two passes, a local goodness in each layer, no backward pass.

For each layer, with G the goodness (sum_j y_j² unless chosen otherwise), s = +1 or -1 as positives are to have a high or a
low one, theta = `theta_factor` n and p = sigma(s (G - theta)/T),

.. math:: d^+ = s\,(1-p)\,G'(y) + \lambda(\bar m - m), \qquad d^- = -s\,p\,G'(y), \qquad
          g = \frac1B\left(x^{+\top} d^+ + x^{-\top} d^-\right)

and the layer's update scheme brings g to the array. A positive is an image with its label, a negative the same image
with a wrong label, drawn in proportion to what the softmax read-out believes in a pass with the neutral label ("hard").
No derivative of the neurons is used: for a rectifier y f'(z) = y, for any other the slope is dropped. The recipe is
Hinton's (arXiv:2212.13345 and his MATLAB code); the same steps in float64 without hardware are
`analog_ff.objective.reference`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from analog_ff.learners.base import LabelLearner, _part
from analog_ff.objective.goodness import coefficient, probability
from analog_ff.objective.negatives import NEGATIVES
from analog_ff.objective.normalise import PeerNorm
from analog_ff.updates import UPDATES
from analog_ff.updates.decay import Decay
from hardware_models.check import in_range
from hardware_models.events import Events, Tally
from hardware_models.keys import Key
from hardware_models.port import ChipPort
from hardware_models.tables import lookup


class ForwardForward(LabelLearner):
    """Supervised Forward-Forward; see the module for the equations.

    Parameters
    ----------
    port : ChipPort
        The chip; it may be sealed.
    classes, seed, readout_layers, label_strength, readout_rate, readout_decay
        See `LabelLearner`; so is `goodness`.
    learning_rate, theta_factor, temperature, peer : float
        eta; theta per neuron (default: the goodness's own); T; lambda.
    negatives : str
        "hard" or "random" wrong labels.
    update : str
        Name of the update scheme; `update_options` go to it.
    bias_rate : float, optional
        Factor on the bias row's update; default 1/s², so that the bias learns as if its input were 1.
    weight_decay, decay_every : float, int
        See `analog_ff.updates.decay`; 0: the weights are never read.
    """

    name = "forward-forward"

    def __init__(
        self,
        port: ChipPort,
        *,
        classes: int,
        seed: int,
        learning_rate: float = 0.01,
        theta_factor: float | None = None,
        temperature: float = 1.0,
        peer: float = 0.03,
        negatives: str = "hard",
        update: str = "accumulate",
        update_options: dict[str, Any] | None = None,
        bias_rate: float | None = None,
        weight_decay: float = 0.0,
        decay_every: int = 100,
        **shared: Any,
    ) -> None:
        super().__init__(port, classes=classes, seed=seed, **shared)
        self.learning_rate = in_range(self.name, "learning_rate", learning_rate, 0.0, 100.0)
        theta = self.goodness.theta_factor if theta_factor is None else theta_factor
        self.theta_factor = in_range(self.name, "theta_factor", theta, 0.0, 1e6)
        self.temperature = in_range(self.name, "temperature", temperature, 0.0, 1e6, low_open=True)
        self.peer = in_range(self.name, "peer", peer, 0.0, 10.0)
        self._negatives = lookup("kind of negatives", negatives, NEGATIVES)
        scheme = lookup("update", update, UPDATES)
        self.updates = [scheme(port, layer, **(update_options or {})) for layer in range(len(port.shapes))]
        self.decays = [
            Decay(port, layer, strength=weight_decay, every=decay_every) for layer in range(len(port.shapes))
        ]
        self.peers = [PeerNorm(neurons, strength=self.peer) for _, neurons in port.shapes]
        self._bias_rates = [
            1.0 / sheet.input_scale**2 if bias_rate is None else float(bias_rate) for sheet in port.datasheet
        ]
        self.mean_goodness: list[tuple[float, float]] = [(0.0, 0.0)] * len(port.shapes)

    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, gain: float) -> Tally:
        """Learn from one batch, (B, n) in [0, 1] and (B,); all updates use the activities of before the update."""
        key = Key(self.seed, "train", step)
        neutral, tally = self.passes(images, None, key, "neutral")
        features = self.features(neutral)
        believed = self.softmax.probabilities(features)
        wrong = self._negatives(labels, believed, key.child("negatives").generator())
        positive, events = self.passes(images, labels, key, "positive")
        tally = tally + events
        negative, events = self.passes(images, wrong, key, "negative")
        tally = tally + events
        words = features.shape[1] * self.classes
        tally.add("readout", Events({"mac.fp32": len(images) * words, "sram.words_read": words}))
        for layer, update in enumerate(self.updates):
            x = np.concatenate((positive[layer].x, negative[layer].x))
            d = np.concatenate(
                (self._drive(layer, positive[layer].y, True), self._drive(layer, negative[layer].y, False))
            )
            rate = gain * self.learning_rate
            here = key.child("update", layer)
            tally.add(layer, update.apply(x, d, len(images), rate, self._bias_rates[layer], here))
            tally.add(layer, self.decays[layer].after_batch(step, rate, here.child("decay")))
        tally.add("readout", self.train_readout(features, labels, gain))
        return tally

    def _drive(self, layer: int, y: np.ndarray, positive: bool) -> np.ndarray:
        """Return d (B, neurons) float32, what the outer product with x asks of the weights."""
        good = self.goodness
        g = good.value(y)
        p = probability(g, self.theta_factor * y.shape[1], self.temperature, good.sign)
        d = good.sign * coefficient(p, positive=positive)[:, None] * good.derivative(y)
        mean = float(g.mean())
        before = self.mean_goodness[layer]
        self.mean_goodness[layer] = (mean, before[1]) if positive else (before[0], mean)
        if positive and self.peer:
            d = d + self.peers[layer].term(y)
            self.peers[layer].update(y)
        return np.ascontiguousarray(d, np.float32)

    def save(self) -> dict[str, np.ndarray]:
        """Return the learner's own state: read-out, memories, running means."""
        saved = super().save()
        for layer, (update, peer) in enumerate(zip(self.updates, self.peers, strict=True)):
            saved |= {f"update{layer}.{name}": value for name, value in update.save().items()}
            saved[f"peer{layer}.mean"] = np.array(peer.mean)
            saved |= {f"decay{layer}.{name}": value for name, value in self.decays[layer].save().items()}
        return saved

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Take up a state that `save` returned."""
        super().restore(saved)
        for layer, (update, peer) in enumerate(zip(self.updates, self.peers, strict=True)):
            update.restore(_part(saved, f"update{layer}."))
            peer.mean = np.array(saved[f"peer{layer}.mean"])
            self.decays[layer].restore(_part(saved, f"decay{layer}."))
