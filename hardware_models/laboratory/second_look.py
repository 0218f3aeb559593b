r"""Find moderate outliers in a train that has large ones: readings between their neighbours and far from both.

A fault of an instrument may give any reading of its range. If some lie far beyond the noise, others of them lie near it, and
these bias the noises and the bounds of a fit. Each reading is compared with the middle of what its two neighbours in the same
cycle say, with usual steps between them:

.. math:: d_i = g_i - \tfrac12\left[(g_{i-1} + s_i) + (g_{i+1} - s_{i+1})\right], \qquad
          T = \sqrt{2 \ln\frac{1 - w}{w\,\sigma_d \sqrt{2\pi}}}

A reading is an outlier if |d| > T sigma_d, and if the two neighbours agree with each other: a change that stays in the cell
contradicts one of them. sigma_d is 1.4826 times the median of the absolute deviations of d in similar states. T is where a
normal law of the deviation sigma_d and faults spread over the range, of the share w found before, are equally likely; so a
train without outliers has no moderate ones.
"""

from __future__ import annotations

import math

import numpy as np

from hardware_models.laboratory.usual_steps import FAR, Usual, common_step, last_seen

LEAST = 4.0
"""Least number of deviations of a moderate outlier; a normal variable exceeds it 6 times in 100 000."""
AGREE = 3.0
"""Largest distance of the two neighbours from each other, in deviations of that distance."""
KINK = 0.75
"""Least deviation of a moderate outlier in units of the larger steps of the train: half a step is the kink of a bound."""
BESIDE = 2
"""Largest number of pulses between a reading and a neighbour."""


def second_look(u: np.ndarray, bad: np.ndarray, sign: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the mask (n,) of the moderate outliers among readings in units of the range, given those that were found before.

    The mask is empty if they are more than those found before: then they are tails of the noise and not faults.
    """
    more = np.zeros(len(u), bool)
    share = bad.sum() / np.isfinite(u).sum()
    for _ in range(2):  # without one of two outliers side by side, the other has good neighbours
        new = _between(np.where(bad | more, np.nan, u), share, sign, first)
        if not new.any():
            break
        more |= new
    return more if more.sum() <= max(bad.sum(), 3) else np.zeros(len(u), bool)


def _between(u: np.ndarray, share: float, sign: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the mask of the readings far from two neighbours that agree; u is NaN for missing readings and known outliers."""
    base = last_seen(u, first)
    before = np.where(base >= 0, u[base], np.nan)
    away = np.arange(len(u)) - base
    usual, states = np.zeros(len(u)), {}
    for s in (1, -1):
        rows = (sign == s) & (base >= 0)
        states[s] = Usual(before, u - before, rows & (away == 1))
        usual[rows] = states[s].at(before[rows])[0]
    led = before + away * usual  # where usual steps lead from the neighbour before
    here = np.flatnonzero(np.isfinite(u) & np.isfinite(before) & (away <= BESIDE))
    # The neighbour after a reading is the row whose neighbour before is that reading.
    after = np.full(len(u), -1)
    after[base[here]] = here
    here = here[(after[here] >= 0)]
    beyond = after[here]
    # The steps after the reading begin where usual steps lead, since the reading itself may be wrong.
    step = np.zeros(len(here))
    for s in (1, -1):
        own = sign[beyond] == s
        step[own] = states[s].at(led[here][own])[0]
    back = u[beyond] - away[beyond] * step
    middle, gap = 0.5 * (led[here] + back), back - led[here]
    off = u[here] - middle
    (usual_off, deviation), (usual_gap, width) = (_usual(middle, x) for x in (off, gap))
    most = np.sqrt(2.0 * np.log(np.maximum((1.0 - share) / (share * deviation * math.sqrt(2.0 * math.pi)), 1.0)))
    least = np.maximum(np.clip(most, LEAST, FAR) * deviation, KINK * common_step(u, first, sign != 0))
    out = np.zeros(len(u), bool)
    out[here] = (np.abs(off - usual_off) > least) & (np.abs(gap - usual_gap) < AGREE * width)
    return out


def _usual(state: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the median of x in states like each one, and the deviation there, but at least the one of most states."""
    groups = Usual(state, x, np.ones(len(x), bool))
    median, deviation = groups.at(state)
    return median, np.maximum(deviation, np.median(groups.deviation) if len(groups.x) else math.inf)
