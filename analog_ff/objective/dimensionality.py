r"""Effective dimensionality: how many directions the responses of a layer fill, and how to change that without negatives.

For K responses y_k of d units (rows of Y), not centred,

.. math:: C = \tfrac1K Y^\top Y, \quad t = \mathrm{tr}\,C, \quad q = \lVert C\rVert_F^2, \quad ED = t^2/q \in [1, \min(K, d)],
          \qquad \frac{\partial ED}{\partial y_k} = \frac{4t}{Kq}\Bigl(y_k - \frac tq\,C y_k\Bigr)

a Hebbian term and a lateral, decorrelating one. With S noisy copies of each of B inputs, a layer wants copies of one input
to agree and their means to differ from input to input (stochastic Forward-Forward, arXiv:2505.16649; the unsupervised form),

.. math:: L = \tfrac12 L_c + \tfrac12 L_d, \qquad L_c = \langle ED(\text{copies of input } b)\rangle_b, \qquad
          L_d = -ED(\text{means over the copies})

No threshold, no labels, no negatives. C is never formed: with the K x K matrix A = Y Yᵀ/K, t = tr A, q = |A|² and row k of
A Y is C y_k.
"""

from __future__ import annotations

import numpy as np

from analog_ff.objective.normalise import TINY
from hardware_models.check import UsageError, positive_int
from hardware_models.keys import Key


def effective_dimensionality(y: np.ndarray) -> np.ndarray:
    """Return ED of the responses y (..., K, d), shape (...); silent units everywhere give 0."""
    return _parts(y)[1]


def gradient(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return dED/dy (..., K, d) of responses y of that shape, and ED (...)."""
    gram, dimensionality, t, q = _parts(y)
    ratio = (t / q)[..., None, None]
    return 4.0 / y.shape[-2] * ratio * (y - ratio * (gram @ y)), dimensionality


def _parts(y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return A = Y Yᵀ/K, ED, t and q."""
    gram = y @ y.swapaxes(-1, -2) / y.shape[-2]
    t = np.trace(gram, axis1=-2, axis2=-1)
    q = np.square(gram).sum(axis=(-2, -1)) + TINY
    return gram, t**2 / q, t, q


class Dimensionality:
    """The loss L of one layer, its two parts and its gradient.

    Parameters
    ----------
    units : d, the layer's outputs.
    copies : S, at least 2; copies of one input are rows beside each other.
    projection : number of directions on which ED is measured: fixed, random, orthonormal (as in the paper); 0: the units
        themselves; default a fifth of them, at least 2. Measured on the units, diversity is soonest had by units that hardly
        ever fire.
    key : where the projection is drawn from; a projection needs one.

    Raises
    ------
    UsageError
        If there are too few copies, or more directions than units.
    """

    def __init__(self, units: int, *, copies: int, projection: int | None = None, key: Key | None = None) -> None:
        self.copies = positive_int("effective dimensionality", "copies", copies, 2)
        if projection is None:
            projection = min(units, max(2, units // 5))
        positive_int("effective dimensionality", "projection", projection, 0, units)
        self.directions: np.ndarray | None = None
        if projection:
            if key is None:
                raise UsageError("a random projection needs a key to be drawn from.")
            square = key.generator().standard_normal((units, projection))
            self.directions = np.linalg.qr(square)[0]

    def __call__(self, y: np.ndarray) -> tuple[float, float, np.ndarray]:
        """Return L_c, -L_d and dL/dy (B S, d) for responses y (B S, d), copies of one input beside each other."""
        seen = y if self.directions is None else y @ self.directions.astype(y.dtype)
        folded = seen.reshape(-1, self.copies, seen.shape[1])
        apart, within = gradient(folded)
        together, between = gradient(folded.mean(axis=1))
        asked = 0.5 / len(folded) * apart - 0.5 / self.copies * together[:, None, :]
        asked = asked.reshape(seen.shape)
        if self.directions is not None:
            asked = asked @ self.directions.T.astype(y.dtype)
        return float(within.mean()), float(between), asked
