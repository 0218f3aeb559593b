"""Read a number as instruments and spreadsheets write it: decimal commas, thousands, exponents of Fortran, words for "none"."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from hardware_models.check import UsageError, shown

OVERFLOW = 9.8e37
"""Least number that means no reading: instruments write 9.9e37 for an overflow and 9.91e37 for no number."""
NO_NUMBER = {"", "-", "--", "---", "*", "nan", "na", "n/a", "null", "none", "inf", "infinity", "overflow", "ovrflw",
             "ovld", "over", "overrange", "ol", "oor", "err", "error", "invalid", "missing", "n.a.", "?",
             "1.#inf", "1.#ind", "1.#qnan", "1.#snan", "nan(ind)", "nan(snan)"}  # fmt: skip
"""Texts that instruments and spreadsheets write if there is no number."""
_SHEET_ERROR = re.compile(r"#(?:n/?[av]|n/d|div/0!|[^\W\d_]{2,12}[!?])|-+\.-+", re.IGNORECASE)
"""Errors of a spreadsheet in any language: #DIV/0!, #VALUE!, #WERT!, #VALEUR!, #NV, #N/A; and dashes of a display, ---.---."""
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d{1,6})?", re.ASCII)
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:[.,]\d{3})+")
"""A text that may be a whole number with separators of thousands."""
FEWEST_GROUPED = 10
"""Different numbers of that form that a column needs to have, and no other form but whole numbers below 1000."""
_SPACES = dict.fromkeys(map(ord, "  \u202f\u2009"))
_APOSTROPHES = "'\u2019"


@dataclass(frozen=True)
class Marks:
    """The marks of a table's numbers: the decimal sign, and the sign between thousands."""

    comma: bool = False  # the decimal sign is a comma
    thousands: str = ""  # "," or ".": shown by numbers that have both marks, or the same one twice

    @property
    def decimal(self) -> str:
        """Name of the decimal sign."""
        return "comma" if self.comma else "point"


def value_of(text: str, marks: Marks | bool = False) -> float | None:
    """Return the number in a cell of text; NaN if the text means "no number", None if it is not a number.

    Blanks and apostrophes inside a number separate thousands; `marks` is True for decimal commas.
    """
    comma, thousands = (marks, "") if isinstance(marks, bool) else (marks.comma, marks.thousands)
    if not NUMBER.fullmatch(text) or thousands or comma:
        text = text.replace("\u2212", "-").translate(_SPACES)
        for mark in (thousands, *_APOSTROPHES) if text[:1].isdigit() or text[1:2].isdigit() else ():
            text = text.replace(mark, "") if mark else text
        text = text.replace(",", ".") if comma else text
    if NUMBER.fullmatch(text):
        value = float(text.replace("d", "e").replace("D", "e"))
        return value if abs(value) < OVERFLOW else math.nan
    return math.nan if no_number(text) else None


def no_number(text: str) -> bool:
    """Tell whether a text means that there is no number."""
    return text.lower().lstrip("+-") in NO_NUMBER or _SHEET_ERROR.fullmatch(text) is not None


def marks_of(where: str, line: np.ndarray, columns: list[list[str]]) -> tuple[Marks, list[str]]:
    """Return the marks of a table's numbers, and notices about them; raise UsageError if they cannot be known.

    A number with both marks, such as 1.234,5, shows which one is the decimal sign; one with a mark twice, such as 1,234,567,
    shows a separator of thousands. A comma alone is a decimal comma, unless its column shows that it separates thousands.
    """
    different = [set(column) for column in columns]
    found = {mark: {cell for cells in different for cell in cells if mark in cell} for mark in (",", ".")}
    for thousands, decimal in ((",", "."), (".", ",")):
        both = re.compile(
            rf"[+-]?\d{{1,3}}(?:\{thousands}\d{{3}})+\{decimal}\d*|[+-]?\d{{1,3}}(?:\{thousands}\d{{3}}){{2,}}"
        )
        marked = [_bare(cell) for cell in found[thousands]]
        if any(both.fullmatch(cell) for cell in marked):
            grouped = re.compile(rf"[+-]?\d{{1,3}}(?:\{thousands}\d{{3}})+(?:\{decimal}\d*)?")
            if all(grouped.fullmatch(cell) for cell in marked):
                said = f"'{thousands}' was taken for a separator of thousands, as in {shown(min(filter(both.fullmatch, marked)))}"
                return Marks(decimal == ",", thousands), [said]
    commas = found[","]
    if commas and found["."]:
        c, p = (_line(line, columns, mark) for mark in (",", "."))
        raise UsageError(
            f"{where}, line {max(c, p)}: decimal commas (line {c}) and decimal points (line {p}) in one file; use one "
            "kind, and no separators of thousands."
        )
    return Marks(bool(commas)), _thousands(where, line, columns, different, commas)


def _bare(cell: str) -> str:
    return cell.replace("\u2212", "-").translate(_SPACES)


def _line(line: np.ndarray, columns: list[list[str]], mark: str) -> int:
    """Return the first line with a mark in one of the columns."""
    rows = (next((i for i, cell in enumerate(column) if mark in cell), None) for column in columns)
    return min(int(line[row]) for row in rows if row is not None)


def _thousands(
    where: str, line: np.ndarray, columns: list[list[str]], found: list[set[str]], commas: set[str]
) -> list[str]:
    """Return a notice if commas may separate thousands; raise UsageError if a column shows that commas, or points, do."""
    for column, different in zip(columns, found, strict=True):
        for mark in (",", "."):
            marked = {cell for cell in different if mark in cell}
            small = {cell for cell in different - marked if re.fullmatch(r"[+-]?\d{1,3}", cell)}
            if len(marked) >= FEWEST_GROUPED and small and all(GROUPED.fullmatch(cell) for cell in marked):
                at = next(i for i, cell in enumerate(column) if cell in marked)
                raise UsageError(
                    f"{where}, line {int(line[at])}: {shown(column[at])} beside {shown(min(small))} in one column looks "
                    "like a separator of thousands; write numbers without any."
                )
    if commas and all(GROUPED.fullmatch(cell) for cell in commas):
        return [f"every comma stands before three digits, as in {shown(min(commas))}, and was taken for a decimal comma, not "
                "for a separator of thousands"]  # fmt: skip
    points = {cell for different in found for cell in different if "." in cell}
    if points and not commas and all(GROUPED.fullmatch(cell) for cell in points):
        return [f"every point stands before three digits, as in {shown(min(points))}, and was taken for a decimal point, not "
                "for a separator of thousands"]  # fmt: skip
    return []
