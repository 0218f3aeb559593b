r"""Lessons of a network: images with labels, or images with the answers of another network.

An answer is the vector p of a teacher's probabilities for an image. The learner takes a label, so one is drawn from the answer
for every pass over the images,

.. math:: P(t = k) = p_k, \qquad E\!\left[\nabla \log q_t\right] = \sum_k p_k\,\nabla \log q_k

and the mean change of the read-out over the passes is that of a cross-entropy with the soft answer; Forward-Forward's positives
are images with the drawn label, so that they too come in proportion to the answer. G. Hinton, O. Vinyals, J. Dean,
Distilling the knowledge in a neural network, arXiv:1503.02531.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np


def sharpened(answers: np.ndarray, sharpness: float) -> np.ndarray:
    """Return answers (n, classes) to the power of `sharpness`, normalised: 1 leaves them, infinity makes them one-hot."""
    if np.isinf(sharpness):
        return np.eye(answers.shape[1])[answers.argmax(axis=1)]
    raised = (answers / answers.max(axis=1, keepdims=True)).astype(np.float64) ** sharpness
    shares: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return shares


class Lessons(NamedTuple):
    """Images and what is said of them."""

    images: np.ndarray  # (n, pixels) float32
    answers: np.ndarray  # (n, classes) probabilities; those of a true label are one-hot

    def labels(self, generator: np.random.Generator) -> np.ndarray:
        """Return a label (n,) int64 for every image, drawn from its answer by the inverse of the cumulated probabilities."""
        cumulated = np.cumsum(self.answers, axis=1, dtype=np.float64)
        target = generator.random(len(cumulated)) * cumulated[:, -1]
        found: np.ndarray = (cumulated <= target[:, None]).sum(axis=1)
        return found


def labelled(images: np.ndarray, labels: np.ndarray, classes: int) -> Lessons:
    """Return images (n, pixels) with their true labels (n,)."""
    return Lessons(images, np.eye(classes)[labels])


def as_they_are(images: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return the images."""
    del generator
    return images


def noise(images: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return images of noise: every pixel takes its values in the images, each independently of the other pixels."""
    return generator.permuted(images, axis=0)


QUERIES: Mapping[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = MappingProxyType(
    {"images": as_they_are, "noise": noise}
)
"""Kinds of queries by name, each a function of the images at hand (n, pixels) and a generator."""


def asked(images: np.ndarray, queries: int) -> np.ndarray:
    """Return the images (queries, pixels) that are shown to a teacher, from the first on; too few begin again."""
    return images[np.arange(queries) % len(images)]
