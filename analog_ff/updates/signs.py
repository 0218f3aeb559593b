r"""Signs with which a fast array is charged and read, so that what its cells add by themselves cancels.

A cell that is charged by s_ij g_ij, and read with the same sign, tells

.. math:: s_{ij}\,(s_{ij}\,g_{ij} + b_{ij}) = g_{ij} + s_{ij}\,b_{ij}, \qquad s_{ij} = r_i\,c_j

b_ij is what its asymmetry and its zero offset add, whatever the sign. With `inversion` every s changes sign at the end of a
period (polarity inversion: S. Ambrogio et al., Nature 558, 60 (2018), doi:10.1038/s41586-018-0180-5), so that b cancels over two
periods. With `choppers` r and c are drawn anew, each +1 or -1, so that it cancels in the mean (choppers of c-TTv2: M. J. Rasch
et al., Nature Communications 15, 7133 (2024), doi:10.1038/s41467-024-51221-z, which draws for rows, one after the other:
`Signs.chop`). No word of memory a weight is needed: a bit a line.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analog_ff.updates import CANCELS
from hardware_models.check import UsageError
from hardware_models.keys import Key

NONE, INVERSION, CHOPPERS, ZERO_SHIFT = CANCELS


class Signs:
    """The signs r (rows,) and c (columns,) of an array, int8, which begin at +1.

    `kind` is one of `analog_ff.updates.CANCELS`; any other raises UsageError.
    """

    def __init__(self, rows: int, columns: int, kind: str) -> None:
        if kind not in CANCELS:
            raise UsageError(f"a fast array cancels by {', '.join(CANCELS)}, got {kind!r}.")
        self.kind = kind
        self.rows, self.columns = np.ones(rows, np.int8), np.ones(columns, np.int8)

    @property
    def turns(self) -> bool:
        """True if the signs change from period to period."""
        return self.kind in (INVERSION, CHOPPERS)

    def turn(self, key: Key) -> None:
        """Begin a new period."""
        if self.kind == INVERSION:
            self.rows = -self.rows
        elif self.kind == CHOPPERS:
            draws = key.generator().integers(0, 2, self.rows.size + self.columns.size, dtype=np.int8)
            self.rows, self.columns = np.split(2 * draws - 1, [self.rows.size])

    def chop(self, probability: float, key: Key) -> None:
        """Change the sign of each row with a probability."""
        changed = key.generator().random(self.rows.size) < probability
        self.rows = np.where(changed, -self.rows, self.rows).astype(np.int8)

    def on(self, readings: np.ndarray) -> np.ndarray:
        """Return readings (rows, columns) with the signs taken off."""
        signed: np.ndarray = readings * self.rows[:, None] * self.columns
        return signed

    def save(self) -> dict[str, np.ndarray]:
        """Return the state as arrays."""
        return {"rows": self.rows.copy(), "columns": self.columns.copy()}

    def restore(self, saved: Mapping[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        self.rows, self.columns = np.array(saved["rows"]), np.array(saved["columns"])
