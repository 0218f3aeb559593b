"""Mortal computation against mismatch: how chips may differ, and what each difference leaves of a network on the next chip."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from other_pages import found_in
from pages import Page, picture

from analog_ff.improvement.page import spread, table
from analog_ff.mortality.page import rows
from analog_ff.mortality.pictures import DPI, halves_of
from analog_ff.mortality.study import ANEW, COPIED, OLD, TUNED
from analog_ff.output import whole_files
from analog_ff.output.forms import panels
from analog_ff.output.forms import picture as drawn
from analog_ff.plain import Document

NAME = "mortal_mismatch"
COMMON = ("--device", "memristor", "--data", "mnist-5k", "--layers", "100,100", "--epochs", "8", "--update", "accumulate-int8",
          "--seed", "10", "--chip-seed", "10", "--seeds", "3", "--queries", "4000", "--no-digital")  # fmt: skip
"""Options that all levels have."""


class Level(NamedTuple):
    """A size of a difference between chips."""

    label: str
    study: str
    options: tuple[str, ...]


NOTHING_LEARNED = 50.0
"""Mean error of a first chip from which on there is no network to hand on [%]; guessing errs 90 %."""
ALIKE = ("--nonlinearity", "relu")
OWN = Level("as in its file", "mismatch_own", ALIKE)
"""The device's own spread, neurons that are all alike, no stuck cells."""
AXES: dict[str, tuple[Level, ...]] = {
    "spread of the cells": (
        Level("none", "mismatch_none", ("--no-device-spread", *ALIKE)),
        OWN,
        Level(
            "six times", "mismatch_spread_6", ("--figure", "step_spread=0.6", "--figure", "bound_spread=0.3", *ALIKE)
        ),
    ),
    "curves of the neurons": (
        OWN._replace(label="all alike"),
        Level("random", "mismatch_random", ("--nonlinearity", "random")),
        Level("random waves", "mismatch_random-waves", ("--nonlinearity", "random-waves")),
    ),
    "stuck cells": (
        OWN._replace(label="none"),
        Level("10 %", "mismatch_stuck_10", ("--stuck-low", "0.05", "--stuck-high", "0.05", *ALIKE)),
        Level("30 %", "mismatch_stuck_30", ("--stuck-low", "0.15", "--stuck-high", "0.15", *ALIKE)),
    ),
}
"""Kind of difference between chips -> its levels, the smallest first."""
STUDIES = {level.study: (*COMMON, *level.options) for levels in AXES.values() for level in levels}
"""Name of a study -> options of `python -m analog_ff mortal`."""


def _paths(found: Document) -> dict[str, Document]:
    """Return the rows of an answer that the table has, by a short name."""
    by = {row["path"]: row for row in rows(found)}
    asked = next(row for row in by.values() if row["queries"])
    return {"first chip": by[OLD], "copied": by[COPIED], "tuned": by[TUNED], "distilled": asked, "anew": by[ANEW]}


def answers() -> dict[str, list[tuple[str, dict[str, Document]]]]:
    """Return for each difference its levels that were run: (label, rows by path)."""
    made = {
        axis: [(level.label, found_in("mortal", f"{level.study}.json")) for level in levels]
        for axis, levels in AXES.items()
    }
    return {axis: [(label, _paths(found)) for label, found in levels if found] for axis, levels in made.items()}


def draw(path: Path) -> None:
    """Draw the picture of the page: a column for each difference, a row for each read-out."""
    every = answers()
    first = next(levels[0][1] for levels in every.values() if levels)
    readouts = list(first["first chip"]["error"])
    figure, grid = panels(
        len(readouts), len(every), size=(4.0 * len(every), 3.4 * len(readouts)), squeeze=False, sharey="row"
    )
    for readout, axes_of in zip(readouts, grid, strict=True):
        for (axis, levels), axes in zip(every.items(), axes_of, strict=True):
            for number, path_name in enumerate(first):
                errors = [paths[path_name]["error"][readout] for _, paths in levels]
                places = [place + 0.05 * (number - 2) for place in range(len(levels))]
                line = "k--" if path_name == "first chip" else "o-"
                axes.errorbar(places, [e["mean"] for e in errors], yerr=halves_of(errors), fmt=line, ms=4, lw=1.0, capsize=2,
                              label=path_name)  # fmt: skip
            axes.set_xticks(range(len(levels)), [label for label, _ in levels])
            axes.set_title(axis, fontsize=10)
            axes.grid(alpha=0.3)
            axes.set_ylim(0.0, 100.0)
        axes_of[0].set_ylabel(f"error [%], {readout}")
    grid[0][0].legend(fontsize=7)
    whole_files.write(path, drawn(figure, DPI))


def mismatch() -> Page | None:
    """Return the page; None before there are answers."""
    every = answers()
    if not all(len(levels) == len(AXES[axis]) for axis, levels in every.items()):
        return None
    first = next(iter(every.values()))[0][1]
    readouts = list(first["first chip"]["error"])
    chips = first["copied"]["chips"]
    body = [
        "Errors on the test part of mnist-5k after each path, two layers of 100 neurons, 8 epochs, with 95 % t intervals over "
        f"{chips} pairs of chips. One difference is changed at a time: the spread of the cells of the memristor (steps and "
        "bounds: none, that of its file, six times), the curves of the neurons (rectifiers, random rising curves, random waves), "
        "and cells that are stuck, half of them low and half of them high, others on each chip. *Tuned* is a copy that learns on "
        "from 500 labelled images; *distilled* is taught by 4000 answers of the first chip, without a label; *anew* learns from "
        "as many labelled images as the first chip. Where the first chip itself errs on more than half of the images, as with "
        "random waves, there is nothing to hand on; the answer above names the largest size without such a chip.",
        "",
        *picture("Errors after each path against the size of each difference", f"{NAME}.png"),
    ]
    for readout in readouts:
        body += [f"Read-out {readout}, error %:", ""]
        lines = [
            [axis, label, *(spread(row["error"][readout]) for row in paths.values()), spread(paths["copied"]["behind"][readout]),
             spread(paths["distilled"]["behind"][readout])]
            for axis, levels in every.items() for label, paths in levels
        ]  # fmt: skip
        heads = ["difference", "size", *first, "copy behind the first chip, points", "distilled behind, points"]
        body += [*table(heads, lines), ""]
    return Page(
        NAME, "Which differences between chips spoil a copied network?", _answer(every, readouts), _command(), body
    )


def _answer(every: dict[str, list[tuple[str, dict[str, Document]]]], readouts: list[str]) -> str:
    """Return the loss of the copy and of the distilled chip at the largest size of each difference at which a chip learns."""
    said = []
    for axis, levels in every.items():
        label, paths = [level for level in levels if _learns(level[1])][-1]
        losses = (
            f"{spread(paths[way]['behind'][r])} ({way}, {r})" for r in readouts for way in ("copied", "distilled")
        )
        said.append(f"{axis}, {label}: {', '.join(losses)}")
    return f"Points behind the first chip, by path and read-out: {'; '.join(said)}."


def _learns(paths: dict[str, Document]) -> bool:
    return all(error["mean"] < NOTHING_LEARNED for error in paths["first chip"]["error"].values())


def _command() -> str:
    return f"`python benchmarks/mortal_campaign.py {' '.join(STUDIES)}`"
