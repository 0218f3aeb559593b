"""Run the experiments of benchmarks/experiments, point by point, and make the tables of the docs from their results.

    python benchmarks/run.py [NAME ...] [--data-dir DIR]   run missing points (of all experiments, or of those named)
    python benchmarks/run.py NAME --part 1/2 --threads 1   run every second missing point; another process has --part 2/2
    python benchmarks/run.py --tables                      write docs/results.md, docs/results/ and the README's table

An experiment is one TOML file: a title, options of `analog_ff.simulate` common to all rows, and rows with a label,
options of their own and seeds (the chip's seed is the experiment's seed). A point is one run; its result is one line of
benchmarks/results/<experiment>.jsonl (`store`) with a key of everything that decides it (`identity`). A stored point
is run again only if its key differs from that of a run today; until then the tables mark it.

With a table `grid` (option -> values) every row is run with every combination, and its table shows the best one. An
experiment that is `tuned_by` such an experiment uses its best values, by the rows of the same label. `paired` lists pairs of
rows whose errors are compared seed by seed below the table. `answer` is the page's answer in a sentence; {label} in it stands
for the error of that row.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from typing import Any

import point_energy
import store
from catalogue import ROOT, command_of, experiments, points
from identity import out_of_date
from results_page import write_tables

from analog_ff.config.config import Config
from analog_ff.runs.identity import key
from analog_ff.sweeps.points import resolved
from hardware_models.check import UsageError

KEPT = (
    "schema", "config", "device", "seed", "chip_seed", "split", "wall_seconds", "versions", "test_error_percent",
    "test_error_percent_by_readout", "validation_error_percent", "validation_error_percent_by_readout", "images",
    "events", "integrals", "energy", "cells", "deployed", "johnson_noise", "wires",
    "activity", "shapes", "inputs_sha256", "events_by_layer", "integrals_by_layer", "gated_share_by_layer",
    "firing", "spikes_per_presentation", "presentations",
)  # fmt: skip


def arguments(options: dict[str, Any]) -> list[str]:
    """Return options as arguments of the command line; true becomes a flag, false the `--no-` form of one that has it."""
    words = []
    for name, value in options.items():
        if value is False:
            words += [f"--no-{name}"] if name.replace("-", "_") in Config.usual else []
        else:
            words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return words


def commit() -> str:
    """Return the commit of the code, or "unknown" outside a repository."""
    asked = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def replaced(old: dict[str, Any], reasons: list[str]) -> dict[str, Any]:
    """Return a short record of a replaced result for the new one: its origin, the reasons for replacing it, and its errors."""
    kept = ("test_error_percent_by_readout", "validation_error_percent_by_readout", "deployed")
    found = {name: old[name] for name in kept if old.get(name) is not None}
    if "deployed" in found:
        found["deployed"] = {n: v for n, v in found["deployed"].items() if n.endswith("_by_age")}
    return {"commit": old.get("key", {}).get("commit", "unknown"), "reasons": reasons, **found}


def run(name: str, label: str, options: dict[str, Any], data_dir: str | None, threads: int | None = None) -> None:
    """Run one point and store its result; the number of threads changes no result."""
    spiking = command_of(experiments([name])[name]) == "spiking"
    command_name = "spiking" if spiking else "simulate"
    before = None
    if (old := store.point(name, options)) is not None:
        reasons = out_of_date(command_name, options, old)
        if not reasons:
            return
        before = replaced(old, reasons)
        print(f"{name}: {label}, seed {options['seed']} is out of date: {'; '.join(reasons)}", flush=True)
    print(f"{name}: {label}, seed {options['seed']} ...", flush=True)
    # An interrupted run is resumed from its checkpoint.
    folder = ROOT / "runs" / "experiments" / name / store.place_of(options)
    program = ["analog_ff", "spiking"] if spiking else ["analog_ff.simulate"]
    command = [sys.executable, "-m", *program, *arguments(options), "--json", "--out", str(folder)]
    command += ["--data-dir", data_dir] if data_dir else []
    command += ["--threads", str(threads)] if threads else []
    command += ["--resume"] if folder.exists() else []
    folder.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name}: {label} failed with status {done.returncode}.")
    result = json.loads(done.stdout)
    kept = {key: result[key] for key in KEPT if key in result}
    # Folders of data and runs concern only this machine, so they are not stored.
    kept["config"] = {k: v for k, v in kept["config"].items() if k not in ("data_dir", "out", "resume", "json")}
    identity = key(command_name, resolved(command_name, options)) | {"commit": commit()}
    stored = {"label": label, "options": options, "key": identity} | kept
    stored |= {"before": before} if before else {}
    stored |= {"energy": point_energy.stored(stored)} if stored.get("energy") else {}
    store.keep(name, stored)
    shutil.rmtree(folder)


def main() -> int:
    """Run the points or write the tables; return the exit status, which is 2 for a wrong experiment."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--tables", action="store_true", help="write the tables and run nothing")
    parser.add_argument("--data-dir", help="folder of the data sets")
    parser.add_argument(
        "--part", type=_part, default=(1, 1), metavar="I/N", help="run the I-th of N equal shares of the points"
    )
    parser.add_argument("--threads", type=int, help="threads of each run [default: all cores]")
    args = parser.parse_args()
    try:
        asked = experiments(args.names)
        if not args.tables:
            for name, experiment in asked.items():
                check(name, experiment)
            part, of = args.part
            for name, experiment in asked.items():
                for label, options in list(points(experiment))[part - 1 :: of]:
                    run(name, label, options, args.data_dir, args.threads)
        write_tables()
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _part(text: str) -> tuple[int, int]:
    """Return (I, N) of "I/N" with 1 <= I <= N."""
    part, _, of = text.partition("/")
    if not (part.isdecimal() and of.isdecimal() and 1 <= int(part) <= int(of)):
        raise argparse.ArgumentTypeError(f"--part takes I/N with 1 <= I <= N, such as 1/2, got '{text}'")
    return int(part), int(of)


def check(name: str, experiment: dict[str, Any]) -> None:
    """Raise UsageError if a point of an experiment is no valid configuration, before its first run."""
    for label, options in points(experiment):
        try:
            resolved(command_of(experiment), options)
        except UsageError as error:
            raise UsageError(f"experiment {name}, row '{label}': {error}") from None


if __name__ == "__main__":
    sys.exit(main())
