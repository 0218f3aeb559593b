"""The options of a configuration as parameters of a command, its help in groups."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import MISSING, Field, fields
from typing import Any

import typer
from typer.core import TyperCommand

from analog_ff.config.choices import Choices
from analog_ff.config.reading import NEGATED, NUMBERS, plain_type, written
from analog_ff.registry.options import flag
from analog_ff.registry.rows import kinds
from hardware_models.tables import Row

ARGUMENTS = "Arguments"
"""Title of what is given without an option's name."""
OTHERS = "Options of the command"
"""Title of the options that are no choices of a run, such as --resume."""
FEW = 4
"""Most names of kinds that the title of a group carries."""
TEXT = "<text>"
"""Stands for the value of an option that takes a text."""


class Grouped(TyperCommand):
    """A command whose help lists the options under the titles that their parameters carry."""

    def format_options(self, ctx: Any, formatter: Any) -> None:  # classes of the library that moved between versions
        """Write every group with its title, the options that belong to no part of a configuration last."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            if (record := parameter.get_help_record(ctx)) is not None:
                rest = ARGUMENTS if parameter.param_type_name == "argument" else OTHERS
                title = getattr(parameter, "rich_help_panel", None) or rest  # the library's own name for a group
                groups.setdefault(title, []).append(record)
        others = groups.pop(OTHERS, [])
        for title, records in [*groups.items(), (OTHERS, others)]:
            with formatter.section(title):
                formatter.write_dl(records)


def parameters(kind: type[Choices], without: Collection[str] = ()) -> list[inspect.Parameter]:
    """Return the command's parameters for every field that `option` declared in a configuration class, but for `without`.

    A switch that is on by default becomes ``--no-...``; all values default to None, so that the caller sees which were given.
    """
    titles = groups(kind)
    shown = {title: title + _owners(kind, [n for n in titles if titles[n] == title]) for title in titles.values()}
    return [
        _parameter(f, kind, shown[titles[f.name]])
        for f in sorted(fields(kind), key=lambda f: list(titles).index(f.name))
        if "help" in f.metadata and f.name not in without
    ]


def groups(kind: type[Choices]) -> dict[str, str]:
    """Return the title under which the help lists each option, in the order of the help: that of the part that declares it."""
    titles: dict[str, str] = {}
    parts = [part for part in kind.__mro__ if part is not kind and "__annotations__" in vars(part)]
    for part in [*reversed(parts), kind]:
        title = (part.__doc__ or "").partition("\n")[0].rstrip(".")
        for f in fields(kind):
            if f.name in part.__annotations__:
                titles.setdefault(f.name, f.metadata.get("group") or title)
    return titles


def _owners(kind: type[Choices], group: Collection[str]) -> str:
    """Return the choices that read a group of options, such as " (--network local, convolution)"; "" if they are many."""
    owners: dict[str, list[str]] = {}
    for f in fields(kind):
        for name, row in kinds(f.metadata.get("table")).items():
            if set(group) <= set(row.reads):
                owners.setdefault(flag(f.name), []).append(name)
    said = "; ".join(f"{option} {', '.join(names)}" for option, names in owners.items())
    return f" ({said})" if 0 < sum(map(len, owners.values())) <= FEW else ""


def _parameter(f: Field[Any], kind: type[Choices], title: str) -> inspect.Parameter:
    text = f.metadata["help"]
    if isinstance(f.default, bool):
        return _switch(f, kind, text, title)
    text += _known(f)
    shown, default = f.metadata["shown"], kind.usual.get(f.name, f.default)
    if shown is None and default not in (None, "", (), MISSING):
        shown = written(f, default)
    said = [] if shown is None else [f"default: {shown}", *_exceptions(f, kind)]
    if "low" in f.metadata:
        least = "above" if f.metadata["low_open"] else "from"
        said.append(f"{least} {_limit(f.metadata['low'])} to {_limit(f.metadata['high'])}")
    if said:
        text = f"{text} [{'; '.join(said)}]"
    # This package reads the text, not the library, whose message for a wrong text does not show the value.
    if f.metadata["repeated"]:
        several = typer.Option(
            [], f.metadata["repeated"], help=text, show_default=False, metavar=TEXT, rich_help_panel=title
        )
        return _keyword(f.name, list[str], several)
    metavar = f"<{plain_type(f)}>" if not f.metadata["parse"] and plain_type(f) in NUMBERS else TEXT
    taken = typer.Option(None, flag(f.name), help=text, show_default=False, metavar=metavar, rich_help_panel=title)
    return _keyword(f.name, str, taken)


def _switch(f: Field[Any], kind: type[Choices], text: str, title: str) -> inspect.Parameter:
    """Return the parameter of a switch; one that is on in some runs and off in others has both forms, --x and --no-x."""
    if f.name in kind.usual:
        text = f"{text} [default: on; off with {kind.plainly[f.name]}]"
        both = f"{flag(f.name)}/{flag(NEGATED + f.name)}"
        return _keyword(f.name, bool, typer.Option(None, both, help=text, rich_help_panel=title, show_default=False))
    name = (NEGATED if f.default else "") + f.name
    return _keyword(name, bool, typer.Option(None, flag(name), help=text, rich_help_panel=title, show_default=False))


def _limit(limit: float) -> str:
    """Return a limit of a range; the largest whole number of a machine's word as a power of two."""
    bits = (int(limit) + 1).bit_length() - 1
    return f"2^{bits}-1" if isinstance(limit, int) and bits > 30 and limit == 2**bits - 1 else f"{limit:g}"


def _known(f: Field[Any]) -> str:
    """Return the part of the help on the names that an option takes: those of its table, or its choices."""
    table = f.metadata["table"]
    names = [about(name, row) for name, row in table.items()] if table else []
    if not table and not all(choice in f.metadata["help"] for choice in f.metadata["choices"]):
        names = list(f.metadata["choices"])
    if f.metadata["or_own"]:
        names.append(f.metadata["or_own"])
    return f": {', '.join(names[:-1])} or {names[-1]}" if names else ""


def about(name: str, row: object) -> str:
    """Return a name of a table, with what its row says of it."""
    return f"{name} ({row.about})" if isinstance(row, Row) and row.about else name


def _exceptions(f: Field[Any], kind: type[Choices]) -> list[str]:
    """Return the defaults with a preset, a device or a learner of another recipe, such as "0.5 with backprop"."""
    default = kind.usual.get(f.name, f.default)
    by_value: dict[str, list[str]] = {}
    if default != f.default:
        by_value[written(f, f.default)] = [kind.plainly[f.name]]
    for who, recipe in kind.recipes.items():
        if recipe.get(f.name, f.default) not in (f.default, default):
            by_value.setdefault(written(f, recipe[f.name]), []).append(who)
    return [f"{value} with {', '.join(names)}" for value, names in by_value.items()]


def _keyword(name: str, kind: type[Any], default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def with_signature(function: Callable[..., None], shared: list[inspect.Parameter]) -> Callable[..., None]:
    """Give a function that takes ``**options`` the parameters `shared` beside its own, for the command line."""
    own = [p for p in inspect.signature(function, eval_str=True).parameters.values() if p.kind != p.VAR_KEYWORD]
    every = [*own, *shared]
    function.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    function.__annotations__ = {p.name: p.annotation for p in every}
    return function
