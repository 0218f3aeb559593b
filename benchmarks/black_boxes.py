"""Networks that learn through boxes nobody has modelled: circuits in ngspice, neurons in Perl, a whole chip in C.

    python benchmarks/black_boxes.py [--boxes BOX ...] [--rules RULE ...] [--seeds 21 22 ...] [--kills 10]
    python benchmarks/black_boxes.py --write

Forward-Forward and frozen layers, paired by seed and chip seed, on the digits of scikit-learn. Every rule is tuned in every
box on the validation part of the training images, and the chosen values are tested once with fresh seeds (`black_box_choices`).
Then the process of the chip in C is killed at random moments of a training, which is a command of its own; each run is resumed
and compared with one that nobody killed. Every run is kept in benchmarks/results/black_boxes.json when it is done, and not made
again.
--write makes docs/results/black_boxes.md from these results and runs nothing.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from black_box_choices import RULES, TESTED, Point, missing

from analog_ff.output import whole_files

HERE = Path(__file__).resolve().parent
RESULT = HERE / "results" / "black_boxes.json"
EXAMPLES = HERE.parent / "examples"
CONFIG: dict[str, Any] = {
    "preset": "plain", "data": "digits", "layers": (12, 12), "device": "memristor", "epochs": 8, "batch": 40, "shift": 0,
}  # fmt: skip
BOXES = PERL, CHIP, CIRCUITS = ("neurons in Perl", "chip in C", "circuits in ngspice")
KILLED = ("--preset", "plain", "--data", "digits", "--layers", "12,12", "--device", "memristor", "--epochs", "6", "--batch", "20",
          "--shift", "0", "--learning-rate", "0.2", "--keep", "all")  # fmt: skip


def boxes(folder: Path) -> dict[str, dict[str, str]]:
    """Return the options of each box whose programs this machine has."""
    found: dict[str, dict[str, str]] = {}
    if shutil.which("ngspice"):
        found[CIRCUITS] = {"nonlinearity": f"process:{sys.executable} {EXAMPLES / 'ngspice_neurons.py'}"}
    if shutil.which("perl"):
        found[PERL] = {"nonlinearity": f"process:perl {EXAMPLES / 'neurons_in_perl.pl'}"}
    if shutil.which("cc"):
        subprocess.run(["cc", "-O2", "-o", folder / "chip", EXAMPLES / "chip_in_c.c", "-lm"], check=True)
        found[CHIP] = {"port": f"process:{folder / 'chip'}"}
    return found


def errors(point: Point, box: dict[str, str], folder: Path) -> dict[str, Any]:
    """Return the errors [%] of a run by read-out, on the test images or on the validation part."""
    from analog_ff.config.config import Config, recommended
    from analog_ff.runs.execute import execute

    given = {**CONFIG, **RULES[point.rule].options, **point.values, **box, "split": point.split}
    chip = {"seed": point.seed, "chip_seed": point.seed, "out": str(folder / f"{time.monotonic_ns()}")}
    result, _ = execute(Config(**recommended({**given, **chip})), quiet=True, pictures=False)
    part = "test" if point.split == TESTED else "validation"
    return {"errors": result[f"{part}_error_percent_by_readout"], "repeatable": result.get("repeatable", True)}


def command(*more: str) -> list[str]:
    """Return the command of a run."""
    return [sys.executable, "-m", "analog_ff.simulate", *KILLED, *more]


def left(folder: Path) -> dict[str, Any]:
    """Return the results of a finished run without its times and its place, and the arrays of its checkpoint as bytes."""
    from analog_ff.runs import checkpoint

    result = json.loads((folder / "result.json").read_text())
    del result["wall_seconds"], result["config"]["out"]
    with (folder / "metrics.csv").open(newline="") as file:
        metrics = [{name: value for name, value in line.items() if name != "seconds"} for line in csv.DictReader(file)]
    arrays, _ = checkpoint.read(folder)
    cells = {name: (str(a.dtype), a.shape, a.tobytes()) for name, a in sorted(arrays.items())}
    return {"result": result, "metrics": metrics, "events": (folder / "events.csv").read_bytes(), "cells": cells}


def children(process: int) -> list[int]:
    """Return the processes that a process has started."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").iterdir():
        found += [int(word) for word in (task / "children").read_text().split()]
    return found


def killed(number: int, box: str, folder: Path, span: float, draw: random.Random) -> dict[str, Any] | None:
    """Return the end of a run whose box is killed, and of the resumed run; None if the run was done before."""
    out = folder / f"killed{number}"
    shutil.rmtree(out, ignore_errors=True)
    started = command("--port", box, "--out", str(out))
    run = subprocess.Popen(started, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while run.poll() is None and not (out / "checkpoint.h5").exists():
        time.sleep(0.01)
    moment = draw.uniform(0.0, span)
    time.sleep(moment)
    program = box.removeprefix("process:")
    for child in children(run.pid) if run.poll() is None else ():
        if Path(f"/proc/{child}/cmdline").read_text().startswith(program):
            os.kill(child, signal.SIGKILL)
    said = run.communicate()[1].splitlines()
    if (out / "result.json").exists():
        return None
    sentence = [line.replace(f"{folder}/", "./") for line in said if line.startswith("error: ")]
    resumed = subprocess.run(command("--port", box, "--out", str(out), "--resume"), capture_output=True, text=True)
    return {
        "after_seconds": round(moment, 2), "status": run.returncode, "sentences": sentence,
        "traceback": any("Traceback" in line for line in said), "resumed_status": resumed.returncode,
        "same_bits": resumed.returncode == 0 and left(out) == left(folder / "whole"),
    }  # fmt: skip


def kills(number: int, folder: Path) -> list[dict[str, Any]]:
    """Return the outcomes of so many kills at moments drawn over the whole training."""
    box = boxes(folder)[CHIP]["port"]
    subprocess.run(command("--port", box, "--out", str(folder / "whole")), check=True, capture_output=True)
    lines = list(csv.DictReader((folder / "whole" / "metrics.csv").open(newline="")))
    span, draw, found = float(lines[-1]["seconds"]), random.Random(1), []
    for attempt in range(4 * number):
        if len(found) < number and (outcome := killed(attempt, box, folder, span, draw)) is not None:
            print(outcome, flush=True)
            found.append(outcome)
    return found


def stored() -> dict[str, Any]:
    """Return the runs that are stored; those of another configuration end the script."""
    config = {**CONFIG, "layers": list(CONFIG["layers"])}
    known: dict[str, Any] = (
        json.loads(RESULT.read_text()) if RESULT.exists() else {"config": config, "runs": {}, "kills": []}
    )
    if known["config"] != config:
        sys.exit(f"error: {RESULT} holds runs of another configuration; move it away to begin anew.")
    return known


def keep(known: dict[str, Any]) -> None:
    """Store the runs."""
    whole_files.write(RESULT, json.dumps(known, indent=1) + "\n")


def learn(
    known: dict[str, Any], box: str, options: dict[str, str], rules: list[str], seeds: list[int], folder: Path
) -> None:
    """Make the runs of a box that are missing: for each rule those of the tuning, then those of the test."""
    for rule in rules:
        while points := missing(known, box, rule, seeds):
            for point in points:
                known["runs"][point.name()] = {**point._asdict(), **errors(point, options, folder)}
                print(point.name(), known["runs"][point.name()]["errors"], flush=True)
                keep(known)


def write_page() -> None:
    """Write the page alone; docs/results.md quotes its answer when `benchmarks/run.py --tables` is called."""
    from black_box_pages import black_box_pages
    from pages import PAGES

    for page in black_box_pages():
        whole_files.write(PAGES / f"{page.name}.md", page.text())


def main() -> None:
    """Make the runs that are missing, and keep them; or make the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="make the page from the stored results and run nothing")
    parser.add_argument(
        "--boxes", nargs="+", choices=BOXES, default=BOXES, metavar="BOX", help=f"of {', '.join(BOXES)}"
    )
    parser.add_argument(
        "--rules", nargs="+", choices=RULES, default=[*RULES], metavar="RULE", help=f"of {'; '.join(RULES)}"
    )
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seeds", type=int, nargs="+", default=[21, 22, 23, 24, 25])
    given = parser.parse_args()
    if given.write:
        return write_page()
    known = stored()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        here = boxes(folder)
        for name in given.boxes:
            if name in here:
                learn(known, name, here[name], given.rules, given.seeds, folder)
            else:
                print(f"{name}: left out, because its program is not on this machine.")
        if CHIP in here and len(known["kills"]) < given.kills:
            known["kills"] = kills(given.kills, folder)
            keep(known)


if __name__ == "__main__":
    main()
