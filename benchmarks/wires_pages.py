"""Pages of results on crossbars with wires: accuracy, speed beside other programs, and how reads follow them in training."""

from __future__ import annotations

import statistics
from typing import Any

from other_pages import found_in, table
from pages import Page, folded, picture


def wires_pages() -> list[Page]:
    """Return the pages whose results exist."""
    return [page for page in (accuracy(), speed(), training()) if page is not None]


def accuracy() -> Page | None:
    """Return the page on the accuracy of currents with wires."""
    found = found_in("wires_accuracy.json")
    if found is None:
        return None
    rows = [
        [r["against"], f"{r['shape'][0]} x {r['shape'][1]}", str(r["circuits"]), f"{r['of_largest']:.1e}",
         f"{r['of_own']:.1e}", f"{r['bound']:.1e}"] for r in found["rows"]
    ]  # fmt: skip
    linear = [r for r in found["rows"] if r["against"] in ("float64 sparse solve", "ngspice")]
    others = [r for r in found["rows"] if r not in linear]
    body = [
        "Cells of 1 kOhm to 10 MOhm and open ones, wires of 0 to 10 Ohm a segment with either side at zero, voltages of one sign",
        f"and of both, tolerance {found['tolerance']:g}. The sparse solve is of the potentials of all nodes, refined in extended",
        "precision. The error of a current is relative to itself where it is above 1e-6 of the array's largest one. The bound is",
        "what the solver itself says of its error, relative to the largest current.", "",
        *folded("errors", table("against | array | circuits | error / largest | error / itself | largest bound", rows)),
    ]  # fmt: skip
    answer = f"Currents are within {max(r['of_own'] for r in linear):.0e} of themselves"
    answer += f", those of cells that are not linear within {max(r['of_own'] for r in others):.0e}." if others else "."
    command = "`python benchmarks/wires_accuracy.py --write`"
    return Page("wires_accuracy", "Wires: currents against ngspice and a sparse solve", answer, command, body)


def speed() -> Page | None:
    """Return the page on the speed of currents with wires."""
    found = found_in("speed", "wires.json")
    if found is None:
        return None
    rows = [[f"{r['n']} x {r['n']}", str(r["inputs"]), r["program"], *_shown(r)] for r in found["rows"]]
    by = {(r["n"], r["inputs"], r["program"]): r["ms"] for r in found["rows"] if "ms" in r}
    own, bad, cross = "this project, from arrays", "badcrossbar", "CrossSim, 1e-3, float32"
    pairs = ((128, 1, bad), (256, 1, bad), (256, 10, bad), (128, 1, cross), (256, 1, cross))
    said = [
        f"{by[n, inputs, other] / by[n, inputs, own]:.0f} times ({other.partition(',')[0]}, {n} rows, inputs: {inputs})"
        for n, inputs, other in pairs
        if (n, inputs, other) in by
    ]
    body = [
        f"Cells of 10 to 100 kOhm, {found['ohm']:g} Ohm a segment, voltages up to 0.3 V; one thread each, least processor time",
        "of several calls, one run on the same circuits. From arrays: one call with everything in it; kept: a `Wires` made",
        "before; matrix: the effective matrix made before, in the time given. CrossSim: its solver alone, at its default",
        "tolerance and at a tight one. The error is of the worst current, relative to the largest, against LU factors in",
        "float64.", "",
        *folded("times", table("array | inputs | program | ms | error | says of itself", rows)),
    ]  # fmt: skip
    sizes = [n for n, inputs, program in by if inputs == 1 and program == own]
    growth = [by[n, 1, own] for n in sizes]
    answer = f"One input takes {', '.join(f'{ms:.2g}' for ms in growth)} ms at {', '.join(str(n) for n in sizes)} rows"
    answer += f"; others take {', '.join(said)} as long." if said else "."
    command = "`python benchmarks/speed/wires.py --badcrossbar PYTHON --crosssim FOLDER --write`"
    return Page("wires_speed", "Wires: time of a read beside other solvers", answer, command, body)


def training() -> Page | None:
    """Return the page on the error of the matrix that reads use, over training."""
    found = found_in("wires_training.json")
    if found is None:
        return None
    rows = []
    for label, point in found.items():
        for number, layer in enumerate(point["layers"]):
            largest, median = ([line[name] for line in layer["compared"]] for name in ("largest", "median"))
            shares = (max(largest), statistics.median(largest), statistics.median(median))
            rows.append([label, str(number), f"{layer['tracking']['share']:.2f}", *(f"{100.0 * e:.2g}" for e in shares),
                         str(len(layer["solved"]))])  # fmt: skip
    default = next(iter(found))
    worst = max(line["largest"] for layer in found[default]["layers"] for line in layer["compared"])
    head = "chip | layer | mean share of a current | largest error % | its median % | median of all % | batches with solutions"
    body = [
        "Main job with `--wires refreshed`; in every fourth batch the currents of 16 images are compared with exact solutions of",
        "all tiles. Errors are shares of the largest current of a tile for one image. The largest is over tiles and images, its",
        "median over the compared batches; the median of all is over tiles and images, then over batches.", "",
        *picture("Error of the matrix that reads use, over training", "wires_training.png"),
        *folded("errors", table(head, rows)),
    ]  # fmt: skip
    answer = f"On the default chip no current of a compared read is off by more than {100.0 * worst:.2g} % of its tile's largest."
    command = "`python benchmarks/wires_training.py --write`"
    return Page("wires_training", "Wires: reads against exact wires while a network trains", answer, command, body)


def _shown(row: dict[str, Any]) -> list[str]:
    """Return time, error and own statement of a row."""
    if "note" in row:
        return [row["note"], "", ""]
    names = {
        "residual": "residual {:.0e}",
        "bound": "bound {:.0e}",
        "steps": "{:.0f} steps",
        "made_ms": "made in {:.0f} ms",
    }
    said = ", ".join(text.format(row[key]) for key, text in names.items() if key in row)
    return [f"{row['ms']:.3g}", f"{row['error']:.0e}", said]
