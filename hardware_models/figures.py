"""Grammar of a figure, common to devices and prices: a number with its unit, its range, its kind and its source.

A figure is a TOML table with all entries of `NEEDED` and any of `OPTIONAL`. Every entry is checked for its type before
it is used, every number is finite and lies in its range, and the unit has the wanted dimension. Inside the package all
numbers are in SI units.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from hardware_models.check import UsageError, in_range, shown
from hardware_models.files import Table
from hardware_models.tables import closest
from hardware_models.units import dimension, to_si

NEEDED = ("value", "unit", "low", "high", "kind", "source")
OPTIONAL = ("checked", "item", "note")
"""Optional entries of a figure: the version of the source in which it was read again, the place in it, a remark."""
ENDS = ("value", "low", "high")
KINDS = ("measured", "simulated", "fitted", "derived", "estimate", "assumption", "limit")
LARGEST = 1e30
"""Largest magnitude of a number in a file, in the unit of the file."""

_LINES = dict.fromkeys(map(ord, "\t\r\n\u00a0\u00ad\u2009\u200b\u202f"))
"""Characters that a text may hold although Python does not call them printable: line ends, special spaces and hyphens."""


@dataclass(frozen=True)
class Figure:
    """A number [SI units] with its range, its kind and its source."""

    value: float
    low: float
    high: float
    dimension: str
    kind: str
    source: str
    text: str  # value and unit as written in the file
    checked: str = ""


def figure(
    entry: object,
    place: str,
    wanted: str,
    *,
    least: float = -LARGEST,
    most: float = LARGEST,
    needed: Collection[str] = (),
    optional: Collection[str] = (),
) -> Figure:
    """Return the figure that a table of a file describes, in SI units.

    Parameters
    ----------
    entry : the table, as returned by the TOML reader.
    place : name of file and entry for messages, such as "my.toml: 'g_max'".
    wanted : dimension that the unit should have, by its name in `hardware_models.units.dimension`.
    least, most : range of the figure's numbers, in the figure's own unit.
    needed, optional : further entries that the table must have and may have, all of them texts.

    Raises
    ------
    UsageError : for an entry that is missing, unknown or of another type, a number that is not finite or lies outside the
        range, a unit that is unknown or of another dimension.
    """
    table = parts(entry, place, (*NEEDED, *needed), (*OPTIONAL, *optional))
    for part in ("unit", "kind", "source", *needed, *OPTIONAL, *optional):
        if part in table:
            text(table[part], place, part)
    unit = table["unit"]
    for part in ENDS:
        in_range(place, "each of its numbers", table[part], least, most)
    one_of(place, "kind", table["kind"], KINDS)
    try:
        got = dimension(unit)
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from None
    if got != wanted:
        raise UsageError(
            f"{place} should be of the dimension {wanted}, but its unit '{unit}' is of the dimension {got}."
        )
    if table["low"] > table["high"]:
        raise UsageError(
            f"{place} has its low end, {shown(table['low'])} {unit}, above its high end, {shown(table['high'])} {unit}."
        )
    if not table["low"] <= table["value"] <= table["high"]:
        raise UsageError(
            f"{place} = {shown(table['value'])} {unit} lies outside its range "
            f"[{shown(table['low'])}, {shown(table['high'])}] {unit}."
        )
    value, low, high = (to_si(float(table[part]), unit) for part in ENDS)
    written = f"{table['value']} {unit}"
    return Figure(value, low, high, got, table["kind"], table["source"], written, table.get("checked", ""))


def choice(entry: object, place: str) -> tuple[object, str, str]:
    """Return (value, kind, source) of a table whose value has no unit: a word, a switch, a list of numbers."""
    table = parts(entry, place, ("value", "kind", "source"), OPTIONAL)
    for part in ("kind", "source", *OPTIONAL):
        if part in table:
            text(table[part], place, part)
    one_of(place, "kind", table["kind"], KINDS)
    return table["value"], table["kind"], table["source"]


def parts(entry: object, place: str, needed: Collection[str], optional: Collection[str] = ()) -> Table:
    """Return a table of a file after checking its entries: all `needed` ones, and no others than the `optional` ones."""
    if not isinstance(entry, dict):
        raise UsageError(f"{place} should be a table with {', '.join(needed)}, got {shown(entry)}.")
    for part in needed:
        if part not in entry or entry[part] == "":
            raise UsageError(f"{place} lacks its {part}.")
    known = (*needed, *optional)
    for part in entry:
        if part not in known:
            raise UsageError(
                f"{place} has an unknown entry {shown(part)}{closest(part, known)} (known: {', '.join(known)})."
            )
    return entry


def text(value: object, place: str, part: str, *, most: int = 10_000) -> str:
    """Return an entry that should be a text of 1 to `most` characters without control characters; else raise UsageError."""
    if (
        not isinstance(value, str)
        or not value.strip()
        or len(value) > most
        or not value.translate(_LINES).isprintable()
    ):
        raise UsageError(f"{place} needs a text of 1 to {most} characters as its {part}, got {shown(value)}.")
    return value


def numbers(value: object, place: str, *, deep: int = 1, most: int = 100_000) -> Any:
    """Return a list of finite numbers as a tuple; lists may be nested `deep` levels at most."""
    if not isinstance(value, list) or not 0 < len(value) <= most:
        raise UsageError(f"{place} needs a list of 1 to {most} numbers as its value, got {shown(value)}.")
    if deep > 1 and isinstance(value[0], list):
        rows = tuple(numbers(row, place, deep=deep - 1, most=most) for row in value)
        if any(len(row) != len(rows[0]) for row in rows):
            raise UsageError(f"{place} needs rows of one length as its value, got {shown(value)}.")
        return rows
    return tuple(in_range(place, "each of its numbers", number, -LARGEST, LARGEST) for number in value)


def one_of(place: str, part: str, got: object, known: Collection[str]) -> None:
    """Raise UsageError if an entry is none of the known words."""
    if not isinstance(got, str) or got not in known:
        near = closest(got, known) if isinstance(got, str) else ""
        raise UsageError(f"{place} has {part} {shown(got)}, should be one of {', '.join(known)}{near}.")


def schema(table: Table, where: str) -> None:
    """Raise UsageError unless a file states schema = 1, the only schema so far."""
    if type(table.get("schema")) is not int or table["schema"] != 1:
        raise UsageError(f"{where} should have schema = 1, got {shown(table.get('schema'))}.")
