"""Compiled kernels that several processes share: each is compiled by one of them, and a failure of one harms no other."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from hardware_models.kernels.compile import kernel

POSIX = pytest.mark.skipif(os.name != "posix", reason="locks of POSIX")
KERNEL = """
import sys, time
import numpy as np
from numba.core import event
from hardware_models.kernels import compiling
from hardware_models.kernels.compile import kernel

@kernel
def inner(x):
    return x * 2

@kernel
def outer(x):
    return inner(x) + 1

class Count(event.Listener):
    number = 0
    def on_start(self, started):
        if started.data["dispatcher"].py_func.__module__ == __name__:
            Count.number += 1
            time.sleep({pause})
    def on_end(self, ended):
        pass

event.register("numba:compile", Count())
assert outer(np.{kind}(20)) == 41
print(Count.number, compiling.seconds())
"""


def started(folder: Path, kind: str = "int64", pause: float = 0.5) -> subprocess.Popen[str]:
    """Start a process that calls a kernel of one file, which is written once: a process that starts may be reading it."""
    file = folder / "shared_kernels.py"
    text = KERNEL.replace("{pause}", str(pause)).replace("np.{kind}", "getattr(np, sys.argv[1])")
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache")}
    command = [sys.executable, str(file), kind]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, float]:
    """Return how many kernels a process has compiled, and the seconds that it counted."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    number, seconds = out.split()
    return int(number), float(seconds)


@POSIX
def test_two_processes_compile_each_kernel_once(tmp_path: Path) -> None:
    """They begin at once; both count the time, and a third one later compiles nothing and counts nothing."""
    both = [ended(process) for process in [started(tmp_path), started(tmp_path)]]
    assert sum(number for number, _ in both) == 2 and min(seconds for _, seconds in both) > 0.2
    assert ended(started(tmp_path)) == (0, 0.0)


@POSIX
def test_other_types_at_the_same_time_are_kept_apart(tmp_path: Path) -> None:
    """Without a lock both would be written to one file, and one of them lost or taken for the other."""
    kinds = ("int64", "float64", "int32", "float32")
    for process in [started(tmp_path, kind) for kind in kinds]:
        ended(process)
    assert [ended(started(tmp_path, kind))[0] for kind in kinds] == [0, 0, 0, 0]


@POSIX
def test_a_process_that_dies_while_it_compiles_leaves_no_lock(tmp_path: Path) -> None:
    """The operating system frees it: the next one compiles."""
    dying = started(tmp_path, pause=60.0)
    while not list((tmp_path / "cache").glob("*/*.lock")):
        assert dying.poll() is None
    dying.kill()
    dying.communicate()
    assert ended(started(tmp_path, pause=0.0))[0] == 2


@POSIX
def test_a_cache_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path) -> None:
    """Each process compiles for itself then."""
    (tmp_path / "cache").write_text("no folder")
    process = started(tmp_path, pause=0.0)
    assert ended(process)[0] == 2


def tripled(x):
    """Return three times x; the function of the kernel below."""
    return 3 * x


@pytest.mark.parametrize("left", [b"chardware_models.kernels.pulses\nNoSuchClass\n.", b"", b"\x80\x05garbage"])
def test_an_index_of_another_version_counts_as_empty(
    left: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kept index may name classes that have moved or been left out since: the kernel is compiled again."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    first = kernel(tripled)
    assert first(2) == 6
    file = first._cache._cache_file
    assert Path(file._index_path).is_relative_to(tmp_path)
    Path(file._index_path).write_bytes(pickle.dumps(file._version) + left)
    second = kernel(tripled)
    assert second(2) == 6 and sum(second.stats.cache_hits.values()) == 0
    assert kernel(tripled)(2) == 6
