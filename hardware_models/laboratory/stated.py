"""Read what the lines of text before a header state: the cell, the read voltage, the pulse width ("Read voltage: 0.2 V")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from hardware_models.laboratory.picked import Picked
from hardware_models.laboratory.text import Sheet, lines_of, split
from hardware_models.laboratory.titles import NAMED, QUANTITIES, parts_of, plain, written
from hardware_models.units import UNITS

STATED = ("read voltage", "read time", "width", "cell")
"""Quantities that a line before the header may state for the whole table."""
_FIGURE = re.compile(r"([+-]?\d*[.,]?\d+(?:[eE][+-]?\d{1,2})?)\s*([^\d\s].*)?")


def stated(sheet: Sheet) -> Mapping[str, tuple[str, int]]:
    """Return {quantity: (text, line)} from the lines before the header; a figure has its unit, a cell is a name.

    A line is ``name: value``, ``name = value`` or two or three table cells (name, value, unit); the unit stands with the name
    or with the value.
    """
    found: dict[str, tuple[str, int]] = {}
    for line, text in lines_of(sheet.text):
        if line >= sheet.head:
            break
        pair = _pair(split(text.lstrip("#%! "), sheet.separator))
        if pair is not None and pair[0] not in found:
            found[pair[0]] = pair[1], line
    return found


def _pair(cells: list[str]) -> tuple[str, str] | None:
    """Return the quantity and the text that the cells of one line state; None if they state none."""
    cells = [cell for cell in cells if cell]
    if len(cells) == 1 and (match := re.fullmatch(r"([^:=]{1,60})[:=]\s*(.+)", cells[0])) is not None:
        cells = [match.group(1).strip(), match.group(2).strip()]
    if not 2 <= len(cells) <= 3:
        return None
    name, unit = parts_of(cells[0].rstrip(":= "))
    quantity = NAMED.get(plain(name))
    if quantity not in STATED:
        return None
    value = cells[1].lstrip(":= ")
    if quantity == "cell":
        return (quantity, value) if len(value) <= 60 and len(cells) == 2 else None
    figure = _FIGURE.fullmatch(value)
    if figure is None:
        return None
    own = figure.group(2) or unit or (cells[2] if len(cells) == 3 else "")
    own = written(own.strip("[]() "))
    if own not in UNITS or UNITS[own][1] != QUANTITIES[quantity].dimension:
        return None
    return quantity, f"{figure.group(1)} {own}"


def cells_of_blocks(picked: Picked, sheet: Sheet) -> list[str] | None:
    """Return the cell that the text before each header names; None unless all of them name one."""
    first = stated(sheet).get("cell")
    names = [first[0] if first else None, *(_cell(between) for between in picked.between[1:])]
    return [name for name in names if name] if all(names) else None


def _cell(between: Iterable[tuple[int, list[str]]]) -> str | None:
    pairs = [pair for _, cells in between if (pair := _pair(cells)) is not None]
    return next((value for quantity, value in pairs if quantity == "cell"), None)
