"""The report of an ablation: what each effect costs, and the table of its cases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analog_ff.improvement.ablation import FILE, GIVEN, decided, signed
from analog_ff.improvement.page import named, spread
from analog_ff.output.quantities import joules
from analog_ff.plain import Facts
from analog_ff.report import origin, shapes
from analog_ff.report.charts import Bar, Bars
from analog_ff.report.parts import Page, Section, Table, Text, Tile
from analog_ff.report.shapes.ablation import Ablation
from hardware_models.check import counted

WHAT = "the table of an ablation"


def page(folder: Path) -> Page:
    """Return the report of the ablation in a folder; raise UsageError for a damaged ablation.json."""
    place = folder / FILE
    found = shapes.read(place, "ablation", WHAT, Ablation)
    with shapes.fitting(place, WHAT):
        config, seeds = found["config"], found["seeds"]
        rows = {row["case"]: row for row in found["rows"]}
        given = rows.pop(GIVEN)
        kind = "test" if config["split"] == "final" else "validation"
        layers = ", ".join(map(str, config["layers"]))
        means = (
            f"mean of {seeds} paired seeds with 95 % t intervals" if seeds > 1 else "one seed, which has no interval"
        )
        return Page(
            title=f"What each effect costs on {named(config)}",
            subtitle=f"{config['learner']} on {config['data']}; layers {layers}; {counted(config['epochs'], 'epoch')}; {means}",
            tiles=[Tile(f"{kind} error, {GIVEN}", f"{spread(given['error'])} %"), *_most([*rows.values()])],
            sections=[
                Section("costs", "What each effect costs", [_costs([*rows.values()], kind), Text(decided(seeds))]),
                Section("cases", "All cases", [_cases([given, *rows.values()], kind)]),
                origin.of_several(found, "the ablation", origin.earlier(place), [origin.choices(config)]),
            ],
        )


def _most(rows: Sequence[Facts]) -> list[Tile]:
    """Return the cases that lower the error most, at most two of them."""
    first = sorted(rows, key=lambda row: -float(row["costs"]["mean"]))[:2]
    return [Tile(row["case"], f"{spread(row['error'])} %", f"cost {signed(row['costs'])} points") for row in first]


def _costs(rows: Sequence[Facts], kind: str) -> Bars:
    bars = [
        Bar(
            row["case"],
            cost["mean"],
            f"{signed(cost)} points",
            cost["low"],
            cost["high"],
            0 if cost["mean"] >= 0.0 else 1,
        )
        for row in rows
        for cost in [row["costs"]]
    ]
    alt = "Cost of each effect in points of error: " + "; ".join(f"{bar.name} {bar.text}" for bar in bars) + "."
    note = f"Cost: {kind} error {GIVEN} less that of the run. A line through a bar is its interval."
    return Bars("cost of an effect", "cost [points]", bars, alt, note)


def _cases(rows: Sequence[Facts], kind: str) -> Table:
    titles = [
        "run",
        f"{kind} error [%]",
        "cost [points]",
        "cells at a bound [%]",
        "cells worn out [%]",
        "energy of an update",
    ]
    body = [
        [
            row["case"],
            spread(row["error"]),
            "" if row["case"] == GIVEN else signed(row["costs"]),
            _percent(row["share_at_bound"]),
            _percent(row["share_worn"]),
            "" if row["energy_per_update_joule"] is None else joules(row["energy_per_update_joule"]),
        ]
        for row in rows
    ]
    return Table("Cases", titles, body, note="Nobody sees the cells of a sealed chip: their shares are left empty.")


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100.0 * share:.1f}"
