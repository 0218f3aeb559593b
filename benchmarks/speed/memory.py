"""Measure the memory and the disk that a run takes: peak, state, checkpoint and folder.

    python benchmarks/speed/memory.py [--layers 2000,2000,2000,2000] [--images 200] [--write] [OPTIONS OF simulate]

A run of one epoch of `simulate --device memristor` is carried out for each preset in a process of its own. "peak" is the largest
memory of that process; "state" that of the arrays which its checkpoint needs; the folder is that which the run leaves, with
``--keep last``. With --write the table is stored in benchmarks/results/speed/memory.json. Sizes do not depend on what else the
machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import RESULTS, kept, machine, positive

from analog_ff.config.presets import PRESETS
from analog_ff.runs.checkpoint import NAME

RUN = """
import json, resource, sys
from analog_ff.runs.train import Run
from analog_ff.simulate import app, run_app
states, own = [], Run.arrays
def noted(run):
    found = own(run)
    states.append(sum(array.nbytes for array in found.values()))
    return found
Run.arrays = noted
status = run_app(app, sys.argv[2:])
peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # Linux counts in KiB
open(sys.argv[1], "w").write(json.dumps({"peak": peak, "state": max(states)}))
sys.exit(status)
"""
"""A program that runs `simulate` and writes the largest memory of the process and the size of the run's state [bytes]."""


def measured(preset: str, layers: str, images: int, options: list[str]) -> dict[str, int]:
    """Return peak, state, checkpoint and folder of a run [bytes]."""
    with tempfile.TemporaryDirectory() as place:
        found, run = Path(place) / "found.json", Path(place) / "run"
        command = [sys.executable, "-c", RUN, str(found), "--device", "memristor", "--preset", preset, "--layers", layers,
                   "--images-per-epoch", str(images), "--epochs", "1", "--out", str(run), *options]  # fmt: skip
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "ANALOG_FF_COMPILE_AHEAD": "0"}
        )
        sizes = {"checkpoint": (run / NAME).stat().st_size}
        sizes["folder"] = sum(path.stat().st_size for path in run.rglob("*") if path.is_file())
        return {**json.loads(found.read_text()), **sizes}


def main() -> None:
    """Measure both presets, and print a line for each; with --write store them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", default="2000,2000,2000,2000")
    parser.add_argument("--images", type=positive, default=200, help="training images of the epoch")
    parser.add_argument("--write", action="store_true", help="keep the table in benchmarks/results/speed")
    given, options = parser.parse_known_args()
    rows = {}
    for preset in PRESETS:
        rows[preset] = measured(preset, given.layers, given.images, options)
        sizes = ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in rows[preset].items())
        state = rows[preset]["state"]
        shares = {name: rows[preset][name] / state for name in ("peak", "checkpoint")}
        print(f"{preset}: {sizes}; peak {shares['peak']:.2f} and checkpoint {shares['checkpoint']:.2f} times the state")
    if given.write:
        said = {"layers": given.layers, "images": given.images, "options": options, "machine": machine()}
        kept(RESULTS / "speed" / "memory.json", {**said, "bytes": rows})


if __name__ == "__main__":
    main()
