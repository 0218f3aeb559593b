"""The picture of a study: error against the number of queries, beside the paths that ask nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from analog_ff.improvement.page import named
from analog_ff.mortality.page import rows
from analog_ff.mortality.study import OLD
from analog_ff.output import whole_files
from analog_ff.output.forms import panels, picture
from analog_ff.plain import Document, Facts

DPI = 120


def draw(found: Document, path: Path) -> None:
    """Draw mortal.png: for each read-out a panel with the error of distillation against queries, and lines of the other paths."""
    made = rows(found)
    readouts = list(made[0]["error"])
    figure, grid = panels(1, len(readouts), size=(5.2 * len(readouts), 4.4), squeeze=False, sharey=True)
    for axes, readout in zip(grid[0], readouts, strict=True):
        _panel(axes, made, readout)
    grid[0][0].set_ylabel("error [%], mean and 95 % interval over chips")
    figure.suptitle(f"From chip to chip: {named(found['config'])}, {found['config']['data']}", fontsize=10)
    whole_files.write(path, picture(figure, DPI))


def _panel(axes: Any, made: list[Document], readout: str) -> None:
    from matplotlib.ticker import NullLocator

    curves: dict[str, list[Facts]] = {}
    colour = 0
    for row in made:
        if row["queries"]:
            curves.setdefault(row["path"].rpartition(", ")[2], []).append(row)
        elif readout in row["error"]:
            shade = "k" if row["path"] == OLD else f"C{(colour + 1) % 10}"
            axes.axhline(row["error"][readout]["mean"], color=shade, ls="--", lw=1.0, label=row["path"])
            colour += 1
    for kind, points in curves.items():
        points = sorted(points, key=lambda row: row["queries"])
        found = [row["error"][readout] for row in points]
        half = [0.0 if f["low"] is None else f["mean"] - f["low"] for f in found]
        queries = [row["queries"] for row in points]
        axes.errorbar(
            queries, [f["mean"] for f in found], yerr=half, fmt="o-", ms=4, capsize=2, label=f"distilled: {kind}"
        )
    axes.set(xlabel="queries: images shown to the first chip", title=f"read-out: {readout}", xscale="log", yscale="log")
    asked = sorted({row["queries"] for row in made if row["queries"]})
    axes.set_xticks(asked, [str(number) for number in asked])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    means = [row["error"][readout]["mean"] for row in made if readout in row["error"]]
    axes.set_ylim(max(min(means), 0.1) / 1.5, 120.0)  # of a few chips an interval may reach below zero
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=7)
