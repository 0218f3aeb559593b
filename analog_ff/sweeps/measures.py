"""Numbers that a sweep reads off a result: the error, energies, any other number of result.json."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from analog_ff.plain import Document, Facts
from hardware_models.check import UsageError, shown
from hardware_models.tables import closest


class Measure(NamedTuple):
    """A number of a result, with its name on an axis and its unit."""

    name: str
    label: str
    unit: str
    of: Callable[[Facts], float | None]

    @property
    def title(self) -> str:
        """Name with unit."""
        return f"{self.label} [{self.unit}]" if self.unit else self.label


def error(result: Facts, readout: str | None = None) -> float | None:
    """Return the error of a result [%], of the headline's read-out or of another one: that of the test, or of the holdout."""
    for kind in ("test", "validation"):
        found = result.get(f"{kind}_error_percent")
        if found is not None:
            return found if readout is None else result[f"{kind}_error_percent_by_readout"].get(readout)
    return None


def at(result: object, place: str) -> float | None:
    """Return the number at a place such as "energy.per_update_joule"; None if there is none."""
    for name in place.split("."):
        if not isinstance(result, Mapping) or name not in result:
            return None
        result = result[name]
    return result if isinstance(result, int | float) and not isinstance(result, bool) else None


def _placed(name: str, label: str, unit: str, place: str) -> Measure:
    return Measure(name, label, unit, lambda result: at(result, place))


MEASURES: Mapping[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("error", "error", "%", error),
        Measure("error.softmax", "error, softmax read-out", "%", lambda result: error(result, "softmax")),
        Measure("error.energy", "error, energy read-out", "%", lambda result: error(result, "energy")),
        _placed("energy", "energy per update", "J", "energy.per_update_joule"),
        _placed("energy-to-90", "energy to 90 % accuracy", "J", "energy.to_accuracy_joule.90"),
        _placed("pulses", "pulses per cell", "1", "cells.pulses_per_cell"),
        _placed("at-bound", "share of cells at a bound", "1", "cells.share_at_bound"),
        _placed("seconds", "wall time of a run", "s", "wall_seconds"),
    )
}
"""Measures by name; any other number of a result is named by its place in result.json."""


def measure(name: str) -> Measure:
    """Return a measure by its name, or by a place in result.json such as "energy.low_joule"."""
    if name in MEASURES:
        return MEASURES[name]
    if "." not in name:
        raise UsageError(
            f"no measure is called {shown(name)}{closest(name, MEASURES)} (known: {', '.join(MEASURES)}, or a place in "
            "result.json such as energy.low_joule)."
        )
    return _placed(name, name, "", name)


def measured(result: Facts | None) -> Document:
    """Return all measures of a result by name; None stands for one that it has not."""
    return {name: None if result is None else one.of(result) for name, one in MEASURES.items()}
