r"""Update `accumulate`: a leaky average in digital memory beside the array, then whole pulses.

.. math:: m \leftarrow \mu m + (1-\mu)\,g, \qquad n = \left\lfloor \eta\,m/\Delta W + u \right\rfloor, \quad u \sim U[0, 1)

with g the mean outer product over a batch, Delta W the nominal change of a weight by one device pulse, and n device
pulses on the weight's pair. Stochastic rounding keeps no residue: the expected change is eta m exactly, however small.
A residue with a dead band, the obvious alternative, lags behind and fails on noisy cells. `nearest` puts u = 1/2, as
the program MLP+NeuroSim does (doi:10.1109/IEDM.2017.8268337; its function is called truncate, with a threshold of 1/2):
changes below half a pulse are lost; `truncate` cuts n = trunc(eta m/Delta W) towards zero and loses changes below one pulse.

The scheme needs converters for x and h of both passes, one memory word per weight, and 2 W multiply-adds an image.

With `write_every` = k, the activities of k batches wait in memory until all their outer products are formed at once, the
average is visited and pulses are fired,

.. math:: m \leftarrow \mu^k m + (1-\mu^k) \textstyle\sum_{i=1}^k g_i, \qquad n = \lfloor \eta\,m/\Delta W + u \rfloor,

so that m is k times as large and every g_i changes the weights by eta g_i in the end, as with k = 1. The words of the average
are read and written once in k batches. The path of the weights gets shorter, and with it the number of pulses, only for k
beyond about 1/(1-mu) batches: for unrelated g_i it is :math:`\sqrt{(1-\mu^k)(1+\mu)/(k(1+\mu^k)(1-\mu))}` times that of
k = 1, 0.999 for 10 batches at mu = .98 and 0.69 for 200. With `skip_silent` a product is formed where x_i and d_j both
differ from zero, and only these activities are stored, with one bit each that marks them: an exact saving, where a digital
engine can skip zeros.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from analog_ff.updates import ROUNDINGS, UPDATES
from analog_ff.updates.averaging import Average, Words, average_products
from analog_ff.updates.base import Update
from hardware_models.check import RunError, UsageError, in_range, positive_int
from hardware_models.events import Events
from hardware_models.kernels.products import one_blas_thread, panels
from hardware_models.keys import Key
from hardware_models.port import ChipPort

RANDOM_BITS = 24
"""Bits of one uniform number of the rounding."""
WORD_BITS = 32
"""Bits of a word of memory."""


def _words(bits: int) -> int:
    return -(-bits // WORD_BITS)


class Accumulate(Update):
    """The digital accumulator of one layer.

    Parameters
    ----------
    port, layer : the chip and the layer whose weights it serves.
    momentum : mu, how much of the average one batch keeps, in [0, 1[.
    rounding : a name of `ROUNDINGS`.
    write_every : k, calls of `apply` that are gathered before the average is visited and pulses are fired.
    skip_silent : whether products with a factor of zero are skipped.
    """

    name: ClassVar[str] = "accumulate"
    averages: ClassVar[bool] = True
    product: ClassVar[str] = "mac.fp32"
    value_bits: ClassVar[int] = UPDATES["accumulate"].memory_bits
    in_bytes: ClassVar[bool] = False  # whether the average is kept in words of 8 bits

    def __init__(
        self,
        port: ChipPort,
        layer: int,
        *,
        momentum: float = 0.98,
        rounding: str = "stochastic",
        write_every: int = 1,
        skip_silent: bool = False,
    ) -> None:
        self.momentum = in_range("update accumulate", "momentum", momentum, 0.0, 0.9999)
        if rounding not in ROUNDINGS:
            raise UsageError(f"update accumulate rounds {', '.join(ROUNDINGS)}, got {rounding!r}.")
        self._rounding = ROUNDINGS.index(rounding)
        self.every = positive_int("update accumulate", "--write-every", write_every, 1, 1_000_000)
        self._skip = skip_silent
        self._gathered: list[tuple[np.ndarray, np.ndarray]] = []
        self._port, self._layer = port, layer
        self._sheet = port.datasheet[layer]
        shape = (self._sheet.inputs, self._sheet.neurons)
        self.memory = np.zeros(shape, np.float32)
        self._counts = np.empty(shape, np.int32)
        self._lost = np.empty(panels(shape[0]), np.bool_)

    def apply(self, x: np.ndarray, d: np.ndarray, images: int, rate: float, bias_rate: float, key: Key) -> Events:
        """Change the weights towards W + rate m, m the leaky average of x^T d / images, on every k-th call.

        x (P, inputs) and d (P, neurons) float32 hold the activities of all passes (P = 2 images: positive and
        negative, less those that were gated); the last row of the product is multiplied by `bias_rate`.
        """
        stored = Events({"sram.words_written": self._words(x, d)})
        if self.every > 1:
            self._gathered.append((x, d))
            if len(self._gathered) < self.every:
                return stored
            x, d = (np.concatenate(parts) for parts in zip(*self._gathered, strict=True))
            self._gathered = []
        return stored + self._write(x, d, images, rate, bias_rate, key)

    def _words(self, x: np.ndarray, d: np.ndarray) -> int:
        """Return the words of memory that x and d take."""
        values = x.size + d.size
        if not self._skip:
            return _words(values * self.value_bits)
        return _words((int(np.count_nonzero(x)) + int(np.count_nonzero(d))) * self.value_bits + values)

    def _products(self, x: np.ndarray, d: np.ndarray) -> int:
        """Return the number of products x_i d_j that are formed."""
        if not self._skip:
            return len(x) * self.memory.size
        return int(np.count_nonzero(x, axis=1) @ np.count_nonzero(d, axis=1))

    def _write(self, x: np.ndarray, d: np.ndarray, images: int, rate: float, bias_rate: float, key: Key) -> Events:
        """Form the products, add them to the average, fire the pulses, and return the events."""
        drives, unit, events = self._driven(x, d, key)
        momentum = self.momentum**self.every
        average = Average(
            unit=unit,
            bias_rate=np.float32(bias_rate),
            keep=np.float32(momentum),
            take=np.float32((1.0 - momentum) * (1.0 / images)),
            pulses_per_unit=np.float32(rate / self._sheet.weight_step),
            rounding=self._rounding,
            in_bytes=self.in_bytes,
        )
        words = Words(*key.child("rounding").words[:2], *key.child("memory").words[:2])
        with one_blas_thread():
            average_products(*drives, self._lost.size, self.memory, average, words, self._counts, self._lost)
        if self._lost.any():
            raise RunError(
                f"the averaged update of layer {self._layer} is no longer a number, so the learning has diverged; "
                "lower the learning rate."
            )
        weights = self.memory.size
        counts = {
            self.product: self._products(x, d) + 2 * weights,
            "sram.words_read": self._memory_words() + self._words(x, d),
            "sram.words_written": self._memory_words(),
        }
        if self._rounding == 0:
            counts["rng.bits"] = RANDOM_BITS * weights
        return events + Events(counts) + self._port.fire_cells(self._layer, self._counts, key=key)

    def _driven(
        self, x: np.ndarray, d: np.ndarray, key: Key
    ) -> tuple[tuple[np.ndarray, np.ndarray], np.float32, Events]:
        """Return the activities as the products see them, the factor on the products, and the events of preparing them."""
        del key
        return (np.ascontiguousarray(x), np.ascontiguousarray(d)), np.float32(1.0), Events()

    def _memory_words(self) -> int:
        """Return the words that the average takes."""
        return _words(self.memory.size * self.value_bits)

    @property
    def waiting(self) -> int:
        """Number of values of activity that wait for the next write; inputs are those of the layer below."""
        return sum(d.size for _, d in self._gathered)

    def save(self) -> dict[str, np.ndarray]:
        """Return the memory, and the activities that wait."""
        saved = {"memory": self.memory.copy()}
        for number, (x, d) in enumerate(self._gathered):
            saved |= {f"x{number}": x.copy(), f"d{number}": d.copy()}
        return saved

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        self.memory[:] = saved["memory"]
        number = len(saved) // 2
        self._gathered = [(np.array(saved[f"x{n}"]), np.array(saved[f"d{n}"])) for n in range(number)]
