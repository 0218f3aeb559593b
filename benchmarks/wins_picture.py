"""The picture of the page `wins_page`: error against the energy of an update, a point a rule, one panel a chip."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from pages import DOCS, picture
from wins_cases import Case, cases
from wins_compared import ENDS, standing

from analog_ff.comparison.pricing import interval
from analog_ff.output import whole_files
from analog_ff.output.forms import panels
from analog_ff.output.forms import picture as drawn

FILE = "wins.png"
PANELS = 6
"""Most panels; the chips with the most rules are drawn."""
WIDE = 3
"""Panels in a row."""


def shown() -> list[str]:
    """Return the lines that show the picture on the page."""
    return [
        *picture("Error against the energy of an update, each rule on its chip", FILE),
        "Errors: mean and 95 % t interval over the seeds. Energies: nominal prices, with the range between all low and all high",
        "ones. Left and below is better. Filled: the Forward-Forward family; open: other rules.", "",
    ]  # fmt: skip


def of_chips(found: Sequence[Case]) -> list[list[Case]]:
    """Return the cases that can be drawn, a list a chip, for the chips on which most rules stand beside each other."""
    chips: dict[Any, list[Case]] = {}
    for case in found:
        if case.energy("nominal") is not None and len(case.errors) > 1:
            chips.setdefault((case.experiment, case.chip), []).append(case)
    both = [some for some in chips.values() if len({case.ours for case in some}) == 2]
    return sorted(both, key=lambda some: -len({case.rule for case in some}))[:PANELS]


def draw() -> None:
    """Draw docs/img/wins.png from the stored results; nothing where no rule stands beside another one."""
    if chips := of_chips(standing(cases())):
        whole_files.write(DOCS / "img" / FILE, drawn(figure_of(chips), dpi=120))


def figure_of(chips: Sequence[Sequence[Case]]) -> Any:
    """Return the figure of the cases of several chips."""
    rows = -(-len(chips) // WIDE)
    figure, axes = panels(rows, min(WIDE, len(chips)), size=(4.3 * min(WIDE, len(chips)), 3.9 * rows), squeeze=False)
    for place in axes.flat[len(chips) :]:
        place.set_visible(False)
    names = dict.fromkeys(name_of(case) for found in chips for case in found)
    colours = {name: f"C{number % 10}" for number, name in enumerate(names)}
    for place, found in zip(axes.flat, chips, strict=False):
        for case in found:
            _point(place, case, colours[name_of(case)])
        place.set(xscale="log", xlabel="energy of an update [J]", ylabel=f"{found[0].judged} error [%]")
        place.set_title(f"{found[0].where}\n({found[0].experiment})", fontsize=9)
        place.set_ylim(bottom=0.0)
        place.grid(alpha=0.3)
    marks = {label: mark for place in axes.flat for mark, label in zip(*place.get_legend_handles_labels(), strict=True)}
    figure.legend(marks.values(), marks.keys(), loc="outside lower center", ncols=WIDE, fontsize=9)
    return figure


def name_of(case: Case) -> str:
    """Return the name of a rule in the picture: its learner, and its update where it is one of the family."""
    parts = [case.learner]
    if case.ours:
        parts.append(str(case.chosen("update")))
        parts += ["pipelined"] if case.chosen("schedule") == "pipelined" else []
        parts += [f"slope {case.chosen('slope')}"] if case.chosen("slope") != "dropped" else []
    return ", ".join(parts)


def _point(place: Any, case: Case, colour: str) -> None:
    low, nominal, high = (case.energy(end) or 0.0 for end in ENDS)
    values = [*case.errors.values()]
    found = interval(values)
    half = found["high"] - found["mean"]
    place.errorbar(
        [nominal], [statistics.fmean(values)], yerr=[half], xerr=[[max(nominal - low, 0.0)], [max(high - nominal, 0.0)]],
        fmt="o" if case.ours else "s", color=colour, mfc=colour if case.ours else "white", ms=6, capsize=3, lw=1,
        label=name_of(case),
    )  # fmt: skip
