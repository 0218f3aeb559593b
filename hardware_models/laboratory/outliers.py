r"""Find single readings that do not fit the rest: contact bounces, changes of the instrument's range, lost digits.

A step is compared with the usual step of a pulse of its polarity from similar states: with the median of the steps from states
of about the same size, in units of their scale, 1.4826 times the median of the absolute deviations. A few bad readings do not
move either of them. A reading is an outlier if the step to it is far from the usual one and the readings after it are again
where the readings before it lead. A change that stays in the cell is not a fault of a reading, however large it is.

At the beginning or end of a cycle no neighbour tells whether a change stayed. There a reading is an outlier if the step
between it and its neighbour is far from the usual one, unless most other cycles have a similar step (a first pulse that
always does more is a property of the device) or the neighbouring reading in the next or previous cycle agrees with it.
"""

from __future__ import annotations

import math

import numpy as np

from hardware_models.laboratory.second_look import second_look
from hardware_models.laboratory.usual_steps import FAR, Usual, common_step, last_seen

_NEARLY = 1.5
ROUNDS = 10
"""Largest number of times that a train is searched, each time without the outliers found before."""
TOGETHER = 3
"""Largest number of consecutive readings that may be bad."""


def outliers(g: np.ndarray, sign: np.ndarray, first: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return a mask (n,) that is True for outliers; a train in which no reading is far off has none.

    Parameters
    ----------
    g : (n,) readings in the order of time, NaN for a missing one.
    sign : (n,) polarity of the pulse before each reading.
    first : (n,) True at the first reading of a cycle.
    cell : (n,) index of the cell.
    """
    bad = np.zeros(len(g), bool)
    # Readings are scaled by their range from 2 to 98 %, so that the result does not depend on the unit; spikes do not move it.
    seen = np.isfinite(g)
    low, high = np.quantile(g[seen], (0.02, 0.98)) if seen.any() else (0.0, 0.0)
    if not high - low > 1e-12 * max(abs(high), abs(low)):
        return bad
    u = np.clip((g - low) / (high - low), -1e6, 1e6)
    for _ in range(
        ROUNDS
    ):  # one spike may hide another beside it, and many spikes move the medians and the usual size of steps
        new = _once(np.where(bad, np.nan, u), sign, first, cell)
        if not new.any():
            break
        bad |= new
    if bad.any():
        bad |= second_look(u, bad, sign, first)
    return bad


def _once(u: np.ndarray, sign: np.ndarray, first: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return the mask of the outliers that one round finds; u is NaN for missing readings."""
    base = last_seen(u, first)
    before = np.where(base >= 0, u[base], np.nan)
    away = np.arange(len(u)) - base  # pulses since that reading
    states = {
        s: Usual(before, u - before, (sign == s) & (away == 1) & (base >= 0), common_step(u, first, sign == s))
        for s in (1, -1)
    }
    usual, scale = np.zeros(len(u)), np.ones(len(u))
    for s, steps in states.items():
        rows = (sign == s) & (base >= 0)
        usual[rows], scale[rows] = steps.at(before[rows])
    # Over several pulses this is rough, but good enough to select suspects, which `_gone` examines.
    apart = (u - before - away * usual) / (scale * np.sqrt(away))
    z = np.abs(apart)
    bad = np.zeros(len(u), bool)
    ends = np.append(np.flatnonzero(first), len(u))
    for i in np.flatnonzero((z > FAR) & (base >= 0)):
        end = int(ends[np.searchsorted(ends, i, side="right")])
        if bad[max(i - TOGETHER, 0) : i].any():  # the step back from a spike is large as well, and no fault
            continue
        b = int(base[i])
        if base[b] >= 0 and _leads(u, int(base[b]), int(i), sign, states):
            bad[b] = z[b] > 0.6 * FAR  # if a reading is bad, it is the one before
        else:
            gone = _gone(u, b, int(i), end, sign, states)
            # If all later readings contradict the first one, the first one is bad: `_bad_ends` decides.
            disowned = base[b] < 0 and gone > 0 and bool(np.all(z[i + 1 : i + gone + 1] <= FAR))
            bad[i : i + (0 if disowned else gone)] = True
    for kind in ("first", "last"):
        bad |= _bad_ends(kind, u, apart, bad, sign, first, cell, states)
    return bad & np.isfinite(u)


def _leads(u: np.ndarray, base: int, i: int, sign: np.ndarray, states: dict[int, Usual]) -> bool:
    """Tell whether reading `i` is where usual steps lead from reading `base`, ignoring the readings between them."""
    expected, variance = float(u[base]), 0.0
    for j in range(base + 1, i + 1):
        step, deviation = (float(x) for x in states[int(sign[j])].at(expected))
        expected, variance = expected + step, variance + deviation**2
    return abs(u[i] - expected) < 0.6 * FAR * math.sqrt(variance)


def _gone(u: np.ndarray, base: int, i: int, end: int, sign: np.ndarray, states: dict[int, Usual]) -> int:
    """Return the number of bad readings from i on, before the cell is again where usual steps lead from `base`; 0 if never.

    The step back is unusual as well: a jump that stays also comes near the path from
    `base` once the noise of several pulses has added up.
    """
    expected, variance, begins = float(u[base]), 0.0, 0
    last, unusual = (
        float(u[base]),
        [0.0] * (TOGETHER + 1),
    )  # last reading; unusual step to each reading from i on, in deviations
    for j in range(base + 1, min(i + TOGETHER + 1, end)):
        step, deviation = (float(x) for x in states[int(sign[j])].at(expected))
        expected, variance = expected + step, variance + deviation**2
        off = abs(u[j] - expected) / math.sqrt(variance)  # NaN is never near
        if j > i and np.isfinite(u[j]):
            unusual[j - i] = abs(float(u[j]) - last - step) / deviation
        if j >= i and off < (0.6 if j > i else 1.0) * FAR:
            back = (begins or j) - i
            return back if unusual[back] > 0.6 * FAR else 0
        # Once the cell is surely back, the first reading that was nearly there counts as good as well.
        begins = begins or (j if j > i and off < _NEARLY * FAR else 0)
        last = float(u[j]) if np.isfinite(u[j]) else last
    # At the end of a cycle no reading follows: there only readings far outside the train's range are faults.
    last = end - i <= TOGETHER and bool(np.all(~((u[i:end] > -0.5) & (u[i:end] < 1.5))))
    return end - i if last else 0


def _bad_ends(
    kind: str, u: np.ndarray, apart: np.ndarray, bad: np.ndarray, sign: np.ndarray, first: np.ndarray, cell: np.ndarray,
    states: dict[int, Usual],
) -> np.ndarray:  # fmt: skip
    """Return the mask of bad first (or last) readings of cycles; `apart` is (step - usual step) / deviation."""
    out = np.zeros(len(u), bool)
    begins = kind == "first"
    ends = np.flatnonzero(first) if begins else np.flatnonzero(np.append(first[1:], True) & ~first)
    inner = ends + 1 if begins else ends - 1  # the neighbour in the same cycle
    inside = (inner < len(u)) & (inner >= 0)
    ends, inner = ends[inside], inner[inside]
    usable = np.isfinite(u[ends]) & np.isfinite(u[inner]) & ~bad[inner] & (~first[inner] if begins else True)
    ends, inner = ends[usable], inner[usable]
    far = -apart[inner] if begins else apart[ends]
    for i, z in zip(ends[np.abs(far) > FAR], far[np.abs(far) > FAR], strict=True):
        others = (cell[ends] == cell[i]) & (ends != i)
        others = others if others.sum() >= 2 else ends != i
        habit = float(np.mean(far[others] / z > 0.5)) if others.any() else 1.0
        before, after = (i - 1, i) if begins else (i, i + 1)
        beside = before >= 0 and after < len(u) and cell[before] == cell[after] and not (bad[before] or bad[after])
        out[i] = habit < 0.5 and not (beside and _bears_out(u, before, after, int(sign[after]), states))
    return out


def _bears_out(u: np.ndarray, before: int, after: int, sign: int, states: dict[int, Usual]) -> bool:
    """Tell whether a cycle's last reading leads to the first one of the next; `sign` is that of the pulse between, or 0."""
    step, deviation = (float(x) for x in states[sign].at(u[before])) if sign else (0.0, 0.0)
    floor = min(float(np.min(s.deviation)) if len(s.deviation) else 1.0 for s in states.values())
    return bool(abs(u[after] - u[before] - step) < 0.6 * FAR * max(deviation, floor))
