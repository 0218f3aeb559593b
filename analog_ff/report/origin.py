"""The section on the origin of the numbers: the command, the choices, the files that were read, the versions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analog_ff.config.choices import Choices
from analog_ff.config.command_line import PLACES, command_line
from analog_ff.plain import Facts
from analog_ff.report.parts import Code, Part, Section, Table, Text, missing
from analog_ff.runs.stored import CONFIG
from hardware_models.check import UsageError


def repeated(config: Choices | str, command: str) -> list[Part]:
    """Return the command that repeats a run; `config` may be the reason why there is none."""
    if isinstance(config, str):
        return [missing("The command that repeats the run", config)]
    return [Text("This command repeats the run:"), Code(command_line(config, command))]


def configuration(folder: Path, kind: type[Choices]) -> Choices | str:
    """Return the configuration of a run, or the reason why it cannot be read."""
    try:
        return kind.from_toml(folder / CONFIG)
    except UsageError as error:
        return str(error).rstrip(".")


def choices(config: Facts) -> Table:
    """Return the table of all choices, places on this machine left out."""
    rows = [[name, _said(value)] for name, value in sorted(config.items()) if name not in PLACES]
    return Table("All choices", ["option", "value"], rows, (1,), folded=True)


def versions(found: Facts) -> Table:
    """Return the table of the versions that decide the bits."""
    return Table("Versions", ["of", "version"], [[name, str(value)] for name, value in found.items()], (1,))


def inputs(found: Facts) -> Table:
    """Return the table of the files that were read, with their SHA-256."""
    rows = [[name, str(value)] for name, value in found.items()]
    return Table("Files and data that were read (SHA-256)", ["file", "SHA-256"], rows, (1,), folded=True)


def of_several(found: Facts, what: str, why: str, more: Sequence[Part], unnoted: str = "") -> Section:
    """Return the section of the origin of an answer from many runs.

    `found` may have ``command``, ``versions`` and ``inputs_sha256``; `what` names the answer, `why` tells why one of them is not
    there, and `unnoted` tells it of the last two if the reason is another one. The parts `more` stand below the command.
    """
    parts: list[Part] = [missing(f"The command that repeats {what}", why)]
    if "command" in found:
        parts = [Text(f"This command repeats {what}:"), Code(found["command"])]
    for made, name, shown in ((versions, "versions", "versions"), (inputs, "inputs_sha256", "files that were read")):
        more = [*more, made(found[name]) if found.get(name) else missing(f"The list of {shown}", unnoted or why)]
    return Section("origin", "Command, choices and versions", [*parts, *more])


def earlier(place: Path) -> str:
    """Return the reason why a document does not say how it was made."""
    return f"{place.name} comes from an earlier version, which did not note it"


def of_a_run(result: Facts, config: Choices | str, command: str) -> Section:
    """Return the section of a run's origin."""
    parts = [*repeated(config, command), choices(result["config"])]
    if result.get("versions"):
        parts.append(versions(result["versions"]))
    if result.get("inputs_sha256"):
        parts.append(inputs(result["inputs_sha256"]))
    return Section("origin", "Command, choices and versions", parts)


def _said(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None or value == "" else str(value)
