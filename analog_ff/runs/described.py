"""The description in a file of a run's cells: every figure that turns conductances into weights and currents, with its unit.

``cells.h5`` carries it as attributes, an export as ``description.json``; both say the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from analog_ff.plain import Document
from analog_ff.runs.build import device_of
from analog_ff.runs.chip_parts import box_of, interconnect_of
from analog_ff.runs.further_arrays import left_out
from analog_ff.runs.train import Run
from hardware_models.crossbar.access import Access
from hardware_models.devices.base import declared
from hardware_models.tiles import Tiling

SCHEMA = 2
"""Version of the form of ``cells.h5``; 1 had conductances and no attributes."""
FORMAT = "analog_ff cells"
UNIT = "_unit"
"""Ending of the attribute that holds the unit of another one."""
LAWS: Mapping[str, str] = {
    "pairs": "bit lines alternate: G+[i, j] = conductance[i, 2 j], G-[i, j] = conductance[i, 2 j + 1]; i: input (word line), "
    "j: neuron; the last input is the bias row, driven at input_scale",
    "weight": "W[i, j] = (G+[i, j] - G-[i, j]) / g_unit",
    "voltage": "v[i] = read_voltage x[i] / input_scale, x the input of the layer, at most input_scale",
    "current": "I[j] = sum_i v[i] (G+[i, j] - G-[i, j]), tile by tile; a cell in series with its access transistor conducts "
    "G / (1 + G r_access); segments of r_word and r_bit lie between neighbouring cells, before the first and behind the last one",
    "preactivation": "z[j] = I[j] input_scale / (g_unit read_voltage), which the column converter sees, full scale adc_range",
}
"""Name of a law -> the law by which numbers of the file become weights and currents."""
LAWS_OF_SEVERAL: Mapping[str, str] = {
    "pairs": "bit lines alternate: G+[i, j, p] = conductance[i, 2 (N j + p)], G-[i, j, p] = conductance[i, 2 (N j + p) + 1]; "
    "i: input (word line), j: neuron, p: pair of cells of a weight, of N (pairs_of_a_weight); the last input is the bias row, "
    "driven at input_scale",
    "weight": "W[i, j] = sum_p (G+[i, j, p] - G-[i, j, p]) / g_unit",
    "current": "I[j] = sum_i v[i] sum_p (G+[i, j, p] - G-[i, j, p]), tile by tile; a cell in series with its access transistor "
    "conducts G / (1 + G r_access); segments of r_word and r_bit lie between neighbouring cells, before the first and behind the "
    "last one",
}
"""The laws that are others where a weight has several pairs of cells."""


class Quantity(NamedTuple):
    """A value and its unit."""

    value: int | float | str
    unit: str = ""


def of_run(run: Run) -> dict[str, str]:
    """Return texts on the whole chip."""
    config = run.config
    return {
        "format": FORMAT,
        **LAWS,
        **(LAWS_OF_SEVERAL if config.pairs > 1 else {}),
        "device": device_of(config).name,
        "learner": config.learner,
        "network": config.network,
        "nonlinearity": box_of(config),
        "partial_sums": config.partial_sums,
        "data": run.data.name,
        "classes": json.dumps(list(run.data.classes)),
        "readouts": json.dumps(list(run.learner.readouts)),
        **({"left_out": said} if (said := left_out(config)) else {}),
    }


def of_layer(run: Run, layer: int) -> dict[str, Quantity]:
    """Return the figures of one layer of the chip."""
    config, sheet = run.config, run.port.datasheet[layer]
    device = device_of(config)
    wires = None if config.wires == "off" else interconnect_of(config)
    tiling = Tiling.of_weights(sheet.inputs, sheet.neurons, config.tile, config.pairs)
    return {
        "inputs": Quantity(sheet.inputs),
        "neurons": Quantity(sheet.neurons),
        "bias_row": Quantity(sheet.inputs - 1),
        **({"pairs_of_a_weight": Quantity(config.pairs)} if config.pairs > 1 else {}),
        "g_unit": Quantity(config.pairs * device.g_range / sheet.weight_limit, "S"),
        "weight_limit": Quantity(sheet.weight_limit, "1"),
        "input_scale": Quantity(sheet.input_scale, "units of x"),
        "read_voltage": Quantity(device.v_read, "V"),
        "read_time": Quantity(device.t_read, "s"),
        "dac_bits": Quantity("none" if sheet.dac_bits is None else sheet.dac_bits),
        "adc_bits": Quantity("none" if sheet.adc_bits is None else sheet.adc_bits),
        "adc_range": Quantity(config.adc_range, "units of z"),
        "tile_rows": Quantity(tiling.tile_rows, "cells"),
        "tile_columns": Quantity(tiling.tile_columns, "cells"),
        "r_word": Quantity(0.0 if wires is None else wires.r_word, "Ohm"),
        "r_bit": Quantity(0.0 if wires is None else wires.r_bit, "Ohm"),
        "r_access": Quantity(Access.of(device, config.access_transistor).resistance, "Ohm"),
    }


def of_readout(run: Run) -> dict[str, Quantity]:
    """Return the figures of the digital softmax read-out."""
    layers = list(run.learner.readout_layers)
    return {
        "logits": Quantity(f"{run.learner.softmax.law}; the answer is the class of the largest"),
        "features": Quantity(
            f"h: outputs of the network layers {', '.join(map(str, layers))} one after the other, the outputs of each "
            "scaled to a root mean square of 1 (with regions, those of each region)"
        ),
        "label_place": Quantity(run.learner.network.label_place),
        "label_strength": Quantity(run.learner.label_strength, "white pixels"),
    }


def device_figures(run: Run) -> Document:
    """Return every figure of the device after all switches: {name: {"value", "unit"}}, texts without a unit."""
    device = device_of(run.config)
    units = {name: said.get("unit", "") for name, said in declared(type(device)).items()}
    return {name: {"value": value, "unit": units.get(name, "")} for name, value in device.describe().items()}


def as_document(run: Run) -> Document:
    """Return the whole description as plain values."""

    def plain(found: Mapping[str, Quantity]) -> Document:
        return {
            name: one.value if not one.unit else {"value": one.value, "unit": one.unit} for name, one in found.items()
        }

    return {
        "schema": SCHEMA,
        **of_run(run),
        "layers": [plain(of_layer(run, layer)) for layer in range(len(run.port.shapes))],
        "readout": plain(of_readout(run)),
        "device_figures": device_figures(run),
    }
