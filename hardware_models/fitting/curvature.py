"""How well the data know the curvature of a step: by the likelihood along it, not by a parabola at its top.

The exponential curve is searched in 1/a. Near 0 it is straight, and its sign means little; far from 0 with a negative sign it
is u' = u e^(-1/A), A = a P, which holds the product of a and the number of states alone: 1/a then runs without an end. In
neither case is there an interval of a, and the parabola tells neither from the other.
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
    """What the likelihood of all cells says of one curvature 1/a, each end with the most likely other numbers there."""

    index: int  # of the curvature among the form's free numbers
    top: np.ndarray  # most likely numbers
    low: np.ndarray  # numbers at the lower end of the interval of 1/a
    high: np.ndarray
    straight: bool  # 1/a = 0 is as likely
    endless: bool  # an end is the limit of the search


def profile(candidate: Candidate, t: np.ndarray, index: int) -> Profile:
    """Return the interval of one curvature by the likelihood of all cells, which have it in common."""
    others = tuple(i for i in candidate.chosen if i != index)
    held = Candidate(candidate.form, candidate.data, candidate.g_bounds, others)
    top, _ = candidate.maximise(t, 15)
    best = candidate.likelihoods(top).sum()

    def at(x: float, near: np.ndarray) -> tuple[np.ndarray, bool]:
        """Return the most likely numbers with the curvature x, and whether they are as likely as the top's."""
        trial = near.copy()
        trial[index] = x
        found, _ = held.maximise(trial, _ROUNDS)
        return found, bool(best - held.likelihoods(found).sum() <= DROP)

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
    """Return the curvatures of which the parabola gives no interval that could be one of a."""
    out = []
    for i, f in enumerate(candidate.form.free):
        low, high = candidate.limits[:, i]
        if f.kind == "inverse" and (abs(mean[i]) <= wide[i] or mean[i] - wide[i] <= low or mean[i] + wide[i] >= high):
            out.append(i)
    return out


def states_of(form: Form, index: int) -> int:
    """Return which free number is the number of states of a curvature's polarity."""
    side = [f.name for f in form.free if f.kind == "inverse"].index(form.free[index].name)
    return [f.name for f in form.free].index(form.steps[side])
