"""The sweep that a campaign disturbs: its file, its command, and what must be true of it in the end."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from analog_ff.sweeps.store import DIED, DONE, INTERRUPTED, NAME, Store
from benchmarks import campaign_runs as runs

SAMPLES = 16
"""Choices of values of the sweep, each with as many seeds as make up the points."""
PATIENCE = 1800.0
FILE = """title = "campaign"
seeds = {seeds}
[options]
data = "toy"
preset = "plain"
layers = [16]
epochs = 4
shift = 0
[sobol]
samples = {samples}
learning-rate = {{low = 0.001, high = 0.1, log = true}}
label-strength = {{low = 1.0, high = 8.0}}
"""


class Campaign:
    """The sweep of a campaign, in folders of a working directory."""

    def __init__(self, where: Path, points: int) -> None:
        self.where = where
        seeds = list(range(math.ceil(points / SAMPLES)))
        (where / "sweep.toml").write_text(FILE.format(seeds=seeds, samples=SAMPLES), encoding="utf-8")
        self.points = len(seeds) * SAMPLES

    def start(self, folder: str, *options: str) -> subprocess.Popen[str]:
        """Begin, or go on with, the sweep in a folder by the command of a user."""
        words = [
            sys.executable,
            "-m",
            "analog_ff",
            "sweep",
            "sweep.toml",
            "--folder",
            folder,
            "--threads",
            "1",
            "--json",
        ]
        return runs.start([*words, *options], self.where)

    def store(self, folder: str) -> Store:
        """Return the store in a folder."""
        return Store(self.where / folder / NAME, read_only=True)

    def done(self, folder: str) -> int:
        """Return the number of points that are done."""
        if not (self.where / folder / NAME).exists():
            return 0
        with self.store(folder) as store:
            return Counter(store.states().values())[DONE]

    def complete(self, folder: str, *options: str) -> None:
        """Carry the sweep in a folder to its end, undisturbed."""
        process = self.start(folder, *options)
        said = process.communicate(timeout=PATIENCE)[1]
        if process.returncode:
            raise SystemExit(f"the sweep ended with status {process.returncode}: {said.strip()[-500:]}")

    def faults(self, folder: str, reference: str | None = None) -> list[str]:
        """Return the faults of a finished sweep: points that are missing, ran twice, or differ from the reference."""
        with self.store(folder) as store:
            points, attempts = store.points(), store.attempts()
        found = [f"{len(points)} points, not {self.points}"] if len(points) != self.points else []
        found += [f"{p.key} is {p.state}: {p.reason}" for p in points if p.state != DONE]
        for point in points:
            ends = [attempt.outcome for attempt in attempts if attempt.key == point.key]
            if ends[-1:] != [DONE] or ends.count(DONE) != 1 or not {*ends[:-1]} <= {DIED, INTERRUPTED}:
                found.append(f"{point.key} had the attempts {ends}")
        if reference is not None:
            with self.store(reference) as store:
                right = {p.key: _timeless(p.result) for p in store.points()}
            found += [f"{p.key} has another result" for p in points if _timeless(p.result) != right.get(p.key)]
        return found

    def rate(self, folder: str) -> float:
        """Return the points a second of a sweep, from its first attempt to the end of its last."""
        with self.store(folder) as store:
            attempts = store.attempts()
        ended = [a.ended for a in attempts if a.ended is not None]
        return len(ended) / (max(ended) - min(a.begun for a in attempts))

    def deaths(self, folder: str) -> int:
        """Return the number of attempts whose worker died."""
        with self.store(folder) as store:
            return sum(attempt.outcome == DIED for attempt in store.attempts())

    def status(self, folder: str) -> dict[str, Any]:
        """Return the answer of ``--status``."""
        words = [sys.executable, "-m", "analog_ff", "sweep", "sweep.toml", "--folder", folder, "--status", "--json"]
        done = subprocess.run(words, cwd=self.where, env=runs.environment(), capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def _timeless(result: Any) -> str:
    """Return a result without its times, versions and place."""
    kept = {k: v for k, v in runs._timeless(result or {}).items() if k != "config"}
    return json.dumps(kept, sort_keys=True)
