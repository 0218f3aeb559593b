"""Ages of a chip as they are written: a number and its unit, such as ``1h,1d,30d``."""

from __future__ import annotations

import re
from types import MappingProxyType

from analog_ff.registry.options import real
from hardware_models.check import UsageError, shown

UNITS = MappingProxyType({"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "y": 31557600.0})
"""Unit of an age -> seconds [s]; a year has 365.25 days."""
OLDEST = 1e12
"""Largest age [s], about 30 000 years."""
AT_ONCE = "at once"
"""Name of the age 0."""
_AGE = re.compile(r"([^a-zA-Z]*[eE]?[^a-zA-Z]*)([a-zA-Z]*)")


def seconds_of(option_name: str, text: str) -> float:
    """Return the seconds of one age such as ``30d``; raise UsageError for a text that is no number with a unit of time."""
    found = _AGE.fullmatch(text)
    number, unit = found.groups() if found else ("", "")
    right = f"a number and its unit ({', '.join(UNITS)}), such as 1h or 30d"
    if unit not in UNITS:
        said = f"no unit of time is called {shown(unit)}" if unit else f"{shown(text)} lacks its unit"
        raise UsageError(f"{option_name} takes ages, each {right}; {said}.")
    try:
        seconds = real(number) * UNITS[unit]
    except ValueError:
        raise UsageError(f"{option_name} takes ages, each {right}, got {shown(text)}.") from None
    if not 0.0 < seconds <= OLDEST:
        raise UsageError(
            f"{option_name} takes ages above 0 s and up to {OLDEST:g} s, got {shown(text)}; the test at once is always made."
        )
    return seconds


def ages_of(option_name: str, text: str) -> dict[str, float]:
    """Return the ages that a text such as ``1h,1d`` names, {as written: seconds}, the one at once (0 s) first.

    Raises UsageError in one sentence for a text that is no list of ages, and for ages that do not rise.
    """
    ages = {AT_ONCE: 0.0}
    for part in text.split(","):
        name, last = part.strip(), list(ages)[-1]
        seconds = seconds_of(option_name, name)
        if seconds <= ages[last]:
            raise UsageError(
                f"{option_name} takes ages that rise, each once: {shown(name)} is not later than {shown(last)}."
            )
        ages[name] = seconds
    return ages


def parse_ages(option_name: str, text: str) -> str:
    """Return the text of an option that names ages, without spaces; raise UsageError as `ages_of` does."""
    return ",".join(list(ages_of(option_name, text))[1:])
