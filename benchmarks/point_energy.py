"""The energies of a stored point: what follows from its counts is computed, the rest is stored.

Counts, integrals and the device's voltages and times of a point are stored; joules by phase and component, their sums and
shares follow from them and the prices of today. Stored are the energies whose counts are not: of one image by read-out, to an
accuracy, of the spiking network.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from hardware_models.energy import load_technology, report
from hardware_models.energy.load import Technology

_technology = cache(load_technology)
UNCOUNTED = ("technology", "technology_sha256", "scenario", "conditions", "per_image_joule")
"""Entries of the report that belong to the run or need counts that no point keeps."""
LEFT_STORED = ("to_accuracy_joule", "per_decision_joule")
"""Energies that the tables show and that keep the prices of the time of their run."""


def prices_of(point: Mapping[str, Any]) -> Technology:
    """Return the prices of today of the technology that a point was run with."""
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
    """Return what a point has to store of its energies: all that its counts do not give again to the bit."""
    again = computed(point)
    return {name: value for name, value in point["energy"].items() if name not in again or again[name] != value}


def whole(point: dict[str, Any]) -> dict[str, Any]:
    """Return a stored point with all of its energies; one that counts none as it is."""
    return {**point, "energy": computed(point) | point["energy"]} if point.get("energy") else point


def dear(point: Mapping[str, Any]) -> bool:
    """Tell whether energies that are stored with a point come from an older technology file than today's."""
    energy = point.get("energy") or {}
    priced = any(value is not None for name in LEFT_STORED for value in _values(energy.get(name)))
    return priced and energy["technology_sha256"] != prices_of(point).sha256


def _values(entry: Any) -> list[Any]:
    return list(entry.values()) if isinstance(entry, Mapping) else [entry]
