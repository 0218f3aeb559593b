"""The command compare: its figures are those of its runs, resumed or priced anew it says the same, bad input is refused."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.compare import app
from analog_ff.comparison import plan, plots
from analog_ff.comparison.document import boxes
from analog_ff.comparison.plan import parse_learners, points_of
from analog_ff.comparison.plots import span
from analog_ff.comparison.pricing import interval, reached_at
from analog_ff.comparison.table import conditions
from analog_ff.runs import first_use
from analog_ff.simulate import run_app
from hardware_models.check import UsageError
from hardware_models.kernels import compiling

SMALL = ["--preset", "plain", "--data", "toy", "--layers", "8", "--epochs", "3", "--batch", "100", "--shift", "0", "--seeds", "2",
         "--learners", "forward-forward,quick=backprop", "--set", "quick:learning-rate=1",
         "--accuracy", "30", "--draws", "400"]  # fmt: skip
FULL = [*SMALL, "--set", "memristor/quick:momentum=0.9"]
LABELS = ["forward-forward", "quick", "random-features"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished comparison."""
    place = tmp_path_factory.mktemp("compare") / "out"
    assert run_app(app, [*FULL, "--out", str(place)]) == 0
    return place


def document(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "compare.json").read_text(encoding="utf-8"))


def result(folder: Path, label: str, seed: int) -> dict[str, Any]:
    point = folder / "points" / f"memristor-{label}-s{seed}"
    return json.loads((point / "result.json").read_text(encoding="utf-8"))


def lines(folder: Path, label: str, seed: int, name: str) -> list[dict[str, float]]:
    with (folder / "points" / f"memristor-{label}-s{seed}" / name).open(encoding="utf-8", newline="") as file:
        return [{k: float(v) for k, v in line.items()} for line in csv.DictReader(file)]


def test_a_comparison_leaves_what_it_should(folder: Path) -> None:
    """Document, table, three pictures and a run folder a point; frozen random layers were added, seeds are paired with chips."""
    pictures = {"compare.png", "amounts.png", "tornado.png"}
    assert {f.name for f in folder.iterdir()} == {"compare.json", "compare.md", "points", "report.html"} | pictures
    found = document(folder)
    assert [r["learner"] for r in found["rows"]] == LABELS and found["reference"] == "forward-forward"
    assert len(list((folder / "points").iterdir())) == 6
    for label in LABELS:
        for seed in (0, 1):
            config = result(folder, label, seed)["config"]
            assert (config["seed"], config["chip_seed"], config["split"]) == (seed, seed, "holdout")
    quick = result(folder, "quick", 0)["config"]
    assert (quick["learner"], quick["learning_rate"], quick["momentum"]) == ("backprop", 1.0, 0.9)
    assert result(folder, "forward-forward", 0)["config"]["learning_rate"] == 0.01
    assert all((folder / name).stat().st_size > 10_000 for name in pictures)


def test_every_axis_has_a_name_and_its_unit(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In all three pictures: amounts with their unit along every panel, and a name at the left of every row of panels."""
    drawn: list[Any] = []
    monkeypatch.setattr(plots, "picture", lambda figure, dpi: drawn.append(figure) or b"--")
    for draw in (plots.draw_comparison, plots.draw_amounts, plots.draw_tornado):
        draw(document(folder), tmp_path / "drawn.png")
    assert len(drawn) == 3
    for figure in drawn:
        for axes in figure.axes:
            assert re.search(r"\[.+\]", axes.get_xlabel()), axes.get_title()
            assert axes.get_ylabel() or axes.get_subplotspec().colspan.start > 0, axes.get_title()


def test_nominal_amounts_lie_on_their_lines(folder: Path) -> None:
    """The line of an amount in amounts.png holds its nominal amount, its median and the range of its draws."""
    for row in document(folder)["rows"]:
        for name in ("per_update_joule", "per_image_joule"):
            low, high = span(row[name])
            assert all(low <= row[name][what] <= high for what in ("nominal", "low", "median", "high")), (
                row["learner"],
                name,
            )


def test_its_figures_are_those_of_its_runs(folder: Path) -> None:
    """Nominal energies are those that the runs priced themselves: per update, per image, along the curve, to an accuracy."""
    for row in document(folder)["rows"]:
        runs = [result(folder, row["learner"], seed) for seed in (0, 1)]
        errors = [r["validation_error_percent"] for r in runs]
        assert row["errors_percent"] == errors and row["error_percent"] == pytest.approx(np.mean(errors))
        for name in ("per_update_joule", "per_image_joule"):
            own = [r["energy"][name] if name == "per_update_joule" else r["energy"][name]["softmax"] for r in runs]
            assert row[name]["by_seed"] == pytest.approx(own, rel=1e-9)
            assert row[name]["nominal"] == pytest.approx(np.mean(own), rel=1e-9)
            by = row[name]["by_scenario"]
            assert by["low"] <= row[name]["low"] <= row[name]["median"] <= row[name]["high"] <= by["high"]
            assert by["nominal"] == row[name]["nominal"]
        metrics = [lines(folder, row["learner"], seed, "metrics.csv") for seed in (0, 1)]
        joule = np.mean([[line["learn_joule"] for line in m] for m in metrics], axis=0)
        assert row["curve"]["joule"]["nominal"] == pytest.approx(joule, rel=1e-9)
        curves = [[line["softmax_error_percent"] for line in m] for m in metrics]
        assert row["curve"]["error_percent"] == pytest.approx(np.mean(curves, axis=0))
        places = [reached_at(curve, 30.0) for curve in curves]
        assert row["to_accuracy_reached"] == sum(p is not None for p in places)
        if row["to_accuracy_status"] == "reached":
            own = [m[p]["learn_joule"] for m, p in zip(metrics, places, strict=True) if p is not None]
            assert row["to_accuracy_joule"]["nominal"] == pytest.approx(np.mean(own), rel=1e-9)
        else:
            assert row["to_accuracy_joule"] is None and None in places
        assert math.fsum(row["parts"].values()) == pytest.approx(row["per_update_joule"]["nominal"], rel=1e-9)
        assert math.fsum(row["grounds"]["kinds"].values()) == pytest.approx(1.0, rel=1e-9)


def test_it_tells_how_it_was_made(folder: Path) -> None:
    """The command is that of the fixture without the place; versions and files are those of the runs."""
    found, made = document(folder), result(folder, "quick", 1)
    told = (
        "python -m analog_ff compare --learners forward-forward,quick=backprop --set quick:learning-rate=1 --set "
        "memristor/quick:momentum=0.9 --seeds 2 --accuracy 30 --draws 400 --data toy --shift 0 --layers 8 --epochs 3 "
        "--batch 100 --preset plain"
    )
    assert sorted(found["command"].split(" --")) == sorted(told.split(" --"))  # an option's place says nothing
    assert found["versions"] == made["versions"] and found["inputs_sha256"] == made["inputs_sha256"]
    assert set(made["inputs_sha256"]) >= {"data set toy"}


@pytest.mark.parametrize(
    ("choices", "named"),
    [
        ({}, "relu"),
        ({"nonlinearity": "random-waves"}, "random-waves"),
        ({"nonlinearity": "random-waves", "box_strength": 0.5}, "random-waves, strength 0.5"),
        (
            {"nonlinearity": "random-waves", "box_place": "between", "layers": (8, 8)},
            "random-waves, between layers of rectifiers",
        ),
    ],
)
def test_a_box_is_named_with_its_strength_and_place(
    folder: Path, tmp_path: Path, choices: dict[str, Any], named: str
) -> None:
    """In the table, and so in compare.md and in the report, where they are not at their defaults."""
    points = points_of(
        {"ideal": "ideal"}, parse_learners("random-features"), 1, {"data": "toy", **choices}, {}, tmp_path
    )
    found = document(folder)
    found["labels"]["nonlinearity"] = boxes(points)
    assert f"neurons {named}; " in conditions(found)


def test_events_of_every_epoch(folder: Path) -> None:
    """events.csv ends with the counts of phase learn, as integers, and grows from epoch to epoch."""
    for label in LABELS:
        counted, whole = lines(folder, label, 0, "events.csv"), result(folder, label, 0)
        for name, value in whole["events"]["learn"].items():
            assert counted[-1].get(name, 0) == value
        assert counted[-1]["images"] == whole["images"]["learn"] and [c["epoch"] for c in counted] == [1, 2, 3]
        for before, after in zip(counted, counted[1:], strict=False):
            assert all(after[name] >= before[name] for name in before)
        total = {name: 0 for name in whole["events"]["infer"]}
        for events in whole["events_by_readout"].values():
            total |= {name: total[name] + n for name, n in events.items()}
        assert total == whole["events"]["infer"]


def test_differences_are_paired(folder: Path) -> None:
    """Errors differ seed by seed; ratios are of energies under one draw, with their probability and their tornado."""
    found = document(folder)
    rows = {r["learner"]: r for r in found["rows"]}
    assert [d["learner"] for d in found["differences"]] == LABELS[1:]
    for d in found["differences"]:
        a, b = rows[d["learner"]], rows["forward-forward"]
        own = interval([x - y for x, y in zip(a["errors_percent"], b["errors_percent"], strict=True)])
        assert d["error_percent"] == own and d["n"] == 2
        ratio = d["per_update"]
        assert ratio["nominal"] == pytest.approx(a["per_update_joule"]["nominal"] / b["per_update_joule"]["nominal"])
        assert ratio["low"] <= ratio["median"] <= ratio["high"] and 0.0 <= ratio["probability_reference_cheaper"] <= 1.0
        # Draws that are shared scatter less in their ratio than either energy alone.
        assert ratio["high"] / ratio["low"] < a["per_update_joule"]["high"] / a["per_update_joule"]["low"]
        assert len(ratio["tornado"]) > 5
    frozen = found["differences"][-1]["per_update"]
    assert frozen["high"] < 1.0 and frozen["probability_reference_cheaper"] == 0.0  # no pulse, no accumulator


def test_the_table_says_what_it_rests_on(folder: Path) -> None:
    """Node, resistance, batch, bits, ranges, probability, recalled prices and what is simulated are all named."""
    text = " ".join((folder / "compare.md").read_text(encoding="utf-8").split())
    for words in ("32 nm", "1/G_max 100 kohm", "batch 100", "DAC 8 and ADC 8 bits", "5 to 95 %", "400 joint draws",
                  "Simulated: the chips", "† recalled", "v_up measured", "set: quick:learning-rate=1", "n = 2",
                  "Not priced:", "| random-features"):  # fmt: skip
        assert words in text, words


def test_a_resumed_comparison_says_the_same(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Points that are finished are not run again; one without a result goes on, one that is missing is made again."""
    place = tmp_path / "out"
    shutil.copytree(folder, place)
    (place / "points" / "memristor-quick-s1" / "result.json").unlink()
    gone = place / "points" / "memristor-forward-forward-s0"
    shutil.rmtree(gone)
    gone.mkdir()  # stopped between its configuration and its first checkpoint
    shutil.copy(folder / "points" / gone.name / "config.toml", gone)
    kept = place / "points" / "memristor-quick-s0" / "result.json"
    stamp = kept.stat().st_mtime_ns
    assert run_app(app, [*FULL, "--out", str(place), "--resume", "--json"]) == 0
    out, err = capsys.readouterr()
    assert kept.stat().st_mtime_ns == stamp and "1/2: memristor, forward-forward, seed 0" in err
    assert json.loads(out) == document(place) == document(folder)


def test_another_technology_has_other_wires(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the wires of the technology in the training, another technology makes another comparison."""
    few = [
        "--data",
        "toy",
        "--layers",
        "8",
        "--epochs",
        "3",
        "--batch",
        "100",
        "--seeds",
        "1",
        "--learners",
        "random-features",
    ]
    options = [*few, "--draws", "100", "--out", str(tmp_path / "out")]
    assert run_app(app, options) == 0
    assert run_app(app, [*options, "--resume", "--technology", "cmos-32nm"]) == 2
    assert "was begun with other options" in capsys.readouterr().err


def test_another_technology_needs_no_training(folder: Path, tmp_path: Path) -> None:
    """A finished comparison is priced anew: with a dearer multiply-add each energy rises by the counted ones, and control."""
    place = tmp_path / "out"
    shutil.copytree(folder, place)
    text = resources.files("hardware_models.energy.technologies").joinpath("cmos_32nm.toml").read_text("utf-8")
    head, _, tail = text.replace('"cmos-32nm"', '"dear"', 1).partition('[component."mac.fp32"]\n')
    assert tail.startswith("value = 4.6")
    (tmp_path / "dear.toml").write_text(
        f'{head}[component."mac.fp32"]\n{tail.replace("value = 4.6", "value = 9.2", 1)}'
    )
    before = {f: f.stat().st_mtime_ns for f in (place / "points").rglob("*")}
    options = [*FULL, "--technology", str(tmp_path / "dear.toml"), "--out", str(place), "--resume"]
    assert run_app(app, options) == 0
    assert {f: f.stat().st_mtime_ns for f in (place / "points").rglob("*")} == before
    for old, new in zip(document(folder)["rows"], document(place)["rows"], strict=True):
        runs = [result(folder, old["learner"], seed) for seed in (0, 1)]
        products = ("mac.fp32", "goodness", "normalise")  # squares and lengths are multiply-adds after digital sums
        macs = np.mean([sum(r["events"]["learn"].get(n, 0) for n in products) / r["images"]["learn"] for r in runs])
        more = new["per_update_joule"]["nominal"] - old["per_update_joule"]["nominal"]
        assert more == pytest.approx(1.3 * 4.6e-12 * macs, rel=1e-6, abs=1e-18)


def test_a_final_run_has_no_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--split final reports the test error; energy to an accuracy is not measured, and one seed has no interval.

    Every point waits for the first kernel that it has to compile, to compile the others ahead.
    """
    waiting: list[int] = []
    carried_out = plan.execute

    def noted(*given: Any, **named: Any) -> Any:
        waiting.append(len(compiling._first))
        return carried_out(*given, **named)

    monkeypatch.setenv(first_use.SWITCH, "1")
    monkeypatch.setattr(first_use, "cores", lambda: 1)  # no process is begun
    monkeypatch.setattr(plan, "execute", noted)
    options = ["--data", "toy", "--layers", "8", "--epochs", "1", "--shift", "0", "--seeds", "1", "--split", "final"]
    assert run_app(app, [*options, "--learners", "random-features,backprop", "--out", str(tmp_path / "out")]) == 0
    found = document(tmp_path / "out")
    assert [r["learner"] for r in found["rows"]] == ["random-features", "backprop"]  # not added twice
    for row in found["rows"]:
        assert row["error_kind"] == "test" and row["to_accuracy_status"] == "not measured"
        assert row["curve"]["error_percent"] == [] and len(row["curve"]["joule"]["nominal"]) == 1
    assert found["differences"][0]["error_percent"]["low"] is None
    assert waiting == [1, 1] and not compiling._first


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--devices", "memrister"], "did you mean 'memristor'"),
        (["--devices", "memristor,memristor"], "'memristor' twice"),
        (["--devices", "memristor,,ideal"], "separated by commas"),
        (["--devices", "joshi2020_pcm"], "cannot learn in situ"),
        (["--learners", "forward-backward"], "did you mean 'forward-forward'"),
        (["--learners", "backprop,backprop"], "give one of them a label"),
        (["--learners", "pepper mint=backprop"], "labels of letters"),
        (["--learners", "backprop=forward-forward"], "another learner"),
        (["--set", "quick:learning-rate"], "LEARNER:OPTION=VALUE"),
        (["--set", "quik:learning-rate=1"], "did you mean 'quick'"),
        (["--set", "quick:learning-rat=1"], "did you mean 'learning-rate'"),
        (["--set", "quick:learning-rate=fast"], "takes a number"),
        (["--set", "quick:device=ideal"], "cannot change device"),
        (["--set", "quick:sealed=maybe"], "true or false"),
        (["--set", "quick:batch=0"], "quick on memristor"),
        (["--slots", "3"], "gives a choice to one learner"),
        (["--seeds", "0"], "--seeds"),
        (["--accuracy", "0"], "--accuracy"),
        (["--draws", "3"], "--draws"),
        (["--technology", "cmos-33nm"], "did you mean 'cmos-32nm'"),
        (["--split", "test"], "final, holdout"),
        (["--device", "ideal"], "--device"),
    ],
)
def test_bad_input_is_one_sentence(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Exit status 2, and nothing is written."""
    assert run_app(app, [*SMALL, *options, "--out", str(tmp_path / "out")]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1 and err.endswith(".\n")
    assert words in err and not (tmp_path / "out").exists()


def test_a_folder_is_not_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An existing folder needs --resume, and a point that was begun with other options is refused."""
    assert run_app(app, [*FULL, "--out", str(folder)]) == 2
    assert "--resume" in capsys.readouterr().err
    assert run_app(app, [*FULL, "--epochs", "4", "--out", str(folder), "--resume"]) == 2
    assert "begun with other options" in capsys.readouterr().err


def test_the_digital_reference_is_that_of_its_closed_form(folder: Path) -> None:
    """fp16, batch 1, all words in SRAM, on 64-8-2: three multiply-adds a weight but for the first layer's, and an update.

    1.5 pJ a multiply-add; the price of a word is that of the line through (log 8, log 10), (log 32, log 20), (log 1024, log 100),
    KB and pJ for 64 bits, at the size of the memory: weights, and activations and errors, 2 bytes each.
    """
    found = document(folder)["digital"][0]
    first, second = 64 * 8, 8 * 2
    kilobytes = 2 * (first + second + 2 * (64 + 8 + 2)) / 1024
    line = np.polyfit(np.log([8, 32, 1024]), np.log([10, 20, 100]), 1)
    word = float(np.exp(np.polyval(line, np.log(kilobytes)))) * 1e-12
    macs = 2 * first + 3 * second + first + second
    words = (first + second) + second + (first + second) + (first + second)
    values = 2 * 2 * (64 + 8 + 2)
    joule = macs * 1.5e-12 + (words + values) / 4 * word
    assert found["per_update_joule"]["nominal"] == pytest.approx(1.3 * joule, rel=5e-4)
    reference = document(folder)["rows"][0]["per_update_joule"]["nominal"]
    assert found["ratio_per_update"]["memristor"] == pytest.approx(1.3 * joule / reference, rel=5e-4)


def test_interval() -> None:
    """Of 1, 2, 3: mean 2, half width t(2, 0.975) / sqrt(3) with t = 4.3027; one value has none."""
    found = interval([1.0, 2.0, 3.0])
    assert found["mean"] == 2.0 and found["n"] == 3
    assert found["high"] - 2.0 == pytest.approx(4.302653 / math.sqrt(3.0), rel=1e-6)
    assert 2.0 - found["low"] == pytest.approx(found["high"] - 2.0)
    assert interval([5.0]) == {"mean": 5.0, "low": None, "high": None, "n": 1}


def test_frozen_layers_are_always_there() -> None:
    assert parse_learners("backprop") == {"backprop": "backprop", "random-features": "random-features"}
    assert parse_learners("still=random-features") == {"still": "random-features"}


def test_a_comparison_across_presets_has_one_technology() -> None:
    """A device of the plain preset is priced as its neighbour, whose wires need that technology, in either order."""
    learner = {"forward-forward": "forward-forward"}
    for order in (("ideal", "memristor"), ("memristor", "ideal")):
        points = points_of({name: name for name in order}, learner, 1, {}, {}, Path("c"))
        assert [point.config.technology for point in points] == ["cmos-32nm-wide"] * 2
        assert {point.device: point.config.preset for point in points} == {"ideal": "plain", "memristor": "buildable"}
    narrow = {"forward-forward": {"preset": "plain", "line_groups": "auto"}}
    both = {"forward-forward": "forward-forward", "backprop": "backprop"}
    with pytest.raises(
        UsageError, match="one technology, these points have cmos-32nm and cmos-32nm-wide: give --technology"
    ):
        points_of({"memristor": "memristor"}, both, 1, {}, narrow, Path("c"))
    points = points_of({"memristor": "memristor"}, both, 1, {"technology": "cmos-45nm"}, narrow, Path("c"))
    assert {point.config.technology for point in points} == {"cmos-45nm"}
