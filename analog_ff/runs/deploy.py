"""Off-chip training: the finished weights, written once to a chip of another device, and their error there."""

from __future__ import annotations

from typing import Any

import numpy as np

from analog_ff.config.ages import ages_of
from analog_ff.plain import Document, Facts
from analog_ff.runs.ages import AS_IT_IS, aged, described, growing_old, of_its_law, tested
from analog_ff.runs.build import calibrated, device_of
from analog_ff.runs.calibrate import calibrate
from analog_ff.runs.chip_parts import interconnect_of
from analog_ff.runs.results import device_conditions
from analog_ff.runs.train import Run
from hardware_models.energy import price
from hardware_models.energy.circuit import Circuit
from hardware_models.energy.load import Technology
from hardware_models.events import Ledger
from hardware_models.keys import Key

AGES = {"at once": 0.0, "after an hour": 3600.0, "after a day": 86400.0}
"""Times of the tests of the written chip [s after the writing] without ``--ages``; only at once where there is no law of time."""


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
    asked = AGES if run.config.ages is None else ages_of("--ages", run.config.ages)
    ages, lawless = of_its_law(asked, port.device, run.config.nonlinearity)
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
    found, errors = _aged(run, target, ages, lawless, key, conditions)
    kind = "test" if run.config.split == "final" else "validation"
    booked = ledger.as_dict()
    counts, integrals = booked["events"]["program"], booked["integrals"]["program"]
    written: Document = {"device": port.description, "events": {"program": counts}, "integrals": {"program": integrals}}
    return {
        **written,
        "by_component_joule": joule_of(written, conditions["technology"], conditions["circuit"]),
        f"{kind}_error_percent_by_age": errors,
        "no_law_of_time": lawless,
        "pulses_per_weight": counts["write.selected"] / sum(n * m for n, m in port.shapes),
        "cells": port.inspect(),
        **({} if (groups := port.line_groups()) is None else {"line_groups": groups}),
        **found,
    }


def _aged(
    run: Run, target: Any, ages: Facts, lawless: str | None, key: Key, conditions: Document
) -> tuple[Document, dict[str, dict[str, float]]]:
    """Return the entry ``ages`` if the run asks for ages, and the errors [%] by age and read-out, while the chip grows old."""
    port = target.port
    if run.config.ages is None:
        every = growing_old(port, ages, key)
        return {}, {age: tested(target, run.data, key.child("test")).errors for age in every}
    looked = aged(target, port, run.data, ages, key)
    found = described(looked, lawless, _conditions(port.description, conditions["technology"], conditions["circuit"]))
    return {"ages": found}, {n: a[AS_IT_IS]["error_percent_by_readout"] for n, a in found["by_age"].items()}


def joule_of(
    deployed: Document, technology: Technology, circuit: Circuit, scenario: str = "nominal"
) -> dict[str, dict[str, float]]:
    """Return the energy [J] of a written chip, {phase: {component: joule}}, from its device, events and integrals.

    `circuit` is that of the run: all but the gates of the cells is drawn alike on both chips.
    """
    known = _conditions(deployed["device"], technology, circuit)
    return price(deployed["events"], deployed["integrals"], **known, scenario=scenario)


def _conditions(device: Document, technology: Technology, circuit: Circuit) -> Document:
    """Return the conditions for pricing a written chip: those of the run, with the figures of its own device."""
    drawn = circuit._replace(gate_capacitance=device.get("c_gate", 0.0))
    return {"technology": technology, "circuit": drawn, **device_conditions(device)}


def _held(run: Run, layer: int) -> np.ndarray:
    """Return the weights that the cells of a layer hold, W = (G+ - G-)/G_unit, whatever wires and transistors are around them."""
    port = run.port
    if run.config.wires == "off" and not run.config.access_transistor:
        return port.oracle.weights(layer).astype(np.float64)
    plus, minus = port.oracle.conductances(layer).astype(np.float64)
    single = (plus - minus) * (port.datasheet[layer].weight_limit / device_of(run.config).g_range)
    weights: np.ndarray = single.reshape(*run.port.shapes[layer], run.config.pairs).mean(axis=2)
    return weights
