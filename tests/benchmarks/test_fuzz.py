"""A short run of benchmarks/fuzz.py: 200 damaged inputs a reader; and that the fuzzer sees what it looks for."""

from __future__ import annotations

import contextlib
import copy
import importlib
import random
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hardware_models.check import UsageError

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
readers, worker, mutations, forked = (
    importlib.import_module(f"fuzzing.{name}") for name in ("readers", "worker", "mutations", "forked")
)

INPUTS = 200


@pytest.mark.slow
@pytest.mark.parametrize("name", readers.READERS)
@pytest.mark.filterwarnings("ignore")
def test_damaged_files_are_read_or_refused_in_one_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process, without the memory limit of the command; what forks does so in a small process beside it."""
    bench = readers.READERS[name].begin(tmp_path)
    verdicts: dict[str, int] = {}
    faults = []
    before = worker._peak()
    with forked.Helper() if name == "nir" else contextlib.nullcontext(forked) as forks:
        monkeypatch.setattr(forked, "run", forks.run)
        for number in range(INPUTS):
            path = tmp_path / f"input{bench.suffix}"
            path.write_bytes(worker.input_of(name, 1, number, bench))
            verdict, words = worker.verdict_of(bench, path)
            verdicts[verdict] = verdicts.get(verdict, 0) + 1
            if verdict == "not clean":
                faults.append(f"input {number}: {words}")
    assert not faults, "\n".join(faults)
    assert worker._peak() - before < worker.MEMORY  # forks of the other process with it, now that it has ended
    assert verdicts["read"] >= 2 and verdicts["refused"] >= INPUTS // 4


def bench_of(read: Any) -> Any:
    return readers.Bench([b"a = 1\n"], readers.TOML, read, ".toml")


def exits(path: Path) -> None:
    raise SystemExit(0)


def two_sentences(path: Path) -> None:
    raise UsageError("a\nb.")


def endless(path: Path) -> None:
    while True:
        pass


def taken_for_a_fault(path: Path) -> None:
    try:
        endless(path)
    except Exception:
        raise UsageError("damaged.") from None


@pytest.mark.parametrize(
    ("read", "words"),
    [(exits, "SystemExit at test_fuzz.py"), (two_sentences, "no one sentence"), (endless, "more than"),
     (taken_for_a_fault, "more than"), (lambda path: 1 // 0, "ZeroDivisionError at test_fuzz.py")],
)  # fmt: skip
def test_what_is_not_clean_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Any, words: str) -> None:
    monkeypatch.setattr(worker, "SECONDS", 0.05)
    verdict, said = worker.verdict_of(bench_of(read), tmp_path / "x.toml")
    assert verdict == "not clean" and words in said


def test_too_much_memory_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = iter((1000, 1000 + worker.MEMORY + 1))
    monkeypatch.setattr(worker, "_peak", lambda: next(peaks))
    assert worker.verdict_of(bench_of(lambda path: None), tmp_path) == ("not clean", "300 MB of memory")


def test_lines_that_are_reached_are_counted() -> None:
    lines = worker.Lines(("hardware_models.units:to_si", "hardware_models.check:positive_int"))
    from hardware_models.check import positive_int

    with lines.traced():
        positive_int("a", "b", 3)
    reached = lines.reached()
    assert {file for file, _ in reached} == {"check.py"} and 0 < len(reached) < lines.number


def test_inputs_are_the_same_at_every_call(tmp_path: Path) -> None:
    """And differ from each other: the number of an input is enough to have it again."""
    bench = readers.READERS["npz"].begin(tmp_path)
    some = [worker.input_of("npz", 0, number, bench) for number in range(50)]
    assert some == [worker.input_of("npz", 0, number, bench) for number in range(50)]
    assert len(set(some)) > 45 and worker.input_of("npz", 1, 0, bench) != some[0]


def test_tables_that_are_written_are_valid() -> None:
    """What is changed by type of field is refused for the field, not for its spelling."""
    tree = tomllib.loads('a = 1\n[b]\nc = [1.5, "x"]\n[b.d]\ne = true\n')
    assert tomllib.loads(mutations.to_toml(tree).decode()) == tree
    draw, before = random.Random(0), copy.deepcopy(mutations.VALUES)
    valid = 0
    for _ in range(300):
        try:
            tomllib.loads(mutations.to_toml(mutations.of_tree(draw, tree)).decode())
            valid += 1
        except (tomllib.TOMLDecodeError, ValueError):
            pass
    assert valid > 200
    assert all(
        value == value_then for value, value_then in zip(mutations.VALUES, before, strict=True) if value == value
    )
