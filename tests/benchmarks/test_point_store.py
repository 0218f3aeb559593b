"""The points of an experiment lie in one file of lines: none is lost, none is there twice, energies follow from the counts."""

from __future__ import annotations

import importlib
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analog_ff.output import folders, whole_files
from analog_ff.sweeps.points import Point
from analog_ff.sweeps.store import Store
from hardware_models.check import RunError, UsageError

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.append(str(BENCHMARKS))
catalogue, point_energy, run, store = (
    importlib.import_module(name) for name in ("catalogue", "point_energy", "run", "store")
)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(store, "RESULTS", tmp_path)
    return tmp_path


def a_point(label: str, seed: int, **more: Any) -> dict[str, Any]:
    return {"label": label, "options": {"data": "toy", "device": label, "seed": seed}, **more}


def test_a_point_comes_back_and_takes_the_place_of_an_older_one(results: Path) -> None:
    assert store.point("a", {"data": "toy", "device": "row", "seed": 1}) is None
    store.keep("a", a_point("row", 1, error=0.1 + 0.2))
    assert store.point("a", {"seed": 1, "device": "row", "data": "toy"}) == a_point("row", 1, error=0.1 + 0.2)
    store.keep("a", a_point("row", 1, error=4.0))
    assert [p["error"] for p in store.points("a").values()] == [4.0]
    assert [file.name for file in results.iterdir()] == ["a.jsonl"]


def test_a_new_point_is_one_new_line_whatever_the_order_of_the_runs(results: Path) -> None:
    made = [a_point(label, seed) for label in ("wide", "deep") for seed in (2, 0, 1)]
    for point in made:
        store.keep("a", point)
    for point in reversed(made):
        store.keep("b", point)
    text = store.file_of("a").read_text(encoding="utf-8")
    assert text == store.file_of("b").read_text(encoding="utf-8")
    store.keep("a", a_point("middle", 0))
    now = store.file_of("a").read_text(encoding="utf-8").splitlines()
    assert len(now) == len(made) + 1
    assert [line for line in now if "middle" not in line] == text.splitlines()


def test_a_file_is_parsed_once_until_it_changes(results: Path) -> None:
    store.keep("a", a_point("row", 1))
    assert store.points("a") is store.points("a")
    before = store.points("a")
    store.keep("a", a_point("row", 2))
    assert len(before) == 1 and len(store.points("a")) == 2


def test_runs_that_finish_together_keep_a_point_each(results: Path) -> None:
    """The lock belongs to the opened folder, so threads stand for processes here."""
    finished = [threading.Thread(target=store.keep, args=("a", a_point("row", seed))) for seed in range(12)]
    for thread in finished:
        thread.start()
    for thread in finished:
        thread.join()
    assert {p["options"]["seed"] for p in store.points("a").values()} == set(range(12))


def test_a_lock_is_waited_for_where_asked(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with folders.held(tmp_path, wait=True):
            order.append("second")

    with folders.held(tmp_path):
        waiting = threading.Thread(target=second)
        waiting.start()
        with pytest.raises(UsageError, match="another process"), folders.held(tmp_path):
            pass
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_a_write_that_fails_loses_no_finished_point(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.keep("a", a_point("row", 1))
    text = store.file_of("a").read_text(encoding="utf-8")

    def full(*args: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_files.os, "write", full)
    with pytest.raises(RunError, match="No space left"):
        store.keep("a", a_point("row", 2))
    monkeypatch.undo()
    assert (results / "a.jsonl").read_text(encoding="utf-8") == text
    assert [file.name for file in results.iterdir()] == ["a.jsonl"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["{"], "line 1, cannot be read as a stored point"),
        (["[1]"], "line 1, cannot be read as a stored point"),
        (['{"label":"row"}'], "line 1, cannot be read as a stored point"),
        ([json.dumps(a_point("a", 1)), json.dumps(a_point("a", 1))], "line 2, has the options of an earlier line"),
    ],
    ids=["no JSON", "a list", "no options", "both sides of a merge"],
)
def test_a_damaged_file_is_refused_in_one_sentence(results: Path, lines: list[str], expected: str) -> None:
    store.file_of("a").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        store.points("a")
    assert expected in str(refused.value) and "\n" not in str(refused.value)


def test_every_file_is_sorted_and_belongs_to_an_experiment() -> None:
    known = {*catalogue.experiments([]), "spiking_settings", "cortex", "fit_coverage"}
    files = sorted(store.RESULTS.glob("*.jsonl"))
    assert files and {file.stem for file in files} <= known
    for file in files:
        found = list(store.points(file.stem).values())
        assert store.written(found) == file.read_text(encoding="utf-8"), file.name


def test_no_point_stores_an_energy_that_its_counts_give() -> None:
    for name in ("01_mnist_5k", "32_sealed_deep", "34_spiking_targets"):
        counted = [p for p in store.points(name).values() if p.get("energy")]
        assert counted
        for point in counted[:3]:
            whole = point_energy.whole(point)
            assert whole["energy"].keys() > point["energy"].keys()
            learn = whole["energy"]["total_joule"]["learn"]
            assert whole["energy"]["per_update_joule"] == learn / point["images"]["learn"]
            kept = {name: value for name, value in point["energy"].items() if name not in point_energy.SPIKING}
            assert point_energy.stored(whole) == kept


def test_energies_of_other_prices_stay_as_they_are_and_are_marked() -> None:
    found = store.points("24_cheap_ff").values()
    point = next(p for p in found if any(p["energy"]["to_accuracy_joule"].values()))
    now = {**point["energy"], "technology_sha256": point_energy.prices_of(point).sha256}
    assert not point_energy.dear({**point, "energy": now})
    old = {**point, "energy": {**point["energy"], "technology_sha256": "0" * 64}}
    assert point_energy.dear(old)
    assert not point_energy.dear({**old, "energy": {**old["energy"], "to_accuracy_joule": {"80": None}}})
    other = {**point, "energy": {**point_energy.whole(point)["energy"], "per_update_joule": 1.0}}
    assert point_energy.stored(other)["per_update_joule"] == 1.0
    assert point_energy.whole({**point, "energy": point_energy.stored(other)})["energy"]["per_update_joule"] == 1.0


def test_a_run_keeps_its_point(results: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A point that is kept is not run again, and its table has the energies that the run had."""
    options = {"data": "toy", "layers": "8", "epochs": 1, "seed": 0, "chip-seed": 0}
    point = next(iter(json.loads(line) for line in _lines("01_mnist_5k")))
    finished = {**point_energy.whole(point), "config": point["config"]}
    calls: list[str] = []

    def runs(points: list[Point], file: Store, *, done: Callable[[str], None], **how: Any) -> None:
        file.add(points)
        for point in points:
            file.begin(point.key)
            file.finish(point.key, finished, seconds=1.0, worker="here")
            calls.append(point.key)
            done(point.key)

    monkeypatch.setattr(run, "ROOT", tmp_path / "root")
    monkeypatch.setattr(run, "commit", lambda: "new1234")
    monkeypatch.setattr(run, "run_points", runs)
    for _ in range(2):
        assert (
            run.run("01_mnist_5k", [("row", options), ("the same in other words", {**options, "gate": 0.1})], None)
            == []
        )
    assert len(calls) == 1
    assert store.point("01_mnist_5k", {**options, "gate": 0.1})["key"] == store.point("01_mnist_5k", options)["key"]
    kept = store.point("01_mnist_5k", options)
    assert kept is not None and kept["label"] == "row" and kept["key"]["commit"] == "new1234"
    assert "per_update_joule" not in kept["energy"]
    assert point_energy.whole(kept)["energy"] == finished["energy"]


def test_points_of_the_cortex_are_packed_again_however_a_run_ends(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cortex = importlib.import_module("cortex")
    folder = results / "work"
    monkeypatch.setattr(cortex, "FOLDER", folder)
    store.keep("cortex", {"label": "one", "options": {"point": "one"}, "point": {"error": 1.0}})
    with pytest.raises(KeyboardInterrupt), cortex.unpacked():
        assert json.loads((folder / "points" / "one.json").read_text(encoding="utf-8")) == {"error": 1.0}
        (folder / "points" / "two.json").write_text('{"error": 2.0}', encoding="utf-8")
        raise KeyboardInterrupt
    assert not folder.exists()
    assert [p["point"]["error"] for p in store.points("cortex").values()] == [1.0, 2.0]
    (folder / "points").mkdir(parents=True)  # what a run that was killed has left
    (folder / "points" / "one.json").write_text('{"error": 3.0}', encoding="utf-8")
    with cortex.unpacked():
        pass
    assert [p["point"]["error"] for p in store.points("cortex").values()] == [3.0, 2.0]


def _lines(name: str) -> list[str]:
    return (BENCHMARKS / "results" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
