r"""Digital-to-analog converter of the word lines.

.. math:: v = V_{fs}\;\mathrm{round}\!\left(L\,\mathrm{clip}(x/s, -1, 1)\right)/L, \qquad L = 2^{bits} - 1

where s is the layer's `input_scale`. Signed inputs are driven in two phases, each with all L levels for the magnitude.
Without bits the converter is perfect: no rounding and no clipping.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hardware_models.check import positive_int
from hardware_models.kernels import quantise


@dataclass(frozen=True)
class Dac:
    """A row driver of `bits` bits (None: perfect)."""

    bits: int | None = 8
    ideal: ClassVar[bool] = True  # nothing is wrong with it but its steps

    def __post_init__(self) -> None:
        """Raise UsageError for a number of bits outside its range."""
        if self.bits is not None:
            positive_int("the DAC", "bits", self.bits, 1, 16)

    @property
    def levels(self) -> int:
        """Number of steps between zero and full scale; 0 for a perfect converter."""
        return 0 if self.bits is None else 2**self.bits - 1

    def convert(self, x: np.ndarray, scale: float) -> tuple[np.ndarray, int]:
        """Return v/V_fs (B, n) float32 for x (B, n), and the number of clipped values."""
        v = np.empty(x.shape, np.float32)
        clipped = np.empty(x.shape[0], np.int64)
        quantise.drive(np.ascontiguousarray(x, np.float32), np.float32(scale), self.levels, v, clipped)
        return v, int(clipped.sum())
