"""Reports of a comparison, of a study and of a sweep: their figures are those of their documents."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from reading_pages import Report

from analog_ff.report import kinds
from analog_ff.sweeps import sweep_file
from analog_ff.sweeps.store import NAME, Store
from hardware_models.check import UsageError
from tests.conftest import REPORT
from tests.toy_worker import result_of

RESULTS = Path(__file__).resolve().parents[3] / "benchmarks" / "results"
SWEEP = """
seeds = [0, 1]
[options]
data = "toy"
preset = "plain"
layers = [8]
[grid]
learning-rate = [0.01, 0.02]
learner = ["forward-forward", "backprop"]
"""


def report_of(folder: Path) -> Report:
    report = Report(REPORT(folder))
    report.check()
    assert (folder / kinds.NAME).stat().st_size < 1_000_000
    return report


def test_a_comparison_shows_every_learner_with_its_error(tmp_path: Path) -> None:
    shutil.copy(RESULTS / "learners" / "compare.json", tmp_path)
    report, found = report_of(tmp_path), json.loads((tmp_path / "compare.json").read_text())
    for row in found["rows"]:
        assert row["learner"] in report.text and f"{row['error_percent']:.2f}" in report.text
    labels = " ".join(str(one.get("aria-label")) for one in report.all("svg"))
    assert all(row["learner"] in labels for row in found["rows"])
    assert len([one for one in report.all("svg") if "aria-hidden" not in one]) == 2 * len(found["devices"])


def test_a_specification_shows_every_figure_with_its_worst_value(tmp_path: Path) -> None:
    shutil.copy(RESULTS / "improve" / "specification.json", tmp_path)
    report, found = report_of(tmp_path), json.loads((tmp_path / "specification.json").read_text())
    for figure in found["alone"]:
        assert figure["name"] in report.text and (not figure["allowed"] or figure["text"] in report.text)
    assert found["limit_text"] in report.text


def test_a_sweep_shows_every_group_and_what_failed(tmp_path: Path) -> None:
    """Means are those of the runs: the toy error is 10 + seed + 1000 times the learning rate, on average 20.5 at 0.01."""
    (tmp_path / "sweep.toml").write_text(SWEEP)
    points = sweep_file.read(tmp_path / "sweep.toml").points()
    with Store(tmp_path / NAME) as store:
        store.add(points)
        for point in points[:-1]:
            store.begin(point.key)
            store.finish(point.key, result_of(point.config.as_dict()), seconds=1.0, worker="here")
        store.begin(points[-1].key)
        store.fail(points[-1].key, "it <cannot> be.", worker="here")
    report = report_of(tmp_path)
    assert "20.5 +- 6.4" in report.text and "it <cannot> be." in report.text and "1 failed" in report.text
    drawn = " ".join(str(one.get("aria-label")) for one in report.all("svg"))
    assert "error [%] against learning-rate" in drawn and "error [%] against learner" in drawn
    assert len(report.all("tr")) == 1 + 4 + 2


@pytest.mark.parametrize("name", [name for name in kinds.KINDS if name.endswith(".json")])
def test_a_damaged_document_is_one_sentence(name: str, tmp_path: Path) -> None:
    for text in ("{", "{}", '{"rows": 3}'):
        (tmp_path / name).write_text(text)
        with pytest.raises(UsageError) as refusal:
            REPORT(tmp_path)
        assert name in str(refusal.value) and "\n" not in str(refusal.value)
