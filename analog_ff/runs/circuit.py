"""The circuit around the cells of a run, from its choices and shapes: what prices need to know of the chip as drawn."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from analog_ff.learners import LEARNERS
from analog_ff.learners.options import FINAL_WEIGHTS, CurveOptions
from analog_ff.plain import Facts
from analog_ff.updates import UPDATES
from analog_ff.updates.consolidation import WORD_BITS
from hardware_models.devices import PUBLISHED
from hardware_models.energy.circuit import COLUMNS_PER_ADC, QUOTED, Circuit, longest_line
from hardware_models.load import load_device

CLASSES = 10
"""Classes of the data where a result does not say; all published data sets of this project have ten."""
READOUT_BITS = 2 * 32
"""Bits of memory a weight of the softmax read-out: the weight and its average, both in fp32."""
ACTIVITY_BYTES = 4
"""Bytes of memory of a neuron's output, in fp32."""
CURVE_BITS = 6 * 32
"""Bits of memory a bin of a neuron's curve: five sums and a slope (`analog_ff.learners.neuron_curves`)."""


def circuit_of(config: Facts, shapes: Sequence[Sequence[int]], device: Facts, classes: int = CLASSES) -> Circuit:
    """Return the circuit of a run with these choices (`Choices.as_dict`), its layers of (inputs, neurons), device and classes.

    `device` is the description of the device, whose cells may have a gate; a class of a user's own may describe none.
    """
    weights, neurons = sum(n * m for n, m in shapes), sum(m for _, m in shapes)
    memory = memory_bytes(config, weights, neurons, classes)
    return _drawn(config, memory, longest_line(shapes, tile_of(config), pairs_of(config)), device.get("c_gate", 0.0))


def tile_of(config: Facts) -> tuple[int, int]:
    """Return the largest tile (rows, columns) of a run; a spiking run has the default one."""
    rows, columns = config.get("tile", (256, 256))
    return rows, columns


def pairs_of(config: Facts) -> int:
    """Return the pairs of cells of a weight of a run; earlier versions, and spiking runs, have one."""
    return int(config.get("pairs", 1))


def _drawn(config: Facts, memory: int, line: int, gate: float) -> Circuit:
    return Circuit(
        memory_bytes=memory,
        line_cells=line,
        columns_per_adc=config.get("columns_per_adc", COLUMNS_PER_ADC),
        gate_capacitance=gate,
        analog_sums=config.get("partial_sums", "analog")
        == "analog",  # spiking neurons integrate the currents themselves
    )


def memory_bytes(config: Facts, weights: int, neurons: int, classes: int = CLASSES) -> int:
    """Return the capacity of the digital memory [B]: what learning keeps from batch to batch, in one memory.

    That is the word of a weight (an update's average, a digital copy of the weight, the record of a consolidation), the curves
    of neurons, and of lines of boxes between layers, that a slope learns, and the digital read-out, where one is trained, whose
    features are taken to be the neurons of all layers. The outputs of one image pass through the same memory: they are small
    beside a word a weight, and they are the whole memory of a chip that keeps nothing else, M = max(kept, 4 B a neuron).
    """
    learner = LEARNERS.get(str(config.get("learner")))
    trained = config.get("softmax_readout", True)
    bits = READOUT_BITS * neurons * classes if trained else 0
    if learner is not None:
        reads = "update" in learner.reads
        bits += weights * (learner.memory_bits + (UPDATES[str(config["update"])].memory_bits if reads else 0))
        if "final_weights" in learner.reads:
            final = FINAL_WEIGHTS[str(config.get("final_weights", "last"))]
            bits += final.memory_bits * (weights + (neurons * classes if trained else 0))
        if "slope" in learner.reads and config.get("slope") == "curve":
            boxes = neurons - config["layers"][-1] if config.get("box_place") == "between" else 0
            bits += CURVE_BITS * (neurons + boxes) * int(config.get("curve_bins", CurveOptions.curve_bins))
        bits += weights * WORD_BITS if config.get("consolidate") else 0
    return max(ceil(bits / 8), ACTIVITY_BYTES * neurons)


def circuit_of_result(result: Facts) -> Circuit:
    """Return the circuit of a stored result: the one that it keeps, or for a result of earlier versions that of its choices.

    Earlier results without shapes still tell their number of weights, by their pulses in all and a cell. Without either the
    capacity of their memory is unknown, and the one for which prices are quoted is taken.
    """
    if kept := result.get("energy", {}).get("circuit"):
        return Circuit(**kept)
    config, device = result["config"], _with_gate(result["device"])
    if result.get("shapes"):
        return circuit_of(config, result["shapes"], device)
    pulses = sum(result["events"][phase].get("write.selected", 0) for phase in ("program", "learn"))
    each = (result.get("cells") or {}).get("pulses_per_cell")
    if not each:
        return QUOTED._replace(gate_capacitance=device["c_gate"])
    capacity = memory_bytes(config, round(pulses / (2 * each)), sum(config["layers"]))
    return _drawn(config, capacity, max(tile_of(config)), device["c_gate"])


def _with_gate(device: Facts) -> Facts:
    """Return the description of a device with its gate: earlier versions described none, so that of its file today is taken."""
    if "c_gate" in device:
        return device
    name = str(device.get("name"))
    return {**device, "c_gate": load_device(name).c_gate if name in PUBLISHED else 0.0}
