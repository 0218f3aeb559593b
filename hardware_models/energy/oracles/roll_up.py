r"""Power and area of a published chip from its parts: the sum over a hierarchy of components.

.. math:: P = \sum_c n_c P_c, \qquad A = \sum_c n_c A_c

A component file (TOML) has tables ``[unit.<name>.<component>]`` with ``number``, and ``power`` [mW] and ``area`` [mm²] or
``unit`` (the name of another unit that it contains), and a table ``[sources]``. The sums check the totals of a publication.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hardware_models import files
from hardware_models.check import UsageError, in_range, shown

MILLIWATT = 1e-3
SQUARE_MILLIMETRE = 1e-6


def read_components(path: str | Path) -> files.Table:
    """Return the tables of a component file; raise UsageError if the file is not a component file."""
    where = shown(str(path), 200, quoted=False)
    table = files.toml(files.contents(path, "component file"), where)
    for entry in ("unit", "sources"):
        if not isinstance(table.get(entry), dict):
            raise UsageError(f"{where} lacks the table '{entry}'.")
    for name, components in table["unit"].items():
        place = f"{where}: 'unit.{shown(name, quoted=False)}"
        if not isinstance(components, dict):
            raise UsageError(f"{place}' should be a table, got {shown(components)}.")
        for part, entry in components.items():
            if not isinstance(entry, dict):
                raise UsageError(f"{place}.{shown(part, quoted=False)}' should be a table, got {shown(entry)}.")
    return table


def roll_up(
    units: Mapping[str, files.Table], name: str, quantity: str = "power", within: tuple[str, ...] = ()
) -> float:
    """Return the power [W] or area [m²] of the unit `name`, including all units that it contains."""
    if not isinstance(name, str) or name not in units:
        raise UsageError(f"no unit {shown(name)} in the component file (known: {', '.join(units)}).")
    if name in within:
        raise UsageError(f"unit '{name}' of the component file contains itself.")
    scale = MILLIWATT if quantity == "power" else SQUARE_MILLIMETRE
    total = 0.0
    for part, entry in units[name].items():
        number = in_range(f"component '{name}.{part}'", "number", entry.get("number", 1), 0.0, 1e9)
        if "unit" in entry:
            total += number * roll_up(units, entry["unit"], quantity, (*within, name))
        else:
            what = f"component '{name}.{part}'"
            total += number * scale * in_range(what, quantity, entry.get(quantity, 0.0), 0.0, 1e9)
    return total
