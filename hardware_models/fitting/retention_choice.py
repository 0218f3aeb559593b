"""Choose the law of time of retention traces: fit each law to all traces, and compare them on readings that were held out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hardware_models.check import UsageError
from hardware_models.fitting.pooled import pooled
from hardware_models.fitting.result import Score
from hardware_models.fitting.retention_laws import Found, Law, Trace, expected, fitted, limits, uncertainty
from hardware_models.laboratory.traces import Traces

FOLDS = 4
"""Number of parts of a trace, each of which is held out once."""


@dataclass(frozen=True)
class Data:
    """Traces in units of the largest conductance, and the time from which on a power counts."""

    traces: list[Trace]
    unit: float  # [S]
    t0: float  # [s]
    relative: bool  # True: the noise is in proportion to the conductance


@dataclass(frozen=True)
class Candidate:
    """One law, fitted to all traces."""

    law: Law
    rest: float
    found: list[Found]
    noise: float  # deviation of a reading, in the unit or as a share

    @property
    def squares(self) -> float:
        """Weighted sum of squared residuals of all traces."""
        return sum(f.squares for f in self.found)


def data_of(traces: Traces) -> Data:
    """Return traces in units of their largest conductance; raise UsageError if all are 0 or there is no time."""
    unit = float(np.abs(traces.g).max())
    if not unit > 0.0:
        raise UsageError(f"{traces.path}: all conductances are 0, so there is nothing to fit.")
    if not (traces.time > 0).any():
        raise UsageError(f"{traces.path}: no reading later than 0 s after the write.")
    parts = []
    for index in range(len(traces.names)):
        rows = traces.trace == index
        parts.append(Trace(traces.time[rows], traces.g[rows] / unit, np.ones(int(rows.sum()))))
    return Data(parts, unit, float(traces.time[traces.time > 0].min()), False)


def weighted(trace: Trace) -> Trace:
    """Return a trace whose noise is in proportion to the conductance, by the medians of five readings."""
    g = np.pad(trace.g, 2, mode="reflect")
    size = np.maximum(np.median(np.lib.stride_tricks.sliding_window_view(g, 5), axis=1), 1e-3)
    return replace(trace, weight=1.0 / size**2, tried={})


def candidate_of(law: Law, data: Data) -> Candidate:
    """Return a law fitted to all traces, its common rest value found by the sum of squares."""
    rest = 0.0
    if law.name == "exponential":
        # The rest value of the least squares gives the noise, with which the most likely one is found.
        rest = _least(lambda x: sum(f.squares for f in at_rest(law, data, x)))
        noise2 = max(_noise2(law, at_rest(law, data, rest), data), 1e-14)
        rest = _least(lambda x: unlikelihood(at_rest(law, data, x), noise2))
    found = at_rest(law, data, rest)
    return Candidate(law, rest, found, math.sqrt(max(_noise2(law, found, data), 1e-14)))


def _least(function: Callable[[float], float]) -> float:
    """Return the number in [0, 1] at which a function is least, by a grid and Brent's method around its best number."""
    from scipy.optimize import minimize_scalar

    tried = np.linspace(0.0, 1.0, 11)
    values = [function(float(x)) for x in tried]
    best = int(np.argmin(values))
    bounds = tried[max(best - 1, 0)], tried[min(best + 1, len(tried) - 1)]
    found = minimize_scalar(function, bounds=bounds, method="bounded", options={"xatol": 3e-4})
    return float(found.x) if found.fun < values[best] else float(tried[best])


def _noise2(law: Law, found: list[Found], data: Data) -> float:
    """Return the variance of a reading."""
    readings = sum(len(trace.g) for trace in data.traces)
    used = len(found) * (2 if law.number else 1) + (law.name == "exponential")
    return sum(f.squares for f in found) / max(readings - used, 1)


def unlikelihood(found: list[Found], noise2: float) -> float:
    """Return minus twice the log-likelihood of the rest value of fitted traces, less a constant.

    The numbers of the traces are those of one population, by Laplace's approximation; without it, a rest value close to the
    conductance of some traces would let them follow their noise.
    """
    told = [f for f in found if f.information > 0]
    y, v = np.array([f.number for f in told]), np.array([noise2 / f.information for f in told])
    out = sum(f.squares for f in found) / noise2
    if len(told) < 3:
        return out
    all_of_them = pooled(y, v)
    total = v + all_of_them.spread**2
    return out + float((np.log(total / v) + (y - all_of_them.mean) ** 2 / total).sum())


def at_rest(law: Law, data: Data, rest: float) -> list[Found]:
    """Return the law fitted to each trace, given the common rest value."""
    ends = limits(law, data.traces)
    return [fitted(law, trace, rest, data.t0, ends) for trace in data.traces]


def likelihood(candidate: Candidate, data: Data) -> float:
    """Return the log-likelihood of all readings at the fitted noise."""
    weights = np.concatenate([trace.weight for trace in data.traces])
    n = len(weights)
    return float(
        0.5 * np.log(weights).sum() - n * math.log(candidate.noise) - 0.5 * candidate.squares / candidate.noise**2
    )


def _held_out(candidate: Candidate, data: Data) -> np.ndarray:
    """Return the log-likelihood (traces,) of readings under a fit without them, every fourth reading in turn."""
    law, ends, out = candidate.law, limits(candidate.law, data.traces), np.zeros(len(data.traces))
    for index, trace in enumerate(data.traces):
        for fold in range(min(FOLDS, len(trace.t))):
            test = np.arange(len(trace.t)) % FOLDS == fold
            train = Trace(trace.t[~test], trace.g[~test], trace.weight[~test])
            one = fitted(law, train, candidate.rest, data.t0, ends)
            wrong = trace.g[test] - expected(law, one, trace.t[test], candidate.rest, data.t0)
            known = uncertainty(law, one, trace.t[test], candidate.rest, data.t0)
            variance = candidate.noise**2 * (1.0 / trace.weight[test] + known)
            out[index] += float((-0.5 * (np.log(2 * np.pi * variance) + wrong**2 / variance)).sum())
    return out


def choose(candidates: dict[str, Candidate], data: Data, traces: Traces) -> tuple[list[Score], str, list[str]]:
    """Return the scores of the laws, the name of the chosen one, and a notice if the data cannot tell laws apart."""
    held = {name: _held_out(candidate, data) for name, candidate in candidates.items()}
    readings = sum(len(trace.g) for trace in data.traces)
    total = {name: float(row.sum()) / readings for name, row in held.items()}
    top = max(total, key=lambda name: total[name])
    scores = []
    for name, row in held.items():
        apart = held[top] - row
        error = math.sqrt(len(row) * float(np.var(apart, ddof=1))) / readings if len(row) > 1 else 0.0
        scores.append(Score(name, candidates[name].law.free, total[name], total[top] - total[name], error))
    near = [s for s in scores if s.form == top or s.behind < s.behind_error]
    best = min(near, key=lambda s: (s.free, s.behind)).form
    others = ", ".join(s.form for s in near if s.form != best)
    told = [
        f"the data cannot tell {best} from {others}: the difference on held-out readings is below its standard error"
    ]
    return sorted(scores, key=lambda s: s.behind), best, told if others else []
