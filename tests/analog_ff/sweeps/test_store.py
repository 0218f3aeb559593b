"""The store: what it holds comes back, one process alone writes it, a file that is no store is refused in one sentence."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from analog_ff.sweeps import array_jobs, store
from analog_ff.sweeps.points import Point, resolved
from analog_ff.sweeps.store import DIED, DONE, FAILED, INTERRUPTED, NAME, RUNNING, WAITING, Store
from hardware_models.check import CommandError, UsageError

RESULT = {"schema": 1, "test_error_percent": 4.25, "energy": {"per_update_joule": 1e-9}}


def points(*seeds: int) -> list[Point]:
    options: dict[str, Any] = {"data": "toy", "preset": "plain", "layers": "8"}
    return [Point(resolved("simulate", {**options, "seed": seed, "chip-seed": seed}), {"seed": seed}) for seed in seeds]


def filled(path: Path, *seeds: int) -> list[Point]:
    """Make a store of finished points and return them."""
    some = points(*seeds)
    with Store(path) as made:
        made.add(some)
        for point in some:
            made.begin(point.key)
            made.finish(point.key, RESULT, seconds=1.5, worker="here 1")
    return some


def test_a_point_goes_its_way(tmp_path: Path) -> None:
    one, two, three = points(1, 2, 3)
    with Store(tmp_path / NAME) as made:
        assert made.points() == [] and made.states() == {} and not (tmp_path / NAME).exists()
        made.add([one, two, three])
        made.add([three, two, one])
        assert made.states() == dict.fromkeys((one.key, two.key, three.key), WAITING), "in the order of their entry"
        for point in (one, two, three):
            made.begin(point.key)
        made.wait([one.key], "its worker died", worker="there 7")
        made.begin(one.key)
        made.finish(one.key, RESULT, seconds=1.5, worker="here 1")
        made.fail(two.key, "it cannot be.", worker="here 1")
        assert made.states() == {one.key: DONE, two.key: FAILED, three.key: RUNNING}
        made.wait([three.key], "the sweep was stopped", outcome=INTERRUPTED)
        assert made.reasons() == {two.key: "it cannot be.", three.key: "the sweep was stopped"}
    with Store(tmp_path / NAME, read_only=True) as again:
        first, second, third = again.points()
        assert (first.result, first.seconds, first.worker, first.attempts, first.reason) == (
            RESULT,
            1.5,
            "here 1",
            2,
            None,
        )
        assert (second.state, second.result, third.state) == (FAILED, None, WAITING)
        assert first.identity == one.identity and first.factors == {"seed": 1} and first.command == "simulate"
        assert type(one.config)(**first.config) == one.config, "the configuration can be run again"
        assert again.result(one.key) == RESULT and again.result(two.key) is None
        tried = again.attempts(one.key)
        assert [(a.outcome, a.worker, a.reason) for a in tried] == [
            (DIED, "there 7", "its worker died"),
            (DONE, "here 1", None),
        ]
        assert all(a.ended is not None and a.ended >= a.begun for a in tried)
        assert [p.key for p in again.points([three.key, "no such key"])] == [three.key]


def test_a_reader_writes_nothing(tmp_path: Path) -> None:
    (one,) = filled(tmp_path / NAME, 1)
    with Store(tmp_path / NAME, read_only=True) as reader, pytest.raises(CommandError, match="cannot be written"):
        reader.begin(one.key)
    assert [file.name for file in tmp_path.iterdir()] == [NAME], "one file, no shared memory"


def test_a_reader_sees_what_is_written_beside_it(tmp_path: Path) -> None:
    one, two = points(1, 2)
    with Store(tmp_path / NAME) as writer:
        writer.add([one])
        with Store(tmp_path / NAME, read_only=True) as reader:
            writer.add([two])
            writer.begin(two.key)
            assert reader.states() == {one.key: WAITING, two.key: RUNNING}


def test_an_entry_that_breaks_off_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    (one,) = points(1)
    with Store(tmp_path / NAME) as made:
        made.add([one])
        with pytest.raises(TypeError):
            made.finish(one.key, {"result": object()}, seconds=1.0, worker="here")
        assert made.states() == {one.key: WAITING}
        made.begin(one.key)
        assert len(made.attempts()) == 1


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE points (key TEXT)")
    other.close()


def _newer(path: Path) -> None:
    filled(path, 1)
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA user_version = {store.SCHEMA + 1}")
    other.close()


def _cut(path: Path) -> None:
    filled(path, *range(12))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _scribbled(path: Path) -> None:
    filled(path, *range(12))
    data = bytearray(path.read_bytes())
    data[4096:12288] = b"\xff" * 8192
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda path: path.write_bytes(b"no database, but a text that is long enough" * 99),
            "cannot be read as the store",
        ),
        (lambda path: path.mkdir(), "no file"),
        (_foreign, "another program"),
        (_newer, f"version {store.SCHEMA + 1}"),
        (_cut, "cannot be read as the store"),
        (_scribbled, "cannot be read as the store"),
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_a_file_that_is_no_store(tmp_path: Path, spoil: Any, words: str, read_only: bool) -> None:
    path = tmp_path / NAME
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(UsageError, match=words) as error:
        Store(path, read_only=read_only)
    assert str(path) in str(error.value) and str(error.value).endswith(".") and "\n" not in str(error.value)
    assert before is None or path.read_bytes() == before


def test_a_file_without_anything_is_a_store_to_be(tmp_path: Path) -> None:
    """A client that is killed at once may leave such a file, and the same command goes on."""
    (tmp_path / NAME).touch()
    with Store(tmp_path / NAME, read_only=True) as reader:
        assert reader.points() == [] and (tmp_path / NAME).stat().st_size == 0
    filled(tmp_path / NAME, 1)
    with Store(tmp_path / NAME) as again:
        assert list(again.states().values()) == [DONE]


def test_an_entry_in_whose_middle_the_client_was_killed_is_taken_back(tmp_path: Path) -> None:
    """The file as it lies on the disk then, half of an entry in it, with SQLite's journal beside it."""
    (tmp_path / "killed").mkdir()
    some = filled(tmp_path / NAME, 1, 2)
    with sqlite3.connect(tmp_path / NAME, isolation_level=None) as writer:
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE points SET state = 'waiting', result = ?", ("x" * 200_000,))
        for file in tmp_path.glob(f"{NAME}*"):
            (tmp_path / "killed" / file.name).write_bytes(file.read_bytes())
        writer.execute("ROLLBACK")
    writer.close()
    killed = tmp_path / "killed" / NAME
    assert b"xxxx" in killed.read_bytes() and killed.with_name(f"{NAME}-journal").stat().st_size > 0
    with Store(killed, read_only=True) as reader:
        assert reader.states() == {point.key: DONE for point in some} and reader.result(some[0].key) == RESULT
        with pytest.raises(CommandError, match="cannot be written"):
            reader.begin(some[0].key)


def test_a_full_disk_is_one_sentence_and_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    """SQLite's own limit stands for the disk: no page more than the file has."""
    some = points(*range(40))
    with Store(tmp_path / NAME) as made:
        made.add(some[:1])
        assert made._file is not None
        made._file.execute(f"PRAGMA max_page_count = {(tmp_path / NAME).stat().st_size // 4096}")
        with pytest.raises(CommandError, match=r"cannot be written \(database or disk is full\)"):
            made.add(some[1:])
        assert made.states() == {some[0].key: WAITING}


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no store"):
        Store(tmp_path / NAME, read_only=True)
    with Store(tmp_path / "file" / NAME) as made:
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(CommandError, match="cannot be written"):
            made.add(points(1))


def test_the_files_of_an_array_job_become_one(tmp_path: Path) -> None:
    """What is done stays, what failed elsewhere is taken, what waits elsewhere is not; no file twice changes anything."""
    one, two, three, four = points(1, 2, 3, 4)
    filled(array_jobs.file_of(tmp_path, 1, 2), 1, 2)
    with Store(array_jobs.file_of(tmp_path, 2, 2)) as other:
        other.add([three, four])
        other.begin(three.key)
        other.fail(three.key, "it cannot be.")
    with Store(tmp_path / NAME) as made:
        made.add([two, three, four])
        made.begin(two.key)
        made.finish(two.key, {**RESULT, "mine": True}, seconds=1.0, worker="here 2")
        for _ in range(2):
            assert array_jobs.collect(made, tmp_path) == 2
            assert made.states() == {two.key: DONE, three.key: FAILED, four.key: WAITING, one.key: DONE}
            assert made.result(one.key) == RESULT and made.result(two.key) == {**RESULT, "mine": True}
            assert [a.outcome for a in made.attempts(one.key)] == [DONE]
            assert [a.outcome for a in made.attempts(three.key)] == [FAILED]
        before = made.points()
        array_jobs.file_of(tmp_path, 2, 2).write_bytes(b"damaged" * 1000)
        with pytest.raises(UsageError, match="task-2-of-2"):
            array_jobs.collect(made, tmp_path)
        assert made.points() == before
    (tmp_path / "empty").mkdir()
    for folder, words in (("empty", "holds no file of a task"), ("missing", "missing")):
        with pytest.raises(UsageError, match=words):
            array_jobs.files(tmp_path / folder)
    shares = [array_jobs.share([one, two, three, four], task, 3) for task in (1, 2, 3)]
    assert sorted(p.key for share in shares for p in share) == sorted(p.key for p in (one, two, three, four))
    for text in ("0/2", "3/2", "1", "1/2/3", "a/b", "1/0"):
        with pytest.raises(UsageError, match="--task takes I/N"):
            array_jobs.parse_task(text)
