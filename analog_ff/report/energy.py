"""Sections on energy: its parts and their ranges, phases, distances to physical bounds, the source of every price."""

from __future__ import annotations

from analog_ff.output.quantities import PART_NAMES, joules, of_the_whole, quantity, ranged, readout_in_words
from analog_ff.plain import Document
from analog_ff.report.charts import Bar, Bars, Level
from analog_ff.report.finished import Finished
from analog_ff.report.parts import Part, Section, Table, Text, missing
from hardware_models.check import UsageError
from hardware_models.energy import load_technology
from hardware_models.energy.load import Technology
from hardware_models.units import UNITS

MOST = 12
"""Components that the chart of distances shows."""
PHASES = {"program": "programming", "learn": "learning", "monitor": "looking at errors", "infer": "final test"}
"""Phase of a run -> what it is."""


def energy(run: Finished) -> Section:
    """Return the section of the energy."""
    title, found = "Energy", run.account
    if found is None:
        return Section("energy", title, [missing("The energy of the run", run.unpriced)])
    learned = {"nominal": found["per_update_joule"], "low": found["low_joule"], "high": found["high_joule"]}
    images = ", ".join(f"{joules(v)}{_by(n)}" for n, v in found["per_image_joule"].items())
    parts: list[Part] = [
        Text(
            f"Prices of technology {found['technology']}. Learning costs {ranged(learned)} an image and an image of the "
            f"test costs {images}. Ranges are those of all prices at their low and at their high ends, at the counts of this run."
        ),
        _parts(found),
    ]
    if distances := _distances(found):
        parts.append(distances)
    parts += [_phases(found), _components(found)]
    if chip := found["chip"].get("learn"):
        rows = [[name.strip(), " ".join(value.split())] for name, value in of_the_whole(chip).values()]
        parts.append(Table("The whole chip while it learns", ["quantity", "value"], rows, (1,)))
    if found["static"]:
        parts.append(Text(f"{found['static'][0].upper()}{found['static'][1:]}."))
    if found["omitted"]:
        parts.append(Text(f"Not priced: {'; '.join(found['omitted'])}."))
    return Section("energy", title, parts)


def _by(readout: str) -> str:
    """Return the words that name a read-out; none where the account has one entry for all read-outs together."""
    return "" if readout == "all" else f" by the {readout_in_words(readout)}"


def _parts(found: Document) -> Bars:
    rows = [
        Bar(PART_NAMES[part], amounts["nominal"], ranged(amounts), amounts["low"], amounts["high"], n)
        for n, (part, amounts) in enumerate(found["parts_joule"].items())
        if amounts["nominal"] and amounts["low"]
    ]
    alt = (
        "Energy of learning an image by part, nominal with its range: "
        + "; ".join(f"{r.name} {r.text}" for r in rows)
        + "."
    )
    note = "A bar reaches from the low to the high end of all prices, the mark on it is the nominal energy."
    return Bars("Energy of learning an image, by part", "energy [J]", rows, alt, note, log=True, ranges=True)


def _distances(found: Document) -> Bars | None:
    """Return the distance of each component's energy of learning from its physical bound, the nearest first."""
    far = found["distance_to_limit"].get("learn", {})
    rows = sorted((one["times"], name) for name, one in far.items())[:MOST]
    if not rows:
        return None
    bars = [Bar(name, times, f"{times:.3g} times", colour=4) for times, name in rows]
    alt = "Energy of learning over its physical bound: " + "; ".join(f"{b.name} {b.text}" for b in bars) + "."
    note = (
        "Bounds: sampling noise (kT/C) for converters, Johnson noise for integrators, Landauer's bound for decisions and "
        "words."
    )
    levels = [Level(1.0, "physical bound")]
    return Bars("Distance to physical limits", "energy over its bound [1]", bars, alt, note, log=True, levels=levels)


def _phases(found: Document) -> Table:
    rows = [
        [PHASES.get(phase, phase), joules(amounts["nominal"]), joules(amounts["low"]), joules(amounts["high"])]
        for phase, amounts in found["ranged_joule"].items()
        if amounts["nominal"]
    ]
    return Table("Energy of the whole run, by phase", ["phase", "nominal", "low", "high"], rows)


def _components(found: Document) -> Table:
    phases = [phase for phase, total in found["total_joule"].items() if total]
    by = found["by_component_joule"]
    sums = {name: sum(by[phase].get(name, 0.0) for phase in phases) for phase in phases for name in by[phase]}
    rows = []
    for name in sorted((n for n, joule in sums.items() if joule), key=lambda n: (-sums[n], n)):
        far = [found["distance_to_limit"][p][name]["times"] for p in phases if name in found["distance_to_limit"][p]]
        mark = " *" if name in found["recalled"] else ""
        amounts = [joules(by[p][name]) if by[p].get(name) else "-" for p in phases]
        rows.append([name + mark, *amounts, f"{min(far):.3g}" if far else "-"])
    note = "* A price that was recalled and not read again in its source." if found["recalled"] else ""
    titles = ["component", *(PHASES.get(p, p) for p in phases), "times its physical bound"]
    return Table("Energy by component", titles, rows, note=note)


def prices(run: Finished) -> Section:
    """Return the section of the prices: each with its range, its kind and its source."""
    title = "Sources of the prices"
    try:
        technology = load_technology(run.result["config"]["technology"])
    except UsageError as error:
        return Section("prices", title, [missing("The list of prices", str(error).rstrip("."))])
    parts: list[Part] = []
    if technology.sha256 != run.result.get("energy", {}).get("technology_sha256", technology.sha256):
        parts.append(
            Text(
                "The prices have changed since the run: this page shows those of today, result.json has those of the run."
            )
        )
    used = {
        name for by in (run.account or {}).get("by_component_joule", {}).values() for name, joule in by.items() if joule
    }
    rows = {name: _prices(technology, name) for name in technology.components}
    mine = [row for name in rows if name in used for row in rows[name]]
    others = [row for name in rows if name not in used for row in rows[name]]
    titles = ["price", "law", "low", "nominal", "high", "kind", "status", "source"]
    parts += [
        Table("Prices that this run used", titles, mine, (1, 5, 6, 7)),
        Table("Other prices of the technology", titles, others, (1, 5, 6, 7), folded=True),
        Table(
            "Sources",
            ["key", "title", "place"],
            [_source(key, dict(of)) for key, of in technology.sources.items()],
            (1, 2),
        ),
    ]
    return Section("prices", title, parts)


def _prices(technology: Technology, name: str) -> list[list[str]]:
    """Return a row for each figure of a component's price."""
    component = technology.components[name]
    if component.carried_by:
        return [[name, f"carried by {component.carried_by}", "-", "-", "-", "-", "-", "-"]]
    rows = []
    for figure_name, figure in component.figures.items():
        label = name if len(component.figures) == 1 else f"{name}: {figure_name}"
        unit = _unit(figure.dimension)
        values = [quantity(value, unit, most="") if unit else f"{value:.4g}" for value in figure.values]
        rows.append(
            [label, component.law, *values, figure.kind, " / ".join(dict.fromkeys(figure.statuses)),
             ", ".join(dict.fromkeys(figure.sources))]
        )  # fmt: skip
    return rows


def _unit(dimension: str) -> str:
    """Return the SI unit of a dimension; "" for a number."""
    return next((unit for unit, (factor, of) in UNITS.items() if of == dimension and factor == 1.0 and unit != "1"), "")


def _source(key: str, of: Document) -> list[str]:
    places = [
        f"doi:{of['doi']}" if name == "doi" else str(of[name]) for name in ("doi", "url", "path", "basis") if name in of
    ]
    return [key, str(of.get("title", "")), "; ".join(places) or "-"]
