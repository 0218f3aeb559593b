"""The campaigns of benchmarks/, in short: they pass where all is well, and they see what is not."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import h5py
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from analog_ff.config.config import Config
from analog_ff.runs.execute import execute
from benchmarks import campaign_runs as runs
from benchmarks import kill_campaign


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_three_kills_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The short form: a run of a few seconds without pictures, killed three times in ways that differ."""
    short = runs.Case(("tests.unpictured",), ("--data", "toy", "--shift", "0", "--layers", "16", "--epochs", "12"))
    monkeypatch.setattr(runs, "CASES", {"short": short})
    said: list[str] = []
    found = kill_campaign.campaign(3, 0, ["short"], tmp_path, said.append)
    assert found["kills"] >= 3 and not found["unequal"], said


def test_the_comparison_sees_what_differs(tmp_path: Path) -> None:
    """A figure of the result, a row, an array, a file too many; times and versions are no difference."""
    config = Config(data="toy", layers=(8,), epochs=1, shift=0, device="ideal", out=str(tmp_path / "whole"))
    whole = execute(config, quiet=True)[1]
    other = tmp_path / "other"
    shutil.copytree(whole, other)
    result = json.loads((other / "result.json").read_text())
    (other / "result.json").write_text(json.dumps({**result, "wall_seconds": -1.0, "versions": {}}))
    assert runs.differences(other, whole) == []
    result["events"]["learn"] = {}
    (other / "result.json").write_text(json.dumps(result))
    (other / ".metrics.csv.tmp").touch()
    (other / "events.csv").write_text((other / "events.csv").read_text().replace("\n1,", "\n2,", 1))
    with h5py.File(other / "cells.h5", "r+") as cells:
        del cells[next(iter(runs._arrays(whole / "cells.h5")))]
    found = " ".join(runs.differences(other, whole))
    for word in ("result.json.events.learn", ".metrics.csv.tmp is left over", "events.csv differs", "cells.h5"):
        assert word in found, found


def test_one_sentence() -> None:
    """Lines of progress and warnings aside, an error is one line."""
    assert runs.one_sentence("epoch 1/2: 3/4 batches, 1 s left\nerror: no space left.\n")
    assert not runs.one_sentence("Traceback (most recent call last):\nerror: no.\n")
    assert not runs.one_sentence("")
