r"""Mean and spread behind estimates that have errors of their own, as of one number measured on several cells.

Estimates y_i with known variances v_i scatter around a mean m with the spread s between cells, y_i ~ N(m, s² + v_i). The spread
is where the weighted sum of squares Q(s²) = sum (y_i - m)²/(s² + v_i) equals its degrees of freedom (Paule and Mandel 1982,
doi:10.6028/jres.087.022); its 95 % interval is where Q equals the quantiles of chi-square (Viechtbauer 2007,
doi:10.1002/sim.2514); the mean has Student's t interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pooled:
    """Mean and spread of a population, each with its standard error or its 95 % interval."""

    mean: float
    half: float  # half the width of the mean's 95 % interval
    spread: float
    low: float  # 95 % interval of the spread
    high: float


def pooled(y: np.ndarray, v: np.ndarray) -> Pooled:
    """Return mean and spread behind estimates y (n,) of variances v (n,).

    Of fewer than three estimates the spread is unknown: it is 0, and the mean is that of these cells.
    """
    from scipy.stats import chi2, norm, t

    n = len(y)
    if n < 3:
        mean, error = _mean(y, v, 0.0)
        return Pooled(mean, float(norm.ppf(0.975)) * error, 0.0, 0.0, 0.0)
    spread2 = _where(y, v, n - 1.0)
    mean, error = _mean(y, v, spread2)
    low, high = (_where(y, v, float(chi2.ppf(q, n - 1))) for q in (0.975, 0.025))
    return Pooled(mean, float(t.ppf(0.975, n - 1)) * error, math.sqrt(spread2), math.sqrt(low), math.sqrt(high))


def _mean(y: np.ndarray, v: np.ndarray, spread2: float) -> tuple[float, float]:
    """Return the weighted mean and its standard error."""
    weight = 1.0 / (spread2 + v)
    return float((weight * y).sum() / weight.sum()), math.sqrt(1.0 / float(weight.sum()))


def _where(y: np.ndarray, v: np.ndarray, wanted: float) -> float:
    """Return the s² at which Q has the value `wanted`, which is 0 if Q(0) is smaller; Q falls as s² grows."""

    def q(spread2: float) -> float:
        mean, _ = _mean(y, v, spread2)
        return float(((y - mean) ** 2 / (spread2 + v)).sum())

    if q(0.0) <= wanted:
        return 0.0
    low, high = 0.0, float(((y - y.mean()) ** 2).sum())
    while q(high) > wanted:
        high *= 2.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if q(middle) > wanted else (low, middle)
    return 0.5 * (low + high)
