"""Digital backpropagation of the same network, from closed-form counts: the reference beside the simulated learners."""

from __future__ import annotations

from collections.abc import Sequence

from analog_ff.config.config import Config
from analog_ff.plain import Document, Facts
from analog_ff.runs.build import data_of
from hardware_models.energy.components import SCENARIOS
from hardware_models.energy.digital import NEWEST, inference, joules, layers_of, training

CASES = (("fp16", "sram", 1), ("fp16", "sram", 128), ("int8", "sram", 128), ("fp16", "dram", 1))
"""Number format, memory of the weights, batch."""


def digital_reference(config: Config, node: float) -> list[Document]:
    """Return joules per update and per image by scenario, for every one of `CASES`, on pixels - hidden layers - classes.

    Return an empty list for a network other than a stack, and for nodes [nm] that the prices do not reach. No error is claimed:
    it would be that of a perfect model.
    """
    if config.network != "stack" or node < NEWEST:
        return []
    data = data_of(config)
    layers = layers_of((data.x_train.shape[1], *config.layers, len(data.classes)))
    rows = []
    for form, memory, batch in CASES:
        amounts = {}
        for name, operations in (("per_update", training(layers, batch)), ("per_image", inference(layers, batch))):
            amounts[f"{name}_joule"] = {
                scenario: sum(
                    joules(operations, batch, form=form, memory=memory, node=node, scenario=scenario).values()
                )
                for scenario in SCENARIOS
            }
        rows.append({"name": f"{form}, weights in {memory.upper()}, batch {batch}", **amounts})
    return rows


def against(row: Facts, rows: Sequence[Facts]) -> dict[str, float]:
    """Return {device: nominal ratio} of a digital row to the energies per update of a learner on every device.

    The digital prices have no ranges of their own, so their ends would stand beside the wrong ones of the analog prices.
    """
    found = {r["device"]: r["per_update_joule"]["nominal"] for r in rows}
    return {device: row["per_update_joule"]["nominal"] / joule for device, joule in found.items() if joule > 0.0}
