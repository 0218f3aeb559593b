r"""Digital correction of an old chip: the scale of its neurons is measured again, and nothing is learned anew.

A drifted layer answers z' where it answered z when it was fresh. Its mean m and its deviation s over some images are measured
when the chip is fresh and again when it is old, and from then on

.. math:: y_j = \alpha_j f(z'_j + b_j), \qquad \alpha_j = s_j/s'_j, \qquad b_j = m_j/\alpha_j - m'_j

for each neuron j, so that :math:`\alpha_j (z'_j + b_j)` has the mean and the deviation of before; a neuron with s = 0 or s' = 0
keeps :math:`\alpha_j = 1`. With one factor for each layer, b = 0 and alpha is the ratio of the layer's root mean squares of z.
For a rectifier, and for a linear neuron, this is the same as correcting z; the output of another curve is multiplied. The images
need no labels, and no cell is written. One factor a layer, and statistics of each neuron, are the two corrections of Joshi et
al., Nature Communications 11:2473 (2020), doi:10.1038/s41467-020-16108-9.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.port import ChipPort, LayerSheet


class Moments(NamedTuple):
    """Mean and mean square of each neuron's z over the rows that were read, (neurons,) float64."""

    mean: np.ndarray
    square: np.ndarray

    @property
    def deviation(self) -> np.ndarray:
        """Return the standard deviation of each neuron's z, (neurons,)."""
        found: np.ndarray = np.sqrt(np.maximum(self.square - self.mean**2, 0.0))
        return found


class Correction(NamedTuple):
    """Correction of a layer's neurons: y = factor f(z + offset), (neurons,) float32 each."""

    factor: np.ndarray
    offset: np.ndarray


def of_the_layer(fresh: Moments, old: Moments) -> Correction:
    """Return one factor for all neurons: the ratio of the layer's root mean squares of z, fresh over old; 1 without signal."""
    now = float(old.square.mean())
    factor = np.sqrt(float(fresh.square.mean()) / now) if now > 0.0 else 1.0
    return Correction(np.full(old.mean.shape, factor, np.float32), np.zeros(old.mean.shape, np.float32))


def of_each_neuron(fresh: Moments, old: Moments) -> Correction:
    """Return the correction that gives each neuron's z the mean and the deviation that it had when the chip was fresh."""
    now = old.deviation
    factor = np.divide(fresh.deviation, now, out=np.ones_like(now), where=(now > 0.0) & (fresh.deviation > 0.0))
    return Correction(factor.astype(np.float32), (fresh.mean / factor - old.mean).astype(np.float32))


class RescaledPort:
    """The pins of a chip behind a digital correction of its neurons, which can also measure what the correction needs.

    Parameters
    ----------
    port : ChipPort
        The chip; every pin but `observe` is its own.
    """

    def __init__(self, port: ChipPort) -> None:
        self.port = port
        self.shapes, self.pins, self.datasheet = port.shapes, port.pins, port.datasheet
        self.corrections: dict[int, Correction] = {}
        self._watched: frozenset[int] = frozenset()
        self._sums: dict[int, tuple[int, np.ndarray, np.ndarray]] = {}

    def watch(self, layers: Collection[int]) -> None:
        """Measure z of these layers from now on, by a read beside every observation of them; forget what was measured."""
        self._watched, self._sums = frozenset(layers), {}

    def moments(self) -> dict[int, Moments]:
        """Return the moments of z of every layer that was watched and observed, over all rows and passes."""
        return {layer: Moments(total / rows, square / rows) for layer, (rows, total, square) in self._sums.items()}

    def observe(
        self, layer: int, x: np.ndarray, *, bias: ArrayLike | None = None, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return y = factor f(z + bias + offset), (B, neurons) float32, and the events, one multiply-add a value among them."""
        measured = self._measure(layer, x, key.child("watched"), array) if layer in self._watched else Events()
        correction = self.corrections.get(layer)
        if correction is None:
            y, events = self.port.observe(layer, x, bias=bias, key=key, array=array)
            return y, measured + events
        offset = correction.offset if bias is None else np.asarray(bias, np.float32) + correction.offset
        y, events = self.port.observe(layer, x, bias=offset, key=key, array=array)
        digital = {"add.fp32": y.size, "mac.fp32": y.size, "sram.words_read": 2 * y.shape[1]}
        return y * correction.factor, measured + events + Events(digital)

    def _measure(self, layer: int, x: np.ndarray, key: Key, array: str) -> Events:
        z, events = self.port.read(layer, x, key=key, array=array)
        exact = z.astype(np.float64)
        before = self._sums.get(layer, (0, np.zeros(z.shape[1]), np.zeros(z.shape[1])))
        sums = before[1] + exact.sum(axis=0), before[2] + np.square(exact).sum(axis=0)
        self._sums[layer] = (before[0] + len(z), *sums)
        return events + Events({"mac.fp32": z.size, "add.fp32": z.size})

    def read(self, layer: int, x: np.ndarray, *, key: Key, array: str = "main") -> tuple[np.ndarray, Events]:
        """Return z of the chip, uncorrected, and the events."""
        return self.port.read(layer, x, key=key, array=array)

    def sheet(self, layer: int, array: str = "main") -> LayerSheet:
        """Return the data sheet of an array of the chip."""
        return self.port.sheet(layer, array)

    def read_rows(
        self, layer: int, rows: np.ndarray, *, full_scale: float, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return the weights of word lines of the chip, and the events."""
        return self.port.read_rows(layer, rows, full_scale=full_scale, key=key, array=array)

    def observe_transposed(
        self, layer: int, d: np.ndarray, *, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return d W^T (B, inputs) of the chip, uncorrected, and the events."""
        return self.port.observe_transposed(layer, d, key=key, array=array)

    def fire(
        self, layer: int, rows: np.ndarray, columns: np.ndarray, sign: int, *, key: Key, array: str = "main"
    ) -> Events:
        """Fire pulse trains on the chip."""
        return self.port.fire(layer, rows, columns, sign, key=key, array=array)

    def fire_cells(self, layer: int, counts: np.ndarray, *, key: Key, array: str = "main") -> Events:
        """Fire pulses at the chip's weights."""
        return self.port.fire_cells(layer, counts, key=key, array=array)

    def program(self, layer: int, weights: np.ndarray, *, key: Key, array: str = "main") -> Events:
        """Ask the chip for weights."""
        return self.port.program(layer, weights, key=key, array=array)

    def wait(self, seconds: float, *, key: Key) -> Events:
        """Let the chip's clock run."""
        return self.port.wait(seconds, key=key)

    def calibrate(self, layer: int, *, kind: str, reads: int, key: Key, transposed: bool = False) -> Events:
        """Calibrate the chip's converters."""
        return self.port.calibrate(layer, kind=kind, reads=reads, key=key, transposed=transposed)

    def save(self) -> dict[str, np.ndarray]:
        """Return the state of the chip; the correction is no part of it."""
        return self.port.save()

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Restore the state of the chip."""
        self.port.restore(state)
