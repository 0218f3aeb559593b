r"""Laws of time that retention traces are fitted with, trace by trace.

.. math:: \text{none: } G = g, \qquad \text{power: } G = g \left(\frac{\max(t, t_0)}{t_0}\right)^{-\nu}, \qquad
          \text{exponential: } G = G_r + (g - G_r)\, e^{-t/\tau}

g is the conductance of the trace, nu or ln tau the number of its cell; the rest value G_r is common. g is linear in each law, so
a trace is a search over one number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

GRID = 121
"""Numbers of a trace that are tried before the search."""
ROUNDS, NEAR = 3, 21
"""Rounds of the search, each of which tries so many numbers and narrows the interval of the best one by ten."""
_STEEPEST = 0.5
"""Largest size of a power's exponent, that of `hardware_models.devices.power_drift`."""


@dataclass(frozen=True)
class Law:
    """A law of time with one number per cell, or none."""

    name: str
    free: int  # numbers of a trace and of all of them
    number: str = ""  # what the cell's number is called


LAWS = (Law("none", 1), Law("power", 2, "nu"), Law("exponential", 3, "ln tau"))


@dataclass(frozen=True)
class Trace:
    """Readings of one trace with their weights, in units of the largest conductance."""

    t: np.ndarray  # (n,) [s]
    g: np.ndarray  # (n,)
    weight: np.ndarray  # (n,) 1 over the square of the noise's scale
    tried: dict[str, np.ndarray] = field(default_factory=dict)  # by law: `shape` of the numbers of the grid


@dataclass(frozen=True)
class Found:
    """A fitted trace."""

    g: float  # conductance at t0, or after the write
    number: float  # nu or ln tau; 0 without a law
    squares: float  # weighted sum of squared residuals
    information: float  # of the number, at noise 1; 0 if the trace does not tell it
    leverage: np.ndarray  # (2, 2) covariance of (g, number) at noise 1


def shape(law: Law, t: np.ndarray, numbers: np.ndarray, t0: float) -> np.ndarray:
    """Return the share (numbers, times) of g - G_r that is left at times t (n,), for each of the cell's numbers (k,)."""
    if law.name == "power":
        return np.asarray(np.exp(-numbers[:, None] * np.log(np.maximum(t, t0) / t0)[None]))
    if law.name == "exponential":
        return np.asarray(np.exp(-t[None] * np.exp(-numbers)[:, None]))
    return np.ones((len(numbers), len(t)))


def limits(law: Law, traces: list[Trace]) -> tuple[float, float]:
    """Return the lowest and the highest number of a cell."""
    if law.name != "exponential":
        return -_STEEPEST, _STEEPEST
    times = np.concatenate([trace.t[trace.t > 0] for trace in traces])
    return math.log(0.1 * times.min()), math.log(1e3 * times.max())


def fitted(law: Law, trace: Trace, rest: float, t0: float, ends: tuple[float, float]) -> Found:
    """Return the most likely conductance and number of a trace."""
    numbers = np.linspace(ends[0], ends[1], GRID) if law.number else np.zeros(1)
    if law.name not in trace.tried:
        trace.tried[law.name] = shape(law, trace.t, numbers, t0)
    best = float(numbers[int(np.argmin(_squares(trace, rest, trace.tried[law.name])))])
    if law.number:
        width = float(numbers[1] - numbers[0])
        for _ in range(ROUNDS):
            near = np.clip(np.linspace(best - width, best + width, NEAR), *ends)
            best = float(near[int(np.argmin(_squares(trace, rest, shape(law, trace.t, near, t0))))])
            width *= 0.1
    left = shape(law, trace.t, np.array([best]), t0)[0]
    w = trace.weight
    g = rest + float((w * left * (trace.g - rest)).sum() / max(float((w * left * left).sum()), 1e-300))
    # Derivatives by g and by the number.
    h = 1e-4 * max(1.0, abs(best))
    up, down = shape(law, trace.t, np.array([best + h, best - h]), t0)
    slopes = np.array([left, (g - rest) * (up - down) / (2 * h)])
    matrix = (slopes * w) @ slopes.T
    squares = float(_squares(trace, rest, left[None])[0])
    if not law.number or matrix[1, 1] <= 1e-12 * matrix[0, 0]:
        return Found(g, best if law.number else 0.0, squares, 0.0, np.diag([1 / max(matrix[0, 0], 1e-300), 0.0]))
    information = float(matrix[1, 1] - matrix[0, 1] ** 2 / matrix[0, 0])
    if information <= 1e-12 * matrix[1, 1]:
        return Found(g, best, squares, 0.0, np.diag([1 / matrix[0, 0], 0.0]))
    return Found(g, best, squares, information, np.linalg.inv(matrix))


def _squares(trace: Trace, rest: float, left: np.ndarray) -> np.ndarray:
    """Return the weighted sum of squares (k,) for each row of `shape` (k, n), with the best conductance of each."""
    w, above = trace.weight, trace.g - rest
    over, under = (left * w) @ above, np.maximum((left * left) @ w, 1e-300)
    return np.asarray((w * above * above).sum() - over * over / under)


def expected(law: Law, found: Found, t: np.ndarray, rest: float, t0: float) -> np.ndarray:
    """Return the conductance of a fitted trace at times t (n,)."""
    return np.asarray(rest + (found.g - rest) * shape(law, t, np.array([found.number]), t0)[0])


def uncertainty(law: Law, found: Found, t: np.ndarray, rest: float, t0: float) -> np.ndarray:
    """Return the variance (n,) of `expected` at noise 1."""
    h = 1e-4 * max(1.0, abs(found.number))
    left, up, down = shape(law, t, np.array([found.number, found.number + h, found.number - h]), t0)
    slopes = np.array([left, (found.g - rest) * (up - down) / (2 * h)])
    return np.asarray(np.einsum("in,ij,jn->n", slopes, found.leverage, slopes))
