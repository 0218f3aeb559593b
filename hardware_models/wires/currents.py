"""The one door to the currents of a crossbar with wires."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from hardware_models.wires.laws import Law
from hardware_models.wires.linear import Wires
from hardware_models.wires.newton import solve_law
from hardware_models.wires.solution import Solution


@overload
def solve(
    conductance: ArrayLike, voltage: ArrayLike, r_word: float, r_bit: float, *, law: Law | None = None, drive: str = "left",
    ground: str = "bottom", access: str = "passive", access_resistance: ArrayLike = 0.0, tolerance: float = 1e-6,
    direct: bool = False, full: Literal[False] = False,
) -> np.ndarray: ...  # fmt: skip
@overload
def solve(
    conductance: ArrayLike, voltage: ArrayLike, r_word: float, r_bit: float, *, law: Law | None = None, drive: str = "left",
    ground: str = "bottom", access: str = "passive", access_resistance: ArrayLike = 0.0, tolerance: float = 1e-6,
    direct: bool = False, full: Literal[True],
) -> Solution: ...  # fmt: skip
def solve(
    conductance: ArrayLike, voltage: ArrayLike, r_word: float, r_bit: float, *, law: Law | None = None, drive: str = "left",
    ground: str = "bottom", access: str = "passive", access_resistance: ArrayLike = 0.0, tolerance: float = 1e-6,
    direct: bool = False, full: bool = False,
) -> np.ndarray | Solution:  # fmt: skip
    """Return the exact currents of a crossbar with wire resistance.

    A driver of v_i stands before each word line, one segment of wire from its first cell. Each bit line is grounded one segment
    behind its last cell. Between neighbouring cells of a line is one segment. Cell (i, j) joins word line i to bit line j.

    Parameters
    ----------
    conductance : conductances of the cells, (rows, columns) [S]; 0 is an open cell.
    voltage : voltages of the drivers, (B, rows) [V].
    r_word : resistance of one segment of a word line [Ohm]; 0 is an ideal wire.
    r_bit : resistance of one segment of a bit line [Ohm].
    law : law I(G, V) of cells that are not linear: `Sinh`, `Polynomial`, `Selector`, or an object with their methods.
    drive : the driven end of the word lines: "left" (before column 0), "right", or "both" with the same voltage.
    ground : the grounded end of the bit lines: "bottom" (behind the last row), "top", or "both", whose currents are added.
    access : "passive", or "1t1r", where the transistors of word lines at 0 V are off, so that no current sneaks through them.
    access_resistance : resistance in series with each cell, one number or (rows, columns) [Ohm].
    tolerance : largest relative error of each current; a current below 1e-6 of the largest counts as 1e-6 of it.
    direct : True leaves the iterations out and solves the sparse system directly.
    full : True returns a `Solution`: potentials, currents of the cells, residual, bound on the error, steps.

    Returns
    -------
    currents : currents into ground, (B, columns) [A], or a `Solution`.

    Raises
    ------
    UsageError : a shape, a number or a name is wrong.
    RunError : an input reaches the tolerance by no method.

    Notes
    -----
    Every line is a tridiagonal system. Conjugate gradients on the bit lines' currents, with the word lines eliminated, solve all
    lines exactly in each step (`hardware_models/kernels/wires.py`). The sum of what Kirchhoff's law leaves at all nodes is a
    strict bound on the error of each current, and it stops the iterations. An input that does not get there is solved by sparse
    LU factors, and `Solution.direct` says so. Where the rounding of float64 is larger than the tolerance of a small current, and
    at most 1e-6 of the largest current, the rounding is reached, and `Solution.bound` gives it.
    """
    wires = Wires(
        conductance, r_word, r_bit, drive=drive, ground=ground, access=access, access_resistance=access_resistance,
        tolerance=tolerance, direct=direct,
    )  # fmt: skip
    return wires.solve(voltage, full=full) if law is None else solve_law(wires, law, voltage, full=full)
