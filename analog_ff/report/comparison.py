"""The report of a comparison: the pictures of compare.json above the words and tables of compare.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analog_ff.comparison.table import headline, table
from analog_ff.output.quantities import joules
from analog_ff.plain import Facts
from analog_ff.report import markdown, origin, shapes
from analog_ff.report.charts import Bar, Bars, Chart, Curve, Level
from analog_ff.report.parts import Page, Section, Tile
from analog_ff.report.shapes.comparison import Comparison
from hardware_models.check import counted

NAME = "compare.json"


def page(folder: Path) -> Page:
    """Return the report of the comparison in a folder; raise UsageError for a damaged compare.json."""
    place = folder / NAME
    found = shapes.read(place, "comparison", "a comparison", Comparison)
    with shapes.fitting(place, "a comparison"):
        _, words = markdown.sections(table(found), "Conditions")
        best = min(found["rows"], key=lambda row: row["error_percent"])
        least = min(found["rows"], key=lambda row: row["per_update_joule"]["nominal"])
        return Page(
            title=f"Learners compared: {headline(found)}",
            subtitle=f"{counted(len(found['rows']), 'row')} of {counted(len(found['seeds']), 'seed')}; "
            f"the reference is {found['reference']}",
            tiles=[
                Tile(f"least {best['error_kind']} error", f"{best['error_percent']:.2f} %", _who(best)),
                Tile("least energy per update", joules(least["per_update_joule"]["nominal"]), _who(least)),
            ],
            sections=[_curves(found), _energies(found), *words, _origin(found, place)],
        )


def _who(row: Facts) -> str:
    return f"{row['learner']} on {row['device']}"


def _curves(found: Facts) -> Section:
    """Return the section of the errors against joules of learning, a chart a device."""
    charts = []
    for device in found["devices"]:
        rows = [row for row in found["rows"] if row["device"] == device["name"]]
        curves = [_curve(row, n) for n, row in enumerate(rows)]
        ends = "; ".join(
            f"{row['learner']} {row['error_percent']:.3g} % at {curve.x[-1]:.3g} J"
            for row, curve in zip(rows, curves, strict=True)
        )
        alt = f"{device['name']}: error in percent against joules of learning; at the end {ends}."
        wanted = [Level(100.0 - found["accuracy_percent"], f"{found['accuracy_percent']:g} % right")]
        note = "Joules at the median of the drawn prices; tables below have the ranges."
        what = f"{rows[0]['error_kind']} error [%]"
        charts.append(
            Chart(
                device["name"], "energy of learning [J]", what, curves, alt, note, levels=wanted, log_x=True, log_y=True
            )
        )
    return Section("curves", "Error against energy of learning", charts)


def _curve(row: Facts, colour: int) -> Curve:
    """Return the curve of a learner; of a final run, which measures no errors on the way, its end alone."""
    joule, errors = row["curve"]["joule"]["median"], row["curve"]["error_percent"]
    if not errors:
        joule, errors = joule[-1:], [row["error_percent"]]
    return Curve(row["learner"], joule, errors, colour, marked=True)


def _energies(found: Facts) -> Section:
    """Return the section of the energy of an update, a chart a device."""
    charts = []
    for device in found["devices"]:
        rows = [row for row in found["rows"] if row["device"] == device["name"]]
        bars = [_bar(row["learner"], row["per_update_joule"], n) for n, row in enumerate(rows)]
        bars = [bar for bar in bars if bar.value > 0.0 and bar.low]
        alt = (
            f"{device['name']}: energy of an update by learner: "
            + "; ".join(f"{bar.name} {bar.text}" for bar in bars)
            + "."
        )
        note = "A bar reaches from 5 to 95 % of the draws of all prices, the mark is the nominal energy."
        charts.append(Bars(device["name"], "energy per update [J]", bars, alt, note, log=True, ranges=True))
    return Section("energies", "Energy per update", charts)


def _bar(name: str, amount: Facts, colour: int) -> Bar:
    text = f"{joules(amount['nominal'])} ({joules(amount['low'])} to {joules(amount['high'])})"
    return Bar(name, amount["nominal"], text, amount["low"], amount["high"], colour)


def _origin(found: Facts, place: Path) -> Section:
    choices = origin.choices(_listed(found["common"], found))
    return origin.of_several(found, "the comparison", origin.earlier(place), [choices])


def _listed(common: Facts, found: Facts) -> dict[str, object]:
    devices: Sequence[object] = [device["spec"] for device in found["devices"]]
    learners = list(dict.fromkeys(row["learner"] for row in found["rows"]))
    return {**common, "devices": devices, "learners": learners, "set": found["settings"], "seeds": found["seeds"]}
