"""The experiments of benchmarks/experiments: their points, where results lie, what was chosen over a grid."""

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
from hardware_models.check import UsageError, shown
from hardware_models.tables import closest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def experiments(names: list[str]) -> dict[str, dict[str, Any]]:
    """Return the experiments by name, in the order of their files."""
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
    """Return the table of a file, read once as long as it does not change; callers leave it as it is."""
    del changed
    return read(path)


def points(experiment: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return (label, options) of every run of an experiment; none of a row that is not tuned yet."""
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
                seeds = {"seed": seed, "chip-seed": seed}
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
    """Return the values of the grid with the least mean validation error of a row; None as long as a point is missing."""
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
    """Return the names of the choices that an experiment, or any of its rows, is run over."""
    grids = [experiment.get("grid", {}), *(row.get("grid", {}) for row in experiment["rows"])]
    return list(dict.fromkeys(name for grid in grids for name in grid))


def tuner_of(name: str, experiment: dict[str, Any]) -> str | None:
    """Return the experiment whose grid an experiment's choices come from, itself perhaps; None if nothing is chosen."""
    return name if any("grid" in e for e in (experiment, *experiment["rows"])) else experiment.get("tuned_by")


def results_of(name: str, experiment: dict[str, Any], row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the results of a row that are there; of a row that is run over a grid, those of the best point."""
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
    """Return a stored point with its energies and with why a run would not give it any more, once for all tables."""
    del version
    point = store.points(name)[place]
    reasons = out_of_date(command, point["options"], point)
    reasons += ["prices of an older technology file"] if point_energy.dear(point) else []
    return {**point_energy.whole(point), "out_of_date": reasons}


def command_of(experiment: dict[str, Any]) -> str:
    """Return the command that makes an experiment's points: "simulate" or "spiking"."""
    return str(experiment.get("command", "simulate"))


def before_the_correction(results: list[dict[str, Any]]) -> str:
    """Return what marks results that a run would not give any more: since when, and why; empty for current ones."""
    old = [r for r in results if r["out_of_date"]]
    if not old:
        return ""
    commits = sorted({r.get("key", {}).get("commit", "unknown") for r in old})
    reasons = sorted({reason for r in old for reason in r["out_of_date"]})
    return f"before the correction, commit {', '.join(commits)}: {'; '.join(reasons)}"


def judged_on(experiment: dict[str, Any]) -> str:
    """Return the part of the data that an experiment is judged on."""
    return "validation" if experiment.get("options", {}).get("split") == "holdout" else "test"
