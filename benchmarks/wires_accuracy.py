"""Worst errors of the currents of crossbars with wires: against a float64 sparse solve of all nodes, and against ngspice.

    python benchmarks/wires_accuracy.py [--largest 256] [--write]

Cells of 1 kOhm to 10 MOhm and open ones, wires of 0 to 10 Ohm with either side at zero, arrays from 1 x 1 up, voltages of one
sign and of both; at the default tolerance. The sparse solve is the twin of the tests (tests/hardware_models/wires/nodal.py),
which knows nothing of this project's method; ngspice takes arrays up to 64 x 64 and, at 16 x 16, cells that are not linear. An
error is relative to the current itself where that is above 1e-6 of the array's largest one, else to that share of it. With
--write the worst errors are kept in benchmarks/results/wires_accuracy.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hardware_models.wires import Law, Polynomial, Selector, Sinh, solve

HERE = Path(__file__).resolve().parent
RESULT = HERE / "results" / "wires_accuracy.json"
sys.path.insert(0, str(HERE.parent / "tests" / "hardware_models" / "wires"))

from netlist import NGSPICE, ngspice  # noqa: E402
from nodal import exact  # noqa: E402

SHAPES = [(1, 1), (1, 64), (64, 1), (2, 3), (16, 16), (64, 64), (128, 96), (128, 128), (256, 256)]
LARGEST_NGSPICE = 64
OHMS = [(10.0, 10.0), (10.0, 0.0), (0.0, 10.0), (0.5, 10.0), (1.0, 1.0), (0.01, 0.01), (0.0, 0.0)]
LAWS: list[tuple[str, Law, str]] = [
    ("sinh", Sinh(0.1), "{g}*0.1*sinh({v}/0.1)"),
    ("polynomial", Polynomial(((0.0, 1.0), (0.0,), (2e-5, 3.0))), "{g}*{v}+(2e-5+3.0*{g})*{v}*{v}*{v}"),
    ("selector", Selector(0.1, 0.01, 1e-3),
     "{g}*(1e-3*{v}+0.999*0.01*sgn({v})*(ln(1+exp((abs({v})-0.1)/0.01))-ln(1+exp(-10))))"),
]  # fmt: skip


class Case(NamedTuple):
    """One circuit."""

    cells: str
    conductance: np.ndarray
    voltage: np.ndarray
    r_word: float
    r_bit: float


def cases(shape: tuple[int, int]) -> Iterator[Case]:
    """Yield circuits of a shape: four kinds of cells, each with every pair of wires."""
    rng = np.random.default_rng(shape[0] * 1000 + shape[1])
    kinds = {
        "all 1 kOhm": np.full(shape, 1e-3),
        "all 10 MOhm": np.full(shape, 1e-7),
        "1 kOhm to 10 MOhm, a fifth open": 10.0 ** rng.uniform(-7, -3, shape) * (rng.random(shape) >= 0.2),
        "each bit line of its own size": 10.0 ** rng.uniform(-7, -3, (1, shape[1])) * rng.uniform(0.5, 1.0, shape),
    }
    for name, g in kinds.items():
        for r_word, r_bit in OHMS:
            voltage = np.stack([rng.uniform(0.0, 0.3, shape[0]), rng.uniform(-0.3, 0.3, shape[0])])
            yield Case(name, g, voltage, r_word, r_bit)


def apart(found: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Return the largest error relative to the largest current, and relative to the current itself, of inputs (B, columns)."""
    largest = np.maximum(np.abs(truth).max(axis=1, keepdims=True), np.finfo(float).tiny)
    error = np.abs(found - truth)
    own = error / np.maximum(np.abs(truth), 1e-6 * largest)
    return float((error / largest).max()), float(own.max())


def row(against: str, shape: tuple[int, int], worst: np.ndarray, circuits: int, bound: float) -> dict[str, object]:
    """Return a line of the result, and print it."""
    print(
        f"{against}, {shape[0]} x {shape[1]}, {circuits} circuits: {worst[0]:.1e} of the largest current, "
        f"{worst[1]:.1e} of the current itself; largest bound {bound:.1e}",
        flush=True,
    )
    return {"against": against, "shape": shape, "circuits": circuits, "of_largest": worst[0], "of_own": worst[1],
            "bound": bound}  # fmt: skip


def compared(shape: tuple[int, int], *, by_ngspice: bool) -> dict[str, object]:
    """Return the worst errors over all circuits of a shape."""
    worst, circuits, bound = np.zeros(2), 0, 0.0
    for case in cases(shape):
        everything = solve(case.conductance, case.voltage, case.r_word, case.r_bit, full=True)
        if by_ngspice:
            truth = ngspice(case.conductance, case.voltage[0], case.r_word, case.r_bit)[np.newaxis]
        else:
            truth = exact(case.conductance, case.voltage, case.r_word, case.r_bit)
        worst = np.maximum(worst, apart(everything.currents[: len(truth)], truth))
        bound, circuits = max(bound, float(everything.bound.max())), circuits + len(truth)
    return row("ngspice" if by_ngspice else "float64 sparse solve", shape, worst, circuits, bound)


def nonlinear() -> list[dict[str, object]]:
    """Return the worst errors of cells that are not linear, 16 x 16, against behavioural sources of ngspice."""
    found, shape = [], (16, 16)
    for name, law, text in LAWS:
        worst, circuits, bound = np.zeros(2), 0, 0.0
        for case in cases(shape):
            if case.cells.startswith("1 kOhm"):
                mine = solve(case.conductance, case.voltage[:1], case.r_word, case.r_bit, law=law, full=True)
                truth = ngspice(case.conductance, case.voltage[0], case.r_word, case.r_bit, text)[np.newaxis]
                worst = np.maximum(worst, apart(mine.currents, truth))
                bound, circuits = max(bound, float(mine.bound.max())), circuits + 1
        found.append(row(f"ngspice, {name} cells", shape, worst, circuits, bound))
    return found


def main() -> None:
    """Compare, print, and with --write store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=256, help="largest number of rows [default: 256]")
    parser.add_argument("--write", action="store_true", help="keep the result in benchmarks/results")
    given = parser.parse_args()
    shapes = [shape for shape in SHAPES if shape[0] <= given.largest]
    rows = [compared(shape, by_ngspice=False) for shape in shapes]
    if NGSPICE is None:
        print("ngspice: not installed (apt-get install ngspice)")
    else:
        rows += [compared(shape, by_ngspice=True) for shape in shapes if max(shape) <= LARGEST_NGSPICE]
        rows += nonlinear()
    if given.write:
        RESULT.write_text(json.dumps({"tolerance": 1e-6, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
