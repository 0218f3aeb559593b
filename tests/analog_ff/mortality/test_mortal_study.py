"""A study as a whole: path by path, in a folder of its own, and what its page tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.cli.app import run_app
from analog_ff.config.config import Config
from analog_ff.mortal import app
from analog_ff.mortality.life import ANSWERS, CARES, LABELS, Days, lived_on
from analog_ff.mortality.page import generations, lives, page, prices, rows
from analog_ff.mortality.paths import Verify, halves
from analog_ff.mortality.pictures import draw
from analog_ff.mortality.specimen import specimen
from analog_ff.mortality.study import ANEW, COPIED, NAME, NOTHING, OLD, TUNED, WRITTEN, Study, Wishes, distilled
from analog_ff.output import folders
from analog_ff.plain import Document
from hardware_models.check import UsageError

CONFIG = Config(device="nandakumar2020_pcm", data="toy", layers=(6,), epochs=1, batch=20)
WISHES = Wishes(queries=(20,), tuned_with=20, tuned_epochs=1, verify=Verify(1, 1, 0.1))
COMMAND = ["--device", "nandakumar2020_pcm", "--data", "toy", "--layers", "6", "--epochs", "1", "--batch", "20", "--queries",
           "20", "--tune", "20", "--tune-epochs", "1", "--rounds", "1", "--reads", "1", "--no-digital"]  # fmt: skip
"""Cells that drift by the clock: a path that depended on the one before would show it."""


def quiet(line: str) -> None:
    """Say nothing."""


def test_a_study_that_was_stopped_goes_on_path_by_path_and_ends_with_the_same_answer(tmp_path: Path) -> None:
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole = Study(CONFIG, None, WISHES, tmp_path / "whole").carry_out(quiet)
    said: list[str] = []

    def stop(line: str) -> None:
        said.append(line)
        if line.startswith("seed 0, chip 1") and len(said) % 3 == 0:
            raise KeyboardInterrupt

    for _ in range(9):
        try:
            found = Study(CONFIG, None, WISHES, tmp_path / "parts").carry_out(stop)
            break
        except KeyboardInterrupt as stopped:
            assert "the same command goes on" in str(stopped)
            kept = json.loads((tmp_path / "parts" / NAME).read_text())["walked"]
            assert kept["seed 0, chip 0"] == whole["walked"]["seed 0, chip 0"]
            assert kept.get("seed 0, chip 1", {}).items() <= whole["walked"]["seed 0, chip 1"].items()
    assert found == whole and len([line for line in said if "learns from" in line]) > 1
    assert list(found["walked"]["seed 0, chip 1"]) == [NOTHING, COPIED, TUNED, ANEW, distilled("images", 20)]
    again: list[str] = []
    assert Study(CONFIG, None, WISHES, tmp_path / "parts").carry_out(again.append) == whole and not again
    more = Wishes(**{**vars(WISHES), "queries": (20, 30), "kinds": ("noise",)})
    grown = Study(CONFIG, None, more, tmp_path / "parts").carry_out(again.append)["walked"]["seed 0, chip 1"]
    assert [name for name in grown if "noise" in name] == [distilled("noise", 20), distilled("noise", 30)]
    assert whole["walked"]["seed 0, chip 1"].items() <= grown.items() and len(again) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '{"config": {}, "digital": null, "of": {}, "wishes": {}, "walked": {}}',
            "is the answer of another study: give another",
        ),
        ("[1]", "cannot be read as the answer of a study"),
        ("not JSON", "cannot be read as the answer of a study"),
    ],
)
def test_a_folder_of_another_study_is_left_alone(
    tmp_path: Path, text: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / NAME).write_text(text)
    assert run_app(app, [*COMMAND, "--folder", str(tmp_path)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and words in said[0]
    assert (tmp_path / NAME).read_text() == text and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--kinds", "images,dreams"], "--kinds takes images, labelled, noise"),
        (["--kinds", ""], "--kinds takes"),
        (["--queries", "0"], "--queries"),
        (["--queries", "many"], "--queries"),
        (["--chips", "1"], "--chips"),
        (["--sharpness", "0"], "--sharpness"),
        (["--tolerance", "2"], "--tolerance"),
        (["--device", "joshi2020_pcm"], "cannot learn in situ"),
    ],
)
def test_a_wrong_wish_is_one_sentence_and_makes_nothing(
    tmp_path: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_app(app, [*COMMAND, "--folder", str(tmp_path / "study"), *words]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and said in lines[0] and not (tmp_path / "study").exists()


def test_the_command_writes_answer_page_and_picture_and_holds_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "study"
    place.mkdir()
    with folders.held(place):
        assert run_app(app, [*COMMAND, "--folder", str(place)]) == 2
    assert "another process works on the study in" in capsys.readouterr().err and not list(place.iterdir())
    assert run_app(app, [*COMMAND, "--folder", str(place), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads((place / NAME).read_text())
    assert (place / "mortal.md").read_text() == page(found)
    assert (place / "mortal.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(found["command"].split()) == sorted(["python", "-m", "analog_ff", "mortal", *COMMAND])
    assert (
        found["schema"] == 1
        and found["versions"]["numpy"] == np.__version__
        and "data set toy" in found["inputs_sha256"]
    )
    assert {file.name for file in place.iterdir()} == {NAME, "mortal.md", "mortal.png", "report.html"}
    assert run_app(app, [*COMMAND, "--folder", str(place)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"report: {place / 'report.html'}"
    assert json.loads((place / NAME).read_text()) == found


def end(joule: float, error: float, queries: int = 0, learn: float = 0.0) -> Document:
    parts: Document = {"old": 0.0, "program": joule - learn, "learn": learn, "all": joule}
    return {"error_percent_by_readout": {"softmax": error}, "joule": parts, "queries": queries, "labels": 0}


def known() -> Document:
    """Return a study of two seeds whose numbers are known: a first chip of 10 J, and learning anew for 4 J."""
    made: dict[str, dict[str, Any]] = {}
    for seed, shift in enumerate((0.0, 2.0)):
        made[f"seed {seed}, chip 0"] = {OLD: end(10.0, 5.0 + shift)}
        made[f"seed {seed}, chip 1"] = {
            NOTHING: end(0.5, 90.0), COPIED: end(2.0, 9.0 + shift), TUNED: end(4.5, 6.0), ANEW: end(4.0, 5.0),
            WRITTEN: end(101.0, 20.0, learn=100.0), distilled("images", 50): end(4.0, 7.0 + 2.0 * shift, queries=50),
        }  # fmt: skip
    config = {"device": "memristor", "data": "toy", "split": "final", "nonlinearity": "random"}
    chains = {"seed 0": [end(4.0, 8.0), end(4.0, 9.0)], "seed 1": [end(4.0, 9.0)]}
    return {
        "config": config,
        "wishes": {"sharpness": 3.0, "queries": [50], "seeds": 2},
        "walked": made,
        "generations": chains,
        "lives": {},
    }


def test_differences_are_those_of_the_same_seed() -> None:
    """Both seeds lose 4 points by the copy, so the interval is a point; the errors themselves scatter by the seeds."""
    by = {row["path"]: row for row in rows(known())}
    assert by[COPIED]["behind"]["softmax"] == {"mean": 4.0, "low": 4.0, "high": 4.0, "n": 2}
    assert by[COPIED]["error"]["softmax"]["low"] < 10.0 < by[COPIED]["error"]["softmax"]["high"]
    # Differences of 2 and 4: mean 3, half of the interval t(1, 0.975) s / sqrt(2) = 12.706 times 1.
    behind = by[distilled("images", 50)]["behind"]["softmax"]
    assert behind["mean"] == 3.0 and behind["high"] == pytest.approx(3.0 + 12.7062, abs=1e-3)
    one = known() | {"wishes": {"sharpness": 3.0, "queries": [50], "seeds": 1}}
    assert {row["chips"] for row in rows(one)} == {1} and "1 further chip of 1 seed" in page(one)
    assert by[OLD]["deviation"]["softmax"] == pytest.approx(2.0**0.5)


def test_copies_pay_from_the_number_at_which_both_ways_cost_the_same() -> None:
    """Once 10 J and 2 J a chip against 4 J a chip: 5 chips cost 20 J either way, 6 are cheaper; digital: 100 J and 1 J."""
    by = {row["path"]: row for row in prices(known())}
    assert by[COPIED] == {"path": COPIED, "once": 10.0, "each": 2.0, "share_of_anew": 0.5, "chips": 6}
    assert by[WRITTEN]["once"] == 100.0 and by[WRITTEN]["each"] == 1.0 and by[WRITTEN]["chips"] == 34
    assert by[TUNED]["chips"] is None and by[distilled("images", 50)]["chips"] is None
    assert not {OLD, NOTHING, ANEW} & by.keys()


def test_the_page_tells_them_and_the_picture_is_drawn(tmp_path: Path) -> None:
    text = page(known())
    assert "2 further chips of 2 seeds" in text and "| copied | 10.00 ± 12.71 | 4.00 ± 0.00 |" in text
    assert "| copied | 10 J | 2 J | 0.5 | 6 chips |" in text and "| never |" in text
    draw(known(), tmp_path / "mortal.png")
    assert (tmp_path / "mortal.png").read_bytes().startswith(b"\x89PNG")


def test_generations_are_compared_with_the_first_chip_of_their_seed() -> None:
    """Seeds err by 5 and 7 %, their pupils by 8 and 9 %; the second generation of the second seed is not there yet."""
    rows_of = generations(known())
    assert [row["generation"] for row in rows_of] == [0, 1, 2]
    assert [row["error"]["softmax"]["mean"] for row in rows_of] == [6.0, 8.5, 9.0]
    assert [row["behind"]["softmax"]["mean"] for row in rows_of] == [0.0, 2.5, 4.0] and rows_of[2]["error"]["softmax"][
        "n"
    ] == 1


def test_what_a_life_changes_is_told_seed_by_seed() -> None:
    """Seeds err by 5 and 25 % at first; both lose 3 points in two days, so the interval of the change is a point."""
    each = [{"days": [0, 2], "error_percent": {care: {"softmax": [first, first + 3.0]} for care in CARES},
             "joule_a_day": {LABELS: 1.0, ANSWERS: 3.0}, "images_a_day": 4, "pulses_an_image": 0.0,
             "images_of_life": None} for first in (5.0, 25.0)]  # fmt: skip
    found = known() | {"lives": {"seed 0": each[0], "seed 1": each[1]}}
    (row, *_) = lives(found)
    assert row["change"]["softmax"] == {"mean": 3.0, "low": 3.0, "high": 3.0, "n": 2}
    assert row["error"]["softmax"][0]["mean"] == 15.0 and row["error"]["softmax"][0]["low"] < 0.0
    assert f"| {ANSWERS} | 15.00 ± 127.06 | 18.00 ± 127.06 | 3.00 ± 0.00 | 3 J |" in page(found)


def test_a_row_of_chips_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    """The chips are taught again, the ends that are there stay, and the last pupil is the one of an uninterrupted row."""
    short = Wishes(**{**vars(WISHES), "generations": 2})
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    study = Study(CONFIG, None, short, tmp_path / "parts")
    study.carry_out(quiet)
    first = list(study.chain(0))
    longer = Wishes(**{**vars(short), "generations": 3})
    found = Study(CONFIG, None, longer, tmp_path / "parts").carry_out(quiet)
    assert found["generations"]["seed 0"][:2] == first and len(found["generations"]["seed 0"]) == 3
    assert found == Study(CONFIG, None, longer, tmp_path / "whole").carry_out(quiet)
    errors = [end["error_percent_by_readout"]["energy"] for end in found["generations"]["seed 0"]]
    assert len(generations(found)) == 4 and errors == [row["error"]["energy"]["mean"] for row in generations(found)[1:]]


def test_a_study_of_other_cells_is_another_study(tmp_path: Path) -> None:
    study = Study(CONFIG, None, WISHES, tmp_path)
    study._note("seed 0, chip 0", OLD, end(1.0, 5.0))
    assert Study(CONFIG, None, WISHES, tmp_path).walked == study.walked
    for other in ({"device": "memristor"}, {"seed": 1}, {"layers": (7,)}):
        with pytest.raises(UsageError, match="another study"):
            Study(Config(**{**CONFIG.as_dict(), "layers": CONFIG.layers, **other}), None, WISHES, tmp_path)
    with pytest.raises(UsageError, match="another study"):
        Study(CONFIG, CONFIG, WISHES, tmp_path)
    with pytest.raises(UsageError, match="another study"):
        Study(CONFIG, None, Wishes(**{**vars(WISHES), "sharpness": 1.0}), tmp_path)


def test_a_study_of_an_earlier_version_goes_on_though_options_have_come_since(tmp_path: Path) -> None:
    study = Study(CONFIG, None, WISHES, tmp_path)
    study._note("seed 0, chip 0", OLD, end(1.0, 5.0))
    kept = json.loads((tmp_path / NAME).read_text())
    assert kept["config"].pop("pairs") == Config.came_later()["pairs"]
    (tmp_path / NAME).write_text(json.dumps(kept))
    assert Study(CONFIG, None, WISHES, tmp_path).found["config"]["pairs"] == Config.came_later()["pairs"]
    with pytest.raises(UsageError, match="another study"):
        Study(Config(**{**CONFIG.as_dict(), "layers": CONFIG.layers, "pairs": 2}), None, WISHES, tmp_path)
    del kept["config"]["epochs"]  # which every version had
    (tmp_path / NAME).write_text(json.dumps(kept))
    with pytest.raises(UsageError, match="another study"):
        Study(CONFIG, None, WISHES, tmp_path)


def test_a_chip_lives_on_and_learning_each_day_changes_it(tmp_path: Path) -> None:
    """Without care errors are those of `--ages`; the chip is put back after each way, so that any of them can come first."""
    wishes = Wishes(**{**vars(WISHES), "days": (1, 3), "daily": 20})
    config = Config(**{**CONFIG.as_dict(), "layers": CONFIG.layers, "endurance": 1e6})
    study = Study(config, None, wishes, tmp_path)
    found = study.carry_out(quiet)
    life = found["lives"]["seed 0"]
    assert life["days"] == [0, 1, 3] and set(life["error_percent"]) == set(CARES)
    old = found["walked"]["seed 0, chip 0"][OLD]["error_percent_by_readout"]
    for care, by in life["error_percent"].items():
        assert {readout: errors[0] for readout, errors in by.items()} == old, care
        assert all(len(errors) == 3 for errors in by.values())
    assert life["error_percent"][LABELS] != life["error_percent"]["as_it_is"]
    assert all(joule > 0.0 for joule in life["joule_a_day"].values()) and set(life["joule_a_day"]) == {LABELS, ANSWERS}
    assert life["images_of_life"] == pytest.approx(1e6 / life["pulses_an_image"])
    text = page(found)
    assert "A chip that learns sees 20 images a day" in text and "of median endurance lives for" in text
    with specimen(config, 0, lambda: None) as chip:
        parts = halves(chip)
        chip.begin()
        chip.teach(parts.first, 1)
        before = chip.joule("learn"), {name: np.array(value) for name, value in chip.port.save().items()}
        again = lived_on(chip, parts.second, Days((1, 3), 20, wishes.sharpness))
        assert again == life
        assert chip.joule("learn") == before[0]
        assert all(np.array_equal(before[1][name], value) for name, value in chip.port.save().items())
