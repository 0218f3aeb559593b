r"""Crosstalk between columns: every neuron also sees the sums of its neighbours, by a fixed matrix that nobody knows.

.. math:: y = \max(C z, 0), \qquad C_{jj} = \sqrt{1 - \kappa}, \quad
          C_{jk} = \sqrt{\kappa}\,\frac{n_{jk}}{|n_j|}, \quad n_{jk} = \xi_{jk}\, e^{-(|j - k| - 1)/\ell}

with xi independent standard normal numbers of either sign. kappa is the share of the power of a neuron's input that belongs to
other columns where all z are independent and equally large: a row of C has the length one. The box is one of the whole layer: no
neuron has a curve of its own. The law is invented, without a source; it stands for lines that couple over a few neighbours (ell)
in a way that the layout decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_models.check import in_range
from hardware_models.kernels.products import matmul
from hardware_models.keys import Key


class _Coupled:
    """Neurons of one layer behind a matrix that is private to the chip."""

    __slots__ = ("__matrix",)

    def __init__(self, matrix: np.ndarray) -> None:
        self.__matrix = matrix

    def __call__(self, z: np.ndarray) -> np.ndarray:
        return np.maximum(matmul(z, self.__matrix), np.float32(0.0))


@dataclass(frozen=True)
class Crosstalk:
    """Rectifiers whose inputs leak into one another.

    Parameters
    ----------
    share : float
        kappa, share of the power of an input that comes from other columns [1].
    reach : float
        ell, distance over which the coupling falls by a factor of e [columns].

    Raises
    ------
    UsageError
        If one of them is out of range.
    """

    name: str = "crosstalk"
    analog: bool = True
    share: float = 0.5
    reach: float = 3.0

    def __post_init__(self) -> None:
        """Refuse figures that no layer has."""
        owner = f"the nonlinearity {self.name}"
        in_range(owner, "share", self.share, 0.0, 1.0)
        in_range(owner, "reach", self.reach, 0.0, 1e6, "columns", low_open=True)

    def fabricate(self, neurons: int, key: Key) -> _Coupled:
        """Return the neurons of one layer with a matrix drawn from `key`; a single neuron has no neighbour and no crosstalk."""
        if neurons == 1:
            return _Coupled(np.ones((1, 1), np.float32))
        place = np.arange(neurons)
        apart = np.abs(place[:, None] - place)
        coupling = key.generator().standard_normal((neurons, neurons)) * np.exp((1.0 - apart) / self.reach)
        np.fill_diagonal(coupling, 0.0)
        coupling /= np.linalg.norm(coupling, axis=1, keepdims=True)
        matrix = np.sqrt(1.0 - self.share) * np.eye(neurons) + np.sqrt(self.share) * coupling
        return _Coupled(np.ascontiguousarray(matrix.T, np.float32))
