"""State of a sweep: counts of its points, the time left, the reasons of failures; read from the store, also while it runs."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence

from analog_ff.plain import Document
from analog_ff.sweeps.store import DIED, DONE, FAILED, RUNNING, STATES, WAITING, Store
from hardware_models.check import counted

PATIENCE = 60.0
"""Longest time between two lines on the progress [s]."""


def status(store: Store, keys: Sequence[str] | None = None) -> Document:
    """Return the counts of points by state, deaths of workers, the time left [s] (None if unknown), and failures by reason."""
    states = store.states(keys)
    counts = {state: sum(found == state for found in states.values()) for state in STATES}
    return {
        "points": len(states),
        **counts,
        "workers_died": sum(attempt.outcome == DIED for attempt in store.attempts() if attempt.key in states),
        "seconds_left": _left(store, counts),
        "failures": dict(Counter(reason for key, reason in store.reasons().items() if states.get(key) == FAILED)),
    }


def _left(store: Store, counts: Document) -> float | None:
    """Return the time that the open points take: the median duration of an attempt, shared by as many as are at work [s]."""
    opened = counts[WAITING] + counts[RUNNING]
    lasted = [a.ended - a.begun for a in store.attempts() if a.outcome == DONE and a.ended is not None]
    if not opened:
        return 0.0
    return opened * statistics.median(lasted) / max(counts[RUNNING], 1) if lasted else None


class Told:
    """Tells of the progress of a sweep at every tenth of its points, and at least once a minute while attempts end."""

    def __init__(self, store: Store, keys: Sequence[str], say: Callable[[str], None]) -> None:
        self._store, self._keys, self._say = store, keys, say
        self._ended, self._tenth, self._last = 0, 0, time.monotonic()

    def begin(self) -> None:
        """Tell what there is to do."""
        found = status(self._store, self._keys)
        self._ended = found[DONE] + found[FAILED]
        self._tenth = 10 * self._ended // len(self._keys)
        self._say(f"{counted(found['points'], 'point')}: {line(found)}")

    def one_more(self, *, ended: bool) -> None:
        """Note that an attempt has ended, and whether its point has ended with it."""
        self._ended += ended

    def tell(self) -> None:
        """Tell where the sweep stands, if it is time."""
        tenth = 10 * self._ended // len(self._keys)
        if tenth > self._tenth or time.monotonic() - self._last > PATIENCE:
            self._tenth, self._last = tenth, time.monotonic()
            self._say(line(status(self._store, self._keys)))


def line(found: Document) -> str:
    """Return a status in one line."""
    parts = [f"{found[state]} {state}" for state in (DONE, FAILED, RUNNING, WAITING) if found[state] or state == DONE]
    deaths = found["workers_died"]
    parts += [f"{counted(deaths, 'death')} of workers"] if deaths else []
    left = found["seconds_left"]
    return ", ".join(parts) + ("" if not left else f"; {duration(left)} left")


def duration(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
