"""Pictures of a sweep: a measure against one or two of its factors, mean over the seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from analog_ff.comparison.pricing import interval
from analog_ff.output.forms import panels, picture
from analog_ff.plain import Document
from analog_ff.sweeps.designs import Value
from analog_ff.sweeps.groups import Group
from analog_ff.sweeps.measures import Measure
from analog_ff.sweeps.points import COMMANDS
from hardware_models.check import UsageError, shown
from hardware_models.tables import closest

DPI = 120
WIDE = 20.0
"""Ratio of the largest to the least value from which an axis is logarithmic."""
SERIES = 12
"""Most lines of one picture; more are drawn as a map."""


def draw(found: Sequence[Group], names: Sequence[str], measure: Measure, command: str, title: str, form: str) -> bytes:
    """Return a picture of a measure against one factor, or two: the second gives a line each, or the height of a map.

    Raises UsageError for a factor that the sweep has not, and where no run with it has finished.
    """
    if len(names) not in (1, 2):
        raise UsageError(f"--plot takes one parameter or two, such as adc,dac, got {','.join(names)}.")
    known = list(dict.fromkeys(name for group in found for name in group.factors))
    for name in names:
        if name not in known:
            raise UsageError(
                f"the sweep has no parameter {shown(name)}{closest(name, known)} (it has {', '.join(known) or 'none'})."
            )
    cells = _cells(found, names, measure)
    if not cells:
        raise UsageError(f"no finished run has a value of {measure.label}, so there is nothing to draw.")
    figure, axes = panels(size=(7.0, 4.6))
    labels = [label(name, command) for name in names]
    seconds = list(dict.fromkeys(key[1] for key in cells)) if len(names) == 2 else []
    numeric = all(_number(value) for key in cells for value in key)
    if len(names) == 2 and numeric and len(seconds) > SERIES:
        _map(figure, axes, cells, labels, measure)
    else:
        _lines(axes, cells, labels, measure)
    seeds = max(len(values) for values in cells.values())
    axes.set_title(f"{title}: mean of {_at_most(cells)} runs a point" + (", 95 % interval" if seeds > 1 else ""))
    return picture(figure, DPI, form)


def label(name: str, command: str) -> str:
    """Return the name of a factor for an axis, with the unit of its option."""
    field = next((f for f in fields(COMMANDS[command]) if f.name == name.replace("-", "_")), None)
    unit = "" if field is None else field.metadata.get("unit", "")
    return f"{name} [{unit}]" if unit else name


def _cells(found: Sequence[Group], names: Sequence[str], measure: Measure) -> dict[tuple[Value, ...], list[float]]:
    """Return the values of a measure by those of the factors; runs that differ in other factors are taken together."""
    cells: dict[tuple[Value, ...], list[float]] = {}
    for group in found:
        if all(name in group.factors for name in names) and (values := group.values(measure)):
            cells.setdefault(tuple(group.factors[name] for name in names), []).extend(values)
    return cells


def _number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ordered(values: Sequence[Value]) -> list[Value]:
    """Return different values, numbers in rising order."""
    once = list(dict.fromkeys(values))
    return sorted(once, key=float) if all(map(_number, once)) else once


def _at_most(cells: dict[tuple[Value, ...], list[float]]) -> str:
    counts = sorted({len(values) for values in cells.values()})
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def _lines(axes: Any, cells: dict[tuple[Value, ...], list[float]], labels: Sequence[str], measure: Measure) -> None:
    """Draw a line for each value of the second factor, with the interval of the mean at every point."""
    numeric = all(_number(key[0]) for key in cells)
    firsts = _ordered([key[0] for key in cells])
    place = {value: float(value) if numeric else float(i) for i, value in enumerate(firsts)}
    for rest in [(value,) for value in _ordered([key[1] for key in cells])] if len(labels) == 2 else [()]:
        keys = [(value, *rest) for value in firsts if (value, *rest) in cells]
        means: list[Document] = [interval(cells[key]) for key in keys]
        low = [m["mean"] - (m["mean"] if m["low"] is None else m["low"]) for m in means]
        axes.errorbar(
            [place[key[0]] for key in keys], [m["mean"] for m in means], yerr=low, marker="o", capsize=3,
            label=f"{rest[0]}" if rest else None,
        )  # fmt: skip
    axes.set(xlabel=labels[0], ylabel=measure.title)
    axes.grid(alpha=0.3)
    if numeric:
        _scale(axes.set_xscale, [float(v) for v in firsts])
    else:
        axes.set_xticks(range(len(firsts)), [str(value) for value in firsts], rotation=20, ha="right")
    if len(labels) == 2:
        axes.legend(title=labels[1])


def _map(
    figure: Any, axes: Any, cells: dict[tuple[Value, ...], list[float]], labels: Sequence[str], measure: Measure
) -> None:
    """Draw every point at its place, coloured by the mean."""
    keys = list(cells)
    x, y = ([float(key[i]) for key in keys] for i in (0, 1))
    dots = axes.scatter(
        x, y, c=[interval(cells[key])["mean"] for key in keys], s=60, edgecolors="black", linewidths=0.4
    )
    figure.colorbar(dots, ax=axes, label=measure.title)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    _scale(axes.set_xscale, x)
    _scale(axes.set_yscale, y)


def _scale(set_scale: Any, values: Sequence[float]) -> None:
    if min(values) > 0 and max(values) > WIDE * min(values):
        set_scale("log")
