"""Worked example of the energy model: one update in closed form at assumed densities, and stored runs for comparison.

    python benchmarks/energy_worked_example.py [--write]

The first table assumes the densities of active rows and columns; the second is priced from the events of stored runs, per
image. With --write both tables go to docs/explanation/energy.md, between its marks.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import store
from point_energy import whole

from hardware_models.energy.oracles.worked_example import LEARNERS, update_energy

HERE = Path(__file__).resolve().parent
NETS = {"784-500-500": (784, 500, 500), "784-2000x4": (784, 2000, 2000, 2000, 2000)}
RESISTANCES = {"10 kOhm": 1e4, "100 kOhm": 1e5, "1 MOhm": 1e6, "10 MOhm": 1e7}
GROUPS = {
    "write": ("write.v2gt", "half.v2gt", "write.gate", "write.line_charges"),
    "read": ("read.v2g", "reads.cells", "reads.columns", "reads.transposed_cells", "reads.transposed_columns"),
    "neurons": ("integrator", "nonlinearity"),
    "converters and drivers": ("adc", "dac", "read.driver"),
    "pulse generator": ("comparator", "rng.bits"),
    "memory": ("sram.words_read", "sram.words_written"),
    "digital": ("mac.fp32", "mac.int8", "mac.fp16", "add.fp32", "add.int32", "goodness", "normalise", "control"),
}
STORED = ("05_coincidence", "01_mnist_5k")


def nanojoule(joule: float) -> str:
    """Return an energy as text in nJ with three digits."""
    return f"{joule * 1e9:.3g}"


def assumed() -> list[str]:
    """Return the table of the closed forms."""
    lines = [
        "| net | R_on | " + " | ".join(LEARNERS) + " | backprop / forward-forward | writes, share of forward-forward |"
    ]
    lines.append("|---" * (len(LEARNERS) + 4) + "|")
    for net, widths in NETS.items():
        for name, r_on in RESISTANCES.items():
            parts = {learner: update_energy(widths, r_on, learner) for learner in LEARNERS}
            total = [parts[learner]["total"] for learner in LEARNERS]
            forward = parts["forward-forward"]
            writes = (forward["write, selected"] + forward["write, half-selected"]) / forward["total"]
            cells = [net, name, *map(nanojoule, total), f"{total[2] / total[0]:.2f}", f"{100 * writes:.0f} %"]
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def counted() -> list[str]:
    """Return the table of stored runs (first seed of each row) with the energy per learned image from their counts."""
    head = ["experiment", "row", "device", *GROUPS, "all", "selected pulses per weight and image"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for experiment in STORED:
        for result in map(whole, store.points(experiment).values()):
            images = result["images"]["learn"]
            if result["seed"] != 0 or not images or result["config"]["device"] == "ideal":
                continue
            parts: dict[str, Any] = result["energy"]["by_component_joule"]["learn"]
            values = [sum(parts.get(name, 0.0) for name in names) / images for names in GROUPS.values()]
            pulses = (result["cells"].get("pulses_per_weight") or 0.0) / images
            row = [experiment, result["label"], result["config"]["device"], *map(nanojoule, values)]
            lines.append("| " + " | ".join([*row, nanojoule(sum(parts.values()) / images), f"{pulses:.2g}"]) + " |")
    return lines


def main() -> None:
    """Print both tables, and with --write put them into the docs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write docs/explanation/energy.md")
    given = parser.parse_args()
    tables = {"worked-example": assumed(), "counted": counted()}
    for lines in tables.values():
        print("\n".join(lines), end="\n\n")
    if given.write:
        from energy_acceptance import put

        for mark, lines in tables.items():
            put(mark, lines)


if __name__ == "__main__":
    main()
