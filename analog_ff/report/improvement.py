"""The report of a study of `improve`: what each figure gains, its curves, and the words and tables of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analog_ff.improvement.page import named, specified, spread, summary
from analog_ff.output import folders
from analog_ff.plain import Facts
from analog_ff.report import markdown, origin, shapes
from analog_ff.report.charts import Bar, Bars, Chart, Curve, Level
from analog_ff.report.parts import Page, Section, Tile
from analog_ff.report.shapes.improvement import Improvement, Specification

STUDY, SPECIFICATION = "improve.json", "specification.json"
WIDE = 20.0
"""Ratio of the ends of an axis from which it is logarithmic."""


def page(folder: Path) -> Page:
    """Return the report of the study in a folder, of its specification, or of both; raise UsageError for a damaged file."""
    made = [
        make(folder / name)
        for name, make in ((STUDY, _study), (SPECIFICATION, _specification))
        if folders.has(folder, name)
    ]
    first = made[0]
    more = [
        Section(f"more-{section.key}", section.title, section.parts) for other in made[1:] for section in other.sections
    ]
    return Page(first.title, first.subtitle, [tile for one in made for tile in one.tiles], [*first.sections, *more])


def _study(place: Path) -> Page:
    found = shapes.read(place, "answer", "an answer of improve", Improvement)
    with shapes.fitting(place, "an answer of improve"):
        title, words = markdown.sections(summary(found).splitlines(), "Answer")
        first = found["figures"][0]
        return Page(
            title=title,
            subtitle=_of(found),
            tiles=[
                Tile("validation error, as given", f"{spread(found['as_given'])} %"),
                Tile("with all figures at their best", f"{spread(found['all_best'])} %"),
                Tile("first to improve", first["label"], f"gains {spread(first['gain'])} points"),
            ],
            sections=[_gains(found), *_curves(found), *words, _origin(found, "the study", place)],
        )


def _of(found: Facts) -> str:
    config, seeds = found["config"], len(found["seeds"])
    means = f"mean of {seeds} seeds with 95 % t intervals" if seeds > 1 else "one seed, which has no interval"
    return f"{named(config)}, {config['data']}; {means}"


def _gains(found: Facts) -> Section:
    bars = [
        Bar(f"{figure['rank']}. {figure['label']}", gain["mean"], f"{spread(gain)} points", gain["low"], gain["high"],
            0 if gain["mean"] >= 0.0 else 1)
        for figure in found["figures"] for gain in [figure["gain"]]
    ]  # fmt: skip
    alt = (
        "Gain of each figure alone at its best, in points of error: "
        + "; ".join(f"{b.name} {b.text}" for b in bars)
        + "."
    )
    note = (
        "Gain: error as given less the error with this figure alone at its best. A line through a bar is its interval."
    )
    chart = Bars("What each figure gains alone", "gain [points]", bars, alt, note)
    return Section("gains", "What each figure gains", [chart])


def _curves(found: Facts) -> list[Section]:
    """Return the section of the figures that have a curve, if any has one."""
    charts = [
        _curve(f"{figure['label']} [{figure['unit']}]", points, found["target_error_percent"])
        for figure in found["figures"]
        if len(points := [point for point in figure["curve"] if point["value"] is not None]) > 2
    ]
    return [Section("curves", "Error against the value of a figure", charts)] if charts else []


def _curve(label: str, points: Sequence[Facts], wanted: float) -> Chart:
    points = sorted(points, key=lambda point: float(point["value"]))
    x, y = [point["value"] for point in points], [point["mean"] for point in points]
    ends = ([point["low"] for point in points], [point["high"] for point in points])
    alt = f"Validation error against {label}: {y[0]:.3g} % at {x[0]:.3g}, {y[-1]:.3g} % at {x[-1]:.3g}."
    curve = Curve("validation error", x, y, 0, marked=True, low=ends[0], high=ends[1])
    level = Level(wanted, f"wanted: {wanted:.2f} %")
    return Chart(label, label, "validation error [%]", [curve], alt, levels=[level], log_x=_wide(x), zero=False)


def _wide(values: Sequence[float]) -> bool:
    return min(values) > 0.0 and max(values) > WIDE * min(values)


def _specification(place: Path) -> Page:
    found = shapes.read(place, "answer", "an answer of improve", Specification)
    with shapes.fitting(place, "an answer of improve"):
        title, words = markdown.sections(specified(found).splitlines(), "Worst values allowed")
        what = "loss [points]" if found["limit_is_loss"] else "validation error [%]"
        charts = [_tried(figure, what, found["limit"], found["limit_text"]) for figure in found["alone"]]
        sections = [*words, Section("tried", "What was tried", charts), _origin(found, "the specification", place)]
        return Page(title, _of(found), [Tile("limit", found["limit_text"])], sections)


def _tried(figure: Facts, what: str, limit: float, limit_text: str) -> Chart:
    points = sorted((p for p in figure["tried"] if p["value"]), key=lambda point: float(point["value"]))
    x, y = [p["value"] for p in points], [p["limited"]["mean"] for p in points]
    low, high = [p["limited"]["low"] for p in points], [p["limited"]["high"] for p in points]
    label = f"{figure['name']} [{figure['unit']}]"
    alt = f"{what} against {label}, {len(x)} values that were tried: " + ", ".join(
        f"{b:.3g} at {a:.3g}" for a, b in zip(x, y, strict=True)
    )
    curve = Curve(what, x, y, 0, marked=True, low=low, high=high)
    log = bool(x) and figure["unit"] != "bits" and _wide(x)
    return Chart(figure["name"], label, what, [curve], f"{alt}.", levels=[Level(limit, limit_text)], log_x=log)


def _origin(found: Facts, what: str, place: Path) -> Section:
    return origin.of_several(found, what, origin.earlier(place), [origin.choices(found["config"])])
