"""Quantities in words: a number with the prefix of its size and its unit, currents against their limit."""

from __future__ import annotations

from collections.abc import Mapping

from analog_ff.plain import Facts

PART_NAMES = {"array": "array", "converters": "converters and drivers", "digital": "digital work", "memory": "memory"}
"""Part of an energy -> its name in a table."""
AREA_NAMES = {
    "cells": "cells",
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


def ranged(amounts: Mapping[str, float | None]) -> str:
    """Return a nominal energy with the low and the high end of its range."""
    return f"{joules(amounts['nominal'])} ({joules(amounts['low'])} to {joules(amounts['high'])})"


def of_the_whole(chip: Facts) -> list[tuple[str, str]]:
    """Return time, area, power and power density of the whole chip in words, a row each."""
    parts = (chip["array_seconds"], chip["digital_seconds"])
    array, digital = (quantity(seconds, "s", most="") for seconds in parts)
    rows = [
        (
            "chip time per update",
            f"{quantity(chip['seconds_per_image'], 's', most='')} (array {array}, digital {digital})",
        )
    ]
    if chip["area_m2"]:
        rows.append(("area", f"{1e6 * chip['area_m2']:.3g} mm2"))
    rows.append(("average power", quantity(chip["watt"], "W")))
    if chip["watt_per_m2"] is not None:
        label = f", {chip['label']}" if chip["label"] else ""
        rows.append(("power density", f"{1e-4 * chip['watt_per_m2']:.3g} W/cm2{label}"))
    return rows


def against_limit(ratio: Mapping[str, float], limit: str = "the current limit") -> str:
    """Return the largest currents of reads and writes over the limit in words; pulses of no stated voltage have none."""
    if not ratio["write"]:
        return f"reads {ratio['read']:.3g} times {limit}; writes unknown, as the device gives no voltage"
    return f"reads {ratio['read']:.3g}, writes {ratio['write']:.3g} times {limit}"
