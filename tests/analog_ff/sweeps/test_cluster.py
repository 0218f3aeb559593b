"""A Dask cluster as the crew of a sweep: the same points, the same store; and the campaign of disturbed sweeps in short."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from analog_ff.sweeps import child, cluster
from analog_ff.sweeps.store import DONE, FAILED, NAME, Store
from benchmarks import sweep_campaign
from hardware_models.check import UsageError
from tests.analog_ff.sweeps.test_execute import ROOT, begun, outcomes, points, run
from tests.toy_worker import FAILS, ONCE, POISON

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="sends signals"),
    pytest.mark.filterwarnings("ignore::ResourceWarning:distributed"),
]


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the address of a scheduler with two threads, whose runs are those of the toy."""
    monkeypatch.setattr(child, "PROGRAM", (sys.executable, "-m", "tests.toy_worker"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0") as made:
        yield made.scheduler_address


def test_a_cluster_carries_out_each_point_once(tmp_path: Path, scheduler: str) -> None:
    bad, once, poison, *good = points(FAILS, ONCE, POISON, *range(5))
    with Store(tmp_path / NAME) as store:
        run(store, [bad, once, poison, *good], scheduler=scheduler, workers=None, retries=1)
        assert [store.states()[p.key] for p in (bad, once, poison)] == [FAILED, DONE, FAILED]
        assert all(store.states()[p.key] == DONE for p in good)
        assert outcomes(store, once) == ["died", "done"] and outcomes(store, poison) == ["died", "died"]
        assert all(begun(store)[p.key] == 1 for p in (bad, *good))
        assert store.result(good[0].key)["threads"] == "1"  # type: ignore[index]
    assert not cluster._CHILDREN, "the worker processes end with the sweep"


def _answer_as_another_kind(server: socket.socket) -> None:
    """Take one connection and answer with a page of the web, whose first bytes promise a message of exabytes."""
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        connection.settimeout(10)
        with suppress(OSError):
            connection.recv(1)


def test_a_scheduler_that_does_not_answer_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Nobody there, no address, another scheme, a server that stays silent, and a server of another kind."""
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    silent, other = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    threading.Thread(target=_answer_as_another_kind, args=(other,), daemon=True).start()
    ports = [server.getsockname()[1] for server in (silent, other)]
    for server in (silent, other):
        request.addfinalizer(server.close)
    there = [f"tcp://127.0.0.1:{port}" for port in ports]
    for address in ("tcp://127.0.0.1:9", "nonsense", "http://127.0.0.1:9", *there):
        with (
            Store(tmp_path / "new" / NAME) as store,
            pytest.raises(UsageError, match=f"no Dask scheduler answers at {address}"),
        ):
            run(store, points(1), scheduler=address, workers=None)
    assert not any(tmp_path.iterdir())


def test_without_dask_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with Store(tmp_path / NAME) as store, pytest.raises(UsageError, match=r"analog-ff\[cluster\]"):
        run(store, points(1), scheduler="tcp://127.0.0.1:9", workers=None)


@pytest.mark.slow
@pytest.mark.parametrize(
    "part", ["kills", *(pytest.param(name, marks=pytest.mark.longest) for name in ("scheduler", "stops"))]
)
def test_disturbed_sweeps_end_as_undisturbed_ones(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Real runs, whose workers, Dask workers and clients are killed."""
    assert sweep_campaign.main(["--points", "16", "--parts", part]) == 0, capsys.readouterr()


def test_the_campaign_sees_what_is_wrong(tmp_path: Path) -> None:
    """A point that ran twice, one that is missing, one with another result."""
    campaign = sweep_campaign.Campaign(tmp_path, 2)
    campaign.points = 2
    some = points(1, 2)
    results: dict[str, list[tuple[Any, int]]] = {
        "right": [({"error": 1.0}, 1), ({"error": 2.0}, 1)],
        "twice": [({"error": 1.0}, 2), ({"error": 2.0}, 1)],
        "other": [({"error": 1.0}, 1), ({"error": 3.0}, 1)],
        "short": [({"error": 1.0}, 1)],
    }
    for name, of_points in results.items():
        with Store(tmp_path / name / NAME) as store:
            for point, (result, times) in zip(some, of_points, strict=False):
                store.add([point])
                for _ in range(times):
                    store.begin(point.key)
                    store.finish(point.key, result, seconds=1.0, worker="here")
    assert campaign.faults("right", "right") == []
    for name, words in (("twice", "had the attempts"), ("other", "has another result"), ("short", "1 points, not 2")):
        assert words in " ".join(campaign.faults(name, "right"))
