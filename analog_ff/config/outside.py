"""Checks of a run with neurons or a whole chip outside of this project: which options it reads, and which nothing would read."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from analog_ff.config.array_parts import CellChoices, CircuitChoices, LineChoices
from analog_ff.config.together import settings
from analog_ff.registry.options import flag
from hardware_models.check import UsageError
from hardware_models.chip.ports import PORTS
from hardware_models.protocol.links import TCP, address_of, command_of, is_link
from hardware_models.tables import entry

if TYPE_CHECKING:
    from analog_ff.config.config import Config

PRICED = ("figures",)
"""Options of simulated cells that a run with a chip from outside reads as well: the figures by which it is priced."""
SIMULATED = ("nonlinearity", "box_strength", "chips", "wires", "pairs", "program_to", "conductances")
"""Further options of a chip that this project simulates."""


def outside(config: Config) -> list[str]:
    """Return the names of the options of a run that name something outside of this project."""
    return [name for name in ("nonlinearity", "port") if is_link(getattr(config, name))]


def check_outside(config: Config) -> None:
    """Raise UsageError for a place that is none, and for an option that nothing reads where the chip is from outside."""
    named = outside(config)
    for name in named:
        place = getattr(config, name)
        command_of(place) if place.startswith("process:") else address_of(place)
    if config.answer_within is not None and not named:
        raise UsageError(
            "--answer-within is the time for an answer from outside: give --nonlinearity or --port as process:COMMAND or "
            "tcp://127.0.0.1:PORT, or leave it out."
        )
    if is_link(config.nonlinearity) and settings(config, "network").get("box_place") == "between":
        raise UsageError("neurons from outside stand inside the layers: give --box-place inside, or leave it out.")
    if config.nonlinearity.startswith(TCP) and (config.chips == "per-layer" or config.program_to is not None):
        raise UsageError(
            "a server of neurons answers one chip at a time, and this run has several: give --nonlinearity "
            "process:COMMAND, which starts a process for each, or leave out --chips per-layer and --program-to."
        )
    if is_link(config.nonlinearity) and config.box_strength != 1.0:
        raise UsageError(
            "--box-strength blends neurons of this project; those from outside answer alone: leave it out."
        )
    if not is_link(config.port):
        entry("port", config.port, PORTS)
        return
    if config.ages is not None:
        raise UsageError(
            "--ages lets a simulated chip grow old and puts it back as it was; a chip from outside has its own "
            "clock: leave --ages out."
        )
    of_cells = [f.name for part in (CellChoices, CircuitChoices, LineChoices) for f in fields(part)]
    defaults = {f.name: f.default for f in fields(config)}
    for name in (*of_cells, *SIMULATED):
        if name not in PRICED and getattr(config, name) != defaults[name]:
            raise UsageError(
                f"{flag(name)} belongs to a chip that this project simulates, not to one from outside: leave it out, and give "
                "--preset plain if it comes from the preset."
            )
