r"""Effective dimensionality (ED), the number of directions that a layer's responses fill, and learning by it without negatives.

For K responses y_k of d units (rows of Y), not centred,

.. math:: C = \tfrac1K Y^\top Y, \quad t = \mathrm{tr}\,C, \quad q = \lVert C\rVert_F^2, \quad ED = t^2/q \in [1, \min(K, d)],
          \qquad \frac{\partial ED}{\partial y_k} = \frac{4t}{Kq}\Bigl(y_k - \frac tq\,C y_k\Bigr)

The gradient has a Hebbian term and a lateral, decorrelating one. With S noisy copies of each of B inputs, a layer should make
copies of one input agree, and their means differ from input to input (stochastic Forward-Forward, arXiv:2505.16649; the
unsupervised form),

.. math:: L = \tfrac12 L_c + \tfrac12 L_d, \qquad L_c = \langle ED(\text{copies of input } b)\rangle_b, \qquad
          L_d = -ED(\text{means over the copies})

It has no threshold, labels or negatives. C is never formed: with the K x K matrix A = Y Yᵀ/K, t = tr A, q = |A|² and row k of
A Y is C y_k.
"""

from __future__ import annotations

import numpy as np

from analog_ff.objective.normalise import TINY
from hardware_models.check import UsageError, positive_int
from hardware_models.keys import Key


def effective_dimensionality(y: np.ndarray) -> np.ndarray:
    """Return ED (...) of the responses y (..., K, d); it is 0 if all units are silent."""
    return _parts(y)[1]


def gradient(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradient dED/dy (..., K, d) for responses y (..., K, d), and ED (...)."""
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
    copies : S, at least 2; the copies of one input are adjacent rows.
    projection : number of fixed, random, orthonormal directions on which ED is measured (as in the paper); 0 measures it on
        the units themselves; the default is a fifth of the units, at least 2. Measured on the units themselves, the easiest way
        to a high ED is units that hardly ever fire.
    key : key from which the projection is drawn; required for a projection.

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
        """Return L_c, -L_d and dL/dy (B S, d) for responses y (B S, d), in which copies of one input are adjacent rows."""
        seen = y if self.directions is None else y @ self.directions.astype(y.dtype)
        folded = seen.reshape(-1, self.copies, seen.shape[1])
        apart, within = gradient(folded)
        together, between = gradient(folded.mean(axis=1))
        asked = 0.5 / len(folded) * apart - 0.5 / self.copies * together[:, None, :]
        asked = asked.reshape(seen.shape)
        if self.directions is not None:
            asked = asked @ self.directions.T.astype(y.dtype)
        return float(within.mean()), float(between), asked
