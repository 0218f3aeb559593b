"""Compute the usual step of a pulse as a function of the state before it, by medians that a few bad readings do not move."""

from __future__ import annotations

import math

import numpy as np

FAR = 6.5
"""Number of deviations from the usual step that makes a reading suspect; a normal variable exceeds it once in 10^10."""
_LARGEST = 2.5
_COMMON = 0.92
"""Quantile of the steps' sizes: a step below `_LARGEST` times this quantile is never suspect. A cell that meets its bound makes
steps of any size up to its usual one there, beside many steps near 0."""
_GROUP, _SMALLEST, _GROUPS = 40, 10, 12
"""Steps in a group of similar states; a shorter train has up to `_GROUPS` groups of at least `_SMALLEST` steps."""


def last_seen(u: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the row of the last reading before each row within its cycle; -1 if there is none."""
    readings = np.where(np.isfinite(u), np.arange(len(u)), -1)
    start = np.maximum.accumulate(np.where(first, np.arange(len(u)), 0))
    earlier = np.concatenate(([-1], np.maximum.accumulate(readings)[:-1]))
    return np.where((earlier >= start) & ~first, earlier, -1)


def common_step(u: np.ndarray, first: np.ndarray, own: np.ndarray) -> float:
    """Return the size below which most of the steps to the rows `own` (n,) are; 0 without steps.

    Steps are those of medians of three readings, in which single bad readings do not count, however many they are.
    """
    here = np.flatnonzero(np.isfinite(u))
    x, cycle = u[here], np.cumsum(first)[here]
    smooth, within = x.copy(), cycle[1:] == cycle[:-1]
    inner = np.flatnonzero(within[1:] & within[:-1]) + 1
    smooth[inner] = np.median([x[inner - 1], x[inner], x[inner + 1]], axis=0)
    steps = np.abs(np.diff(smooth))[within & own[here[1:]]]
    return float(np.quantile(steps, _COMMON)) if len(steps) else 0.0


class Usual:
    """Usual steps of one polarity: the median step and a robust deviation, as functions of the state before the step."""

    def __init__(self, before: np.ndarray, step: np.ndarray, own: np.ndarray, common: float = 0.0) -> None:
        own = own & np.isfinite(before) & np.isfinite(step)
        order = np.argsort(before[own], kind="stable")
        x, y = before[own][order], step[own][order]
        groups = max(1, len(x) // _GROUP, min(_GROUPS, len(x) // _SMALLEST))
        parts = [
            part for part in zip(np.array_split(x, groups), np.array_split(y, groups), strict=True) if len(part[0])
        ]
        self.x = np.array([np.median(a) for a, _ in parts])
        self.step = np.array([np.median(b) for _, b in parts])
        # Deviations are taken from the line through the medians, so that a trend of the step with the state is no scatter.
        left = [b - np.interp(a, self.x, self.step) for a, b in parts]
        deviation = np.array([1.4826 * np.median(np.abs(b - np.median(b))) for b in left])
        # A group is small, so its deviation is set to at least half the median deviation of all groups.
        half = 0.5 * float(np.median(deviation)) if len(parts) else 1.0
        self.deviation = np.maximum(deviation, max(half, _LARGEST / FAR * common, 1e-3))

    def at(self, state: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return the median step and its deviation at one or more states."""
        if not len(self.x):
            return np.zeros(np.shape(state)), np.full(np.shape(state), math.inf)
        return np.interp(state, self.x, self.step), np.interp(state, self.x, self.deviation)
