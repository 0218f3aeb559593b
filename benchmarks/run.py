"""Run the experiments of benchmarks/experiments, point by point, and make the tables of the docs from their results.

    python benchmarks/run.py [NAME ...] [--data-dir DIR]   run missing points (of all experiments, or of those named)
    python benchmarks/run.py NAME --workers 2              run two points at a time
    python benchmarks/run.py NAME --part 1/2 --threads 1   run every second missing point; another process has --part 2/2
    python benchmarks/run.py --tables                      write docs/results.md, docs/results/ and the README's table

An experiment is one TOML file: a title, options of `analog_ff.simulate` common to all rows, and rows with a label,
options of their own and seeds (the chip's seed is the experiment's seed). A point is one run; its result is one line of
benchmarks/results/<experiment>.jsonl (`store`) with a key of everything that decides it (`identity`). A stored point
is run again only if its key differs from that of a run today; until then the tables mark it. The runs are those of a sweep
(`analog_ff.sweeps`): a point whose run fails does not stop the others, and an interrupted program goes on.

With a table `grid` (option -> values) every row is run with every combination, and its table shows the best one. An
experiment that is `tuned_by` such an experiment uses its best values, by the rows of the same label. `paired` lists pairs of
rows whose errors are compared seed by seed below the table. `answer` is the page's answer in a sentence; {label} in it stands
for the error of that row.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import point_energy
import store
from catalogue import ROOT, command_of, experiments, points
from identity import out_of_date
from results_page import write_tables

from analog_ff.sweeps.execute import run_points
from analog_ff.sweeps.export import stored_result
from analog_ff.sweeps.points import Point, resolved
from analog_ff.sweeps.store import DONE, FAILED, NAME, Store
from hardware_models.check import UsageError


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


def run(
    name: str, asked: Sequence[tuple[str, dict[str, Any]]], data_dir: str | None, *, part: str = "all", **how: Any
) -> list[str]:
    """Run those points of an experiment that are missing or out of date, and store their results; return what failed.

    `part` names the share of the points that one process runs, `how` are arguments of `run_points`: none changes a result.
    """
    folder = ROOT / "runs" / "experiments" / name / part
    command = command_of(experiments([name])[name])
    missing: dict[str, Point] = {}
    lines: dict[
        str, list[tuple[str, dict[str, Any], dict[str, Any]]]
    ] = {}  # rows may ask for the same run in other words
    for label, options in asked:
        old = store.point(name, options)
        reasons = [] if old is None else out_of_date(command, options, old)
        if old is not None and not reasons:
            continue
        point = Point(replace(resolved(command, options), data_dir=data_dir), options)
        missing.setdefault(point.key, point)
        lines.setdefault(point.key, []).append(
            (label, options, {} if old is None else {"before": replaced(old, reasons)})
        )
        why = f" is out of date: {'; '.join(reasons)}" if reasons else ""
        print(f"{name}: {label}, seed {options['seed']}{why} ...", flush=True)
    if not missing:
        return []
    with Store(folder / NAME) as runs:

        def keep(key: str) -> None:
            result = runs.result(key)
            assert result is not None, "it is done"
            for label, options, before in lines[key]:
                stored = stored_result(label, options, {**missing[key].identity, "commit": commit()}, result) | before
                store.keep(name, stored | ({"energy": point_energy.stored(stored)} if stored.get("energy") else {}))

        for key, state in runs.states(missing).items():
            if state == DONE:  # the program was ended between the two stores
                keep(key)
        run_points([*missing.values()], runs, folder=folder, done=keep, again=True, **how)
        states, why_failed = runs.states(missing), runs.reasons()
    failed = [f"{name}: {lines[k][0][0]} failed: {why_failed[k]}" for k, state in states.items() if state == FAILED]
    if not failed:
        shutil.rmtree(folder)
    return failed


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
    parser.add_argument("--workers", type=int, default=1, help="runs at the same time, each in a process of its own")
    args = parser.parse_args()
    failed: list[str] = []
    try:
        asked = experiments(args.names)
        if not args.tables:
            for name, experiment in asked.items():
                check(name, experiment)
            part, of = args.part
            how = {"workers": args.workers, "threads": args.threads}
            for name, experiment in asked.items():
                share = list(points(experiment))[part - 1 :: of]
                failed += run(name, share, args.data_dir, part=f"{part}-of-{of}", **how)
        write_tables()
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("".join(f"{sentence}\n" for sentence in failed), end="", file=sys.stderr)
    return int(bool(failed))


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
