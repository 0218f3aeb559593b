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

FAR = 6.5
"""Number of deviations from the usual step that makes a reading suspect; a normal variable exceeds it once in 10^10."""
_NEARLY = 1.5
MOST_OUTLIERS = 0.01
"""Largest share of readings that may be left out; more of them are not single faults."""
TOGETHER = 3
"""Largest number of consecutive readings that may be bad."""
_LARGEST = 2.5
_COMMON = 0.92
"""Quantile of the steps' sizes: a step below `_LARGEST` times this quantile is never suspect. A cell that meets its bound makes
steps of any size up to its usual one there, beside many steps near 0."""
_GROUP, _SMALLEST, _GROUPS = 40, 10, 12
"""Steps in a group of similar states; a shorter train has up to `_GROUPS` groups of at least `_SMALLEST` steps."""


def outliers(g: np.ndarray, sign: np.ndarray, first: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return a mask (n,) that is True for outliers.

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
    for _ in range(3):  # one spike may hide another beside it, and several spikes may move the medians
        new = _once(np.where(bad, np.nan, u), sign, first, cell)
        if not new.any():
            break
        bad |= new
    return bad


def _once(u: np.ndarray, sign: np.ndarray, first: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return the mask of the outliers that one round finds; u is NaN for missing readings."""
    base = _last_seen(u, first)
    before = np.where(base >= 0, u[base], np.nan)
    away = np.arange(len(u)) - base  # pulses since that reading
    states = {s: _Usual(before, u - before, (sign == s) & (away == 1) & (base >= 0)) for s in (1, -1)}
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


def _last_seen(u: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the row of the last reading before each row within its cycle; -1 if there is none."""
    readings = np.where(np.isfinite(u), np.arange(len(u)), -1)
    start = np.maximum.accumulate(np.where(first, np.arange(len(u)), 0))
    earlier = np.concatenate(([-1], np.maximum.accumulate(readings)[:-1]))
    return np.where((earlier >= start) & ~first, earlier, -1)


class _Usual:
    """Usual steps of one polarity: the median step and a robust deviation, as functions of the state before the step."""

    def __init__(self, before: np.ndarray, step: np.ndarray, own: np.ndarray) -> None:
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
        common = float(np.quantile(np.abs(y), _COMMON)) if len(y) else 0.0
        self.deviation = np.maximum(deviation, max(half, _LARGEST / FAR * common, 1e-3))

    def at(self, state: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return the median step and its deviation at one or more states."""
        if not len(self.x):
            return np.zeros(np.shape(state)), np.full(np.shape(state), math.inf)
        return np.interp(state, self.x, self.step), np.interp(state, self.x, self.deviation)


def _leads(u: np.ndarray, base: int, i: int, sign: np.ndarray, states: dict[int, _Usual]) -> bool:
    """Tell whether reading `i` is where usual steps lead from reading `base`, ignoring the readings between them."""
    expected, variance = float(u[base]), 0.0
    for j in range(base + 1, i + 1):
        step, deviation = (float(x) for x in states[int(sign[j])].at(expected))
        expected, variance = expected + step, variance + deviation**2
    return abs(u[i] - expected) < 0.6 * FAR * math.sqrt(variance)


def _gone(u: np.ndarray, base: int, i: int, end: int, sign: np.ndarray, states: dict[int, _Usual]) -> int:
    """Return the number of bad readings from i on, before the cell is again where usual steps lead from `base`; 0 if never."""
    expected, variance, begins = float(u[base]), 0.0, 0
    for j in range(base + 1, min(i + TOGETHER + 1, end)):
        step, deviation = (float(x) for x in states[int(sign[j])].at(expected))
        expected, variance = expected + step, variance + deviation**2
        off = abs(u[j] - expected) / math.sqrt(variance)  # NaN is never near
        if j >= i and off < (0.6 if j > i else 1.0) * FAR:
            return (begins or j) - i
        # Once the cell is surely back, the first reading that was nearly there counts as good as well.
        begins = begins or (j if j > i and off < _NEARLY * FAR else 0)
    # At the end of a cycle no reading follows: there only readings far outside the train's range are faults.
    last = end - i <= TOGETHER and bool(np.all(~((u[i:end] > -0.5) & (u[i:end] < 1.5))))
    return end - i if last else 0


def _bad_ends(
    kind: str, u: np.ndarray, apart: np.ndarray, bad: np.ndarray, sign: np.ndarray, first: np.ndarray, cell: np.ndarray,
    states: dict[int, _Usual],
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


def _bears_out(u: np.ndarray, before: int, after: int, sign: int, states: dict[int, _Usual]) -> bool:
    """Tell whether a cycle's last reading leads to the first one of the next; `sign` is that of the pulse between, or 0."""
    step, deviation = (float(x) for x in states[sign].at(u[before])) if sign else (0.0, 0.0)
    floor = min(float(np.min(s.deviation)) if len(s.deviation) else 1.0 for s in states.values())
    return bool(abs(u[after] - u[before] - step) < 0.6 * FAR * max(deviation, floor))
