"""Numbers of a law of time for a population of cells, with 95 % intervals, from the fits of single traces."""

from __future__ import annotations

import math

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice
from hardware_models.fitting.pooled import Pooled, pooled
from hardware_models.fitting.result import Parameter
from hardware_models.fitting.retention_choice import Candidate, Data, at_rest, unlikelihood
from hardware_models.fitting.retention_laws import Found
from hardware_models.fitting.trace_result import TraceFit
from hardware_models.laboratory.traces import Traces

DROP = 3.84
"""Loss of twice the log-likelihood at the ends of a 95 % interval: chi-square with one degree of freedom."""


def numbers_of(
    chosen: Candidate, data: Data, traces: Traces, around: BaseDevice | None, beside: TraceFit | None
) -> tuple[list[Parameter], list[str]]:
    """Return the parameters of the law, and notices."""
    if chosen.law.name == "none":
        return [], [f"no change beyond the noise up to {traces.time.max():g} s: the device gets no law of time"]
    told, y, v = _told(chosen.found, chosen.noise)
    notices = []
    if len(told) < len(chosen.found):
        notices.append(
            f"{len(chosen.found) - len(told)} of {len(chosen.found)} traces do not change, and say nothing of the law"
        )
    if not told:
        raise UsageError(f"{traces.path}: no trace changes with time, so the law has no numbers.")
    cells = np.array([traces.cells[i] for i in told])
    bounds = range_of(traces, data, chosen, around, beside)
    log = np.log(np.maximum(np.array([chosen.found[i].g for i in told]) * data.unit / bounds[1], 1e-6))
    slope, slope_half = _slope(y, v, log) if chosen.law.name == "power" else (0.0, 0.0)
    rows = _by_cell(y - slope * (log - log.mean()), v, cells)
    mean = pooled(*rows)
    few = len(rows[0]) < 3
    if few:
        notices.append(f"{len(rows[0])} cells: too few for the spread from cell to cell, which is left at 0")
    if chosen.law.name == "power":
        return _power(mean, slope, slope_half, float(log.mean()), data.t0, beside is not None, few), notices
    return _exponential(mean, chosen, data, traces, bounds, few, notices)


def _told(found: list[Found], noise: float) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Return the traces that tell the number of their cell, the numbers, and their variances."""
    told = [i for i, f in enumerate(found) if f.information > 0]
    return told, np.array([found[i].number for i in told]), np.array([noise**2 / found[i].information for i in told])


def _slope(y: np.ndarray, v: np.ndarray, x: np.ndarray) -> tuple[float, float]:
    """Return the slope of y against x and half its 95 % interval; 0 if the interval holds 0 or x hardly differs."""
    from scipy.stats import t

    n = len(y)
    if n < 4 or float(np.ptp(x)) < 0.3:
        return 0.0, 0.0
    weight = 1.0 / (v + max(float(np.var(y, ddof=1) - v.mean()), 0.0))
    centre = float((weight * x).sum() / weight.sum())
    size = float((weight * (x - centre) ** 2).sum())
    slope = float((weight * (x - centre) * y).sum()) / size
    left = y - float((weight * y).sum() / weight.sum()) - slope * (x - centre)
    half = float(t.ppf(0.975, n - 2)) * math.sqrt(max(float((weight * left**2).sum()) / (n - 2), 0.0) / size)
    return (slope, half) if abs(slope) > half else (0.0, 0.0)


def _by_cell(y: np.ndarray, v: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and its variance of the traces of each cell."""
    means, variances = [], []
    for cell in dict.fromkeys(cells):
        own = cells == cell
        weight = 1.0 / v[own]
        means.append(float((weight * y[own]).sum() / weight.sum()))
        variances.append(1.0 / float(weight.sum()))
    return np.array(means), np.array(variances)


def _power(
    mean: Pooled, slope: float, half: float, centre: float, t0: float, programmed: bool, few: bool
) -> list[Parameter]:
    """Return the numbers of a power under the names of the entries, or of the model "programmed"."""
    names = (
        ("nu", "nu_slope", "nu_spread", "t0") if programmed else ("drift", "drift_slope", "drift_spread", "drift_time")
    )
    at_top, wide = mean.mean - slope * centre, math.hypot(mean.half, half * centre)
    out = [Parameter(names[0], at_top, at_top - wide, at_top + wide, "1")]
    if slope:
        out.append(Parameter(names[1], slope, slope - half, slope + half, "1"))
    if not few:
        out.append(Parameter(names[2], mean.spread, mean.low, mean.high, "1"))
    return [
        *out,
        Parameter(names[3], t0, t0, t0, "s", "the first time of the traces, to which the conductances belong"),
    ]


def _exponential(
    mean: Pooled,
    chosen: Candidate,
    data: Data,
    traces: Traces,
    bounds: tuple[float, float],
    few: bool,
    notices: list[str],
) -> tuple[list[Parameter], list[str]]:
    """Return the numbers of an exponential relaxation under the names of the entries.

    The most likely time constant changes along the interval of the rest value, so its interval covers those along it.
    """
    ends = [_likely(chosen, data, limit) for limit in (0.0, 1.0)]
    each = [mean]
    for value in np.linspace(ends[0], ends[1], 7):
        told, y, v = _told(at_rest(chosen.law, data, float(value)), chosen.noise)
        each.append(pooled(*_by_cell(y, v, np.array([traces.cells[i] for i in told]))))
    low, high = min(one.mean - one.half for one in each), max(one.mean + one.half for one in each)
    out = [Parameter("retention", math.exp(mean.mean), math.exp(low), math.exp(high), "s")]
    if not few:
        least, most = min(one.low for one in each), max(one.high for one in each)
        out.append(Parameter("retention_spread", mean.spread, least, most, "1"))
    width = bounds[1] - bounds[0]
    at = [(x * data.unit - bounds[0]) / width for x in (chosen.rest, *ends)]
    rest, lowest, highest = (min(max(x, 0.0), 1.0) for x in at)
    if abs(rest - at[0]) > 0.01:
        notices.append(
            f"the rest value {chosen.rest * data.unit:.3g} S lies outside the range of the device, whose end was taken"
        )
    return [*out, Parameter("retention_rest", rest, lowest, highest, "1")], notices


def _likely(chosen: Candidate, data: Data, limit: float) -> float:
    """Return the end of the 95 % interval of the rest value towards `limit`, by the likelihood of all traces."""
    best = unlikelihood(chosen.found, chosen.noise**2)

    def likely(rest: float) -> bool:
        return unlikelihood(at_rest(chosen.law, data, rest), chosen.noise**2) - best <= DROP

    if likely(limit):
        return limit
    inside, outside = chosen.rest, limit
    for _ in range(10):
        middle = 0.5 * (inside + outside)
        inside, outside = (middle, outside) if likely(middle) else (inside, middle)
    return inside


def range_of(
    traces: Traces, data: Data, chosen: Candidate, around: BaseDevice | None, beside: TraceFit | None
) -> tuple[float, float]:
    """Return lower and upper bound [S] of the device: its own, or those of what was measured."""
    inner = around or (beside.device if beside else None)
    if inner is not None:
        return inner.g_min, inner.g_max
    written = [f.g * data.unit for f in chosen.found]
    low = min(
        *written, float(traces.g.min()), chosen.rest * data.unit if chosen.law.name == "exponential" else math.inf
    )
    return max(low, 0.0), max(*written, float(traces.g.max()))
