"""A point of a sweep: the configuration of one run, what was chosen for it, and the key by which its result is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from analog_ff.config.choices import Choices
from analog_ff.config.config import Config, recommended
from analog_ff.config.reading import NEGATED, read
from analog_ff.plain import Document, Facts
from analog_ff.runs.identity import digest, key
from analog_ff.spiking.config import SpikingConfig
from hardware_models.check import UsageError, shown
from hardware_models.tables import entry

COMMANDS: Mapping[str, type[Config] | type[SpikingConfig]] = {"simulate": Config, "spiking": SpikingConfig}
"""Command that makes a run -> the class of its configuration."""

FIGURES = "figures"
"""Option of a run that holds single figures of its device or chip, each as the text "name=value"."""
FIGURE = f"{FIGURES}."
"""Beginning of the name by which a sweep chooses one of them."""


@dataclass(frozen=True)
class Point:
    """One run of a sweep.

    Parameters
    ----------
    config : its configuration; its folder and the folder of the data (`out`, `data_dir`) do not belong to its key.
    factors : what was chosen for this point by name, such as {"adc": 6, "seed": 0}; plain values, for tables and pictures.
    """

    config: Choices
    factors: Facts

    @property
    def command(self) -> str:
        """Name of the command that makes such a run, "simulate" or "spiking"."""
        return next(name for name, kind in COMMANDS.items() if isinstance(self.config, kind))

    @cached_property
    def identity(self) -> Document:
        """Everything that decides the result, see `analog_ff.runs.identity.key`."""
        return key(self.command, self.config)

    @property
    def key(self) -> str:
        """Short digest of the identity: points with the same key have the same result."""
        return digest(self.identity)


def resolved(command: str, options: Facts) -> Choices:
    """Return the configuration of options given as the command line takes them, with the recipe of the rest.

    A value is a number, a text, true or false; ``no-...`` switches are taken as well, and ``figures.NAME`` is one figure of the
    device or the chip. Raises UsageError for an option that does not exist and for a value that it refuses.
    """
    kind = entry("command of a run", command, COMMANDS)
    chosen: Document = {}
    for name, value in options.items():
        field, found = choice(command, name, value)
        chosen[field] = (*chosen[field], *found) if name.startswith(FIGURE) and field in chosen else found
    return kind(**(recommended(chosen) if kind is Config else chosen))


def choice(command: str, name: str, value: object) -> tuple[str, Any]:
    """Return (field, value) of one option given as the command line takes it, or raise UsageError."""
    kind, field = COMMANDS[command], name.replace("-", "_")
    if name.startswith(FIGURE) and FIGURES in (f.name for f in fields(kind)):
        return FIGURES, (f"{name.removeprefix(FIGURE)}={value}",)
    if field.startswith(NEGATED) and isinstance(value, bool):
        return field.removeprefix(NEGATED), not value
    return read(kind, name, str(value).lower() if isinstance(value, bool) else str(value))


def check(points: Iterable[Point], where: str = "the sweep") -> None:
    """Raise UsageError if a point cannot be told from another one, or its device or its data cannot be read."""
    seen: dict[str, Point] = {}
    for point in points:
        if not isinstance(point.config.as_dict()["device"], str):
            raise UsageError(
                f"{where}, point {named(point.factors)} needs the name or the file of a device, not an object: its run is in "
                "another process."
            )
        try:
            other = seen.setdefault(point.key, point)
        except UsageError as error:
            raise UsageError(f"{where}, point {named(point.factors)}: {error}") from None
        if dict(other.factors) != dict(point.factors):
            raise UsageError(
                f"{where}: the points {named(other.factors)} and {named(point.factors)} are the same run: what differs between "
                "them decides no result; leave one of them out."
            )


def named(factors: Facts) -> str:
    """Return the factors of a point as one line, such as "adc 6, seed 0"."""
    return ", ".join(f"{name} {shown(value, quoted=False)}" for name, value in factors.items()) or "without factors"
