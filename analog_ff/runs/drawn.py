"""The whole chip of a run as drawn: its area, and its time, power and power density while it learns and infers."""

from __future__ import annotations

from analog_ff.plain import Document, Facts
from analog_ff.runs import line_groups
from analog_ff.runs.circuit import pairs_of, tile_of
from hardware_models.energy.circuit import Circuit
from hardware_models.energy.components import SCENARIOS
from hardware_models.energy.facts.area import area
from hardware_models.energy.facts.whole import whole
from hardware_models.energy.load import Technology

PHASES = ("learn", "infer")


def _cell(device: Facts) -> str:
    """Return the kind of cell of a device with this description, as technologies name its area."""
    return "3T1C" if device.get("model") == "Capacitor" else str(device.get("access", "1T1R"))


def drawn(
    result: Facts, technology: Technology, circuit: Circuit, joule: Facts, scenario: str = "nominal"
) -> tuple[dict[str, dict[str, float]] | None, Document]:
    """Return the area of each part [m²] at each end of the ranges, and by phase time, power and power density of the whole chip.

    `joule` holds the energy of each phase in all at each end, ``ranged_joule`` of the report. The area is None, and so is a
    phase, where the result or the technology does not tell it.
    """
    shapes, config = result.get("shapes"), result["config"]
    if not shapes:
        return None, dict.fromkeys(PHASES)
    groups = result.get("line_groups") or ()
    counted = {name for events in result["events"].values() for name, count in events.items() if count}
    parts: dict[str, dict[str, float]] = {}
    for end in SCENARIOS:
        at_end = area(
            shapes, technology, tile=tile_of(config), access=result["device"].get("access", "1T1R"), scenario=end,
            adc=config.get("adc") is not None, dac=config.get("dac") is not None, circuit=circuit,
            formats=sorted(name.partition(".")[2] for name in counted if name.startswith("mac.")),
            added_lines=sum(layer["added_word_lines"] for layer in groups),
            further=[_cell(told) for told in result.get("further_arrays", {}).values()], pairs=pairs_of(config),
        )  # fmt: skip
        if at_end is not None:
            parts[end] = at_end
    whole_area = {end: at_end["total"] for end, at_end in parts.items()} or None
    found: Document = {}
    for phase in PHASES:
        by_layer = result.get("events_by_layer", {}).get(phase)
        found[phase] = None if by_layer is None or "integrals_by_layer" not in result else whole(
            by_layer, result["integrals_by_layer"][phase], shapes, technology,
            tile=tile_of(config), circuit=circuit, read_time=result["device"]["t_read"], images=result["images"][phase],
            joule=joule[phase], area=whole_area, steps=line_groups.steps(groups) or None, scenario=scenario,
            pairs=pairs_of(config),
        )  # fmt: skip
    return parts or None, found
