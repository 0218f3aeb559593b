"""The report of a sweep: the error and the energy against its factors, the table of its points, and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analog_ff.output import folders
from analog_ff.plain import Document
from analog_ff.report import origin
from analog_ff.report.charts import COLOURS, Chart, Curve
from analog_ff.report.parts import Code, Page, Part, Section, Table, Text, Tile, missing
from analog_ff.report.shapes.sweep import Swept
from analog_ff.runs.origin import of_several as several
from analog_ff.sweeps.groups import SHOWN, Group, groups, texts, varied
from analog_ff.sweeps.measures import MEASURES, Measure
from analog_ff.sweeps.plots import WIDE, label
from analog_ff.sweeps.points import COMMANDS
from analog_ff.sweeps.progress import line, status
from analog_ff.sweeps.store import DONE, NAME, Store, Stored
from analog_ff.sweeps.sweep_file import ENTRIES, KEPT
from analog_ff.sweeps.table import document
from hardware_models import files
from hardware_models.check import UsageError, counted, shown

MOST = 2000
"""Rows of the table."""
APART = 0.12
"""Distance of two curves where the places of a chart are names, of the distance of two names."""


def page(folder: Path) -> Page:
    """Return the report of the sweep in a folder as far as it has come; raise UsageError for a file that is no store."""
    with Store(folder / NAME, read_only=True) as store:
        points = store.points()
        if not points:
            raise UsageError(
                f"{folder / NAME} holds no point of a sweep, so there is nothing to show; run the sweep with this folder as its "
                "--folder, or take what its tasks have done with --collect."
            )
        for point in points:
            _check(point, f"{shown(str(folder / NAME), 200, quoted=False)}, point {shown(point.key, quoted=False)}")
        found = groups(points)
        made = document(folder.name, found, status(store, None), str(folder))
    state = made["status"]
    rows = _ordered(made["rows"])
    tiles = [Tile("points", f"{state['points']}", line(state))]
    if rows and rows[0]["measures"]["error"] is not None:
        said = ", ".join(f"{name} {value}" for name, value in rows[0]["factors"].items())
        tiles.insert(0, Tile("least error", f"{texts(rows[0]['measures'], 'error')} %", said))
    kept = _kept(folder)
    sections = [_curves(found, points[0].command), _table(found, rows), _failures(state), _origin(kept, points)]
    name, many = f"Sweep {folder.name}", f"{counted(state['points'], 'point')}: {line(state)}"
    title = _title(kept, folder)
    return Page(title or name, f"{name}; {many}" if title else many, tiles, sections)


def _kept(folder: Path) -> str | None:
    """Return the file of the sweep as it was written; None if the folder has none."""
    return files.text(files.contents(folder / KEPT, "sweep file"), folder / KEPT) if folders.has(folder, KEPT) else None


def _title(kept: str | None, folder: Path) -> str:
    """Return the title in the file of the sweep, an empty one if it gives none; raise UsageError for a damaged file."""
    if kept is None:
        return ""
    where = shown(str(folder / KEPT), 200, quoted=False)
    title = files.toml(kept, where, "the file of a sweep").get("title", "")
    holds, right = ENTRIES["title"]
    if title != "" and not holds(title):
        raise UsageError(f"{where}: 'title' should be {right}, got {shown(title)}.")
    return str(title)


def _check(point: Stored, where: str) -> None:
    """Raise UsageError unless a point is one of a command that is known, and a finished one has the result of a run."""
    if point.command not in COMMANDS:
        raise UsageError(f"{where} should be of a command ({', '.join(COMMANDS)}), got {shown(point.command)}.")
    if point.state == DONE:
        files.shaped(point.result, Swept, where)


def _ordered(rows: Sequence[Document]) -> list[Document]:
    """Return the rows with the least error first, those without one last."""
    return sorted(rows, key=lambda row: (row["measures"]["error"] or {"mean": float("inf")})["mean"])


def _curves(found: Sequence[Group], command: str) -> Section:
    """Return the section of charts: each measure of the table against each factor that varies."""
    title, charts = "Results against the factors", []
    for name in varied(found):
        for measure in map(MEASURES.__getitem__, SHOWN):
            if chart := _chart(found, name, measure, command):
                charts.append(chart)
    none: list[Part] = [missing("A chart", "no factor of the sweep has more than one value, or no run has finished")]
    return Section("results", title, charts or none)


def _chart(found: Sequence[Group], name: str, measure: Measure, command: str) -> Chart | None:
    """Return the chart of a measure against a factor: a dot for each group of runs, its mean over the seeds.

    If one other factor varies, and has few values, each of them has a curve.
    """
    shown = [group for group in found if name in group.factors and group.values(measure)]
    if not shown:
        return None
    values = [group.factors[name] for group in shown]
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    names = [] if numbers else [str(value) for value in dict.fromkeys(values)]
    series = _series(shown, [other for other in varied(found) if other != name], measure)
    beside = [0.0 if numbers else APART * (k - 0.5 * (len(series) - 1)) for k in range(len(series))]
    curves = []
    for k, (title, groups_of_one) in enumerate(series.items()):
        x = [float(v) if numbers else names.index(str(v)) + beside[k] for v in (g.factors[name] for g in groups_of_one)]
        curves.append(
            _curve(title, x, [group.row()["measures"][measure.name] for group in groups_of_one], k, joined=numbers)
        )
    means = [y for curve in curves for y in curve.y if y is not None]
    text = f"{measure.label} from {min(means):.3g} to {max(means):.3g} {measure.unit}"
    alt = f"{measure.title} against {label(name, command)} for {len(means)} groups of runs: {text}."
    notes = ["Means over the seeds; a vertical line is the 95 % t interval of a mean."] * any(
        low is not None for curve in curves for low in curve.low
    ) + ["Groups differ in other factors, too: one dot each."] * any(
        len(set(curve.x)) < len(curve.x) for curve in curves
    )
    places = [x for curve in curves for x in curve.x]
    log = numbers and min(places) > 0.0 and max(places) > WIDE * min(places)
    return Chart(
        f"{measure.label} against {name}", label(name, command), measure.title, curves, alt, " ".join(notes), names=names,
        log_x=log, zero=measure.unit == "J",
    )  # fmt: skip


def _series(shown: Sequence[Group], others: Sequence[str], measure: Measure) -> dict[str, list[Group]]:
    """Return the groups of each curve by its name: by the value of the other factor if there is one with few values."""
    found: dict[str, list[Group]] = {}
    for group in shown:
        found.setdefault(
            f"{others[0]} {group.factors.get(others[0], '')}" if len(others) == 1 else measure.label, []
        ).append(group)
    return found if len(found) <= COLOURS else {measure.label: list(shown)}


def _curve(name: str, x: Sequence[float], rows: Sequence[Document], colour: int, *, joined: bool) -> Curve:
    """Return the means of groups over the places x, in rising order, joined by a line where each place has one group."""
    order = sorted(range(len(x)), key=x.__getitem__)
    y, low, high = ([rows[n][end] for n in order] for end in ("mean", "low", "high"))
    joined = joined and len(set(x)) == len(x)
    return Curve(name, [x[n] for n in order], y, colour, marked=True, low=low, high=high, joined=joined)


def _table(found: Sequence[Group], rows: Sequence[Document]) -> Section:
    names = varied(found) or list(dict.fromkeys(name for group in found for name in group.factors))
    body = [
        [
            *(str(row["factors"].get(name, "")) for name in names),
            f"{row['done']}" + (f", {row['failed']} failed" if row["failed"] else ""),
            *(texts(row["measures"], name) for name in SHOWN),
        ]
        for row in rows[:MOST]
    ]
    words = [n for n, name in enumerate(names) if n and any(isinstance(row["factors"].get(name), str) for row in rows)]
    titles = [*names, "runs finished", *(MEASURES[name].title for name in SHOWN)]
    note = "Mean over the seeds +- half of the 95 % t interval of the mean."
    if len(rows) > MOST:
        note += f" {len(rows) - MOST} rows more are left out: sweep --export results.csv writes all of them."
    return Section(
        "table", "All groups of runs, the least error first", [Table("Groups of runs", titles, body, words, note)]
    )


def _origin(kept: str | None, points: Sequence[Stored]) -> Section:
    """Return the section of the sweep's file, with the versions and the inputs of its finished runs."""
    made, more, why = several(point.result for point in points if point.result is not None), list[Part](), ""
    if kept is not None:
        made["command"] = f"python -m analog_ff sweep {KEPT}"
        more = [Text(f"The folder has the file of the sweep, {KEPT}:"), Code(kept.rstrip())]
    else:
        why = f"the folder has no {KEPT}, which a sweep of this version leaves there"
    return origin.of_several(made, "the sweep", why, more, unnoted="no run of the sweep has noted it")


def _failures(state: Document) -> Section:
    rows = [[reason, f"{times}"] for reason, times in state["failures"].items()]
    part: Part = Table("Reasons of failures", ["reason", "points"], rows) if rows else Text("No point has failed.")
    return Section("failures", "What failed", [part])
