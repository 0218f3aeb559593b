"""The picture of the experiment `54_black_box_strength`: error against the strength of an unknown, one panel a place of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from catalogue import experiments, results_of
from pages import DOCS

from analog_ff.comparison.pricing import interval
from analog_ff.output import whole_files
from analog_ff.output.forms import panels
from analog_ff.output.forms import picture as drawn

NAME = "54_black_box_strength"
FILE = "black_box_strength.png"
PLACES = {
    "inside": "inside a layer: the neurons are unknown",
    "between": "between layers: the neurons are known, the way to the next layer is not",
}
"""Beginning of a row's label -> title of its panel."""
KNOWN = "no box"
"""Beginning of the labels of rows without a box, which are the first point of both panels."""
MARKS = "os^vDPX*h"


class Shown(NamedTuple):
    """A point of a line: strength, mean error and half of its 95 % t interval [%]."""

    strength: float
    mean: float
    half: float


def lines(place: str, experiment: dict[str, Any]) -> dict[str, list[Shown]]:
    """Return the points of a panel by rule, in the order of the experiment; rows of fewer than two seeds are left out."""
    found: dict[str, list[Shown]] = {}
    for row in experiment["rows"]:
        where, _, rule = row["label"].partition(": ")
        if where != KNOWN and not where.startswith(f"{place}, "):
            continue
        errors = [r["test_error_percent"] for r in results_of(NAME, experiment, row)]
        if len(errors) > 1:
            over = interval(errors)
            strength = 0.0 if where == KNOWN else float(where.partition(", ")[2])
            found.setdefault(rule, []).append(Shown(strength, over["mean"], over["high"] - over["mean"]))
    return {rule: sorted(points) for rule, points in found.items()}


def draw() -> None:
    """Draw docs/img/black_box_strength.png from the stored results; nothing where there are none."""
    experiment = experiments([NAME])[NAME]
    every = {place: lines(place, experiment) for place in PLACES}
    if all(every.values()):
        whole_files.write(DOCS / "img" / FILE, drawn(figure_of(every), dpi=120))


def figure_of(every: dict[str, dict[str, list[Shown]]]) -> Any:
    """Return the figure of the lines of both places."""
    figure, axes = panels(1, len(every), size=(11.0, 5.2), sharey=True)
    rules = list(dict.fromkeys(rule for found in every.values() for rule in found))
    for place, (where, found) in zip(axes, every.items(), strict=True):
        for rule, points in found.items():
            _line(place, rules.index(rule), rule, points)
        place.set(xlabel="strength of the unknown [1]", xticks=[0.0, 0.5, 1.0], yscale="log")
        place.set_title(PLACES[where], fontsize=10)
        place.set_yticks([3, 5, 10, 20, 50, 90], ["3", "5", "10", "20", "50", "90"])
        place.grid(alpha=0.3)
    axes[0].set_ylabel("test error, softmax read-out [%]")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9)
    return figure


def _line(place: Any, number: int, rule: str, points: Sequence[Shown]) -> None:
    """Draw the line of a rule; lines are moved aside a little, so that their bars do not lie on one another."""
    aside = 0.012 * (number - 3)
    ours = rule.startswith(("forward-forward", "local softmax"))
    place.errorbar(
        [p.strength + aside for p in points],
        [p.mean for p in points],
        yerr=[[min(p.half, 0.9 * p.mean) for p in points], [p.half for p in points]],
        fmt=f"{MARKS[number]}{'-' if ours else '--'}",
        color=f"C{number}", mfc=f"C{number}" if ours else "white", ms=6, capsize=3, lw=1.8 if ours else 1.2, label=rule,
    )  # fmt: skip
