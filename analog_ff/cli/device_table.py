"""Tables of the device kit: the catalogue of devices, the numbers of one device with their sources."""

from __future__ import annotations

import sys
from typing import Any

from analog_ff.plain import Document


def catalogue() -> list[Document]:
    """Return one row a device that has a name: from its parameter file, or as an installed package registers it."""
    from hardware_models.devices import PUBLISHED
    from hardware_models.load import installed_devices, read_table

    rows = []
    for name in sorted(PUBLISHED):
        table, _ = read_table(name)
        rows.append(_row(name, table))
    named = ("technology", "states", "on/off", "pulse", "checked", "figures", "law of time", "doi")
    empty: Document = dict.fromkeys(named)
    rows.append({"name": "ideal", **empty, "model": "ideal", "source": "an idealisation, not a measured device"})
    for name, entry in sorted(installed_devices().items()):
        rows.append({"name": name, **empty, "model": entry.value, "source": "an installed package"})
    return rows


def _row(name: str, table: Document) -> Document:
    from hardware_models.devices import provenance
    from hardware_models.units import to_si

    def si(entry: str) -> float | None:
        figure = table.get(entry)
        return to_si(float(figure["value"]), figure["unit"]) if isinstance(figure, dict) else None

    low, high = si("g_min"), si("g_max")
    pulses = []
    for side, sign in (("up", "+"), ("down", "-")):
        v, t = table.get(f"v_{side}"), table.get(f"t_{side}")
        if v and t:
            pulses.append(f"{sign}{abs(v['value']):g} {v['unit']} {t['value']:g} {t['unit']}")
    source, counts = table["source"], provenance.counts(table)
    return {
        "name": name,
        "technology": source.get("technology"),
        "states": si("states"),
        "on/off": round(high / low, 3) if low and high else None,
        "pulse": ", ".join(pulses) or None,
        "checked": f"{counts['checked']} of {sum(counts.values())}",
        "figures": counts,
        "law of time": provenance.law_of_time(table),
        "doi": source.get("doi"),
        "model": table["model"],
        "source": source["citation"],
    }


def layers_of(device: Any) -> tuple[Any, ...]:
    """Return the model of a device, and then the wrappers around it, the innermost first."""
    from hardware_models.devices.adapted import original
    from hardware_models.devices.wrapper import Wrapper

    return device.chain()[::-1] if isinstance(device, Wrapper) else (original(device),)


def parameters(device: Any, spec: str) -> list[Document]:
    """Return the device's numbers in SI, those of wear and retention under the names that a parameter file gives them.

    The entries of a parameter file for a number stand beside it.
    """
    from dataclasses import fields, is_dataclass

    from hardware_models.devices.ageing import ENTRIES
    from hardware_models.devices.base import declared
    from hardware_models.load import has_table, read_table
    from hardware_models.units import to_si

    table: Document = read_table(spec)[0] if has_table(spec) else {}  # checked when the device was loaded
    model, *around = layers_of(device)
    entries = {place: entry for entry, place in ENTRIES.items()}
    numbers: list[tuple[str, Any, Any]] = []
    if is_dataclass(model):
        units: Any = declared(type(model))
        numbers += [(f.name, getattr(model, f.name), units[f.name]) for f in fields(model)]
    for part in around:
        units = declared(type(part))
        kind = type(part).__name__
        numbers += [(entries.get((kind, n), n), value, units[n]) for n, value in part.numbers().items()]
    rows = []
    for name, value, m in numbers:
        if name in ("name", "source", "assumptions"):
            continue
        said = table.get(name) if isinstance(table.get(name), dict) else None
        row = {"name": name, "value": value, "unit": m.get("unit"), "low": m.get("low"), "high": m.get("high"),
               "kind": "default", "source": "default of the model", "checked": None}  # fmt: skip
        if said:
            ends = {e: to_si(float(said[e]), said["unit"]) for e in ("low", "high") if e in said and "unit" in said}
            row |= {**ends, "kind": said["kind"], "source": said["source"], "checked": said.get("checked")}
        rows.append(row)
    return rows


def equation(device: Any) -> str:
    """Return the docstring of the device's module, where its equation stands, else the class's own."""
    import inspect

    module = sys.modules.get(type(device).__module__)
    return inspect.cleandoc((module.__doc__ if module else None) or type(device).__doc__ or "no equation is documented")


def shown(value: object) -> str:
    """Return a value as a cell of a table: four digits of a number, a dash for None."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def table(head: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    """Return the lines of a table in columns; a cell of more than 60 characters pushes the next one on."""
    widths = [min(max(len(r[i]) for r in [list(head), *rows]), 60) for i in range(len(head))]
    return [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in [list(head), *rows]
    ]
