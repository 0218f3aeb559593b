"""The energy account of a run from its result.json alone: priced again with any technology, without training again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analog_ff.plain import Document, Facts
from analog_ff.runs.circuit import circuit_of_result, pairs_of, tile_of
from analog_ff.runs.deploy import joule_of
from analog_ff.runs.drawn import drawn
from analog_ff.runs.earlier import as_counted_today
from analog_ff.runs.results import device_conditions, plain
from analog_ff.updates import UPDATES
from hardware_models.energy import load_technology, price, report
from hardware_models.energy.facts.distances import distances, full_scale
from hardware_models.energy.facts.latency import latency
from hardware_models.energy.facts.line_currents import line_currents
from hardware_models.energy.facts.throughput import operations_per_joule
from hardware_models.energy.facts.wear import wear
from hardware_models.energy.load import CONVERTERS
from hardware_models.events import Events


def account(result: Facts, technology: str, scenario: str = "nominal") -> Document:
    """Return the energy account of a run, ready for JSON.

    Parameters
    ----------
    result : mapping
        The result that `result_file.read_run` returns; runs of earlier versions lack some of it.
    technology : str
        A name or a file, as `load_technology` takes it.
    scenario : "low", "nominal" or "high".

    Returns
    -------
    dict
        The report of `hardware_models.energy.report`, and ``by_layer_joule`` {phase: {layer: {component: joule}}} (with
        ``by_layer_note`` where the run kept only the sums of its integrals), ``distance_to_limit`` {phase: ...},
        ``full_scale_read``, ``latency`` {phase: ...} and ``chip_seconds`` {phase: ...}, ``conversions_per_image`` {phase:
        {adc, dac: mean over the read-outs}}, ``area_m2`` by part,
        ``ranged_area_m2`` {low, nominal, high: of the whole}, ``operations_per_joule`` {read-out: ...}, ``chip`` {phase:
        time, power and power density of the whole, each at the scenario's end of its own range, and their ``ranges``}, ``wear``,
        ``deployed_joule`` {phase: {component: joule}} of the chip that was written, and the currents from `line_currents`; None
        where the run does not hold the numbers for it.

    Raises
    ------
    UsageError
        For an unknown technology or scenario, an event without a price, a component below its physical limit.
    """
    result = as_counted_today(result)
    prices = load_technology(technology)
    device, config, shapes = result["device"], result["config"], result["shapes"]
    given: Document = {**device_conditions(device), "scenario": scenario, "circuit": circuit_of_result(result)}
    readouts = {
        name: Events(counts, result["integrals_by_readout"][name])
        for name, counts in result.get("events_by_readout", {}).items()
    }
    images = dict(result["images"])
    if readouts:
        images["infer"] //= len(readouts)
    else:  # earlier versions kept the sum of all read-outs
        whole = {name: amount["value"] for name, amount in result["integrals"]["infer"].items()}
        readouts = {"all": Events(result["events"]["infer"], whole)}
    made = report(result["events"], result["integrals"], prices, images=images, readouts=readouts, **given)
    joules = made["by_component_joule"]
    layers = {
        phase: price(by_layer, result.get("integrals_by_layer", {}).get(phase, {}), prices, **given)
        for phase, by_layer in result.get("events_by_layer", {}).items()
    }
    tile = tile_of(config)
    seconds = {phase: parts["time"]["value"] for phase, parts in result["integrals"].items()}
    clock = {
        phase: latency(result.get("integrals_by_layer", {}).get(phase, {}), images_of_phase)
        for phase, images_of_phase in (("learn", result["images"]["learn"]), ("infer", result["images"]["infer"]))
    }
    parts, chip = drawn(result, prices, given["circuit"], made["ranged_joule"], scenario)
    found = {
        **made,
        "run": {k: config.get(k) for k in ("device", "learner", "update", "data", "layers", "epochs", "seed")},
        "images": dict(result["images"]),
        "by_layer_joule": layers,
        "by_layer_note": "" if "integrals_by_layer" in result else "counted events alone: integrals were kept in all",
        "distance_to_limit": {p: distances(result["events"][p], joules[p], prices) for p in joules},
        "full_scale_read": _full_scale(result, prices, shapes, tile),
        "latency": clock,
        "chip_seconds": seconds,
        "conversions_per_image": {p: _conversions(result["events"][p], n) for p, n in result["images"].items()},
        "operations_per_joule": _operations(readouts, made["per_image_joule"], images["infer"], pairs_of(config)),
        "area_m2": None if parts is None else parts[scenario],
        "ranged_area_m2": None if parts is None else {end: at_end["total"] for end, at_end in parts.items()},
        "chip": chip,
        "wear": None,
        "line_currents": None,
        "deployed_joule": None,
    }
    if "events" in (written := result.get("deployed") or {}):  # earlier versions booked no writing
        found["deployed_joule"] = joule_of(written, prices, given["circuit"], scenario)
    if shapes is not None:
        selected = sum(events.get("write.selected", 0) for events in result["events"].values())
        looked = (result.get("cells") or {}).get("layers")
        most = max((layer["pulses_max"] for layer in looked if "pulses_max" in layer), default=None) if looked else None
        found["wear"] = wear(selected, sum(2 * pairs_of(config) * n * m for n, m in shapes), device, most)
        row = UPDATES.get(str(config.get("update")))
        found["line_currents"] = line_currents(
            shapes, tile, device, prices, rows_together=row is not None and row.rows_together,
            groups=result.get("line_groups"), access_transistor=config.get("access_transistor", False),
            pairs=pairs_of(config),
        )  # fmt: skip
    shown: Document = plain(found)
    return shown


def _conversions(counts: Mapping[str, int], images: int) -> dict[str, float]:
    """Return the conversions per image of the converters of each kind that convert at all, of all widths in bits together."""
    sums = {kind: sum(n for name, n in counts.items() if name.startswith(f"{kind}.")) for kind in CONVERTERS}
    return {kind: number / images for kind, number in sums.items() if number and images}


def _operations(readouts: Mapping[str, Events], joule: Facts, images: int, pairs: int) -> dict[str, float | None]:
    """Return operations a joule of inference, by read-out; None where nothing was read."""
    return {
        name: None if joule[name] is None else operations_per_joule(what.counts, joule[name] * images, pairs)
        for name, what in readouts.items()
    }


def _full_scale(result: Facts, prices: Any, shapes: Any, tile: Any) -> dict[str, float] | None:
    """Return the distance of a full-scale read, for the converter that the run used most; None without one."""
    counted: dict[int, int] = {}
    for events in result["events"].values():
        for name, count in events.items():
            family, _, bits = name.partition(".")
            if family == CONVERTERS[1] and count:
                counted[int(bits)] = counted.get(int(bits), 0) + count
    if shapes is None or not counted:
        return None
    rows = max(min(n, tile[0]) for n, _ in shapes)
    return full_scale(result["device"], rows, max(counted, key=lambda bits: counted[bits]), prices)
