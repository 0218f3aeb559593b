"""Page of results about fits: coverage of the intervals with and without bad readings."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import store
from fit_coverage import CELLS, CYCLES, FORM, NAME, PULSES, TRUTH
from other_pages import table
from pages import Page, folded

from hardware_models.fitting.synthetic import FAULTS


def fitting_pages() -> list[Page]:
    """Return the pages whose results exist."""
    trials: dict[float, list[Mapping[str, Any]]] = {}
    for point in store.points(NAME).values():
        trials.setdefault(point["options"]["share"], []).append(point)
    return [coverage(dict(sorted(trials.items())))] if trials else []


def pooled(trials: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Return the share [%] of all intervals that hold the truth, and its standard error from the differences of the trials."""
    shares = [100 * statistics.mean(trial["held"].values()) for trial in trials]
    return statistics.mean(shares), statistics.stdev(shares) / math.sqrt(len(shares))


def coverage(trials: Mapping[float, Sequence[Mapping[str, Any]]]) -> Page:
    """Return the page on coverage from the trials of each share of bad readings."""
    rows = []
    for share, own in trials.items():
        held, error = pooled(own)
        bad, found = (sum(sum(pair[i] for pair in trial["bad"].values()) for trial in own) for i in (0, 1))
        good = len(own) * CELLS * CYCLES * (2 * PULSES + 1) - bad
        chosen = [trial["form"] for trial in own if "form" in trial]
        rows.append([
            f"{100 * share:g} %", str(len(own)), f"{held:.1f} ± {error:.1f}", f"{100 * found / bad:.1f} %" if bad else "-",
            f"{1e6 * sum(trial['false'] for trial in own) / good:.0f}", f"{chosen.count(FORM)} of {len(chosen)}",
        ])  # fmt: skip
    names = next(iter(trials.values()))[0]["held"]
    each = [
        [
            f"`{name}`",
            *(f"{100 * statistics.mean(trial['held'][name] for trial in own):.1f}" for own in trials.values()),
        ]
        for name in names
    ]
    sorts = []
    for name in FAULTS:
        bad, found = (sum(trial["bad"][name][i] for own in trials.values() for trial in own) for i in (0, 1))
        sorts.append([name, str(bad), f"{100 * found / max(bad, 1):.1f} %"])
    heads = " | ".join(f"{100 * share:g} % bad" for share in trials)
    body = [
        f"Simulated trains of {CELLS} cells, {CYCLES} cycles, {PULSES} pulses each way, of a device of",
        f"{1e6 * TRUTH['g_min']:g} to {1e6 * TRUTH['g_max']:g} uS, noise of a pulse {100 * TRUTH['cycle_noise']:g} % and of a",
        f"reading {100 * TRUTH['read_noise']:g} % of the range, spread of the steps {100 * TRUTH['step_spread']:g} % and of the",
        f"bounds {100 * TRUTH['bound_spread']:g} %. Bad readings are drawn from five sorts; the train is written to a table,",
        "read and fitted as `devices fit` does, with the form of the device given. ± is the standard error from the differences",
        "between the trials. The last column is the choice among all forms in the first trials; curves so little bent may be",
        "described as well by another form in so short a train.", "",
        *table("bad readings | trials | intervals that hold the truth % | bad ones found | good ones left out, of a million | "
               "form chosen", rows), "",
        *folded("by number of the device: intervals that hold the truth, %", table(f"number | {heads}", each)),
        *folded("by sort of fault", table("sort | bad readings | found", sorts)),
        "What is not found lies within the noise, beside other bad readings, or at an end of a cycle.",
    ]  # fmt: skip
    shares = {share: pooled(own)[0] for share, own in trials.items()}
    answer = "Of intervals that promise 95 %, " + ", ".join(
        f"{held:.1f} % hold the truth with {100 * share:g} % bad readings" for share, held in shares.items()
    ) + "."  # fmt: skip
    return Page(
        "fit_coverage", "Coverage of the fit with bad readings", answer, "`python benchmarks/fit_coverage.py`", body
    )
