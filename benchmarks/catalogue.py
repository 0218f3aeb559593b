"""The experiments of benchmarks/experiments: their points, where results lie, what was chosen over a grid."""

from __future__ import annotations

import hashlib
import itertools
import json
import statistics
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent

NOT_OPTIONS = ("label", "seeds", "published", "grid", "untuned")
"""Entries of a row that are not options of the run; `published` is what a source reports for the same task."""


def experiments(names: list[str]) -> dict[str, dict[str, Any]]:
    """Return the experiments by name, in the order of their files."""
    files = sorted((HERE / "experiments").glob("*.toml"))
    table = {f.stem: tomllib.loads(f.read_text(encoding="utf-8")) for f in files}
    unknown = set(names) - set(table)
    if unknown:
        sys.exit(f"no experiment {', '.join(sorted(unknown))} (known: {', '.join(table)}).")
    return {n: e for n, e in table.items() if not names or n in names}


def points(experiment: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return (label, options) of every run of an experiment; none of a row that is not tuned yet."""
    runs = []
    for row in experiment["rows"]:
        grid = row.get("grid", experiment.get("grid", {}))
        options = {k: v for k, v in row.items() if k not in NOT_OPTIONS}
        by_tuning = "tuned_by" in experiment and not row.get("untuned")
        tuned = chosen(experiment["tuned_by"], row["label"]) if by_tuning else {}
        if tuned is None:
            continue
        for values in itertools.product(*grid.values()):
            for seed in row.get("seeds", experiment.get("seeds", [0])):
                seeds = {"seed": seed, "chip-seed": seed}
                choices = tuned | dict(zip(grid, values, strict=True))
                runs.append((row["label"], {**experiment.get("options", {}), **options, **choices, **seeds}))
    return runs


def chosen(name: str, label: str) -> dict[str, Any] | None:
    """Return the values of the grid with the least mean validation error of a row; None as long as a point is missing."""
    experiment = experiments([name])[name]
    row = [r for r in experiment["rows"] if r["label"] == label]
    errors: dict[tuple[Any, ...], list[float]] = {}
    grid = row[0].get("grid", experiment.get("grid", {})) if row else {}
    for _, options in points({**experiment, "rows": row}):
        file = place(name, options)
        if not file.exists():
            return None
        error = json.loads(file.read_text(encoding="utf-8"))["validation_error_percent"]
        errors.setdefault(tuple(options[k] for k in grid), []).append(error)
    if not errors:
        sys.exit(f"experiment {name} has no row '{label}' to tune.")
    return dict(zip(grid, min(errors, key=lambda values: statistics.mean(errors[values])), strict=True))


def grid_of(experiment: dict[str, Any]) -> list[str]:
    """Return the names of the choices that an experiment, or any of its rows, is run over."""
    grids = [experiment.get("grid", {}), *(row.get("grid", {}) for row in experiment["rows"])]
    return list(dict.fromkeys(name for grid in grids for name in grid))


def tuner_of(name: str, experiment: dict[str, Any]) -> str | None:
    """Return the experiment whose grid an experiment's choices come from, itself perhaps; None if nothing is chosen."""
    return name if any("grid" in e for e in (experiment, *experiment["rows"])) else experiment.get("tuned_by")


def place(name: str, options: dict[str, Any]) -> Path:
    """Return the file of a point's result."""
    text = json.dumps(options, sort_keys=True)
    return HERE / "results" / name / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"


def results_of(name: str, experiment: dict[str, Any], row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the results of a row that are there; of a row that is run over a grid, those of the best point."""
    tuner = tuner_of(name, experiment)
    best = chosen(tuner, row["label"]) if tuner and not row.get("untuned") else {}
    results = []
    for label, options in points({**experiment, "rows": [row]}):
        if tuner and (best is None or any(options[k] != v for k, v in best.items())):
            continue
        file = place(name, options)
        if file.exists():
            results.append(json.loads(file.read_text(encoding="utf-8")))
            assert results[-1]["label"] == label or results[-1]["options"] == options
    return results


def judged_on(experiment: dict[str, Any]) -> str:
    """Return the part of the data that an experiment is judged on."""
    return "validation" if experiment.get("options", {}).get("split") == "holdout" else "test"
