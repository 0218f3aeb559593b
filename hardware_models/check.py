"""Errors whose message tells a user what to change, and the range checks that raise them.

Every message is one sentence that says what was wrong, where, and what would be right.
"""

from __future__ import annotations

import math
import numbers
from typing import TypeGuard


class UsageError(ValueError):
    """An input of the user (a file, a value, an option) is wrong; the command line exits with status 2."""


class RunError(RuntimeError):
    """A run with valid input cannot continue; the command line exits with status 1 and keeps the checkpoint."""


class DeviceRangeError(RunError):
    """A cell of a device holds a value that is no conductance; other faults of the run follow from it."""


class CommandError(RuntimeError):
    """A command with valid input has failed; the command line exits with status 1."""


def shown(value: object, most: int = 60, *, quoted: bool = True) -> str:
    """Return a user's value as one short line for a message: its `repr`, or its plain text if `quoted` is False.

    Control characters are escaped, a long text or list is cut after `most` characters, and an integer with too many digits is
    described instead.
    """
    if isinstance(value, str):
        line = (
            repr(value[: most + 1])
            if quoted
            else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in value[: most + 1])
        )
    else:
        try:
            # The text of an array or of a user's own class may have several lines.
            line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(repr(value).split()))
        except Exception:  # a number with too many digits, lists nested too deeply, or a fault in a user's own class
            line = (
                f"a whole number of {value.bit_length()} bits"
                if isinstance(value, int)
                else f"a {type(value).__name__}"
            )
    return line if len(line) <= most + 2 else f"{line[: most - 3]}..."


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as "1 step" or "2 steps"; the plural of the noun is formed by an s."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _is_real(value: object) -> TypeGuard[numbers.Real]:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


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
    try:
        number = float(value) if isinstance(value, float) or _is_real(value) else None
    except OverflowError:
        number = None
    if number is not None and math.isfinite(number) and low <= number <= high and not (low_open and number == low):
        return number
    in_unit = f" {unit}" if unit not in ("", "1") else ""
    bracket = "]" if low_open else "["
    got = shown(value) if number is None else f"{number:g}{in_unit}"
    share = number is not None and not in_unit and (low, high) == (0.0, 1.0) and 1.0 < number <= 100.0
    percent = f" (a share: {number:g} % is {number / 100.0:g})" if number is not None and share else ""
    raise UsageError(f"{owner} needs a number in {bracket}{low:g}, {high:g}]{in_unit} for {name}, got {got}{percent}.")


def positive_int(owner: str, name: str, value: object, low: int = 1, high: int | None = None) -> int:
    """Return `value` as an int if it is a whole number of at least `low` (and at most `high`), else raise UsageError."""
    right = f"a whole number of at least {low}" + (f" and at most {high}" if high is not None else "")
    is_integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_integer or int(value) < low or (high is not None and int(value) > high):  # type: ignore[call-overload]
        raise UsageError(f"{owner} needs {right} for {name}, got {shown(value)}.")
    return int(value)  # type: ignore[call-overload]
