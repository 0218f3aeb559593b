"""The object ``energy`` of result.json: joules per update, per image and by component, and the prices behind them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from hardware_models.check import UsageError, positive_int
from hardware_models.energy.circuit import QUOTED, Circuit
from hardware_models.energy.components import SCENARIOS, Conditions
from hardware_models.energy.costs import Integrals, conditions_of, price
from hardware_models.energy.load import Technology
from hardware_models.energy.parts import PARTS, split
from hardware_models.events import Events, Quantity

LARGEST = 3
FREE_PULSES = "the pulses themselves: the device gives no voltage and width for them (v_up, t_up, v_down, t_down)"
"""Entry of ``omitted`` for a device that gives no voltage and width of its pulses."""


def report(
    events: Mapping[str, Mapping[str, int]],
    integrals: Mapping[str, Mapping[str, Quantity]],
    technology: Technology,
    *,
    images: Mapping[str, int],
    read_time: float,
    write_voltage: float,
    read_voltage: float | None = None,
    scenario: str = "nominal",
    readouts: Mapping[str, Events] | None = None,
    circuit: Circuit = QUOTED,
) -> dict[str, Any]:
    """Return the energy of a run as plain numbers, ready for JSON.

    Parameters
    ----------
    events, integrals : mappings by phase
        `Ledger.as_dict()["events"]` and ``["integrals"]``.
    technology, read_time, write_voltage, read_voltage, scenario, circuit
        As in `price`.
    images : {"learn": int, "infer": int}
        Number of images presented; a positive and its negative count as one image.
    readouts : {read-out: Events}, optional
        Events of the inference of all ``images["infer"]`` images, by read-out.

    Returns
    -------
    dict
        ``technology``, ``technology_sha256``, ``scenario``, ``conditions``, ``circuit``; ``per_update_joule`` (phase
        learn by images.learn), ``low_joule`` and ``high_joule``, the same at the ends of all ranges, its split
        ``parts_joule`` {array, converters, digital, memory: {low, nominal, high}}, and ``per_image_joule`` {read-out: joule},
        None where no image was presented;
        ``by_component_joule`` {phase: {component: joule}}, ``total_joule`` {phase: joule}, ``ranged_joule``
        {phase: {low, nominal, high}}, the same at the ends of all ranges, ``largest`` {phase: [[component, share], ...]};
        ``recalled``: components with energy whose price was recalled and not read again in its source; ``static``;
        ``pulses_priced``: whether the pulses of the run took energy, None if there were none; ``omitted``.
    """
    for name in ("learn", "infer"):
        if name not in images:
            raise UsageError(f"the energy report needs images of '{name}', got {sorted(images)}.")
        positive_int("the energy report", f"images.{name}", images[name], 0)

    def priced_at(
        end: str, counted: Mapping[str, Mapping[str, int]], summed: Mapping[str, Integrals]
    ) -> dict[str, dict[str, float]]:
        return price(
            counted, summed, technology, read_time=read_time, write_voltage=write_voltage, read_voltage=read_voltage,
            scenario=end, circuit=circuit,
        )  # fmt: skip

    def joule(what: Events) -> float:
        return math.fsum(priced_at(scenario, {"infer": what.counts}, {"infer": what.integrals})["infer"].values())

    joules = priced_at(scenario, events, integrals)
    at_ends = {end: priced_at(end, events, integrals) for end in SCENARIOS}
    ranged = {phase: {end: math.fsum(at_ends[end][phase].values()) for end in SCENARIOS} for phase in joules}
    learned = ranged.get("learn", dict.fromkeys(SCENARIOS, 0.0))
    parts = {end: split(found.get("learn", {}), circuit) for end, found in at_ends.items()}
    totals = {phase: math.fsum(parts.values()) for phase, parts in joules.items()}
    priced = _pulses_priced(events, integrals)
    return {
        "technology": technology.name,
        "technology_sha256": technology.sha256,
        "scenario": scenario,
        "conditions": _shown(conditions_of(technology, read_time, write_voltage, read_voltage, scenario)),
        "circuit": circuit._asdict(),
        "per_update_joule": _per(totals.get("learn", 0.0), images["learn"]),
        "low_joule": _per(learned["low"], images["learn"]),
        "high_joule": _per(learned["high"], images["learn"]),
        "parts_joule": {
            part: {end: _per(found[part], images["learn"]) for end, found in parts.items()} for part in PARTS
        },
        "per_image_joule": {name: _per(joule(what), images["infer"]) for name, what in (readouts or {}).items()},
        "by_component_joule": joules,
        "total_joule": totals,
        "ranged_joule": ranged,
        "largest": {phase: _largest(parts, totals[phase]) for phase, parts in joules.items()},
        "recalled": _recalled(joules, technology, read_voltage, scenario),
        "static": technology.static_statement,
        "pulses_priced": priced,
        "omitted": [*technology.omits, *([FREE_PULSES] if priced is False else [])],
    }


def _pulses_priced(
    events: Mapping[str, Mapping[str, int]], integrals: Mapping[str, Mapping[str, Quantity]]
) -> bool | None:
    """Tell whether the pulses of a run took energy: V² G t is 0 for a device whose pulses have no voltage or no width."""
    if not any(counts.get("write.selected", 0) for counts in events.values()):
        return None
    return any(phase["write.v2gt"]["value"] > 0.0 for phase in integrals.values() if "write.v2gt" in phase)


def _shown(conditions: Conditions) -> dict[str, Quantity]:
    units = {"read_time": "s", "read_voltage": "V", "write_voltage": "V"}
    return {name: {"value": conditions._asdict()[name], "unit": unit} for name, unit in units.items()}


def _per(joule: float, images: int) -> float | None:
    return joule / images if images else None


def _largest(parts: Mapping[str, float], total: float) -> list[list[str | float]]:
    ranked = sorted(parts.items(), key=lambda part: (-part[1], part[0]))[:LARGEST]
    return [[name, joule / total] for name, joule in ranked if joule > 0.0]


def _recalled(
    joules: Mapping[str, Mapping[str, float]],
    technology: Technology,
    read_voltage: float | None,
    scenario: str,
) -> list[str]:
    used = {name for parts in joules.values() for name, joule in parts.items() if joule > 0.0}
    # The technology's own read voltage matters only to laws with V_read, and only if the device gives no read voltage.
    doubtful_voltage = read_voltage is None and technology.read_voltage.recalled(scenario)
    return sorted(
        name
        for name, component in technology.components.items()
        if name in used and (component.recalled(scenario) or (doubtful_voltage and "V_read" in component.law))
    )
