"""Off-chip training: the finished weights, written once to a chip of another device, and their error there."""

from __future__ import annotations

from typing import Any

import numpy as np

from analog_ff.plain import Document, Facts
from analog_ff.runs.build import calibrated, device_of, interconnect_of
from analog_ff.runs.calibrate import calibrate
from analog_ff.runs.results import device_conditions
from analog_ff.runs.train import Run
from hardware_models.devices.ageing import no_law_of_time
from hardware_models.energy import price
from hardware_models.energy.circuit import Circuit
from hardware_models.energy.load import Technology
from hardware_models.events import Ledger
from hardware_models.keys import Key

AGES = {"at once": 0.0, "after an hour": 3600.0, "after a day": 86400.0}
"""Times of the tests of the written chip [s after the writing]; only at once where the device has no law of time."""


def deploy(run: Run, target: Any, conditions: Document) -> Document:
    """Write the weights of a finished run to the chip of `target`, open loop, and test it as it ages.

    `target` is the same learner on a chip of the other device, with the same converters, tiles and chip seed. Its digital
    read-out becomes the one that was trained; nothing is tuned to the new chip. A device without a law of time is tested at once
    and no more: its errors at a later age would be the same by construction, and would say nothing.

    Behind wires or access transistors a weight that a read sees is not the one that its cells hold. The latter is written,
    because those of the new chip take their share anew; with ``--wires test`` wires are laid once it is written.

    What the new chip costs before its first test is booked under its own phase ``program``: calibration of its converters,
    programming of its cells and the search for groups of its lines. `conditions` are those for pricing the run, of which the
    technology and the circuit hold for the new chip as well.
    """
    port = target.port
    lawless = no_law_of_time(port.device)
    ages = {age: seconds for age, seconds in AGES.items() if seconds == 0.0 or not lawless}
    key = Key(run.config.seed, "deploy")
    ledger = Ledger()
    ledger.book("program", calibrated(run.config, target))
    for layer in range(len(port.shapes)):
        ledger.book("program", port.program(layer, _held(run, layer), key=key.child("program", layer)), layer)
    if run.config.wires == "test":
        port.lay_wires(interconnect_of(run.config))
    target.restore(run.learner.save())
    if run.config.line_groups == "auto":
        ledger.book("program", calibrate(target, port, run.data.x_train, run.config.seed))
    errors: dict[str, dict[str, float]] = {}
    passed = 0.0
    for age, seconds in ages.items():
        if seconds > passed:
            port.wait(seconds - passed, key=key.child("wait", int(seconds)))
            passed = seconds
        errors[age] = {}
        for name in target.readouts:
            predicted, _ = target.predict(run.data.x_test, readouts=(name,), key=key.child("test"))
            errors[age][name] = 100.0 * float(np.mean(predicted[name] != run.data.y_test))
    kind = "test" if run.config.split == "final" else "validation"
    booked = ledger.as_dict()
    counts, integrals = booked["events"]["program"], booked["integrals"]["program"]
    found: Document = {"device": port.description, "events": {"program": counts}, "integrals": {"program": integrals}}
    return {
        **found,
        "by_component_joule": joule_of(found, conditions["technology"], conditions["circuit"]),
        f"{kind}_error_percent_by_age": errors,
        "no_law_of_time": lawless,
        "pulses_per_weight": counts["write.selected"] / sum(n * m for n, m in port.shapes),
        "cells": port.inspect(),
        **({} if (groups := port.line_groups()) is None else {"line_groups": groups}),
    }


def joule_of(
    deployed: Facts, technology: Technology, circuit: Circuit, scenario: str = "nominal"
) -> dict[str, dict[str, float]]:
    """Return the energy [J] of a written chip, {phase: {component: joule}}, from its device, events and integrals.

    `circuit` is that of the run: all but the gates of the cells is drawn alike on both chips.
    """
    device = deployed["device"]
    return price(
        deployed["events"], deployed["integrals"], technology, **device_conditions(device), scenario=scenario,
        circuit=circuit._replace(gate_capacitance=device.get("c_gate", 0.0)),
    )  # fmt: skip


def _held(run: Run, layer: int) -> np.ndarray:
    """Return the weights that the cells of a layer hold, W = (G+ - G-)/G_unit, whatever wires and transistors are around them."""
    port = run.port
    if run.config.wires == "off" and not run.config.access_transistor:
        return port.oracle.weights(layer).astype(np.float64)
    plus, minus = port.oracle.conductances(layer).astype(np.float64)
    weights: np.ndarray = (plus - minus) * (port.datasheet[layer].weight_limit / device_of(run.config).g_range)
    return weights
