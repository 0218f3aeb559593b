r"""Analog-to-digital converter of the bit-line pairs, including the read noise at its input.

.. math:: z = \sum_t \Delta\,\mathrm{clip}\!\left(\mathrm{round}((z_t + \sigma_t\xi)/\Delta), -L, L\right),
          \qquad \Delta = Z_{fs}/L,\quad L = 2^{bits-1} - 1

The sum runs over the row tiles t, in units of z; Z_fs is the layer's full scale `adc_range`. Without bits the converter is
perfect: no rounding and no clipping.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hardware_models.check import in_range, positive_int
from hardware_models.kernels import quantise
from hardware_models.keys import Key

NO_NOISE = np.zeros((0, 0, 1), np.float32)
"""Standard deviations of a read without noise, for the kernels."""


@dataclass(frozen=True)
class Adc:
    """A converter of `bits` bits (None: perfect) over plus and minus `full_scale` [units of z]."""

    bits: int | None = 8
    full_scale: float = 8.0
    ideal: ClassVar[bool] = True  # nothing is wrong with it but its steps

    def __post_init__(self) -> None:
        """Raise UsageError for a number of bits or a full scale outside its range."""
        if self.bits is not None:
            positive_int("the ADC", "bits", self.bits, 2, 16)
        in_range("the ADC", "full_scale", self.full_scale, 1e-9, 1e9)

    @property
    def levels(self) -> int:
        """Number of steps on each side of zero; 0 for a perfect converter."""
        return 0 if self.bits is None else 2 ** (self.bits - 1) - 1

    def convert(self, partial: np.ndarray, scale: float, sigma: np.ndarray | None, key: Key) -> tuple[np.ndarray, int]:
        """Return z (B, n) float32, summed over tiles, and the number of clipped values.

        partial is (T, B, n) [A] float32; scale [1/A] converts to units of z; sigma (T, B, 1 or n) is the standard deviation
        of the read noise [units of z], None without noise.
        """
        _, batch, columns = partial.shape
        z = np.empty((batch, columns), np.float32)
        clipped = np.empty(batch, np.int64)
        noise = NO_NOISE if sigma is None else np.ascontiguousarray(sigma, np.float32)
        w0, w1, _, _ = key.words
        quantise.digitise(
            partial, np.float32(scale), noise, np.float32(self.full_scale), self.levels, z, clipped, w0, w1,
        )  # fmt: skip
        return z, int(clipped.sum())

    def of_tiles(self, tiles: np.ndarray) -> Adc:
        """Return the bank that converts partial sum k by the converters of tile tiles[k]: where all are alike, this one."""
        del tiles
        return self

    def of_tile(self, tile: int) -> Adc:
        """Return the converters of one tile: where all are alike, this bank."""
        del tile
        return self

    def chosen(self, places: np.ndarray) -> Adc:
        """Return the converters of a bank at flat places as one tile: where all are alike, this one."""
        del places
        return self
