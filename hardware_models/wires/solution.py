"""The result for a crossbar's circuit: currents, potentials, and the accuracy that was reached."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Solution(NamedTuple):
    """Currents and potentials of every wire and cell for each of B inputs, with the accuracy that was reached."""

    currents: np.ndarray
    """Currents that leave the bit lines into ground, (B, columns) [A]."""
    word: np.ndarray
    """Potentials of the word lines at the cells, (B, rows, columns) [V]."""
    bit: np.ndarray
    """Potentials of the bit lines at the cells, (B, rows, columns) [V]."""
    cells: np.ndarray
    """Currents from word line to bit line through the cells, (B, rows, columns) [A]."""
    residual: np.ndarray
    """Largest error of Kirchhoff's current law at any node, relative to the largest current of a bit line, (B,) [1]."""
    bound: np.ndarray
    """Strict bound on the error of each current of a bit line, relative to the largest of them, (B,) [1].

    It is the sum of the errors of Kirchhoff's law at all nodes, rounding of float64 included.
    """
    steps: np.ndarray
    """Steps of the solver, (B,): of conjugate gradients, or of Newton's method where cells are not linear."""
    direct: np.ndarray
    """True where conjugate gradients did not reach the tolerance and the sparse direct solver did, (B,)."""
