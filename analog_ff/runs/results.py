"""The result of a run: result.json (schema 1), and the table a person reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analog_ff.config.config import Config
from analog_ff.output import whole_files
from analog_ff.output.forms import document
from analog_ff.plain import Document
from analog_ff.runs.circuit import circuit_of
from analog_ff.runs.drawn import drawn
from analog_ff.runs.notes import notes_on
from analog_ff.runs.stored import RESULT, SCHEMA
from analog_ff.runs.train import Run
from analog_ff.updates import UPDATES
from hardware_models.events import Ledger

ACCURACIES = (80, 90, 95)
UNIFORM_VARIANCE = 1.0 / 12.0
"""Variance, in units of the range squared, of a cell that may be anywhere in its range."""


def conditions(config: Config, device: Document, shapes: Sequence[Sequence[int]], classes: int) -> Document:
    """Return the conditions for pricing a run: technology, voltages and times of the device, and the circuit."""
    from hardware_models.energy import load_technology

    circuit = circuit_of(config.as_dict(), shapes, device, classes)
    return {"technology": load_technology(config.technology), **device_conditions(device), "circuit": circuit}


def device_conditions(device: Document) -> dict[str, float]:
    """Return the device's voltages [V] and read time [s] as `price` takes them, from its description."""
    return {
        "read_time": device["t_read"],
        "write_voltage": max(device["v_up"], device["v_down"]),
        "read_voltage": device["v_read"],
    }


def learn_joule(ledger: Ledger, conditions: Document) -> float:
    """Return the energy of phase learn so far [J]."""
    return phase_joule(ledger, "learn", conditions)


def phase_joule(ledger: Ledger, phase: str, conditions: Document) -> float:
    """Return the energy of a phase of a ledger [J] under the `conditions` of a run."""
    from hardware_models.energy import price

    booked = ledger.phase(phase).total()
    return sum(price({phase: booked.counts}, {phase: booked.integrals}, **conditions)[phase].values())


def memory_left(pulses_per_device: float, cycle_noise: float) -> float:
    """Return the share of the written information that a cell keeps after the noise of its pulses, 0 to 1.

    The noise of P pulses has the variance P sigma² (in units of the range squared) as long as the bounds are far; a
    cell that has forgotten everything is uniform over its range, variance 1/12. The share left is 1 - 12 P sigma²,
    at least 0.
    """
    return max(0.0, 1.0 - pulses_per_device * cycle_noise**2 / UNIFORM_VARIANCE)


def collect(
    run: Run,
    errors: dict[str, float],
    tallies: Document,
    device: Document,
    known: Document,
    wall: float,
    further: Document = {},
) -> Document:
    """Return the result of a finished run as plain values; numbers or null, never NaN.

    `known` holds the `conditions` from when the run was built, and `further` the descriptions of the devices of its further
    arrays: a file that was edited since must not price it.
    """
    from hardware_models.energy import report
    from hardware_models.energy.facts.line_currents import line_currents

    config = run.config
    ledger = run.ledger.as_dict()
    images = {"learn": run.images, "infer": len(run.data.x_test)}
    readouts = {name: tally.total() for name, tally in tallies.items()}
    energy = report(ledger["events"], ledger["integrals"], images=images, readouts=readouts, **known)
    rows_together = UPDATES[config.update].rows_together
    groups = run.port.line_groups() if config.line_groups == "auto" else None
    lines = line_currents(
        run.port.shapes, config.tile, device, known["technology"], rows_together=rows_together, groups=groups,
        access_transistor=config.access_transistor, pairs=config.pairs,
    )  # fmt: skip
    sizes = [n * m for n, m in run.port.shapes]
    weights = sum(sizes)
    learn = run.ledger.phase("learn").total()["write.selected"]
    program = run.ledger.phase("program").total()["write.selected"]
    headline = errors[config.readout]
    final = config.split == "final"
    inspected = run.port.inspect()
    noise = None if inspected is None else inspected[0]["pulse_noise"]
    share = None if inspected is None else [layer["share_at_bound"] or 0.0 for layer in inspected]
    # No cell of a device without a limit is worn out.
    worn = None if inspected is None else [layer.get("share_worn") or 0.0 for layer in inspected]
    result: Document = {
        "schema": SCHEMA,
        "config": config.as_dict(),
        "device": device,
        "seed": config.seed,
        "chip_seed": config.chip_seed,
        "split": config.split,
        "wall_seconds": round(wall, 3),
        "versions": run.origin.versions,
        **run.origin.result(),
        "test_error_percent": headline if final else None,
        "test_error_percent_by_readout": errors if final else None,
        "validation_error_percent": None if final else headline,
        "validation_error_percent_by_readout": None if final else errors,
        "notes": notes_on(headline, run.data.y_test, run.schedule.per_epoch * config.epochs, config.epochs),
        "shapes": run.port.shapes,
        "images": {"learn": run.images, "infer": images["infer"] * len(tallies)},
        **ledger,
        "events_by_readout": {name: dict(total.counts) for name, total in readouts.items()},
        "integrals_by_readout": {name: dict(total.integrals) for name, total in readouts.items()},
        "activity": run.learner.meter.as_dict(),
        "gated_share_by_layer": run.learner.gated_share,
        **({} if run.config.wires == "off" else {"wires": {"layers": run.port.wire_tracking(), **run.without_wires}}),
        "energy": {**energy, "update": config.update, **_to_accuracy(run), "line_currents": lines},
        "cells": {
            "pulses_per_cell": (learn + program) / (2 * config.pairs * weights),
            "pulses_per_weight": learn / weights,
            "share_at_bound": None if share is None else sum(share) / len(share),
            "share_at_bound_by_layer": share,
            "share_worn": None if worn is None else sum(w * n for w, n in zip(worn, sizes, strict=True)) / weights,
            "share_worn_by_layer": worn,
            "memory_left": None if noise is None else memory_left(learn / (2 * config.pairs * weights), noise),
            "layers": inspected,
            "clipped_share": run.port.clipped_share(),
        },
        **({} if groups is None else {"line_groups": groups}),
        **({"further_arrays": further} if further else {}),
        **({"conductances": run.taken} if run.taken else {}),
        **({} if run.port.repeatable else {"repeatable": False}),
        **({"data_notes": list(run.data.notes)} if run.data.notes else {}),
    }
    _, chip = drawn(result, known["technology"], known["circuit"], energy["ranged_joule"])
    result["energy"]["chip"] = chip
    kept: Document = plain(result)
    return kept


def _to_accuracy(run: Run) -> Document:
    """Return the joules of phase learn until the validation accuracy of the headline read-out was first reached."""
    joule: dict[str, float | None] = dict.fromkeys((str(a) for a in ACCURACIES), None)
    status = dict.fromkeys(joule, "not measured")
    if run.config.split == "holdout":
        for accuracy in joule:
            status[accuracy] = "not reached"
            for line in run.metrics:
                if 100.0 - line[f"{run.config.readout}_error_percent"] >= float(accuracy):
                    joule[accuracy], status[accuracy] = line["learn_joule"], "reached"
                    break
    return {"to_accuracy_joule": joule, "to_accuracy_status": status}


def plain(value: Any) -> Any:
    """Return nested values as JSON holds them: numbers or null, never NaN."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | bool | int) else plain(value.item())


def write(folder: Path, result: Document) -> None:
    """Write result.json as a whole."""
    whole_files.write(folder / RESULT, document(result))
