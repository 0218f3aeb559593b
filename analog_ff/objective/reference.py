r"""Forward-Forward in float64 without hardware: the reference of the tests and the limit of an ideal chip.

It takes the same steps, in the same order and with the same keys, as `analog_ff.learners.forward_forward` on a chip.
For each layer, with x = (rms of the activity below, s), y = relu(x W), G = sum y²,
theta = `theta_factor` n and p = sigma((G - theta)/T),

.. math:: d^+ = (1-p)\,y + \lambda(\bar m - m), \quad d^- = -p\,y, \quad
          g \leftarrow \mu g + \tfrac{1-\mu}{B}\left(x^{+\top} d^+ + x^{-\top} d^-\right), \quad
          W \leftarrow W + \mathrm{gain}\;\eta\,(g - \delta W)

The bias row has the input s, its gradient is multiplied by `bias_rate`, and it does not decay. The recipe is
Hinton's (arXiv:2212.13345 and his MATLAB code).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.labels import embed
from analog_ff.objective.negatives import WRONG_LABELS
from analog_ff.objective.normalise import PeerNorm, rms
from analog_ff.objective.readout import READOUT_LAYERS, SoftmaxReadout, energy_scores
from analog_ff.objective.schedule import gain as gain_at
from hardware_models.check import UsageError, in_range, positive_int
from hardware_models.keys import Key
from hardware_models.tables import lookup

READOUTS = ("energy", "softmax")


class LayerActivity(NamedTuple):
    """Inputs and outputs of one layer in one pass."""

    x: np.ndarray  # (B, inputs + 1) inputs, bias column last
    y: np.ndarray  # (B, neurons) outputs
    normalised: np.ndarray  # (B, neurons) y without its length


class ReferenceForwardForward:
    """A rectifier network that learns by Forward-Forward; see the module for the equations.

    Parameters
    ----------
    layers : (n0, n1, ...)
        Pixels, then the neurons of each layer.
    classes, seed : int
        Number of labels; seed of the weights, the order of images and the negatives.
    learning_rate, momentum, theta_factor, temperature, peer, decay : float
        eta, mu, theta per neuron, T, lambda, delta.
    input_scale, bias_rate : float
        s; factor on the bias row's gradient, default 1/s², so that the bias learns as if its input were 1.
    goodness, regions : str, int
        See `LayerGoodness`, as for theta and T.
    negatives : str
        "hard" or "random" wrong labels.
    readout_layers : str
        "all", "all-but-first" or "last".
    label_strength, readout_rate, readout_decay : float
        See `embed` and `SoftmaxReadout`.

    Attributes
    ----------
    weights, smoothed : list of (inputs + 1, neurons) float64
        W and g of each layer, bias row last.
    peers, softmax : running means of each layer, and the softmax read-out.
    """

    def __init__(
        self,
        layers: Sequence[int],
        *,
        classes: int,
        seed: int,
        learning_rate: float = 0.01,
        momentum: float = 0.9,
        goodness: str = "sum-of-squares",
        regions: int = 1,
        theta_factor: float | None = None,
        temperature: float = 1.0,
        peer: float = 0.03,
        decay: float = 0.0,
        input_scale: float = 6.0,
        bias_rate: float | None = None,
        negatives: str = "hard",
        readout_layers: str = "all",
        label_strength: float = 1.0,
        readout_rate: float = 0.1,
        readout_decay: float = 0.003,
    ) -> None:
        owner = "the reference"
        if len(layers) < 2:
            raise UsageError(f"{owner} needs layers (pixels, neurons, ...), got {tuple(layers)}.")
        self.layers = tuple(positive_int(owner, "a layer's size", size) for size in layers)
        self.classes = positive_int(owner, "classes", classes, 2, self.layers[0])
        self.seed = seed
        self.learning_rate = in_range(owner, "learning_rate", learning_rate, 0.0, 100.0)
        self.momentum = in_range(owner, "momentum", momentum, 0.0, 0.9999)
        self.goodness = [
            LayerGoodness(goodness, units, regions=regions, theta_factor=theta_factor, temperature=temperature)
            for units in self.layers[1:]
        ]
        self.peer = in_range(owner, "peer", peer, 0.0, 10.0)
        self.decay = in_range(owner, "decay", decay, 0.0, 100.0)
        self.input_scale = in_range(owner, "input_scale", input_scale, 0.0, 1e6, low_open=True)
        rate = 1.0 / self.input_scale**2 if bias_rate is None else bias_rate
        self.bias_rate = in_range(owner, "bias_rate", rate, 0.0, 1e12)
        self.label_strength = in_range(owner, "label_strength", label_strength, 0.0, 100.0, low_open=True)
        self._negatives = lookup("kind of wrong labels", negatives, WRONG_LABELS)
        if readout_layers not in READOUT_LAYERS:
            raise UsageError(f"the read-out layers are one of {', '.join(READOUT_LAYERS)}, got {readout_layers!r}.")
        neurons = self.layers[1:]
        first = {"all": 0, "all-but-first": 1, "last": len(neurons) - 1}[readout_layers]
        if first >= len(neurons):
            raise UsageError("read-out layers 'all-but-first' need at least two layers; choose 'all'.")
        self.readout_layers = range(first, len(neurons))
        self.weights = [self._initial(layer) for layer in range(len(neurons))]
        self.smoothed = [np.zeros_like(w) for w in self.weights]
        self.peers = [PeerNorm(n, strength=self.peer) for n in neurons]
        features = sum(neurons[layer] for layer in self.readout_layers)
        self.softmax = SoftmaxReadout(features, classes, readout_rate, readout_decay, dtype=np.float64)

    def _initial(self, layer: int) -> np.ndarray:
        """Return initial weights W ~ N(0, 1/fan_in) with a bias row of 0."""
        inputs, neurons = self.layers[layer], self.layers[layer + 1]
        weights = np.zeros((inputs + 1, neurons))
        generator = Key(self.seed, "weights").child("layer", layer).generator()
        weights[:-1] = generator.standard_normal((inputs, neurons)) / np.sqrt(inputs)
        return weights

    def forward(self, images: np.ndarray, labels: np.ndarray | None) -> list[LayerActivity]:
        """Return each layer's activity for images (B, n) in [0, 1] and labels (B,) or None (the neutral label)."""
        shown = np.asarray(images, np.float64)
        a = rms(embed(shown, labels, self.classes, strength=self.label_strength))
        activities = []
        for goodness, weights in zip(self.goodness, self.weights, strict=True):
            x = np.concatenate((a, np.full((len(a), 1), self.input_scale)), axis=1)
            y = np.maximum(x @ weights, 0.0)
            a = goodness.normalise(y)
            activities.append(LayerActivity(x, y, a))
        return activities

    def features(self, activities: list[LayerActivity]) -> np.ndarray:
        """Return the inputs of the softmax read-out, (B, features)."""
        return np.concatenate([activities[layer].normalised for layer in self.readout_layers], axis=1)

    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, gain: float, full: int | None = None) -> None:
        """Learn from images (b, n) in [0, 1] and labels (b,); `full` is B, b by default. All layers use old activities."""
        full = len(images) if full is None else full
        key = Key(self.seed, "train", step)
        features = self.features(self.forward(images, None))
        believed = self.softmax.probabilities(features)
        wrong = self._negatives(labels, believed, key.child("negatives").generator())
        positive = self.forward(images, labels)
        negative = self.forward(images, wrong)
        for layer, weights in enumerate(self.weights):
            above = self._drive(layer, positive[layer].y, positive=True)
            below = self._drive(layer, negative[layer].y, positive=False)
            gradient = (positive[layer].x.T @ above + negative[layer].x.T @ below) / full
            gradient[-1] *= self.bias_rate
            smoothed = self.momentum * self.smoothed[layer] + (1.0 - self.momentum) * gradient
            self.smoothed[layer] = smoothed
            change = smoothed.copy()
            change[:-1] -= self.decay * weights[:-1]
            self.weights[layer] = weights + gain * self.learning_rate * change
        self.softmax.step(features, labels, gain, full)

    def _drive(self, layer: int, y: np.ndarray, *, positive: bool) -> np.ndarray:
        """Return d (B, neurons), whose outer product with x is the wanted change of the weights."""
        goodness = self.goodness[layer]
        d = goodness.drive(y, goodness.derivative(y), positive=positive)
        if positive:
            d = d + self.peers[layer].term(y)
            self.peers[layer].update(y)
        return d

    def predict(self, images: np.ndarray, readouts: Sequence[str] = READOUTS) -> dict[str, np.ndarray]:
        """Return the predicted labels (B,) of each read-out in `readouts`."""
        answers = {}
        for name in readouts:
            if name == "energy":
                every = (np.full(len(images), label) for label in range(self.classes))
                passes = ([activity.y for activity in self.forward(images, labels)] for labels in every)
                answers[name] = energy_scores(passes, self.readout_layers, self.goodness).argmax(axis=1)
            elif name == "softmax":
                features = self.features(self.forward(images, None))
                answers[name] = self.softmax.probabilities(features).argmax(axis=1)
            else:
                raise UsageError(f"no read-out '{name}' (known: {', '.join(READOUTS)}).")
        return answers

    def train(self, x: np.ndarray, y: np.ndarray, epochs: int, batch: int) -> Iterator[int]:
        """Train for `epochs` epochs; yield the number of each epoch (from 0) at its end.

        The order of epoch e is ``Key(seed, "order", e).generator().permutation(n)``. The last batch has the remaining images,
        and its gradient counts by its share of a full batch.
        """
        images = len(x)
        batch = min(positive_int("the reference", "batch", batch), images)
        batches = -(-images // batch)
        for epoch in range(positive_int("the reference", "epochs", epochs)):
            order = Key(self.seed, "order", epoch).generator().permutation(images)
            for number in range(batches):
                chosen = order[number * batch : (number + 1) * batch]
                self.step(x[chosen], y[chosen], step=epoch * batches + number, gain=gain_at(epoch, epochs), full=batch)
            yield epoch
