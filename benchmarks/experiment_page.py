"""The page of one experiment: its answer with current errors, its note, and its folded tables."""

from __future__ import annotations

import re
from typing import Any

import ages_table
from catalogue import judged_on, results_of
from experiment_files import PLACE
from pages import Page, folded, one_level_up
from result_tables import MARK, OWN_READOUTS, error, marked, table

from analog_ff.comparison.pricing import interval


def page(name: str, experiment: dict[str, Any]) -> Page:
    """Return the page of an experiment."""
    count = len(experiment["rows"])
    pairs = paired(name, experiment)
    body = [one_level_up(experiment.get("note", "").strip()), ""]
    body += folded(f"{count} row{'s' if count > 1 else ''}", table(name, experiment))
    body += folded("seed by seed", pairs) if pairs else []
    aged = ages_table.table(name, experiment) if "ages" in experiment.get("options", {}) else []
    body += folded("by age", aged) if aged else []
    return Page(name, experiment["title"], answer(name, experiment), f"`python benchmarks/run.py {name}`", body)


def answer(name: str, experiment: dict[str, Any]) -> str:
    """Return an experiment's answer, with {label} or {label|read-out} replaced by the row's current error."""
    rows = {row["label"]: row for row in experiment["rows"]}

    def found(place: re.Match[str]) -> str:
        label, _, readout = place[1].partition("|")
        text = error(name, experiment, rows[label], readout or None)[0]
        value, mark, _ = text.partition(MARK)
        return text if text == "not run" else f"{value} %{mark}"

    return PLACE.sub(found, experiment.get("answer", ""))


def paired(name: str, experiment: dict[str, Any]) -> list[str]:
    """Return the table of differences, seed by seed, for the pairs in the experiment's `paired = [[row, other], ...]`."""
    if "paired" not in experiment:
        return []
    rows, by = {row["label"]: row for row in experiment["rows"]}, f"{judged_on(experiment)}_error_percent_by_readout"
    firsts = [r[by] for first, _ in experiment["paired"] for r in results_of(name, experiment, rows[first])]
    readouts = ("energy", "softmax", *(own for own in OWN_READOUTS if any(own in found for found in firsts)))
    instead = f" Against {readouts[2]} stands the headline of a row without it." if len(readouts) > 2 else ""
    head = ["row", "against", "seeds", *(f"{readout} read-out, points" for readout in readouts)]
    lines = ["Error of a row less that of another, seed by seed: mean and 95 % t interval. Layers that learn nothing have only a",
             f"softmax read-out, which then stands against both.{instead}", "",
             f"| {' | '.join(head)} |", "|" + "---|" * len(head)]  # fmt: skip
    for pair in experiment["paired"]:
        found_by = [results_of(name, experiment, rows[label]) for label in pair]
        mine, theirs = ({r["options"]["seed"]: r[by] for r in found} for found in found_by)
        headline = found_by[1][0].get("config", {}).get("readout", "softmax") if found_by[1] else "softmax"
        seeds = mine.keys() & theirs.keys()
        cells = []
        for readout in readouts:
            gaps = [mine[s][readout] - theirs[s].get(readout, theirs[s][headline]) for s in seeds if readout in mine[s]]
            found = interval(gaps) if len(gaps) > 1 else None
            cells.append(f"{found['mean']:+z.2f} ± {found['high'] - found['mean']:.2f}" if found else "-")
        names = [marked(label, found) for label, found in zip(pair, found_by, strict=True)]
        lines.append(f"| {' | '.join([*names, str(len(seeds)), *cells])} |")
    return [*lines, ""]
