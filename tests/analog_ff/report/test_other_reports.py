"""Reports of a comparison, of a study and of a sweep: their figures are those of their documents."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from reading_pages import Report

from analog_ff.mortality.page import rows
from analog_ff.report import kinds
from analog_ff.report.command import app
from analog_ff.simulate import run_app
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


def mean(middle: float, half: float | None = None) -> dict[str, float | None]:
    return {
        "mean": middle,
        "low": None if half is None else middle - half,
        "high": None if half is None else middle + half,
    }


def row(case: str, error: float, cost: float, half: float | None = None) -> dict[str, object]:
    """Return a row of an ablation of a chip whose cells nobody sees."""
    return {
        "case": case, "error": mean(error, half), "costs": mean(cost, half), "share_at_bound": None, "share_worn": 0.015,
        "energy_per_update_joule": 2e-9,
    }  # fmt: skip


CHOICES = {"device": "parts/mine.toml", "data": "toy", "learner": "forward-forward", "layers": [6, 5], "epochs": 3, "batch": 20,
           "preset": "plain", "split": "holdout"}  # fmt: skip


@pytest.mark.parametrize(("seeds", "half"), [(1, None), (3, 0.5)])
def test_an_ablation_shows_what_each_effect_costs(seeds: int, half: float | None, tmp_path: Path) -> None:
    """The store of its runs lies beside it, and the folder is that of an ablation all the same."""
    rows_of = [row("as given", 9.0, 0.0, half), row("no faults", 7.0, 2.0, half), row("no wires", 9.5, -0.5, half)]
    (tmp_path / "ablation.json").write_text(
        json.dumps({"schema": 1, "config": CHOICES, "seeds": seeds, "rows": rows_of})
    )
    (tmp_path / NAME).write_bytes(b"")
    report = report_of(tmp_path)
    assert "What each effect costs on mine" in report.text and "validation error, as given" in report.text
    several = "" if half is None else " ± 0.50"
    for text in (
        f"+2.00{several} points",
        f"-0.50{several} points",
        f"9.50{several}",
        "2 nJ",
        "1.5",
        "layers 6, 5; 3 epochs",
    ):
        assert text in report.text
    assert ("One seed has no interval" in report.text) == (seeds == 1)
    assert "ablation.json comes from an earlier version, which did not note it" in report.text
    assert len([one for one in report.all("svg") if "aria-hidden" not in one]) == 1


def test_an_ablation_without_the_run_as_given_is_one_sentence(tmp_path: Path) -> None:
    found = {"schema": 1, "config": CHOICES, "seeds": 1, "rows": [row("no faults", 7.0, 2.0)]}
    (tmp_path / "ablation.json").write_text(json.dumps(found))
    with pytest.raises(UsageError, match="of an ablation: one part of it names 'as given', another part lacks it"):
        REPORT(tmp_path)


def test_a_study_of_mortal_computation_shows_every_path_with_its_error(tmp_path: Path) -> None:
    """It was stored by a version that noted no versions. Charts: two read-outs of paths, generations, days; and the energies."""
    shutil.copy(RESULTS / "mortal" / "pcm.json", tmp_path / "mortal.json")
    report, found = report_of(tmp_path), json.loads((tmp_path / "mortal.json").read_text())
    labels = " ".join(str(one.get("aria-label")) for one in report.all("svg"))
    for row in rows(found):
        assert row["path"] in report.text and f"{row['error']['softmax']['mean']:.2f}" in report.text
        assert f"{row['path']} {row['error']['energy']['mean']:.2f}" in labels
    assert len([one for one in report.all("svg") if "aria-hidden" not in one]) == 2 + 2 + 2 + 1
    assert found["command"] in report.text and "mortal.json comes from an earlier version" in report.text


def test_a_path_without_energy_has_no_chart_of_energies_and_says_so(tmp_path: Path) -> None:
    found = json.loads((RESULTS / "mortal" / "pcm.json").read_text())
    for paths in found["walked"].values():
        if "copied" in paths:
            paths["copied"]["joule"]["all"] = 0.0
    (tmp_path / "mortal.json").write_text(json.dumps(found))
    assert "A chart of the energies is not shown: a path takes no energy" in report_of(tmp_path).text


def test_a_study_that_has_just_begun_has_no_report(tmp_path: Path) -> None:
    """Its first chip alone has learned: there is nothing to compare."""
    found = json.loads((RESULTS / "mortal" / "pcm.json").read_text())
    found["walked"] = {"seed 0, chip 0": found["walked"]["seed 0, chip 0"]}
    (tmp_path / "mortal.json").write_text(json.dumps(found))
    with pytest.raises(UsageError, match="mortal.json holds a study that has just begun: the same command of mortal"):
        REPORT(tmp_path)


def test_a_study_that_tried_several_numbers_of_queries_has_their_curves(tmp_path: Path) -> None:
    """A study without a life and without generations has neither chart."""
    found = json.loads((RESULTS / "mortal" / "memristor.json").read_text())
    found |= {"schema": 1, "versions": {"numpy": "1.2.3"}, "inputs_sha256": {"data set toy": "f00d"}}
    (tmp_path / "mortal.json").write_text(json.dumps(found))
    report = report_of(tmp_path)
    labels = [str(one.get("aria-label")) for one in report.all("svg") if "aria-hidden" not in one]
    asked = [label for label in labels if "against the images that the first chip was asked about" in label]
    assert len(labels) == 2 + 2 + 1 and len(asked) == 2 and all("noise" in label for label in asked)
    assert "1.2.3" in report.text and "f00d" in report.text and "earlier version" not in report.text


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
    with Store(tmp_path / NAME) as store:
        made = {"versions": {"numpy": "1.2.3"}, "inputs_sha256": {"data set toy": "f00d"}}
        store.finish(points[0].key, result_of(points[0].config.as_dict()) | made, seconds=1.0, worker="here")
    report = report_of(tmp_path)
    assert f"This command repeats the sweep: python -m analog_ff sweep {sweep_file.KEPT}" in report.text
    assert "[grid] learning-rate = [0.01, 0.02]" in report.text and "1.2.3" in report.text and "f00d" in report.text
    assert "20.5 +- 6.4" in report.text and "it <cannot> be." in report.text and "1 failed" in report.text
    drawn = " ".join(str(one.get("aria-label")) for one in report.all("svg"))
    assert "error [%] against learning-rate" in drawn and "error [%] against learner" in drawn
    assert "learner backprop" in report.text and "learning-rate 0.02" in report.text  # curves of the other factor
    assert len(report.all("tr")) == 1 + 4 + 2 + 2 + 2
    assert [words for words in report.words if words.strip()][1] == f"Sweep {tmp_path.name}"
    (tmp_path / sweep_file.KEPT).write_text('title = "Rates <of> learning"\n' + SWEEP)
    titled = [words.strip() for words in report_of(tmp_path).words if words.strip()]
    assert titled[1] == "Rates <of> learning" and titled[2].startswith(f"Sweep {tmp_path.name}; 8 points: ")
    for text, said in (("title = 3", "'title' should be a line of text, got 3."), ("title =", "cannot be read as")):
        (tmp_path / sweep_file.KEPT).write_text(text)
        with pytest.raises(UsageError, match=sweep_file.KEPT) as refusal:
            REPORT(tmp_path)
        assert said in str(refusal.value)
    (tmp_path / sweep_file.KEPT).unlink()
    why = f"The command that repeats the sweep is not shown: the folder has no {sweep_file.KEPT}, which "
    assert why in report_of(tmp_path).text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"test_error_percent_by_readout": {"softmax": "ten"}},
            "'test_error_percent_by_readout[...]' should be a number",
        ),
        ({"energy": []}, "'energy' should be an object {...} or null, got a list [...]"),
        ({"wall_seconds": None}, "'wall_seconds' should be a number, got null"),
        ({"versions": "new"}, "'versions' should be an object {...}, got a text"),
    ],
)
def test_a_damaged_result_in_a_sweep_is_one_sentence(change: dict[str, object], said: str, tmp_path: Path) -> None:
    """It names the file, the point and the entry."""
    (tmp_path / "sweep.toml").write_text(SWEEP)
    point = sweep_file.read(tmp_path / "sweep.toml").points()[0]
    with Store(tmp_path / NAME) as store:
        store.add([point])
        store.begin(point.key)
        store.finish(point.key, result_of(point.config.as_dict()) | change, seconds=1.0, worker="here")
    with pytest.raises(UsageError) as refusal:
        REPORT(tmp_path)
    assert f"{NAME}, point {point.key}: {said}" in str(refusal.value)


@pytest.mark.parametrize("name", sorted({kind.file for kind in kinds.KINDS if kind.file.endswith(".json")}))
def test_a_damaged_document_is_one_sentence(name: str, tmp_path: Path) -> None:
    """It names the file and what is wrong with it, in words and not by the name of an exception."""
    for text in ("{", "{}", '{"rows": 3}', '{"schema": 1, "config": 3}'):
        (tmp_path / name).write_text(text)
        with pytest.raises(UsageError) as refusal:
            REPORT(tmp_path)
        said = str(refusal.value)
        assert name in said and "\n" not in said and ("Error" not in said or text == "{")


def test_documents_of_earlier_versions_say_what_they_do_not_note(tmp_path: Path) -> None:
    """No command, no versions or no files: one sentence for each of them, with the file."""
    found = json.loads((RESULTS / "learners" / "compare.json").read_text())
    for name in ("command", "versions", "inputs_sha256"):
        found.pop(name, None)
    (tmp_path / "compare.json").write_text(json.dumps(found))
    report = report_of(tmp_path)
    for what in ("command that repeats the comparison", "list of versions", "list of files that were read"):
        assert (
            f"The {what} is not shown: compare.json comes from an earlier version, which did not note it."
            in report.text
        )


def test_documents_show_how_they_were_made(tmp_path: Path) -> None:
    found = json.loads((RESULTS / "learners" / "compare.json").read_text())
    found |= {"command": "python -m analog_ff compare --set 'a:b=1'", "versions": {"numpy": "1.2.3 and 1.2.4"}}
    found |= {"inputs_sha256": {"data set toy": "f00d"}}
    (tmp_path / "compare.json").write_text(json.dumps(found))
    report = report_of(tmp_path)
    assert "This command repeats the comparison: python -m analog_ff compare --set 'a:b=1'" in report.text
    assert "1.2.3 and 1.2.4" in report.text and "f00d" in report.text and "earlier version" not in report.text


def test_a_sweep_without_points_is_refused(tmp_path: Path, reports: None, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty store, and a file without any table, as a client leaves it that was killed at once."""
    with Store(tmp_path / NAME) as store:
        store.add([])
    for _ in range(2):
        assert run_app(app, [str(tmp_path)]) == 2
        out, err = capsys.readouterr()
        assert not out and err.count("\n") == 1 and f"{tmp_path / NAME} holds no point of a sweep" in err
        (tmp_path / NAME).write_bytes(b"")
