"""The table of a finished run: one screen of rows in groups, and below it what needs a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from analog_ff.output.quantities import (
    against_limit,
    joules,
    of_the_energy,
    of_the_whole,
    quantity,
    ranged,
    readout_in_words,
)
from analog_ff.plain import Document
from analog_ff.runs.ages import AS_IT_IS, IN_WORDS
from analog_ff.runs.limits import binding

_OF_A_PULSE = ("v_up", "t_up", "v_down", "t_down")
"""Figures of a device without which its pulses cost nothing."""
MOST_ASSUMED = 8
"""Largest number of assumed figures that are named."""
HEADLINE, FINE, LOOK, WRONG = "bold", "green", "yellow", "red"
"""Styles of a value: what the run is about, within its limit, worth a look, beyond a limit."""


class Row(NamedTuple):
    """A row: what is told, its value, and the style of the value, which means something or is empty."""

    name: str
    value: str
    style: str = ""


def show(result: Document, folder: Path) -> None:
    """Print the table of a finished run, the notes below it and the place of its folder."""
    from rich.box import HORIZONTALS
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    config = result["config"]
    title = f"{config['device']}, {config['data']}, {config['learner']}, update {config['update']}"
    table = Table(title=title, box=HORIZONTALS, show_header=False, show_edge=False)
    table.add_column("quantity")
    table.add_column("value", justify="right")
    for part in (_errors, _cells, _energy, _lines):
        for row in part(result):
            table.add_row(row.name, Text(row.value, style=row.style))
        table.add_section()
    console = Console(markup=False, emoji=False)
    console.print(table)
    for name, said in _notes(result):
        console.print(f"{name}: {said}", style=LOOK if name == "note" else None, highlight=False)
    console.print(f"run folder: {folder}", soft_wrap=True, highlight=False)


def _errors(result: Document) -> Iterator[Row]:
    """Yield the errors of the run, of the chip that was written once and of later ages."""
    kind, config = "test" if result["split"] == "final" else "validation", result["config"]
    for name, error in result[f"{kind}_error_percent_by_readout"].items():
        head = name == config["readout"]
        yield Row(
            f"{kind} error, {readout_in_words(name)}", f"{'headline: ' * head}{error:.2f} %", HEADLINE if head else ""
        )
    deployed = result.get("deployed", {})
    for age, by in deployed.get(f"{kind}_error_percent_by_age", {}).items():
        shown = ", ".join(f"{error:.2f} % {name}" for name, error in by.items())
        yield Row(f"written to {config['program_to']}, {age}", shown)
    if written := deployed.get("by_component_joule"):  # results of earlier versions have none
        yield Row(f"written to {config['program_to']}, before the first test", _of_writing(deployed, written))
    for name, value in of_ages(result.get("ages") or deployed.get("ages")):
        yield Row(name, value)


def _cells(result: Document) -> Iterator[Row]:
    """Yield the time and noise of a read, and the state of the cells at the end."""
    if noise := result.get("johnson_noise"):
        yield from _of_reads(noise)
    cells = result["cells"]
    yield Row("pulses per cell, programming included", f"{cells['pulses_per_cell']:.1f}")
    bound = cells["share_at_bound"]
    yield Row("cells at a bound", "sealed" if bound is None else f"{100 * bound:.1f} %")
    if "wear" in result["device"]:
        worn = cells["share_worn"]
        yield Row("cells worn out", "sealed" if worn is None else f"{100 * worn:.1f} %", WRONG if worn else FINE)
    left = cells["memory_left"]
    forgotten = left is not None and left < 0.5
    yield Row(
        "memory left after pulse noise", "unknown" if left is None else f"{100 * left:.0f} %", LOOK if forgotten else ""
    )


def _energy(result: Document) -> Iterator[Row]:
    """Yield the energy of an update with its parts, that of an image, and time, area and power of the whole chip."""
    energy = result["energy"]
    learned = {"nominal": energy["per_update_joule"], "low": energy.get("low_joule"), "high": energy.get("high_joule")}
    # Results of earlier versions have no ranges and no parts.
    value = ranged(learned) if "parts_joule" in energy else joules(energy["per_update_joule"])
    yield Row(f"energy per update ({energy['technology']})", value, HEADLINE)
    for name, part in of_the_energy(energy.get("parts_joule", {})):
        yield Row(name, part)
    if energy.get("pulses_priced") is False:  # results of earlier versions do not say
        yield Row("   of it pulses", "not priced, see below", LOOK)
    if of_image := energy["per_image_joule"]:
        yield Row("energy per image, by read-out", ", ".join(f"{name} {joules(j)}" for name, j in of_image.items()))
    if chip := energy.get("chip", {}).get("learn"):
        for name, value in of_the_whole(chip).values():
            yield Row(name, value, WRONG if "\n" in value else "")


def _lines(result: Document) -> Iterator[Row]:
    """Yield the currents of the lines against their limit, the wires, and the limits that shape the chip."""
    lines = result["energy"].get("line_currents")
    if lines and not lines["physical"]:
        yield Row("currents on the lines", lines["label"], WRONG)
    if lines and "largest" in lines:
        limit = lines["limit"]["value"]
        of_run = f"largest current, run (limit {quantity(limit, 'A')})"
        for stage, name in (("calibration", "largest current, search for groups"), ("run", of_run)):
            largest = lines["largest"][stage]
            yield Row(name, _currents(largest), FINE if max(largest.values()) <= limit else WRONG)
        worst = ", ".join(f"{what}s {ratio:.3g}" for what, ratio in lines["worst_case_ratio"].items())
        yield Row("worst case of a line, times its limit", worst)
        if (steps := lines["steps_of_a_read"]) > 1:
            yield Row("steps of a read, one after the other", str(steps), LOOK)
    yield from _of_wires(result.get("wires"), result["config"])
    if (limits := binding(result)) is not None:
        yield Row("limits that bind", ", ".join(limits) or "none", LOOK if limits else FINE)
    if taken := result.get("conductances"):
        least = ", ".join(f"{100.0 * share:.3g} %" for share in taken["clipped_share"])
        yield Row("given conductances, cells at their own bound instead", f"{least} (layer by layer)")
    yield Row("wall time", f"{result['wall_seconds']:.1f} s")


def _notes(result: Document) -> Iterator[tuple[str, str]]:
    """Yield the notes below the table, each with its title: sentences, and lists that would make rows long."""
    config, energy, device = result["config"], result["energy"], result["device"]
    if lawless := result.get("deployed", {}).get("no_law_of_time"):
        yield f"written to {config['program_to']}, later", lawless
    if energy.get("pulses_priced") is False:
        missing = [name for name in _OF_A_PULSE if not device.get(name)] or _OF_A_PULSE
        yield "pulses are not priced", f"the device gives no {', '.join(missing)}"
    lines = energy.get("line_currents")
    if lines and not lines["physical"]:
        yield lines["label"], against_limit(lines["line_current_ratio"])
    if energy["recalled"]:
        yield "prices recalled, not read again", ", ".join(energy["recalled"])
    if assumed := _assumed(device.get("assumptions", ())):
        yield "assumed of the device", ", ".join(assumed.split("\n"))
    for note in result.get("data_notes", ()):
        yield "data", note
    for note in result.get("notes", ()):  # results of earlier versions have none
        yield "note", note


def of_ages(ages: Document | None) -> list[tuple[str, str]]:
    """Return rows on the ages of a chip: its errors as it is and corrected, and the means of its goodness as shares of theta."""
    if ages is None:
        return []
    rows = [("later ages", ages["no_law_of_time"])] if ages["no_law_of_time"] else []
    for age, found in ages["by_age"].items():
        for readout in found[AS_IT_IS]["error_percent_by_readout"]:
            errors = {way: found[way]["error_percent_by_readout"][readout] for way in IN_WORDS if way in found}
            said = [
                f"{error:.2f} % {IN_WORDS[way]}" if len(errors) > 1 else f"{error:.2f} %"
                for way, error in errors.items()
            ]
            rows.append((f"age {age}, error, {readout_in_words(readout)}", "\n".join(said)))
        if found[AS_IT_IS]["goodness_positive"] is not None:
            pairs = zip(
                found[AS_IT_IS]["goodness_positive"], found[AS_IT_IS]["goodness_negative"], ages["theta"], strict=True
            )
            said = [f"{right:.3g} and {wrong:.3g} (theta {theta:g})" for right, wrong, theta in pairs]
            rows.append((f"age {age}, goodness of right and wrong labels", "\n".join(said)))
    return rows


def _assumed(assumptions: Sequence[str]) -> str:
    """Return the figures among the assumptions of a device ("name = value: why"), a line each; the result has the reasons."""
    figures = [said.split(": ")[0] for said in assumptions if re.match(r"\w+ = [^:]+: ", said)]
    return "\n".join(
        figures[:MOST_ASSUMED] + [f"and {len(figures) - MOST_ASSUMED} more"] * (len(figures) > MOST_ASSUMED)
    )


def _of_writing(deployed: Document, joule: Document) -> str:
    seconds = deployed["integrals"]["program"]["time"]["value"]
    return f"{joules(sum(joule['program'].values()))}, {quantity(seconds, 's', most='')}"


def _of_reads(noise: Document) -> list[Row]:
    """Return the time of a read and the Johnson noise of a line, a row each."""
    origin = {"option": "as chosen", "device": "that of the device", "johnson-noise": "from Johnson noise"}
    added = "contained in the read noise of the device" if noise["contained_in_read_noise"] else "none"
    deviation = noise["deviation_z"]
    return [
        Row("read time", f"{quantity(noise['read_time']['value'], 's', most='')}, {origin[noise['read_time_from']]}"),
        Row("Johnson noise of a line", added if deviation is None else f"{deviation:.2g} (standard deviation of z)"),
    ]


def _of_wires(wires: Document | None, config: Document) -> list[Row]:
    """Return rows on the wires of a run: what they leave of a cell's current, and the largest error that a comparison met."""
    if not wires:
        return []
    share = min(layer["share"] for layer in wires["layers"])
    errors = [layer["largest_error"] for layer in wires["layers"] if layer["comparisons"]]
    met = f", reads off by {100.0 * max(errors):.2g} % at most" if errors else ""
    return [Row(f"current left by wires ({config['wires']})", f"{100.0 * share:.1f} %{met}")]


def _currents(largest: Document) -> str:
    return ", ".join(f"{what}s {quantity(value, 'A')}" for what, value in largest.items())
