"""Find the text of a technology file, and merge its tables with those of the technology that it extends."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from hardware_models import figures, files
from hardware_models.check import UsageError, shown
from hardware_models.tables import closest

WHAT = "technology file"
ARITHMETIC = ("mac", "add")
"""Components that are priced for each number format."""
_FOLDER = "hardware_models.energy.technologies"
TECHNOLOGIES: Mapping[str, str] = MappingProxyType(
    {f"cmos-{name}": f"cmos_{name.replace('-', '_')}" for name in ("130nm", "45nm", "32nm", "32nm-wide", "22nm", "7nm")}
)
"""Technologies by name -> file in hardware_models/energy/technologies."""
TABLES = ("meta", "sources", "line", "static", "digital", "time", "area", "component")
"""Tables of a technology file. Where a file extends another technology, its entries replace the other's one by one."""

INHERITED = ("node_nm", "temperature_K", "omits")
"""Entries of ``[meta]`` that a file takes over from the technology it extends; it needs a name of its own."""


def packaged(name: str) -> str:
    """Return the text of a technology file of this library, and note its SHA-256 in the record of the run."""
    return files.packaged(_FOLDER, f"{TECHNOLOGIES[name]}.toml", WHAT)


@cache
def number_formats() -> tuple[str, ...]:
    """Return the number formats (int8, fp32, ...) for which some technology of this library prices arithmetic."""
    priced = {name for known in TECHNOLOGIES for name in tomllib.loads(unnoted(known)).get("component", {})}
    return tuple(sorted({name.partition(".")[2] for name in priced if name.partition(".")[0] in ARITHMETIC}))


@cache
def unnoted(name: str) -> str:
    """Return the text of a technology file of this library without noting it in the record of the run."""
    return resources.files(_FOLDER).joinpath(f"{TECHNOLOGIES[name]}.toml").read_text(encoding="utf-8")


def tables(text: str, where: str) -> tuple[files.Table, str]:
    """Return the tables of a file merged with those of the technology that it extends, and the text of both files.

    The result has all names of `TABLES`; a table that the file lacks is empty. Raises UsageError for an unknown table, an
    unknown technology to extend, or two different sources of the same name.
    """
    read = files.toml(text, where)
    figures.schema(read, where)
    for name, entry in read.items():
        if name not in (*TABLES, "schema"):
            raise UsageError(f"{where} has an unknown table {shown(name)}{closest(name, TABLES)}.")
        if name in TABLES and not isinstance(entry, dict):
            raise UsageError(f"{where}: '{name}' should be a table, got {shown(entry)}.")
    table: files.Table = {name: read.get(name, {}) for name in TABLES}
    base = table["meta"].get("extends")
    if base is None:
        return table, text
    if not isinstance(base, str) or base not in TECHNOLOGIES:
        near = closest(base, TECHNOLOGIES) if isinstance(base, str) else ""
        raise UsageError(f"{where} extends the unknown technology {shown(base)}{near} ({', '.join(TECHNOLOGIES)}).")
    below, under = tables(packaged(base), f"technologies/{TECHNOLOGIES[base]}.toml")
    for key, source in table["sources"].items():
        if below["sources"].get(key, source) != source:
            raise UsageError(
                f"{where}: 'sources.{shown(key, quoted=False)}' conflicts with the source of the same name in '{base}'."
            )
    merged = {name: {**below[name], **table[name]} for name in TABLES}
    merged["meta"] = {key: below["meta"][key] for key in INHERITED if key in below["meta"]} | table["meta"]
    return merged, text + under
