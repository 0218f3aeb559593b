"""The process that carries out a run: its outcome is the run's own result, and every end has a word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analog_ff.runs import execute as executing
from analog_ff.runs.model import MODEL
from analog_ff.sweeps import child, worker
from analog_ff.sweeps.child import THREADS, Child
from analog_ff.sweeps.points import resolved
from hardware_models.check import RunError

ROOT = Path(__file__).resolve().parents[3]
OPTIONS = {"data": "toy", "preset": "plain", "layers": "8", "epochs": 2, "shift": 0}


def task(tmp_path: Path, **more: Any) -> dict[str, Any]:
    config = resolved("simulate", {**OPTIONS, **more}).as_dict()
    whole = {"command": "simulate", "config": config, "folder": str(tmp_path / "run"), "keep": "none", "model": MODEL}
    return json.loads(json.dumps({**whole, "here": str(tmp_path)}))


def test_the_outcome_is_the_result_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = worker.carried_out(task(tmp_path))
    assert found["state"] == "done" and found["worker"].endswith(f" {os.getpid()}") and found["seconds"] > 0.0
    direct, _ = executing.execute(resolved("simulate", {**OPTIONS, "out": str(tmp_path / "direct")}), quiet=True)  # type: ignore[arg-type]
    same = [key for key in direct if key not in ("wall_seconds", "config", "machine_joule")]
    assert {key: found["result"][key] for key in same} == {key: direct[key] for key in same}
    begun = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert worker.carried_out(task(tmp_path))["result"] == found["result"], "a finished run is not run again"
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == begun


def test_an_interrupted_run_goes_on_from_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def stop(epoch: int) -> None:
        raise Killed

    monkeypatch.chdir(tmp_path)
    whole = worker.carried_out({**task(tmp_path), "folder": str(tmp_path / "whole")})["result"]
    with pytest.raises(Killed):
        config = resolved("simulate", {**OPTIONS, "out": str(tmp_path / "run")})
        executing.execute(config, quiet=True, after_epoch=stop)  # type: ignore[arg-type]
    epochs = len((tmp_path / "run" / "metrics.csv").read_text().splitlines()) - 1
    assert 0 < epochs < OPTIONS["epochs"]
    found = worker.carried_out(task(tmp_path))["result"]
    assert found["events"] == whole["events"] and found["test_error_percent"] == whole["test_error_percent"]


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (RunError("a cell is\nno cell."), "failed", "a cell is no cell."),
        (MemoryError(), "died", "the run asked for more memory than there is"),
        (ZeroDivisionError("division by zero"), "failed", "ZeroDivisionError: division by zero"),
    ],
)
def test_every_error_has_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, state: str, reason: str
) -> None:
    def fail(task: dict[str, Any]) -> None:
        raise error

    monkeypatch.setattr(worker, "_result", fail)
    found = worker.carried_out(task(tmp_path))
    assert (found["state"], found["reason"]) == (state, reason)


def test_a_worker_of_another_model_runs_nothing(tmp_path: Path) -> None:
    found = worker.carried_out({**task(tmp_path), "model": MODEL + 1})
    assert (
        found["state"] == "failed" and f"the sweep {MODEL + 1}" in found["reason"] and not (tmp_path / "run").exists()
    )


def test_a_wrong_configuration_is_one_sentence(tmp_path: Path) -> None:
    """A device that only the machine of the worker lacks, and what a run finds when it builds its chip."""
    lacking = task(tmp_path)
    lacking["config"]["device"] = "missing.toml"
    found = worker.carried_out(lacking)
    assert found["state"] == "failed" and "missing.toml" in found["reason"]
    assert not (tmp_path / "run").exists()


def test_the_threads_of_a_worker_are_limited_and_its_prints_are_no_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "prints.py").write_text(
        "import os\nfrom analog_ff.sweeps import worker\n"
        f"def result(task):\n    print('not JSON')\n    return {{name: os.environ[name] for name in {THREADS!r}}}\n"
        "worker._result = result\nworker.main()\n"
    )
    monkeypatch.setattr(child, "PROGRAM", (sys.executable, str(tmp_path / "prints.py")))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    one = Child(3, tmp_path / "logs" / "one.log")
    assert one.outcome(task(tmp_path))["result"] == dict.fromkeys(THREADS, "3")
    assert (tmp_path / "logs" / "one.log").read_text() == "not JSON\n"
    one.end()
    assert one.outcome(task(tmp_path))["state"] == "died", "it is not started again"


def test_a_worker_ends_with_its_client(tmp_path: Path) -> None:
    """Standard input is closed whatever ends the client."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "analog_ff.sweeps.worker"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=30) == 0
