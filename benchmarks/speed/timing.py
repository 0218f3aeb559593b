"""Times of calls that take turns in one run, their ratios with a spread, and the machine that they were measured on.

With one thread a time is processor time, which other processes disturb little: they share caches and memory, but their turns
on the core do not count. With several threads it is wall time, so other processes must be quiet. Calls take turns round by
round, so that a slow minute of the machine meets all of them. Import this module before NumPy starts its threads.
"""

from __future__ import annotations

import os

# Threads stay on their cores; otherwise the measurement would depend on how the operating system places them.
os.environ.setdefault("OMP_PROC_BIND", "true")

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, cast

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from analog_ff.output import whole_files
from analog_ff.runs.origin import versions
from hardware_models.kernels.products import one_blas_thread

RESULTS = Path(__file__).resolve().parents[1] / "results"
WARM = 2
"""Number of calls before the first one that counts."""
STAT = Path("/proc/stat")
MUCH = 0.1
"""Number of cores at work for other processes that a measurement with several threads should not have beside it."""
SPIN = 0.15
"""Time for which the threads of a BLAS go on spinning after a call, and would slow the next measurement [s]."""


class Turn(NamedTuple):
    """A call to time. `free` lets every BLAS use all threads; otherwise it is held to one thread, as in a training run."""

    call: Callable[[], object]
    free: bool = False


class Ratio(NamedTuple):
    """Ratio of two times over the rounds of one run."""

    median: float
    least: float
    most: float
    rounds: int

    def over(self, number: float) -> Ratio:
        """Return the ratio divided by a number."""
        return Ratio(self.median / number, self.least / number, self.most / number, self.rounds)


def now(threads: int) -> float:
    """Return the clock that fits the number of threads [s]: processor time for one, wall time for several."""
    return time.process_time() if threads == 1 else time.perf_counter()


def burst(call: Callable[[], object], threads: int = 2, runs: int = 7, warm: int = WARM) -> float:
    """Return the median time of `runs` successive calls [s], after a pause and `warm` calls."""
    if threads > 1:
        time.sleep(SPIN)
    times = []
    for i in range(warm + runs):
        start = now(threads)
        call()
        if i >= warm:
            times.append(now(threads) - start)
    return float(np.median(times))


def positive(text: str) -> int:
    """Return a whole number of at least 1 from the command line."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"should be a whole number of at least 1, got '{text}'")
    return int(text)


def thread_count(text: str) -> int:
    """Return a number of threads that this machine has, from the command line."""
    if positive(text) > numba.config.NUMBA_NUM_THREADS:  # type: ignore[attr-defined]
        most = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
        raise argparse.ArgumentTypeError(f"should be at most {most}, the threads of this machine, got '{text}'")
    return int(text)


def set_threads(threads: int) -> None:
    """Let the project's kernels use `threads` threads, or all that Numba was started with."""
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]


def taking_turns(
    calls: Mapping[str, Turn], threads: int, rounds: int, runs: int = 7, warm: int = WARM
) -> dict[str, np.ndarray]:
    """Time all calls in turn, `rounds` times; return for each one the median time of every round [s]."""
    set_threads(threads)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, turn in calls.items():
            with threadpool_limits(threads, user_api="blas") if turn.free else one_blas_thread():
                times[name].append(burst(turn.call, threads, runs, warm))
    return {name: np.array(found) for name, found in times.items()}


def pair(
    ours: Callable[[], object], theirs: Callable[[], object], threads: int, rounds: int, runs: int = 7
) -> tuple[float, float, Ratio]:
    """Time both calls in turn; return their median times [s] and the ratio ours/theirs. Only `theirs` has a free BLAS."""
    found = taking_turns({"ours": Turn(ours), "theirs": Turn(theirs, free=True)}, threads, rounds, runs)
    return float(np.median(found["ours"])), float(np.median(found["theirs"])), ratio(found["ours"], found["theirs"])


def ratio(ours: np.ndarray, theirs: np.ndarray) -> Ratio:
    """Return the ratio of two rows of times, round by round."""
    each = ours / theirs
    return Ratio(float(np.median(each)), float(each.min()), float(each.max()), len(each))


def machine() -> dict[str, str | float]:
    """Return the processor, the versions, and the work of other processes, which the times of a table belong to."""
    return {"cores": os.cpu_count() or 1, "others": others(), **versions()}


def others(seconds: float = 0.5) -> float:
    """Return the number of cores that other processes keep busy while this one sleeps; 0 where the system does not tell."""
    time.sleep(SPIN)  # threads of this process's own BLAS
    before = _ticks()
    time.sleep(seconds)
    busy = [now - then for now, then in zip(_ticks(), before, strict=True)]
    return (os.cpu_count() or 1) * busy[0] / busy[1] if busy and busy[1] else 0.0


def _ticks() -> list[int]:
    """Return the busy and the total time of all cores since the start of the system; [] where the system does not tell."""
    if not STAT.exists():
        return []
    user, nice, system, idle, waiting, *rest = (int(word) for word in STAT.read_text().split("\n")[0].split()[1:])
    busy = user + nice + system + sum(rest[:3])  # guests are in `user` already
    return [busy, busy + idle + waiting]


def warn(threads: Iterable[int]) -> None:
    """Tell that times with several threads mean little, if other processes are at work."""
    if max(threads) > 1 and (cores := others()) > MUCH:
        print(
            f"warning: other processes keep {cores:.1f} cores busy, and times with several threads need them all.",
            file=sys.stderr,
        )


def kept(file: Path, found: Mapping[str, object]) -> None:
    """Write a result to a file as JSON, as a whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    whole_files.write(file, json.dumps(found, indent=1) + "\n")


def stored(file: Path) -> dict[str, object]:
    """Return a stored result."""
    return cast("dict[str, object]", json.loads(file.read_text(encoding="utf-8")))
