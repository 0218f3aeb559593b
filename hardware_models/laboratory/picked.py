"""Pick the used columns out of a sheet: rows of numbers, blocks with a header of their own, lines of text around them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np

from hardware_models.check import UsageError, shown
from hardware_models.laboratory.decimals import no_number
from hardware_models.laboratory.text import MOST_ROWS, Sheet
from hardware_models.laboratory.wide import POLARITIES

MOST_TEXT = 200
"""Largest number of lines of text between two blocks, or after the last row."""
MOST_KNOWN = 20_000
"""Number of different texts of which one copy each is kept, by column."""
_SIGNS = "+-.\u2212'"


@dataclass
class Picked:
    """The cells of the used columns, by column, and how the rows stand in the file."""

    line: np.ndarray  # (n,) number of the line in the file
    texts: list[list[str]]  # by column: (n,)
    block: np.ndarray  # (n,) number of the header, from 0, under which a row stands
    between: list[list[tuple[int, list[str]]]] = field(
        default_factory=list
    )  # by block: the lines of text before its header
    notices: list[str] = field(default_factory=list)


def pick(sheet: Sheet, columns: list[int], numeric: list[int], polarity: int | None, skip: int = 0) -> Picked:
    """Return the rows of a sheet below its header, or below each of its headers.

    A row that equals the header begins a new block. The lines of text before it, and those at the end of the file, belong to no
    row: lines with too few cells, and lines in which no `numeric` column holds the beginning of a number, nor the column
    `polarity` a word for one. Below each header, `skip` rows hold units.

    Raises
    ------
    UsageError : for a row with another number of cells than the header, and for too many rows.
    """
    wanted, width = max(columns, default=0) + 1, len(sheet.header)
    head = [shown(cell, 80, quoted=False) for cell in sheet.header]
    line, block = array("q"), array("q")
    texts: list[list[str]] = [[] for _ in columns]
    known: list[dict[str, str]] = [{} for _ in columns]  # many cells hold one text, of which one copy is kept
    between: list[list[tuple[int, list[str]]]] = [[]]
    odd: list[tuple[int, list[str]]] = []
    left = skip
    for number, cells in sheet.rows():
        if len(cells) >= width and cells[0] == head[0] and _same(cells, head):
            between.append(odd)
            odd, left = [], skip
            continue
        if left:
            left -= 1
            continue
        short = len(cells) < wanted
        if short or not (_numbers(cells, numeric) or _unread(cells, numeric, polarity)):
            odd.append((number, cells))
            if len(odd) > MOST_TEXT:
                raise _width(sheet, *odd[0]) if len(odd[0][1]) < wanted else _text(sheet, *odd[0])
            continue
        if odd:
            if len(odd[0][1]) < wanted or any(odd[0][1][width:]):
                raise _width(sheet, *odd[0])
            for row in odd:  # cells that are no numbers are named by the column that should have held them
                _append(row, line, block, texts, columns, len(between) - 1, known)
            odd = []
        if any(cells[width:]):
            raise _width(sheet, number, cells)
        if len(line) >= MOST_ROWS:
            raise UsageError(f"{sheet.where}, line {number}: more than {MOST_ROWS} rows, the most that are read.")
        _append((number, cells), line, block, texts, columns, len(between) - 1, known)
    if odd and not line:
        raise _width(sheet, *odd[0]) if len(odd[0][1]) < wanted or any(odd[0][1][width:]) else _text(sheet, *odd[0])
    notices = []
    if odd:
        first = f"line {odd[0][0]} ({shown(sheet.separator.join(odd[0][1]), 60)})"
        others = (
            "" if len(odd) == 1 else f" and the {len(odd) - 1} after it" if len(odd) > 2 else " and the one after it"
        )
        notices.append(f"{first}{others} stand after the last row, hold no numbers and were left out" if others else
                       f"{first} stands after the last row, holds no numbers and was left out")  # fmt: skip
    return Picked(np.array(line, np.int64), texts, np.array(block, np.int64), between, notices)


def _append(
    row: tuple[int, list[str]], line: array[int], block: array[int], texts: list[list[str]], columns: list[int], number: int,
    known: list[dict[str, str]],
) -> None:  # fmt: skip
    line.append(row[0])
    block.append(number)
    cells = row[1]
    for column, index, copies in zip(texts, columns, known, strict=True):
        cell = cells[index]
        column.append(copies.setdefault(cell, cell) if len(copies) < MOST_KNOWN else copies.get(cell, cell))


def _same(cells: list[str], head: list[str]) -> bool:
    return [shown(cell, 80, quoted=False) for cell in cells[: len(head)]] == head and not any(cells[len(head) :])


def _numbers(cells: list[str], numeric: list[int]) -> bool:
    """Tell whether one of the numeric columns holds what begins like a number."""
    for index in numeric:
        if index < len(cells) and (cell := cells[index]):
            if cell[0].isdigit() or (cell[0] in _SIGNS and cell[1:2].isdigit()) or cell[:2] in ("-.", "+."):
                return True
    return False


def _unread(cells: list[str], numeric: list[int], polarity: int | None) -> bool:
    """Tell whether a row names a pulse and has no reading."""
    named = polarity is not None and cells[polarity].lower() in POLARITIES
    return named and all(no_number(cells[i]) for i in numeric)


def _width(sheet: Sheet, line: int, cells: list[str]) -> UsageError:
    hint = "; decimal commas need another separator, such as ;" if sheet.separator == "," else ""
    return UsageError(
        f"{sheet.where}, line {line}: {len(cells)} columns, but the header has {len(sheet.header)}{hint}."
    )


def _text(sheet: Sheet, line: int, cells: list[str]) -> UsageError:
    said = shown(sheet.separator.join(cells), 80)
    return UsageError(f"{sheet.where}, line {line}: {said} holds no number where the header promises one.")
