"""The circuit around the cells: the wires, the ends at which they are driven and grounded, and what stands at each cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hardware_models.check import UsageError, in_range, shown
from hardware_models.pins import finite
from hardware_models.tables import closest

DRIVES = ("left", "right", "both")
"""Ends at which a word line is connected to its driver."""
GROUNDS = ("bottom", "top", "both")
"""Ends at which a bit line is connected to ground."""
ACCESSES = ("passive", "1t1r")
"""Arrays without transistors, and arrays whose transistors cut the cells of undriven word lines off."""
MOST_RESISTANCE = 1e9
"""Largest resistance of a segment or of an access device [Ohm]."""
MOST_CONDUCTANCE = 1e3
"""Largest conductance of a cell [S]."""


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        names = ", ".join(known)
        raise UsageError(f"wires need one of {names} for {name}, got {shown(value)}{closest(value, known)}.")
    return value


@dataclass(frozen=True)
class Circuit:
    """The wires of a crossbar and their ends."""

    r_word: float  # resistance of one segment of a word line [Ohm]
    r_bit: float  # resistance of one segment of a bit line [Ohm]
    drive: str = "left"
    ground: str = "bottom"
    access: str = "passive"

    def __post_init__(self) -> None:
        for name in ("r_word", "r_bit"):
            ohm = in_range("wires", name, self.__dict__[name], 0.0, MOST_RESISTANCE, "Ohm")
            object.__setattr__(self, name, ohm)  # a float whatever it was: kernels are compiled for one type
        _one_of("drive", self.drive, DRIVES)
        _one_of("ground", self.ground, GROUNDS)
        _one_of("access", self.access, ACCESSES)

    def word_nodes(self, columns: int) -> np.ndarray:
        """Return the number of segments that meet at each node of a word line, (columns,)."""
        return _segments(columns, self.drive != "right", self.drive != "left")

    def bit_nodes(self, rows: int) -> np.ndarray:
        """Return the number of segments that meet at each node of a bit line, (rows,)."""
        return _segments(rows, self.ground != "bottom", self.ground != "top")

    def transposed(self) -> Circuit:
        """Return the circuit whose word lines are the bit lines of this one: node 0 stays node 0."""
        ends = dict(zip(GROUNDS, ("right", "left", "both"), strict=True))
        grounds = dict(zip(DRIVES, ("top", "bottom", "both"), strict=True))
        return Circuit(self.r_bit, self.r_word, ends[self.ground], grounds[self.drive], self.access)


def _segments(nodes: int, first: bool, last: bool) -> np.ndarray:
    """Return the number of segments at each node of a chain that ends in a wire at the first node, the last node or both."""
    number = np.full(nodes, 2.0)
    number[0] -= not first
    number[-1] -= not last
    return number


def conductances(values: ArrayLike) -> np.ndarray:
    """Return the conductances of cells as (rows, columns) float64 [S]; raise UsageError if they are none."""
    g = finite("conductance", values, ("rows", "columns"), np.float64)
    if not g.size:
        raise UsageError(f"conductance needs at least one row and one column, got the shape {g.shape}.")
    if g.min() < 0.0 or g.max() > MOST_CONDUCTANCE:
        wrong = g.min() if g.min() < 0.0 else g.max()
        raise UsageError(f"conductance needs numbers in [0, {MOST_CONDUCTANCE:g}] S, got {wrong:g} S.")
    return g


def voltages(values: ArrayLike, rows: int) -> np.ndarray:
    """Return voltages as (B, rows) float64 [V] that can be written to, the type that kernels are compiled for."""
    return np.require(finite("voltage", values, (None, rows), np.float64), requirements="W")


def access_resistances(values: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    """Return the resistance in series with each cell, `shape` or one number for all [Ohm]; raise UsageError if it is none."""
    resistance = finite("access_resistance", values, np.shape(values) and shape, np.float64).reshape(np.shape(values))
    if resistance.min() < 0.0 or resistance.max() > MOST_RESISTANCE:
        wrong = resistance.min() if resistance.min() < 0.0 else resistance.max()
        raise UsageError(f"access_resistance needs numbers in [0, {MOST_RESISTANCE:g}] Ohm, got {wrong:g} Ohm.")
    return resistance
