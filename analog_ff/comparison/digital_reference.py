"""Digital backpropagation of the same network, from closed-form counts: the reference beside the simulated learners."""

from __future__ import annotations

from collections.abc import Sequence

from analog_ff.config.config import Config
from analog_ff.plain import Document, Facts
from analog_ff.runs.build import data_of
from hardware_models.energy.components import SCENARIOS
from hardware_models.energy.digital import NEWEST, inference, joules, layers_of, memory_bytes, training
from hardware_models.energy.load import Technology

CASES = (("fp16", "sram", 1), ("fp16", "sram", 128), ("int8", "sram", 128), ("fp16", "dram", 1))
"""Number format, memory of the weights, batch."""


def digital_reference(config: Config, technology: Technology) -> list[Document]:
    """Return joules per update and per image by scenario, for every one of `CASES`, on pixels - hidden layers - classes.

    Prices are those of the chip's own digital work, in a memory of the size that the network takes. Return an empty list for a
    network other than a stack, and for nodes that the prices of DRAM do not reach. No error is claimed: it would be that of a
    perfect model.
    """
    if config.network != "stack" or technology.node_nm < NEWEST:
        return []
    data = data_of(config)
    layers = layers_of((data.x_train.shape[1], *config.layers, len(data.classes)))
    rows = []
    for form, memory, batch in CASES:
        amounts = {}
        capacity = memory_bytes(layers, batch, form=form)
        for name, operations in (("per_update", training(layers, batch)), ("per_image", inference(layers, batch))):
            amounts[f"{name}_joule"] = {
                scenario: sum(
                    joules(
                        operations, batch, technology, capacity, form=form, memory=memory, scenario=scenario
                    ).values()
                )
                for scenario in SCENARIOS
            }
        rows.append({"name": f"{form}, weights in {memory.upper()}, batch {batch}", **amounts})
    return rows


def against(row: Facts, rows: Sequence[Facts]) -> dict[str, float]:
    """Return {device: nominal ratio} of a digital row to the energies per update of a learner on every device.

    The ranges of both are those of the same prices, but not their joint draws: ratios are nominal.
    """
    found = {r["device"]: r["per_update_joule"]["nominal"] for r in rows}
    return {device: row["per_update_joule"]["nominal"] / joule for device, joule in found.items() if joule > 0.0}
