r"""Gate and quantiser of the factors of a drive: learned images change nothing, and other factors may have few bits.

The factor c of a drive d = s c g'(y) is 1 - p on a positive and -p on a negative (`analog_ff.objective.goodness`). It is near
zero where the logistic has saturated. With a threshold c_0 and b bits,

.. math:: c' = 0 \;\text{ if } |c| < c_0, \qquad
          c' = \frac{\mathrm{sign}(c)}{L} \Bigl\lfloor L\,|c| + u \Bigr\rfloor, \quad L = 2^b - 1,

with u ~ U[0, 1) drawn for every factor ("stochastic", unbiased: E[c'] = c) or u = 1/2 ("nearest"). An image whose factors are
all zero has no drive, so none of its values need be stored, converted, multiplied or fired. One stochastic bit makes an image
learn in full with the probability abs(c) and not at all otherwise.

The events of each factor are counted: one comparator for the threshold, 2^b - 1 for a quantiser of b bits, and 16 random bits
for a stochastic rounding, which makes E[c'] = c within 2^-17 / L.
"""

from __future__ import annotations

import numpy as np

from hardware_models.check import UsageError, in_range, positive_int
from hardware_models.events import Events
from hardware_models.keys import Key

ROUNDINGS = ("stochastic", "nearest")
RANDOM_BITS = 16
"""Number of random bits that round one factor."""


class Gate:
    """Threshold and quantiser for the factors of a batch.

    Parameters
    ----------
    threshold : float
        c_0 [1]; with 0 no factor is set to zero.
    bits : int, optional
        b; None does not quantise.
    rounding : str
        A name of `ROUNDINGS`.

    Raises
    ------
    UsageError
        If a number is out of range or the rounding unknown.
    """

    def __init__(self, threshold: float = 0.0, bits: int | None = None, rounding: str = "stochastic") -> None:
        self.threshold = in_range("a gate", "--gate", threshold, 0.0, 1.0)
        self.levels = 0 if bits is None else 2 ** positive_int("a gate", "--drive-bits", bits, 1, 8) - 1
        if rounding not in ROUNDINGS:
            raise UsageError(f"--drive-rounding is one of {', '.join(ROUNDINGS)}, got '{rounding}'.")
        self._stochastic = rounding == "stochastic"

    def __bool__(self) -> bool:
        """Tell whether the gate may change any factor."""
        return bool(self.threshold or self.levels)

    def __call__(self, c: np.ndarray, key: Key) -> tuple[np.ndarray, Events]:
        """Return c' in the shape and the dtype of the factors c (B, R), and the counted events."""
        counts = {}
        kept = c
        if self.threshold:
            kept = np.where(np.abs(c) < self.threshold, c.dtype.type(0), c)
            counts["comparator"] = c.size
        if self.levels:
            share: float | np.ndarray = 0.5
            if self._stochastic:
                draws = key.generator().integers(0, 2**RANDOM_BITS, c.shape, dtype=np.uint16)
                share = (draws + 0.5) / 2**RANDOM_BITS  # float64: below 1 also beside the largest level
                counts["rng.bits"] = RANDOM_BITS * c.size
            steps = np.floor(np.abs(kept, dtype=np.float64) * self.levels + share)
            kept = (np.sign(kept) * steps / self.levels).astype(c.dtype)
            counts["comparator"] = counts.get("comparator", 0) + self.levels * c.size
        return kept, Events(counts)
