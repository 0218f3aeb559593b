"""What all tests share: where the full data sets lie, and which tests need them."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from unpictured import unpictured

from analog_ff.plain import Document
from analog_ff.report import kinds
from analog_ff.runs import cells, first_use, plots
from analog_ff.sweeps import child, crew, worker
from hardware_models.chip import process_port
from hardware_models.hdf5 import process

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"


def full_data() -> Path | None:
    """Return the folder of the full data sets: ANALOG_FF_DATA, else ../shared/data beside the checkout, else None."""
    place = Path(os.environ.get("ANALOG_FF_DATA") or BESIDE)
    return place if place.is_dir() else None


# No message and no processes that compile ahead: a test may be the first use of a kernel on a machine.
os.environ.setdefault(first_use.SWITCH, "0")
os.environ.setdefault("OMP_PROC_BIND", "false")  # the benchmarks would pin this process to one core

# Looked at once, before any test changes its environment.
FULL_DATA = full_data()


PICTURES = {
    "learning_curve": plots.learning_curve,
    "ages_of_a_chip": plots.ages_of_a_chip,
    "_picture": cells._picture,
}
"""What draws the pictures of a run."""
REPORT = kinds.write
"""What writes a report."""


@pytest.fixture(scope="session", autouse=True)
def _no_pictures() -> Iterator[None]:
    """Write two bytes for each picture and report of a run: drawing takes longer than the small runs of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        unpictured(patch.setattr)
        yield


RUN_HDF5 = process.run
"""What begins the process that reads an HDF5 file."""


def _answer_here(question: bytes) -> tuple[int, bytes, bytes]:
    from hardware_models.hdf5.walk import walk

    asked, _, image = question.partition(b"\n")
    about = json.loads(asked)
    return 0, b"".join(process.answer(walk, image, about["where"], about["left"])), b""


@pytest.fixture(scope="session", autouse=True)
def _no_hdf5_process() -> Iterator[None]:
    """Read HDF5 files of others in this process: a new one takes longer than the small files of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "run", _answer_here)
        yield


@pytest.fixture
def hdf5_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read HDF5 files of others in a process of their own in this test."""
    monkeypatch.setattr(process, "run", RUN_HDF5)


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw the pictures of a run in this test."""
    for name in ("learning_curve", "ages_of_a_chip"):
        monkeypatch.setattr(plots, name, PICTURES[name])
    monkeypatch.setattr(cells, "_picture", PICTURES["_picture"])


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the reports of finished folders in this test."""
    monkeypatch.setattr(kinds, "write", REPORT)


@pytest.fixture(scope="session")
def _warm_processes() -> Iterator[None]:
    """Fork the processes of chips from one that has loaded what they need, where the system can: a new one loads it each time."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        yield
        return
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["hardware_models.chip.process_port", "hardware_models.chip.chip"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process_port, "multiprocessing", SimpleNamespace(get_context=lambda method: context))
        yield


@pytest.fixture(autouse=True)
def _warm(request: pytest.FixtureRequest) -> None:
    if "spawned" not in request.fixturenames:
        request.getfixturevalue("_warm_processes")


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start the process of a chip in this test as the program does, from nothing."""
    monkeypatch.setattr(process_port, "multiprocessing", multiprocessing)


class _HereChild(child.Child):
    """A worker that carries out its tasks in this process, one at a time, with the documents that a pipe would carry."""

    _alone = threading.Lock()
    _over = False

    def outcome(self, task: Document) -> Document:
        with self._alone:
            if self._over:
                return {"state": child.DIED, "reason": "its worker was ended", "worker": child.HOST}
            done: Document = json.loads(json.dumps(worker.carried_out(json.loads(json.dumps(task)))))
            return done

    def end(self) -> None:
        self._over = True


@pytest.fixture
def runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Carry out the runs of sweeps, studies and ablations in this process: a new one takes longer than small runs.

    For tests of what is made of the runs; those of the worker process itself take real ones.
    """
    monkeypatch.setattr(crew, "Child", _HereChild)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Share the whole suite between two processes, file by file, where pytest-xdist is installed; -n 0 runs it in one.

    A few files or tests that are asked for run in this process. Two, not one a core: each compiles its kernels itself when
    there is no cache yet. The whole suite leaves out what is marked slow, which `pytest -m slow` runs, and so does the whole
    check of a change, but for what is marked longest.
    """
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    parallel = config.pluginmanager.hasplugin("xdist") and not config.getvalue("usepdb")
    if whole and not config.option.markexpr:  # here and in each of the two processes, which get the same command
        config.option.markexpr = "not slow"
    if "PYTEST_XDIST_WORKER" in os.environ or (os.cpu_count() or 1) == 1:
        return
    if whole and parallel and config.option.numprocesses is None:
        config.option.numprocesses = 2
        config.option.dist = "loadfile"
        config.option.tx = ["popen"] * 2


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case of bytes by its argument: compressed bytes hold the time, and both processes must name it alike."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests marked full_mnist where the files are not at hand."""
    if FULL_DATA is not None:
        return
    absent = pytest.mark.skip(reason="needs the full data sets: set ANALOG_FF_DATA to their folder")
    for item in items:
        if item.get_closest_marker("full_mnist"):
            item.add_marker(absent)


@pytest.fixture(scope="session")
def full_data_dir() -> Path:
    """Return the folder of the full data sets, for tests marked full_mnist."""
    if FULL_DATA is None:
        pytest.skip("needs the full data sets: set ANALOG_FF_DATA to their folder")
    return FULL_DATA
