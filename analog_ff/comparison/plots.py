"""The pictures of a comparison: error against joules with the amounts beneath, and the tornado of the ratios."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analog_ff.output import whole_files
from analog_ff.output.forms import panels, picture
from analog_ff.plain import Facts

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
    """Draw compare.png: per device, error against joules of learning (bands: 5 to 95 % of the draws), and three amounts."""
    from matplotlib import colormaps
    from matplotlib.lines import Line2D

    devices = document["devices"]
    labels = list(dict.fromkeys(r["learner"] for r in document["rows"]))
    colours = {label: colormaps["tab10" if len(labels) <= 10 else "tab20"](i) for i, label in enumerate(labels)}
    below = 0.34 * len(labels) + 1.0
    figure, grid = panels(
        2, len(devices), size=(max(5.2 * len(devices), 8.0), 5.4 + below), squeeze=False,
        sharey="row", share_x="row", height_ratios=(4.2, below),
    )  # fmt: skip
    for (curves, amounts), device in zip(grid.T, devices, strict=True):
        for place, r in enumerate(r for r in document["rows"] if r["device"] == device["name"]):
            _curve(curves, r, colours[r["learner"]])
            for number, (name, marker, _) in enumerate(AMOUNTS):
                found = r[name]
                if found is not None and found["nominal"] > 0.0:
                    bar = [[max(found["median"] - found["low"], 0.0)], [max(found["high"] - found["median"], 0.0)]]
                    y = place + 0.24 * (number - 1)
                    amounts.errorbar([found["median"]], [y], xerr=bar, fmt=marker, ms=4.5, capsize=2, lw=1.2,
                                     color=colours[r["learner"]])  # fmt: skip
                    amounts.plot([found["nominal"]], [y], "|", color="black", ms=7, mew=1.2)
        curves.set(xscale="log", yscale="log", xlabel="energy of learning [J]", title=device["name"])
        curves.axhline(100.0 - document["accuracy_percent"], color="grey", lw=0.8, ls=":")
        amounts.set(xscale="log", xlabel="energy [J]")
        for r, style in zip(document["digital"], DIGITAL, strict=False):
            amounts.axvline(r["per_update_joule"]["nominal"], color="dimgrey", lw=1.2, ls=style)
        for axes in (curves, amounts):
            axes.grid(alpha=0.3)
    top, bottom = grid[0, 0], grid[1, 0]
    top.set_ylabel(f"{document['rows'][0]['error_kind']} error [%]")
    _plain_percent(top)
    from analog_ff.comparison.table import MARK

    touched = {r["learner"] for r in document["rows"] if r["grounds"]["recalled"]}
    bottom.set_yticks(range(len(labels)), [f"{label} {MARK}" if label in touched else label for label in labels])
    bottom.set_ylim(len(labels) - 0.4, -0.6)
    handles = [Line2D([], [], color=colours[label], lw=2, label=label) for label in labels]
    handles += [Line2D([], [], color="grey", marker=m, ls="", label=name.format(accuracy=document["accuracy_percent"]))
                for _, m, name in AMOUNTS]  # fmt: skip
    handles += [Line2D([], [], color="black", marker="|", ls="", label="nominal prices")]
    handles += [Line2D([], [], color="dimgrey", lw=1.2, ls=style, label=f"digital per update, {r['name']} {MARK}")
                for r, style in zip(document["digital"], DIGITAL, strict=False)]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=4 if len(devices) < 3 else 6, fontsize=8)
    _label(
        figure,
        document,
        f"lines: median prices, mean of {len(document['seeds'])} seeds; bands and bars: 5 to 95 % of the draws",
    )
    whole_files.write(path, picture(figure, dpi=130))


def _curve(axes: Any, r: Facts, colour: Any) -> None:
    """Draw a learner's curve under the median prices, its end with the range; of a final run there is the end alone."""
    curve, joule = r["curve"], r["curve"]["joule"]
    if curve["error_percent"]:
        axes.plot(joule["median"], curve["error_percent"], color=colour, lw=1.6)
        axes.fill_betweenx(curve["error_percent"], joule["low"], joule["high"], color=colour, alpha=0.07, lw=0)
    error = curve["error_percent"][-1] if curve["error_percent"] else r["error_percent"]
    low, median, high = (joule[name][-1] for name in ("low", "median", "high"))
    bar = [[max(median - low, 0.0)], [max(high - median, 0.0)]]
    axes.errorbar(
        [median], [error], xerr=bar, yerr=r["error_deviation"], fmt="o", ms=4, color=colour, capsize=2, lw=1.0
    )
    axes.plot(joule["nominal"][-1:], [error], "|", color=colour, ms=9, mew=1.6)


def _plain_percent(axes: Any) -> None:
    low, high = axes.get_ylim()
    ticks = [t for t in (0.5, 1, 2, 5, 10, 20, 50, 90) if low <= t <= high]
    axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()


def _label(figure: Any, document: Facts, text: str) -> None:
    """Write over the picture what every figure in it was made with, and mark what rests on recalled prices."""
    from analog_ff.comparison.table import MARK, conditions, device_line, headline

    recalled = sorted({name for r in document["rows"] for name in r["grounds"]["recalled"]})
    marks = f" {MARK} includes prices recalled and not read again: {', '.join(recalled)}." if recalled else ""
    lines = [headline(document), conditions(document)]
    lines += [f"{device['name']}: {device_line(device)}" for device in document["devices"]]
    lines.append(f"{text}.{marks}")
    width = int(figure.get_figwidth() * 15.5)
    wrapped = [part for line in lines for part in textwrap.wrap(line, width)]
    figure.suptitle("\n".join(wrapped), fontsize=8, ha="left", x=0.01)


def draw_tornado(document: Facts, path: Path) -> None:
    """Draw tornado.png: the ratio per update with each quantity alone at the ends of its range, the others nominal."""
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
    _label(
        figure,
        document,
        "ratio of energies per update; each quantity alone at its low (blue) and high (red) end; below 1 {} is dearer".format(
            document["reference"]
        ),
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
    """Return what a quantity is called, marked if a price that it stands in was recalled."""
    from analog_ff.comparison.table import MARK

    mark = f" {MARK}" if any(member.startswith(name) for member in members for name in recalled) else ""
    if len(", ".join(members)) > LONGEST:
        return f"{members[0]} and {len(members) - 1} more{mark}"
    return ", ".join(members) + mark
