"""One operation of this project and of another program: first whether both do the same, then their times in turn."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "speed"))

from timing import Turn, ratio, taking_turns

Table = list[dict[str, object]]


LEAST_NOISE = 1e-3
"""Noise below this share of the spread of the outputs counts as this share."""


class Agreement(NamedTuple):
    """The distance of the results of two programs, and the largest one that is allowed."""

    what: str
    apart: float
    limit: float

    @property
    def holds(self) -> bool:
        """True if both do the same operation."""
        return self.apart <= self.limit


class Comparison(NamedTuple):
    """An operation that two programs do."""

    peer: str
    operation: str
    agree: Callable[[], Agreement]
    ours: Callable[[], object]
    theirs: Callable[[], object]
    threads: tuple[int, ...] = (1, 2)
    """Numbers of threads that the other program can use or ignore."""
    runs: int = 3
    """Calls in a turn."""


def compared(one: Comparison, threads: int, rounds: int) -> dict[str, object]:
    """Return the row of a comparison: agreement, times and ratio, or a note if the results do not agree."""
    agreement = one.agree()
    row: dict[str, object] = {"peer": one.peer, "operation": one.operation, "threads": threads, "agreement": agreement.what,
                              "apart": agreement.apart, "limit": agreement.limit}  # fmt: skip
    if not agreement.holds:
        return {**row, "note": "does not agree, not timed"}
    calls = {"ours": Turn(one.ours), "theirs": Turn(one.theirs, free=True)}
    times = taking_turns(calls, threads, rounds, one.runs, warm=1)
    # theirs over ours: how many times faster this project is
    faster = ratio(times["theirs"], times["ours"])
    ours, theirs = (1e3 * float(np.median(times[side])) for side in ("ours", "theirs"))
    return {**row, "ours_ms": ours, "theirs_ms": theirs, **faster._asdict()}


def absent(peer: str, why: str) -> dict[str, object]:
    """Return the row of a program that cannot be asked."""
    return {"peer": peer, "operation": "all", "note": why}


def spread_apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the distance of two samples of noisy outputs (repeats, outputs): the larger of two shares.

    One is the difference of the standard deviations over repeats, pooled over outputs, as a share of it. The other is the
    deviation between the means, less what noise alone leaves in means of so many repeats, as a share of the outputs' own spread.
    """
    a, b = (float(np.sqrt(sample.var(axis=0).mean())) for sample in (ours, theirs))
    means = ours.mean(axis=0) - theirs.mean(axis=0)
    left = max(0.0, float(np.mean(means**2)) - (a * a + b * b) / len(ours))
    of_all = float(theirs.mean(axis=0).std())
    return max(abs(a - b) / max(a, LEAST_NOISE * of_all), float(np.sqrt(left)) / of_all)
