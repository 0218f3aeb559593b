"""The command ``sweep``: what it prints, what it refuses before anything is written, array jobs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from analog_ff.sweep import app, run_app
from analog_ff.sweeps import child
from analog_ff.sweeps.store import NAME, Store
from analog_ff.sweeps.sweep_file import KEPT
from tests import toy_worker

ROOT = Path(__file__).resolve().parents[3]
TEXT = """
title = "the sweep"
seeds = [0, 1]
[options]
data = "toy"
preset = "plain"
layers = [8]
[grid]
adc = [4, 6, 8]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(child, "PROGRAM", (sys.executable, "-m", "tests.toy_worker"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "adc.toml").write_text(TEXT)
    return "adc.toml"


def test_a_sweep_from_its_file_to_its_files(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(app, [file, "--workers", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["status"]["done"] == 6 and [row["factors"] for row in found["rows"]] == [{"adc": n} for n in (4, 6, 8)]
    assert found["rows"][0]["measures"]["error"]["mean"] == pytest.approx(20.5) and found["folder"].endswith(
        "runs/sweep-adc"
    )
    assert run_app(app, [file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found, "nothing ran again"
    assert run_app(app, [file]) == 0
    assert "20.5 +- 6.4" in capsys.readouterr().out
    for options in (
        ["--plot", "adc", "--out", "a.png"],
        ["--export", "a.csv"],
        ["--export", "a.parquet"],
        ["--export", "a.jsonl"],
    ):
        assert run_app(app, [file, *options]) == 0
        assert Path(options[-1]).stat().st_size > 100
        assert run_app(app, [file, *options]) == 2, "no file is overwritten"
    capsys.readouterr()
    assert run_app(app, [file, "--status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"schema": 1, **found["status"]}
    assert run_app(app, [file, "--table", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found


def test_an_array_job_has_the_points_of_the_whole_sweep(
    file: str, reports: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sweep has its report, with the file that it comes from, once it is collected; the share of a task has none."""
    for task in ("1/2", "2/2"):
        assert run_app(app, [file, "--task", task, "--results", "shared", "--workers", "1"]) == 0
    files = sorted(path.name for path in Path("shared").iterdir() if path.is_file())
    assert files == ["task-1-of-2.sqlite", "task-2-of-2.sqlite"]
    assert "report" not in capsys.readouterr().out
    assert run_app(app, [file, "--collect", "shared", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["status"]["done"] == found["status"]["points"] == 6
    assert (Path("runs/sweep-adc") / KEPT).read_text() == TEXT and (Path("runs/sweep-adc") / "report.html").is_file()
    assert run_app(app, [file, "--json"]) == 0
    with Store(Path("runs/sweep-adc") / NAME, read_only=True) as store:
        assert [a.outcome for a in store.attempts()] == ["done"] * 6, "what was collected does not run again"


def test_a_sweep_that_changes_keeps_the_results_that_it_shares(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(app, [file, "--workers", "1"]) == 0
    Path(file).write_text(TEXT.replace("[4, 6, 8]", "[6, 10]"))
    capsys.readouterr()
    assert run_app(app, [file, "--workers", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["factors"]["adc"] for row in found["rows"]] == [6, 10] and found["status"]["points"] == 4
    with Store(Path("runs/sweep-adc") / NAME, read_only=True) as store:
        assert len(store.points()) == len(store.attempts()) == 8


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--status"], "there is no store"),
        (["--table"], "there is no store"),
        (["--status", "--table"], "--status and --table are two things to do"),
        (["--plot", "adc"], "--plot and --out belong together"),
        (["--out", "a.png"], "--plot and --out belong together"),
        (["--plot", "adc", "--out", "a.gif"], "--out takes a picture that ends in"),
        (["--export", "a.xlsx"], "--export takes a file that ends in"),
        (["--task", "1/2"], "--task and --results belong together"),
        (["--task", "3/2", "--results", "shared"], "--task takes I/N"),
        (["--collect", "nowhere"], "nowhere"),
        (["--workers", "0"], "--workers"),
        (["--workers", "two"], "--workers takes a whole number"),
        (["--keep", "some"], "--keep"),
        (["--retries", "-1"], "--retries"),
        (["--plot", "adc", "--out", "a.png", "--measure", "eror"], "no measure is called"),
    ],
)
def test_wrong_options_write_nothing(
    file: str, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(os.listdir())
    assert run_app(app, [file, *options]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1 and said.startswith("error: ")
    assert sorted(os.listdir()) == before


def test_a_wrong_file_is_refused_before_anything_runs(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(file).write_text(TEXT.replace("[4, 6, 8]", "[4, 99]"))
    assert run_app(app, [file]) == 2
    assert "adc.toml, [grid] 'adc', value 99: a run needs" in capsys.readouterr().err
    assert run_app(app, ["missing.toml"]) == 2
    assert "missing.toml does not exist" in capsys.readouterr().err
    assert not Path("runs").exists()


def test_failures_are_said_and_counted(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(file).write_text(TEXT.replace("[0, 1]", f"[0, {toy_worker.FAILS}]"))
    assert run_app(app, [file, "--workers", "1"]) == 1
    taken = capsys.readouterr()
    assert "3 failed: the run of the test cannot go on." in taken.out and "3 of 6 points failed" in taken.err
