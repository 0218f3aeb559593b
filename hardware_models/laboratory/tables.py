"""Read one table of a pulse train, and join the tables of several files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hardware_models.check import UsageError, counted, shown
from hardware_models.laboratory.column import Columns
from hardware_models.laboratory.columns import columns_of, no_read_voltage, recognised
from hardware_models.laboratory.logs import folded, split
from hardware_models.laboratory.numbers import Rows, rows_of, together, voltages
from hardware_models.laboratory.readings import near, read_level
from hardware_models.laboratory.stated import stated
from hardware_models.laboratory.text import SEPARATORS, Sheet, sheet
from hardware_models.laboratory.titles import quantity_of

EACH_FILE = ("", "cells", "cycles")
"""Meanings of each of several files: by the names of the cells in it, cells of its own, further cycles of one cell."""


@dataclass(frozen=True)
class Table:
    """The rows of one file, and how its columns were understood."""

    where: str  # name of the file
    rows: Rows
    taken: tuple[tuple[str, str, str], ...]  # (quantity, column, unit or assumption)
    spare: tuple[str, ...]  # titles of unused columns
    units: Mapping[str, tuple[float, str]]  # by quantity: SI value and name of the column's unit


def table_of(data: bytes | str, where: str, choice: Mapping[str, str]) -> Table:
    """Return the table in the bytes or the text of a file; raise UsageError, with the line, if it cannot be understood."""
    headless = bool(choice) and any(text.split("[")[0].strip().isdigit() for text in choice.values())
    page = sheet(data, where, lambda cells: recognised(cells, choice), headless=headless)
    titled = {quantity_of(title) for title in page.header}
    lines = {q: said for q, said in stated(page).items() if q != "cell" and q not in choice and q not in titled}
    columns = columns_of(page, {**choice, **{q: text for q, (text, _) in lines.items()}})
    found = {
        q: replace(column, title=f"line {lines[q][1]}: {column.title}") if q in lines else column
        for q, column in columns.found.items()
    }
    columns = replace(columns, found=found)
    level = _level(page, columns)
    if level is not None:
        note = "that of the rows with the smallest level, which are readings"
        columns = replace(columns, found={**columns.found, "read voltage": replace(columns.all["voltage"], note=note)})
    rows = rows_of(page, columns)
    rows = rows if level is None else split(rows, level)
    rows = folded(rows)
    rows = replace(rows, notices=(*columns.unused, *rows.notices))
    units = {name: (column.scale, column.unit) for name, column in columns.all.items()}
    return Table(where, rows, (*_taken(columns, rows), *_form(page, rows)), columns.spare, units)


def _level(page: Sheet, columns: Columns) -> float | None:
    """Return the read voltage [V] if the column of the pulses holds it as well, else None.

    Raises UsageError if the table has currents, and no column and no level gives the read voltage.
    """
    known = columns.all.get("read voltage")
    if "current" not in columns.all or "voltage" not in columns.all or (known is not None and known.index >= 0):
        return None
    level = read_level(voltages(page, columns))
    if known is None and level is None:
        raise no_read_voltage(page)
    if level is None or (known is not None and not near(np.array([known.value]), level).all()):
        return None
    return level


def joined(tables: Sequence[Table], each_file: str = "") -> tuple[Rows, tuple[str, ...], list[str]]:
    """Return the rows of all tables, the titles of their unused columns, and notices about cells in several files.

    Cells of one name are one cell whose cycles go on from file to file, unless `each_file` is "cells". A file that names no
    cell is a cell of its own, named after the file, unless `each_file` is "cycles".
    """
    if each_file not in EACH_FILE:
        raise UsageError(f"--each-file takes cells or cycles, got {shown(each_file)}.")
    spare = tuple(dict.fromkeys(title for table in tables for title in table.spare))
    if len(tables) == 1:
        return tables[0].rows, spare, []
    names = _short([table.where for table in tables])
    stems = [str(Path(name).with_suffix("")) for name in names]
    stems = stems if len(set(stems)) == len(stems) else names
    notices, parts, owners = [], [], dict[str, list[str]]()
    for table, name, stem in zip(tables, names, stems, strict=True):
        rows = replace(table.rows, names=(name,))
        n = len(rows.line)
        if rows.cell is None:
            rows = replace(rows, cell=[stem if each_file != "cycles" else "1"] * n)
        elif each_file == "cells":
            rows = replace(rows, cell=[f"{stem}:{cell}" for cell in rows.cell])
        for cell in dict.fromkeys(rows.cell or ()):
            owners.setdefault(cell, []).append(name)
        parts.append(rows)
    shared = {cell: found for cell, found in owners.items() if len(found) > 1}
    if shared and each_file != "cycles":
        cell, found = next(iter(shared.items()))
        more = f" (and {len(shared) - 1} more)" if len(shared) > 1 else ""
        places, name = shown(", ".join(found), 200, quoted=False), shown(cell, quoted=False)
        notices.append(
            f"cell {name}{more} stands in {places} and was taken for one cell whose cycles go on; if they are "
            "different cells, say --each-file cells"
        )
    for name in ("pulse", "cycle"):
        have = [getattr(part, name) is not None for part in parts]  # fields of one kind
        if any(have) and not all(have):
            without = names[have.index(False)]
            notices.append(f"{without} has no column '{name}', so those of the other files were not used")
    return together(parts), spare, notices


def _short(paths: list[str]) -> list[str]:
    """Return the names of the files, with as much of their folders as tells them apart.

    Raises UsageError for a file that is given twice.
    """
    for length in range(1, 30):
        names = ["/".join(Path(path).parts[-length:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    twice = next(path for path in paths if paths.count(path) > 1)
    raise UsageError(f"{twice} was given twice; its readings would count twice.")


def _taken(columns: Columns, rows: Rows) -> list[tuple[str, str, str]]:
    """Return the columns that were used: (quantity, column, unit or assumption)."""
    found: list[tuple[str, str, str]] = []
    for name, column in columns.found.items():
        unit = ", ".join(x for x in (column.unit, column.note) if x) or "-"
        found.append((name, column.title, unit))
    if columns.members:
        for name, column in columns.members[0].found.items():
            all_of_them = [member.found.get(name, column) for member in columns.members]
            units = ", ".join(dict.fromkeys(each.unit or "-" for each in all_of_them))
            found.append((name, f"{column.title} ... {all_of_them[-1].title}, {len(all_of_them)} columns", units))
    for name, formula in (("resistance", "1 / resistance"), ("current", "current / read voltage")):
        if name in columns.all:
            found.append(("conductance", formula, "S"))
    if "cell" not in columns.found:
        label = any(member.cell for member in columns.members)
        lines = "word line and bit line" if "word line" in columns.found else ""
        where = "the titles" if label else lines or ("the text above each header" if rows.cell is not None else "")
        found.append(("cell", where or "no column", "-" if where else "all rows are of one cell"))
    if "cycle" not in columns.found:
        label = any(member.cycle for member in columns.members)
        found.append(("cycle", "the titles", "-") if label else
                     ("cycle", "no column", "begins where the polarity returns to the first one"))  # fmt: skip
    if any(member.polarity for member in columns.members):
        found.append(("polarity", "the titles", "-"))
    return found


def _form(page: Sheet, rows: Rows) -> list[tuple[str, str, str]]:
    """Return the encoding, the separator and the decimal sign with which the file was read."""
    header = f"header in line {page.head}" if page.head else "no header"
    if rows.blocks > 1:
        header += f" and {rows.blocks - 1} more"
    return [("file", f"{page.encoding}, {header}", f"{SEPARATORS[page.separator]}, decimal {rows.decimal}")]


def taken_together(tables: list[Table]) -> tuple[tuple[str, str, str], ...]:
    """Return the columns taken from all tables; tables with the same columns stand together."""
    groups: dict[tuple[tuple[str, str, str], ...], list[str]] = {}
    for table in tables:
        taken = tuple(
            ("cell", "name of the file", "-") if row[:2] == ("cell", "no column") else row for row in table.taken
        )
        groups.setdefault(taken, []).append(Path(table.where).name)
    if len(tables) == 1:
        return tables[0].taken
    rows: list[tuple[str, str, str]] = []
    for taken, names in groups.items():
        rows += [
            (counted(len(names), "file"), shown(", ".join(names), 60, quoted=False), ""),
            *taken,
        ]
    return tuple(rows)
