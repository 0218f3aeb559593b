"""Compiled kernels where they find no disk, no threads of their own, or company: one sentence, never a dead process."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core import caching
from threadpoolctl import threadpool_info

from hardware_models.check import RunError
from hardware_models.kernels import cache
from hardware_models.kernels import compile as compiling
from hardware_models.kernels.products import one_blas_thread
from hardware_models.kernels.random import normal
from hardware_models.keys import Key

ROOT = Path(__file__).resolve().parents[3]


def doubled(x):
    return 2 * x


def test_without_a_folder_for_the_cache_kernels_run_and_one_notice_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Another user's installation and a read-only home: Numba finds no place, and is not asked for one."""
    monkeypatch.setattr(cache, "_told", False)
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    first, second = compiling.kernel(doubled), compiling.kernel(doubled)
    assert first(3) == second(3) == 6
    assert len(caplog.records) == 1 and "NUMBA_CACHE_DIR" in caplog.text


def test_a_disk_that_refuses_the_cache_later_stops_no_kernel(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """The disk is full when the kernel is compiled: it runs all the same, in this call and the next."""
    monkeypatch.setattr(cache, "_told", False)

    def refuse(*anything: object) -> None:
        raise OSError(28, "No space left on device")

    made = compiling.kernel(doubled)
    monkeypatch.setattr(caching.IndexDataCacheFile, "save", refuse)
    assert made(1.5) == made(1.5) == 3.0
    assert len(caplog.records) == 1 and "No space left on device" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="nothing forks there")
def test_a_fork_of_a_process_with_openmp_threads_is_told_so() -> None:
    """GNU OpenMP would end the child at its first parallel kernel, by a signal; it gets a sentence instead."""
    normal((2, 2), Key(1, "fork"))
    if numba.threading_layer() != "omp":
        pytest.skip("these threads survive a fork")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python's own word on forks of threaded processes
        child = os.fork()
    if not child:
        try:
            normal((2, 2), Key(1, "fork"))
        except RunError as error:
            os._exit(17 if "spawn" in str(error) else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 17
    assert normal((2, 2), Key(1, "fork")).shape == (2, 2)  # the parent goes on


def test_python_threads_take_turns_where_numba_s_threads_bear_no_company() -> None:
    """The layer `workqueue` aborts the process when two threads are inside it; with the lock they get the usual bits."""
    code = (
        "import threading\n"
        "from hardware_models.keys import Key\n"
        "from hardware_models.kernels.random import normal\n"
        "sums = []\n"
        "def draw():\n"
        "    sums.append(sum(float(normal((60, 60), Key(1, 'turn')).sum()) for _ in range(60)))\n"
        "threads = [threading.Thread(target=draw) for _ in range(3)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "import numba; print(numba.threading_layer(), len(set(sums)), sums[0].hex())\n"
    )
    environment = {**os.environ, "NUMBA_THREADING_LAYER": "workqueue", "NUMBA_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    usual = sum(float(normal((60, 60), Key(1, "turn")).sum()) for _ in range(60))
    assert done.stdout.split() == ["workqueue", "1", usual.hex()], done.stderr


def test_blas_stays_on_one_thread_until_the_last_python_thread_has_left() -> None:
    """The first to leave does not lift the limit for one that is still at work."""

    def blas() -> set[int]:
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with one_blas_thread():
            inside.set()
            leave.wait()

    with one_blas_thread():
        pass
    before, thread = blas(), threading.Thread(target=first)
    thread.start()
    inside.wait()
    with one_blas_thread():
        leave.set()
        thread.join()
        assert blas() == {1}
        np.dot(np.ones((4, 4)), np.ones((4, 4)))
    assert blas() == before


def test_a_cached_kernel_is_not_taken_when_any_source_of_the_kernels_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Formulas of other files are inlined in it: Numba alone would go on with the old ones."""
    file = tmp_path / "one_kernel.py"
    file.write_text("def tripled(x):\n    return 3 * x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    tripled = importlib.import_module("one_kernel").tripled

    def hits(sources: str) -> int:
        monkeypatch.setattr(cache, "sources", lambda: sources)
        kernel = compiling.kernel(tripled)
        assert kernel(2) == 6
        return sum(kernel.stats.cache_hits.values())

    assert [hits(sources) for sources in ("before", "before", "after", "after")] == [0, 1, 0, 1]
