"""The picture of a study: error against the number of queries, beside the paths that ask nothing; the life; the generations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from analog_ff.improvement.page import named
from analog_ff.mortality.page import generations, lives, rows
from analog_ff.mortality.study import OLD
from analog_ff.output import whole_files
from analog_ff.output.forms import panels, picture
from analog_ff.plain import Document, Facts

DPI = 120


def draw(found: Document, path: Path) -> None:
    """Draw mortal.png: a column for each read-out, with the paths, then the life and the generations if there are any."""
    made = rows(found)
    readouts = list(made[0]["error"])
    parts: list[Callable[[Any, str], None]] = [lambda axes, readout: _paths(axes, made, readout)]
    if living := lives(found):
        *_, life = found["lives"].values()
        parts.append(lambda axes, readout: _life(axes, living, life["days"], readout))
    if chain := generations(found):
        parts.append(lambda axes, readout: _generations(axes, chain, readout))
    size = (5.2 * len(readouts), 4.4 * len(parts))
    figure, grid = panels(len(parts), len(readouts), size=size, squeeze=False, sharey="row")
    for part, row in zip(parts, grid, strict=True):
        for axes, readout in zip(row, readouts, strict=True):
            part(axes, readout)
            axes.set_title(f"read-out: {readout}", fontsize=10)
            axes.grid(alpha=0.3, which="both")
            axes.legend(fontsize=7)
        row[0].set_ylabel("error [%], mean and 95 % interval")
    figure.suptitle(f"From chip to chip: {named(found['config'])}, {found['config']['data']}", fontsize=10)
    whole_files.write(path, picture(figure, DPI))


def halves_of(found: Sequence[Facts]) -> list[float]:
    """Return half of each interval; 0 for a single value, which has none."""
    return [0.0 if f["low"] is None else f["mean"] - f["low"] for f in found]


def _line(axes: Any, places: list[int], errors: list[Facts], label: str) -> None:
    """Draw mean errors and their intervals."""
    axes.errorbar(places, [f["mean"] for f in errors], yerr=halves_of(errors), fmt="o-", ms=4, capsize=2, label=label)


def _paths(axes: Any, made: list[Document], readout: str) -> None:
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
        errors = [row["error"][readout] for row in points]
        queries = [row["queries"] for row in points]
        _line(axes, queries, errors, f"distilled: {kind}")
    axes.set(xlabel="queries: images shown to the first chip", xscale="log", yscale="log")
    asked = sorted({row["queries"] for row in made if row["queries"]})
    axes.set_xlim(asked[0] / 1.3, asked[-1] * 1.3)
    axes.set_xticks(asked, [str(number) for number in asked])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    means = [row["error"][readout]["mean"] for row in made if readout in row["error"]]
    axes.set_ylim(max(min(means), 0.1) / 1.5, 120.0)  # of a few chips an interval may reach below zero


def _life(axes: Any, living: list[Document], days: Sequence[int], readout: str) -> None:
    """Draw errors against days, on an axis that has room for the day 0."""
    for number, row in enumerate(living):
        errors = row["error"][readout]
        shift = 1.0 + 0.02 * number  # so that equal errors can be told apart
        axes.errorbar(
            [(day + 1) * shift - 1 for day in days], [f["mean"] for f in errors], yerr=halves_of(errors),
            fmt="o-", ms=3, lw=1.0, capsize=2, label=row["care"],
        )  # fmt: skip
    axes.set_xscale("symlog", linthresh=1.0)
    axes.set_xticks(days, [str(day) for day in days])
    axes.set_xlabel("days after learning")
    axes.set_ylim(bottom=0.0)


def _generations(axes: Any, chain: list[Document], readout: str) -> None:
    errors = [row["error"][readout] for row in chain]
    numbers = [row["generation"] for row in chain]
    _line(axes, numbers, errors, "taught by the one before")
    axes.axhline(errors[0]["mean"], color="k", ls="--", lw=1.0, label=OLD)
    axes.set_xticks(numbers)
    axes.set_xlabel("generation")
    axes.set_ylim(bottom=0.0)
