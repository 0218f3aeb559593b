"""Read-outs: softmax regression on one pass (on outputs or their mean squares), and goodness over one pass per label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.labels import check_labels
from hardware_models.check import UsageError, in_range, positive_int
from hardware_models.keys import Key

READOUT_LAYERS = ("all", "all-but-first", "last")
"""Layers that the read-outs see."""
LARGEST = 127
"""Largest whole number of 8 bits; the smallest is its negative."""
MOMENTUM = 0.9
"""Share of the gradient's running average that is kept from batch to batch (Hinton's code)."""


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return p (B, classes) = exp(logits) divided by its sum, without overflow."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def one_hot_error(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return t - p (B, classes) for the one-hot code t of the labels (B,)."""
    error = -p
    error[np.arange(len(p)), check_labels(labels, len(p), p.shape[1])] += 1.0
    return error


class SoftmaxReadout:
    r"""Softmax regression without a bias, with weights that start at zero (Hinton's code).

    .. math:: p = \mathrm{softmax}(h V), \qquad q \leftarrow 0.9\,q + \tfrac{0.1}{B}\,h^\top(t - p), \qquad
              V \leftarrow V + \mathrm{gain}\;\eta\,(q - \delta V)

    with t the one-hot labels and B the number of images of a full batch, also if a batch has fewer.

    Parameters
    ----------
    features, classes : shape of V.
    rate, decay : eta, delta.
    dtype : type of V, q and all arithmetic; float32 beside a chip, float64 in the reference.
    """

    product: ClassVar[str] = "mac.fp32"
    """Event that counts one of its multiply-adds h V or h^T (t - p)."""
    law: ClassVar[str] = "logits[c] = sum_f h[f] weights[f, c], in float32"
    """Law of its logits in a line, for a file of its weights."""

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
        return softmax(self.logits(h))

    def gradient(self, h: np.ndarray, labels: np.ndarray, p: np.ndarray | None = None) -> np.ndarray:
        """Return h^T (t - p)/B, the gradient of the mean log p of the labels (B,); p are the probabilities, if known."""
        error = one_hot_error(self.probabilities(h) if p is None else p, labels)
        return h.T.astype(self.weights.dtype, copy=False) @ error / len(h)

    def back(self, error: np.ndarray, features: slice = slice(None)) -> np.ndarray:
        """Return e V^T (B, features) for errors e (B, classes), for those of the features alone if they are given."""
        found: np.ndarray = error @ self.weights[features].T
        return found

    def step(
        self, h: np.ndarray, labels: np.ndarray, gain: float, full: int | None = None, p: np.ndarray | None = None
    ) -> None:
        """Learn from one batch h (b, features) with labels (b,); `full` is B, which is b by default, p as in `gradient`."""
        share = (1.0 - MOMENTUM) * (1.0 if full is None else len(labels) / full)
        self.smoothed = MOMENTUM * self.smoothed + share * self.gradient(h, labels, p)
        self.weights = self.weights + float(gain) * self.rate * (self.smoothed - self.decay * self.weights)

    def save(self) -> dict[str, np.ndarray]:
        """Return copies of the weights and of the smoothed gradient."""
        return {"weights": self.weights.copy(), "smoothed": self.smoothed.copy()}

    def restore(self, saved: Mapping[str, np.ndarray]) -> None:
        """Restore a state returned by `save`; raise UsageError if its shape is another."""
        for name in ("weights", "smoothed"):
            shape = np.shape(saved[name])
            if shape != self.weights.shape:
                raise UsageError(
                    f"the saved softmax read-out has {name} of shape {shape}, this one needs {self.weights.shape}."
                )
        self.weights = np.array(saved["weights"], self.weights.dtype)
        self.smoothed = np.array(saved["smoothed"], self.weights.dtype)


class Int8Readout(SoftmaxReadout):
    r"""The same regression with products of whole numbers of 8 bits.

    .. math:: h V \approx s_h s_c \sum_i \lfloor h_i/s_h \rceil \lfloor V_{ic}/s_c \rceil, \qquad
              h^\top (t - p) \approx s_h s_e \sum_b \lfloor h_b/s_h \rceil^\top \lfloor (t - p)_b/s_e \rceil, \qquad
              (t - p) V^\top \approx s_e s_V \sum_c \lfloor (t - p)_c/s_e \rceil \lfloor V_{ic}/s_V \rceil

    s_h and s_e are the largest absolute values of the batch over 127, s_c that of the weights of class c, s_V that of all
    weights; sums are exact. The weights V and their average q stay in fp32: they are changed once a batch, by three multiply-adds
    a word, and copied to 8 bits for the products. An error below s_e/2, about 0.4 % of a probability, teaches nothing.
    """

    product: ClassVar[str] = "mac.int8"
    law: ClassVar[str] = (
        "logits[c] = s_h s_c sum_f round(h[f]/s_h) round(weights[f, c]/s_c), s_h: the largest h of the batch of images over 127, "
        "s_c: the largest size of a weight of class c over 127"
    )

    def logits(self, h: np.ndarray) -> np.ndarray:
        """Return h V (B, classes) for features h (B, features)."""
        values, s_h = in_bytes(h)
        weights, s_c = in_bytes(self.weights, axis=0)
        return ((values @ weights) * (s_h * s_c)).astype(self.weights.dtype)

    def gradient(self, h: np.ndarray, labels: np.ndarray, p: np.ndarray | None = None) -> np.ndarray:
        """Return h^T (t - p)/B, the gradient of the mean log p of the labels (B,); p are the probabilities, if known."""
        values, s_h = in_bytes(h)
        errors, s_e = in_bytes(one_hot_error(self.probabilities(h) if p is None else p, labels))
        return ((values.T @ errors) * (s_h * s_e) / len(h)).astype(self.weights.dtype)

    def back(self, error: np.ndarray, features: slice = slice(None)) -> np.ndarray:
        """Return e V^T (B, features) for errors e (B, classes), for those of the features alone if they are given."""
        errors, s_e = in_bytes(error)
        weights, s = in_bytes(self.weights[features])
        return ((errors @ weights.T) * (s_e * s)).astype(self.weights.dtype)


def in_bytes(values: np.ndarray, axis: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return whole numbers from -127 to 127, in float64, in which sums of their products are exact, and the size of one.

    With an `axis` each line along it has a scale of its own.
    """
    step = np.abs(values).max(axis=axis, initial=0.0).astype(np.float64) / LARGEST
    whole = values / np.where(step, step, 1.0)
    return np.rint(whole, out=whole), step


READOUT_FORMATS: Mapping[str, type[SoftmaxReadout]] = MappingProxyType({"fp32": SoftmaxReadout, "int8": Int8Readout})
"""Number formats of the read-out's products -> the read-out that computes in them."""


class SquaredReadout(SoftmaxReadout):
    r"""Softmax regression on the mean of squared outputs over S noisy copies (arXiv:2505.16649).

    .. math:: o_s = h_s V, \qquad r_c = \tfrac1S \textstyle\sum_s o_{sc}^2, \qquad p = \mathrm{softmax}(r), \qquad
              g = \tfrac1{BS} \textstyle\sum_{b,s} h_s^\top\bigl((t - p) \odot o_s\bigr)

    The score of a class is the energy of its output. q and V change as in `SoftmaxReadout`, with g as the gradient; a factor 2
    is absorbed in the rate. At V = 0 the gradient is 0, so V starts at N(0, 1/F), F the number of features.

    Parameters
    ----------
    features, classes, rate, decay, dtype : see `SoftmaxReadout`.
    copies : S; h (B S, F) has the S copies of an image in adjacent rows.
    key : key from which the initial V is drawn.
    """

    law: ClassVar[str] = "logits[c] = mean over the copies s of (sum_f h[s, f] weights[f, c])^2, in float32"

    def __init__(
        self,
        features: int,
        classes: int,
        rate: float = 0.1,
        decay: float = 0.003,
        dtype: DTypeLike = np.float32,
        *,
        copies: int,
        key: Key,
    ) -> None:
        super().__init__(features, classes, rate, decay, dtype)
        self.copies = positive_int("the squared read-out", "copies", copies)
        self.weights = (key.generator().standard_normal((features, classes)) / np.sqrt(features)).astype(dtype)

    def outputs(self, h: np.ndarray) -> np.ndarray:
        """Return o (B, S, classes) for features h (B S, F)."""
        o = super().logits(h)
        return o.reshape(-1, self.copies, self.weights.shape[1])

    def logits(self, h: np.ndarray) -> np.ndarray:
        """Return r (B, classes) for features h (B S, F)."""
        return np.square(self.outputs(h)).mean(axis=1)

    def gradient(self, h: np.ndarray, labels: np.ndarray, p: np.ndarray | None = None) -> np.ndarray:
        """Return g (F, classes), half the gradient of the mean log p of the labels (B,)."""
        del p  # the outputs are needed anyway
        o = self.outputs(h)
        error = one_hot_error(softmax(np.square(o).mean(axis=1)), labels)
        asked = (error[:, None, :] * o).reshape(len(h), -1)
        return h.T.astype(self.weights.dtype, copy=False) @ asked / len(h)


def together(logits: np.ndarray, energies: np.ndarray, neurons: int, weight: float) -> np.ndarray:
    r"""Return the scores (B, classes) float64 of two read-outs together, the best of which is the answer.

    .. math:: S_c = L_c + w\,(E_c - \max_k E_k)/N

    Parameters
    ----------
    logits : L (B, classes), of the softmax read-out.
    energies : E (B, classes), goodness of each label, summed over N = `neurons` [units of the goodness].
    weight : w [1/(units of the goodness)].
    """
    best: np.ndarray = energies.max(axis=1, keepdims=True)
    scores: np.ndarray = logits.astype(np.float64) + weight / neurons * (energies - best)
    return scores


def energy_scores(
    passes: Iterable[Sequence[np.ndarray]], layers: Iterable[int], goodness: Sequence[LayerGoodness]
) -> np.ndarray:
    """Return the score s G of each label, (B, labels) float64; its argmax is the energy read-out.

    `passes` yields, label by label, the outputs y (B, neurons) of all layers in the pass with that label;
    only `layers` count. If `passes` is a generator, only one pass is in memory at a time.
    """
    counted = tuple(layers)
    columns = []
    for outputs in passes:
        columns.append(sum(goodness[layer].score(outputs[layer]).astype(np.float64) for layer in counted))
    return np.stack(columns, axis=1)
