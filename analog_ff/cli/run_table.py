"""The table of a finished run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

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
"""Largest number of assumed figures that the table names."""


def show(result: Document, folder: Path) -> None:
    """Print the table of a finished run."""
    from rich.console import Console
    from rich.table import Table

    final = result["split"] == "final"
    kind = "test" if final else "validation"
    config = result["config"]
    table = Table(title=f"{config['device']}, {config['data']}, {config['learner']}, update {config['update']}")
    table.add_column("quantity")
    table.add_column("value", justify="right")
    for name, error in result[f"{kind}_error_percent_by_readout"].items():
        mark = " (headline)" if name == config["readout"] else ""
        table.add_row(f"{kind} error, {readout_in_words(name)}{mark}", f"{error:.2f} %")
    for age, by in result.get("deployed", {}).get(f"{kind}_error_percent_by_age", {}).items():
        shown = ", ".join(f"{error:.2f} % {name}" for name, error in by.items())
        table.add_row(f"written to {config['program_to']}, {age}", shown)
    if lawless := result.get("deployed", {}).get("no_law_of_time"):
        table.add_row(f"written to {config['program_to']}, later", lawless)
    if written := result.get("deployed", {}).get("by_component_joule"):  # results of earlier versions have none
        table.add_row(
            f"written to {config['program_to']}, before the first test", _of_writing(result["deployed"], written)
        )
    for name, value in of_ages(result.get("ages") or result.get("deployed", {}).get("ages")):
        table.add_row(name, value)
    if noise := result.get("johnson_noise"):
        for name, value in _of_reads(noise):
            table.add_row(name, value)
    cells, energy = result["cells"], result["energy"]
    table.add_row("pulses per cell, programming included", f"{cells['pulses_per_cell']:.1f}")
    bound = cells["share_at_bound"]
    table.add_row("cells at a bound", "sealed" if bound is None else f"{100 * bound:.1f} %")
    if "wear" in result["device"]:
        worn = cells["share_worn"]
        table.add_row("cells worn out", "sealed" if worn is None else f"{100 * worn:.1f} %")
    left = cells["memory_left"]
    table.add_row("memory left after pulse noise", "unknown" if left is None else f"{100 * left:.0f} %")
    learned = {"nominal": energy["per_update_joule"], "low": energy.get("low_joule"), "high": energy.get("high_joule")}
    # Results of earlier versions have no ranges and no parts.
    table.add_row(
        f"energy per update ({energy['technology']})",
        ranged(learned) if "parts_joule" in energy else joules(energy["per_update_joule"]),
    )
    for name, value in of_the_energy(energy.get("parts_joule", {})):
        table.add_row(name, value)
    if energy.get("pulses_priced") is False:  # results of earlier versions do not say
        missing = [name for name in _OF_A_PULSE if not result["device"].get(name)] or _OF_A_PULSE
        table.add_row("   of it pulses", f"not priced: the device\ngives no {', '.join(missing)}")
    for name, value in energy["per_image_joule"].items():
        table.add_row(f"energy per image, {readout_in_words(name)}", joules(value))
    if energy["recalled"]:
        table.add_row("   prices recalled, not read again", "\n".join(energy["recalled"]))
    if chip := energy.get("chip", {}).get("learn"):
        for name, value in of_the_whole(chip).values():
            table.add_row(name, value)
    lines = energy.get("line_currents")
    if lines and not lines["physical"]:
        table.add_row("currents on the lines", f"{against_limit(lines['line_current_ratio'])}\n{lines['label']}")
    if lines and "largest" in lines:
        for stage, name in (("calibration", "largest current, search for groups"), ("run", "largest current, run")):
            table.add_row(name, _currents(lines["largest"][stage]))
        table.add_row("limit of a line", quantity(lines["limit"]["value"], "A"))
        worst = ", ".join(f"{what}s {ratio:.3g}" for what, ratio in lines["worst_case_ratio"].items())
        table.add_row("worst case of a line, times its limit", worst)
        table.add_row("steps of a read, one after the other", str(lines["steps_of_a_read"]))
    for name, value in _of_wires(result.get("wires"), result["config"]):
        table.add_row(name, value)
    if (limits := binding(result)) is not None:
        table.add_row("limits that bind", ", ".join(limits) or "none")
    if taken := result.get("conductances"):
        least = ", ".join(f"{100.0 * share:.3g} %" for share in taken["clipped_share"])
        table.add_row("given conductances, cells at their own bound instead", f"{least} (layer by layer)")
    for note in result.get("data_notes", ()):
        table.add_row("data", note)
    if assumed := _assumed(result["device"].get("assumptions", ())):
        table.add_row("assumed of the device", assumed)
    table.add_row("wall time", f"{result['wall_seconds']:.1f} s")
    console = Console(markup=False, emoji=False)
    console.print(table)
    for note in result.get("notes", ()):  # results of earlier versions have none
        console.print(f"note: {note}", highlight=False)
    console.print(f"run folder: {folder}", soft_wrap=True, highlight=False)


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


def _of_reads(noise: Document) -> list[tuple[str, str]]:
    """Return the time of a read and the Johnson noise of a line, a row each."""
    origin = {"option": "as chosen", "device": "that of the device", "johnson-noise": "from Johnson noise"}
    added = "contained in the read noise of the device" if noise["contained_in_read_noise"] else "none"
    deviation = noise["deviation_z"]
    return [
        ("read time", f"{quantity(noise['read_time']['value'], 's', most='')}, {origin[noise['read_time_from']]}"),
        ("Johnson noise of a line", added if deviation is None else f"{deviation:.2g} (standard deviation of z)"),
    ]


def _of_wires(wires: Document | None, config: Document) -> list[tuple[str, str]]:
    """Return rows on the wires of a run: what they leave of a cell's current, and the largest error that a comparison met."""
    if not wires:
        return []
    share = min(layer["share"] for layer in wires["layers"])
    rows = [(f"wires ({config['wires']}), share of a current left", f"{100.0 * share:.1f} %")]
    errors = [layer["largest_error"] for layer in wires["layers"] if layer["comparisons"]]
    return [*rows, ("   largest error of a read met", f"{100.0 * max(errors):.2g} %")] if errors else rows


def _currents(largest: Document) -> str:
    return ", ".join(f"{what}s {quantity(value, 'A')}" for what, value in largest.items())
