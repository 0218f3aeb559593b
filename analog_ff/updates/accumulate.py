r"""Update `accumulate`: a leaky average in digital memory beside the array, then whole pulses.

.. math:: m \leftarrow \mu m + (1-\mu)\,g, \qquad n = \left\lfloor \eta\,m/\Delta W + u \right\rfloor, \quad u \sim U[0, 1)

with g the mean outer product over a batch, Delta W the nominal change of a weight by one device pulse, and n device
pulses on the weight's pair. Stochastic rounding keeps no residue: the expected change is eta m exactly, however small.
A residue with a dead band, the obvious alternative, lags behind and fails on noisy cells. `nearest` puts u = 1/2, as
the program MLP+NeuroSim does (doi:10.1109/IEDM.2017.8268337; its function is called truncate, with a threshold of 1/2):
changes below half a pulse are lost; `truncate` cuts n = trunc(eta m/Delta W) towards zero and loses what is below one.

The scheme needs converters for x and h of both passes, one memory word per weight, and 2 W multiply-adds an image.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from hardware_models.check import UsageError, in_range
from hardware_models.events import Events
from hardware_models.kernels.compile import parallel_kernel
from hardware_models.kernels.products import matmul
from hardware_models.kernels.random import uniform
from hardware_models.keys import Key
from hardware_models.port import ChipPort

ROUNDINGS = ("stochastic", "nearest", "truncate")
RANDOM_BITS = 24
"""Bits of one uniform number of the rounding."""


@parallel_kernel
def _average_and_round(memory, fresh, momentum, share, pulses_per_unit, rounding, counts, w0, w1):
    """One pass over the memory: m <- mu m + (1-mu) share g; n = floor(m pulses_per_unit + u), or trunc(m pulses_per_unit)."""
    keep = np.float32(momentum)
    take = np.float32((1.0 - momentum) * share)
    scale = np.float32(pulses_per_unit)
    half = np.float32(0.5)
    columns = memory.shape[1]
    for i in prange(memory.shape[0]):
        for j in range(columns):
            m = keep * memory[i, j] + take * fresh[i, j]
            memory[i, j] = m
            if rounding == 2:
                counts[i, j] = np.int32(np.trunc(m * scale))
            else:
                u = uniform(i * columns + j, w0, w1) if rounding == 0 else half
                counts[i, j] = np.int32(np.floor(m * scale + u))


class Accumulate:
    """The digital accumulator of one layer.

    Parameters
    ----------
    port, layer : the chip and the layer whose weights it serves.
    momentum : mu, how much of the average one batch keeps, in [0, 1[.
    rounding : a name of `ROUNDINGS`.
    """

    name = "accumulate"

    def __init__(self, port: ChipPort, layer: int, *, momentum: float = 0.98, rounding: str = "stochastic") -> None:
        self.momentum = in_range("update accumulate", "momentum", momentum, 0.0, 0.9999)
        if rounding not in ROUNDINGS:
            raise UsageError(f"update accumulate rounds {', '.join(ROUNDINGS)}, got {rounding!r}.")
        self._rounding = ROUNDINGS.index(rounding)
        self._port, self._layer = port, layer
        self._sheet = port.datasheet[layer]
        shape = (self._sheet.inputs, self._sheet.neurons)
        self.memory = np.zeros(shape, np.float32)
        self._fresh = np.empty(shape, np.float32)
        self._counts = np.empty(shape, np.int32)

    def apply(self, x: np.ndarray, d: np.ndarray, images: int, rate: float, bias_rate: float, key: Key) -> Events:
        """Bring the weights nearer to W + rate m, m the leaky average of x^T d / images.

        x (P, inputs) and d (P, neurons) float32 hold the activities of all passes (P = 2 images: positive and
        negative); the last row of the product is multiplied by `bias_rate`.
        """
        matmul(np.ascontiguousarray(x.T), d, self._fresh)
        self._fresh[-1] *= np.float32(bias_rate)
        w0, w1, _, _ = key.child("rounding").words
        _average_and_round(
            self.memory, self._fresh, self.momentum, 1.0 / images, rate / self._sheet.weight_step,
            self._rounding, self._counts, w0, w1,
        )  # fmt: skip
        weights = self.memory.size
        passes = len(x)
        counts = {
            "mac.fp32": passes * weights + 2 * weights,
            "sram.words_read": weights + passes * (self._sheet.inputs + self._sheet.neurons),
            "sram.words_written": weights + passes * (self._sheet.inputs + self._sheet.neurons),
        }
        if self._rounding == 0:
            counts["rng.bits"] = RANDOM_BITS * weights
        return Events(counts) + self._port.fire_cells(self._layer, self._counts, key=key)

    def save(self) -> dict[str, np.ndarray]:
        """Return the memory."""
        return {"memory": self.memory.copy()}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Take up the memory that `save` returned."""
        self.memory[:] = saved["memory"]
