"""The report of a study of mortal computation: errors of all paths, generations, the life of a chip, energies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analog_ff.improvement.page import spread
from analog_ff.mortality.page import generations, lives, prices, rows
from analog_ff.mortality.page import page as answer
from analog_ff.mortality.study import ANEW, COPIED, NAME, OLD
from analog_ff.output.quantities import joules
from analog_ff.plain import Document, Facts
from analog_ff.report import markdown, origin, shapes
from analog_ff.report.charts import Bar, Bars, Chart, Curve, Level
from analog_ff.report.parts import Page, Part, Section, Tile, missing
from analog_ff.report.shapes.mortality import Mortality
from hardware_models.check import UsageError, counted, shown

ERROR = "error [%]"
WHAT = "the answer of a study"


def page(folder: Path) -> Page:
    """Return the report of the study in a folder; raise UsageError for a damaged mortal.json, and for one without all paths."""
    place = folder / NAME
    found = shapes.read(place, "answer of a study", WHAT, Mortality, earlier=True)
    if not any(ANEW in paths for paths in found["walked"].values()):
        raise UsageError(
            f"{shown(str(place), 200, quoted=False)} holds a study that has just begun: the same command of mortal goes on with "
            "it, and writes its report at the end."
        )
    with shapes.fitting(place, WHAT):
        title, words = markdown.sections(answer(found).splitlines(), "Errors")
        made = rows(found)
        readouts = list(made[0]["error"])
        chips = f"{counted(made[-1]['chips'], 'further chip')} of {counted(made[0]['chips'], 'first chip')}"
        drawn = (
            Section("paths", "Error after each path", [_paths(made, r) for r in readouts]),
            Section("queries", "Error against the number of queries", _queries(made, readouts)),
            Section("generations", "Error from generation to generation", _generations(generations(found), readouts)),
            Section("life", "Error in the life of a chip", _life(found)),
            Section("energy", "Energy of each further chip", _energies(prices(found))),
        )
        return Page(
            title=title,
            subtitle=f"{found['config']['data']}; {chips}",
            tiles=_tiles(made, found["config"]["readout"]),
            sections=[*(section for section in drawn if section.parts), *words, _origin(found, place)],
        )


def _tiles(made: Sequence[Facts], readout: str) -> list[Tile]:
    """Return the errors of the first chip, of its copy, of the best pupil and of a chip that learned anew."""
    by = {row["path"]: row for row in made if readout in row["error"]}
    pupils = [row for row in by.values() if row["queries"]]
    best = min(pupils, key=lambda row: float(row["error"][readout]["mean"]), default=None)
    shown = [(by.get(OLD), ""), (by.get(COPIED), ""), (best, f", best of {len(pupils)} by queries"), (by.get(ANEW), "")]
    return [
        Tile(row["path"], f"{spread(row['error'][readout])} %", f"read-out {readout}{note}")
        for row, note in shown
        if row is not None
    ]


def _paths(made: Sequence[Facts], readout: str) -> Bars:
    several = [(row["path"], row["error"][readout]) for row in made if readout in row["error"]]
    bars = [
        Bar(name, error["mean"], f"{spread(error)} %", error["low"], error["high"], 0 if name == OLD else 1)
        for name, error in several
    ]
    alt = f"Error by the read-out {readout}: " + "; ".join(f"{bar.name} {bar.text}" for bar in bars) + "."
    first = [Level(error["mean"], OLD) for name, error in several if name == OLD]
    note = "A line through a bar is the 95 % interval; a single chip has none."
    return Bars(f"read-out {readout}", ERROR, bars, alt, note, levels=first)


def _queries(made: Sequence[Facts], readouts: Sequence[str]) -> list[Part]:
    """Return a chart for each read-out, a curve for each kind of query; none where one number of queries was tried."""
    kinds: dict[str, list[Facts]] = {}
    for row in sorted((row for row in made if row["queries"]), key=lambda row: int(row["queries"])):
        kinds.setdefault(row["path"].rpartition(", ")[2], []).append(row)
    if max(map(len, kinds.values()), default=0) < 2:
        return []
    first = next(row["error"] for row in made if row["path"] == OLD)
    return [
        Chart(
            f"read-out {readout}",
            "queries [images]",
            ERROR,
            curves := [
                _curve(kind, [row["queries"] for row in several], [row["error"][readout] for row in several], n)
                for n, (kind, several) in enumerate(kinds.items())
            ],
            _told(f"Error by the read-out {readout} against the images that the first chip was asked about", curves),
            levels=[Level(first[readout]["mean"], OLD)],
            log_x=True,
        )
        for readout in readouts
    ]


def _generations(chain: Sequence[Facts], readouts: Sequence[str]) -> list[Part]:
    return [
        Chart(
            f"read-out {readout}",
            "generation",
            ERROR,
            curves := [_curve("taught by the one before", numbers, [row["error"][readout] for row in chain], 0)],
            _told(f"Error by the read-out {readout} against the generation", curves),
            names=[str(number) for number in numbers],
        )
        for readout in readouts
        if (numbers := [row["generation"] for row in chain])
    ]


def _life(found: Document) -> list[Part]:
    """Return a chart for each read-out, a curve for each way of care."""
    made = lives(found)
    if not made:
        return []
    *_, life = found["lives"].values()
    return [
        Chart(
            f"read-out {readout}",
            "days after learning",
            ERROR,
            curves := [_curve(row["care"], life["days"], row["error"][readout], n) for n, row in enumerate(made)],
            _told(f"Error by the read-out {readout} against days after learning", curves),
        )
        for readout in made[0]["error"]
    ]


def _energies(made: Sequence[Facts]) -> list[Part]:
    bars = [Bar(row["path"], row["each"], joules(row["each"]), colour=2) for row in made]
    if min(bar.value for bar in bars) <= 0.0:
        return [missing("A chart of the energies", "a path takes no energy, for which a logarithmic axis has no place")]
    alt = "Energy that each further chip takes: " + "; ".join(f"{bar.name} {bar.text}" for bar in bars) + "."
    note = "What is spent once, before any chip of the series, is not in it; the table below has both."
    anew = [Level(made[0]["each"] / made[0]["share_of_anew"], ANEW)]
    return [Bars("a further chip", "energy [J]", bars, alt, note, log=True, levels=anew)]


def _curve(name: str, x: Sequence[float], errors: Sequence[Facts], colour: int) -> Curve:
    low, high = ([error[end] for error in errors] for end in ("low", "high"))
    return Curve(name, x, [error["mean"] for error in errors], colour, marked=True, low=low, high=high)


def _told(what: str, curves: Sequence[Curve]) -> str:
    """Return a chart in words: the first and the last value of each curve."""
    ends = (
        f"{curve.name} {curve.y[0]:.3g} % at {curve.x[0]:g}, {curve.y[-1]:.3g} % at {curve.x[-1]:g}" for curve in curves
    )
    return f"{what}: {'; '.join(ends)}."


def _origin(found: Facts, place: Path) -> Section:
    return origin.of_several(found, "the study", origin.earlier(place), [origin.choices(found["config"])])
