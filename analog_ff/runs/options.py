"""A configuration's fields as command-line options: each is declared once, with its help and how it is read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, Field, field, fields
from typing import Any

import typer

from analog_ff.runs.choices import Choices
from hardware_models.check import UsageError, shown
from hardware_models.tables import closest

NEGATED = "no_"
NUMBERS: Mapping[str, Callable[[str], Any]] = {"int": int, "float": float}
"""Annotation of a number -> what reads it."""


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
) -> Any:
    """Return a dataclass field that is an option of the command line too.

    Parameters
    ----------
    default : what holds where the option is not given.
    help_text : its line in ``--help``.
    parse : takes the option's name and its text; without it the annotation's type reads the text.
    shown : stands for the default in the help where the value itself would say too little.
    low, high, low_open, unit : the range of a number, whole if the annotation says int, checked by every configuration.
    choices : the only texts that are taken.
    """
    limits = {} if low is None else {"low": low, "high": high, "low_open": low_open, "unit": unit}
    return field(
        default=default,
        metadata={"help": help_text, "parse": parse, "shown": shown, "choices": tuple(choices), **limits},
    )


def parse_layers(option_name: str, text: str) -> tuple[int, ...]:
    """Return the widths that ``500,500`` names."""
    try:
        return tuple(int(part) for part in text.split(",") if part.strip() or "," in text)
    except ValueError:
        raise UsageError(
            f"{option_name} takes whole numbers separated by commas, such as 500,500, got {shown(text)}."
        ) from None


def parse_regions(option_name: str, text: str) -> int | str:
    """Return the number that ``4`` names, or "positions"."""
    if text == "positions":
        return text
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{option_name} takes a whole number or 'positions', got {shown(text)}.") from None


def parse_bits(option_name: str, text: str) -> int | None:
    """Return the bits that ``8`` names, or None for ``none``."""
    if text.lower() == "none":
        return None
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{option_name} takes a number of bits or 'none', got {shown(text)}.") from None


def parse_tile(option_name: str, text: str) -> tuple[int, int]:
    """Return (rows, columns) of ``256x256`` or ``256``."""
    parts = text.lower().split("x")
    try:
        numbers = [int(p) for p in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2):
        raise UsageError(f"{option_name} takes rows x columns in cells, such as 256x256, got {shown(text)}.")
    return numbers[0], numbers[-1]


def flag(name: str) -> str:
    """Return the option of a field: ``learning_rate`` -> ``--learning-rate``."""
    return f"--{name.replace('_', '-')}"


def parameters(kind: type[Choices], without: Collection[str] = ()) -> list[inspect.Parameter]:
    """Return the command's parameters for every field that `option` declared in a configuration class, but for `without`.

    A switch that is on by default becomes ``--no-...``; all values default to None, so that the caller sees what was given.
    """
    return [_parameter(f, kind.recipes) for f in fields(kind) if "help" in f.metadata and f.name not in without]


def given(kind: type, arguments: dict[str, Any]) -> dict[str, Any]:
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
    number = NUMBERS.get(_kind(f))
    try:
        return text if number is None else number(text)
    except ValueError:
        unit = f" [{f.metadata['unit']}]" if f.metadata.get("unit") else ""
        right = "a whole number" if number is int else f"a number{unit}, without its unit"
        raise UsageError(f"{name} takes {right}, got {shown(text)}.") from None


def _kind(f: Field[Any]) -> str:
    """Return the type that a field's annotation names, beside none."""
    return str(f.type).removesuffix(" | None")


def _parameter(f: Field[Any], recipes: Mapping[str, Mapping[str, Any]]) -> inspect.Parameter:
    text = f.metadata["help"]
    if isinstance(f.default, bool):
        name = (NEGATED if f.default else "") + f.name
        return _keyword(name, bool, typer.Option(False, flag(name), help=text))
    shown = f.metadata["shown"]
    if shown is None and f.default not in (None, "", MISSING):
        shown = _written(f, f.default)
    said = [] if shown is None else [f"default: {shown}", *_exceptions(f, recipes)]
    if "low" in f.metadata:
        said.append(f"from {f.metadata['low']:g} to {f.metadata['high']:g}")
    if said:
        text = f"{text} [{'; '.join(said)}]"
    # The text is read here, not by the library, whose sentence for a wrong one shows no value.
    kind = _kind(f) if not f.metadata["parse"] and _kind(f) in NUMBERS else "text"
    return _keyword(f.name, str, typer.Option(None, flag(f.name), help=text, show_default=False, metavar=f"<{kind}>"))


def _written(f: Field[Any], value: Any) -> str:
    """Return a value of an option as it is typed."""
    return ("x" if f.name == "tile" else ",").join(str(v) for v in value) if isinstance(value, tuple) else str(value)


def _exceptions(f: Field[Any], recipes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the defaults with a device or a learner that has a recipe of its own, such as "0.5 with backprop"."""
    by_value: dict[str, list[str]] = {}
    for who, recipe in recipes.items():
        if recipe.get(f.name, f.default) != f.default:
            by_value.setdefault(_written(f, recipe[f.name]), []).append(who)
    return [f"{value} with {', '.join(names)}" for value, names in by_value.items()]


def _keyword(name: str, kind: type, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def with_signature(function: Callable[..., None], shared: list[inspect.Parameter]) -> Callable[..., None]:
    """Give a function that takes ``**options`` the parameters `shared` beside its own, for the command line."""
    own = [p for p in inspect.signature(function, eval_str=True).parameters.values() if p.kind != p.VAR_KEYWORD]
    every = [*shared, *own]
    function.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    function.__annotations__ = {p.name: p.annotation for p in every}
    return function
