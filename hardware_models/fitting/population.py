"""From cells fitted one by one to the population: means with intervals, spread, noises."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from hardware_models.devices.base import declared
from hardware_models.fitting.forms import Form
from hardware_models.fitting.likelihood import FLOOR, NOISE_LIMITS, Candidate, value_of
from hardware_models.fitting.result import Parameter

_ENDS_VARY = 0.0875
"""Standard deviation of the estimate of a cell's bound in units of `TrainData.margin`, as simulated trains show it."""


def population(
    candidate: Candidate, t: np.ndarray, say: Callable[[float], None]
) -> tuple[list[Parameter], dict[str, float], list[str]]:
    """Return the device's numbers with their intervals, from fits of each cell alone."""
    from scipy.stats import t as student

    form, data = candidate.form, candidate.data
    notices: list[str] = []
    by_cell = data.cells >= 3
    groups = data.cell if by_cell else data.unit
    number = int(groups.max()) + 1
    if not by_cell:
        notices.append(
            f"{data.cells} cell{'s' if data.cells > 1 else ''}: too few for the spread from cell to cell, which is not "
            f"identified and left at 0; the intervals describe {'this cell' if data.cells == 1 else 'these cells'} alone"
        )
    estimates, variances, steps, step_variances = [], [], [], []
    silent, most = _silent(candidate, t)
    chosen = None
    if silent:
        # A read noise that cannot be seen in all cells together would only take from the cycle noise in each.
        t = np.concatenate((t[:-1], [NOISE_LIMITS[0]]))
        chosen = tuple(range(len(t) - 1))
    scaled = [i for i, f in enumerate(form.free) if f.name in form.steps]
    if number < 3:
        pooled = Candidate(form, data, candidate.g_bounds, chosen)
        t, covariance = pooled.maximise(t)
        estimates, variances = [t], [_padded(covariance, silent)]
    else:
        for group in range(number):
            own = data.only(groups == group)
            own.factors = np.ones((2, data.cells))
            alone = Candidate(form, own, candidate.g_bounds, chosen)
            found, covariance = alone.maximise(t, 15)
            estimates.append(found)
            variances.append(_padded(covariance, silent))
            say((group + 1) / (number + 1))
    if number >= 3 and not by_cell:
        _noises_together(Candidate(form, data, candidate.g_bounds, chosen), t, estimates, variances)
    table, table_variance = np.array(estimates), np.array(variances)
    mean = table.mean(axis=0)
    if by_cell and scaled:
        for group in range(number):
            own = data.only(groups == group)
            own.factors = np.ones((2, data.cells))
            alone = Candidate(form, own, candidate.g_bounds, (*scaled, len(mean) - 2))
            found, covariance = alone.maximise(mean, 6)
            steps.append(found[scaled])
            step_variances.append(np.diag(covariance)[: len(scaled)])
    if len(table) > 1:
        least = np.full(table.shape[1], 0.25)
        least[-2:] = 0.25 if by_cell else 1.0  # the variance of noises found together is all that is known of them
        error = np.sqrt(np.maximum(table.var(axis=0, ddof=1), least * table_variance.mean(axis=0)) / len(table))
        wide = student.ppf(0.975, len(table) - 1) * error
    else:
        wide = 1.96 * np.sqrt(table_variance[0])
    wide = np.minimum(wide, np.ptp(candidate.limits, axis=0))
    units = {name: said.get("unit", "1") for name, said in declared(candidate.model).items()}
    values = {name: x for name, x in candidate.values(mean).items() if name not in ("g_min", "g_max")}
    parameters = []
    for f, middle, half in zip(form.free, mean, wide, strict=False):
        if f.kind in ("low", "high"):
            continue  # with the bounds, below
        value = value_of(f, float(middle), data.low, data.range)
        limits = candidate.limit(f)
        ends = (float(np.clip(middle + s * half, *limits)) for s in (-1, 1))
        sides = sorted(value_of(f, x, data.low, data.range) for x in ends)
        if f.kind == "inverse" and abs(middle) <= half:
            sides = [-1e6, 1e6]
            notices.append(f"{f.name} may be infinite, of either sign: that curve is straight within its error")
        for name in (f.name, f.also) if f.also else (f.name,):
            values[name] = value
            parameters.append(Parameter(name, value, min(sides[0], value), max(sides[1], value), units[name]))
    bounds = _bounds(candidate, t, table, table_variance, wide, units, by_cell, notices)
    values |= {p.name: p.value for p in bounds}
    width = (values["g_max"] - values["g_min"]) / data.range
    # The noises are in units of the range, which is known no better than its ends.
    of_range = math.hypot(*((p.high - p.low) / 2 for p in bounds[:2])) / (values["g_max"] - values["g_min"])
    noise = noises(form, mean, np.hypot(wide, of_range), width, values, units, silent, most, math.exp(t[-1]))
    apart = spread(np.array(steps), np.array(step_variances), units) if steps else []
    parameters = [*bounds, *parameters, *noise, *apart]
    values |= {p.name: p.value for p in parameters}
    for p in parameters:
        if p.name in form.steps and p.high > 1.5 * p.low:
            notices.append(f"too few data for {p.name}: its 95 % interval is [{p.low:.3g}, {p.high:.3g}]")
    return parameters, values, notices


def _noises_together(
    candidate: Candidate, t: np.ndarray, estimates: list[np.ndarray], variances: list[np.ndarray]
) -> None:
    """Put the noises of all cycles together in the place of each cycle's own.

    In one cycle the two noises can hardly be told apart, and the mean of what is found there is too low.
    """
    noisy, covariance = candidate.maximise(t, 15)
    variance = np.zeros(len(t))
    variance[candidate.chosen] = np.diag(covariance)
    for found, own in zip(estimates, variances, strict=True):
        found[-2:] = noisy[-2:]
        own[-2:] = variance[-2:] * len(estimates)


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
        points, noise = ends, np.full((2, 1), (0.0625 * data.margin) ** 2)  # extremes of noisy cells vary a little
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
        place = [next(i for i, f in enumerate(form.free) if f.kind == kind) for kind in ("low", "high")]
        points, noise, half = table[:, place].T, table_variance[:, place].T, wide[place]
    for name, mean, h in zip(("g_min", "g_max"), points.mean(axis=1), half, strict=True):
        low, value, high = (max(data.low + data.range * (mean + s * h), 0.0) for s in (-1, 0, 1))
        out.append(Parameter(name, value, low, high, "S"))
    width = (out[1].value - out[0].value) / data.range
    if by_cell and "bound_spread" in units:
        out.append(_deviation("bound_spread", points / width, noise / width**2, 0.3))
    elif by_cell and "low_spread" in units:
        # Log-normal spread of the distance from the middle of the range.
        for row, name in enumerate(("low_spread", "high_spread")):
            half_range = 0.5 * width
            out.append(_deviation(name, points[row : row + 1] / half_range, noise[row : row + 1] / half_range**2, 1.0))
    return out


def _silent(candidate: Candidate, t: np.ndarray) -> tuple[bool, float]:
    """Tell whether the read noise cannot be told from none, and the most that it may be, in units of the data's range."""
    quiet = t.copy()
    quiet[-1] = NOISE_LIMITS[0]
    others = Candidate(candidate.form, candidate.data, candidate.g_bounds, tuple(range(len(t) - 1)))
    quiet, _ = others.maximise(quiet, 6)
    best = others.likelihoods(quiet).sum()
    silent = candidate.likelihoods(t).sum() - best <= 2.0
    for read in np.geomspace(FLOOR, 0.3, 40):
        # What the read noise takes, the cycle noise gives: the variance of a step stays what it is.
        trial = quiet.copy()
        trial[-1] = math.log(read)
        trial[-2] = 0.5 * math.log(max(math.exp(2 * quiet[-2]) - 2 * read**2, 1e-9))
        if others.likelihoods(trial).sum() < best - 3.0:
            break
    return silent, float(read)


def _padded(covariance: np.ndarray, silent: bool) -> np.ndarray:
    """Return the variances, 0 for a read noise that was not searched."""
    return np.append(np.diag(covariance), 0.0) if silent else np.diag(covariance).copy()


def _stopped(candidate: Candidate, t: np.ndarray) -> bool:
    """Tell whether steps beside both bounds are much smaller than the curve without bounds would have them."""
    d, tables = candidate.data, candidate.tables(t)
    share = []
    for side, sign, gap in ((0, 1, d.ends[1, d.cell] - d.before), (1, -1, d.before - d.ends[0, d.cell])):
        own = d.stepped & (d.polarity == sign) & (gap < 0.5 * d.margin)
        wanted = float(np.interp(d.before[own], candidate.nodes, tables[side]).sum())
        share.append(float((d.u - d.before)[own].sum()) / wanted if own.sum() > 4 and wanted else 1.0)
    return max(share) < 0.6


def _deviation(name: str, points: np.ndarray, variance: np.ndarray, most: float) -> Parameter:
    """Return the spread behind estimates (kinds, cells) with their own variances, with its 95 % interval."""
    from scipy.stats import chi2

    freedom = points.shape[0] * (points.shape[1] - 1)
    total, own = float(points.var(axis=1, ddof=1).mean()), float(variance.mean())
    sides = [total * freedom / chi2.ppf(q, freedom) for q in (0.975, 0.025)]
    low, high, value = (min(math.sqrt(max(x - own, 0.0)), most) for x in (*sides, total))
    return Parameter(name, value, low, high, "1")


def spread(steps: np.ndarray, variances: np.ndarray, units: dict[str, str]) -> list[Parameter]:
    """Return the spread of the steps from the cells' own (cells, polarities)."""
    if "step_spread" not in units:
        return []
    if "balance_spread" not in units or steps.shape[1] != 2:
        return [_deviation("step_spread", steps.T, variances.T, 2.0)]
    # A common part, and a part that up and down have with opposite signs.
    both, own = [(steps[:, :1] + s * steps[:, 1:]) / 2 for s in (1, -1)], variances.mean(axis=1, keepdims=True) / 2
    names = (("step_spread", 2.0), ("balance_spread", 1.0))
    return [_deviation(name, x.T, own.T, most) for (name, most), x in zip(names, both, strict=True)]


def noises(
    form: Form, mean: np.ndarray, wide: np.ndarray, width: float, values: dict[str, float], units: dict[str, str],
    silent: bool, most: float, pooled: float,
) -> list[Parameter]:  # fmt: skip
    """Return cycle noise and read noise in the model's own units."""
    out = []
    for name, i in ((form.noise, len(mean) - 2), ("read_noise", len(mean) - 1)):
        scale = 1.0 / width
        low, value, high = (min(math.exp(min(mean[i] + s * wide[i], 0.0)) * scale, 1.0) for s in (-1, 0, 1))
        if name == "read_noise" and silent:
            low, value, high = 0.0, 0.0, min(most * scale, 1.0)
        elif name == "read_noise" and wide[i] > 1.5:
            # Too little for one cell alone: the figure of all together, which may be 0.
            low, value, high = 0.0, pooled * scale, min(max(most, 2 * pooled) * scale, 1.0)
        out.append(Parameter(name, value, low, high, units[name]))
    return out
