"""The two read-outs: softmax regression on one neutral pass, and goodness summed over one pass per label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import DTypeLike

from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.labels import check_labels
from hardware_models.check import UsageError, in_range

MOMENTUM = 0.9
"""Share of the gradient's running average that one batch keeps (Hinton's code)."""


class SoftmaxReadout:
    r"""Softmax regression without a bias, started at zero (Hinton's code).

    .. math:: p = \mathrm{softmax}(h V), \qquad q \leftarrow 0.9\,q + \tfrac{0.1}{B}\,h^\top(t - p), \qquad
              V \leftarrow V + \mathrm{gain}\;\eta\,(q - \delta V)

    with t the one-hot labels.

    Parameters
    ----------
    features, classes : shape of V.
    rate, decay : eta, delta.
    dtype : of V, q and all arithmetic; float32 beside a chip, float64 in the reference.
    """

    def __init__(
        self,
        features: int,
        classes: int,
        rate: float = 0.1,
        decay: float = 0.003,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.rate = in_range("the softmax read-out", "rate", rate, 0.0, 100.0)
        self.decay = in_range("the softmax read-out", "decay", decay, 0.0, 100.0)
        self.weights = np.zeros((features, classes), dtype)
        self.smoothed = np.zeros((features, classes), dtype)

    def logits(self, h: np.ndarray) -> np.ndarray:
        """Return h V (B, classes) for features h (B, features)."""
        return h.astype(self.weights.dtype, copy=False) @ self.weights

    def probabilities(self, h: np.ndarray) -> np.ndarray:
        """Return p (B, classes) for features h (B, features)."""
        logits = self.logits(h)
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)

    def step(self, h: np.ndarray, labels: np.ndarray, gain: float) -> None:
        """Learn from one batch: h (B, features), labels (B,)."""
        dtype = self.weights.dtype
        error = -self.probabilities(h)
        error[np.arange(len(h)), check_labels(labels, len(h), self.weights.shape[1])] += 1.0
        gradient = h.T.astype(dtype, copy=False) @ error / len(h)
        self.smoothed = MOMENTUM * self.smoothed + (1.0 - MOMENTUM) * gradient
        self.weights = self.weights + float(gain) * self.rate * (self.smoothed - self.decay * self.weights)

    def save(self) -> dict[str, np.ndarray]:
        """Return copies of the weights and of the smoothed gradient."""
        return {"weights": self.weights.copy(), "smoothed": self.smoothed.copy()}

    def restore(self, saved: Mapping[str, np.ndarray]) -> None:
        """Take up a state that `save` returned."""
        for name in ("weights", "smoothed"):
            shape = np.shape(saved[name])
            if shape != self.weights.shape:
                raise UsageError(
                    f"the saved softmax read-out has {name} of shape {shape}, this one needs {self.weights.shape}."
                )
        self.weights = np.array(saved["weights"], self.weights.dtype)
        self.smoothed = np.array(saved["smoothed"], self.weights.dtype)


def energy_scores(
    passes: Iterable[Sequence[np.ndarray]], layers: Iterable[int], goodness: Sequence[LayerGoodness]
) -> np.ndarray:
    """Return the score s G of each label, (B, labels) float64; its argmax is the energy read-out.

    `passes` yields, label by label, the outputs y (B, neurons) of all layers in the pass with that label;
    only `layers` count. A generator keeps one pass in memory at a time.
    """
    counted = tuple(layers)
    columns = []
    for outputs in passes:
        columns.append(sum(goodness[layer].score(outputs[layer]).astype(np.float64) for layer in counted))
    return np.stack(columns, axis=1)
