r"""Energy of backpropagation on digital hardware, from the number of its operations.

With layers of n_{l-1} x n_l weights, W = sum n_{l-1} n_l, W' = W - n_0 n_1 and M = n_0 + ... + n_L, a batch of B images takes

.. math:: macs = B\,(2W + W') + u W, \quad reads = W + W' + (1 + s) W, \quad writes = (1 + s) W, \quad acts = 2 B M

multiply-adds (forward, weight gradient, errors sent back; u for the optimiser), weight words read and written, and
activation words both read and written. The optimiser keeps s words a weight: SGD u = 1, s = 0; with momentum u = 2, s = 1;
Adam u = 5 (two averages, a square, a root with its division, a step: an estimate), s = 2. A weight is fetched once a batch and
pass and serves all its images, which is what batches save.

.. math:: E/B = (1 + c)\,[macs\,E_{mac} + (reads + writes + 2\,acts)\,\tfrac{b}{32} E_{word}(M)]/B, \qquad
          M = \tfrac{b}{8}\,[(1 + s) W + acts]

with words of b bits, E_mac, E_word and the share c of clock and control from a technology file: the rule by which a chip's own
digital work is priced (`hardware_models.energy.price`), with all words in one memory of the capacity M in bytes. Weights may
lie in DRAM instead. Its prices between 45 and 7 nm are interpolated in the logarithms, older nodes scale with the node itself; a
node below 7 nm is refused. Source of these two prices, recalled and not read again: Horowitz, ISSCC 2014,
doi:10.1109/ISSCC.2014.6757323, and Jouppi et al., ISCA 2021, doi:10.1109/ISCA52012.2021.00010.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from hardware_models.check import UsageError, in_range, positive_int
from hardware_models.energy.circuit import Circuit
from hardware_models.energy.costs import CONTROL, price
from hardware_models.energy.load import Technology
from hardware_models.events import Events
from hardware_models.tables import closest

T = TypeVar("T")


class Optimiser(NamedTuple):
    """Multiply-adds and extra memory words that an optimiser needs for each weight."""

    macs: int  # u, multiply-adds an update
    words: int  # s, words that are kept


FORMATS: Mapping[str, int] = MappingProxyType({"fp32": 32, "fp16": 16, "int8": 8})
"""Number formats by name -> bits of a word."""
WORD_BITS = 32
"""Bits of a counted word of memory."""
DRAM = (1300e-12, 350e-12)
"""Price [J] of an access of 64 bits to DRAM at 45 nm (DDR) and 7 nm (mid-range HBM2)."""
DRAM_BITS = 64
MEMORIES = ("sram", "dram")
"""Memories of the weights."""
OPTIMISERS: Mapping[str, Optimiser] = MappingProxyType(
    {"sgd": Optimiser(1, 0), "momentum": Optimiser(2, 1), "adam": Optimiser(5, 2)}
)
NEWEST, OLD = 7.0, 45.0
"""Ends of the interpolation [nm]."""


class Operations(NamedTuple):
    """Numbers of operations of one batch."""

    macs: int
    weight_reads: int
    weight_writes: int
    activation_reads: int
    activation_writes: int

    def plus(self, other: Operations) -> Operations:
        """Return the sum of two sets of operations, field by field."""
        return Operations(*(a + b for a, b in zip(self, other, strict=True)))

    def events(self, form: str = "fp32") -> Events:
        """Return the operations as counted events, with all memory words in SRAM; words of 32 bits hold several short values."""
        bits = _named("number format", form, FORMATS)
        counts = {
            f"mac.{form}": self.macs,
            "sram.words_read": _packed(self.weight_reads + self.activation_reads, bits),
            "sram.words_written": _packed(self.weight_writes + self.activation_writes, bits),
        }
        return Events(counts)


def _packed(values: int, bits: int) -> int:
    return -(-values * bits // WORD_BITS)


def layers_of(widths: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return (inputs, neurons) of each layer for the widths n_0, n_1, ..., without biases."""
    for width in widths:
        positive_int("digital backpropagation", "every width", width)
    if len(widths) < 2:
        raise UsageError(f"digital backpropagation needs at least two widths, such as 784, 10, got {tuple(widths)}.")
    return tuple(pairwise(widths))


def layer_training(inputs: int, neurons: int, batch: int, *, first: bool, optimiser: str = "sgd") -> Operations:
    """Return the operations of one layer for a batch of training; the first layer sends no errors back."""
    u, s = _named("optimiser", optimiser, OPTIMISERS)
    weights, back = inputs * neurons, 0 if first else inputs * neurons
    values = 2 * batch * (neurons + (inputs if first else 0))
    return Operations(
        macs=batch * (2 * weights + back) + u * weights,
        weight_reads=weights + back + (1 + s) * weights,
        weight_writes=(1 + s) * weights,
        activation_reads=values,
        activation_writes=values,
    )


def training(layers: Sequence[tuple[int, int]], batch: int = 1, *, optimiser: str = "sgd") -> Operations:
    """Return the operations of one batch of training; `layers` holds (inputs, neurons) of each layer."""
    positive_int("digital backpropagation", "batch", batch)
    total = Operations(0, 0, 0, 0, 0)
    for number, (inputs, neurons) in enumerate(layers):
        total = total.plus(layer_training(inputs, neurons, batch, first=number == 0, optimiser=optimiser))
    return total


def inference(layers: Sequence[tuple[int, int]], batch: int = 1) -> Operations:
    """Return the operations of classifying a batch: B W multiply-adds, W weight words, each activation written and read once."""
    positive_int("digital backpropagation", "batch", batch)
    weights = sum(inputs * neurons for inputs, neurons in layers)
    values = batch * (layers[0][0] + sum(neurons for _, neurons in layers))
    return Operations(batch * weights, weights, 0, values, values)


def memory_bytes(layers: Sequence[tuple[int, int]], batch: int, *, form: str, optimiser: str = "sgd") -> int:
    """Return the capacity [B] of a memory for weights, what the optimiser keeps, and the activations and errors of a batch."""
    weights = sum(inputs * neurons for inputs, neurons in layers) * (
        1 + _named("optimiser", optimiser, OPTIMISERS).words
    )
    values = 2 * batch * (layers[0][0] + sum(neurons for _, neurons in layers))
    return -(-(weights + values) * _named("number format", form, FORMATS) // 8)


def dram_price(node: float) -> float:
    """Return the price [J] of 64 bits of DRAM at a node [nm]: log-log interpolation from 7 to 45 nm, then as the node."""
    node = in_range("digital backpropagation", "the node", node, NEWEST, 1000.0, "nm")
    old, new = DRAM
    if node >= OLD:
        return old * node / OLD
    return old * (new / old) ** (math.log(node / OLD) / math.log(NEWEST / OLD))


def joules(
    operations: Operations,
    batch: int,
    technology: Technology,
    capacity: int,
    *,
    form: str = "fp16",
    memory: str = "sram",
    scenario: str = "nominal",
) -> dict[str, float]:
    """Return the energy [J] of one image by component, from the operations of a batch.

    Parameters
    ----------
    operations, batch
        Operations as returned by `training` or `inference`, and the batch size given to that function.
    technology : Technology
        Prices of arithmetic and memory, and the share of clock and control.
    capacity : bytes of the memory, as returned by `memory_bytes`.
    form : a name of `FORMATS`.
    memory : the memory of the weights, one of `MEMORIES`; activations are always in SRAM.
    scenario : "low", "nominal" or "high"; prices of DRAM have no range.

    Returns
    -------
    dict
        ``mac``, ``memory``, ``control``; their sum is the energy of an image.

    Raises
    ------
    UsageError
        For an unknown name, or a node or batch out of range.
    """
    positive_int("digital backpropagation", "batch", batch)
    _named("memory of weights", memory, dict.fromkeys(MEMORIES, memory))
    beside = 0.0
    if memory == "dram":
        words = operations.weight_reads + operations.weight_writes
        beside = words * FORMATS[form] / DRAM_BITS * dram_price(technology.node_nm)
        operations = operations._replace(weight_reads=0, weight_writes=0)
    parts = price(
        {"image": operations.events(form).counts}, {}, technology,
        read_time=0.0, write_voltage=0.0, scenario=scenario, circuit=Circuit(memory_bytes=capacity),
    )["image"]  # fmt: skip
    words_joule = parts["sram.words_read"] + parts["sram.words_written"] + beside
    control = parts[CONTROL] + technology.control.at(scenario) * beside
    return {
        "mac": parts[f"mac.{form}"] / batch,
        "memory": words_joule / batch,
        "control": control / batch,
    }


def _named(kind: str, name: str, table: Mapping[str, T]) -> T:
    if name not in table:
        raise UsageError(f"no {kind} '{name}'{closest(name, table)} (known: {', '.join(table)}).")
    return table[name]
