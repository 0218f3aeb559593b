r"""Events and energy of spiking layers on arrays, from counted spikes and pulses.

A clock step in which spikes arrive is one read of the array, with the rows that spiked at the read voltage:

- ``reads.cells``: both devices of each weight of a row, for each spike; ``dac.1``: a driver of one bit for the row in each
  tile that the row crosses; integral ``read.v2g``: V² times the sum of the row's conductances at that time, for each spike;
- ``reads.columns`` and ``integrator``: the bit lines and the weights' columns of each row tile with a spike, once a step,
  as in every other read of the project: the charge of a tile is sensed and handed on to the membrane;
- ``comparator``: each cell's membrane against its threshold, in every step of the clock, with or without a spike;
- ``nonlinearity``: the firing and reset of a cell, for each spike that it emits; in learning also the logistic of the third
  factor, one for each layer and presentation;
- ``goodness``: the charge that a spike adds to the goodness cell, one squarer for each spike;
- ``normalise``: from the second layer on, with a divisive pool, each cell's share of a step with spikes;
- in learning, ``add.int32``: the traces, a counter that each spike of either side of a synapse steps once; ``mac.fp32`` and
  ``rng.bits``: the product M x and the rounding of each wanted change, if both factors differ from zero; and the
  pulses themselves, priced as everywhere by the device's voltages, widths and conductances.

Not counted are the generation of the input's spikes, the leak of the membranes, the pool cells' filters, and the clock. The
integral ``time`` is the time of the presentations at the network's own pace plus that of the pulses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from analog_ff.plain import Document
from analog_ff.runs.circuit import circuit_of
from analog_ff.runs.results import device_conditions, memory_left, plain
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.synapses.lines import Reads
from hardware_models.crossbar.inspection import pulse_noise
from hardware_models.devices.base import BaseDevice
from hardware_models.energy import load_technology, price, report
from hardware_models.energy.load import Technology
from hardware_models.events import Events, Ledger
from hardware_models.tiles import Tiling

RANDOM_BITS = 24
"""Number of bits of one uniform number for rounding, the same as in the update `accumulate`."""
ARRAY = ("read.v2g", "reads.cells", "dac")
"""Components of the energy of a read inside the array: cells, word lines and their drivers."""


class Published(NamedTuple):
    """A published energy per synaptic operation."""

    picojoule: float
    original: str  # publication that the table cites


SOURCE = "G. Tang et al., Front. Neurosci. 17:1187252 (2023), doi:10.3389/fnins.2023.1187252, Table 3"
"""Source of the published figures; it warns that the meaning of a synaptic operation differs between applications."""
PUBLISHED: Mapping[str, Published] = MappingProxyType(
    {
        "Tianjic": Published(1.54, "Deng et al. 2020"),
        "TrueNorth": Published(2.5, "Akopyan et al. 2015"),
        "SENECA": Published(2.8, "Tang et al. 2023"),
        "ReckOn": Published(5.3, "Frenkel and Indiveri 2022"),
        "SpiNNaker2": Published(10.0, "Hoeppner et al. 2021"),
        "ODIN": Published(12.7, "Frenkel et al. 2018"),
        "NeuronFlow": Published(20.0, "Moreira et al. 2020"),
        "Loihi": Published(23.6, "Davies et al. 2018"),
        "uBrain": Published(26.0, "Stuijt et al. 2021"),
        "SpiNNaker": Published(45.0, "Stromatias et al. 2013"),
    }
)
"""Digital neuromorphic processors in `SOURCE`; only some of the figures include memory, routing and neuron."""


def read_events(
    device: BaseDevice, tiling: Tiling, config: SpikingConfig, n: int, reads: Reads, part: slice, g_unit: float,
    learning: bool,
) -> Events:  # fmt: skip
    """Return the events of layer n in the presentations `part`, without its pulses; `reads` holds the counts of the reads."""
    columns = tiling.bit_lines // 2
    spikes, steps, tile_steps, fired = (
        _whole(a[part]) for a in (reads.spikes, reads.steps, reads.tile_steps, reads.fired)
    )
    presentations = len(reads.spikes[part])
    counts = {
        "reads.cells": spikes * tiling.bit_lines,
        "dac.1": spikes * tiling.column_tiles,
        "reads.columns": tile_steps * tiling.bit_lines,
        "integrator": tile_steps * columns,
        "comparator": presentations * config.period_steps * columns,
        "nonlinearity": fired + (presentations if learning else 0),
        "goodness": fired,
        "normalise": steps * columns if n and config.pool == "divisive" else 0,
    }
    if learning:
        counts["add.int32"] = spikes + fired
    v2g = device.v_read**2 * g_unit * float(np.sum(reads.g[part], dtype=np.float64))
    return Events(counts, {"read.v2g": v2g})


def wanted_events(products: int) -> Events:
    """Return the events of computing `products` changes M x and rounding them to pulses."""
    return Events({"mac.fp32": products, "rng.bits": RANDOM_BITS * products})


def write_events(device: BaseDevice, up: float, down: float, up_g: float, down_g: float) -> Events:
    """Return the events of pulses from their sums: numbers up and down, and the sums of n (g + g')/2 [S] up and down.

    As an upper bound, each pulse charges a bit line and a word line of its own, and takes its own time.
    """
    joule = device.v_up**2 * device.t_up * up_g + device.v_down**2 * device.t_down * down_g
    pulses = _whole(up) + _whole(down)
    counts = {"write.selected": pulses, "write.line_charges": 2 * pulses}
    return Events(counts, {"write.v2gt": joule, "time": up * device.t_up + down * device.t_down})


def clock_events(config: SpikingConfig, presentations: int) -> Events:
    """Return the time of presentations as events; all layers share it."""
    return Events({}, {"time": presentations * config.period_steps * config.step * 1e-3})


def _whole(values: np.ndarray | float) -> int:
    return round(float(np.sum(values, dtype=np.float64)))


def account(
    ledger: Ledger, technology: str | Technology, device: BaseDevice, shapes: Sequence[tuple[int, int]],
    images: Mapping[str, int], cells: Sequence[Mapping[str, float | None]],
) -> dict[str, object]:  # fmt: skip
    """Return the entries of result.json about the hardware: device, events, integrals, energy and cells, as plain values.

    Parameters
    ----------
    ledger : Ledger
        Events of the phases program, learn, infer and monitor.
    technology : a name, a file, or a loaded technology.
    shapes : ((inputs, cells), ...)
        Shapes of the layers.
    images : {"learn": int, "infer": int}
        Number of training images presented (awake and asleep count as one image), and of images classified.
    cells : one mapping for each layer
        Figures of the cells in an inspection.
    """
    booked = ledger.as_dict()
    described = device.describe()
    conditions: Document = {"technology": load_technology(technology), **device_conditions(described)}
    conditions["circuit"] = circuit_of({}, shapes, described)
    infer = ledger.phase("infer").total()
    energy = report(booked["events"], booked["integrals"], images=images, readouts={"energy": infer}, **conditions)
    operations = {phase: ledger.phase(phase).total()["reads.cells"] // 2 for phase in ("learn", "infer")}
    parts = price({"infer": infer.counts}, {"infer": infer.integrals}, **conditions)["infer"]
    per = {name: joule / operations["infer"] for name, joule in parts.items() if joule} if operations["infer"] else {}
    totals = energy["total_joule"]
    weights = sum(a * b for a, b in shapes)
    learn, program = (ledger.phase(phase).total()["write.selected"] for phase in ("learn", "program"))
    noise = pulse_noise(device)
    at_bound = [layer["share_at_bound"] for layer in cells]
    return plain({
        "device": described,
        **booked,
        "synaptic_operations": operations,
        "energy": {
            **energy,
            "per_training_image_joule": totals["learn"] / images["learn"] if images["learn"] else None,
            "per_decision_joule": totals["infer"] / images["infer"] if images["infer"] else None,
            "per_synaptic_operation_joule": sum(per.values()) if per else None,
            "per_synaptic_operation_array_joule": sum(per.get(n, 0.0) for n in ARRAY) if per else None,
            "per_synaptic_operation_by_component_joule": per,
            "published_per_synaptic_operation": {
                "source": SOURCE,
                "joule": {name: figure.picojoule * 1e-12 for name, figure in PUBLISHED.items()},
            },
        },
        "cells": {
            "pulses_per_cell": (learn + program) / (2 * weights),
            "pulses_per_weight": learn / weights,
            "share_at_bound": float(np.array(at_bound, np.float64).mean()) if cells else None,
            "share_at_bound_by_layer": at_bound,
            "memory_left": memory_left(learn / (2 * weights), noise),
            "layers": [dict(layer) for layer in cells],
        },
    })  # fmt: skip
