"""The command that repeats what a command makes of many runs: with the options that it was given, without places."""

from __future__ import annotations

import shlex

import typer

from analog_ff.cli.carriers import RUNNING
from analog_ff.config.command_line import PLACES

GIVEN = "COMMANDLINE"
"""Source of a parameter that stands on the command line, as the library calls it."""


def repeated(context: typer.Context, command: str) -> str:
    """Return the command, such as ``python -m analog_ff compare --devices memristor --epochs 3``, from its context.

    Options are left out that name places on one machine, or that say how the runs are carried out or the answer is printed:
    they change no number. These are the ones without a title in the help, and those of the title "How it runs".
    """
    words: list[str] = []
    for parameter in context.command.get_params(context):
        source = context.get_parameter_source(parameter.name or "")
        title = getattr(parameter, "rich_help_panel", None)  # the library's own name for a group, see `parameters`
        if title in (None, RUNNING) or parameter.name in PLACES or source is None or source.name != GIVEN:
            continue
        words += _words(context.params[parameter.name or ""], parameter.opts, parameter.secondary_opts)
    return " ".join([f"python -m analog_ff {command}", *map(shlex.quote, words)])


def _words(value: object, names: list[str], negative: list[str]) -> list[str]:
    """Return an option as it was given: a switch, a value, or several values of an option that may be repeated."""
    if isinstance(value, bool):
        return [names[0] if value else negative[0]]
    several = value if isinstance(value, list | tuple) else [value]
    return [word for one in several for word in (names[0], str(one))]
