r"""Fit the error of written conductances, and the pulses that a write needs, to traces of write and verify.

Each write is a row of readings that ends with the conductance that the writer left. With u = target/g_max,

.. math:: g = \bar g + \sigma\,\xi, \qquad \bar g = \hat g + \sum_k d_k u^k, \qquad \sigma = \sum_k c_k (\bar g/g_{max})^k

as `hardware_models.devices.programmed` writes. The orders of both polynomials are chosen by writes that were held out, and a
difference below its standard error does not count; the figures are the most likely ones, with 95 % intervals by the curvature
of the likelihood and Student's t. Writes whose error is far from that of the others are left out and named by line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from hardware_models import files
from hardware_models.check import UsageError, shown
from hardware_models.devices.programmed import Programmed
from hardware_models.fitting.result import Parameter, Score, short_name
from hardware_models.fitting.trace_result import Curves, TraceFit
from hardware_models.laboratory.numbers import named
from hardware_models.laboratory.text import MOST_BYTES
from hardware_models.laboratory.traces import Traces, traces_of

FEWEST = 12
"""Least number of writes."""
MOST_OFF = 20.0
"""Largest median ratio of what was left to the target, either way; beyond it a unit is wrong."""
FAR = 6.5
MOST_OUTLIERS = 0.05
FOLDS = 5
ORDERS = tuple((shift, error) for shift in (-1, 0, 1, 2) for error in (0, 1, 2))
"""Orders of the mean shift (-1: none) and of the error that are tried."""
STATES = 256.0


@dataclass(frozen=True)
class Writes:
    """The writes of a table in units of the largest target."""

    target: np.ndarray  # (n,)
    off: np.ndarray  # (n,) what was left minus the target
    pulses: np.ndarray  # (n,) rows of the write
    line: np.ndarray  # (n,) line of its last reading
    unit: float  # largest target [S]


def fit_write_verify_file(path: str | Path, *, columns: str = "") -> TraceFit:
    """Return the device fitted to the write-verify traces in a table; see `fit_write_verify`."""
    data = files.contents(path, "write-verify trace", most=MOST_BYTES)
    where = shown(str(path), 200, quoted=False)
    with files.reading(where, "write-verify traces of a device"):
        return fit_write_verify(traces_of(data, where, "write-verify", columns))


def fit_write_verify(traces: Traces) -> TraceFit:
    """Return the device "programmed" fitted to write-verify traces; raise UsageError for fewer than `FEWEST` writes."""
    writes, notices = _without_outliers(writes_of(traces), traces.path)
    held = {orders: _held_out(writes, orders) for orders in ORDERS}
    scores, best, told = _choose(held)
    theta, steps = _most_likely(writes, best)
    covariance = np.linalg.pinv(_curvature(theta, steps, writes, best), hermitian=True)
    parameters = _parameters(writes, best, theta, covariance)
    assumed = (
        Parameter("states", STATES, STATES, STATES, "1", "the table does not say how finely the writer can aim"),
    )
    pulses = writes.pulses
    error = 1.96 * float(pulses.std(ddof=1)) / math.sqrt(len(pulses))
    notices = [
        f"{name_of(best)} was chosen among {len(ORDERS)} pairs of orders", *told, *traces.notices, *notices,
        f"a write needs {pulses.mean():.3g} pulses [{pulses.mean() - error:.3g}, {pulses.mean() + error:.3g}] in the mean, "
        f"{np.quantile(pulses, 0.5):g} in the median, at most {np.quantile(pulses, 0.95):g} in 95 % of the writes",
        *(f"assumed: {p.name} = {p.value:g} {p.unit}, since {p.instead}" for p in assumed),
    ]  # fmt: skip
    title = short_name(str(Path(traces.path).with_suffix(""))) or "fitted"
    source = f"writes fitted to {short_name(traces.path)}: {traces.devices} cells, {len(writes.target)} writes"
    values: dict[str, Any] = {p.name: p.value for p in (*parameters, *assumed)}  # of a model with many numbers
    device = Programmed(name=title, source=source, assumptions=tuple(notices), **values)
    mean, sigma = _law(writes, best, theta)
    z = (writes.off - mean) / sigma
    goodness = {
        "writes": float(len(z)),
        "pulses_of_a_write": float(pulses.mean()),
        "error_of_a_write": writes.unit * float(np.sqrt(np.mean(writes.off**2))),
        "residual_deviation": float(z.std()),
    }
    unit = writes.unit
    held_out = np.array([unit * writes.target, unit * writes.off, unit * mean, unit * sigma, pulses]).T
    curves = Curves(unit * (writes.target + mean), z, held_out)
    return TraceFit("write-verify", device, "programmed", name_of(best), tuple(scores), tuple(parameters), assumed,
                    MappingProxyType(goodness), tuple(notices), traces, curves)  # fmt: skip


def name_of(orders: tuple[int, int]) -> str:
    """Return a pair of orders in words."""
    shift = "no shift" if orders[0] < 0 else f"shift of order {orders[0]}"
    return f"{shift}, error of order {orders[1]}"


def writes_of(traces: Traces) -> Writes:
    """Return the last reading of each write; raise UsageError if they are too few or all targets are 0."""
    last = np.array(
        [np.flatnonzero(traces.trace == i)[-1] for i in range(len(traces.names)) if (traces.trace == i).any()]
    )
    if len(last) < FEWEST:
        raise UsageError(f"{traces.path}: {len(last)} writes; at least {FEWEST} are needed for their error.")
    unit = float(traces.target[last].max())
    if not unit > 0.0:
        raise UsageError(f"{traces.path}: the largest target is {unit:g} S; targets are above 0.")
    above = traces.target[last] > 0.0
    times = float(np.median(traces.g[last][above] / traces.target[last][above]))
    if not 1.0 / MOST_OFF < times < MOST_OFF:
        raise UsageError(
            f"{traces.path}: the cells were left at {times:.3g} times their targets in the median, which is no error of a write; "
            "the unit of the conductance or of the target is wrong."
        )
    counts = np.bincount(traces.trace, minlength=len(traces.names))[traces.trace[last]].astype(np.float64)
    target = traces.target[last] / unit
    return Writes(target, traces.g[last] / unit - target, counts, traces.line[last], unit)


def _without_outliers(writes: Writes, where: str) -> tuple[Writes, list[str]]:
    """Return the writes without those whose error is far from the median of similar targets, and a notice."""
    order = np.argsort(writes.target, kind="stable")
    bad = np.zeros(len(order), bool)
    for rows in np.array_split(order, max(1, len(order) // 40)):
        off = writes.off[rows]
        apart = np.abs(off - np.median(off))
        bad[rows] = apart > FAR * max(1.4826 * float(np.median(apart)), 1e-6)
    if not bad.any():
        return writes, []
    share = f"{int(bad.sum())} of {len(bad)} writes ({100 * bad.mean():.2g} %) ended far from where the others did " \
            f"({named(np.sort(writes.line[bad]), 10)})"  # fmt: skip
    if bad.mean() > MOST_OUTLIERS:
        return writes, [f"{share}; too many for faults, they were kept"]
    kept = {name: getattr(writes, name)[~bad] for name in ("target", "off", "pulses", "line")}
    return Writes(**kept, unit=writes.unit), [f"{share} and were left out"]


def _law(writes: Writes, orders: tuple[int, int], theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the deviation of the error at each write."""
    n = orders[0] + 1
    mean = np.polynomial.polynomial.polyval(writes.target, theta[:n]) if n else np.zeros(len(writes.target))
    sigma = np.polynomial.polynomial.polyval(writes.target + mean, theta[n:])
    return mean, np.maximum(sigma, 1e-6)


def _cost(theta: np.ndarray, writes: Writes, orders: tuple[int, int]) -> float:
    """Return minus the log-likelihood of the errors."""
    mean, sigma = _law(writes, orders, theta)
    return float((np.log(sigma) + 0.5 * ((writes.off - mean) / sigma) ** 2).sum())


def _most_likely(writes: Writes, orders: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the most likely coefficients, and the steps of each over which the likelihood is curved."""
    from scipy.optimize import minimize

    n = orders[0] + 1
    shift = np.polynomial.polynomial.polyfit(writes.target, writes.off, orders[0]) if n else np.zeros(0)
    left = writes.off - (np.polynomial.polynomial.polyval(writes.target, shift) if n else 0.0)
    start = np.concatenate((shift, [max(float(left.std()), 1e-5)], np.zeros(orders[1])))
    scale = np.full(len(start), max(float(left.std()), 1e-5))
    found = minimize(lambda x: _cost(start + scale * x, writes, orders), np.zeros(len(start)), method="BFGS",
                     options={"gtol": 1e-3})  # fmt: skip
    return start + scale * found.x, 0.02 * scale


def _curvature(theta: np.ndarray, h: np.ndarray, writes: Writes, orders: tuple[int, int]) -> np.ndarray:
    """Return the matrix of second derivatives of the cost, by differences of the steps h."""
    n = len(theta)
    out = np.empty((n, n))
    for i in range(n):
        for j in range(i, n):
            a, b = np.zeros(n), np.zeros(n)
            a[i], b[j] = h[i], h[j]
            corners = [s * t * _cost(theta + s * a + t * b, writes, orders) for s in (1, -1) for t in (1, -1)]
            out[i, j] = out[j, i] = sum(corners) / (4 * h[i] * h[j])
    return out


def _held_out(writes: Writes, orders: tuple[int, int]) -> np.ndarray:
    """Return the log-likelihood (n,) of each write under a fit without its fold."""
    out = np.empty(len(writes.target))
    fold = np.arange(len(out)) % FOLDS
    for k in range(FOLDS):
        train, test = (
            Writes(writes.target[m], writes.off[m], writes.pulses[m], writes.line[m], writes.unit)
            for m in (fold != k, fold == k)
        )
        mean, sigma = _law(test, orders, _most_likely(train, orders)[0])
        out[fold == k] = -0.5 * np.log(2 * np.pi) - np.log(sigma) - 0.5 * ((test.off - mean) / sigma) ** 2
    return out


def _choose(held: dict[tuple[int, int], np.ndarray]) -> tuple[list[Score], tuple[int, int], list[str]]:
    """Return the scores, the chosen orders, and a notice if others describe the data as well."""
    total = {orders: float(row.mean()) for orders, row in held.items()}
    top = max(total, key=lambda o: total[o])
    free = {orders: orders[0] + orders[1] + 2 for orders in held}
    error = {o: float(np.std(held[top] - row, ddof=1)) / math.sqrt(len(row)) for o, row in held.items()}
    near = [o for o in held if o == top or total[top] - total[o] < error[o]]
    best = min(near, key=lambda o: (free[o], -total[o]))
    scores = [Score(name_of(o), free[o], total[o], total[top] - total[o], error[o]) for o in held]
    told = [
        f"{name_of(best)} has the fewest numbers of those that describe the writes equally well ({len(near)} pairs of orders)"
    ]
    return sorted(scores, key=lambda s: s.behind), best, told if len(near) > 1 else []


def _parameters(writes: Writes, orders: tuple[int, int], theta: np.ndarray, covariance: np.ndarray) -> list[Parameter]:
    """Return range, shift and error of the device with their intervals."""
    from scipy.stats import t

    said = "the range of the targets"
    ends = float(writes.target.min()) * writes.unit, writes.unit
    if not ends[0] < ends[1]:
        ends = 0.0, writes.unit
    out = [Parameter(name, x, x, x, "S", said) for name, x in zip(("g_min", "g_max"), ends, strict=True)]
    half = float(t.ppf(0.975, max(len(writes.target) - len(theta), 1))) * np.sqrt(np.maximum(np.diag(covariance), 0.0))
    names = [*(f"shift_{k}" for k in range(orders[0] + 1)), *(f"error_{k}" for k in range(orders[1] + 1))]
    for name, x, h in zip(names, theta * writes.unit, half * writes.unit, strict=True):
        out.append(Parameter(name, float(x), float(x - h), float(x + h), "S"))
    return out
