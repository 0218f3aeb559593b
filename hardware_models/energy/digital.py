r"""Energy of backpropagation on digital hardware, from the number of its operations.

With layers of n_{l-1} x n_l weights, W = sum n_{l-1} n_l, W' = W - n_0 n_1 and M = n_0 + ... + n_L, a batch of B images takes

.. math:: macs = B\,(2W + W') + u W, \quad reads = W + W' + (1 + s) W, \quad writes = (1 + s) W, \quad acts = 2 B M

multiply-adds (forward, weight gradient, errors sent back; u for the optimiser), weight words read and written, and
activation words both read and written. The optimiser keeps s words a weight: SGD u = 1, s = 0; with momentum u = 2, s = 1;
Adam u = 5 (two averages, a square, a root with its division, a step: an estimate), s = 2. A weight is fetched once a batch and
pass and serves all its images, which is what batches save. Multiply-adds of a 16-bit format add in fp32, of int8 in int32.

.. math:: E/B = (1 + c)\,[macs\,E_{mac} + (reads + writes)\,E_{word} + 2\,acts\,E_{act}]/B

with activations in 8 KB of SRAM, weights in 1 MB of SRAM or in DRAM, and c the share of clock, control and leakage. Prices
between 45 and 7 nm are interpolated in the logarithms, older nodes scale with the node itself, DRAM by the same rule; a node
below 7 nm is refused. Sources: Horowitz, ISSCC 2014, doi:10.1109/ISSCC.2014.6757323; Jouppi et al., ISCA 2021,
doi:10.1109/ISCA52012.2021.00010. All but the fp32 adder and multiplier were recalled and not read again (`RECALLED`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from hardware_models.check import UsageError, in_range, positive_int
from hardware_models.events import Events
from hardware_models.tables import closest

T = TypeVar("T")


class Price(NamedTuple):
    """Energy of one operation [J] at both ends of the interpolation."""

    at_45: float
    at_7: float


class Format(NamedTuple):
    """A number format: the bits of a word, and the price of a multiply-add."""

    bits: int
    mac: Price


class Optimiser(NamedTuple):
    """Multiply-adds and extra memory words that an optimiser needs for each weight."""

    macs: int  # u, multiply-adds an update
    words: int  # s, words that are kept


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "fp32": Format(32, Price(3.7e-12 + 0.9e-12, 1.31e-12 + 0.38e-12)),
        "fp16": Format(16, Price(1.1e-12 + 0.9e-12, 0.34e-12 + 0.38e-12)),
        "int8": Format(8, Price(0.2e-12 + 0.1e-12, 0.07e-12 + 0.03e-12)),
    }
)
"""Number formats by name: products are taken in the format itself, sums in 32 bits."""
ACCESS_BITS = 64
ACTIVATIONS = Price(10e-12, 7.5e-12)
"""Price [J] of one access of 64 bits to 8 KB of SRAM."""
MEMORIES: Mapping[str, Price] = MappingProxyType(
    {"sram": Price(100e-12, 14e-12), "dram": Price(1300e-12, 350e-12)}  # 1 MB; DDR at 45 nm, mid-range HBM2 at 7 nm
)
"""Price [J] of one access of 64 bits to the memory of the weights."""
OPTIMISERS: Mapping[str, Optimiser] = MappingProxyType(
    {"sgd": Optimiser(1, 0), "momentum": Optimiser(2, 1), "adam": Optimiser(5, 2)}
)
CONTROL: Mapping[str, float] = MappingProxyType({"low": 0.1, "nominal": 0.3, "high": 1.0})
"""Share of energy that clock, control and leakage add, by scenario (an estimate)."""
RECALLED = ("sram", "dram", "activations", "fp16", "int8")
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
        """Return the operations as counted events, with all memory words in SRAM."""
        counts = {
            f"mac.{form}": self.macs,
            "sram.words_read": self.weight_reads + self.activation_reads,
            "sram.words_written": self.weight_writes + self.activation_writes,
        }
        return Events(counts)


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


def price_at(price: Price, node: float) -> float:
    """Return a price [J] at a node [nm]: log-log interpolation from 7 to 45 nm, proportional to the node above 45 nm."""
    node = in_range("digital backpropagation", "the node", node, NEWEST, 1000.0, "nm")
    if node >= OLD:
        return price.at_45 * node / OLD
    share = math.log(node / OLD) / math.log(NEWEST / OLD)
    return price.at_45 * (price.at_7 / price.at_45) ** share


def joules(
    operations: Operations,
    batch: int,
    *,
    form: str = "fp16",
    memory: str = "sram",
    node: float = 32.0,
    scenario: str = "nominal",
) -> dict[str, float]:
    """Return the energy [J] of one image by component, from the operations of a batch.

    Parameters
    ----------
    operations, batch
        Operations as returned by `training` or `inference`, and the batch size given to that function.
    form : a name of `FORMATS`.
    memory : the memory of the weights, a name of `MEMORIES`.
    node : [nm], at least 7.
    scenario : a name of `CONTROL`; the table of prices itself has no range.

    Returns
    -------
    dict
        ``mac``, ``weights``, ``activations``, ``control``; their sum is the energy of an image.

    Raises
    ------
    UsageError
        For an unknown name, or a node or batch out of range.
    """
    bits, mac = _named("number format", form, FORMATS)
    share = _named("scenario", scenario, CONTROL)
    words = bits / ACCESS_BITS / positive_int("digital backpropagation", "batch", batch)
    store = price_at(_named("memory of weights", memory, MEMORIES), node)
    components = {
        "mac": operations.macs * price_at(mac, node) / batch,
        "weights": (operations.weight_reads + operations.weight_writes) * words * store,
        "activations": (operations.activation_reads + operations.activation_writes)
        * words
        * price_at(ACTIVATIONS, node),
    }
    return components | {"control": share * math.fsum(components.values())}


def _named(kind: str, name: str, table: Mapping[str, T]) -> T:
    if name not in table:
        raise UsageError(f"no {kind} '{name}'{closest(name, table)} (known: {', '.join(table)}).")
    return table[name]
