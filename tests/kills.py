"""What the tests of interrupted runs share: a small run, ways to kill it, what it leaves behind."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest

from analog_ff.config.config import Config, recommended
from analog_ff.runs.execute import execute
from analog_ff.runs.train import Run

SMALL = {"preset": "plain", "data": "toy", "layers": (8,), "epochs": 2, "batch": 100, "shift": 0}
OPTIONS = ["--preset", "plain", "--data", "toy", "--layers", "8", "--epochs", "2", "--batch", "100", "--shift", "0"]
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and locks of POSIX")


class Killed(BaseException):
    """Stands for a kill: nothing in the product catches it to go on."""


def left_in(folder: Path) -> dict[str, Any]:
    """Return what a finished run leaves behind, wall times aside; its report is written by the command, not by the run."""
    result = json.loads((folder / "result.json").read_text())
    del result["wall_seconds"], result["config"]["out"]
    with (folder / "metrics.csv").open(newline="") as file:
        metrics = [{k: v for k, v in line.items() if k != "seconds"} for line in csv.DictReader(file)]
    cells = folder / "cells.h5"
    return {
        "names": sorted(file.name for file in folder.iterdir() if file.name != "report.html"),
        "result": result,
        "metrics": metrics,
        "events": (folder / "events.csv").read_bytes(),
        "cells": cells.read_bytes() if cells.exists() else None,
    }


def killed(where: type, name: str, number: int = 1) -> pytest.MonkeyPatch:
    """Let the `number`th call of a function be the last thing that a run does."""
    patch = pytest.MonkeyPatch()
    function = getattr(where, name)
    calls = []

    def last(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == number:
            raise Killed
        return function(*args, **kwargs)

    patch.setattr(where, name, last)
    return patch


def killed_run(config: Config, patch: pytest.MonkeyPatch, *, resume: bool = False) -> None:
    """Run until the kill."""
    try:
        with pytest.raises(Killed):
            execute(config, resume=resume, quiet=True)
    finally:
        patch.undo()


def begun(folder: Path, **options: Any) -> Config:
    """Return the configuration of a run that was killed in its first epoch."""
    config = Config(**recommended({**SMALL, **options, "out": str(folder)}))
    killed_run(config, killed(Run, "_monitor"))
    return config
