"""The tables of one experiment, made from the stored results."""

from __future__ import annotations

import statistics
from typing import Any

import fitted_columns
import learning_ratio
from catalogue import (
    READOUT_NAMES,
    before_the_correction,
    experiments,
    grid_of,
    judged_on,
    readouts_of,
    results_of,
    tuner_of,
)
from point_energy import SPIKING

from analog_ff.output.quantities import joules, ranged

INSPECTED = {"asymmetry": "asymmetry_mean", "step of a pulse": "pulse_step", "its noise": "pulse_noise"}
"""Column of a table -> figure of the inspection, for experiments that are `inspected`."""
READS = "reads of a cell per image"
"""Column of the experiments that are `reads_counted`: reads of cells in phase learn, per image and cell."""
UPDATE, DECISION = "energy per update (low to high)", "energy per decision (low to high)"
"""Columns of energies with the low and the high end of the ranges of all prices."""
OLDER = " §"
"""Marks an energy to an accuracy that cannot be priced anew."""
OLDER_PRICES = (
    "§ at the prices of an older technology file: the counts up to an accuracy are not kept apart from the others."
)
COMPARED = ("gated", "learning energy, first row / this")
"""Columns of the experiments that are `compared`: share of images that a gate kept from learning, as mean over the layers; and
the joules of phase learn of the first row divided by those of this row, as means over the seeds."""


def mean(values: list[float | None], digits: int = 2) -> str:
    """Return the text "mean ± standard deviation", or a dash if a value is missing."""
    numbers = [v for v in values if v is not None]
    if not numbers:
        return "-"
    text = f"{statistics.mean(numbers):.{digits}f}"
    return text + (f" ± {statistics.stdev(numbers):.{digits}f}" if len(numbers) > 1 else "")


def percent(values: list[float | None]) -> str:
    """Return a mean share as text in percent, or a dash if a value is missing."""
    text = mean([None if v is None else 100.0 * v for v in values], 1)
    return text if text == "-" else f"{text} %"


def number(values: list[float]) -> str:
    """Return the text "mean ± standard deviation" with digits that suit the size."""
    return mean(list(values), 1 if statistics.mean(values) < 1000 else 0)


def bold(text: str, really: bool) -> str:
    """Return a text, in bold if `really` is True."""
    return f"**{text}**" if really and text != "-" else text


def joule(values: list[float | None]) -> str:
    """Return a mean energy as text in J with a prefix."""
    numbers = [v for v in values if v is not None]
    if not numbers:
        return "-"
    return joules(statistics.mean(numbers))


def update(energies: list[dict[str, Any]]) -> str:
    """Return the mean energy of an update with the means of the low and of the high ends of its range, as text."""
    keys = {"low": "low_joule", "nominal": "per_update_joule", "high": "high_joule"}
    priced = [e for e in energies if e.get("per_update_joule") is not None]
    return _mean_range([{end: e[key] for end, key in keys.items()} for e in priced])


def decision(results: list[dict[str, Any]]) -> str:
    """Return the mean energy of a decision of a spiking network with the means of the ends of its range, as text."""
    phase = SPIKING["per_decision_joule"]
    priced = [r for r in results if (r.get("energy") or {}).get("per_decision_joule") is not None]
    return _mean_range(
        [{end: j / r["images"][phase] for end, j in r["energy"]["ranged_joule"][phase].items()} for r in priced]
    )


def _mean_range(amounts: list[dict[str, float]]) -> str:
    if not amounts:
        return "-"
    return ranged({end: statistics.mean(amount[end] for amount in amounts) for end in amounts[0]})


MARK = " ‡"
"""Mark of a value that was measured before a correction that affects it."""


def marked(text: str, results: list[dict[str, Any]]) -> str:
    """Return a text, marked if any of the results is out of date."""
    return text + (MARK if before_the_correction(results) else "")


def footnotes(rows: list[tuple[str, list[dict[str, Any]]]]) -> list[str]:
    """Return the footnotes of a table's marks: one line for each reason, with the rows that it concerns."""
    by_reason: dict[str, list[str]] = {}
    for label, results in rows:
        if reason := before_the_correction(results):
            by_reason.setdefault(reason, []).append(label)
    return [line for reason, labels in by_reason.items() for line in ("", f"‡{reason_of(labels, rows)} {reason}.")]


def reason_of(labels: list[str], rows: list[tuple[str, list[dict[str, Any]]]]) -> str:
    """Return the labels of the rows that a reason concerns as text; empty if it concerns all rows."""
    return "" if len(labels) == len([1 for _, results in rows if results]) else f" {'; '.join(labels)}:"


def table(name: str, experiment: dict[str, Any]) -> list[str]:
    """Return the lines of one experiment's table; rows without results are marked as such."""
    if experiment.get("command") == "spiking":
        return spiking_table(name, experiment)
    kind = judged_on(experiment)
    readouts = readouts_of(experiment)
    head = ["row", "seeds", *(f"{kind} error, {READOUT_NAMES[name]} %" for name in readouts), "pulses per weight",
            "cells at a bound", "memory left", UPDATE, "seconds"]  # fmt: skip
    by = f"{kind}_error_percent_by_readout"
    results_by = {row["label"]: results_of(name, experiment, row) for row in experiment["rows"]}
    written = any("program-to" in row for row in experiment["rows"]) and "ages" not in experiment.get("options", {})
    ages = ["at once", "after a day"] if written else []
    inspected = INSPECTED if experiment.get("inspected") else {}
    published = any("published" in row for row in experiment["rows"])
    tuner = tuner_of(name, experiment)
    choices = grid_of(experiments([tuner])[tuner]) if tuner else []
    head[2:2] = ["published %"] if published else []
    kept = ["stored", "on wires"] if experiment.get("activity") else []
    counted = [READS] if experiment.get("reads_counted") else []
    head[1:1] = choices
    compared = COMPARED if experiment.get("compared") else ()
    first: float | None = None
    reached = experiment.get("to_accuracy")
    head += [f"energy to {reached} %"] if reached else []
    fitted = fitted_columns.COLUMNS if experiment.get("fitted") else ()
    taught = learning_ratio.COLUMNS if experiment.get("learning_ratio") else ()
    head += [*fitted, *taught, *compared, *counted, *inspected, *(f"written, {age}" for age in ages), *kept]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    measured: list[tuple[str, list[dict[str, Any]]]] = []
    for row in experiment["rows"]:
        results = results_by[row["label"]]
        measured.append((row["label"], results))
        if not results:
            known = f" {row.get('published', '-')} |" if published else ""
            blank = " - |" * len(choices)
            left = len(head) - 3 - published - len(choices)
            lines.append(f"| {row['label']} |{blank} 0 |{known} not run |" + " |" * left)
            continue
        headline = results[0]["config"].get("readout", "softmax")
        cells = [
            marked(row["label"], results),
            str(len(results)),
            *(bold(mean([(r.get(by) or {}).get(name) for r in results]), name == headline) for name in readouts),
            number([r["cells"].get("pulses_per_weight") for r in results]),
            percent([r["cells"].get("share_at_bound") for r in results]),
            mean([r["cells"].get("memory_left") for r in results]),
            update([r["energy"] for r in results]),
            mean([r["wall_seconds"] for r in results], 0),
        ]
        cells[2:2] = [str(row.get("published", "-"))] if published else []
        tuned = [results[0]["options"].get(name) for name in choices]
        cells[1:1] = ["-" if value is None else f"{value:g}" for value in tuned]
        cells += [arrived(results, reached)] if reached else []
        cells += fitted_columns.cells(results[0]) if fitted else []
        cells += learning_ratio.cells(results) if taught else []
        if compared:
            spent = statistics.mean(r["energy"]["total_joule"]["learn"] for r in results)
            first = spent if row is experiment["rows"][0] else first
            cells += [percent([gated(r) for r in results]), "-" if first is None else f"{first / spent:.1f}"]
        cells += [mean([reads(r) for r in results]) for _ in counted]
        cells += [mean([layer(r, name) for r in results], 3) for name in inspected.values()]
        cells += [mean([aged(r, kind, age, headline) for r in results]) for age in ages]
        if kept:
            found = [r["activity"] for r in results]
            cells += [
                str(max(a["peak_stored"] for a in found)),
                str(max(sum(a["registers_per_layer"]) for a in found)),
            ]
        lines.append(f"| {' | '.join(cells)} |")
    older = any(r["dear"] for _, results in measured for r in results) if reached else False
    return [*lines, *footnotes(measured), *(["", OLDER_PRICES] if older else [])]


def spiking_table(name: str, experiment: dict[str, Any]) -> list[str]:
    """Return the lines of a table of spiking runs: error of all layers and of each, and how the layers fire."""
    kind = judged_on(experiment)
    tuner = tuner_of(name, experiment)
    choices = grid_of(experiments([tuner])[tuner]) if tuner else []
    head = ["row", *choices, "seeds", f"{kind} error, all layers %", "each layer %", "mean rate Hz", "rate of active cells Hz",
            "active cells", UPDATE, DECISION, "seconds"]  # fmt: skip
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    measured: list[tuple[str, list[dict[str, Any]]]] = []
    for row in experiment["rows"]:
        results = results_of(name, experiment, row)
        measured.append((row["label"], results))
        if not results:
            lines.append(
                f"| {row['label']} |{' - |' * len(choices)} 0 | not run |" + " |" * (len(head) - 3 - len(choices))
            )
            continue
        by = [r[f"{kind}_error_percent_by_readout"] for r in results]
        layers = [n for n in by[0] if n != "energy"]
        firing = [[layer["right_label"] for layer in r["firing"]] for r in results]

        def fired(what: str, firing: list[Any] = firing, digits: int = 0) -> str:
            return ", ".join(mean([f[n][what] for f in firing], digits) for n in range(len(firing[0])))

        shares = [percent([f[n]["active_share"] for f in firing]) for n in range(len(layers))]
        lines.append("| " + " | ".join([
            marked(row["label"], results), *(f"{results[0]['options'].get(c)}" for c in choices), str(len(results)),
            bold(mean([b["energy"] for b in by]), True), ", ".join(mean([b[n] for b in by]) for n in layers),
            fired("mean_rate_hz", digits=1), fired("active_rate_hz"), ", ".join(shares),
            update([r.get("energy") or {} for r in results]), decision(results),
            mean([r["wall_seconds"] for r in results], 0),
        ]) + " |")  # fmt: skip
    return [*lines, *footnotes(measured)]


def error(name: str, experiment: dict[str, Any], row: dict[str, Any], readout: str | None = None) -> tuple[str, int]:
    """Return a row's error by one read-out (by default the headline's) and the number of its seeds."""
    results = results_of(name, experiment, row)
    if not results:
        return "not run", 0
    headline = "energy" if experiment.get("command") == "spiking" else results[0]["config"].get("readout", "softmax")
    found = [r[f"{judged_on(experiment)}_error_percent_by_readout"] for r in results]
    return marked(mean([f[readout or headline] for f in found]), results), len(results)


def arrived(results: list[dict[str, Any]], accuracy: str) -> str:
    """Return the mean energy to an accuracy of the runs that reached it, and the number of these runs, as text."""
    found = [r["energy"]["to_accuracy_joule"][accuracy] for r in results]
    there = [joules for joules in found if joules is not None]
    mark = OLDER if any(r["dear"] for r in results) else ""
    return f"{joule(there) if there else '-'}{mark} ({len(there)} of {len(found)})"


def gated(result: dict[str, Any]) -> float | None:
    """Return the share of images that a gate kept from learning, as mean over the layers; None without a gate."""
    shares = result.get("gated_share_by_layer")
    return statistics.mean(shares) if shares else None


def reads(result: dict[str, Any]) -> float | None:
    """Return the reads of each cell per image in learning, from either side; a positive and its negative are one image."""
    learn, per_weight = result["events"]["learn"], result["cells"].get("pulses_per_weight")
    if "shapes" in result:
        weights = sum(inputs * neurons for inputs, neurons in result["shapes"])
    elif per_weight:
        weights = learn["write.selected"] / per_weight  # an older result tells no shapes
    else:
        return None
    both_sides = learn["reads.cells"] + learn.get("reads.transposed_cells", 0)
    return both_sides / (2.0 * weights * result["images"]["learn"])


def layer(result: dict[str, Any], name: str) -> float | None:
    """Return the mean over the layers of a figure of the inspection."""
    values = [found.get(name) for found in result["cells"].get("layers") or []]
    known = [v for v in values if v is not None]
    return statistics.mean(known) if known else None


def aged(result: dict[str, Any], kind: str, age: str, readout: str) -> float | None:
    """Return the error of a written chip at an age; for a device without a law of time only that at age 0, else None."""
    return result.get("deployed", {}).get(f"{kind}_error_percent_by_age", {}).get(age, {}).get(readout)
