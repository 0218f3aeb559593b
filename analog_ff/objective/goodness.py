r"""Goodness of a layer's activity: value and derivative side by side, and the probability of a positive.

.. math:: p = \sigma\!\left(s\,\frac{G - \theta}{T}\right), \qquad c = 1-p \text{ on positives}, \quad -p
          \text{ on negatives}, \qquad d = s\,c\,G'(y)

Ascending log p on positives and log(1-p) on negatives asks of the weights the outer product of x with d.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import NamedTuple

import numpy as np


def sum_of_squares(y: np.ndarray) -> np.ndarray:
    """Return G = sum_j y_j² of each row, (B, neurons) -> (B,)."""
    return np.einsum("ij,ij->i", y, y)


def half_derivative_of_squares(y: np.ndarray) -> np.ndarray:
    """Return G'(y) = y: dG/dy = 2 y, its factor 2 absorbed in the learning rate as in Hinton's code."""
    return y


def probability(g: np.ndarray, theta: float | np.ndarray, temperature: float = 1.0, sign: int = 1) -> np.ndarray:
    """Return p = sigma(sign (g - theta) / temperature), without overflow for any argument.

    g and theta have the units of the goodness; sign is +1 where high goodness means positive, -1 where
    low does.
    """
    t = sign * (g - theta) / temperature
    decay = np.exp(-np.abs(t))  # in [0, 1]: never overflows
    return np.where(t >= 0.0, 1.0, decay).astype(decay.dtype) / (1.0 + decay)


def coefficient(p: np.ndarray, *, positive: bool) -> np.ndarray:
    """Return c = T d log p/dG = 1 - p on positives, c = T d log(1-p)/dG = -p on negatives (times the sign).

    The factor 1/T is absorbed in the learning rate, like the factor 2 of the squares.
    """
    return 1.0 - p if positive else -p


def unsquared_sum(y: np.ndarray) -> np.ndarray:
    """Return G = sum_j y_j of each row, (B, neurons) -> (B,); for neurons whose outputs are not negative."""
    return y.sum(axis=1)


def active(y: np.ndarray) -> np.ndarray:
    """Return G'(y) = 1 where a neuron is on, 0 where it is off: off, no weight of a rectifier changes its output."""
    return (y > 0).astype(y.dtype)


class Goodness(NamedTuple):
    """A goodness function: what is measured, what its outer product with x asks of the weights, and which way is good."""

    value: Callable[[np.ndarray], np.ndarray]  # (B, neurons) -> (B,)
    derivative: Callable[[np.ndarray], np.ndarray]  # (B, neurons) -> (B, neurons), dG/dy up to a stated constant factor
    factor: float  # dG/dy = factor * derivative
    sign: int  # s: +1 where positives are to have a high goodness, -1 where a low one
    theta_factor: float  # default threshold per neuron [units of y to the goodness's power]


GOODNESS: MappingProxyType[str, Goodness] = MappingProxyType(
    {
        "sum-of-squares": Goodness(sum_of_squares, half_derivative_of_squares, 2.0, 1, 1.0),
        "min-sum-of-squares": Goodness(sum_of_squares, half_derivative_of_squares, 2.0, -1, 1.0),
        "sum": Goodness(unsquared_sum, active, 1.0, 1, 0.5),
        "min-sum": Goodness(unsquared_sum, active, 1.0, -1, 0.5),
    }
)
"""Goodness functions by name. With a minimised goodness neurons detect violated constraints: a positive leaves them silent
(Hinton, arXiv:2212.13345, sections 3.3 and 4); currents of positives are then low."""
