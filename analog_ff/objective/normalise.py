"""Functions that keep activities in range: the normalised length of a layer's output, and a push of units to their mean."""

from __future__ import annotations

import numpy as np

TINY = 1e-20
"""Constant epsilon, added to the mean square: far below any activity, and large enough for float32."""


def rms(y: np.ndarray) -> np.ndarray:
    r"""Return y scaled to a mean square of 1 in each row; a row of zeros stays 0.

    .. math:: a = y \Big/ \sqrt{\tfrac1n \textstyle\sum_j y_j^2 + \epsilon}, \qquad |a|^2 = n

    (B, n) -> (B, n). The length is a layer's goodness and must not reach the next layer; only the direction does
    (Hinton, arXiv:2212.13345, 2).
    """
    mean_square = np.einsum("ij,ij->i", y, y) / y.shape[1]
    return y / np.sqrt(mean_square + TINY)[:, None]


class PeerNorm:
    r"""Push of each unit towards the mean of its peers (Hinton, arXiv:2212.13345, 3.2, and his code).

    .. math:: d_j \mathrel{+}= \lambda\,(\tfrac1n \textstyle\sum_k m_k - m_j), \qquad
              m \leftarrow \rho m + (1-\rho)\,\langle y\rangle

    The push does not depend on whether a unit is on: it revives a silent unit and damps a hyperactive one.

    Parameters
    ----------
    neurons : number of units.
    strength : lambda [1].
    decay : rho, the share of the running mean that is kept from batch to batch.
    start : initial running mean.
    """

    def __init__(self, neurons: int, *, strength: float = 0.03, decay: float = 0.9, start: float = 0.5) -> None:
        self.strength = strength
        self.decay = decay
        self.mean = np.full(neurons, start, np.float64)

    def term(self, y: np.ndarray) -> np.ndarray:
        """Return the push (neurons,) in the dtype of y, computed from the running mean before `update`."""
        return (self.strength * (self.mean.mean() - self.mean)).astype(y.dtype)

    def update(self, y: np.ndarray) -> None:
        """Update the running mean with the batch mean of y (B, neurons), in float64."""
        self.mean = self.decay * self.mean + (1.0 - self.decay) * y.mean(axis=0, dtype=np.float64)
