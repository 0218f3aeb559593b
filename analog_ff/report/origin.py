"""The section on the origin of the numbers: the command, the choices, the files that were read, the versions."""

from __future__ import annotations

from analog_ff.config.choices import Choices
from analog_ff.config.command_line import PLACES, command_line
from analog_ff.plain import Facts
from analog_ff.report.parts import Code, Part, Section, Table, Text, missing


def repeated(config: Choices | str, command: str) -> list[Part]:
    """Return the command that repeats a run; `config` may be the reason why there is none."""
    if isinstance(config, str):
        return [missing("The command that repeats the run", config)]
    return [Text("This command repeats the run:"), Code(command_line(config, command))]


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
