"""What is made of the results of a sweep: means with intervals, tables, pictures, files for other programs, a search."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.sweeps import export, groups, measures, plots, search, sweep_file, table
from analog_ff.sweeps.points import Point
from analog_ff.sweeps.progress import duration, line, status
from analog_ff.sweeps.store import FAILED, NAME, Store, Stored
from analog_ff.sweeps.sweep import Sweep
from hardware_models.check import CommandError, UsageError
from tests.toy_worker import result_of

TEXT = """
title = "the sweep"
seeds = [0, 1, 2]
[options]
data = "toy"
preset = "plain"
layers = [8]
split = "holdout"
"""


def sweep_of(path: Path, text: str) -> Sweep:
    (path / "sweep.toml").write_text(TEXT + text, encoding="utf-8")
    return sweep_file.read(path / "sweep.toml")


class Ran:
    """Stands for the workers: every point has the result of `toy_worker`, but for those of a bad learning rate."""

    def __init__(self, store: Store) -> None:
        self.store, self.keys, self.bad = store, list[str](), -1.0

    def __call__(self, points: Sequence[Point]) -> None:
        self.store.add(points)
        states = self.store.states()
        for point in points:
            if states[point.key] != "waiting":
                continue
            self.keys.append(point.key)
            self.store.begin(point.key)
            if (rate := point.config.as_dict()["learning_rate"]) == self.bad:
                self.store.fail(point.key, "it cannot be.", worker="here")
            else:
                self.store.finish(point.key, result_of(point.config.as_dict()), seconds=1.0 + rate, worker="here")


@pytest.fixture
def ran(tmp_path: Path) -> Any:
    with Store(tmp_path / NAME) as store:
        yield Ran(store)


GRID = "[grid]\nlearning-rate = [0.01, 0.02]\nadc = [4, 'none']"


# --- means ---


def test_a_group_is_the_mean_over_its_seeds_with_the_interval_of_the_mean(tmp_path: Path, ran: Ran) -> None:
    """Errors e, e+1, e+2: mean e+1, deviation 1, half width t(2, 0.975) / sqrt(3) with t = 4.30265."""
    ran(sweep_of(tmp_path, GRID).points())
    found = groups.groups(ran.store.points())
    assert [group.factors for group in found] == [
        {"learning-rate": rate, "adc": bits} for rate in (0.01, 0.02) for bits in (4, "none")
    ]
    row = found[0].row()
    mean = row["measures"]["error"]
    assert mean["mean"] == pytest.approx(10.0 + 10.0 + 1.0) and mean["n"] == 3
    assert mean["high"] - mean["mean"] == pytest.approx(4.30265 / math.sqrt(3.0), rel=1e-5)
    assert (row["done"], row["failed"], row["measures"]["pulses"]) == (3, 0, None)
    assert groups.varied(found) == ["learning-rate", "adc"]
    assert groups.texts(row["measures"], "error") == "21 +- 2.5"


def test_measures_are_read_off_a_result() -> None:
    result = {**result_of({"seed": 2, "learning_rate": 0.0}), "events": {"learn": {"adc.8": 7, "on": True}}}
    assert measures.measure("error").of(result) == 12.0 and measures.measure("error.energy").of(result) is None
    assert (
        measures.measure("energy").of(result) == 2e-9 and measures.measure("energy.per_update_joule").of(result) == 2e-9
    )
    assert measures.measure("events.learn.on").of(result) is None, "a switch is no number"
    held = {
        "test_error_percent": None,
        "validation_error_percent": 3.0,
        "validation_error_percent_by_readout": {"energy": 4.0},
    }
    assert measures.measure("error").of(held) == 3.0 and measures.measure("error.energy").of(held) == 4.0
    with pytest.raises(UsageError, match="no measure is called 'eror'.*did you mean 'error'"):
        measures.measure("eror")


def test_where_a_sweep_stands(tmp_path: Path, ran: Ran) -> None:
    points = sweep_of(tmp_path, GRID).points()
    ran.bad = 0.02
    ran(points[:9])
    ran.store.add(points)
    ran.store.begin(points[9].key)
    found = status(ran.store)
    assert {k: found[k] for k in ("points", "done", "failed", "running", "waiting")} == {
        "points": 12, "done": 6, "failed": 3, "running": 1, "waiting": 2,
    }  # fmt: skip
    assert found["failures"] == {"it cannot be.": 3} and found["seconds_left"] >= 0.0
    assert line(found).startswith("6 done, 3 failed, 1 running, 2 waiting")
    assert status(ran.store, [points[0].key])["points"] == 1
    assert [duration(s) for s in (5.0, 90.0, 5400.0, 129600.0)] == ["5 s", "1.5 min", "1.5 h", "1.5 d"]


# --- files for other programs ---


def test_the_data_frame_has_a_line_a_point_and_survives_its_files(tmp_path: Path, ran: Ran) -> None:
    pandas = pytest.importorskip("pandas")
    sweep = sweep_of(tmp_path, GRID)
    ran.bad = 0.02
    ran(sweep.points())
    stored = ran.store.points()
    made = export.frame(stored)
    assert len(made) == 12 and list(made["learning-rate"]) == [p.factors["learning-rate"] for p in stored]
    assert sorted(made["adc"].unique()) == ["4", "none"], "values of several types are texts"
    assert made["error"].isna().sum() == 6 and set(made["reason"].dropna()) == {"it cannot be."}
    mean = made[made["state"] == "done"].groupby("adc")["error"].mean()
    assert mean["4"] == pytest.approx(21.0)
    for name, read in (("a.csv", pandas.read_csv), ("a.parquet", pandas.read_parquet)):
        export.write(tmp_path / name, stored, sweep.title, sweep.options)
        again = read(tmp_path / name)
        assert list(again.columns) == list(made.columns)
        np.testing.assert_array_equal(again["error"].to_numpy(float), made["error"].to_numpy(float))
    with pytest.raises(UsageError, match="exists and is not overwritten"):
        export.write(tmp_path / "a.csv", stored, sweep.title, sweep.options)


def test_lines_of_json_are_those_of_stored_results(tmp_path: Path, ran: Ran) -> None:
    """Label, options with which the run can be repeated, key; sorted, so that one more point changes no other line."""
    sweep = sweep_of(tmp_path, GRID)
    points = sweep.points()
    ran(points[:6])
    export.write(tmp_path / "few.jsonl", ran.store.points(), sweep.title, sweep.options)
    ran(points)
    export.write(tmp_path / "all.jsonl", ran.store.points(), sweep.title, sweep.options)
    few, every = ((tmp_path / name).read_text().splitlines() for name in ("few.jsonl", "all.jsonl"))
    assert set(few) < set(every) and len(few) == 6 and len(every) == 12
    keys = {point.key: point for point in points}
    for text in every:
        one = json.loads(text)
        assert one["label"] == "the sweep" and not {"data_dir", "out"} & one["config"].keys()
        (point,) = (p for p in keys.values() if p.identity == one["key"])
        assert one["options"] == {**sweep.options, **point.factors}
        assert one["test_error_percent"] == result_of(point.config.as_dict())["test_error_percent"]


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ends in .csv, .parquet, .jsonl, got a.xlsx"):
        export.write(tmp_path / "a.xlsx", [], "", {})


# --- pictures ---


def drawn(found: list[groups.Group], names: list[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the figure that is drawn."""
    figures: list[Any] = []
    monkeypatch.setattr(plots, "picture", lambda figure, dpi, form: figures.append(figure) or b"")
    plots.draw(found, names, measures.measure("error"), "simulate", "the sweep", "png")
    return figures[0]


def test_axes_have_names_and_units_and_points_their_mean(
    tmp_path: Path, ran: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = sweep_of(tmp_path, "[grid]\nadc = [4, 8]\nlearning-rate = [0.001, 0.01, 0.1]")
    ran(sweep.points())
    found = groups.groups(ran.store.points())
    (axes,) = drawn(found, ["learning-rate"], monkeypatch).axes
    assert axes.get_xlabel() == "learning-rate" and axes.get_ylabel() == "error [%]" and axes.get_xscale() == "log"
    (line_,) = axes.containers
    np.testing.assert_allclose(np.array(line_[0].get_xdata(), float), [0.001, 0.01, 0.1])
    np.testing.assert_allclose(np.array(line_[0].get_ydata(), float), [12.0, 21.0, 111.0])
    assert "mean of 6 runs a point, 95 % interval" in axes.get_title()
    (axes,) = drawn(found, ["adc", "learning-rate"], monkeypatch).axes
    assert axes.get_xlabel() == "adc [bits]" and axes.get_legend().get_title().get_text() == "learning-rate"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["0.001", "0.01", "0.1"]


def test_names_are_drawn_side_by_side(tmp_path: Path, ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(sweep_of(tmp_path, GRID).points())
    (axes,) = drawn(groups.groups(ran.store.points()), ["adc"], monkeypatch).axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["4", "none"]


def test_many_values_of_two_numbers_are_a_map(tmp_path: Path, ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(sweep_of(tmp_path, """
        [random]
        samples = 20
        learning-rate = {low = 0.001, high = 0.1, log = true}
        label-strength = {low = 1.0, high = 8.0}
    """).points())  # fmt: skip
    axes, bar = drawn(groups.groups(ran.store.points()), ["learning-rate", "label-strength"], monkeypatch).axes
    assert axes.get_ylabel() == "label-strength [white pixels]" and bar.get_ylabel() == "error [%]"
    assert axes.collections[0].get_offsets().shape == (20, 2)


@pytest.mark.parametrize(
    ("names", "words"),
    [(["dac"], "has no parameter 'dac'.*did you mean 'adc'"), (["adc", "adc", "adc"], "one parameter or two")],
)
def test_what_cannot_be_drawn(tmp_path: Path, ran: Ran, names: list[str], words: str) -> None:
    points = sweep_of(tmp_path, GRID).points()
    ran(points)
    with pytest.raises(UsageError, match=words):
        plots.draw(groups.groups(ran.store.points()), names, measures.measure("error"), "simulate", "", "png")
    with pytest.raises(UsageError, match="nothing to draw"):
        plots.draw(groups.groups(ran.store.points()), ["adc"], measures.measure("no.such"), "simulate", "", "png")


# --- the table ---


def test_the_table_begins_with_the_least_error(tmp_path: Path, ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    ran.bad = 0.01
    ran(sweep_of(tmp_path, "[grid]\nlearning-rate = [0.01, 0.03, 0.02]").points())
    found = groups.groups(ran.store.points())
    table.show(table.document("the sweep", found, status(ran.store), "here"), found)
    said = capsys.readouterr().out
    rows = [text for text in said.splitlines() if "│ 0.0" in text]
    assert [row.split()[1] for row in rows] == ["0.02", "0.03", "0.01"] and "0, 3 failed" in rows[-1]
    assert "31 +- 2.5" in rows[0] and "3 failed: it cannot be." in said


# --- a search ---

SEARCH = """
[search]
trials = 8
batch = 2
seed = 1
learning-rate = {low = 0.001, high = 0.1, log = true}
adc = {low = 4, high = 8}
"""


def test_a_search_finds_the_least_objective_and_repeats_itself(tmp_path: Path, ran: Ran) -> None:
    """The toy's error grows with the learning rate: the best of 8 trials lies in the lowest third of its range."""
    pytest.importorskip("optuna")
    sweep = sweep_of(tmp_path, SEARCH)
    assert sweep.search is not None
    points = search.search(sweep, sweep.search, ran.store, ran)
    assert len(points) == 8 * 3 == len(ran.keys) and {p.factors["seed"] for p in points} == {0, 1, 2}
    best = search.best(groups.groups(ran.store.points()), sweep.search)
    rates = [float(str(p.factors["learning-rate"])) for p in points]
    assert best is not None and best["factors"]["learning-rate"] == min(rates) < 0.001 * 100 ** (1 / 3)
    assert best["mean"] == pytest.approx(11.0 + 1000.0 * min(rates)) and best["n"] == 3
    again = search.search(sweep, sweep.search, ran.store, ran)
    assert [p.key for p in again] == [p.key for p in points] and len(ran.keys) == 24, "nothing runs twice"
    most = sweep_of(tmp_path, SEARCH + 'direction = "maximize"\n').search
    assert most is not None
    largest = search.best(groups.groups(ran.store.points()), most)
    assert largest is not None and largest["factors"]["learning-rate"] == max(rates)


def test_a_search_that_is_stopped_asks_for_the_same_trials_again(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    sweep = sweep_of(tmp_path, SEARCH)
    assert sweep.search is not None
    with Store(tmp_path / "whole" / NAME) as store:
        whole = search.search(sweep, sweep.search, store, Ran(store))
    with Store(tmp_path / "stopped" / NAME) as store:
        ran, batches = Ran(store), 0

        def run(points: Sequence[Point]) -> None:
            nonlocal batches
            batches += 1
            if batches > 2:
                raise CommandError("stopped")
            ran(points)

        with pytest.raises(CommandError):
            search.search(sweep, sweep.search, store, run)
        assert len(ran.keys) == 2 * 2 * 3
        again = search.search(sweep, sweep.search, store, ran)
    assert [p.key for p in again] == [p.key for p in whole] and len(ran.keys) == 8 * 3


def test_a_trial_whose_run_fails_is_told_as_failed(tmp_path: Path, ran: Ran) -> None:
    pytest.importorskip("optuna")
    sweep = sweep_of(tmp_path, "[search]\ntrials = 6\nlearning-rate = {choices = [0.01, 0.02]}\nsampler = 'random'")
    assert sweep.search is not None
    ran.bad = 0.01
    search.search(sweep, sweep.search, ran.store, ran)
    best = search.best(groups.groups(ran.store.points()), sweep.search)
    assert best is not None and best["factors"] == {"learning-rate": 0.02}


def test_no_search_chooses_on_the_test_set(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    file = tmp_path / "sweep.toml"
    for split, words in (("final", "would choose on the test set"), ("holdout", "no measure is called 'eror'")):
        file.write_text(
            TEXT.replace("holdout", split)
            + SEARCH
            + 'objective = "eror"\n'.replace("eror", "error" if split == "final" else "eror")
        )
        sweep = sweep_file.read(file)
        assert sweep.search is not None
        with pytest.raises(UsageError, match=words):
            search.check(sweep, sweep.search)


def test_stored_points_without_a_result_have_no_measures() -> None:
    empty = Stored("k", "simulate", {}, {}, {}, FAILED, 1, "why", None, None, None)
    assert set(measures.measured(empty.result).values()) == {None}
    assert export.lines([]) == "" and io.StringIO(export.lines([{"label": "a", "options": {}}])).read().endswith("\n")
