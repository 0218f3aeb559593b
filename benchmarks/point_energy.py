"""Energies of a stored point: those that follow from its counts are computed, the others are stored.

Counts, integrals and the device's voltages and times of a point are stored; joules by phase and component, their sums and
shares follow from them and the current prices. Energies without stored counts are stored themselves: of one image by read-out,
to an accuracy, and of the spiking network.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from hardware_models.energy import load_technology, report
from hardware_models.energy.load import Technology

_technology = cache(load_technology)
UNCOUNTED = ("technology", "technology_sha256", "scenario", "conditions", "per_image_joule")
"""Entries of the report that belong to the run or need counts that are not stored."""
LEFT_STORED = ("to_accuracy_joule", "per_decision_joule")
"""Energies in the tables that keep the prices at the time of their run."""


def prices_of(point: Mapping[str, Any]) -> Technology:
    """Return the current prices of the technology with which a point was run."""
    return _technology(point["config"].get("technology", point["energy"]["technology"]))


def computed(point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the energies that follow from a point's counts."""
    energy = point["energy"]
    conditions = {name: entry["value"] for name, entry in energy["conditions"].items()}
    found = report(
        point["events"], point["integrals"], prices_of(point),
        images=point["images"], scenario=energy["scenario"], **conditions,
    )  # fmt: skip
    return {name: value for name, value in found.items() if name not in UNCOUNTED}


def stored(point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the energies that a point must store: all that its counts do not reproduce to the bit."""
    again = computed(point)
    return {name: value for name, value in point["energy"].items() if name not in again or again[name] != value}


def whole(point: dict[str, Any]) -> dict[str, Any]:
    """Return a stored point with all its energies; a point without energies is returned unchanged."""
    return {**point, "energy": computed(point) | point["energy"]} if point.get("energy") else point


def dear(point: Mapping[str, Any]) -> bool:
    """Tell whether the energies stored with a point come from an older technology file than the current one."""
    energy = point.get("energy") or {}
    priced = any(value is not None for name in LEFT_STORED for value in _values(energy.get(name)))
    return priced and energy["technology_sha256"] != prices_of(point).sha256


def _values(entry: Any) -> list[Any]:
    return list(entry.values()) if isinstance(entry, Mapping) else [entry]
