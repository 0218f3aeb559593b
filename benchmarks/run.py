"""Run the experiments of benchmarks/experiments, point by point, and make the tables of the docs from their results.

    python benchmarks/run.py [NAME ...] [--data-dir DIR]   run what is missing (all experiments, or those named)
    python benchmarks/run.py --tables                      write docs/results.md and the README's table

An experiment is one TOML file: a title, options of `analog_ff.simulate` common to all rows, and rows with a label,
options of their own and seeds (the chip's seed is the experiment's seed). A point is one run; its result is kept in
benchmarks/results/<experiment>/<hash of its options>.json, and a point that is there is not run again.

With a table `grid` (option -> values) every row is run with every combination, and its table shows the best one. An
experiment that is `tuned_by` such a one takes its choices, row by row of the same label. `paired` lists pairs of rows
whose errors are compared seed by seed below the table.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from typing import Any

from catalogue import ROOT, experiments, place, points
from results_page import write_tables

KEPT = (
    "schema", "config", "device", "seed", "chip_seed", "split", "wall_seconds", "versions", "test_error_percent",
    "test_error_percent_by_readout", "validation_error_percent", "validation_error_percent_by_readout", "images",
    "events", "integrals", "energy", "cells", "deployed",
    "activity", "shapes", "events_by_layer", "integrals_by_layer", "gated_share_by_layer",
    "firing", "spikes_per_presentation", "presentations",
)  # fmt: skip


def arguments(options: dict[str, Any]) -> list[str]:
    """Return options as the command line takes them; true is a flag."""
    words = []
    for key, value in options.items():
        if value is False:
            continue
        words += [f"--{key}"] if value is True else [f"--{key}", str(value)]
    return words


def run(name: str, label: str, options: dict[str, Any], data_dir: str | None) -> None:
    """Run one point and keep its result."""
    target = place(name, options)
    if target.exists():
        return
    print(f"{name}: {label}, seed {options['seed']} ...", flush=True)
    # A run that was interrupted goes on from its checkpoint.
    folder = ROOT / "runs" / "experiments" / target.parent.name / target.stem
    spiking = experiments([name])[name].get("command") == "spiking"
    program = ["analog_ff", "spiking"] if spiking else ["analog_ff.simulate"]
    command = [sys.executable, "-m", *program, *arguments(options), "--json", "--out", str(folder)]
    command += ["--data-dir", data_dir] if data_dir else []
    command += ["--resume"] if (folder / "checkpoint.h5").exists() else []
    folder.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name}: {label} failed with status {done.returncode}.")
    result = json.loads(done.stdout)
    kept = {key: result[key] for key in KEPT if key in result}
    # Where the data lay and where the run folder was are this machine's business.
    kept["config"] = {k: v for k, v in kept["config"].items() if k not in ("data_dir", "out", "resume", "json")}
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"label": label, "options": options} | kept, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(folder)


def main() -> None:
    """Run or tabulate."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--tables", action="store_true", help="write the tables and run nothing")
    parser.add_argument("--data-dir", help="folder of the data sets")
    args = parser.parse_args()
    if not args.tables:
        for name, experiment in experiments(args.names).items():
            for label, options in points(experiment):
                run(name, label, options, args.data_dir)
    write_tables()


if __name__ == "__main__":
    main()
