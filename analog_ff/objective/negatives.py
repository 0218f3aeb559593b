"""Wrong labels for the negative pass; none is ever the true label.

A maker of negatives takes (labels (B,), probabilities (B, classes), generator) and returns wrong labels (B,)
int64. How much it draws does not depend on the probabilities, so that a chip and the reference, whose
read-outs differ in the last digits, stay on the same draws.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np

from analog_ff.objective.labels import check_labels
from hardware_models.check import RunError, UsageError

SMALLEST = 1e-30
"""Below this sum of the wrong classes' probabilities the wrong labels are drawn uniformly (a choice of this
project): float32 is about to underflow there, and float32 and float64 are to take the same branch."""


def random_wrong(labels: np.ndarray, classes: int, generator: np.random.Generator) -> np.ndarray:
    """Return wrong labels (B,) int64, uniform over the other classes."""
    true = check_labels(labels, len(labels), classes)
    _at_least_two(classes)
    draw = generator.integers(0, classes - 1, size=len(true))
    return draw + (draw >= true)


def hard_wrong(labels: np.ndarray, probabilities: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    r"""Return wrong labels (B,) int64 in proportion to the read-out's belief (Hinton, arXiv:2212.13345, 3.3).

    .. math:: P(k) = \frac{p_k\,[k \ne t]}{\sum_{j \ne t} p_j}

    by the inverse of the cumulated distribution at one uniform number per image, always in float64.
    Errors: RunError if a probability is negative or not a finite number.
    """
    images, classes = probabilities.shape
    true = check_labels(labels, images, classes)
    _at_least_two(classes)
    weight = np.array(probabilities, dtype=np.float64)
    if not np.all(np.isfinite(weight)) or np.any(weight < 0.0):
        raise RunError(
            "hard negatives met class probabilities that are negative or not numbers, "
            "so the read-out has diverged; lower the learning rate."
        )
    rows = np.arange(images)
    weight[rows, true] = 0.0
    weight[weight.sum(axis=1) < SMALLEST] = 1.0
    weight[rows, true] = 0.0
    cumulated = weight.cumsum(axis=1)
    # u < 1 keeps the target below the total; the true class is an interval of no length and cannot be hit.
    target = generator.random(images) * cumulated[:, -1]
    return (cumulated <= target[:, None]).sum(axis=1)


def _uniform(labels: np.ndarray, probabilities: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return random_wrong(labels, probabilities.shape[1], generator)


def _at_least_two(classes: int) -> None:
    if classes < 2:
        raise UsageError(f"wrong labels need at least 2 classes, got {classes}.")


NegativeMaker = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]

NEGATIVES: MappingProxyType[str, NegativeMaker] = MappingProxyType({"hard": hard_wrong, "random": _uniform})
"""Makers of wrong labels by name: (labels, probabilities, generator) -> wrong labels."""
