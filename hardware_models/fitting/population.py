"""Population figures from cells fitted one by one: means with intervals, spreads, noises."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hardware_models.check import counted
from hardware_models.devices.base import declared
from hardware_models.fitting.curvature import Profile, doubtful, profile, states_of
from hardware_models.fitting.forms import Form
from hardware_models.fitting.likelihood import FLOOR, NOISE_LIMITS, Candidate, value_of
from hardware_models.fitting.result import Parameter

_ENDS_VARY = 0.0875
"""Standard deviation of the estimate of a cell's bound in units of `TrainData.margin`, found from simulated trains."""


def population(
    candidate: Candidate, t: np.ndarray, say: Callable[[float], None]
) -> tuple[list[Parameter], dict[str, float], list[str]]:
    """Return the device's parameters with their intervals, their values by name, and notices, from fits of each cell alone."""
    form, data = candidate.form, candidate.data
    notices: list[str] = []
    by_cell = data.cells >= 3
    groups = data.cell if by_cell else data.unit
    number = int(groups.max()) + 1
    if not by_cell:
        notices.append(
            f"{counted(data.cells, 'cell')}: too few for the spread from cell to cell, which is not "
            f"identified and left at 0; the intervals describe {'this cell' if data.cells == 1 else 'these cells'} alone"
        )
    steps, step_variances = [], []
    silent, most = _silent(candidate, t)
    chosen = tuple(range(len(t)))
    if silent:
        # If all cells together show no read noise, fitting it in each cell would only reduce the cell's cycle noise.
        t = np.concatenate((t[:-1], [NOISE_LIMITS[0]]))
        chosen = chosen[:-1]
    scaled = [i for i, f in enumerate(form.free) if f.name in form.steps]
    t, table, table_variance = _estimates(candidate, t, groups, chosen, by_cell, say)
    mean, wide = _means(candidate, table, table_variance, by_cell)
    together = Candidate(form, data, candidate.g_bounds, chosen)
    curves = {i: profile(together, t, i) for i in doubtful(candidate, mean, wide)}
    held = [i for i, curve in curves.items() if not curve.straight]
    if held:
        # Single cells determine these curvatures badly and would drift away: each gets the value of all cells together.
        for i in held:
            t[i] = curves[i].top[i]
        known = tuple(i for i in chosen if i not in held)
        t, table, table_variance = _estimates(candidate, t, groups, known, by_cell, say)
        mean, wide = _means(candidate, table, table_variance, by_cell)
    if by_cell and scaled:
        for group in range(number):
            group_data = data.only(groups == group)
            group_data.factors = np.ones((2, data.cells))
            alone = Candidate(form, group_data, candidate.g_bounds, (*scaled, len(mean) - 2))
            estimate, covariance = alone.maximise(mean, 6)
            steps.append(estimate[scaled])
            step_variances.append(np.diag(covariance)[: len(scaled)])
    units = {name: said.get("unit", "1") for name, said in declared(candidate.model).items()}
    values = {name: x for name, x in candidate.values(mean).items() if name not in ("g_min", "g_max")}
    parameters = []
    for f, middle, half in zip(form.free, mean, wide, strict=False):
        if f.kind in ("low", "high"):
            continue  # `_bounds` below treats them
        value = value_of(f, float(middle), data.low, data.range)
        limits = candidate.limit(f)
        ends = (float(np.clip(middle + s * half, *limits)) for s in (-1, 1))
        sides = sorted(value_of(f, x, data.low, data.range) for x in ends)
        for name in (f.name, f.also) if f.also else (f.name,):
            values[name] = value
            parameters.append(Parameter(name, value, min(sides[0], value), max(sides[1], value), units[name]))
    for curve in curves.values():
        parameters, said = _curved(form, curve, parameters)
        notices.append(said)
    bounds = _bounds(candidate, t, table, table_variance, wide, units, by_cell, notices)
    values |= {p.name: p.value for p in bounds}
    width = (values["g_max"] - values["g_min"]) / data.range
    # The noises are in units of the range, so the uncertainty of its ends adds to theirs.
    of_range = math.hypot(*((p.high - p.low) / 2 for p in bounds[:2])) / (values["g_max"] - values["g_min"])
    noise = noises(form, mean, np.hypot(wide, of_range), width, values, units, silent, most, math.exp(t[-1]))
    apart = spread(np.array(steps), np.array(step_variances), units) if steps else []
    parameters = [*bounds, *parameters, *noise, *apart]
    values |= {p.name: p.value for p in parameters}
    for p in parameters:
        if p.name in form.steps and not p.instead and p.high > 1.5 * p.low:
            notices.append(f"too few data for {p.name}: its 95 % interval is [{p.low:.3g}, {p.high:.3g}]")
    return parameters, values, notices


def _estimates(
    candidate: Candidate, t: np.ndarray, groups: np.ndarray, chosen: tuple[int, ...], by_cell: bool,
    say: Callable[[float], None],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Return the vector t of all data together, and the estimates and variances (groups, numbers) of each group alone.

    Fewer than three groups are fitted together as one. A number that is not in `chosen` keeps its value in `t`, with variance 0.
    """
    form, data = candidate.form, candidate.data
    number = int(groups.max()) + 1
    estimates, variances = [], []

    def add(found: np.ndarray, covariance: np.ndarray) -> None:
        variance = np.zeros(len(t))
        variance[list(chosen)] = np.diag(covariance)
        estimates.append(found)
        variances.append(variance)

    if number < 3:
        t, covariance = Candidate(form, data, candidate.g_bounds, chosen).maximise(t)
        add(t, covariance)
    else:
        for group in range(number):
            group_data = data.only(groups == group)
            group_data.factors = np.ones((2, data.cells))
            add(*Candidate(form, group_data, candidate.g_bounds, chosen).maximise(t, 15))
            say((group + 1) / (number + 1))
    if number >= 3 and not by_cell:
        _noises_together(Candidate(form, data, candidate.g_bounds, chosen), t, estimates, variances)
    return t, np.array(estimates), np.array(variances)


def _means(
    candidate: Candidate, table: np.ndarray, table_variance: np.ndarray, by_cell: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the means over the groups and half the widths of their 95 % intervals."""
    from scipy.stats import t as student

    if len(table) > 1:
        least = np.full(table.shape[1], 0.25)
        least[-2:] = 0.25 if by_cell else 1.0  # noises of all cycles together have only the variance of that one fit
        error = np.sqrt(np.maximum(table.var(axis=0, ddof=1), least * table_variance.mean(axis=0)) / len(table))
        wide = student.ppf(0.975, len(table) - 1) * error
    else:
        wide = 1.96 * np.sqrt(table_variance[0])
    return table.mean(axis=0), np.minimum(wide, np.ptp(candidate.limits, axis=0))


def _curved(form: Form, curve: Profile, parameters: list[Parameter]) -> tuple[list[Parameter], str]:
    """Return the parameters with the interval of one curvature by its likelihood, and a notice about it."""
    f, steps = form.free[curve.index], form.free[states_of(form, curve.index)]
    low, high = float(curve.low[curve.index]), float(curve.high[curve.index])
    a, states = (next(p for p in parameters if p.name == name) for name in (f.name, steps.name))
    changed: dict[str, Parameter] = {}
    if curve.straight:
        said = f"{f.name} has no interval: 1/{f.name} lies in [{low:.3g}, {high:.3g}], which holds 0, a straight curve"
        changed[f.name] = replace(a, low=a.value, high=a.value, instead=said)
    elif curve.endless:
        product = a.value * states.value
        ends = sorted((a.value * states.low, a.value * states.high))
        bound = 1.0 / (high if low < 0 else low)
        said = (
            f"{f.name} and {steps.name} are not known apart, only their product, {product:.4g} pulses "
            f"[{ends[0]:.4g}, {ends[1]:.4g}]: that curve is no straight one, and any {f.name} between {bound:.3g} and 0 "
            "describes it as well"
        )
        changed = {p.name: replace(p, low=p.value, high=p.value, instead=said) for p in (a, states)}
    else:
        said = f"the interval of {f.name} is that of the likelihood of all cells together, which have it in common"
        changed[f.name] = replace(a, low=min(1 / low, 1 / high, a.value), high=max(1 / low, 1 / high, a.value))
        i = states_of(form, curve.index)
        # The most likely number of states changes along the curvature's interval.
        moved = max(abs(float(end[i] - curve.top[i])) for end in (curve.low, curve.high))
        below, above = math.log(states.value / states.low), math.log(states.high / states.value)
        changed[steps.name] = replace(
            states,
            low=states.value * math.exp(-math.hypot(below, moved)),
            high=states.value * math.exp(math.hypot(above, moved)),
        )
    return [changed.get(p.name, p) for p in parameters], said


def _noises_together(
    candidate: Candidate, t: np.ndarray, estimates: list[np.ndarray], variances: list[np.ndarray]
) -> None:
    """Replace the noises of each single cycle by those of a fit to all cycles together, in place.

    Within one cycle the two noises can hardly be told apart, and the mean of such estimates is too low.
    """
    noisy, covariance = candidate.maximise(t, 15)
    variance = np.zeros(len(t))
    variance[candidate.chosen] = np.diag(covariance)
    for estimate, estimate_variance in zip(estimates, variances, strict=True):
        estimate[-2:] = noisy[-2:]
        estimate_variance[-2:] = variance[-2:] * len(estimates)


def _bounds(
    candidate: Candidate, t: np.ndarray, table: np.ndarray, table_variance: np.ndarray, wide: np.ndarray,
    units: dict[str, str], by_cell: bool, notices: list[str],
) -> list[Parameter]:  # fmt: skip
    """Return g_min, g_max and the spread of the cells' bounds."""
    from scipy.stats import t as student

    form, data = candidate.form, candidate.data
    out: list[Parameter] = []
    if form.hard:
        ends = data.ends
        points, noise = ends, np.full((2, 1), (0.0625 * data.margin) ** 2)  # variance of the extremes of noisy cells
        if not by_cell:
            half = np.full(2, 1.96 * _ENDS_VARY * data.margin / math.sqrt(ends.shape[1]))
        else:
            error = ends.std(axis=1, ddof=1) / math.sqrt(ends.shape[1])
            half = student.ppf(0.975, ends.shape[1] - 1) * error
        if not _stopped(candidate, t):
            notices.append(
                "the cells did not stop at the ends of the train: g_min and g_max are what was measured, the other numbers are "
                "relative to that range, and their intervals know of nothing beyond it"
            )
    else:
        bound_indices = [next(i for i, f in enumerate(form.free) if f.kind == kind) for kind in ("low", "high")]
        points, noise, half = table[:, bound_indices].T, table_variance[:, bound_indices].T, wide[bound_indices]
    for name, mean, h in zip(("g_min", "g_max"), points.mean(axis=1), half, strict=True):
        low, value, high = (max(data.low + data.range * (mean + s * h), 0.0) for s in (-1, 0, 1))
        out.append(Parameter(name, value, low, high, "S"))
    width = (out[1].value - out[0].value) / data.range
    if by_cell and "bound_spread" in units:
        out.append(_deviation("bound_spread", points / width, noise / width**2, 0.3))
    elif by_cell and "low_spread" in units:
        # These two are log-normal spreads of the distance of a bound from the middle of the range.
        for row, name in enumerate(("low_spread", "high_spread")):
            half_range = 0.5 * width
            out.append(_deviation(name, points[row : row + 1] / half_range, noise[row : row + 1] / half_range**2, 1.0))
    return out


def _silent(candidate: Candidate, t: np.ndarray) -> tuple[bool, float]:
    """Tell whether the read noise is indistinguishable from zero, and return its upper limit in units of the data's range."""
    quiet = t.copy()
    quiet[-1] = NOISE_LIMITS[0]
    others = Candidate(candidate.form, candidate.data, candidate.g_bounds, tuple(range(len(t) - 1)))
    quiet, _ = others.maximise(quiet, 6)
    best = others.likelihoods(quiet).sum()
    silent = candidate.likelihoods(t).sum() - best <= 2.0
    pulses = float(candidate.data.pulses[candidate.data.counted].mean())
    for read in np.geomspace(FLOOR, 0.3, 40):
        # More read noise goes with less cycle noise, so that the variance of a step, of `pulses` pulses, stays the same.
        trial = quiet.copy()
        trial[-1] = math.log(read)
        trial[-2] = 0.5 * math.log(max(math.exp(2 * quiet[-2]) - 2 * read**2 / pulses, 1e-9))
        if others.likelihoods(trial).sum() < best - 3.0:
            break
    return silent, float(read)


def _stopped(candidate: Candidate, t: np.ndarray) -> bool:
    """Tell whether the steps beside both bounds are much smaller than on the curve without bounds."""
    d, tables = candidate.data, candidate.tables(t)
    share = []
    for side, sign, gap in ((0, 1, d.ends[1, d.cell] - d.before), (1, -1, d.before - d.ends[0, d.cell])):
        rows = d.stepped & (d.polarity == sign) & (gap < 0.5 * d.margin)
        wanted = float(d.led(candidate.nodes, tables[side], np.flatnonzero(rows)).sum())
        share.append(float((d.u - d.before)[rows].sum()) / wanted if rows.sum() > 4 and wanted else 1.0)
    return max(share) < 0.6


def _deviation(name: str, points: np.ndarray, variance: np.ndarray, most: float) -> Parameter:
    """Return the spread between cells behind estimates (kinds, cells) of known variances, with its 95 % interval."""
    from scipy.stats import chi2

    freedom = points.shape[0] * (points.shape[1] - 1)
    total, estimate_variance = float(points.var(axis=1, ddof=1).mean()), float(variance.mean())
    sides = [total * freedom / chi2.ppf(q, freedom) for q in (0.975, 0.025)]
    low, high, value = (min(math.sqrt(max(x - estimate_variance, 0.0)), most) for x in (*sides, total))
    return Parameter(name, value, low, high, "1")


def spread(steps: np.ndarray, variances: np.ndarray, units: dict[str, str]) -> list[Parameter]:
    """Return the spread of the steps between cells, from the estimates of each cell (cells, polarities)."""
    if "step_spread" not in units:
        return []
    if "balance_spread" not in units or steps.shape[1] != 2:
        return [_deviation("step_spread", steps.T, variances.T, 2.0)]
    # One part is common to up and down, the other has opposite signs in the two.
    both, own = [(steps[:, :1] + s * steps[:, 1:]) / 2 for s in (1, -1)], variances.mean(axis=1, keepdims=True) / 2
    names = (("step_spread", 2.0), ("balance_spread", 1.0))
    return [_deviation(name, x.T, own.T, most) for (name, most), x in zip(names, both, strict=True)]


def noises(
    form: Form, mean: np.ndarray, wide: np.ndarray, width: float, values: dict[str, float], units: dict[str, str],
    silent: bool, most: float, pooled: float,
) -> list[Parameter]:  # fmt: skip
    """Return cycle noise and read noise, with intervals, in the units of the model."""
    out = []
    for name, i in ((form.noise, len(mean) - 2), ("read_noise", len(mean) - 1)):
        scale = 1.0 / width
        low, value, high = (min(math.exp(min(mean[i] + s * wide[i], 0.0)) * scale, 1.0) for s in (-1, 0, 1))
        if name == "read_noise" and silent:
            low, value, high = 0.0, 0.0, min(most * scale, 1.0)
        elif name == "read_noise" and wide[i] > 1.5:
            # One cell alone does not show it: the value of all cells together is used, and 0 is possible.
            low, value, high = 0.0, pooled * scale, min(max(most, 2 * pooled) * scale, 1.0)
        out.append(Parameter(name, value, low, high, units[name]))
    return out
