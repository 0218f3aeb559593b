"""The command that repeats a run, with the fewest options that say what it was."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import fields

from analog_ff.config.choices import Choices
from analog_ff.config.config import Config, recommended
from analog_ff.config.reading import NEGATED, written
from analog_ff.plain import Document
from analog_ff.registry.options import flag

SIMULATE = "python -m analog_ff.simulate"
"""The command of a run."""
PLACES = ("out", "data_dir")
"""Choices that are places on one machine, and no part of what a run is."""
FIRST = ("device", "learner", "preset")
"""Choices that decide which values the others have where they are not given."""
ALWAYS = "device"
"""The choice that a command names even where it is the default."""
ROUNDS = 4
"""Rounds of the search: an option that is given may change the default of another one."""


def options_of(config: Choices) -> Document:
    """Return the choices that a command must name so that all others follow from them."""
    named = {f.name: f for f in fields(config) if "help" in f.metadata and f.name not in PLACES}
    given: Document = {}
    for some in (*((name,) for name in FIRST), *[tuple(named)] * ROUNDS):
        rest = recommended(given) if isinstance(config, Config) else given
        values = {name: getattr(config, name) for name in some if name in named}
        given |= {
            name: value
            for name, value in values.items()
            if name == ALWAYS or value != rest.get(name, named[name].default)
        }
    return given


def command_line(config: Choices, command: str) -> str:
    """Return the command that repeats a run, such as ``python -m analog_ff.simulate --device memristor --epochs 3``.

    Its run folder and the place of its data are left out.
    """
    words: list[str] = []
    given = options_of(config)
    for f in fields(config):
        if f.name in given:
            words += _option(f.name, f.metadata.get("repeated", ""), written(f, given[f.name]), given[f.name])
    return " ".join([command, *map(shlex.quote, words)])


def _option(name: str, repeated: str, text: str, value: object) -> Sequence[str]:
    if isinstance(value, bool):
        return [flag(name if value else NEGATED + name)]
    if repeated and isinstance(value, tuple):
        return [word for one in value for word in (repeated, str(one))]
    return [flag(name), text]
