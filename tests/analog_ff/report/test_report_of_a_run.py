"""The report of a run: what it shows are the numbers of its folder, what a folder lacks is said, bad folders are refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from reading_pages import Report

from analog_ff.report import kinds
from analog_ff.report.command import app
from analog_ff.runs import looks
from analog_ff.simulate import app as simulate
from analog_ff.simulate import run_app
from hardware_models.check import UsageError
from tests.conftest import REPORT

OPTIONS = [
    "--device",
    "memristor",
    "--data",
    "toy",
    "--layers",
    "8,8",
    "--epochs",
    "3",
    "--batch",
    "100",
    "--shift",
    "0",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run, with its report."""
    place = tmp_path_factory.mktemp("reported") / "run"
    assert run_app(simulate, [*OPTIONS, "--out", str(place)]) == 0
    REPORT(place)
    return place


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def test_the_page_shows_what_the_run_found(folder: Path) -> None:
    report, result = Report(folder / kinds.NAME), json.loads((folder / "result.json").read_text())
    report.check()
    for error in result["test_error_percent_by_readout"].values():
        assert f"{error:.2f} %" in report.text
    titles = ["Learning curves", "Goodness", "Confusion matrix", "Worst answers", "Receptive fields", "Cells", "Currents",
              "Energy", "Device", "Sources of the prices", "Command, choices and versions"]  # fmt: skip
    assert [text for text in titles if text not in report.text] == [] and "is not shown" not in report.text
    assert result["versions"]["numpy"] in report.text
    assert "python -m analog_ff.simulate --device memristor --data toy --shift 0 --layers 8,8 --epochs 3" in report.text
    assert {
        name for name, of in result["energy"]["parts_joule"].items() if of["nominal"]
    } and "Johnson noise" in report.text
    assert (folder / kinds.NAME).stat().st_size < 1_000_000


def test_what_the_run_notes_agrees_with_its_result(folder: Path) -> None:
    """The confusion matrix has the errors of the test, leads fall, histograms hold every cell of their layer."""
    found, result = looks.read(folder), json.loads((folder / "result.json").read_text())
    assert found is not None and set(found.confusion) == set(result["test_error_percent_by_readout"])
    for name, counts in found.confusion.items():
        wrong = counts.sum() - np.trace(counts)
        assert 100.0 * wrong / counts.sum() == pytest.approx(result["test_error_percent_by_readout"][name])
    assert found.wrong == found.confusion[found.readout].sum() - np.trace(found.confusion[found.readout])
    leads = [one.lead for one in found.worst]
    assert leads == sorted(leads, reverse=True) and min(leads) >= 0.0 and len(leads) == min(looks.WORST, found.wrong)
    assert all(one.label != one.answer for one in found.worst)
    for one in found.cells.values():
        assert one.plus.sum() + one.minus.sum() == one.cells
        assert 0.999 * one.cells <= one.pulses.sum() <= one.cells
    weights = max(np.abs(one).max() for one in found.fields)
    assert weights == pytest.approx(1.0) and found.neurons == 8


def test_cells_on_disk_give_the_histograms_that_the_run_noted(folder: Path) -> None:
    """A folder of an earlier version has cells.h5 alone; conductances are stored in full, so both are the same."""
    noted, result = looks.read(folder), json.loads((folder / "result.json").read_text())
    again = looks.in_cells(folder, (result["device"]["g_min"], result["device"]["g_max"]))
    assert noted is not None and again.keys() == noted.cells.keys()
    for layer, one in again.items():
        assert np.array_equal(one.pulses, noted.cells[layer].pulses)
        assert np.array_equal(one.plus, noted.cells[layer].plus) and np.allclose(one.edges, noted.cells[layer].edges)


def test_what_a_folder_lacks_is_said(copy: Path, reports: None, capsys: pytest.CaptureFixture[str]) -> None:
    """Without what only newer runs leave, each section stays, with a sentence in the place of its picture."""
    for name in ("looks.json", "cells.h5", "metrics.csv", "config.toml"):
        (copy / name).unlink()
    assert run_app(app, [str(copy)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"report: {copy / kinds.NAME}"
    report = Report(copy / kinds.NAME)
    report.check()
    for what in ("learning curve", "goodness of the layers", "confusion matrix", "picture of the worst answers",
                 "picture of weights", "histogram of the cells", "command that repeats the run"):  # fmt: skip
        assert re.search(rf"(The|A) {what} is not shown: [^.]+\.", report.text), what


def test_the_report_is_the_same_when_it_is_written_again(copy: Path, folder: Path) -> None:
    before = (copy / "result.json").read_bytes()
    REPORT(copy)
    assert (copy / kinds.NAME).read_bytes() == (folder / kinds.NAME).read_bytes()
    assert (copy / "result.json").read_bytes() == before


def test_a_run_tells_its_report_last(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "run"
    few = [*OPTIONS[:-6], "--layers", "4", "--epochs", "1", "--out", str(place)]
    assert run_app(simulate, few) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"report: {place / kinds.NAME}"
    assert (place / kinds.NAME).is_file()


def damaged(copy: Path, name: str, text: str) -> str:
    (copy / name).write_text(text)
    with pytest.raises(UsageError) as refusal:
        REPORT(copy)
    said = str(refusal.value)
    assert name in said and "\n" not in said and len(said) < 500
    return said


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', '{"schema": 2}'])
def test_a_damaged_file_is_one_sentence(copy: Path, text: str) -> None:
    damaged(copy, looks.NAME, text)
    damaged(copy, "result.json", text)


def test_a_folder_without_results_is_refused(tmp_path: Path, reports: None, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "config.toml").touch()
    (tmp_path / "empty").mkdir()
    for place, why in (
        ("empty", "holds nothing that has a report"),
        ("none", "does not exist"),
        ("begun", "by --resume"),
        ("begun/config.toml", "is a file"),
    ):
        assert run_app(app, [str(tmp_path / place)]) == 2
        out, err = capsys.readouterr()
        assert not out and err.count("\n") == 1 and why in err


@pytest.mark.parametrize("name", ["cells", "split", "wall_seconds"])
def test_a_result_without_an_entry_is_one_sentence(copy: Path, name: str) -> None:
    result = json.loads((copy / "result.json").read_text())
    del result[name]
    said = damaged(copy, "result.json", json.dumps(result))
    assert f"the document lacks the entry '{name}'" in said


def test_what_is_noted_for_the_report_is_named_where_it_is_wrong(copy: Path) -> None:
    noted = json.loads((copy / looks.NAME).read_text())
    noted["worst"]["wrong"] = "many"
    assert damaged(copy, looks.NAME, json.dumps(noted)).endswith("'worst.wrong' should be a whole number, got a text.")


def test_a_table_without_epochs_is_one_sentence(copy: Path) -> None:
    text = (copy / "metrics.csv").read_text().replace("epoch", "age", 1)
    assert "lacks the column 'epoch'" in damaged(copy, "metrics.csv", text)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (None, "has no line below its names"),
        ("1,2", "line 2 should have"),
        ("nan,{}", "should have a finite number in each line of the column 'epoch'"),
        ("2.5,{}", "should have the epochs in their order"),
        (",{}", "line 2, column epoch should be a number, got ''"),
        ("1e400,{}", "line 2, column epoch should be a number, got '1e400'"),
    ],
)
def test_a_damaged_table_of_epochs_is_one_sentence(copy: Path, line: str | None, said: str) -> None:
    """The sentence has the file, the line and the column."""
    head, first, *_ = (copy / "metrics.csv").read_text().splitlines()
    rest = first.partition(",")[2]
    text = head + ("\n" if line is None else f"\n{line.format(rest)}\n")
    told = damaged(copy, "metrics.csv", text)
    assert said in told and "metrics.csv" in told
