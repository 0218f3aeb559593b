"""A stored result belongs to one run: whatever decides the result is in its key, and what has changed is said."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from analog_ff.config.config import RECIPES, Config
from analog_ff.learners import LEARNERS
from analog_ff.runs import model
from analog_ff.runs.identity import TEXTS, digest, figures, key
from analog_ff.spiking.config import SpikingConfig
from analog_ff.sweeps.points import resolved
from hardware_models.check import UsageError
from hardware_models.load import load_device

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.append(str(BENCHMARKS))
catalogue, identity, experiment_files, result_tables, run, store = (
    importlib.import_module(name)
    for name in ("catalogue", "identity", "experiment_files", "result_tables", "run", "store")
)
TOY = {"data": "toy", "device": "memristor", "layers": "8", "seed": 0, "chip-seed": 0}
DEFAULTS = "0829e41e7320b549"
"""Fingerprint of all defaults and recipes under the present model version."""


def stored(command: str, options: dict[str, Any]) -> dict[str, Any]:
    return {"options": options, "key": key(command, resolved(command, options))}


@pytest.mark.parametrize("command", ["simulate", "spiking"])
def test_a_point_is_current_until_something_that_decides_it_changes(command: str) -> None:
    options = TOY if command == "simulate" else {"data": "toy", "layers": "8", "seed": 0, "chip-seed": 0}
    point = stored(command, options)
    assert identity.out_of_date(command, options, point) == []
    assert identity.out_of_date(command, {**options, "epochs": 7}, point) == ["another configuration"]
    assert identity.out_of_date(command, options, {"options": options}) == ["it was stored without a key"]


def test_the_recipe_belongs_to_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ideal device learns at a rate of its own; another rate in the recipe is another run of the same options."""
    options = {**TOY, "device": "ideal"}
    point = stored("simulate", options)
    monkeypatch.setitem(RECIPES["ideal"], "learning_rate", 0.5)
    assert identity.out_of_date("simulate", options, point) == ["another configuration"]
    assert identity.out_of_date("simulate", TOY, stored("simulate", TOY)) == []


def test_one_figure_of_a_device_file_or_one_pixel_makes_another_point(tmp_path: Path) -> None:
    original = BENCHMARKS.parent / "hardware_models" / "parameters" / "wu2018_taox_hfox.toml"
    text = original.read_text(encoding="utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text(text, encoding="utf-8")
    options = {**TOY, "device": str(mine)}
    point = stored("simulate", options)
    mine.write_text(text.replace('source = "', 'source = "as read again: ', 1), encoding="utf-8")
    assert identity.out_of_date("simulate", options, point) == [], "what a file says of its source decides nothing"
    assert "value = 3.7\n" in text
    mine.write_text(text.replace("value = 3.7\n", "value = 3.6\n"), encoding="utf-8")
    assert identity.out_of_date("simulate", options, point) == ["device changed"]


def test_switches_make_another_device_and_a_written_chip_has_one_of_its_own() -> None:
    toy = {**TOY, "preset": "plain"}  # that of the ideal device: no access transistors on either chip
    plain, quiet = (stored("simulate", o)["key"] for o in (toy, {**toy, "no-read-noise": True}))
    assert plain["inputs"]["device"] != quiet["inputs"]["device"]
    written = stored("simulate", {**TOY, "device": "ideal", "program-to": "memristor"})["key"]["inputs"]
    assert written["program_to"] == plain["inputs"]["device"] != written["device"]


def test_the_access_transistor_of_a_device_belongs_to_runs_that_have_it() -> None:
    """Its resistance is no figure of a run without the option, so that keys stay what they were before it was known."""
    device = load_device("memristor")
    bare = dataclasses.replace(device, r_access=0.0)
    assert device.r_access > 0.0 and figures(device) == figures(bare)
    assert figures(device, access_transistor=True) == {**figures(bare), "r_access": device.r_access}
    toy = {**TOY, "preset": "plain"}
    plain, behind = (stored("simulate", options)["key"] for options in (toy, {**toy, "access-transistor": True}))
    assert plain["inputs"]["device"] == digest(figures(bare)) != behind["inputs"]["device"]
    assert plain["configuration"] != behind["configuration"]


def test_a_device_tells_its_figures_and_not_its_words() -> None:
    found = figures(load_device("memristor"))
    assert found["model"] == "ExponentialStep" and found["g_max"] == 1e-5
    assert not set(TEXTS) & set(found)


def test_a_newer_model_touches_the_runs_that_it_names_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    change = model.Change(1000, "abc1234", "toy has other stripes", ({"command": ("simulate",), "data": ("toy",)},))
    everything = model.Change(1001, "abc1235", "another law for all", ({},))
    toy, digits = stored("simulate", TOY), stored("simulate", {**TOY, "data": "digits"})
    monkeypatch.setattr(model, "CHANGES", (*model.CHANGES, change))
    assert identity.out_of_date("simulate", TOY, toy) == ["toy has other stripes"]
    assert identity.out_of_date("simulate", {**TOY, "data": "digits"}, digits) == []
    monkeypatch.setattr(model, "CHANGES", (*model.CHANGES, everything))
    assert identity.out_of_date("simulate", {**TOY, "data": "digits"}, digits) == ["another law for all"]


def test_a_change_of_counts_alone_leaves_stored_results_current(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are brought up to date when they are read; a run that was begun before it cannot go on."""
    toy = stored("simulate", TOY)
    counts = model.Change(1000, "abc1234", "another count", ({"command": ("simulate",)},), counts_alone=True)
    monkeypatch.setattr(model, "CHANGES", (*model.CHANGES, counts))
    assert identity.out_of_date("simulate", TOY, toy) == []
    monkeypatch.setattr(model, "CHANGES", (*model.CHANGES[:-1], counts._replace(counts_alone=False)))
    assert identity.out_of_date("simulate", TOY, toy) == ["another count"]


def test_versions_of_the_model_rise_one_by_one() -> None:
    assert [c.version for c in model.CHANGES] == list(range(2, model.MODEL + 1))
    known = {f.name for kind in (Config, SpikingConfig) for f in dataclasses.fields(kind)} | {"command"}
    for change in model.CHANGES:
        assert change.touches and change.what and change.before
        assert all(set(wanted) <= known for wanted in change.touches)


def test_a_default_that_changes_raises_the_model_version() -> None:
    """If this fails: raise `MODEL` by a change that says which default moved and whom it touches, then note the new value.

    An option that is added with a default which changes nothing needs no new version: note the new value alone.
    """
    defaults = {
        kind.__name__: {f.name: f.default for f in dataclasses.fields(kind)} for kind in (Config, SpikingConfig)
    }
    of_learners = {name: dict(row.recipe) for name, row in LEARNERS.items() if row.recipe}
    text = json.dumps([defaults, dict(RECIPES), of_learners], sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == DEFAULTS


@pytest.mark.slow
def test_every_stored_point_says_whether_it_is_current() -> None:
    """All points have a key; the tables of an experiment mark those that a run would not give any more."""
    for name, experiment in catalogue.experiments([]).items():
        for label, options in catalogue.points(experiment):
            if (point := store.point(name, options)) is not None:
                assert {"model", "configuration", "inputs", "commit"} <= set(point["key"]), f"{name}: {label}"


def test_what_is_out_of_date_is_marked_and_explained() -> None:
    fresh = {"out_of_date": [], "key": {"commit": "new1234"}}
    old = {"out_of_date": ["device changed"], "key": {"commit": "old1234"}}
    assert result_tables.marked("row", [fresh]) == "row" and result_tables.marked("row", [fresh, old]) == "row ‡"
    assert result_tables.footnotes([("a", [fresh]), ("b", [old]), ("c", [])]) == [
        "", "‡ b: before the correction, commit old1234: device changed."
    ]  # fmt: skip
    assert result_tables.footnotes([("b", [old])]) == ["", "‡ before the correction, commit old1234: device changed."]
    assert result_tables.footnotes([("a", [fresh])]) == []


WRONG = {
    "no rows": ('title = "a"', "lacks the entry 'rows'"),
    "a number for a title": ('title = 3\n[[rows]]\nlabel = "x"', "'title' should be a line of text, got 3"),
    "a row without a label": ('title = "a"\n[[rows]]\nseed = 3', "row 1 lacks its label"),
    "two rows of one label": ('title = "a"\n[[rows]]\nlabel = "x"\n[[rows]]\nlabel = "x"', "of an earlier row"),
    "one seed twice": (
        'title = "a"\nseeds = [0, 0]\n[[rows]]\nlabel = "x"',
        "'seeds' should be a list of different whole",
    ),
    "one seed, not a list": (
        'title = "a"\nseeds = 0\n[[rows]]\nlabel = "x"',
        "'seeds' should be a list of different whole",
    ),
    "a list for a choice": ('title = "a"\n[[rows]]\nlabel = "x"\ndevice = []', "row 1: 'device' needs a text"),
    "an unknown entry": ('title = "a"\nseed = [0]\n[[rows]]\nlabel = "x"', "did you mean 'seeds'"),
    "a pair of no row": ('title = "a"\npaired = [["x", "y"]]\n[[rows]]\nlabel = "x"', "'paired' names the row 'y'"),
    "an answer of two lines": (
        'title = "a"\nanswer = """x\ny"""\n[[rows]]\nlabel = "x"',
        "'answer' should be a sentence",
    ),
    "an answer with no row": (
        'title = "a"\nanswer = "{learn}"\n[[rows]]\nlabel = "learned"',
        "did you mean 'learned'",
    ),
    "a folder": ('title = "a"\n[options]\nout = "x"\n[[rows]]\nlabel = "x"', "'options' cannot give 'out'"),
    "a seed in a row": ('title = "a"\n[[rows]]\nlabel = "x"\nseed = 3', "row 1 cannot give 'seed'"),
    "a seed in a grid": (
        'title = "a"\n[grid]\nchip_seed = [3]\n[[rows]]\nlabel = "x"',
        "'grid' cannot give 'chip_seed'",
    ),
    "data in a row's grid": (
        'title = "a"\n[[rows]]\nlabel = "x"\n[rows.grid]\ndata-dir = ["x"]',
        "row 1, 'grid' cannot give 'data-dir'",
    ),
    "no TOML": ('title = "a', "cannot be read as a TOML file"),
    "a whole number of 5000 digits": ("title = " + "9" * 5000, "cannot be read as a TOML file"),
}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_a_wrong_experiment_is_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    text, expected = WRONG[case]
    file = tmp_path / "wrong.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        experiment_files.read(file)
    assert expected in str(refused.value) and "wrong.toml" in str(refused.value) and "\n" not in str(refused.value)


def test_a_row_that_is_no_configuration_is_refused_before_anything_runs() -> None:
    experiment = {"title": "a", "rows": [{"label": "x", "device": "mS"}]}
    with pytest.raises(
        UsageError, match=r"experiment one, row 'x': no option is called 'devise'; did you mean 'device'"
    ):
        run.check("one", {"title": "a", "rows": [{"label": "x", "devise": "memristor"}]})
    with pytest.raises(UsageError, match=r"experiment one, row 'x': .*--epochs"):
        run.check("one", {**experiment, "options": {"epochs": -1}})


def test_an_unknown_experiment_ends_with_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "01_mnist5k"])
    assert run.main() == 2
    assert "did you mean '01_mnist_5k'" in capsys.readouterr().err


def test_a_result_that_replaces_another_says_what_it_was() -> None:
    old = {
        "key": {"commit": "old1234"}, "test_error_percent_by_readout": {"softmax": 5.0}, "config": {}, "events": {},
        "validation_error_percent_by_readout": None,
        "deployed": {"device": {}, "test_error_percent_by_age": {"at once": {"softmax": 5.0}, "after a day": {"softmax": 6.0}}},
    }  # fmt: skip
    before = run.replaced(old, ["device changed"])
    assert before["commit"] == "old1234" and before["reasons"] == ["device changed"]
    assert before["test_error_percent_by_readout"] == {"softmax": 5.0}
    now = {"config": {"split": "final"}, **old, "before": before}
    page = importlib.import_module("results_page")
    assert page.mean_errors([now, now], now) == "5.00 ± 0.00 at once, 6.00 ± 0.00 after a day"
    assert page.mean_errors([before], now) == "5.00 at once, 6.00 after a day"
