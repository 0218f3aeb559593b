"""Choices that do not go together, each refused in one sentence that names a valid one; computed from the tables' rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from analog_ff.config.choices import Choices
from analog_ff.plain import Document, Facts
from analog_ff.registry.options import flag
from analog_ff.registry.rows import Kind, LearnerKind, Only, kinds
from hardware_models.check import UsageError, shown

if TYPE_CHECKING:
    from analog_ff.config.config import Config

FEW = 6
"""Most owners of an option that a message lists; beyond that it says who has none."""


@dataclass(frozen=True)
class Chosen:
    """A row that a configuration has chosen."""

    option: str  # the option that named it, such as "learner"
    name: str
    row: Kind

    def __str__(self) -> str:
        return f"{self.option} {self.name}"


def tables(kind: type[Choices]) -> dict[str, Mapping[str, Kind]]:
    """Return the tables of kinds by the option that chooses from them."""
    return {f.name: rows for f in fields(kind) if (rows := kinds(f.metadata.get("table")))}


def owners(kind: type[Choices]) -> dict[str, dict[str, list[str]]]:
    """Return {option: {choosing option: names of the rows that read it}} of the options that not every row reads."""
    found: dict[str, dict[str, list[str]]] = {}
    for choosing, rows in tables(kind).items():
        for name, row in rows.items():
            for option in row.reads:
                found.setdefault(option, {}).setdefault(choosing, []).append(name)
    return found


def chosen(kind: type[Choices], values: Facts) -> list[Chosen]:
    """Return the chosen rows; a choice that none of them reads, as the update of frozen layers, is not among them."""
    every, owned = tables(kind), owners(kind)
    waiting = [option for option in every if option not in owned]
    found: list[Chosen] = []
    while waiting:
        option = waiting.pop(0)
        name = values[option]
        # A user's own function has no row; a value of a file that is no text is refused where choices are checked.
        if isinstance(name, str) and (row := every[option].get(name)) is not None:
            found.append(Chosen(option, name, row))
            waiting += [other for other in row.reads if other in every]
    return found


def unread(kind: type[Choices], options: Facts) -> set[str]:
    """Return those of the options given that no chosen row reads; options not given are at their defaults."""
    values = {**{f.name: f.default for f in fields(kind)}, **options}
    read = {name for one in chosen(kind, values) for name in one.row.reads}
    return {name for name in options if name in owners(kind) and name not in read}


def settings(config: Choices, option: str) -> Document:
    """Return the values of the options that the row reads which `option` has chosen, by name."""
    row = tables(type(config))[option].get(getattr(config, option))
    return {} if row is None else {name: getattr(config, name) for name in row.reads}


def check_together(config: Choices) -> list[Chosen]:
    """Refuse an option that would do nothing, and values with which a chosen kind does not work; return the chosen rows."""
    rows = chosen(type(config), vars(config))
    _check_read(config, rows)
    _check_beside(config)
    for one in rows:
        for option, only in one.row.only.items():
            _check_only(config, one, option, only)
        for declared in one.row.declared:
            if (check := vars(declared).get("check")) is not None:
                check.__func__(config)
    return rows


def check_run(config: Config) -> None:
    """Refuse what `check_together` refuses, and a chip or a schedule with which the learner does not work."""
    _check_learner(config, next(one for one in check_together(config) if one.option == "learner"))


def _check_read(config: Choices, rows: list[Chosen]) -> None:
    """Refuse an option, away from its default, that no chosen kind reads."""
    read = {name for one in rows for name in one.row.reads}
    for name, by in owners(type(config)).items():
        if name in read or config.at_rest(name):
            continue
        active = [one.option for one in rows if one.option in by]
        # The nearest choice first: of a slope's option the slope, before the learners that read it too.
        nearest = sorted(by, key=lambda option: (option not in active, option == "learner"))
        few = sum(map(len, by.values())) <= FEW
        asked = " or ".join(f"{flag(option)} {' or '.join(by[option])}" for option in nearest)
        asker = nearest[0] if active else "learner"
        raise UsageError(
            f"{f'{flag(name)} belongs to {asked}; ' if few else ''}{asker} {shown(getattr(config, asker), quoted=False)} has no "
            f"{flag(name)}: leave {flag(name)} out."
        )


def _check_beside(config: Choices) -> None:
    """Refuse an option that does nothing without another one."""
    for f in fields(config):
        other = f.metadata.get("beside")
        if other and not config.at_rest(f.name):
            default = type(config).__dataclass_fields__[other].default
            if getattr(config, other) == default:
                what = f"{flag(f.name)} needs {flag(other)} beside it"
                if default in (None, False, ""):
                    raise UsageError(f"{what}: give {flag(other)} too.")
                raise UsageError(
                    f"{what}: with {flag(other)} {default}, the default, it does nothing; give another {flag(other)}, or leave "
                    f"{flag(f.name)} out."
                )


def _check_only(config: Choices, one: Chosen, option: str, only: Only) -> None:
    if getattr(config, option) not in only.values:
        raise UsageError(f"{one} {only.because}: choose {flag(option)} {' or '.join(only.values)}.")


def _check_learner(config: Config, learner: Chosen) -> None:
    """Refuse a sealed chip for a learner that looks inside, and a stream for one that takes none."""
    if not isinstance(learner.row, LearnerKind):
        return
    rows = tables(type(config))["learner"]
    if learner.row.looks_inside and (config.sealed or config.port != "local"):
        raise UsageError(
            f"{learner} looks up the chip's weights, which a sealed chip or one in another process does not allow: "
            "choose --learner backprop-nominal."
        )
    if config.schedule == "pipelined" and not learner.row.streaming:
        able = [name for name, row in rows.items() if isinstance(row, LearnerKind) and row.streaming]
        raise UsageError(
            f"{learner} takes no stream of frames: choose --learner {' or '.join(able)}, or another --schedule."
        )
