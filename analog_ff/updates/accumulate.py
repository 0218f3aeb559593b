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

from typing import ClassVar, NamedTuple, NoReturn

import numpy as np

from analog_ff.updates import ROUNDINGS, UPDATES
from analog_ff.updates.averaging import MOST, Average, Words, average_products, count_nonzeros
from analog_ff.updates.base import Update, drives
from hardware_models.check import RunError, UsageError, in_range, positive_int
from hardware_models.events import Events
from hardware_models.kernels.products import one_blas_thread, panels
from hardware_models.keys import Key
from hardware_models.port import ChipPort

RANDOM_BITS = 24
"""Bits of one uniform number of the rounding."""
WORD_BITS = 32
"""Bits of a word of memory."""
RANGES = 100
"""Times that one update may ask for the pulses of a weight's whole range. Learning that asks for more has diverged: it would only
drive the weight against its bound, where a cell takes noisy pulses one by one."""


class Batch(NamedTuple):
    """Activities of some passes, and what is stored of them."""

    x: np.ndarray  # (P, inputs) float32
    d: np.ndarray  # (P, neurons) float32
    live_x: np.ndarray  # values of each row of x that are stored and multiplied, (P,) int64
    live_d: np.ndarray  # the same of d


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
        self._gathered: list[Batch] = []
        self._port, self._layer = port, layer
        self._sheet = port.datasheet[layer]
        shape = (self._sheet.inputs, self._sheet.neurons)
        whole = 2.0 * self._sheet.weight_limit / self._sheet.weight_step  # pulses over the range of a weight
        self.most = int(min(RANGES * whole, MOST))
        self.memory = np.zeros(shape, np.float32)
        self._counts = np.empty(shape, np.int32)
        self._lost = np.empty(panels(shape[0]), np.bool_)

    def apply(self, x: np.ndarray, d: np.ndarray, images: int, rate: float, bias_rate: float, key: Key) -> Events:
        """Change the weights towards W + rate m, m the leaky average of x^T d / images, on every k-th call.

        x (P, inputs) and d (P, neurons) hold the activities of all passes (P = 2 images: positive and
        negative, less those that were gated); the last row of the product is multiplied by `bias_rate`. Raises RunError if the
        average is no longer a number, or asks for more pulses on one weight than `RANGES` times its range takes.
        """
        batch = self._batch(*drives(x, d))
        stored = Events({"sram.words_written": self._words(batch)})
        if self.every > 1:
            self._gathered.append(batch)
            if len(self._gathered) < self.every:
                return stored
            batch = Batch(*(np.concatenate(parts) for parts in zip(*self._gathered, strict=True)))
            self._gathered = []
        return stored + self._write(batch, images, rate, bias_rate, key)

    def _batch(self, x: np.ndarray, d: np.ndarray) -> Batch:
        """Return activities with the number of values of each row that are stored: all of them, or those that are not zero."""
        live = [np.full(len(values), values.shape[1]) for values in (x, d)]
        if self._skip:
            for values, number in zip((x, d), live, strict=True):
                count_nonzeros(values, number)
        return Batch(x, d, *live)

    def _words(self, batch: Batch) -> int:
        """Return the words of memory that a batch takes; where zeros are skipped, one bit marks each value."""
        marks = batch.x.size + batch.d.size if self._skip else 0
        return _words(int(batch.live_x.sum() + batch.live_d.sum()) * self.value_bits + marks)

    def _write(self, batch: Batch, images: int, rate: float, bias_rate: float, key: Key) -> Events:
        """Form the products, add them to the average, fire the pulses, and return the events."""
        activities, unit, events = self._driven(batch, key)
        momentum = self.momentum**self.every
        average = Average(
            unit=unit,
            bias_rate=np.float32(bias_rate),
            keep=np.float32(momentum),
            take=np.float32((1.0 - momentum) * (1.0 / images)),
            pulses_per_unit=np.float32(rate / self._sheet.weight_step),
            rounding=self._rounding,
            in_bytes=self.in_bytes,
            most=np.float32(self.most),
        )
        words = Words(*key.child("rounding").words[:2], *key.child("memory").words[:2])
        with one_blas_thread():
            average_products(*activities, self._lost.size, self.memory, average, words, self._counts, self._lost)
        if self._lost.any():
            self._refuse()
        weights = self.memory.size
        counts = {
            self.product: int(batch.live_x @ batch.live_d) + 2 * weights,
            "sram.words_read": self._memory_words() + self._words(batch),
            "sram.words_written": self._memory_words(),
        }
        if self._rounding == 0:
            counts["rng.bits"] = RANDOM_BITS * weights
        return events + Events(counts) + self.burst(self._port, self._layer, self._counts, key)

    def _refuse(self) -> NoReturn:
        """Raise RunError for an average that no pulses can follow."""
        wrong = f"asks for more than {self.most} pulses on one weight, {RANGES} times those of its whole range"
        if np.isnan(self.memory).any():
            wrong = "is no longer a number"
        raise RunError(
            f"the averaged update of layer {self._layer} {wrong}, so the learning has diverged; lower the learning rate."
        )

    def _driven(self, batch: Batch, key: Key) -> tuple[tuple[np.ndarray, np.ndarray], np.float32, Events]:
        """Return the activities as the products see them, the factor on the products, and the events of preparing them."""
        del key
        return (batch.x, batch.d), np.float32(1.0), Events()

    def _memory_words(self) -> int:
        """Return the words that the average takes."""
        return _words(self.memory.size * self.value_bits)

    @property
    def waiting(self) -> int:
        """Number of values of activity that wait for the next write; inputs are those of the layer below."""
        return sum(batch.d.size for batch in self._gathered)

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the memory, and the activities that wait; without `copy` these arrays are those of the update."""
        saved = {"memory": self.memory}
        for number, batch in enumerate(self._gathered):
            saved |= {f"x{number}": batch.x, f"d{number}": batch.d}
        return {name: array.copy() for name, array in saved.items()} if copy else saved

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        self.memory[:] = saved["memory"]
        number = len(saved) // 2
        self._gathered = [self._batch(np.array(saved[f"x{n}"]), np.array(saved[f"d{n}"])) for n in range(number)]
