"""Convert the cells of a table into SI units and conductances; leave out and count rows without a reading."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from hardware_models.check import UsageError, shown
from hardware_models.laboratory.columns import Column, Columns
from hardware_models.laboratory.text import Sheet

MOST_MISSING = 0.1
"""Largest share of readings that may be missing."""
MOST_NEGATIVE = 0.1
"""Largest share of readings below zero that noise may explain; more mean an inverted current or an offset."""
OVERFLOW = 9.8e37
"""Least number that means no reading: instruments write 9.9e37 for an overflow and 9.91e37 for no number."""
MOST_CONDUCTANCE = 1.0
"""Largest plausible conductance of a device [S]; a larger one means a wrong unit."""
NO_NUMBER = {"", "-", "--", "---", "*", "nan", "na", "n/a", "#n/a", "null", "none", "inf", "infinity", "overflow", "ovrflw",
             "ovld", "over", "overrange", "ol", "oor", "err", "error", "invalid", "missing", "n.a.", "?", "#num!", "#div/0!",
             "#value!", "#ref!", "#null!", "1.#inf", "1.#ind", "1.#qnan", "1.#snan", "nan(ind)", "nan(snan)"}  # fmt: skip
"""Texts that instruments and spreadsheets write if there is no number."""
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:[.,]\d{3})+")
"""A text that may be a whole number with separators of thousands."""
FEWEST_GROUPED = 10
"""Different numbers of that form that a column needs to have, and no other form but whole numbers below 1000."""
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d{1,6})?")


@dataclass(frozen=True)
class Rows:
    """The rows of a table, in the order of the file."""

    line: np.ndarray  # (n,) number of the line in the file
    g: np.ndarray  # (n,) conductance after the pulse [S], NaN where there is no reading
    sign: np.ndarray  # (n,) +1, -1, or 0: no pulse
    cell: list[str] | None
    cycle: list[str] | None
    pulse: np.ndarray | None  # (n,) number of the pulse
    time: np.ndarray | None  # (n,) in the table's own unit, NaN if it is not a number
    voltage: np.ndarray | None  # (n,) [V]
    width: np.ndarray | None  # (n,) [s]
    decimal: str  # "point" or "comma"
    notices: tuple[str, ...]


POLARITIES = {"up": 1, "set": 1, "potentiation": 1, "pot": 1, "ltp": 1, "positive": 1, "pos": 1, "p": 1, "program": 1, "+": 1,
              "down": -1, "reset": -1, "depression": -1, "dep": -1, "ltd": -1, "negative": -1, "neg": -1, "n": -1, "d": -1,
              "erase": -1, "-": -1}  # fmt: skip


def rows_of(sheet: Sheet, columns: Columns) -> Rows:
    """Return the rows of a sheet in SI units; raise UsageError, with the line, if a cell cannot be read."""
    standing = {name: column for name, column in columns.found.items() if column.index >= 0}
    line, texts = sheet.pick([column.index for column in standing.values()], columns.skip)
    if not len(line):
        last = sheet.head + columns.skip + 1
        raise UsageError(f"{sheet.where}, line {last}: no rows after the header; one row a pulse is needed.")
    cells = dict(zip(standing, texts, strict=True))
    for name in ("cell", "cycle"):
        if "" in cells.get(name, ()):
            row = cells[name].index("")
            raise UsageError(f"{sheet.where}, line {int(line[row])}: the {name} is empty; each row needs its own.")
    numeric = [name for name in cells if name not in ("cell", "cycle", "polarity", "time")]
    figures = [cells[name] for name in numeric]
    comma = _decimal_comma(sheet, line, figures)
    unsure = _thousands(sheet, line, figures)
    table = _Cells(sheet.where, line, cells, columns, comma)
    g, notices = _conductance(table)
    time = None
    if "time" in cells:
        time = np.array([math.nan if (x := value_of(c, comma)) is None else x for c in cells["time"]])
    pulse = table.figures("pulse") if "pulse" in cells else None
    if pulse is not None and (bad := np.flatnonzero((pulse != np.round(pulse)) | (pulse < 0) | (pulse > 1e9))).size:
        raise table.error(bad[0], f"the pulse number should be a whole number, got {shown(cells['pulse'][bad[0]])}")
    voltage = table.figures("voltage") if "voltage" in cells else None
    width = table.figures("width") if "width" in columns.found else None
    sign = _signs(table) if "polarity" in cells else np.sign(voltage if voltage is not None else np.zeros(0))
    return Rows(line, g, sign.astype(np.int8), cells.get("cell"), cells.get("cycle"), pulse, time, voltage, width,
                "comma" if comma else "point", (*unsure, *notices))  # fmt: skip


def value_of(text: str, comma: bool) -> float | None:
    """Return the number in a cell of text; NaN if the text means "no number", None if it is not a number."""
    number = text.replace("\u2212", "-").replace("\xa0", "").replace(" ", "").replace("\u202f", "")
    if comma:
        number = number.replace(",", ".")
    if NUMBER.fullmatch(number):
        value = float(number.replace("d", "e").replace("D", "e"))
        return value if abs(value) < OVERFLOW else math.nan
    return math.nan if number.lower().lstrip("+-") in NO_NUMBER else None


def _decimal_comma(sheet: Sheet, line: np.ndarray, columns: list[list[str]]) -> bool:
    """Tell whether the table writes decimal commas; raise UsageError if it has decimal commas and decimal points."""
    commas = [next((i for i, cell in enumerate(column) if "," in cell), -1) for column in columns]
    points = [next((i for i, cell in enumerate(column) if "." in cell), -1) for column in columns]
    if max(commas, default=-1) < 0:
        return False
    if max(points, default=-1) >= 0:
        c, p = (min(int(line[i]) for i in found if i >= 0) for found in (commas, points))
        raise UsageError(
            f"{sheet.where}, line {max(c, p)}: decimal commas (line {c}) and decimal points (line {p}) in one file; use one "
            "kind, and no separators of thousands."
        )
    return True


def _thousands(sheet: Sheet, line: np.ndarray, columns: list[list[str]]) -> list[str]:
    """Return a notice if commas may separate thousands; raise UsageError if a column shows that commas, or points, do."""
    commas: set[str] = set()
    for column in columns:
        different = set(column)
        commas |= {cell for cell in different if "," in cell}
        for mark in (",", "."):
            marked = {cell for cell in different if mark in cell}
            small = {cell for cell in different - marked if re.fullmatch(r"[+-]?\d{1,3}", cell)}
            if len(marked) >= FEWEST_GROUPED and small and all(GROUPED.fullmatch(cell) for cell in marked):
                at = next(i for i, cell in enumerate(column) if cell in marked)
                raise UsageError(
                    f"{sheet.where}, line {int(line[at])}: {shown(column[at])} beside {shown(min(small))} in one column looks "
                    "like a separator of thousands; write numbers without any."
                )
    if commas and all(GROUPED.fullmatch(cell) for cell in commas):
        return [f"every comma stands before three digits, as in {shown(min(commas))}, and was taken for a decimal comma, not "
                "for a separator of thousands"]  # fmt: skip
    return []


class _Cells:
    """The text of the used columns, and its conversion into numbers."""

    def __init__(
        self, where: str, line: np.ndarray, cells: dict[str, list[str]], columns: Columns, comma: bool
    ) -> None:
        self.where, self.line, self.cells, self.columns, self.comma = where, line, cells, columns.found, comma

    def error(self, row: int | np.integer, what: str) -> UsageError:
        """Return a UsageError that names the file and the line of a row."""
        return UsageError(f"{self.where}, line {int(self.line[row])}: {what}.")

    def figures(self, name: str, *, missing: bool = False) -> np.ndarray:
        """Return a column in SI units; with `missing`, a cell that means "no number" gives NaN instead of a UsageError."""
        column: Column = self.columns[name]
        if column.index < 0:
            return np.full(len(self.line), column.value)
        # A text that stands in many rows is converted once.
        read: dict[str, float] = {}
        for row, text in enumerate(self.cells[name]):
            if text in read:
                continue
            value = value_of(text, self.comma)
            if value is None:
                mixed = re.fullmatch(r"[-+.,\deE]+\s*([a-zA-Zµμ]+)", text[:80])
                if mixed and column.unit:
                    raise self.error(
                        row, f"mixed units: {shown(text)} in [{mixed.group(1)}], but the header says [{column.unit}]; use "
                        "one unit, in the header",
                    )  # fmt: skip
                raise self.error(row, f"the {name} should be a number, got {shown(text)}")
            if not missing and not math.isfinite(value):
                raise self.error(row, f"the {name} is {shown(text)}; what was done to the cell has to be known")
            read[text] = value
        # Dividing by the exact power of ten keeps 50 ns at the float nearest to 5e-8.
        scale = column.scale
        values = np.array([read[text] for text in self.cells[name]])
        return values / round(1.0 / scale) if scale < 1.0 else values * scale


def _conductance(table: _Cells) -> tuple[np.ndarray, list[str]]:
    """Return the conductance of each row [S], and notices about missing and negative readings."""
    columns = table.columns
    if "conductance" in columns:
        name, g = "conductance", table.figures("conductance", missing=True)
    elif "resistance" in columns:
        name, resistance = "resistance", table.figures("resistance", missing=True)
        g = np.divide(1.0, resistance, out=np.full(len(resistance), math.nan), where=np.abs(resistance) > 1e-30)
    else:
        name, current = "current", table.figures("current", missing=True)
        volts = table.figures("read voltage", missing=True)
        g = np.full(len(current), math.nan)
        np.divide(current, volts, out=g, where=np.abs(volts) > 1e-9)
    if (too_large := np.flatnonzero(g > MOST_CONDUCTANCE)).size:
        row = int(too_large[0])
        said = _said(table, name, row)
        shown_g = said if name == "conductance" else f"{g[row]:g} S (a {name} of {said})"
        raise table.error(row, f"too large a conductance {shown_g}; a conductance is at most {MOST_CONDUCTANCE:g} S")
    notices = _negatives(table, name, g)
    lost = np.flatnonzero(np.isnan(g))
    if not lost.size:
        return g, notices
    words = f"{lost.size} of {len(g)} readings are no numbers ({named(table.line[lost])})"
    if lost.size > MOST_MISSING * len(g):
        raise table.error(lost[0], f"{words}, more than {100 * MOST_MISSING:g} %, the most that can be left out")
    return g, [*notices, f"{words} and were left out; their pulses count"]


def _said(table: _Cells, name: str, row: int) -> str:
    """Return the text of a reading in the table, with its unit."""
    column = table.columns[name]
    said = f"{table.cells[name][row]} {column.unit}" if column.index >= 0 else column.title
    return shown(said, quoted=False)


def _negatives(table: _Cells, name: str, g: np.ndarray) -> list[str]:
    """Return notices about readings below zero; raise UsageError if noise cannot explain their sign.

    An instrument at the end of its range sometimes reads a little below zero. These readings are kept, because leaving out
    the lower half of the noise would raise the mean. A measured resistance has no such noise: below zero it is no reading.
    """
    below = np.flatnonzero(g < 0)
    if not below.size:
        return []
    row, known = int(below[0]), int(np.isfinite(g).sum())
    words = f"{below.size} of {known} readings are negative ({named(table.line[below])}; the first is {_said(table, name, row)})"
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


def named(lines: np.ndarray, most: int = 5) -> str:
    """Return the numbers of the first `most` lines as text for a message."""
    first = ", ".join(str(int(x)) for x in lines[:most])
    return f"line{'s' if len(lines) > 1 else ''} {first}{', ...' if len(lines) > most else ''}"


def _signs(table: _Cells) -> np.ndarray:
    """Return the polarity of each row (+1, -1, 0), read from a word or a number."""
    known: dict[str, float] = {}
    texts = table.cells["polarity"]
    for row, text in enumerate(texts):
        if text in known:
            continue
        sign: float | None = POLARITIES.get(text.lower())
        if sign is None:
            value = value_of(text, table.comma or "," in text)
            if value is None or not math.isfinite(value):
                raise table.error(row, f"the polarity should be 1 or -1, up or down, got {shown(text)}")
            sign = float(np.sign(value))
        known[text] = sign
    return np.array([known[text] for text in texts])
