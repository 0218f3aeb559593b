"""A worker process whose runs are quick and of a known kind: by their seed they end well, fail, or kill the process.

    python -m tests.toy_worker

A run leaves a line in the file "begun" beside the run folders, so that a test sees how often it was begun.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from analog_ff.sweeps import worker
from hardware_models.check import RunError

FAILS, POISON, ONCE, SLOW, FAT = 90, 91, 92, 93, 94
"""Seeds of runs that fail, that kill every process, that kill the first process, that take 30 s, and that lack memory."""


def result_of(config: dict[str, Any]) -> dict[str, Any]:
    """Return what a run of the test finds: a number of its options."""
    error = 10.0 + config["seed"] + 1000.0 * config["learning_rate"]
    return {
        "schema": 1, "config": config, "test_error_percent": error, "test_error_percent_by_readout": {"softmax": error},
        "wall_seconds": 0.5, "energy": {"per_update_joule": 1e-9 * config["seed"]},
        "threads": os.environ.get("NUMBA_NUM_THREADS"),
    }  # fmt: skip


def _result(task: dict[str, Any]) -> dict[str, Any]:
    folder, seed = Path(task["folder"]), task["config"]["seed"]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "begun").open("a") as file:
        file.write(f"{folder.name}\n")
    first = not (folder / "been").exists()
    (folder / "been").touch()
    if seed == FAILS:
        raise RunError("the run of the test cannot go on.")
    if seed == FAT:
        raise MemoryError
    if seed == POISON or (seed == ONCE and first):
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(30.0 if seed == SLOW else 0.02)
    return result_of(task["config"])


if __name__ == "__main__":
    worker._result = _result
    worker.main()
