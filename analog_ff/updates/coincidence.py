r"""Update `coincidence`: stochastic pulse trains on rows and columns, per sample, in situ, without any memory.

In each of `slots` slots, row i is on with probability :math:`A x_i` and column j with probability :math:`B |d_j|`; a cell
whose row and column are both on receives one device pulse. With A = 1/`input_scale` and B such that

.. math:: E[\Delta W_{ij}] = slots \cdot A x_i \cdot B |d_j| \cdot \Delta W = \eta\, x_i |d_j|

the expected change of a weight is that of the outer product (Gokmen and Vlasov 2016, doi:10.3389/fnins.2016.00333). One
call of the port serves one polarity. No converter, no word of memory: a comparator per line and slot against a random
reference. With `skip_silent` a line whose activity is zero has neither: it could not fire. Without an average over many
samples, noise and steps are large: the learning rate must be far smaller than with `accumulate`.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from analog_ff.updates.base import Update, drives
from hardware_models.check import positive_int
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.port import ChipPort

RANDOM_BITS = 16
"""Bits of one random reference."""


class Coincidence(Update):
    """Stochastic pulse trains for one layer, `slots` slots per sample and polarity; `skip_silent`: see the module."""

    name: ClassVar[str] = "coincidence"

    def __init__(self, port: ChipPort, layer: int, *, slots: int = 10, skip_silent: bool = False) -> None:
        self.slots = positive_int("update coincidence", "slots", slots, 1, 1000)
        self._skip = skip_silent
        self._port, self._layer = port, layer
        self._sheet = port.datasheet[layer]

    def apply(self, x: np.ndarray, d: np.ndarray, images: int, rate: float, bias_rate: float, key: Key) -> Events:
        """Fire for every sample of x (P, inputs) >= 0 and d (P, neurons); the expected change is rate x^T d / images."""
        x, d = drives(x, d)
        row_share = x / np.float32(self._sheet.input_scale)
        row_share[:, -1] *= np.float32(bias_rate)
        gain = rate / images * self._sheet.input_scale / (self.slots * self._sheet.weight_step)
        column_share = d * np.float32(gain)
        total = Events()
        for sample in range(len(x)):
            sample_key = key.child("sample", sample)
            for sign in (1, -1):
                share = np.maximum(sign * column_share[sample], 0.0)
                if share.any():
                    total = total + self._fire(row_share[sample], share, sign, sample_key.child("sign", sign))
        return total

    def _fire(self, rows: np.ndarray, columns: np.ndarray, sign: int, key: Key) -> Events:
        lines = rows.size + columns.size
        draws = key.generator().integers(0, 2**RANDOM_BITS, (self.slots, lines), dtype=np.uint32)
        # u = (draw + 1/2)/2^16 is uniform and never exactly 0 or 1.
        references = (draws.astype(np.float32) + np.float32(0.5)) / np.float32(2**RANDOM_BITS)
        row_train = references[:, : rows.size] < rows
        column_train = references[:, rows.size :] < columns
        live = int(np.count_nonzero(rows) + np.count_nonzero(columns)) if self._skip else lines
        counts = {"comparator": self.slots * live, "rng.bits": RANDOM_BITS * self.slots * live}
        return Events(counts) + self._port.fire(self._layer, row_train, column_train, sign, key=key)
