"""Texts of options, from the command line or a file, become values of a configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from typing import Any

from analog_ff.plain import Document
from analog_ff.registry.options import flag
from hardware_models.check import UsageError, shown
from hardware_models.tables import closest

NEGATED = "no_"
"""Begins the name of a command's switch that turns off what is on by default."""
NUMBERS: Mapping[str, Callable[[str], Any]] = {"int": int, "float": float}
"""Annotation of a number -> what reads it."""


def given(kind: type, arguments: Document) -> Document:
    """Return the choices among the command's arguments, read; UsageError in one sentence for a text that cannot be."""
    chosen = {}
    for f in fields(kind):
        if f.default is True:
            if arguments[NEGATED + f.name]:
                chosen[f.name] = False
            continue
        value = arguments[f.name]
        if value is None or value is False:
            continue
        chosen[f.name] = _read(f, flag(f.name), value) if isinstance(value, str) else value
    return chosen


def read(kind: type, name: str, text: str) -> tuple[str, Any]:
    """Return (field, value) of a choice written as text, such as ("learning-rate", "0.01"); UsageError in one sentence."""
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
    """Return what the text of an option says, of its field's type; UsageError in one sentence, by the option's name."""
    if f.metadata["parse"]:
        return f.metadata["parse"](name, text)
    number = NUMBERS.get(plain_type(f))
    try:
        return text if number is None else number(text)
    except ValueError:
        unit = f" [{f.metadata['unit']}]" if f.metadata.get("unit") else ""
        right = "a whole number" if number is int else f"a number{unit}, without its unit"
        raise UsageError(f"{name} takes {right}, got {shown(text)}.") from None


def plain_type(f: Field[Any]) -> str:
    """Return the type that a field's annotation names, beside none."""
    return str(f.type).removesuffix(" | None")
