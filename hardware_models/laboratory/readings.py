"""Compute the conductance of each row from what was read: a conductance, a resistance, or a current at a read voltage."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from hardware_models.check import UsageError, shown
from hardware_models.laboratory.column import Column

MOST_NEGATIVE = 0.1
"""Largest share of readings below zero that noise may explain; more mean an inverted current or an offset."""
MOST_CONDUCTANCE = 1.0
"""Largest plausible conductance of a device [S]; a larger one means a wrong unit."""

LOWEST = 0.7
"""Largest read voltage in units of the smallest pulse, if one column holds both."""
FEWEST = 0.05
"""Least share of the rows that are readings, if one column holds pulses and readings."""
_ALIKE = 0.05


class Table(Protocol):
    """The used columns of a table, as `hardware_models.laboratory.numbers.Figures` has them."""

    line: np.ndarray
    cells: Mapping[str, list[str]]
    columns: Mapping[str, Column]

    def error(self, row: int | np.integer, what: str) -> UsageError:
        """Return a UsageError that names the file and the line of a row."""
        ...

    def figures(self, name: str, *, missing: bool = False) -> np.ndarray:
        """Return a column in SI units."""
        ...


def conductance(table: Table) -> tuple[np.ndarray, list[str]]:
    """Return the conductance of each row [S], NaN without a reading, and notices about negative readings."""
    columns = table.columns
    if "conductance" in columns:
        name, g = "conductance", table.figures("conductance", missing=True)
    elif "resistance" in columns:
        name, resistance = "resistance", table.figures("resistance", missing=True)
        g = np.divide(1.0, resistance, out=np.full(len(resistance), math.nan), where=np.abs(resistance) > 1e-30)
    else:
        name, current = "current", table.figures("current", missing=True)
        volts = table.figures("read voltage", missing=True)
        if "voltage" in columns and columns["voltage"].index == columns["read voltage"].index:
            # What was measured during a pulse is no reading.
            volts = np.where(near(volts, read_level(volts) or 0.0), volts, math.nan)
        g = np.full(len(current), math.nan)
        np.divide(current, volts, out=g, where=np.abs(volts) > 1e-9)
    if (too_large := np.flatnonzero(g > MOST_CONDUCTANCE)).size:
        row = int(too_large[0])
        said = _said(table, name, row)
        shown_g = said if name == "conductance" else f"{g[row]:g} S (a {name} of {said})"
        raise table.error(row, f"too large a conductance {shown_g}; a conductance is at most {MOST_CONDUCTANCE:g} S")
    return g, _negatives(table, name, g)


def read_level(voltage: np.ndarray) -> float | None:
    """Return the read voltage [V] of a column that holds pulses and readings; None if it has no such level.

    The level is the smallest voltage (within 5 %) if it has one sign and is at most 0.7 of all others but 0 V.
    """
    size = np.abs(voltage[(voltage != 0) & np.isfinite(voltage)])
    if not size.size:
        return None
    most = (1.0 + _ALIKE) * float(size.min())
    own, others = voltage[(np.abs(voltage) <= most) & (voltage != 0)], size[size > most]
    if not others.size or most > LOWEST * others.min() or len(own) < FEWEST * len(voltage):
        return None
    return float(np.median(own)) if len(set(np.sign(own))) == 1 else None


def near(voltage: np.ndarray, level: float) -> np.ndarray:
    """Return the mask (n,) of the voltages at a level [V]."""
    return np.asarray(np.abs(voltage - level) <= 2 * _ALIKE * abs(level))


def _said(table: Table, name: str, row: int) -> str:
    """Return the text of a reading in the table, with its unit."""
    column = table.columns[name]
    said = f"{table.cells[name][row]} {column.unit}" if column.index >= 0 else column.title
    return shown(said, quoted=False)


def _negatives(table: Table, name: str, g: np.ndarray) -> list[str]:
    """Return notices about readings below zero; raise UsageError if noise cannot explain their sign.

    An instrument at the end of its range sometimes reads a little below zero. These readings are kept, because leaving out
    the lower half of the noise would raise the mean. A measured resistance has no such noise: below zero it is no reading.
    """
    below = np.flatnonzero(g < 0)
    if not below.size:
        return []
    row, known = int(below[0]), int(np.isfinite(g).sum())
    first = ", ".join(str(int(x)) for x in table.line[below[:5]])
    lines = f"line{'s' if below.size > 1 else ''} {first}{', ...' if below.size > 5 else ''}"
    words = f"{below.size} of {known} readings are negative ({lines}; the first is {_said(table, name, row)})"
    if below.size > MOST_NEGATIVE * known:
        turn = "the sign of the current or of the read voltage is turned" if name == "current" else "the sign is turned"
        raise table.error(
            row, f"{words}, more than {100 * MOST_NEGATIVE:g} %, which is no noise around zero: {turn}, or an offset was not "
            "taken off",
        )  # fmt: skip
    if name == "resistance":
        g[below] = math.nan
        return [f"{words}; a resistance is not, so they count as no readings"]
    return [f"{words}, few enough for noise around zero, as which they are read"]
