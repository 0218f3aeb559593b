"""The runs of one choice of values together: mean over the seeds, with the interval of the mean."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from analog_ff.comparison.pricing import interval
from analog_ff.plain import Document, Facts
from analog_ff.sweeps.designs import Value
from analog_ff.sweeps.measures import MEASURES, Measure
from analog_ff.sweeps.store import DONE, FAILED, STATES, Stored
from analog_ff.sweeps.sweep import SEEDS

SHOWN = ("error", "energy")
"""Measures of the table."""


class Group(NamedTuple):
    """Points that differ in their seeds alone."""

    factors: Facts  # what they have in common, without the seeds
    points: Sequence[Stored]

    def values(self, measure: Measure) -> list[float]:
        """Return a measure of the finished runs."""
        found = (measure.of(p.result) for p in self.points if p.result is not None)
        return [value for value in found if value is not None]

    def row(self) -> Document:
        """Return the group as a line of the sweep's table: factors, counts by state, mean, interval and n of each measure."""
        counts = {state: sum(p.state == state for p in self.points) for state in STATES}
        means = {name: interval(v) if (v := self.values(one)) else None for name, one in MEASURES.items()}
        failed = [p.reason for p in self.points if p.state == FAILED]
        return {
            "factors": dict(self.factors),
            **counts,
            "measures": means,
            "failures": sorted({str(r) for r in failed}),
        }


def groups(points: Sequence[Stored]) -> list[Group]:
    """Return the points in groups, in the order of their first points."""
    found: dict[str, Group] = {}
    for point in points:
        factors = {name: value for name, value in point.factors.items() if name not in SEEDS}
        group = found.setdefault(json.dumps(factors, sort_keys=True), Group(factors, []))
        found[json.dumps(factors, sort_keys=True)] = Group(factors, [*group.points, point])
    return list(found.values())


def along(found: Sequence[Group], name: str) -> dict[Value, list[Stored]]:
    """Return the finished points of groups by their value of one factor, in rising order where values are numbers."""
    by_value: dict[Value, list[Stored]] = {}
    for group in found:
        if name in group.factors:
            by_value.setdefault(group.factors[name], []).extend(p for p in group.points if p.state == DONE)
    numbers = all(isinstance(value, int | float) for value in by_value)
    return dict(sorted(by_value.items(), key=lambda pair: float(pair[0]))) if numbers else by_value


def varied(found: Sequence[Group]) -> list[str]:
    """Return the factors that have more than one value."""
    values: dict[str, set[str]] = {}
    for group in found:
        for name, value in group.factors.items():
            values.setdefault(name, set()).add(repr(value))
    return [name for name, several in values.items() if len(several) > 1]


def texts(row: Mapping[str, Document | None], name: str) -> str:
    """Return mean and interval of a measure as text, such as "4.67 +- 0.32"."""
    found = row[name]
    if found is None:
        return "-"
    half = "" if found["low"] is None else f" +- {(found['high'] - found['low']) / 2:.2g}"
    return f"{found['mean']:.4g}{half}"
