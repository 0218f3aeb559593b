"""Reading the texts of options, from the command line or a file, as values of a configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from typing import Any

from analog_ff.plain import Document
from analog_ff.registry.options import flag, parse_real, parse_whole
from hardware_models.check import UsageError, shown
from hardware_models.tables import closest

NEGATED = "no_"
"""Prefix of the name of a command's switch that turns off an option which is on by default."""
NUMBERS: Mapping[str, Callable[..., int | float]] = {"int": parse_whole, "float": parse_real}
"""Annotation of a number -> the function that reads it."""


def given(kind: type, arguments: Document) -> Document:
    """Return the values of the choices given among a command's arguments; raise UsageError for a text that has none."""
    chosen = {}
    for f in fields(kind):
        if f.default is True:
            if arguments[NEGATED + f.name]:
                chosen[f.name] = False
            continue
        value = arguments[f.name]
        if option := f.metadata.get("repeated"):  # a list with an entry for each time that it was given
            if any(not text.strip() for text in value or ()):
                raise UsageError(f"{option} takes a value each time, got ''; leave it out to replace nothing.")
            value = ",".join(value) if value else None
        if value is None:  # not given; a switch that is off in some runs may be given as False
            continue
        chosen[f.name] = (
            _read(f, f.metadata.get("repeated") or flag(f.name), value) if isinstance(value, str) else value
        )
    return chosen


def read(kind: type, name: str, text: str) -> tuple[str, Any]:
    """Return (field, value) of a choice written as text, such as ("learning-rate", "0.01"), or raise UsageError."""
    known = {f.name.replace("_", "-"): f for f in fields(kind) if "help" in f.metadata}
    if name not in known:
        raise UsageError(f"no option is called {shown(name)}{closest(name, known)} (all: see simulate --help).")
    f = known[name]
    if isinstance(f.default, bool):
        if text not in ("true", "false"):
            raise UsageError(f"{name} takes true or false, got {shown(text)}.")
        return f.name, text == "true"
    return f.name, _read(f, flag(name), text)


def _read(f: Field[Any], name: str, text: str) -> Any:
    """Return the value of an option's text, of its field's type; raise UsageError with the option's name if it has none."""
    if f.metadata["parse"]:
        return f.metadata["parse"](name, text)
    number = NUMBERS.get(plain_type(f))
    unit = (f.metadata["unit"],) if number is parse_real and f.metadata.get("unit") else ()
    return text if number is None else number(name, text, *unit)


def written(f: Field[Any], value: Any) -> str:
    """Return a value of an option as it is typed."""
    if value is None:
        return "none"
    return ("x" if f.name == "tile" else ",").join(str(v) for v in value) if isinstance(value, tuple) else str(value)


def plain_type(f: Field[Any]) -> str:
    """Return the type that a field's annotation names, apart from None."""
    return str(f.type).removesuffix(" | None")
