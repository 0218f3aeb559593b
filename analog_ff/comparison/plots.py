"""The pictures of a comparison, each of one thing: error against joules, the amounts, the tornado of the ratios."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analog_ff.output import whole_files
from analog_ff.output.forms import panels, picture
from analog_ff.plain import Facts
from hardware_models.check import counted
from hardware_models.energy.facts.line_currents import NOT_PHYSICAL

AMOUNTS = (
    ("per_update_joule", "o", "per update"),
    ("per_image_joule", "s", "per image inferred"),
    ("to_accuracy_joule", "D", "to {accuracy:g} %"),
)
BARS = 8
"""Quantities of a tornado that are drawn."""
DIGITAL = ("--", ":")
"""Lines of the digital references that are drawn: the first ones."""
LONGEST = 34
"""Letters that the names beside a bar may take."""


def draw_comparison(document: Facts, path: Path) -> None:
    """Draw compare.png: per device, error against joules of learning (bands: 5 to 95 % of the draws of all prices)."""
    from matplotlib.lines import Line2D

    colours = _colours(document)
    figure, line = _a_device_each(document, height=5.0, sharey="row")
    for axes, device in zip(line, document["devices"], strict=True):
        for r in document["rows"]:
            if r["device"] == device["name"]:
                _curve(axes, r, colours[r["learner"]])
        axes.set(xscale="log", yscale="log", xlabel="energy of learning [J]")
        axes.axhline(100.0 - document["accuracy_percent"], color="grey", lw=0.8, ls=":")
    line[0].set_ylabel(f"{document['rows'][0]['error_kind']} error [%]")
    _plain_percent(line[0])
    handles = [Line2D([], [], color=colour, lw=2, label=label) for label, colour in colours.items()]
    accuracy = f"{document['accuracy_percent']:g} % right"
    handles.append(Line2D([], [], color="grey", lw=0.8, ls=":", label=accuracy))
    figure.legend(handles=handles, loc="outside lower center", ncols=4 if len(line) < 3 else 6, fontsize=8)
    _label(figure, document, "Error against joules of learning: lines at median prices, bands 5 to 95 % of the draws")
    whole_files.write(path, picture(figure, dpi=130))


def draw_amounts(document: Facts, path: Path) -> None:
    """Draw amounts.png: per device and learner, energy per update, per image and to an accuracy, with two ranges each."""
    from matplotlib.lines import Line2D

    from analog_ff.comparison.table import MARK

    colours = _colours(document)
    figure, line = _a_device_each(document, height=0.42 * len(colours) + 1.6, sharey="row")
    for axes, device in zip(line, document["devices"], strict=True):
        for place, r in enumerate(r for r in document["rows"] if r["device"] == device["name"]):
            for number, (name, marker, _) in enumerate(AMOUNTS):
                if r[name] is not None and r[name]["nominal"] > 0.0:
                    _amount(axes, r[name], place + 0.25 * (number - 1), marker, colours[r["learner"]])
        axes.set(xscale="log", xlabel="energy [J]")
        for r, style in zip(document["digital"], DIGITAL, strict=False):
            axes.axvline(r["per_update_joule"]["nominal"], color="dimgrey", lw=1.2, ls=style)
    touched = {r["learner"] for r in document["rows"] if r["grounds"]["recalled"]}
    line[0].set_yticks(range(len(colours)), [f"{label} {MARK}" if label in touched else label for label in colours])
    line[0].set(ylim=(len(colours) - 0.4, -0.6), ylabel="learner")
    handles = [Line2D([], [], color="grey", marker=m, ls="", label=name.format(accuracy=document["accuracy_percent"]))
               for _, m, name in AMOUNTS]  # fmt: skip
    handles += [Line2D([], [], color="black", marker="|", ls="", label="nominal prices")]
    handles += [Line2D([], [], color="grey", lw=w, label=label) for w, label in ((3.0, "5 to 95 % of the draws"),
                (0.9, "all prices low to all high"))]  # fmt: skip
    handles += [Line2D([], [], color="dimgrey", lw=1.2, ls=style, label=f"digital per update, {r['name']} {MARK}")
                for r, style in zip(document["digital"], DIGITAL, strict=False)]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8)
    _label(figure, document, f"Energy of each learner; {MARK} includes prices recalled and not read again")
    whole_files.write(path, picture(figure, dpi=130))


def span(found: Facts) -> tuple[float, float]:
    """Return the ends of the thin line of an amount: all prices low to all high, and never less than the draws' range."""
    by = found["by_scenario"]
    return min(by["low"], found["low"], found["nominal"]), max(by["high"], found["high"], found["nominal"])


def _amount(axes: Any, found: Facts, y: float, marker: str, colour: Any) -> None:
    """Draw an amount: a thin line over all prices, a thick one over the draws, the median, the nominal amount."""
    axes.plot(span(found), [y, y], color=colour, lw=0.9)
    axes.plot([found["low"], found["high"]], [y, y], color=colour, lw=3.0, alpha=0.45, solid_capstyle="butt")
    axes.plot([found["median"]], [y], marker, ms=4.5, color=colour)
    axes.plot([found["nominal"]], [y], "|", color="black", ms=7, mew=1.2)


def _colours(document: Facts) -> dict[str, Any]:
    """Return a colour for each learner, in their order."""
    from matplotlib import colormaps

    labels = list(dict.fromkeys(r["learner"] for r in document["rows"]))
    return {label: colormaps["tab10" if len(labels) <= 10 else "tab20"](i) for i, label in enumerate(labels)}


def _a_device_each(document: Facts, *, height: float, sharey: str) -> tuple[Any, Any]:
    """Return a figure with one titled panel a device, and the panels."""
    from analog_ff.comparison.table import overloaded

    devices = document["devices"]
    size = (max(5.2 * len(devices), 8.0), height)
    figure, grid = panels(1, len(devices), size=size, squeeze=False, sharey=sharey, share_x="row")
    for axes, device in zip(grid[0], devices, strict=True):
        axes.set_title(f"{device['name']}, {NOT_PHYSICAL}" if overloaded(device) else device["name"], fontsize=10)
        axes.grid(alpha=0.3)
    return figure, grid[0]


def _curve(axes: Any, r: Facts, colour: Any) -> None:
    """Draw a learner's curve under the median prices; of a final run only the end, with its range."""
    curve, joule = r["curve"], r["curve"]["joule"]
    low, median, high = (joule[name][-1] for name in ("low", "median", "high"))
    bar: list[list[float]] | None = [[max(median - low, 0.0)], [max(high - median, 0.0)]]
    error = r["error_percent"]
    if curve["error_percent"]:
        axes.plot(joule["median"], curve["error_percent"], color=colour, lw=1.6)
        axes.fill_betweenx(curve["error_percent"], joule["low"], joule["high"], color=colour, alpha=0.07, lw=0)
        error, bar = curve["error_percent"][-1], None
    axes.errorbar(
        [median], [error], xerr=bar, yerr=r["error_deviation"], fmt="o", ms=4, color=colour, capsize=2, lw=1.0
    )


def _plain_percent(axes: Any) -> None:
    low, high = axes.get_ylim()
    ticks = [t for t in (0.5, 1, 2, 5, 10, 20, 50, 90) if low <= t <= high]
    axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()


def _label(figure: Any, document: Facts, text: str) -> None:
    """Write the title of the picture, and a line that names the file with its settings."""
    from analog_ff.comparison.table import headline

    made = f"{headline(document)}; mean of {counted(len(document['seeds']), 'seed')}; settings and grounds: compare.md"
    figure.suptitle(f"{text}\n{made}", fontsize=9, ha="left", x=0.01)


def draw_tornado(document: Facts, path: Path) -> None:
    """Draw tornado.png: the ratio per update with each quantity alone at the ends of its range, the others nominal."""
    from analog_ff.comparison.table import MARK

    devices = [d["name"] for d in document["devices"]]
    labels = list(dict.fromkeys(d["learner"] for d in document["differences"]))
    recalled = {name for r in document["rows"] for name in r["grounds"]["recalled"]}
    shown = {(d["device"], d["learner"]): d["per_update"] for d in document["differences"]}
    figure, grid = panels(
        max(len(labels), 1), len(devices), size=(max(5.6 * len(devices), 8.0), 1.6 + 2.5 * max(len(labels), 1)),
        squeeze=False,
    )  # fmt: skip
    for line, label in zip(grid, labels, strict=False):
        for axes, device in zip(line, devices, strict=True):
            found = shown[device, label]
            axes.set_title(f"{device}\n{label} / {document['reference']}", fontsize=8, loc="left")
            if found is None:
                axes.text(0.5, 0.5, "no ratio: one of the two costs nothing", ha="center", transform=axes.transAxes)
                axes.set_axis_off()
                continue
            _bars(axes, found, recalled)
            axes.set_xlabel(f"energy per update of {label} over that of {document['reference']} [1]", fontsize=7)
            axes.set_ylabel("price or figure of the device", fontsize=7)
    _label(
        figure,
        document,
        f"Ratio of energies per update; each quantity alone at its low (blue) and high (red) end; below 1 "
        f"{document['reference']} is dearer; {MARK} a price recalled and not read again",
    )
    whole_files.write(path, picture(figure, dpi=130))


def _bars(axes: Any, found: Facts, recalled: set[str]) -> None:
    from matplotlib.ticker import MaxNLocator

    swings = found["tornado"][:BARS]
    for y, swing in enumerate(swings):
        for end, colour in (("ratio_low", "C0"), ("ratio_high", "C3")):
            axes.barh(y, swing[end] - found["nominal"], left=found["nominal"], color=colour, height=0.7, alpha=0.8)
    axes.set_yticks(range(len(swings)), [_named(s["members"], recalled) for s in swings], fontsize=7)
    axes.invert_yaxis()
    axes.axvline(found["nominal"], color="black", lw=0.8)
    ends = [found["nominal"], *(s[end] for s in swings for end in ("ratio_low", "ratio_high"))]
    margin = 0.06 * (max(ends) - min(ends)) or 0.06 * found["nominal"]
    axes.set_xlim(min(ends) - margin, max(ends) + margin)
    if min(ends) <= 1.0 <= max(ends):
        axes.axvline(1.0, color="grey", lw=1.0, ls=":")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.tick_params(axis="x", labelsize=7)
    axes.grid(axis="x", alpha=0.3)


def _named(members: Sequence[str], recalled: set[str]) -> str:
    """Return the name of a quantity, marked if a price in which it stands was recalled."""
    from analog_ff.comparison.table import MARK

    mark = f" {MARK}" if any(member.startswith(name) for member in members for name in recalled) else ""
    if len(", ".join(members)) > LONGEST:
        return f"{members[0]} and {len(members) - 1} more{mark}"
    return ", ".join(members) + mark
