"""The tables of a run that is priced again."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from analog_ff.output.quantities import (
    AREA_NAMES,
    WHOLE,
    against_limit,
    joules,
    of_the_energy,
    of_the_whole,
    quantity,
    ranged,
)
from analog_ff.plain import Document
from hardware_models.energy.facts.throughput import PUBLISHED

RECALLED = "*"
"""Marks a component whose price was recalled, not read again in its source."""


def show(found: Document) -> None:
    """Print the energy of a run by component and by layer, and below it further facts, a line each."""
    console = Console(markup=False, emoji=False)  # a user's names are printed as they are
    phases = [phase for phase, total in found["total_joule"].items() if total]
    run = found["run"]
    how = f"{run['learner']}, update {run['update']}" if run["learner"] else "spiking"
    what = f"{run['device']}, {run['data']}, {how}"
    table = Table(title=f"{what}: {found['technology']}, {found['scenario']}")
    table.add_column("component", overflow="fold", min_width=len("sram.words_written*"))
    for name in phases:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("times its physical bound", justify="right", max_width=len("physical bound"))
    parts = found["by_component_joule"]
    names = sorted(
        {n for p in phases for n, joule in parts[p].items() if joule}, key=lambda n: (-_sum(parts, phases, n), n)
    )
    for name in names:
        away = [found["distance_to_limit"][p][name]["times"] for p in phases if name in found["distance_to_limit"][p]]
        mark = RECALLED if name in found["recalled"] else ""
        row = [joules(parts[p][name]) if parts[p][name] else "-" for p in phases]
        table.add_row(name + mark, *row, f"{min(away):.2g}" if away else "-")
    table.add_section()
    table.add_row("all", *(joules(found["total_joule"][p]) for p in phases), "")
    console.print(table)
    console.print(_layers(found, phases))
    for line in _facts(found):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _sum(parts: Document, phases: list[str], name: str) -> float:
    return float(sum(parts[phase][name] for phase in phases))


def _layers(found: Document, phases: list[str]) -> Table:
    table = Table(title=f"by layer ({found['by_layer_note']})" if found["by_layer_note"] else "by layer")
    table.add_column("layer")
    for phase in phases:
        table.add_column(phase, justify="right")
    layers = found["by_layer_joule"]
    for layer in sorted({name for p in phases for name in layers.get(p, {})}):
        sums = [sum(layers.get(p, {}).get(layer, {}).values()) for p in phases]
        table.add_row(layer, *(joules(s) if s else "-" for s in sums))
    return table


def _facts(found: Document) -> list[str]:
    """Return the facts below the tables, a line each."""
    nominal = {"nominal": found["per_update_joule"], "low": found["low_joule"], "high": found["high_joule"]}
    lines = [f"energy per update: {ranged(nominal) if found['scenario'] == 'nominal' else joules(nominal['nominal'])}"]
    lines += [f"{name}: {value}" for name, value in of_the_energy(found["parts_joule"])]
    lines += [f"energy per image, read-out {n}: {joules(v)}" for n, v in found["per_image_joule"].items()]
    if written := found["deployed_joule"]:
        lines.append(
            f"energy of the chip that was written, before its first test: {joules(sum(written['program'].values()))}"
        )
    for phase, converted in found["conversions_per_image"].items():
        if converted:
            told = ", ".join(f"{number:.5g} by {name.upper()}s" for name, number in converted.items())
            lines.append(f"conversions per image, {phase}: {told}")
    for phase, clock in found["latency"].items():
        if clock["seconds_per_image"]:
            lines.append(
                f"chip time per image, {phase}: {quantity(clock['seconds_per_image'], 's', most='')} layer after layer, "
                f"{quantity(clock['pipelined_seconds_per_image'], 's', most='')} pipelined "
                f"(layer {clock['slowest_layer']} is the slowest)"
            )
    if found["area_m2"]:
        total = found["area_m2"]["total"]
        part = max((n for n in found["area_m2"] if n != "total"), key=lambda n: found["area_m2"][n])
        share = 100 * found["area_m2"][part] / total
        name, said, unit = WHOLE["area_m2"]
        lines.append(f"{name}: {ranged(found['ranged_area_m2'], said, unit)}, {share:.0f} % of it {AREA_NAMES[part]}")
        if beside := found["area_m2"].get("further_cells"):
            lines.append(f"   of it {AREA_NAMES['further_cells']}: {said(beside)}{unit}, {100 * beside / total:.2g} %")
    if chip := found["chip"]["learn"]:
        lines += [
            f"{name}: {' '.join(value.split())}"  # the area stands above, with its largest part
            for key, (name, value) in of_the_whole(chip).items()
            if key != "area_m2"
        ]
        needed = chip["multiply_adds_per_second"], chip["words_per_second"]
        lines.append(
            f"a digital block that keeps up with the array does {needed[0]:.3g} multiply-adds a second and moves "
            f"{needed[1]:.3g} words a second"
        )
    peers = ", ".join(f"{name} {peer.per_joule * 1e-12:.3g} ({peer.what})" for name, peer in PUBLISHED.items())
    for readout, rate in found["operations_per_joule"].items():
        if rate:
            lines.append(f"inference, read-out {readout}: {rate * 1e-12:.3g} TOPS/W")
    lines.append(f"published TOPS/W: {peers}")
    if found["wear"]:
        worn = found["wear"]
        whose = "published endurance" if worn["endurance_of"] == "a publication" else "endurance"
        life = "endurance unknown" if worn["life_used"] is None else f"{100 * worn['life_used']:.3g} % of the {whose}"
        most = "" if worn["pulses_most"] is None else f", at most {worn['pulses_most']}"
        lines.append(f"wear: {worn['pulses_per_device']:.1f} pulses a device{most}; {life}")
    if found["full_scale_read"]:
        lines.append(f"a bit line read at full scale: {found['full_scale_read']['times']:.2g} times its physical bound")
    if found["line_currents"]:
        lines.append(currents(found["line_currents"]))
    if found["recalled"]:
        lines.append(f"{RECALLED} price recalled, not read again in its source")
    if found["static"]:
        lines.append(found["static"])
    return [*lines, "left out: " + "; ".join(found["omitted"])]


def currents(found: Document) -> str:
    """Return the verdict on the currents of the lines in words."""
    ratio, parallel, slower = found["line_current_ratio"], found["parallel_lines"], found["slower"]
    limit = f"the current limit of {found['limit']['value'] * 1e6:.3g} uA (electromigration)"
    text = f"largest line current: {against_limit(ratio, limit)}"
    if found["physical"]:
        return text
    ways = [
        f"{what}s in blocks of {parallel[what]} lines a side, {slower[what]} times longer"
        if slower[what]
        else f"no {what}s at all"
        for what in ratio
        if ratio[what] > 1.0
    ]
    return f"{text}: {found['label']} (within the current limit: {', '.join(ways)})"
