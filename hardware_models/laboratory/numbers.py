"""Convert the cells of a table into SI units: one row a pulse, also where each cell has a column of its own."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hardware_models.check import UsageError, shown
from hardware_models.laboratory.column import Column, Columns, Member
from hardware_models.laboratory.decimals import Marks, marks_of
from hardware_models.laboratory.decimals import value_of as value_of
from hardware_models.laboratory.picked import MOST_KNOWN, Picked, pick
from hardware_models.laboratory.readings import MOST_CONDUCTANCE as MOST_CONDUCTANCE
from hardware_models.laboratory.readings import MOST_NEGATIVE as MOST_NEGATIVE
from hardware_models.laboratory.readings import conductance
from hardware_models.laboratory.stated import cells_of_blocks
from hardware_models.laboratory.text import Sheet
from hardware_models.laboratory.wide import POLARITIES

TEXTS = ("cell", "cycle", "word line", "bit line")
"""Quantities whose cells are names, not numbers."""
TOLD = ("read voltage", "read time")
"""Quantities of which one figure is kept: the median size."""


MOST_MISSING = 0.1
"""Largest share of readings that may be missing, or stand where others do not."""
FILLED = ("time", "voltage", "width")
"""Quantities that some files may have and others not."""


@dataclass(frozen=True)
class Rows:
    """Rows of one or more tables, in the order of the files."""

    line: np.ndarray  # (n,) number of the line in its file
    g: np.ndarray  # (n,) conductance after the pulse [S], NaN where there is no reading
    sign: np.ndarray  # (n,) +1, -1, or 0: no pulse
    cell: list[str] | None
    cycle: list[str] | None
    pulse: np.ndarray | None  # (n,) number of the pulse
    time: np.ndarray | None  # (n,) [s], or in the table's own unit if it states none; NaN if it is not a number
    voltage: np.ndarray | None  # (n,) [V]
    width: np.ndarray | None  # (n,) [s]
    decimal: str  # "point" or "comma"
    notices: tuple[str, ...]
    block: np.ndarray  # (n,) number of the header, or of the column of a wide table, that a row belongs to
    file: np.ndarray  # (n,) index into `names`
    names: tuple[str, ...]  # of the files, for messages
    told: Mapping[str, float]  # of `TOLD`, in SI units
    blocks: int = 1  # number of headers
    skipped: np.ndarray | None = None  # (n,) True for a pulse that is not of the chosen size

    def error(self, row: int | np.integer, what: str) -> UsageError:
        """Return a UsageError that names the file and the line of a row."""
        return UsageError(f"{self.names[self.file[row]]}, line {int(self.line[row])}: {what}.")

    def named(self, rows: np.ndarray, most: int = 5) -> str:
        """Return the lines of some rows as text for a message, with their files if there are several."""
        return named(self.line[rows], most, self.file[rows], self.names)

    def only(self, rows: np.ndarray) -> Rows:
        """Return the rows of the numbers (k,), in that order."""

        def part(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[rows]

        def texts(values: list[str] | None) -> list[str] | None:
            return None if values is None else [values[i] for i in rows]

        return replace(
            self, line=self.line[rows], g=self.g[rows], sign=self.sign[rows], cell=texts(self.cell), cycle=texts(self.cycle),
            pulse=part(self.pulse), time=part(self.time), voltage=part(self.voltage), width=part(self.width),
            block=self.block[rows], file=self.file[rows], skipped=part(self.skipped),
        )  # fmt: skip


def named(lines: np.ndarray, most: int = 5, file: np.ndarray | None = None, names: Sequence[str] = ()) -> str:
    """Return the numbers of the first `most` lines as text for a message; `file` (n,) gives each line's file in `names`."""
    if file is None or len(names) < 2:
        first = ", ".join(str(int(x)) for x in lines[:most])
    else:
        first = ", ".join(f"{int(x)} of {names[f]}" for x, f in zip(lines[:most], file[:most], strict=True))
    return f"line{'s' if len(lines) > 1 else ''} {first}{', ...' if len(lines) > most else ''}"


def rows_of(sheet: Sheet, columns: Columns) -> Rows:
    """Return the rows of a sheet in SI units; raise UsageError, with the line, if a cell cannot be read.

    The rows of a wide table stand one column after the other.
    """
    members = columns.members or (Member({}),)
    picked, texts, figures = _picked(sheet, columns)
    marks, notices = marks_of(sheet.where, picked.line, figures)
    parts = []
    for number, member in enumerate(members):
        found = {**columns.found, **member.found}
        table = Figures(
            sheet.where, picked.line, {n: texts[c.index] for n, c in found.items() if c.index >= 0}, found, marks
        )
        parts.append(_part(table, picked, member, number if columns.members else None))
    rows = together(parts)
    if rows.cycle is not None and any(member.polarity for member in members):
        known: dict[str, int] = {}
        rows = rows.only(np.argsort([known.setdefault(label, len(known)) for label in rows.cycle], kind="stable"))
    blocks = len(picked.between) if len(picked.line) else 1
    if rows.cell is None and blocks > 1 and (names := cells_of_blocks(picked, sheet)) is not None:
        rows = replace(rows, cell=[names[b] for b in rows.block])
    notices = [*notices, *picked.notices]
    if blocks > 1 and rows.cell is None:
        notices.append(
            f"the header stands {blocks} times and no line above it names a cell, so all rows are of one cell"
        )
    return replace(rows, notices=(*notices, *rows.notices), decimal=marks.decimal, blocks=blocks)


def _picked(sheet: Sheet, columns: Columns) -> tuple[Picked, dict[int, list[str]], list[list[str]]]:
    """Return the rows of a sheet, the texts of each used column by its number, and those of the columns of numbers."""
    everything = (columns.found, *(member.found for member in columns.members))
    standing = [(name, column) for found in everything for name, column in found.items() if column.index >= 0]
    numeric = [column.index for name, column in standing if name not in (*TEXTS, "polarity", "time")]
    polarity = next((column.index for name, column in standing if name == "polarity"), None)
    picked = pick(sheet, [column.index for _, column in standing], numeric, polarity, columns.skip)
    if not len(picked.line):
        last = sheet.head + columns.skip + 1
        raise UsageError(f"{sheet.where}, line {last}: no rows after the header; one row a pulse is needed.")
    texts = {column.index: cells for (_, column), cells in zip(standing, picked.texts, strict=True)}
    return picked, texts, [texts[i] for i in dict.fromkeys(numeric)]


def voltages(sheet: Sheet, columns: Columns) -> np.ndarray:
    """Return the column of the pulses' voltages [V] of a sheet."""
    column = columns.all["voltage"]
    picked, texts, figures = _picked(sheet, columns)
    marks, _ = marks_of(sheet.where, picked.line, figures)
    table = Figures(sheet.where, picked.line, {"voltage": texts[column.index]}, {"voltage": column}, marks)
    return table.figures("voltage", missing=True)


def _part(table: Figures, picked: Picked, member: Member, number: int | None) -> Rows:
    """Return the rows of a table, or those of one member of a wide table, which end with the member's last reading."""
    n, cells = len(picked.line), table.cells
    for name in ("cell", "cycle"):
        if "" in cells.get(name, ()):
            row = cells[name].index("")
            raise table.error(row, f"the {name} is empty; each row needs its own")
    g, notices = conductance(table)
    time = None
    if "time" in cells:
        time = np.array([math.nan if (x := value_of(c, table.marks)) is None else x for c in cells["time"]])
        time = time * table.columns["time"].scale
    pulse = table.figures("pulse") if "pulse" in cells else None
    if pulse is not None and (bad := np.flatnonzero((pulse != np.round(pulse)) | (pulse < 0) | (pulse > 1e9))).size:
        raise table.error(bad[0], f"the pulse number should be a whole number, got {shown(cells['pulse'][bad[0]])}")
    voltage = table.figures("voltage") if "voltage" in cells else None
    width = table.figures("width") if "width" in table.columns else None
    if member.polarity:
        sign = np.full(n, member.polarity)
    else:
        sign = _signs(table) if "polarity" in cells else np.sign(voltage if voltage is not None else np.zeros(n))
    told = {}
    for name in TOLD:
        if name in table.columns and (sizes := np.abs(table.figures(name, missing=True)))[np.isfinite(sizes)].size:
            told[name] = float(np.nanmedian(sizes))
    cell = [member.cell] * n if member.cell else cells.get("cell")
    if cell is None and "word line" in cells:
        cell = [f"W{w}B{b}" for w, b in zip(cells["word line"], cells["bit line"], strict=True)]
    cycle = [member.cycle] * n if member.cycle else cells.get("cycle")
    if (
        member.polarity and cycle is None and pulse is not None
    ):  # the pulses of one polarity are numbered anew in each cycle
        cycle = [str(k) for k in np.cumsum(np.diff(pulse, prepend=-1.0) <= 0)]
    block = picked.block if number is None else np.full(n, number)
    rows = Rows(picked.line, g, sign.astype(np.int8), cell, cycle, pulse, time, voltage, width, table.marks.decimal,
                tuple(notices), block, np.zeros(n, np.int64), (table.where,), told)  # fmt: skip
    last = int(np.flatnonzero(np.isfinite(g))[-1]) + 1 if number is not None and np.isfinite(g).any() else n
    return rows if last == n else rows.only(np.arange(last))


def together(parts: Sequence[Rows]) -> Rows:
    """Return the rows of all parts, one after the other.

    Numbers of pulses, cells and cycles that only some of the parts have are left out; times and sizes are NaN there.
    """
    if len(parts) == 1:
        return parts[0]
    names = tuple(dict.fromkeys(name for part in parts for name in part.names))
    arrays: dict[str, np.ndarray | None] = {}
    for name in ("line", "g", "sign", "pulse", "time", "voltage", "width"):
        columns = [getattr(part, name) for part in parts]  # fields of one kind, all (n,)
        if name in FILLED and not all(c is None for c in columns):
            columns = [np.full(len(p.line), math.nan) if c is None else c for p, c in zip(parts, columns, strict=True)]
        arrays[name] = None if any(c is None for c in columns) else np.concatenate(columns)
    blocks = np.concatenate([part.block + 10_000 * i for i, part in enumerate(parts)])
    file = np.concatenate([np.array([names.index(x) for x in part.names])[part.file] for part in parts])
    texts = {}
    for name in ("cell", "cycle"):
        lists = [getattr(part, name) for part in parts]
        texts[name] = None if any(x is None for x in lists) else [x for each in lists for x in each]
    told: dict[str, float] = {}
    for part in reversed(parts):
        told |= part.told
    notices = tuple(dict.fromkeys(notice for part in parts for notice in part.notices))
    return Rows(**{**arrays, **texts, "block": blocks, "file": file}, decimal=parts[0].decimal, notices=notices, names=names,
                told=told, blocks=max(part.blocks for part in parts))  # type: ignore[arg-type]  # fmt: skip


class Figures:
    """The text of the used columns, and its conversion into numbers."""

    def __init__(
        self, where: str, line: np.ndarray, cells: Mapping[str, list[str]], columns: Mapping[str, Column], marks: Marks
    ) -> None:
        self.where, self.line, self.cells, self.columns, self.marks = where, line, cells, columns, marks

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
        values = np.empty(len(self.line))
        for row, text in enumerate(self.cells[name]):
            value = read.get(text)
            if value is not None:
                values[row] = value
                continue
            value = value_of(text, self.marks)
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
            values[row] = value
            if len(read) < MOST_KNOWN:
                read[text] = value
        # Dividing by the exact power of ten keeps 50 ns at the float nearest to 5e-8.
        scale = column.scale
        return values / round(1.0 / scale) if scale < 1.0 else values * scale


def _signs(table: Figures) -> np.ndarray:
    """Return the polarity of each row (+1, -1, 0), read from a word or a number."""
    known: dict[str, float] = {}
    texts = table.cells["polarity"]
    for row, text in enumerate(texts):
        if text in known:
            continue
        sign: float | None = POLARITIES.get(text.lower())
        if sign is None:
            value = value_of(text, Marks(comma=table.marks.comma or "," in text))
            if value is None or not math.isfinite(value):
                raise table.error(row, f"the polarity should be 1 or -1, up or down, got {shown(text)}")
            sign = float(np.sign(value))
        known[text] = sign
    return np.fromiter(map(known.__getitem__, texts), float, len(texts))
