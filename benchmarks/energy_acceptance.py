"""Compare the energy model with published energies that it need not meet, in one table.

    python benchmarks/energy_acceptance.py [--write]

Results go to benchmarks/results/energy/acceptance.json; with --write the table goes to docs/explanation/energy.md, between its
marks.
tests/hardware_models/energy/test_energy_acceptance.py holds the published energies that the model must meet.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import store
from point_energy import whole

from hardware_models.energy.oracles.closed_forms import read
from hardware_models.load import load_device

HERE = Path(__file__).resolve().parent
RESULT = HERE / "results" / "energy" / "acceptance.json"
DOCS = HERE.parent / "docs" / "explanation" / "energy.md"
NEUROSIM = {"TaOx/HfOx": 4.01, "Ag:a-Si": 13.4, "PCMO": 2.53, "AlOx/HfO2": 15.3, "GST phase change": 35.0,
            "EpiRAM": 31.0, "HZO FeFET": 1.9}  # fmt: skip
"""Published training energy per image [nJ], from the MLP+NeuroSim V3.0 manual, Table II."""
NOT_NEUROSIM = ("sram.words_read", "sram.words_written", "mac.fp32", "add.fp32", "rng.bits", "control")
"""Parts of digital backprop, which the benchmark does not price."""


def rank(values: dict[str, float]) -> dict[str, int]:
    """Return the rank of each name by its value, from 1 for the lowest."""
    return {name: place for place, name in enumerate(sorted(values, key=lambda n: values[n]), 1)}


def neurosim() -> list[dict[str, Any]]:
    """Return the training energies per image of the stored runs of the NeuroSim benchmark and the published ones."""
    ours: dict[str, float] = {}
    for name in NEUROSIM:
        found = []
        for result in store.points("23_neurosim_mlp").values():
            if result["label"] == name:
                parts = whole(result)["energy"]["by_component_joule"]["learn"]
                found.append(sum(j for n, j in parts.items() if n not in NOT_NEUROSIM) / result["images"]["learn"])
        ours[name] = statistics.mean(found) * 1e9
    places, wanted = rank(ours), rank(NEUROSIM)
    return [
        {"what": f"NeuroSim training, {name}", "unit": "nJ/image", "published": NEUROSIM[name], "ours": ours[name],
         "note": f"rank {places[name]}, published {wanted[name]}"}
        for name in NEUROSIM
    ]  # fmt: skip


def neurram() -> list[dict[str, Any]]:
    """Return NeuRRAM's energy per operation [fJ] from its parts: word line, neuron and input pulses."""
    rows = []
    for bits, parts, published in (
        ("1 bit in, 3 out", (8.99, 10.6, 3.45), 43.1),
        ("8 in, 10 out", (50.5, 75.9, 27.5), 6.44),
    ):
        rows.append({"what": f"NeuRRAM, {bits}", "unit": "TOPS/W", "published": published, "ours": 1e3 / sum(parts),
                     "note": "sum of its three parts; two operations a multiply-add are counted as in the source"})  # fmt: skip
    return rows


def others() -> list[dict[str, Any]]:
    """Return rows for macros with published parts and totals (SRAM macros, whose cells this model does not have)."""
    rows = []
    # Jia 2020 has columns of 2304 rows, one converter per column, and 1-bit operations.
    for volts, column, converter, published in ((0.85, 9.7, 1.79, 400.0), (1.2, 20.4, 3.56, 192.0)):
        ours = 2 * 2304 / (column + converter)
        rows.append({"what": f"Jia 2020, {volts} V", "unit": "TOPS/W", "published": published, "ours": ours,
                     "note": "column and converter alone, rows taken to be 2304; 1 bit"})  # fmt: skip
    for name, unit, low in (("Sinangil 2021: 3.36 to 7.80 pJ with the value", "ratio", 7.80 / 3.36),
                            ("Wang 2022: 32.2 to 15.5 TOPS/W, 0.7 to 1.1 V", "ratio", 32.2 / 15.5)):  # fmt: skip
        ours = (1.1 / 0.7) ** 2 if name.startswith("Wang") else None
        note = "V^2 alone" if ours else "parts that follow the stored value are digital there: not modelled"
        rows.append({"what": name, "unit": unit, "published": low, "ours": ours, "note": note})
    return rows


def renaudineau() -> list[dict[str, Any]]:
    """Return the ratio of update to inference energy of reset-only devices, from the parameter file's assumptions.

    The update has one reset pulse on each addressed device, for a share of all cells; the inference reads all cells and uses
    all neurons. The note states the share that gives the published ratio.
    """
    device = load_device("renaudineau2026_hfox_ti")
    n, m = 64, 64
    mean = 0.5 * (device.g_min + device.g_max)
    cells = read(n, m)["reads.cells"]
    inference = cells * device.v_read**2 * mean * device.t_read + m * 1e-12
    pulse = device.v_down**2 * mean * device.t_down
    share = 0.46 * inference / (pulse * n * m)
    full = pulse * n * m / inference
    return [{"what": "Renaudineau 2026, update / inference", "unit": "1", "published": 0.46, "ours": full,
             "note": f"all weights pulsed once; {100 * share:.2g} % pulsed: 0.46; V, G, t assumed"}]  # fmt: skip


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the rows as a table in Markdown."""
    lines = ["| what | unit | published | ours | ours / published | note |", "|---|---|---|---|---|---|"]
    for row in rows:
        ours = row["ours"]
        shown = ("-", "-") if ours is None else (f"{ours:.3g}", f"{ours / row['published']:.2g}")
        lines.append(
            f"| {row['what']} | {row['unit']} | {row['published']:.3g} | {shown[0]} | {shown[1]} | {row['note']} |"
        )
    return lines


def put(mark: str, lines: list[str]) -> None:
    """Write a table between its marks in docs/explanation/energy.md."""
    text = DOCS.read_text(encoding="utf-8")
    begin, end = f"<!-- {mark} -->", f"<!-- end {mark} -->"
    head, tail = text.split(begin)[0], text.split(end)[1]
    DOCS.write_text(head + begin + "\n" + "\n".join(lines) + "\n" + end + tail, encoding="utf-8")


def main() -> None:
    """Print the table, store the figures, and with --write put the table into the docs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write docs/explanation/energy.md")
    given = parser.parse_args()
    rows = [*neurosim(), *neurram(), *others(), *renaudineau()]
    print("\n".join(table(rows)))
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if given.write:
        put("acceptance", table(rows))


if __name__ == "__main__":
    main()
