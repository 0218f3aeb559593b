"""Carry out the points of a sweep: each once, whatever happens to the workers or to this process."""

from __future__ import annotations

import os
import queue
import shutil
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from analog_ff.output import folders
from analog_ff.output.messages import tell
from analog_ff.plain import Document
from analog_ff.runs.execute import KEEP
from analog_ff.runs.first_use import cores
from analog_ff.runs.interrupt import Interruptible
from analog_ff.runs.model import MODEL
from analog_ff.sweeps.child import DIED
from analog_ff.sweeps.crew import Crew, LocalCrew
from analog_ff.sweeps.points import Point, check
from analog_ff.sweeps.progress import Told
from analog_ff.sweeps.store import DONE, FAILED, INTERRUPTED, RUNNING, WAITING, Store
from hardware_models.check import CommandError, UsageError, positive_int
from hardware_models.places import place_now
from hardware_models.tables import entry

RUNS = "runs"
"""Folder of the run folders, beside the store; a run's folder has its key as its name."""
LOGS = "workers"
"""Folder of the messages of the workers of this machine, beside the store."""
MOST_WORKERS = 4096
PAUSE = 0.5
"""Longest time until a wish to stop is noticed [s]."""


def run_points(
    points: Sequence[Point],
    store: Store,
    *,
    workers: int | None = None,
    threads: int | None = None,
    scheduler: str | None = None,
    keep: str = "none",
    retries: int = 3,
    again: bool = False,
    folder: Path | None = None,
    done: Callable[[str], None] = lambda key: None,
    say: Callable[[str], None] = tell,
) -> None:
    """Run the points that have no result yet; results, failures and their reasons are in the store.

    A point that is done never runs again. One whose worker dies is run again in another process, going on from its last
    checkpoint; one whose run ends with an error fails with its sentence, and the others go on. After Ctrl-C or a kill, the same
    call goes on.

    Parameters
    ----------
    points : the points; those of the store that are not among them are left alone.
    store : keeps what happens.
    workers : processes on this machine; by default one for each core.
    threads : threads of each of them; by default the cores are shared out. On a cluster the default is 1.
    scheduler : address of a Dask scheduler whose workers carry out the runs, such as "tcp://127.0.0.1:8786".
    keep : what stays of the folder of a finished run: "none" of it, or as `analog_ff.runs.execute.execute` says.
    retries : how often a point is run again whose worker has died.
    again : run points again that have failed before.
    folder : takes run folders and the messages of workers; by default the folder of the store.
    done : is called with the key of each point whose result is in the store from now on.
    say : takes lines on the progress.

    Raises
    ------
    UsageError : before anything is written; for points see `analog_ff.sweeps.points.check`. CommandError : workers cannot be
    started or reached. KeyboardInterrupt : the sweep was stopped, points at work wait again.
    """
    check_how(workers=workers, threads=threads, scheduler=scheduler, keep=keep, retries=retries)
    check(points)
    place = folder or store.path.parent
    states = store.states([point.key for point in points])
    opened = [p for p in points if states.get(p.key) not in ((DONE,) if again else (DONE, FAILED))]
    if not opened:
        return
    with ExitStack() as closing:
        crew = _crew(min(len(opened), workers or cores()), threads, scheduler, place)
        closing.callback(crew.end)
        folders.there(place)
        closing.enter_context(folders.held(place, work="sweep", option="--folder"))
        sweep = _Sweep(points, store, place, keep, retries, done, say)
        stopping = closing.enter_context(Interruptible())
        try:
            sweep.take_up(again=again)
            sweep.carry_out(crew, stopping.check)
        except KeyboardInterrupt as stopped:
            raise type(stopped)("interrupted; the same command goes on with the sweep") from None
        finally:
            crew.end()
            sweep.give_back()


def check_how(*, workers: int | None, threads: int | None, scheduler: str | None, keep: str, retries: int) -> None:
    """Raise UsageError for a way of running that is none."""
    if workers is not None and scheduler is not None:
        raise UsageError(
            "--workers is the number of processes of this machine; a cluster has its own: leave --workers out."
        )
    entry("choice of --keep", keep, KEEP)
    positive_int("a sweep", "--retries", retries, 0, 1000)
    for name, number in (("--workers", workers), ("--threads", threads)):
        if number is not None:
            positive_int("a sweep", name, number, 1, MOST_WORKERS)


def _crew(workers: int, threads: int | None, scheduler: str | None, folder: Path) -> Crew:
    if scheduler is not None:
        from analog_ff.sweeps.cluster import ClusterCrew

        return ClusterCrew(scheduler, threads or 1)
    return LocalCrew(workers, threads or max(1, cores() // workers), folder / LOGS)


class _Sweep:
    """The points of one call, and which of them wait or are at work."""

    def __init__(
        self,
        points: Sequence[Point],
        store: Store,
        place: Path,
        keep: str,
        retries: int,
        done: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        self._points = {point.key: point for point in points}
        self._store, self._runs, self._keep, self._retries = store, place.absolute() / RUNS, keep, retries
        self._done, self._told = done, Told(store, list(self._points), say)
        self._deaths = dict.fromkeys(self._points, 0)
        self._here = place_now() or os.getcwd()
        self._working: set[str] = set()
        self.waiting: deque[str] = deque()

    def take_up(self, *, again: bool) -> None:
        """Enter the points, and find out which wait: the client of those that run has ended without a word."""
        self._store.add(self._points.values())
        self._store.wait(self._keys(RUNNING), "the sweep was ended", outcome=INTERRUPTED)
        if again:
            self._store.wait(self._keys(FAILED), "run again", outcome=FAILED)
        self.waiting.extend(self._keys(WAITING))

    def _keys(self, state: str) -> list[str]:
        return [key for key, found in self._store.states(self._points).items() if found == state]

    def carry_out(self, crew: Crew, check_stop: Callable[[], None]) -> None:
        """Hand out points until each has an outcome."""
        self._told.begin()
        while self.waiting or self._working:
            while self.waiting and crew.free() > 0:
                self._hand_out(self.waiting.popleft(), crew)
            self._told.tell()
            check_stop()
            with suppress(queue.Empty):
                self._take(*crew.outcomes.get(timeout=PAUSE))
                while True:  # all that have ended, before more are handed out
                    self._take(*crew.outcomes.get_nowait())
        self._told.tell()

    def _hand_out(self, key: str, crew: Crew) -> None:
        point = self._points[key]
        self._store.begin(key)
        self._working.add(key)
        crew.start(
            key,
            {
                "command": point.command,
                "config": point.config.as_dict(),
                "folder": str(self._runs / key),
                "here": self._here,
                "keep": self._keep,
                "model": MODEL,
            },
        )

    def _take(self, key: str, outcome: Document | BaseException) -> None:
        if isinstance(outcome, OSError):
            raise CommandError(f"a worker cannot be started ({outcome.strerror or outcome}).") from outcome
        if isinstance(outcome, BaseException):
            raise outcome
        self._book(key, outcome)

    def _book(self, key: str, outcome: Document) -> None:
        """Write down how an attempt has ended; a point whose worker has died waits behind the others."""
        state, worker = outcome["state"], outcome["worker"]
        self._working.remove(key)
        if state == DIED and self._deaths[key] < self._retries:
            self._deaths[key] += 1
            self._store.wait([key], outcome["reason"], worker=worker)
            self.waiting.append(key)
        elif state == DONE:
            self._store.finish(key, outcome["result"], seconds=outcome["seconds"], worker=worker)
            if self._keep == "none":
                shutil.rmtree(self._runs / key, ignore_errors=True)
            self._done(key)
        else:
            times = self._deaths[key] + 1
            last = f" (attempt {times} of {times})" if state == DIED else ""
            self._store.fail(key, f"{outcome['reason'].rstrip('.')}{last}.", worker=worker, outcome=state)
        self._told.one_more(ended=key not in self.waiting)

    def give_back(self) -> None:
        """Let points wait again that are still at work when the sweep is stopped."""
        self._store.wait(sorted(self._working), "the sweep was stopped", outcome=INTERRUPTED)
