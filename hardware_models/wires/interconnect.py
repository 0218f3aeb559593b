"""The wires of an array as a chip is asked for them: their resistance, and how closely reads follow them."""

from __future__ import annotations

from dataclasses import dataclass

from hardware_models.check import UsageError, in_range, positive_int

MODES = ("refreshed", "exact")
"""Ways in which the matrix of an array follows its cells: shares that are refreshed, exact solutions after every change."""


@dataclass(frozen=True)
class Interconnect:
    """The wires of an array's tiles, and how closely they are followed.

    Parameters
    ----------
    r_word : float
        Resistance of a word line from cell to cell, and from its driver to its first cell [Ohm].
    r_bit : float
        Resistance of a bit line from cell to cell, and from its last cell to ground [Ohm].
    mode : "refreshed" or "exact"
        Whether the matrix follows its cells by shares between two exact solutions, or is solved after every change.
    tolerance : float
        Largest error of a current, relative to the largest current of its tile, before the shares are computed anew [1].
    every : int
        Reads of changed cells between two comparisons with an exact solution.

    Raises
    ------
    UsageError
        For a value outside its range.
    """

    r_word: float
    r_bit: float
    mode: str = "refreshed"
    tolerance: float = 0.005
    every: int = 40

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"wires are followed in one of the modes {', '.join(MODES)}, got {self.mode!r}.")
        in_range("wires", "r_word", self.r_word, 0.0, 1e9, "Ohm")
        in_range("wires", "r_bit", self.r_bit, 0.0, 1e9, "Ohm")
        in_range("wires", "tolerance", self.tolerance, 1e-6, 0.5)
        positive_int("wires", "every", self.every)
