"""Fit a law of time to retention traces: readings of cells that were written once and left alone.

1. Readings far from the median of their five neighbours in time, while these agree, are outliers: left out and named by line.
2. Each law of `retention_laws` is fitted to each trace. Noise is that of a reading: the same for all conductances, or in
   proportion to them, whichever is likelier.
3. The law is chosen by readings that were held out: every fourth of each trace in turn. A difference below its standard error
   does not count; among such laws the one with the fewest free numbers is chosen.
4. Mean and spread of the cells' numbers with their 95 % intervals come from `pooled`. The exponent of a power may change with
   the logarithm of the conductance; that slope is kept if its interval does not hold 0.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from hardware_models import files
from hardware_models.check import UsageError, shown
from hardware_models.devices import MODELS
from hardware_models.devices.ageing import aged
from hardware_models.devices.base import BaseDevice
from hardware_models.fitting.result import Parameter, short_name
from hardware_models.fitting.retention_choice import (
    Candidate,
    Data,
    candidate_of,
    choose,
    data_of,
    likelihood,
    weighted,
)
from hardware_models.fitting.retention_laws import LAWS, expected
from hardware_models.fitting.retention_numbers import numbers_of, range_of
from hardware_models.fitting.trace_result import Curves, TraceFit
from hardware_models.laboratory.numbers import named
from hardware_models.laboratory.text import MOST_BYTES
from hardware_models.laboratory.traces import Traces, traces_of
from hardware_models.tables import resolve

FEWEST = 4
"""Least number of readings of a trace."""
FAR = 6.5
"""Number of deviations that makes a reading an outlier."""
MOST_OUTLIERS = 0.05
"""Largest share of readings that may be left out."""
MODEL = "constant_step"
"""Model of a device of which only the retention is known: ideal steps."""
STATES = 256.0
SAID_STATES = "states are no matter of retention: the resolution of the writer's wish"


def fit_retention_file(
    path: str | Path, *, columns: str = "", around: BaseDevice | None = None, beside: TraceFit | None = None
) -> TraceFit:
    """Return the law of time fitted to the retention traces in a table; see `fit_retention`."""
    data = files.contents(path, "retention trace", most=MOST_BYTES)
    where = shown(str(path), 200, quoted=False)
    with files.reading(where, "retention traces of a device"):
        return fit_retention(traces_of(data, where, "retention", columns), around=around, beside=beside)


def fit_retention(traces: Traces, *, around: BaseDevice | None = None, beside: TraceFit | None = None) -> TraceFit:
    """Return the law of time fitted to retention traces.

    Parameters
    ----------
    traces : Traces
        Retention traces as returned by `hardware_models.laboratory.traces.traces_of`.
    around : BaseDevice
        Device, such as that of a pulse train, which gets the law; without it the device has ideal steps.
    beside : TraceFit
        Fit of the writes of the same cells, whose device gets the law; it can hold none or a power.

    Raises
    ------
    UsageError
        If a trace has too few readings, or the device cannot have the law.
    """
    traces = _without_outliers(traces)
    data = data_of(traces)
    laws = [law for law in LAWS if beside is None or law.name != "exponential"]
    candidates = {law.name: candidate_of(law, data) for law in laws}
    relative = replace(data, traces=[weighted(t) for t in data.traces], relative=True)
    by_share = {law.name: candidate_of(law, relative) for law in laws}
    if max(likelihood(c, relative) for c in by_share.values()) > max(likelihood(c, data) for c in candidates.values()):
        data, candidates = relative, by_share
    scores, best, told = choose(candidates, data, traces)
    chosen = candidates[best]
    parameters, more = numbers_of(chosen, data, traces, around, beside)
    notices = [
        f"{best} was chosen among {', '.join(candidates)}", *told, *traces.notices, *more,
        *_unlike_noise(chosen, data), "the times were taken as those since the write of each trace",
    ]  # fmt: skip
    device, model, own, assumed = _device(traces, data, chosen, parameters, around, beside)
    notices += [f"assumed: {p.name} = {p.value:g} {p.unit}, since {p.instead}" for p in assumed]
    curves = _curves(chosen, data, traces)
    goodness = {
        "readings": float(len(traces.g)),
        "noise_of_a_reading": chosen.noise * (1.0 if data.relative else data.unit),
        "explained": 1.0 - chosen.squares / max(candidates["none"].squares, 1e-300),
        "first_time": float(traces.time.min()),
        "last_time": float(traces.time.max()),
    }
    device = replace(device, assumptions=tuple(notices)) if around is None else device
    return TraceFit("retention", device, model, best, tuple(scores), (*own, *parameters), assumed, MappingProxyType(goodness),
                    tuple(notices), traces, curves, beside)  # fmt: skip


def _without_outliers(traces: Traces) -> Traces:
    """Return the traces without single readings that lie far from the five around them; a change that stays is kept."""
    off, scale = np.zeros(len(traces.g)), np.ones(len(traces.g))
    for index in range(len(traces.names)):
        rows = np.flatnonzero(traces.trace == index)
        if len(rows) < FEWEST:
            raise UsageError(
                f"{traces.path}: trace {shown(traces.names[index], quoted=False)} has {len(rows)} readings; at least {FEWEST} "
                "are needed of each."
            )
        g = np.pad(traces.g[rows], 2, mode="reflect")
        off[rows] = traces.g[rows] - np.median(np.lib.stride_tricks.sliding_window_view(g, 5), axis=1)
        scale[rows] = max(abs(float(np.median(traces.g[rows]))), 1e-30)
    z = off / scale
    deviation = 1.4826 * float(np.median(np.abs(z)[z != 0])) if (z != 0).any() else 1.0
    bad = np.abs(z) > FAR * max(deviation, 1e-4)
    if not bad.any():
        return traces
    lines = named(np.sort(traces.line[bad]), 10)
    share = (
        f"{int(bad.sum())} of {len(bad)} readings ({100 * bad.mean():.2g} %) lie far from those around them ({lines})"
    )
    if bad.mean() > MOST_OUTLIERS:
        return traces.only(np.ones(len(bad), bool), f"{share}; too many for faults of single readings, they were kept")
    return traces.only(~bad, f"{share} and were left out")


def _device(
    traces: Traces, data: Data, chosen: Candidate, parameters: list[Parameter], around: BaseDevice | None,
    beside: TraceFit | None,
) -> tuple[BaseDevice, str, list[Parameter], tuple[Parameter, ...]]:  # fmt: skip
    """Return the device, its model, the parameters of range and noise, and the assumed numbers."""
    values = {p.name: p.value for p in parameters}
    size = f"{traces.devices} cells, {len(traces.names)} traces, {len(traces.g)} readings"
    source = f"retention fitted to {short_name(traces.path)}: {size}"
    if around is not None:
        return aged(around, values, traces.path), type(around).__name__, [], ()
    if beside is not None:
        if values.get("nu", 0.0) < 0.0:
            raise UsageError(f"{traces.path}: the conductance rises with time, which the model 'programmed' cannot do.")
        fields: dict[str, Any] = {
            **values,
            "source": f"{beside.device.source}; {source}",
        }  # of a model with more numbers
        return replace(beside.device, **fields), beside.model, [], ()
    low, high = range_of(traces, data, chosen, None, None)
    if not high > low:
        high = 1.01 * low
    measured = "the lowest and the highest conductance of the traces"
    own = [Parameter(name, x, x, x, "S", measured) for name, x in (("g_min", low), ("g_max", high))]
    name = "read_noise_relative" if data.relative else "read_noise"
    noise = chosen.noise if data.relative else chosen.noise * data.unit / (high - low)
    own.append(_noise(name, min(noise, 1.0), len(traces.g) - 2 * len(traces.names)))
    assumed = (Parameter("states", STATES, STATES, STATES, "1", SAID_STATES),)
    title = short_name(str(Path(traces.path).with_suffix(""))) or "fitted"
    numbers = {p.name: p.value for p in (*own, *assumed)}
    inner = resolve(MODELS[MODEL])(name=title, source=source, states_down=STATES, **numbers)
    return (aged(inner, values, traces.path) if values else inner), MODEL, own, assumed


def _noise(name: str, value: float, freedom: int) -> Parameter:
    """Return a deviation with its 95 % interval by chi-square."""
    from scipy.stats import chi2

    low, high = (value * math.sqrt(max(freedom, 1) / chi2.ppf(q, max(freedom, 1))) for q in (0.975, 0.025))
    return Parameter(name, value, low, min(high, 1.0), "1")


def _unlike_noise(chosen: Candidate, data: Data) -> list[str]:
    """Return a notice if residuals of neighbouring readings agree, which noise of single readings does not do."""
    over = under = 0.0
    pairs = 0
    for trace, found in zip(data.traces, chosen.found, strict=True):
        z = np.sqrt(trace.weight) * (trace.g - expected(chosen.law, found, trace.t, chosen.rest, data.t0))
        over, under, pairs = over + float((z[1:] * z[:-1]).sum()), under + float((z * z).sum()), pairs + len(z) - 1
    share = over / under if under > 0 else 0.0
    if share < 3.0 / math.sqrt(max(pairs, 1)):
        return []
    return [
        f"neighbouring readings are off together (correlation {share:.2g}), by noise slower than the reads or by another law; "
        "the intervals know nothing of that"
    ]


def _curves(chosen: Candidate, data: Data, traces: Traces) -> Curves:
    """Return the fitted law at each reading, the residuals, and the numbers of the traces."""
    law, wanted, residual = chosen.law, np.empty(len(traces.g)), np.empty(len(traces.g))
    for index, (trace, found) in enumerate(zip(data.traces, chosen.found, strict=True)):
        rows = traces.trace == index
        wanted[rows] = data.unit * expected(law, found, trace.t, chosen.rest, data.t0)
        residual[rows] = np.sqrt(trace.weight) * (trace.g - wanted[rows] / data.unit) / chosen.noise
    error = [chosen.noise / math.sqrt(f.information) if f.information > 0 else math.inf for f in chosen.found]
    held = np.array([[f.g * data.unit, f.number, e] for f, e in zip(chosen.found, error, strict=True)])
    return Curves(wanted, residual, held)
