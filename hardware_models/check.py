"""Errors that a user can act on, and the range checks that raise them.

Every message is one sentence that says what was wrong, where, and what would be right.
"""

from __future__ import annotations

import math
import numbers


class UsageError(ValueError):
    """Something the user gave (a file, a value, an option) is wrong; the command line exits with status 2."""


class RunError(RuntimeError):
    """A run that began well cannot go on; the command line exits with status 1 and keeps the checkpoint."""


class CommandError(RuntimeError):
    """A command was used rightly and has failed; the command line exits with status 1."""


def in_range(
    owner: str,
    name: str,
    value: object,
    low: float,
    high: float,
    unit: str = "",
    *,
    low_open: bool = False,
) -> float:
    """Return `value` as a float if it is a finite number in [low, high] (or ]low, high]), else raise UsageError."""
    shown = f" {unit}" if unit else ""
    bracket = "]" if low_open else "["
    right = f"a number in {bracket}{low:g}, {high:g}]{shown}"
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise UsageError(f"{owner} needs {right} for {name}, got {value!r}.")
    number = float(value)
    outside = not math.isfinite(number) or number < low or number > high or (low_open and number == low)
    if outside:
        raise UsageError(f"{owner} needs {right} for {name}, got {number:g}{shown}.")
    return number


def positive_int(owner: str, name: str, value: object, low: int = 1, high: int | None = None) -> int:
    """Return `value` as an int if it is a whole number of at least `low` (and at most `high`), else raise UsageError."""
    right = f"a whole number of at least {low}" + (f" and at most {high}" if high is not None else "")
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or int(value) < low or (high is not None and int(value) > high):  # type: ignore[call-overload]
        raise UsageError(f"{owner} needs {right} for {name}, got {value!r}.")
    return int(value)  # type: ignore[call-overload]
