r"""Update `accumulate-int8`: the leaky average of `accumulate` in words of 8 bits, its products in integers.

.. math:: \hat x = s_x \lfloor x/s_x \rceil, \quad \hat d = s_d \lfloor d/s_d + u \rfloor, \quad
          v = \mu m + (1-\mu)\,\langle \hat x^\top \hat d \rangle, \quad
          m_{ij} \leftarrow s_i \lfloor v_{ij}/s_i + u' \rfloor

x and y come from converters of about 8 bits anyway. s_x = `input_scale`/127; s_d = max abs(d)/127 over the batch; s_i is the
smallest power of two, from 2^-126 on, with abs(v_ij) <= 127 s_i in row i: one exponent of 8 bits a word line (block floating
point). Rounding d and m
stochastically keeps them unbiased: the mean of m is that of `accumulate` but for the rounding of x to the nearest step. A
multiply-add in integers is priced at 1/15 of one in fp32 (Horowitz, ISSCC 2014), and four words share one of 32 bits.

The noise that the rounding of m adds has a deviation of at most s_i/2 per visit, :math:`s_i/(2\sqrt{1-\mu^2})` in total: at
mu = .98, 2.5 s_i, which is 2 to 4 % of the largest abs(m) of the row.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from analog_ff.updates import UPDATES
from analog_ff.updates.accumulate import RANDOM_BITS, WORD_BITS, Accumulate, Batch
from analog_ff.updates.averaging import LARGEST, nearest_steps, stochastic_steps
from hardware_models.events import Events
from hardware_models.keys import Key

DRIVE_BITS = 16
"""Bits of the random number that rounds one d."""


class AccumulateInt8(Accumulate):
    """The digital accumulator of one layer in words of 8 bits; see the module, and `Accumulate` for the parameters."""

    name: ClassVar[str] = "accumulate-int8"
    product: ClassVar[str] = "mac.int8"
    value_bits: ClassVar[int] = UPDATES["accumulate-int8"].memory_bits
    in_bytes: ClassVar[bool] = True

    def _driven(self, batch: Batch, key: Key) -> tuple[tuple[np.ndarray, np.ndarray], np.float32, Events]:
        """Return the rounded activities in units of their steps; float32 holds sums of their products exactly up to 2^24."""
        step_x = np.float32(self._sheet.input_scale / LARGEST)
        step_d = np.float32(np.abs(batch.d).max(initial=0.0) / LARGEST)
        if not step_d:
            return super()._driven(batch, key)
        draws = key.child("drive").generator().integers(0, 2**DRIVE_BITS, batch.d.shape, dtype=np.uint16)
        rounded, asked = np.empty_like(batch.x), np.empty_like(batch.d)
        nearest_steps(batch.x, step_x, rounded)
        stochastic_steps(batch.d, step_d, draws, asked)
        return (rounded, asked), step_x * step_d, Events({"rng.bits": DRIVE_BITS * int(batch.live_d.sum())})

    def _write(self, batch: Batch, images: int, rate: float, bias_rate: float, key: Key) -> Events:
        """Write as `Accumulate` does, and count the random bits that the memory's own rounding takes."""
        events = super()._write(batch, images, rate, bias_rate, key)
        return Events({"rng.bits": RANDOM_BITS * self.memory.size}) + events

    def _memory_words(self) -> int:
        """Return the words of the average, with an exponent of 8 bits for each row."""
        return -(-(self.memory.size + len(self.memory)) * self.value_bits // WORD_BITS)
