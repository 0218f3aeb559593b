"""Every point once, whatever happens: workers are killed, run out of memory, the client is stopped or killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from analog_ff.config.config import Config
from analog_ff.sweeps import child
from analog_ff.sweeps.execute import LOGS, RUNS, run_points
from analog_ff.sweeps.points import Point, resolved
from analog_ff.sweeps.progress import status
from analog_ff.sweeps.store import DIED, DONE, FAILED, INTERRUPTED, NAME, WAITING, Store
from hardware_models.check import UsageError
from hardware_models.load import load_device
from tests import toy_worker
from tests.toy_worker import FAILS, FAT, ONCE, POISON, SLOW

ROOT = Path(__file__).resolve().parents[3]
TOY = {"data": "toy", "preset": "plain", "layers": "8"}
pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")


@pytest.fixture(autouse=True)
def _quick_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "PROGRAM", (sys.executable, "-m", "tests.toy_worker"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / NAME) as made:
        yield made


def points(*seeds: int) -> list[Point]:
    return [Point(resolved("simulate", {**TOY, "seed": seed, "chip-seed": seed}), {"seed": seed}) for seed in seeds]


def run(store: Store, some: list[Point], **how: Any) -> list[str]:
    said: list[str] = []
    run_points(some, store, **{"workers": 2, "threads": 1, "say": said.append, **how})
    return said


def begun(store: Store) -> Counter[str]:
    """Return how often the runs of the points were begun."""
    return Counter((store.path.parent / RUNS / "begun").read_text().split())


def outcomes(store: Store, point: Point) -> list[str | None]:
    return [attempt.outcome for attempt in store.attempts(point.key)]


def test_each_point_runs_once_and_its_result_is_kept(store: Store) -> None:
    some = points(*range(7))
    said = run(store, some)
    assert begun(store) == Counter({point.key: 1 for point in some})
    for stored, point in zip(store.points(), some, strict=True):
        assert (stored.key, stored.state, stored.attempts) == (point.key, DONE, 1) and stored.worker
        assert stored.result == {**toy_worker.result_of(stored.result["config"]), "threads": "1"}  # type: ignore[index]
        assert stored.result["config"]["seed"] == point.factors["seed"]
    assert said[0].startswith("7 points: 0 done") and said[-1] == "7 done"
    assert not [p for p in (store.path.parent / RUNS).iterdir() if p.is_dir()], "nothing of the runs is kept"
    run(store, [*some, *points(7)])
    assert begun(store) == Counter({point.key: 1 for point in [*some, *points(7)]}), "what is done does not run again"


def test_what_is_kept(store: Store) -> None:
    (point,) = points(1)
    run(store, [point], keep="last")
    assert (store.path.parent / RUNS / point.key / "been").exists()
    assert [file.name for file in (store.path.parent / LOGS).iterdir()] == ["worker-1.log"], (
        "one point needs one worker"
    )


def test_a_point_that_fails_says_why_and_stops_no_other(store: Store) -> None:
    bad, fat, *good = points(FAILS, FAT, 1, 2)
    run(store, [bad, fat, *good], retries=1)
    found = {point.key: point for point in store.points()}
    assert [found[point.key].state for point in good] == [DONE, DONE]
    assert (found[bad.key].state, found[bad.key].reason) == (FAILED, "the run of the test cannot go on.")
    assert outcomes(store, bad) == [FAILED], "an error of the run is the same in another process"
    assert outcomes(store, fat) == [DIED, DIED] and "memory" in str(found[fat.key].reason)
    assert status(store)["failures"] == {"the run of the test cannot go on.": 1, found[fat.key].reason: 1}
    run(store, [bad])
    assert outcomes(store, bad) == [FAILED]
    run(store, [bad], again=True)
    assert outcomes(store, bad) == [FAILED, FAILED]


def test_a_worker_that_dies_is_replaced_and_its_point_runs_again(store: Store) -> None:
    once, poison, *good = points(ONCE, POISON, 1, 2, 3)
    run(store, [once, poison, *good], retries=2)
    found = {point.key: point for point in store.points()}
    assert [found[p.key].state for p in (once, *good)] == [DONE] * 4
    assert outcomes(store, once) == [DIED, DONE]
    assert found[poison.key].state == FAILED and outcomes(store, poison) == [DIED] * 3
    assert found[poison.key].reason == (
        "its worker was ended by SIGKILL, as the system does when memory runs out (attempt 3 of 3)."
    )
    assert begun(store) == Counter({once.key: 2, poison.key: 3, **{p.key: 1 for p in good}})
    assert status(store)["workers_died"] == 4


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_is_killed_from_outside(store: Store, kill: signal.Signals) -> None:
    (slow,) = points(SLOW)
    killed: list[int] = []

    def kill_it() -> None:
        _until(lambda: (store.path.parent / RUNS / slow.key / "been").exists())
        (pid,) = _children()
        killed.append(pid)
        os.kill(pid, kill)

    killer = threading.Thread(target=kill_it)
    killer.start()
    run(store, [slow, *points(1)], retries=0)
    killer.join()
    found = {point.key: point for point in store.points()}[slow.key]
    assert found.state == FAILED and kill.name in str(found.reason)
    assert found.worker is not None and found.worker.endswith(f" {killed[0]}")


def _children() -> list[int]:
    """Return the worker processes of this one that carry out a slow run: the oldest."""
    found = subprocess.run(
        ["pgrep", "-P", str(os.getpid()), "-f", "toy_worker"], capture_output=True, text=True, check=True
    )
    return [int(pid) for pid in found.stdout.split()][:1]


def _until(happened: Callable[[], object]) -> None:
    end = time.monotonic() + 60.0
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


CLIENT = """
import sys
from pathlib import Path
from analog_ff.config.config import Config
from analog_ff.sweeps import child
child.PROGRAM = (sys.executable, "-m", "tests.toy_worker")
from tests.analog_ff.sweeps.test_execute import points, run
from analog_ff.sweeps.store import Store
with Store(Path(sys.argv[1])) as store:
    run(store, points(*map(int, sys.argv[2:])))
"""


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_client_that_is_stopped_goes_on(tmp_path: Path, stop: signal.Signals) -> None:
    """Its workers end with it, points at work wait again, and what is done is not run again."""
    some = points(1, 2, SLOW)
    file = tmp_path / NAME
    words = [sys.executable, "-c", CLIENT, str(file), "1", "2", str(SLOW)]
    client = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True, preexec_fn=_with_ctrl_c)
    _until(lambda: file.exists() and file.stat().st_size > 0)
    with Store(file, read_only=True) as looked:
        _until(
            lambda: (
                (tmp_path / RUNS / some[2].key / "been").exists() and list(looked.states().values()).count(DONE) == 2
            )
        )
        assert status(looked)["running"] == 1
    with Store(file) as second, pytest.raises(UsageError, match="another process works"):
        run(second, some)
    workers = _of(client.pid)
    client.send_signal(stop)
    said = client.communicate(timeout=30)[1]
    _until(lambda: not any(_lives(pid) for pid in workers))
    with Store(file) as store:
        if stop != signal.SIGKILL:
            assert store.states()[some[2].key] == WAITING and outcomes(store, some[2]) == [INTERRUPTED], said
        run(store, some[:2])
        assert begun(store) == Counter({point.key: 1 for point in some})
        run(store, points(3))
        assert store.states()[points(3)[0].key] == DONE


def _with_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit "ignore"


def _of(parent: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=True)
    return [int(pid) for pid in found.stdout.split()]


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_wrong_ways_write_nothing(tmp_path: Path) -> None:
    same = [Point(points(1)[0].config, {"a": value}) for value in (1, 2)]
    own = [Point(Config(data="toy", device=load_device("memristor")), {})]  # type: ignore[arg-type]
    for some, how, words in (
        (points(1), {"workers": 0}, "--workers"),
        (points(1), {"threads": 0}, "--threads"),
        (points(1), {"scheduler": "tcp://127.0.0.1:9"}, "leave --workers out"),
        (points(1), {"keep": "some"}, "--keep"),
        (points(1), {"retries": -1}, "--retries"),
        (same, {}, "a 1 and a 2 are the same run"),
        (own, {}, "needs the name or the file of a device, not an object"),
    ):
        with Store(tmp_path / "new" / NAME) as store, pytest.raises(UsageError, match=words):
            run(store, some, **how)
    assert not any(tmp_path.iterdir())
