"""Energies of a stored point: those that follow from its counts are computed, the others are stored.

Counts, integrals and the device's voltages and times of a point are stored; joules by phase and component, their sums and
shares follow from them and the current prices, and so do those of a spiking network's image and decision. Energies without
stored counts are stored themselves: of one image by read-out, and to an accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from analog_ff.runs.circuit import circuit_of_result
from analog_ff.runs.earlier import as_counted_today
from hardware_models.energy import load_technology, report
from hardware_models.energy.load import Technology

_technology = cache(load_technology)
UNCOUNTED = ("technology", "technology_sha256", "scenario", "conditions", "circuit", "per_image_joule")
"""Entries of the report that belong to the run or need counts that are not stored."""
LEFT_STORED = "to_accuracy_joule"
"""The energy that keeps the prices at the time of its run: the counts of single epochs are not stored."""
SPIKING = {"per_training_image_joule": "learn", "per_decision_joule": "infer"}
"""Energies of a spiking run, each of one image of a phase."""


def prices_of(point: Mapping[str, Any]) -> Technology:
    """Return the current prices of the technology with which a point was run."""
    return _technology(point["config"].get("technology", point["energy"]["technology"]))


def computed(point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the energies that follow from a point's counts."""
    energy = point["energy"]
    conditions = {name: entry["value"] for name, entry in energy["conditions"].items()}
    found = report(
        as_counted_today(point)["events"], point["integrals"], prices_of(point),
        images=point["images"], scenario=energy["scenario"], circuit=circuit_of_result(point), **conditions,
    )  # fmt: skip
    if "encoder" in point["config"]:
        for name, phase in SPIKING.items():
            images = point["images"][phase]
            found[name] = found["total_joule"][phase] / images if images else None
    return {name: value for name, value in found.items() if name not in UNCOUNTED}


def stored(point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the energies that a point must store: all that its counts do not reproduce to the bit."""
    again = computed(point)
    return {name: value for name, value in point["energy"].items() if name not in again or again[name] != value}


def whole(point: dict[str, Any]) -> dict[str, Any]:
    """Return a stored point with all its energies; a point without energies is returned unchanged."""
    if not point.get("energy"):
        return point
    kept = {name: value for name, value in point["energy"].items() if name not in SPIKING}
    return {**point, "energy": computed(point) | kept}


def dear(point: Mapping[str, Any]) -> bool:
    """Tell whether a point's energies to an accuracy come from an older technology file than the current one."""
    energy = point.get("energy") or {}
    priced = any(value is not None for value in (energy.get(LEFT_STORED) or {}).values())
    return priced and energy["technology_sha256"] != prices_of(point).sha256
