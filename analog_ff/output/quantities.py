"""Quantities in words: a number with the prefix of its size and its unit, currents against their limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from analog_ff.plain import Facts

PART_NAMES = {"array": "array", "converters": "converters and drivers", "digital": "digital work", "memory": "memory"}
"""Part of an energy -> its name in a table."""
DIGITAL = ("digital", "memory")
"""Parts of an energy that are no analog work; clock and control of the memory are in the first."""
AREA_NAMES = {
    "cells": "cells",
    "further_cells": "cells of further arrays",
    "adc": "ADCs",
    "dac": "DACs",
    "integrator": "integrators",
    "sample_and_hold": "sample-and-holds",
    "memory": "memory",
    "multiply_adds": "multiply-adds",
}
"""Part of an area -> its name in a table."""
PREFIXES = (
    ("G", 1e9),
    ("M", 1e6),
    ("k", 1e3),
    ("", 1.0),
    ("m", 1e-3),
    ("u", 1e-6),
    ("n", 1e-9),
    ("p", 1e-12),
    ("f", 1e-15),
)
"""Prefix -> its factor, the largest first."""


def prefix_of(value: float, most: str = "G") -> tuple[str, float]:
    """Return the largest prefix, at most `most`, that leaves a number of at least 1, and its factor; else the smallest one."""
    usable = PREFIXES[[prefix for prefix, _ in PREFIXES].index(most) :]
    return next(((prefix, factor) for prefix, factor in usable if value >= factor), usable[-1])


def quantity(value: float | None, unit: str, *, most: str = "G", unknown: str = "unknown") -> str:
    """Return a value >= 0 with three digits, its prefix and its unit; without prefix if it is smaller than the smallest one."""
    if value is None:
        return unknown
    prefix, factor = prefix_of(value, most)
    return f"{value / factor:.3g} {prefix}{unit}" if value >= factor else f"{value:.3g} {unit}"


def joules(value: float | None, unknown: str = "unknown") -> str:
    """Return an energy; joules have no larger prefix here."""
    return quantity(value, "J", most="", unknown=unknown)


def ranged(amounts: Mapping[str, float | None], said: Callable[[float | None], str] = joules, unit: str = "") -> str:
    """Return a nominal value, by default an energy, with the low and the high end of its range, and a unit of all three."""
    return f"{said(amounts['nominal'])} ({said(amounts['low'])} to {said(amounts['high'])}){unit}"


def of_the_energy(parts: Mapping[str, Mapping[str, float | None]]) -> list[tuple[str, str]]:
    """Return the parts of an energy in words, a row each, and the share of digital work and memory in the nominal whole."""
    rows = [(f"   of it {PART_NAMES[part]}", ranged(amounts)) for part, amounts in parts.items() if amounts["nominal"]]
    nominal = {part: amounts["nominal"] or 0.0 for part, amounts in parts.items()}
    if whole := sum(nominal.values()):
        share = sum(nominal[part] for part in DIGITAL) / whole
        names = " and ".join(PART_NAMES[part] for part in DIGITAL)
        rows.append((f"   share of {names}", f"{100.0 * share:.3g} % of the nominal energy"))
    return rows


def _seconds(value: float | None) -> str:
    return quantity(value, "s", most="")


def _times(factor: float) -> Callable[[float | None], str]:
    return lambda value: "unknown" if value is None else f"{factor * value:.3g}"


WHOLE: Mapping[str, tuple[str, Callable[[float | None], str], str]] = {
    "seconds_per_image": ("chip time per update", _seconds, ""),
    "array_seconds": ("   of it arrays", _seconds, ""),
    "digital_seconds": ("   of it digital work", _seconds, ""),
    "area_m2": ("area", _times(1e6), " mm2"),
    "watt": ("average power", lambda value: quantity(value, "W"), ""),
    "watt_per_m2": ("power density", _times(1e-4), " W/cm2"),
}
"""Quantity of the whole chip -> its row in a table, the function that says a value of it, and the unit after it."""


def of_the_whole(chip: Facts) -> dict[str, tuple[str, str]]:
    """Return the row in words of each quantity of the whole chip: time, area, power and power density, if they are known."""
    rows = {}
    for key, (name, said, unit) in WHOLE.items():
        if chip[key] is None and key in ("area_m2", "watt_per_m2"):
            continue
        # Results of earlier versions have no ranges.
        rows[key] = (name, ranged(chip["ranges"][key], said, unit) if "ranges" in chip else said(chip[key]) + unit)
    at_ends = chip["ranges"]["label"] if "ranges" in chip else {"nominal": chip["label"], "high": ""}
    if any(at_ends[end] for end in ("nominal", "high")):
        name, value = rows["watt_per_m2"]
        verdict = at_ends["nominal"] or f"at its high end {at_ends['high']}"
        rows["watt_per_m2"] = (name, f"{value},\n{verdict}")
    return rows


def against_limit(ratio: Mapping[str, float], limit: str = "the current limit") -> str:
    """Return the largest currents of reads and writes over the limit in words; pulses of no stated voltage have none."""
    if not ratio["write"]:
        return f"reads {ratio['read']:.3g} times {limit}; writes unknown, as the device gives no voltage"
    return f"reads {ratio['read']:.3g}, writes {ratio['write']:.3g} times {limit}"


def readout_in_words(name: str) -> str:
    """Return the words for a read-out of that name, such as "energy read-out"."""
    return f"{name} read-outs" if name == "both" else f"{name} read-out"
