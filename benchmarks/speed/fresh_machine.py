"""Seconds for installation, compilation and training of the main job on a machine that has never seen this project.

    python benchmarks/speed/fresh_machine.py [--write] [--alone] [OPTIONS OF simulate]

Clones the last commit of this checkout into an empty folder, installs it with its dependencies into a new environment, without
pip's cache, and runs ``simulate --device memristor`` with an empty cache of kernels. "compilation" is the time in which the run
itself compiled or waited for the process beside it; "training" is the rest of the run, from its start to its table. With --alone
nothing is compiled beside the run. ``import analog_ff`` and ``simulate --help`` are the best of five. With --write the table
is stored in benchmarks/results/speed/fresh_machine.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "benchmarks" / "results" / "speed" / "fresh_machine.json"
RUN = """
import json, sys
from analog_ff.simulate import app, run_app
from hardware_models.kernels import compiling
status = run_app(app, sys.argv[2:])
open(sys.argv[1], "w").write(json.dumps(compiling.seconds()))
sys.exit(status)
"""
"""A program that runs `simulate` and writes the seconds of compilation to its first argument."""


def seconds(command: list[str], place: Path, *, quiet: bool = False, **environment: str) -> float:
    """Return the wall time of a command [s]; SystemExit if it fails."""
    begin = time.perf_counter()
    own = {**os.environ, "PYTHONPATH": "", **environment}
    done = subprocess.run(command, cwd=place, env=own, stdout=subprocess.DEVNULL if quiet else None, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} ended with status {done.returncode}")
    return time.perf_counter() - begin


def measured(place: Path, options: list[str], alone: bool) -> dict[str, float]:
    """Return the seconds of each part, by name."""
    clone, python = place / "clone", str(place / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python")
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    begin = time.perf_counter()
    venv.create(place / "venv", with_pip=True)
    seconds([python, "-m", "pip", "install", "-q", "--no-cache-dir", "."], clone)
    found = {"installation": time.perf_counter() - begin}
    (place / "away").mkdir()
    kernels = {"NUMBA_CACHE_DIR": str(place / "kernels"), "ANALOG_FF_COMPILE_AHEAD": "0" if alone else "1"}
    command = [
        python,
        "-c",
        RUN,
        str(place / "compiled"),
        "--device",
        "memristor",
        "--out",
        str(place / "run"),
        *options,
    ]
    whole = seconds(command, place / "away", **kernels)
    found["compilation"] = json.loads((place / "compiled").read_text())
    found["training"] = whole - found["compilation"]
    for name, words in {"import": ["-c", "import analog_ff"], "help": ["-m", "analog_ff.simulate", "--help"]}.items():
        found[name] = min(seconds([python, *words], place / "away", quiet=True) for _ in range(5))
    return found


def main() -> None:
    """Measure, and print a line for each part."""
    parser = argparse.ArgumentParser(description="time the main job from a clean clone")
    parser.add_argument("--write", action="store_true", help="keep the table")
    parser.add_argument("--alone", action="store_true", help="compile nothing beside the run")
    given, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as place:
        found = measured(Path(place), options, given.alone)
    for name, value in found.items():
        print(f"{name:<13}{value:8.2f} s")
    if given.write:
        about = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
        about |= {"options": options, "compiled_beside": not given.alone}
        RESULT.write_text(json.dumps({**about, "seconds": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
