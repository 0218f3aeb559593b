"""The circuit of a crossbar as one sparse system, solved directly: slower than conjugate gradients, and without steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hardware_models.wires.circuit import Circuit

if TYPE_CHECKING:
    from scipy.sparse import dia_array


class SparseDirect:
    """LU factors of the equations of all lines (see `hardware_models/kernels/wires.py`) for one set of cells.

    .. math:: (K + r_w D) a + r_b D b = s,  r_w D a + (K + r_b D) b = s
    """

    def __init__(self, cells: np.ndarray, circuit: Circuit) -> None:
        from scipy.sparse import block_array, diags_array, eye_array, kron
        from scipy.sparse.linalg import splu

        rows, columns = cells.shape
        d = diags_array(cells.ravel())
        word = kron(eye_array(rows), _chain(circuit.word_nodes(columns)))
        bit = kron(_chain(circuit.bit_nodes(rows)), eye_array(columns))
        matrix = block_array(
            [[word + circuit.r_word * d, circuit.r_bit * d], [circuit.r_word * d, bit + circuit.r_bit * d]],
            format="csc",
        )
        self._matrix = matrix
        self._factors = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})

    def solve(self, source: np.ndarray) -> np.ndarray:
        """Return the currents `b` of the bit lines (rows, columns) [A] for currents `source` s (rows, columns) [A].

        One step of iterative refinement takes the rounding of the factors back.
        """
        s = np.concatenate([source.ravel(), source.ravel()])
        x = self._factors.solve(s)
        x += self._factors.solve(s - self._matrix @ x)
        return x[source.size :].reshape(source.shape)


def _chain(nodes: np.ndarray) -> dia_array:
    """Return K of one line: the numbers of segments on the diagonal, -1 beside it."""
    from scipy.sparse import diags_array

    beside = np.full(nodes.size - 1, -1.0)
    return diags_array([beside, nodes, beside], offsets=[-1, 0, 1], shape=(nodes.size, nodes.size))
