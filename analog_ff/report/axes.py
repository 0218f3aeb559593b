"""The axis of a chart: from numbers to places on the page, and the numbers that are written beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WANTED = 5
"""Steps between the ticks of a linear axis, about."""
SHORT = 1.6
"""Decades below which a logarithmic axis has ticks at 2 and 5, too."""
CROWDED = 6
"""Decades above which only every second or third power of ten has a tick."""


@dataclass(frozen=True)
class Axis:
    """A linear or logarithmic axis from `low` to `high`, drawn from the place `start` to the place `end` [px]."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    whole: bool = False  # ticks at whole numbers alone

    def at(self, value: float) -> float:
        """Return the place of a value [px]; a value beyond an end stands at that end."""
        low, high = (math.log10(v) if self.log else v for v in (self.low, self.high))
        if self.log and value <= 0.0:
            return self.start
        share = ((math.log10(value) if self.log else value) - low) / (high - low)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 2)

    def ticks(self) -> list[tuple[float, str]]:
        """Return place and text of each tick."""
        values = _powers(self.low, self.high) if self.log else _even(self.low, self.high, 1.0 if self.whole else 0.0)
        return [(self.at(value), f"{value:g}") for value in values]


def spanning(
    values: Iterable[float | None], start: float, end: float, *, log: bool = False, zero: bool = False
) -> Axis:
    """Return the axis that shows all values with a little room; `zero` lets a linear one begin at 0.

    A logarithmic axis shows what is above 0 alone. Without any value the axis goes from 0 to 1, or from 1 to 10.
    """
    found = [v for v in values if v is not None and math.isfinite(v) and (v > 0.0 or not log)]
    low, high = (min(found), max(found)) if found else (1.0, 10.0) if log else (0.0, 1.0)
    if log:
        room = max(10.0 ** (0.05 * math.log10(high / low)), 1.1)
        return Axis(low / room, high * room, start, end, log=True)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        low, high = (low, low + 1.0) if zero or low == 0.0 else (low - 0.1 * abs(low), high + 0.1 * abs(high))
    room = 0.06 * (high - low)
    return Axis(low if zero and low == 0.0 else low - room, high if zero and high == 0.0 else high + room, start, end)


def along(values: Sequence[float], start: float, end: float, *, log: bool = False) -> Axis:
    """Return the axis from the least to the largest of the values, without room at its ends; for the horizontal one.

    Where all values are whole numbers, so are the ticks.
    """
    loose = spanning(values, start, end, log=log)
    found = [v for v in values if math.isfinite(v) and (v > 0.0 or not log)]
    whole = all(v == int(v) for v in found)
    return Axis(min(found), max(found), start, end, log, whole) if found and min(found) < max(found) else loose


def _even(low: float, high: float, least: float = 0.0) -> list[float]:
    """Return round numbers from `low` to `high`, whose distance is 1, 2 or 5 times a power of ten, and no less than `least`."""
    rough = (high - low) / WANTED
    power = 10.0 ** math.floor(math.log10(rough))
    step = max(least, next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * 0.999))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{n * step:.12g}") for n in range(first, last + 1)]


def _powers(low: float, high: float) -> list[float]:
    """Return powers of ten from `low` to `high`; on a short axis 2 and 5 times these as well."""
    decades = math.log10(high / low)
    if decades < SHORT:
        found = [
            m * 10.0**n for n in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for m in (1, 2, 5)
        ]
        inside = [float(f"{v:.6g}") for v in found if low <= v <= high]
        return inside if len(inside) > 1 else _even(low, high)
    every = max(1, math.ceil(decades / CROWDED))
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    return [float(f"1e{n}") for n in range(first, last + 1) if n % every == 0]
