"""The experiments of benchmarks/experiments: their points, their stored results, and the best values of their grids."""

from __future__ import annotations

import itertools
import statistics
from functools import cache
from pathlib import Path
from typing import Any

import point_energy
import store
from experiment_files import ROW, read
from identity import out_of_date

from analog_ff.config.config import Config
from analog_ff.config.together import unread
from analog_ff.learners import LEARNERS
from hardware_models.check import UsageError, shown
from hardware_models.tables import closest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def experiments(names: list[str]) -> dict[str, dict[str, Any]]:
    """Return the named experiments (all of them for an empty list) by name, in the order of their files."""
    files = sorted((HERE / "experiments").glob("*.toml"))
    for name in names:
        if name not in {f.stem for f in files}:
            known = [f.stem for f in files]
            raise UsageError(f"no experiment {shown(name)}{closest(name, known)} (known: {', '.join(known)}).")
    table = {f.stem: _read(f, f.stat().st_mtime_ns) for f in files if not names or f.stem in names}
    for name, experiment in table.items():
        tuner = experiment.get("tuned_by")
        if tuner is not None and tuner not in {f.stem for f in files}:
            raise UsageError(f"experiment {name} is tuned by {shown(tuner)}, which is no experiment.")
    return table


@cache
def _read(path: Path, changed: int) -> dict[str, Any]:
    """Return the table of a file, which is read once as long as it does not change; callers must not change the table."""
    del changed
    return read(path)


def points(experiment: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return (label, options) of every run of an experiment, without rows that are not tuned yet."""
    runs = []
    for row in experiment["rows"]:
        grid = row.get("grid", experiment.get("grid", {}))
        options = {k: v for k, v in row.items() if k not in ROW}
        by_tuning = "tuned_by" in experiment and not row.get("untuned")
        tuned = chosen(experiment["tuned_by"], row["label"]) if by_tuning else {}
        if tuned is None:
            continue
        for values in itertools.product(*grid.values()):
            for seed in row.get("seeds", experiment.get("seeds", [0])):
                seeds = {"seed": seed, "chip-seed": seed, **row.get("held", {})}
                own = {**options, **tuned, **dict(zip(grid, values, strict=True)), **seeds}
                runs.append((row["label"], {**_of_all(experiment, own), **own}))
    return runs


def _of_all(experiment: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return the options of an experiment but for those that a row's learner does not read, as frozen layers a learning rate."""
    shared = experiment.get("options", {})
    if experiment.get("command") == "spiking":
        return shared
    idle = unread(Config, {name.replace("-", "_"): value for name, value in {**shared, **own}.items()})
    return {name: value for name, value in shared.items() if name.replace("-", "_") not in idle or name in own}


def chosen(name: str, label: str) -> dict[str, Any] | None:
    """Return the grid values with the least mean validation error of a row; None as long as a point is missing."""
    experiment = experiments([name])[name]
    row = [r for r in experiment["rows"] if r["label"] == label]
    errors: dict[tuple[Any, ...], list[float]] = {}
    grid = row[0].get("grid", experiment.get("grid", {})) if row else {}
    for _, options in points({**experiment, "rows": row}):
        point = store.point(name, options)
        if point is None:
            return None
        errors.setdefault(tuple(options[k] for k in grid), []).append(point["validation_error_percent"])
    if not errors:
        raise UsageError(f"experiment {name} has no row '{label}' to tune.")
    return dict(zip(grid, min(errors, key=lambda values: statistics.mean(errors[values])), strict=True))


def grid_of(experiment: dict[str, Any]) -> list[str]:
    """Return the names of the options in the grid of an experiment or of any of its rows."""
    grids = [experiment.get("grid", {}), *(row.get("grid", {}) for row in experiment["rows"])]
    return list(dict.fromkeys(name for grid in grids for name in grid))


def tuner_of(name: str, experiment: dict[str, Any]) -> str | None:
    """Return the name of the experiment whose grid tunes this one (perhaps itself); None if nothing is tuned."""
    return name if any("grid" in e for e in (experiment, *experiment["rows"])) else experiment.get("tuned_by")


def results_of(name: str, experiment: dict[str, Any], row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the stored results of a row; for a row with a grid, those of the best point."""
    tuner = tuner_of(name, experiment)
    best = chosen(tuner, row["label"]) if tuner and not row.get("untuned") else {}
    results = []
    for _, options in points({**experiment, "rows": [row]}):
        if tuner and (best is None or any(options[k] != v for k, v in best.items())):
            continue
        place = store.place_of(options)
        if place in store.points(name):
            results.append(_judged(name, command_of(experiment), place, store.version_of(name)))
    return results


@cache
def _judged(name: str, command: str, place: str, version: store.Version) -> dict[str, Any]:
    """Return a stored point with its energies and the reasons why it is out of date, computed once for all tables."""
    del version
    point = store.points(name)[place]
    reasons = out_of_date(command, point["options"], point)
    return {**point_energy.whole(point), "out_of_date": reasons, "dear": point_energy.dear(point)}


def command_of(experiment: dict[str, Any]) -> str:
    """Return the command that runs an experiment's points: "simulate" or "spiking"."""
    return str(experiment.get("command", "simulate"))


def before_the_correction(results: list[dict[str, Any]]) -> str:
    """Return the mark of results that a run would not give any more, with date and reason; empty for current results."""
    old = [r for r in results if r["out_of_date"]]
    if not old:
        return ""
    commits = sorted({r.get("key", {}).get("commit", "unknown") for r in old})
    reasons = sorted({reason for r in old for reason in r["out_of_date"]})
    return f"before the correction, commit {', '.join(commits)}: {'; '.join(reasons)}"


def readouts_of(experiment: dict[str, Any]) -> tuple[str, ...]:
    """Return the read-outs of an experiment's runs, in the order of its table; the two together where a row asks for them."""
    every = (experiment.get("options", {}), *experiment["rows"])
    learners = {options["learner"] for options in every if options.get("learner") in LEARNERS}
    asked = {options.get("readout") for options in every} | {LEARNERS[name].recipe.get("readout") for name in learners}
    if "output" in asked:
        return ("output",)
    return ("energy", "softmax", *(name for name in ("both", "competition") if name in asked))


READOUT_NAMES = {
    "energy": "energy read-out",
    "softmax": "softmax read-out",
    "both": "both read-outs together",
    "competition": "competition",
    "output": "output layer",
}
"""Read-out -> its name in the head of a table."""


def judged_on(experiment: dict[str, Any]) -> str:
    """Return the part of the data that an experiment is judged on."""
    return "validation" if experiment.get("options", {}).get("split") == "holdout" else "test"
