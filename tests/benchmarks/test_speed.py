"""The measurements of speed: what binds an operation, what counts as worse, and that nothing is timed that does not agree."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path += [str(BENCHMARKS), str(BENCHMARKS / "speed"), str(BENCHMARKS / "peers")]
baseline, ceilings, comparison, operations, roofline, speed_pages, times, timing = (
    importlib.import_module(name)
    for name in ("baseline", "ceilings", "comparison", "operations", "roofline", "speed_pages", "times", "timing")
)
LIMITS = ceilings.Ceilings(flop=100.0, memory=10.0, cache=50.0, normal=5.0, coarse=8.0, uniform=20.0)


def row(median: float) -> object:
    return baseline.Row(1.0, 1.0, timing.Ratio(median, median, median, 1))


def test_the_longest_of_the_least_times_binds() -> None:
    assert roofline.least(operations.Work(flop=200.0, bytes=10.0), LIMITS) == (2.0, "products")
    assert roofline.least(operations.Work(flop=200.0, normal=30.0), LIMITS) == (6.0, "random numbers")
    large = ceilings.CACHED + 1.0
    assert roofline.least(operations.Work(bytes=large), LIMITS) == (large / 10.0, "memory")
    assert roofline.least(operations.Work(bytes=ceilings.CACHED), LIMITS) == (ceilings.CACHED / 50.0, "memory (cache)")


def test_pulses_touch_whole_lines_of_memory() -> None:
    """Few pulses touch a line each, and pulses on all cells touch all lines."""
    assert operations.lines(1e-6) == pytest.approx(16e-6, rel=1e-4)
    dense = operations.pulsed(100, 2.0)
    assert dense.bytes == 100 * 100 * (4 + 64 + 8)
    assert dense.coarse == 2 * 100 * 100


def test_the_stored_baseline_has_a_row_for_every_operation() -> None:
    """The names do not depend on the size, so that small layers have those of the stored ones."""
    stored = timing.stored(baseline.RESULT)
    names = [operation.name for operation in operations.operations(64, 4)]
    assert len(names) == len(set(names)) >= 15
    for kind, size in baseline.SIZES.items():
        table = {f"{name}; threads: {threads}": {} for name in names for threads in size.threads}
        assert not baseline.unmatched(table, baseline.rows_of(stored, kind), size.threads)


def test_rows_of_one_table_alone_are_told() -> None:
    before = {"a; threads: 1": {}, "b; threads: 2": {}}
    assert baseline.unmatched({"a; threads: 1": {}}, before, (1,)) == []
    assert baseline.unmatched({"c; threads: 1": {}}, before, (1,)) == [
        "the baseline lacks 'c; threads: 1'", "no operation has the row 'a; threads: 1'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("measured", "tries", "worse"), [([1.0], 1, False), ([1.5, 1.3, 1.1], 3, False), ([1.5, 1.3, 1.3], 3, True)]
)
def test_a_row_is_worse_only_if_it_is_each_time(
    monkeypatch: pytest.MonkeyPatch, measured: list[float], tries: int, worse: bool
) -> None:
    left = list(measured)
    monkeypatch.setattr(baseline, "row_of", lambda *_: row(left.pop(0)))
    one = operations.Operation("read", lambda: None, operations.Work(), (1, 1, 1))
    monkeypatch.setattr(baseline, "operations", lambda *_: [one])
    before = {"read; threads: 1": {"median": 1.0}}
    _, found = baseline.compare(baseline.Size(8, 2, (1,), 1), before, tries="if worse")
    assert bool(found) is worse
    assert len(measured) - len(left) == tries


def test_two_calls_that_take_turns_have_the_ratio_of_their_work() -> None:
    """The ratio of a call to itself doubled is near a half, and its spread holds the median."""
    a = np.random.default_rng(0).random((200, 200))

    def once() -> None:
        a @ a

    def twice() -> None:
        a @ a
        a @ a

    _, _, found = timing.pair(once, twice, threads=1, rounds=5)
    assert found.least <= found.median <= found.most
    assert found.rounds == 5
    assert timing.ratio(np.array([1.0, 2.0, 6.0]), np.array([1.0, 1.0, 2.0])) == timing.Ratio(2.0, 1.0, 3.0, 3)


def test_what_does_not_agree_is_not_timed() -> None:
    called = []
    agree = comparison.Agreement("distance", 0.2, 0.1)
    one = comparison.Comparison("other", "sum", lambda: agree, lambda: called.append(1), lambda: called.append(2))
    found = comparison.compared(one, threads=1, rounds=2)
    assert "does not agree" in found["note"]
    assert not called
    assert "median" in comparison.compared(one._replace(agree=lambda: agree._replace(apart=0.05)), threads=1, rounds=2)
    assert called


def test_a_program_that_is_not_there_is_named() -> None:
    (found,) = times.table("CrossSim", None, [1], 1)
    assert found == {"peer": "CrossSim", "operation": "all", "note": "absent: --crosssim names no checkout"}
    assert "CrossSim" in times.line(found)


def test_noisy_outputs_are_compared_by_mean_and_noise() -> None:
    """Equal distributions are near each other; another noise or another mean is seen."""
    rng = np.random.default_rng(0)
    means = rng.standard_normal(500)
    one, other, louder = (means + scale * rng.standard_normal((200, 500)) for scale in (0.1, 0.1, 0.12))
    assert comparison.spread_apart(one, other) < 0.01
    assert comparison.spread_apart(one, louder) == pytest.approx(0.2, abs=0.01)
    assert comparison.spread_apart(one, 1.1 * other) > 0.05
    assert comparison.spread_apart(np.tile(means, (3, 1)), np.tile(means, (3, 1))) == 0.0


def test_the_page_says_why_two_threads_are_slower_than_twice_one() -> None:
    loss = {"speedup": 1.5, "serial_share": 0.3, "work_grows": 1.2}
    assert speed_pages.reason(loss) == (
        "one core works alone for 30% of the step; the work takes 1.20 times the processor time"
    )
    assert speed_pages.reason(loss | {"speedup": 1.9}) == ""
    assert "other processes" in speed_pages.reason(loss | {"serial_share": 1.2})


def test_work_of_other_processes_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """The first line of /proc/stat counts ticks; a quarter of them busy is half a core of two."""
    lines = iter(("cpu 100 0 0 900 0 0 0 0 0 0\n", "cpu 100 0 0 900 0 0 0 0 0 0\n", "cpu 125 0 0 975 0 0 0 0 0 0\n"))
    file = tmp_path / "stat"

    def sleep(_: float) -> None:
        file.write_text(next(lines))

    sleep(0.0)  # before it there is no file
    monkeypatch.setattr(timing, "STAT", file)
    monkeypatch.setattr(timing.time, "sleep", sleep)
    monkeypatch.setattr(timing.os, "cpu_count", lambda: 2)
    assert timing.others() == pytest.approx(0.5)
    monkeypatch.setattr(timing, "others", lambda: 0.5)
    timing.warn([1])
    assert not capsys.readouterr().err
    timing.warn([1, 2])
    assert "0.5 cores busy" in capsys.readouterr().err
