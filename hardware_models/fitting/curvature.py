"""Interval of the curvature of a step, from the profile of its likelihood and not from a parabola at the maximum.

The search of the exponential curve moves 1/a. Near 1/a = 0 the curve is straight, and the sign of a means little; far from 0
with a negative sign it is u' = u e^(-1/A), A = a P, which depends only on the product of a and the number of states P: the
likely values of 1/a then have no end. In neither case does a have an interval, and a parabola cannot tell the two apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_models.fitting.forms import Form
from hardware_models.fitting.likelihood import Candidate

DROP = 1.92
"""Loss of log-likelihood at the ends of a 95 % interval: half the 95 % point of chi-square with one degree of freedom."""
_ROUNDS = 6
_HALVINGS = 8


@dataclass(frozen=True)
class Profile:
    """Interval of one curvature 1/a by the likelihood of all cells; each end holds the most likely values of all numbers."""

    index: int  # of the curvature among the form's free numbers
    top: np.ndarray  # most likely numbers
    low: np.ndarray  # numbers at the lower end of the interval of 1/a
    high: np.ndarray
    straight: bool  # the interval holds 1/a = 0
    endless: bool  # one end of the interval is a limit of the search


def profile(candidate: Candidate, t: np.ndarray, index: int) -> Profile:
    """Return the interval of one curvature, common to all cells, by the likelihood of all cells."""
    others = tuple(i for i in candidate.chosen if i != index)
    held = Candidate(candidate.form, candidate.data, candidate.g_bounds, others)
    top, _ = candidate.maximise(t, 15)
    best = candidate.likelihoods(top).sum()

    def at(x: float, near: np.ndarray) -> tuple[np.ndarray, bool]:
        """Return the most likely numbers given the curvature x, and whether x lies in the interval."""
        trial = near.copy()
        trial[index] = x
        most_likely, _ = held.maximise(trial, _ROUNDS)
        return most_likely, bool(best - held.likelihoods(most_likely).sum() <= DROP)

    ends, endless = [], False
    for limit in candidate.limits[:, index]:
        inside, reach, step = top, False, 0.5 * float(np.sign(limit))
        while not reach:
            x = float(np.clip(inside[index] + step, min(limit, top[index]), max(limit, top[index])))
            outside, likely = at(x, inside)
            if not likely:
                break
            inside, step, reach = outside, 2 * step, bool(x == limit)
        endless |= reach
        for _ in range(0 if reach else _HALVINGS):
            middle, likely = at(0.5 * (inside[index] + outside[index]), inside)
            inside, outside = (middle, outside) if likely else (inside, middle)
        ends.append(inside)
    straight = bool(ends[0][index] <= 0.0 <= ends[1][index])
    return Profile(index, top, ends[0], ends[1], straight, endless)


def doubtful(candidate: Candidate, mean: np.ndarray, wide: np.ndarray) -> list[int]:
    """Return the indices of the curvatures whose parabola gives no valid interval of a (it holds 1/a = 0 or a limit)."""
    out = []
    for i, f in enumerate(candidate.form.free):
        low, high = candidate.limits[:, i]
        if f.kind == "inverse" and (abs(mean[i]) <= wide[i] or mean[i] - wide[i] <= low or mean[i] + wide[i] >= high):
            out.append(i)
    return out


def states_of(form: Form, index: int) -> int:
    """Return the index of the free number of states for the polarity of a curvature."""
    side = [f.name for f in form.free if f.kind == "inverse"].index(form.free[index].name)
    return [f.name for f in form.free].index(form.steps[side])
