"""Assign a quantity and a unit to each column of a table, by the column's title or by the user's choice.

A header reads ``conductance [uS]``, ``G (uS)``, ``G / uS``, ``G/uS``, ``G_uS``, ``G in uS`` or ``G, uS``; or a row of units
follows it. Columns that instruments name themselves (MeasI, PulseV) need no unit: instruments write volts, amperes, ohms and
seconds.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping

from hardware_models.check import UsageError, shown
from hardware_models.laboratory.choices import listed_columns
from hardware_models.laboratory.column import Column, Columns, Member
from hardware_models.laboratory.decimals import value_of
from hardware_models.laboratory.text import Sheet
from hardware_models.laboratory.titles import (
    NAMED,
    QUANTITIES,
    READINGS,
    ending,
    parts_of,
    plain,
    quantity_of,
    readings_of,
    written,
)  # fmt: skip
from hardware_models.laboratory.wide import label_of, labels_of, statistics_of
from hardware_models.tables import closest
from hardware_models.units import UNITS, dimension, to_si

MOST_BELOW = 8
"""Largest number of rows between the header and the first row of numbers."""


def recognised(cells: list[str], chosen: Mapping[str, str]) -> int:
    """Return the number of quantities that the cells of a line name, including columns that the user has chosen."""
    mine = {plain(parts_of(column)[0]) for column in chosen.values()}
    names = {plain(parts_of(cell)[0]) for cell in cells if cell} & mine if mine else mine
    named = {q for cell in cells if cell and (q := quantity_of(cell)) is not None and q not in chosen}
    return len(names) + len(named)


def columns_of(sheet: Sheet, chosen: Mapping[str, str]) -> Columns:
    """Return the columns by quantity; raise UsageError if a column is missing, named twice or lacks its unit."""
    place = f"{sheet.where}, line {max(sheet.head, 1)}"
    by_quantity: dict[str, Column] = {}
    units, skip = _units_row(sheet)
    instrument = plain(sheet.header[0]) == "dataname"  # EasyEXPERT: names of the user's own, SI without saying so
    listed = {
        q: names for q, text in chosen.items() if q in READINGS and len(names := listed_columns(text, sheet.header)) > 1
    }
    for quantity, text in chosen.items():
        if quantity not in listed:
            by_quantity[quantity] = _chosen(quantity, text, sheet.header, units, place)
    taken = {column.index for column in by_quantity.values()}
    members = [_listed_member(q, name, sheet.header, units, place) for q, names in listed.items() for name in names]
    taken |= {column.index for member in members for column in member.found.values()}
    unused: list[str] = []
    for index, title in enumerate(sheet.header):
        if index in taken or not title:
            continue
        named = quantity_of(title)
        if named is None or named in chosen or (members and named in READINGS):
            unused.append(title)
        elif named in by_quantity:
            raise UsageError(f'{place}: two columns for the {named}; keep one, or choose with --columns "{named}=...".')
        else:
            by_quantity[named] = _column(named, title, index, units, place, instrument=instrument)
            taken.add(index)
    if not members and not any(q in by_quantity for q in READINGS):
        members = _members(sheet.header, units, taken, place, unused)
    if not {"word line", "bit line"} <= set(by_quantity) or "cell" in by_quantity:
        unused += [by_quantity.pop(q).title for q in ("word line", "bit line") if q in by_quantity and q not in chosen]
    shared = by_quantity | (dict(members[0].found) if members else {})
    _complete(shared, unused, sheet, place, any(member.polarity for member in members))
    by_quantity = {q: column for q, column in by_quantity.items() if q in shared}
    missing = [q for q in QUANTITIES if q not in shared]
    notices = [f"the column '{title}' was not used{_mistyped(title, missing)}" for title in unused]
    return Columns(by_quantity, tuple(notices), skip, tuple(unused), tuple(members))


def _listed_member(quantity: str, text: str, header: tuple[str, ...], units: list[str], place: str) -> Member:
    """Return one column of a list that the user chose; its title, without the unit, is the name of the cell."""
    column = _chosen(quantity, text, header, units, place)
    label = label_of(column.title, column.unit)
    if label is not None and label.quantity == quantity:
        return Member({quantity: column}, label.cell, label.cycle, label.polarity)
    return Member({quantity: column}, parts_of(column.title)[0])


def _members(
    header: tuple[str, ...], units: list[str], taken: set[int], place: str, unused: list[str]
) -> list[Member]:  # fmt: skip
    """Return the members of a wide table, [] if it is none; their titles are taken out of `unused`."""
    reading, labels = labels_of(header, units, lambda index: index not in taken)
    own = {i: label for i, label in labels.items() if label.quantity == reading}
    if odd := statistics_of(own):
        listed = shown(", ".join(header[i] for i in own), 200, quoted=False)
        raise UsageError(
            f"{place}: the columns {listed} look like a column a cell, but {shown(header[odd[0]])} names none; say which are the "
            f'readings with --columns "{reading}={header[next(iter(own))]}", or list the columns of the cells there.'
        )
    members = []
    for label in labels.values():
        if label.quantity != reading:
            continue
        parts = {}
        for index, other in labels.items():
            if other.text == label.text and other.quantity not in parts:
                parts[other.quantity] = _column(other.quantity, header[index], index, units, place, other.unit)
        members.append(Member(parts, label.cell, label.cycle, label.polarity))
    for index in labels:
        unused.remove(header[index])
    return members


def _mistyped(title: str, missing: list[str]) -> str:
    """Return a question, for a message, about the missing quantity whose name is similar to a title; else ""."""
    near = difflib.get_close_matches(parts_of(title)[0].lower(), missing, n=1, cutoff=0.75)
    return f" (is it the {near[0]}?)" if near else ""


def _nearly(titles: list[str]) -> str:
    """Return, for a message, the reason why the first title that begins like a reading is none; else ""."""
    for title in titles:
        for name, unit, kind, wanted in readings_of(title):
            if NAMED[plain(name)] in READINGS:
                said = f"is a {kind}" if kind else "is no unit"
                right = f"{name} [{QUANTITIES[NAMED[plain(name)]].example}]"
                return f": {shown(title)} could be a {wanted}, but {shown(unit)} {said}; write '{right}' or the like"
    return ""


def _complete(found: dict[str, Column], unused: list[str], sheet: Sheet, place: str, told: bool) -> None:
    """Raise UsageError if a needed column is missing; move columns that are not needed from `found` to `unused`.

    `told` is True if the titles of a wide table name the polarity.
    """
    titles = _found(sheet.header)
    reading = next((q for q in READINGS if q in found), None)
    if reading is None:
        near = _nearly(unused) or closest("conductance", unused)
        raise UsageError(
            f"{place}: no column 'conductance', 'resistance' or 'current'{near} {titles}{_named('conductance', unused)}."
        )
    if reading == "current" and "read voltage" not in found and "voltage" not in found:
        raise no_read_voltage(sheet)
    if not told and "voltage" not in found and "polarity" not in found:
        raise UsageError(
            f"{place}: no column 'voltage' or 'polarity', without which up and down cannot be told {titles}"
            f"{_named('voltage', unused)}."
        )
    for other in READINGS:
        if other in found and other != reading:
            unused.append(found.pop(other).title)


def no_read_voltage(sheet: Sheet) -> UsageError:
    """Return the error of a table that has currents and no read voltage."""
    return UsageError(
        f"{sheet.where}, line {max(sheet.head, 1)}: no column 'read voltage', without which a current is no conductance "
        f'{_found(sheet.header)}; add it, or say it with --columns "read voltage=0.2 V".'
    )


def _named(quantity: str, unused: list[str]) -> str:
    """Return advice, for a message, on naming the unused column that holds a quantity; "" if no column is unused."""
    if not unused:
        return ""
    example = QUANTITIES[quantity].example
    known = f" [{example}]" if example else ""
    return f'; if the column has another name, say it with --columns "{quantity}=NAME{known}"'


def no_cell(spare: tuple[str, ...]) -> str:
    """Return advice, for a message, if the rows do not fit one single cell and no column names the cell."""
    unused = f"; not used: {shown(', '.join(spare), 200, quoted=False)}" if spare else ""
    name = shown(spare[0], 80, quoted=False) if len(spare) == 1 else "NAME"
    return f' (no column was taken for the cell, so all rows count as one{unused}; say which it is with --columns "cell={name}")'


def _found(header: tuple[str, ...]) -> str:
    return f"(found: {shown(', '.join(header), 300, quoted=False)})"


def _units_row(sheet: Sheet) -> tuple[list[str], int]:
    """Return the row of units below the header, [] if there is none, and the number of rows below the header without a number.

    Instruments write units, ranges and remarks there, in any order.
    """
    found: list[str] = []
    for skip, (_, cells) in enumerate(sheet.rows()):
        units = [written(cell.strip("[](){}")) for cell in cells]
        named = [unit for unit in units if unit not in ("", "-", "1", "#")]
        if not found and named and all(unit in UNITS for unit in named):
            found = units
        elif skip == MOST_BELOW or any(_number(cell) for cell in cells):
            return found, skip if skip < MOST_BELOW or found else 0
    return found, int(bool(found))


def _number(cell: str) -> bool:
    value = value_of(cell, "," in cell)
    return value is not None and math.isfinite(value)


def _column(
    quantity: str, title: str, index: int, units: list[str], place: str, unit: str = "", *, instrument: bool = False
) -> Column:
    """Return a column with its unit; raise UsageError if the unit is missing or of another dimension.

    A table that an instrument has written is in SI where it states no unit.
    """
    known = QUANTITIES[quantity]
    name, written_unit = parts_of(title)
    if quantity == "time":  # an elapsed time in its unit, or a stamp of the instrument
        said = written(unit or written_unit or (units[index] if index < len(units) else ""))
        return Column(title, index, said if UNITS.get(said, (0.0, ""))[1] == "time" else "")
    if not known.dimension:
        return Column(title, index)
    written_unit = "" if written_unit.isdigit() else written_unit  # a label, such as the number of a run
    unit = written(
        unit or written_unit or (units[index] if index < len(units) else "") or ending(title, known.dimension)
    )
    if not unit and (instrument or plain(name) in known.instrument):
        return Column(title, index, known.si, "unit assumed: the instrument's")
    if not unit:
        raise UsageError(
            f"{place}: the column '{title}' lacks its unit, such as '{title} [{known.example}]' (or say it with "
            f'--columns "{quantity}={title} [{known.example}]").'
        )
    return Column(title, index, checked(unit, quantity, f"{place}: the column '{title}'"))


def checked(unit: str, quantity: str, owner: str) -> str:
    """Return `unit`; raise UsageError if it is unknown or has another dimension than the quantity."""
    wanted = QUANTITIES[quantity].dimension
    try:
        got = dimension(unit)
    except UsageError as error:
        raise UsageError(f"{owner}: {error}") from None
    if got != wanted:
        raise UsageError(f"{owner} has the unit '{unit}', which is a {got}, not a {wanted}.")
    return unit


def _chosen(quantity: str, text: str, header: tuple[str, ...], units: list[str], place: str) -> Column:
    """Return the column that the user chose for a quantity, by its title, its number from 1, or one value with a unit."""
    name, unit = parts_of(text)
    # Titles in a sheet are shortened and have no unprintable characters, so the user's text is treated alike.
    exact = [i for i, title in enumerate(header) if plain(title) == plain(shown(text, 80, quoted=False))]
    whole = [i for i, title in enumerate(header) if plain(title) == plain(name)]
    alike = exact or whole or [i for i, title in enumerate(header) if plain(parts_of(title)[0]) == plain(name)]
    if len(alike) > 1:
        raise UsageError(f"{place}: {len(alike)} columns are called {shown(text)}; give the column's number.")
    if alike:
        return _column(quantity, header[alike[0]], alike[0], units, place, "" if exact else unit)
    if re.fullmatch(r"\d{1,4}", name) and 1 <= int(name) <= len(header):
        index = int(name) - 1
        return _column(quantity, header[index], index, units, place, unit)
    if (match := re.fullmatch(r"([+-]?\d*[.,]?\d+(?:[eE][+-]?\d{1,2})?)\s*([^\d\s.,].*)", text)) is not None:
        if QUANTITIES[quantity].dimension == "" or quantity == "voltage":
            raise UsageError(f"--columns: the {quantity} differs from row to row; name a column, got {shown(text)}.")
        unit = checked(written(match.group(2)), quantity, f"--columns: the {quantity}")
        return Column(text, -1, unit, "one value for all rows", to_si(float(match.group(1).replace(",", ".")), unit))
    if re.fullmatch(r"[+-]?\d*[.,]\d+", text):
        raise UsageError(f"--columns: one value of the {quantity} for all rows needs its unit, got {shown(text)}.")
    near = closest(name, header)
    raise UsageError(f"{place}: no column {shown(text)} for the {quantity}{near} {_found(header)}.")
