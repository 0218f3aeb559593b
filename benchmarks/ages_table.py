"""The table of chips that age: error by age, read-out and way of reading the chip, and what is left of its goodness."""

from __future__ import annotations

from typing import Any

from catalogue import readouts_of, results_of
from result_tables import marked, mean

from analog_ff.runs.ages import AS_IT_IS, IN_WORDS


def table(name: str, experiment: dict[str, Any]) -> list[str]:
    """Return the lines of the table of an experiment whose options have `ages`; no lines before its first result."""
    readouts = sorted(readouts_of(experiment), key=("softmax", "energy", "both", "output").index)
    head = ["row", "age", "seeds", *(f"{readout}, {said} %" for readout in readouts for said in IN_WORDS.values()),
            "goodness over theta, right labels", "wrong labels"]  # fmt: skip
    lines = []
    for row in experiment["rows"]:
        results = results_of(name, experiment, row)
        found = [(r.get("ages") or r["deployed"]["ages"]) for r in results]
        for age in found[0]["by_age"] if found else ():
            looks = [one["by_age"][age] for one in found]
            errors = [mean([_error(look, way, readout) for look in looks]) for readout in readouts for way in IN_WORDS]
            left = [_goodness(found, age, what) for what in ("goodness_positive", "goodness_negative")]
            cells = [marked(row["label"], results), age, str(len(results)), *errors, *left]
            lines.append(f"| {' | '.join(cells)} |")
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *lines] if lines else []


def _error(look: dict[str, Any], way: str, readout: str) -> float | None:
    return look[way]["error_percent_by_readout"].get(readout) if way in look else None


def _goodness(found: list[dict[str, Any]], age: str, what: str) -> str:
    """Return the mean goodness of each layer, over its theta, of the chip as it is."""
    by_layer = zip(*(one["by_age"][age][AS_IT_IS][what] for one in found), strict=True)
    shares = [[value / theta for value in values] for values, theta in zip(by_layer, found[0]["theta"], strict=True)]
    return ", ".join(f"{sum(values) / len(values):.2g}" for values in shares)
