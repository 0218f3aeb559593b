"""Runs for the campaigns: short commands of each kind, started like a user's, and the comparison of their final folders."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "campaigns"
RUN = "run"
"""Name of the run's folder, equal in all results; each run has its own working directory."""

SMALL = ("--data", "digits", "--shift", "0", "--layers", "60,30", "--epochs", "6")
SIMULATE, SPIKING = ("analog_ff.simulate",), ("analog_ff", "spiking")


class Case(NamedTuple):
    """A command that a campaign disturbs."""

    module: tuple[str, ...]
    options: tuple[str, ...]

    def command(self, *more: str) -> list[str]:
        """Return the command line of a run in the folder RUN of the working directory."""
        return [sys.executable, "-m", *self.module, *more, "--out", RUN, "--json"]


CASES: Mapping[str, Case] = {
    "accumulate": Case(SIMULATE, SMALL),
    "coincidence": Case(SIMULATE, (*SMALL, "--update", "coincidence")),
    "pipelined": Case(SIMULATE, (*SMALL, "--schedule", "pipelined", "--negatives", "random")),
    "process port": Case(SIMULATE, (*SMALL, "--port", "process")),
    "spiking": Case(SPIKING, (
        "--data", "digits", "--layers", "20", "--epochs", "2", "--images-per-epoch", "60", "--test-images", "10",
        "--target", "numpy", "--step", "2",
    )),
}  # fmt: skip


def environment() -> dict[str, str]:
    """Return the environment of a command that takes this checkout's packages."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}


def start(command: Sequence[str], where: Path, **options: Any) -> subprocess.Popen[str]:
    """Start a command in a working directory, with Ctrl-C enabled as in a terminal, and capture its standard error."""
    prepare = options.pop("preexec_fn", lambda: None)

    def child() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit "ignore"
        prepare()

    return subprocess.Popen(
        command, cwd=where, env=environment(), text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        preexec_fn=child, **options,
    )  # fmt: skip


def complete(command: Sequence[str], where: Path, **options: Any) -> tuple[int, str]:
    """Run a command without disturbing it and return its status and standard error."""
    process = start(command, where, **options)
    said = process.communicate()[1]
    return process.returncode, said


def uninterrupted(case: Case, where: Path) -> Path:
    """Make an undisturbed run in `where` and return its folder."""
    where.mkdir(parents=True)
    status, said = complete(case.command(*case.options), where)
    if status:
        raise SystemExit(f"the undisturbed run failed with status {status}: {said.strip()}")
    return where / RUN


def rows(folder: Path) -> int:
    """Return the number of epochs in metrics.csv."""
    try:
        return max(len((folder / "metrics.csv").read_text().splitlines()) - 1, 0)
    except OSError:
        return 0


# --- comparison of two folders ---

TIMES = ("seconds", "wall_seconds", "versions", "machine_joule", "resumed_from_versions")
"""Entries of result.json that may differ between two runs of one configuration, at any depth."""


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _timeless(v) for k, v in value.items() if k not in TIMES}
    return [_timeless(v) for v in value] if isinstance(value, list) else value


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def _arrays(path: Path) -> dict[str, tuple[str, bytes]]:
    found = {}
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            return {name: (str(arrays[name].dtype), arrays[name].tobytes()) for name in arrays.files}
    import h5py

    def take(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = (f"{item.dtype} {item.shape}", np.asarray(item[()]).tobytes())

    with h5py.File(path, "r") as file:
        file.visititems(take)
    return found


def _unequal(mine: Any, theirs: Any, place: str) -> list[str]:
    """Return the paths at which two JSON values differ."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        both = sorted(mine.keys() | theirs.keys())
        return [line for key in both for line in _unequal(mine.get(key), theirs.get(key), f"{place}.{key}")]
    if isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        pairs = enumerate(zip(mine, theirs, strict=True))
        return [line for n, (a, b) in pairs for line in _unequal(a, b, f"{place}[{n}]")]
    return [] if json.dumps(mine) == json.dumps(theirs) else [f"{place}: {str(mine)[:40]}, not {str(theirs)[:40]}"]


def differences(mine: Path, reference: Path) -> list[str]:
    """Return one text for each difference between two folders of finished runs; empty if they are equal."""
    names = [{p.name for p in folder.iterdir()} for folder in (mine, reference)]
    found = [f"{name} is left over" for name in sorted(names[0] - names[1])]
    found += [f"{name} is missing" for name in sorted(names[1] - names[0])]
    for name in sorted(names[0] & names[1]):
        a, b = mine / name, reference / name
        if name == "result.json":
            found += _unequal(_timeless(json.loads(a.read_text())), _timeless(json.loads(b.read_text())), name)
        elif name in ("metrics.csv", "events.csv"):
            found += [] if _table(a) == _table(b) else [f"{name} differs"]
        elif name in ("cells.h5", "weights.npz"):
            left, right = _arrays(a), _arrays(b)
            found += [f"{name}: {k} differs" for k in sorted(left.keys() | right.keys()) if left.get(k) != right.get(k)]
    return found


def one_sentence(said: str) -> bool:
    """Tell whether the message of a failed command is one line that begins with "error: " and no traceback."""
    lines = [line for line in said.strip().splitlines() if not line.startswith(("epoch ", "warning: ")) and line]
    return len(lines) == 1 and lines[0].startswith("error: ") and "Traceback" not in said
