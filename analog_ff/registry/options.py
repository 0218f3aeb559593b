"""An option of a configuration, declared once at its dataclass field: default, help, range, choices, unit, table."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any

from analog_ff.plain import Facts
from hardware_models.check import UsageError, in_range, positive_int, shown
from hardware_models.units import in_si

MOST_DIGITS = 1000
"""Most characters of a number."""
_WHOLE = re.compile(r"[+-]?[0-9]+")
_REAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def option(
    default: Any,
    help_text: str,
    parse: Callable[[str, str], Any] | None = None,
    shown: str | None = None,
    *,
    low: float | None = None,
    high: float | None = None,
    low_open: bool = False,
    unit: str = "",
    choices: Sequence[str] = (),
    table: Facts | None = None,
    or_own: str = "",
    beside: str = "",
    later: bool = False,
    repeated: str = "",
) -> Any:
    """Return a dataclass field that is an option of the command line too.

    Parameters
    ----------
    default : the value where the option is not given.
    help_text : its line in ``--help``.
    parse : takes the option's name and its text; without it the annotation's type reads the text.
    shown : stands for the default in the help where the value itself would say too little.
    low, high, low_open, unit : the range of a number, whole if the annotation says int, checked by every configuration.
    choices : the only texts that are taken.
    table : the table whose names are taken; the help lists them with the description in their rows.
    or_own : the form of a user's own entry beside the table's names, such as ``file.py:function``; it has a colon.
    beside : another option without which, at its default, this one does nothing.
    later : runs of earlier versions had no such option and were what its default is: their files need not have it.
    repeated : the option's name on the command line, where it is given once for every entry of a list, such as ``--figure``.
    """
    limits = {} if low is None else {"low": low, "high": high, "low_open": low_open, "unit": unit}
    said = {"help": help_text, "parse": parse, "shown": shown, "choices": tuple(choices), "beside": beside,
            "later": later, "repeated": repeated}  # fmt: skip
    return field(default=default, metadata={**said, "table": table, "or_own": or_own, **limits})


def whole(text: str) -> int:
    """Return the whole number that a text writes with the digits 0 to 9 and a sign alone; raise ValueError for any other text.

    Python's `int` would also take ``1_0``, spaces, and digits of other scripts.
    """
    if not _WHOLE.fullmatch(text) or len(text) > MOST_DIGITS:
        raise ValueError("no whole number")
    return int(text)


def real(text: str) -> float:
    """Return the finite number that a text writes as ``0.5``, ``.5`` or ``5e-1``; raise ValueError for any other text."""
    if not _REAL.fullmatch(text) or len(text) > MOST_DIGITS or math.isinf(number := float(text)):
        raise ValueError("no number")
    return number


def parse_whole(option_name: str, text: str) -> int:
    """Return the whole number of an option's text."""
    try:
        return whole(text)
    except ValueError:
        raise UsageError(f"{option_name} takes a whole number, got {shown(text)}.") from None


def parse_real(option_name: str, text: str, unit: str = "") -> float:
    """Return the number of an option's text, which has no unit."""
    try:
        return real(text)
    except ValueError:
        in_unit = f" [{unit}]" if unit else ""
        meant = in_si(text, unit)
        right = f"; {text.strip()} is {option_name} {meant}" if meant else ""
        raise UsageError(
            f"{option_name} takes a number{in_unit}, without its unit, got {shown(text)}{right}."
        ) from None


def whole_of_study(option_name: str, text: str, low: int, high: int) -> int:
    """Return the whole number of an option of a study, from low to high; raise UsageError for any other text."""
    return positive_int("a study", option_name, parse_whole(option_name, text), low, high)


def real_of_study(
    option_name: str, text: str, low: float, high: float, unit: str = "", *, low_open: bool = False
) -> float:
    """Return the number of an option of a study, from low to high; raise UsageError for any other text."""
    return in_range("a study", option_name, parse_real(option_name, text, unit), low, high, unit, low_open=low_open)


def parse_layers(option_name: str, text: str) -> tuple[int, ...]:
    """Return the widths that ``500,500`` names."""
    try:
        return tuple(whole(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise UsageError(
            f"{option_name} takes whole numbers separated by commas, such as 500,500, got {shown(text)}."
        ) from None


def parse_labels(option_name: str, text: str) -> tuple[str, ...]:
    """Return the labels that ``0,2,4`` names, in their order; each once."""
    labels = tuple(part.strip() for part in text.split(","))
    if not all(labels) or len(set(labels)) < len(labels):
        raise UsageError(f"{option_name} takes different labels separated by commas, such as 0,2,4, got {shown(text)}.")
    return labels


def parse_regions(option_name: str, text: str) -> int | str:
    """Return the number that ``4`` names, or "positions"."""
    if text == "positions":
        return text
    try:
        return whole(text)
    except ValueError:
        raise UsageError(f"{option_name} takes a whole number or 'positions', got {shown(text)}.") from None


def parse_bits(option_name: str, text: str) -> int | None:
    """Return the bits that ``8`` names, or None for ``none``."""
    if text.lower() == "none":
        return None
    try:
        return whole(text)
    except ValueError:
        raise UsageError(f"{option_name} takes a number of bits or 'none', got {shown(text)}.") from None


def parse_figures(option_name: str, text: str) -> tuple[str, ...]:
    """Return the figures that ``states=64,g_max=20 uS`` names, each in one form of writing; raise UsageError for another form."""
    from hardware_models.devices.single_figures import (
        parsed,  # the contract of devices, for those alone who replace a figure
    )

    try:
        return tuple(str(parsed(part)) for part in text.split(",")) if text else ()
    except UsageError as error:
        raise UsageError(f"{option_name}: {error}") from None


def parse_tile(option_name: str, text: str) -> tuple[int, int]:
    """Return (rows, columns) of ``256x256`` or ``256``."""
    parts = text.lower().split("x")
    try:
        numbers = [whole(p) for p in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2):
        raise UsageError(f"{option_name} takes rows x columns in cells, such as 256x256, got {shown(text)}.")
    return numbers[0], numbers[-1]


def flag(name: str) -> str:
    """Return the option of a field: ``learning_rate`` -> ``--learning-rate``."""
    return f"--{name.replace('_', '-')}"
