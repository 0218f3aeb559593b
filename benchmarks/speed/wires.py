"""Times and errors of solvers of a crossbar with wires, all on the same circuits in one run, with one thread each.

    python benchmarks/speed/wires.py [--badcrossbar PYTHON] [--crosssim FOLDER] [--no-ngspice] [--write]

Cells of 10 to 100 kOhm (uniform in conductance), 1 Ohm a segment, voltages up to 0.3 V; 1, 10 and 100 inputs at 64, 128 and 256
rows, this project to 512. "from arrays": one call of `solve`, everything included; "kept": a `Wires` made before; "matrix": the
effective matrix made before (in the time that stands beside), so that an input is a product. PYTHON is an interpreter that has
badcrossbar 1.1, FOLDER a checkout of CrossSim; both run in processes of their own (benchmarks/peers/crossbar_solvers.py), and
rows without them say "not installed". ngspice solves one input, to 128 rows.

Times are processor seconds, the least of several calls: the caches of the processor are shared with other processes, which makes
calls slower and never faster. Those of ngspice count from reading the netlist, once. The error is that of the worst current,
relative to the largest one, against LU factors of the sparse system in float64. With --write the table is stored in
benchmarks/results/speed/wires.json.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from hardware_models.wires import Wires, solve

HERE = Path(__file__).resolve().parents[1]
RESULT = HERE / "results" / "speed" / "wires.json"
sys.path.insert(0, str(HERE.parent / "tests" / "hardware_models" / "wires"))

from netlist import NGSPICE, ngspice  # noqa: E402

SIZES, INPUTS = (64, 128, 256, 512), (1, 10, 100)
LARGEST_PEER, LARGEST_NGSPICE = 256, 128
MOST_CROSSSIM = 128 * 100
"""Most rows times inputs that CrossSim is asked for; more take it minutes."""
TRUE = 10
"""Number of inputs whose error is looked at."""
OHM = 1.0
TIGHT = 1e-7
"""Tolerance of CrossSim's second row [1]; its default is 1e-3, of full scale."""


def circuit(n: int, inputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return conductances (n, n) [S] and voltages (inputs, n) [V]."""
    rng = np.random.default_rng(n)
    return rng.uniform(1e-5, 1e-4, (n, n)), rng.uniform(0.0, 0.3, (inputs, n))


def timed(call: Callable[[], np.ndarray], seconds: float = 2.0, most: int = 50) -> tuple[float, np.ndarray]:
    """Return the least processor time of calls [s], repeated for `seconds` after a first one, and their result."""
    result, times, begun = call(), [], time.process_time()
    while not times or (len(times) < most and time.process_time() - begun < seconds):
        start = time.process_time()
        result = call()
        times.append(time.process_time() - start)
    return min(times), result


def peer(python: str, program: str, file: Path, *more: str) -> tuple[float, np.ndarray] | str:
    """Return time and currents of another program in a process of its own, or a note if it cannot be run."""
    script = HERE / "peers" / "crossbar_solvers.py"
    done = subprocess.run([python, str(script), program, str(file), *more], capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit status {done.returncode}"
        return "not installed" if "ModuleNotFoundError" in last else last
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return min(found["seconds"]), np.array(found["currents"])


def by_ngspice(g: np.ndarray, v: np.ndarray) -> tuple[float, np.ndarray] | str:
    """Return time and currents of ngspice for one input."""
    if NGSPICE is None:
        return "not installed"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    currents = ngspice(g, v[0], OHM, OHM)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, currents[np.newaxis]


def ours(g: np.ndarray, v: np.ndarray) -> list[tuple[str, tuple[float, np.ndarray], dict[str, float]]]:
    """Return the rows of this project: name, time and currents, and what it says of its own accuracy."""
    array = Wires(g, OHM, OHM)
    full = array.solve(v, full=True)
    said = {"residual": float(full.residual.max()), "bound": float(full.bound.max()), "steps": int(full.steps.max())}
    rows = [
        ("this project, from arrays", timed(lambda: solve(g, v, OHM, OHM)), said),
        ("this project, kept", timed(lambda: array.solve(v)), said),
    ]
    if len(g) <= LARGEST_PEER:
        start = time.process_time()
        matrix = array.effective()
        made = time.process_time() - start
        rows.append(("this project, matrix", timed(lambda: v @ matrix), {"made_ms": 1e3 * made}))
    return rows


def compared(n: int, inputs: int, given: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Return the rows of one circuit, but for ngspice, and print them."""
    g, v = circuit(n, inputs)
    file = folder / f"{n}_{inputs}.npz"
    np.savez(file, conductance=g, voltage=v, r=OHM)
    found: list[tuple[str, tuple[float, np.ndarray] | str, dict[str, float]]] = [*ours(g, v)]
    if n <= LARGEST_PEER:
        python = given.badcrossbar or sys.executable
        found.append(("badcrossbar", peer(python, "badcrossbar", file, "--repeats", "3"), {}))
        for name, *how in (
            ("CrossSim, 1e-3, float32", "--error", "1e-3", "--type", "float32"),
            (f"CrossSim, {TIGHT:g}, float64", "--error", str(TIGHT), "--type", "float64"),
        ):
            if not given.crosssim:
                found.append((name, "not installed", {}))
            elif n * inputs > MOST_CROSSSIM:
                found.append((name, "not run: it solves one input after the other", {}))
            else:
                more = ("--repeats", "5", "--checkout", given.crosssim, *how)
                found.append((name, peer(python, "crosssim", file, *more), {}))
    truth = Wires(g, OHM, OHM, direct=True).solve(v[:TRUE])
    return [line(n, inputs, name, one, said, truth) for name, one, said in found]


def line(
    n: int, inputs: int, name: str, one: tuple[float, np.ndarray] | str, said: dict[str, float], truth: np.ndarray
) -> dict[str, Any]:
    """Return one row, with time and error or a note, and print it."""
    row: dict[str, Any] = {"n": n, "inputs": inputs, "program": name, **said}
    if isinstance(one, str):
        row["note"] = one
    else:
        row["ms"] = 1e3 * one[0]
        row["error"] = float((np.abs(one[1][:TRUE] - truth).max(axis=1) / truth.max(axis=1)).max())
    print(
        f"{n:4d} {inputs:4d} {name:28s}",
        row.get("note") or f"{row['ms']:10.3f} ms  error {row['error']:.1e}",
        *(f"{key} {value:.2g}" for key, value in said.items()),
        flush=True,
    )
    return row


def main() -> None:
    """Measure and print the table; with --write store it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--badcrossbar", metavar="PYTHON", help="interpreter with badcrossbar; CrossSim uses it as well"
    )
    parser.add_argument("--crosssim", metavar="FOLDER", help="checkout of github.com/sandialabs/cross-sim")
    parser.add_argument("--no-ngspice", action="store_true", help="leave ngspice out: 128 x 128 takes it a minute")
    parser.add_argument("--largest", type=int, default=512, help="largest number of rows [default: 512]")
    parser.add_argument("--write", action="store_true", help="keep the table in benchmarks/results/speed")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    sizes = [n for n in SIZES if n <= given.largest]
    # ngspice works beside the others, in a process of its own that knows how long it took.
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, get_context("spawn")) as beside:
        asked = [] if given.no_ngspice else [n for n in sizes if n <= LARGEST_NGSPICE]
        answers = [beside.submit(by_ngspice, *circuit(n, 1)) for n in asked]
        for n in sizes:
            for inputs in INPUTS:
                rows += compared(n, inputs, given, Path(folder))
        for n, answer in zip(asked, answers, strict=True):
            g, v = circuit(n, 1)
            rows.append(line(n, 1, "ngspice", answer.result(), {}, Wires(g, OHM, OHM, direct=True).solve(v)))
    if given.write:
        RESULT.write_text(json.dumps({"threads": 1, "ohm": OHM, "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
