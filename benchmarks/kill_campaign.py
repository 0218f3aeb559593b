"""Kill runs at chosen moments, resume them, kill them again; the final results must equal those of undisturbed runs.

    python benchmarks/kill_campaign.py [--kills 100] [--seed 0] [--cases accumulate,spiking] [--write]

Each run is a command of its own (`python -m analog_ff.simulate`, with `--port process` too, and `spiking`). It is killed by
SIGKILL, SIGTERM or SIGINT up to four times: before its first epoch has ended, during a write of a file, at any time, or between
its last epoch and its result. Then `--resume` finishes it, and result.json (without times and versions), metrics.csv
(without seconds), events.csv, cells.h5 or weights.npz and the names in the folder are compared with those of an undisturbed
run. The script prints a line for each run; `--write` keeps the table in benchmarks/results/campaigns/kills.json. The exit
status is 1 if anything differs, or if too few kills met their moment.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import campaign_runs as runs  # noqa: E402

FIRST, WRITE, ANY, FINAL = "first epoch", "write", "any time", "final"
PLAN = ((FIRST, FIRST, WRITE, ANY), (FIRST, WRITE, ANY, FINAL), (FIRST, WRITE, FINAL), (FIRST, FIRST, WRITE, FINAL))
"""Moments of the successive kills of one run, for one run after another; a moment that has passed is left out."""
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT)
LEAST = {FIRST: 20, WRITE: 10, FINAL: 5}
"""Least number of kills at each moment in a campaign of 60 or more kills."""
PATIENCE = 600.0


class Times:
    """Times of an undisturbed run [s]: until its folder appears, and from there until its later moments."""

    def __init__(self, case: runs.Case, where: Path) -> None:
        where.mkdir(parents=True)
        self.folder = where / runs.RUN
        called = time.monotonic()
        process = runs.start(case.command(*case.options), where)
        until(process, self.folder.is_dir)
        begin = time.monotonic()
        self.start = begin - called
        until(process, lambda: runs.rows(self.folder) > 0)
        self.first = time.monotonic() - begin
        self.trained = self.first  # time until metrics.csv has its last row
        self.epochs = runs.rows(self.folder)
        while process.poll() is None:
            if (now := runs.rows(self.folder)) > self.epochs:
                self.epochs, self.trained = now, time.monotonic() - begin
            time.sleep(0.005)
        self.whole = time.monotonic() - begin
        said = process.communicate()[1]
        if process.returncode:
            raise SystemExit(f"the undisturbed run failed: {said}")
        self.epochs = runs.rows(self.folder)


def until(process: subprocess.Popen[str], happened: Callable[[], object], pause: float = 0.002) -> bool:
    """Wait until `happened` returns a true value; return False if the process ends first or the time is up."""
    end = time.monotonic() + PATIENCE
    while not happened():
        if process.poll() is not None or time.monotonic() > end:
            return False
        time.sleep(pause)
    return process.poll() is None


def temporary(folder: Path) -> bool:
    """Tell whether the folder has a temporary file, which exists only while a file is written."""
    try:
        return any(name.startswith(".") or name.endswith(".tmp") for name in os.listdir(folder))
    except OSError:
        return False


def in_a_write(process: subprocess.Popen[str], folder: Path, skip: int) -> bool:
    """Stop a process in the middle of a write, after skipping `skip` writes; return False if the process ends first."""
    while until(process, lambda: temporary(folder), pause=0.0):
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.002)
        if temporary(folder) and skip <= 0:
            return True
        skip -= 1
        process.send_signal(signal.SIGCONT)
        until(process, lambda: not temporary(folder), pause=0.0)
    return False


def met(process: subprocess.Popen[str], folder: Path, moment: str, times: Times, chance: random.Random) -> bool:
    """Wait for a moment of a running process; return False if the moment never comes."""
    early = (
        times.start if folder.is_dir() else 0.0
    )  # a resumed process takes as long to come to where its folder appears
    if not until(process, folder.is_dir):
        return False
    begun, last = time.monotonic(), early + chance.random() * (times.first if moment == FIRST else times.whole)
    if moment == FIRST:
        until(process, lambda: time.monotonic() - begun > last or runs.rows(folder) > 0)
        return process.poll() is None and not runs.rows(folder)
    if moment == WRITE:
        return in_a_write(process, folder, chance.randrange(4))
    if moment == FINAL:
        came = until(process, lambda: runs.rows(folder) == times.epochs)
        time.sleep(chance.random() * max(times.whole - times.trained, 0.05))
        return came and process.poll() is None and not (folder / "result.json").exists()
    return until(process, lambda: time.monotonic() - begun > last)


def disturb(
    case: runs.Case, where: Path, moments: Sequence[str], times: Times, chance: random.Random, first: int
) -> dict[str, Any]:
    """Kill one run at each moment in turn, let it finish, and return the outcome."""
    where.mkdir(parents=True)
    folder = where / runs.RUN
    kills: list[dict[str, Any]] = []
    faults: list[str] = []
    for number, moment in enumerate(moments):
        more = ("--resume",) if folder.exists() else case.options
        process = runs.start(case.command(*more), where)
        sent = SIGNALS[(first + number) % len(SIGNALS)]
        hit = met(process, folder, moment, times, chance)
        if process.poll() is None:
            process.send_signal(sent)
            process.send_signal(signal.SIGCONT)
        said = process.communicate(timeout=PATIENCE)[1]
        if "Traceback" in said:
            faults.append(f"{moment}, {sent.name}: {said.strip().splitlines()[-1][:200]}")
        if process.returncode == 0:  # the run ended before the signal arrived
            break
        killed = process.returncode in (-sent, 128 + sent)
        if not killed:
            faults.append(f"{moment}, {sent.name}: status {process.returncode}, {said.strip()[-200:]}")
        met_in = moment if hit and moment != ANY else ANY if runs.rows(folder) else FIRST
        kills.append({"moment": met_in, "signal": sent.name, "status": process.returncode})
    more = ("--resume",) if folder.exists() else case.options
    status, said = runs.complete(case.command(*more), where)
    if status:
        faults.append(f"the last --resume ended with status {status}: {said.strip()[-200:]}")
    else:
        faults += runs.differences(folder, times.folder)
    beside = sorted(p.name for p in where.iterdir() if p.name != runs.RUN)
    return {"kills": kills, "faults": faults, "beside": beside}


def campaign(kills: int, seed: int, names: Sequence[str], where: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Carry out at least `kills` kills over the cases in turn, and return the table of the campaign."""
    chance = random.Random(seed)
    times = {}
    table: list[dict[str, Any]] = []
    counted: Counter[str] = Counter()
    while counted.total() < kills:
        number = len(table)
        name = names[number % len(names)]
        if name not in times:
            times[name] = Times(runs.CASES[name], where / f"{name} undisturbed")
            say(f"{name}: undisturbed, first epoch {times[name].first:.1f} s, all {times[name].whole:.1f} s")
        moments = PLAN[(number // len(names) + number) % len(PLAN)][: kills - counted.total()]
        row = disturb(runs.CASES[name], where / f"{name} {number}", moments, times[name], chance, number)
        counted.update(kill["moment"] for kill in row["kills"])
        table.append({"case": name, **row})
        shown = ", ".join(f"{k['moment']} {k['signal']}" for k in row["kills"]) or "no kill met it"
        say(f"{name}: {shown}: {'; '.join(row['faults']) or 'equal'}")
        if number > 3 * kills:
            break
    return {
        "kills": counted.total(),
        "by_moment": dict(counted),
        "by_signal": dict(Counter(k["signal"] for row in table for k in row["kills"])),
        "unequal": sum(bool(row["faults"]) for row in table),
        "seed": seed,
        "runs": table,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the campaign; return 0 if all runs ended with the right results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", default=",".join(runs.CASES))
    parser.add_argument("--write", action="store_true", help="keep the table in benchmarks/results/campaigns")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as where:
        found = campaign(given.kills, given.seed, given.cases.split(","), Path(where), lambda s: print(s, flush=True))
    print(json.dumps({k: v for k, v in found.items() if k != "runs"}, indent=1))
    if given.write:
        runs.RESULTS.mkdir(parents=True, exist_ok=True)
        (runs.RESULTS / "kills.json").write_text(json.dumps(found, indent=1) + "\n")
    short = [m for m, least in LEAST.items() if given.kills >= 60 and found["by_moment"].get(m, 0) < least]
    if short:
        print(f"too few kills met their moment: {', '.join(short)}")
    return int(bool(found["unequal"] or short or found["kills"] < given.kills))


if __name__ == "__main__":
    sys.exit(main())
