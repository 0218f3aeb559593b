"""Draw one picture per cortex test: accuracy against a condition, accuracy by condition, or firing and published ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analog_ff.output import whole_files
from analog_ff.output.forms import panels, picture
from analog_ff.plain import Facts
from analog_ff.spiking.cortex.base import BASE, COST, FAILS, FITS, LARGE_LOSS, SMALL_LOSS, Range, Test
from analog_ff.spiking.cortex.document import TestFound
from analog_ff.spiking.cortex.judge import Runs
from analog_ff.spiking.cortex.measure import EDGES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {FITS: "#2a7f3f", COST: "#c8901a", FAILS: "#b3382c"}
NEUTRAL = "#7d8894"
MARKERS = "osD^"


def draw(file: Path, test: Test, found: TestFound, runs: Mapping[str, Runs]) -> None:
    """Write the picture of a test from its part of cortex.json; points that are not measured yet are left out."""
    figure = {"line": _line, "bars": _bars, "ranges": _ranges}[test.picture](test, found, runs)
    figure.suptitle(f"{test.key}: {test.title} - {found['verdict']}", fontsize=11)
    whole_files.write(file, picture(figure, dpi=110))


def _measured(found: TestFound, readout: str = "energy") -> list[tuple[str, float, float]]:
    values = []
    for p in found["points"]:
        accuracy = p["accuracy_percent"].get(readout)
        if accuracy:
            values.append((p["label"], accuracy["mean"], accuracy["half_interval"] or 0.0))
    return values


def _bands(axis: Axes, null: float, along: str) -> None:
    span = axis.axhspan if along == "y" else axis.axvspan
    span(null - SMALL_LOSS, null, color=COLOURS[FITS], alpha=0.12, lw=0)
    span(null - LARGE_LOSS, null - SMALL_LOSS, color=COLOURS[COST], alpha=0.12, lw=0)


def _line(test: Test, found: TestFound, runs: Mapping[str, Runs]) -> Figure:
    del runs
    figure, axis = panels(size=(6.4, 4.0))
    values = _measured(found)
    groups: dict[str, list[tuple[float, float, float]]] = {"learning rate as it is": [], "a tenth of it": []}
    for label, mean, half in values:
        x = test.point(label).place
        assert x is not None
        groups["a tenth of it" if "tenth" in label else "learning rate as it is"].append((x, mean, half))
    for n, (name, group) in enumerate(groups.items()):
        if group:
            x, mean, half = np.array(sorted(group)).T
            axis.errorbar(x, mean, half, marker="o", capsize=3, color=f"C{n}", label=name)
    null = next((mean for label, mean, _ in values if label == BASE), None)
    if null is not None:
        _bands(axis, null, "y")
    axis.set_xscale("log")
    axis.set(xlabel=test.axis, ylabel="validation accuracy [%]")
    if values:
        axis.legend()
    return figure


def _bars(test: Test, found: TestFound, runs: Mapping[str, Runs]) -> Figure:
    del runs
    verdicts = {c["point"]: c["verdict"] for c in found["criteria"]}
    losses = [c for c in found["criteria"] if c["kind"] == "loss"]
    alone = {c["point"]: c["readout"] for c in losses if c["readout"] != "energy"}
    alone |= {c["null"]: c["readout"] for c in losses if c["point"] in alone}
    values = []
    for label, mean, half in _measured(found):
        by_name = dict((name, (m, h)) for name, m, h in _measured(found, alone.get(label, "energy")))
        mean, half = by_name.get(label, (mean, half))
        name = f"{label} (layer 2 alone)" if label in alone else label
        values.append((name, mean, half, COLOURS.get(verdicts.get(label, ""), NEUTRAL)))
    figure, axis = panels(size=(7.0, 1.1 + 0.36 * max(len(values), 2)))
    for row, (_, mean, half, colour) in enumerate(values):
        axis.errorbar(mean, row, xerr=half, marker="o", capsize=3, color=colour, ms=6)
    null = next((mean for label, mean, _ in _measured(found) if label == BASE), None)
    if null is not None:
        _bands(axis, null, "x")
        axis.axvline(null, color=NEUTRAL, lw=0.8)
    axis.set_yticks(range(len(values)), [name for name, *_ in values])
    axis.set_ylim(max(len(values), 1) - 0.5, -0.5)
    axis.grid(axis="x", alpha=0.3)
    axis.set(xlabel="validation accuracy [%]")
    return figure


def _ranges(test: Test, found: TestFound, runs: Mapping[str, Runs]) -> Figure:
    figure, (left, right) = panels(1, 2, size=(10.5, 4.0), width_ratios=(3, 2))
    criteria = [c for c in test.criteria if isinstance(c, Range) and c.point == BASE]
    outcomes = {(c["quantity"], c["point"]): c for c in found["criteria"] if c["kind"] == "range"}
    others = list(dict.fromkeys(point for _, point in outcomes if point != BASE))
    for row, criterion in enumerate(criteria):
        outcome = outcomes[criterion.quantity, BASE]
        style = {"alpha": 0.35} if outcome["decides"] else {"alpha": 0.35, "hatch": "///", "fill": False}
        unit = criterion.high  # each quantity is drawn in units of the upper end of its range
        left.barh(
            row, 1.0 - max(criterion.low / unit, 0.01), left=max(criterion.low / unit, 0.01), color=NEUTRAL, **style
        )
        for number, point in enumerate([BASE, *others]):
            at_point = outcomes.get((criterion.quantity, point))
            if at_point is not None and (measured := at_point["measured"]):
                x, half = measured["mean"] / unit, (measured["half_interval"] or 0.0) / unit
                left.errorbar(
                    x,
                    row + 0.22 * number,
                    xerr=half,
                    marker=MARKERS[number],
                    capsize=3,
                    color=COLOURS[at_point["verdict"]],
                    ms=6,
                )
    for number, point in enumerate([BASE, *others]):
        left.plot([], [], MARKERS[number], color=NEUTRAL, label=point)
    if others:
        left.legend(fontsize=8, loc="lower right")
    names = [c.demand.removeprefix("The ").replace(" (intervals", "\n(intervals").lower() for c in criteria]
    left.set_yticks(range(len(criteria)), names, fontsize=8)
    left.invert_yaxis()
    left.set_xscale("log")
    left.set(xlabel="in units of the upper end of the published range (bars; hatched: recalled)")
    _rates(right, list(runs[BASE].values()))
    return figure


def _rates(axis: Axes, results: Sequence[Facts]) -> None:
    for n, result in enumerate(results):
        cells = np.array(result["firing"][0]["log10_rates"])
        axis.stairs(cells, EDGES, color=f"C{n}", label=f"seed {result['seed']}")
    axis.set(xlabel="log10 of the mean rate of a cell [Hz]", ylabel="cells of layer 1")
    if results:
        axis.legend(fontsize=8)
