"""The pictures of an answer: what each figure alone gains, curves of those that matter, what was tried for a specification."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analog_ff.improvement.page import named
from analog_ff.output import whole_files
from analog_ff.output.forms import panels, picture
from analog_ff.plain import Facts

DPI = 120
WIDE = 20.0
"""Ratio of the ends of an axis from which it is logarithmic."""


def tornado(axes: Any, rows: Sequence[tuple[str, Facts]], xlabel: str, ylabel: str) -> None:
    """Draw bars of means with their intervals, the first row at the top; both axes have names."""
    for place, (_, found) in enumerate(rows):
        axes.barh(place, found["mean"], color="C0" if found["mean"] >= 0.0 else "C3", height=0.6, alpha=0.8)
        if found["low"] is not None:
            axes.plot([found["low"], found["high"]], [place, place], color="black", lw=1.2)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=8)
    axes.invert_yaxis()
    axes.axvline(0.0, color="black", lw=0.8)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.grid(axis="x", alpha=0.3)


def draw_answer(document: Facts, path: Path) -> None:
    """Draw improve.png: the tornado, and beside it a panel for each figure that has a curve, with the wanted error."""
    curves = [f for f in document["figures"] if sum(p["value"] is not None for p in f["curve"]) > 2]
    figure, grid = panels(1, 1 + len(curves), size=(6.4 + 3.0 * len(curves), 4.4), squeeze=False)
    rows = [(f"{f['rank']}  {f['label']}", f["gain"]) for f in document["figures"]]
    tornado(grid[0][0], rows, "gain: error as given less error then [points]", "rank and figure, alone at its best")
    for axes, found in zip(grid[0][1:], curves, strict=True):
        _curve(axes, found, document["target_error_percent"])
    ends = f"as given {document['as_given']['mean']:.2f} %, all at their best {document['all_best']['mean']:.2f} %"
    figure.suptitle(f"{_of(document)}:\n{ends}", fontsize=10)
    whole_files.write(path, picture(figure, DPI))


def _of(document: Facts) -> str:
    config, seeds = document["config"], len(document["seeds"])
    return f"{named(config)}, {config['data']}, mean of {seeds} seeds with 95 % interval"


def draw_specification(document: Facts, path: Path) -> None:
    """Draw specification.png: for each figure what was tried, with the limit."""
    figure, grid = panels(1, len(document["alone"]), size=(4.2 * len(document["alone"]), 4.2), squeeze=False)
    what = "loss [points]" if document["limit_is_loss"] else "validation error [%]"
    for axes, found in zip(grid[0], document["alone"], strict=True):
        points = [p for p in found["tried"] if p["value"]]  # the axis is logarithmic, or of bits
        mean = [p["limited"]["mean"] for p in points]
        half = [0.0 if p["limited"]["low"] is None else p["limited"]["mean"] - p["limited"]["low"] for p in points]
        axes.errorbar([p["value"] for p in points], mean, yerr=half, fmt="o-", ms=4, capsize=2)
        axes.axhline(document["limit"], color="grey", lw=0.9, ls=":", label=document["limit_text"])
        axes.set(xlabel=f"{found['name']} [{found['unit']}]", ylabel=what)
        if found["unit"] != "bits":
            axes.set_xscale("log")
        axes.legend(fontsize=7)
        axes.grid(alpha=0.3)
    figure.suptitle(_of(document), fontsize=10)
    whole_files.write(path, picture(figure, DPI))


def _curve(axes: Any, found: Facts, wanted: float) -> None:
    """Draw the error against the leading value of a figure, the best value at the left end."""
    points = [p for p in found["curve"] if p["value"] is not None]
    values = [p["value"] for p in points]
    low = [0.0 if p["low"] is None else p["mean"] - p["low"] for p in points]
    axes.errorbar(values, [p["mean"] for p in points], yerr=low, fmt="o-", ms=4, capsize=2)
    axes.axhline(wanted, color="grey", lw=0.9, ls=":", label=f"wanted: {wanted:.2f} %")
    label = f"{found['label']} [{found['unit']}]"
    axes.set(xlabel="\n(".join(label.split(" (", 1)), ylabel="validation error [%]")
    if min(values) > 0.0 and max(values) / min(values) >= WIDE:
        axes.set_xscale("log")
    axes.legend(fontsize=7)
    axes.grid(alpha=0.3)
