"""The processes of this machine that carry out the runs of a sweep; a crew takes tasks and gives their outcomes, in any order."""

from __future__ import annotations

import queue
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from analog_ff.plain import Document
from analog_ff.sweeps.child import Child

Outcomes = queue.Queue[tuple[str, Document | BaseException]]
"""(key, outcome of its task), or an exception that ends the sweep: the task could not be given to a worker."""


class Crew(Protocol):
    """Workers, here or elsewhere."""

    outcomes: Outcomes

    def free(self) -> int:
        """Return the number of further tasks that the crew takes now."""

    def start(self, key: str, task: Document) -> None:
        """Take a task, whose outcome will be in `outcomes`."""

    def end(self) -> None:
        """End all workers, in the middle of a task or not."""


class LocalCrew:
    """So many worker processes on this machine, each with so many threads; `logs` is the folder of their messages."""

    def __init__(self, workers: int, threads: int, logs: Path) -> None:
        self.outcomes: Outcomes = queue.Queue()
        self._children = [Child(threads, logs / f"worker-{number}.log") for number in range(1, workers + 1)]
        self._idle = deque(self._children)
        self._drivers = ThreadPoolExecutor(workers)

    def free(self) -> int:
        """Return the number of idle workers."""
        return len(self._idle)

    def start(self, key: str, task: Document) -> None:
        """Give a task to the worker that has been idle for longest."""
        self._drivers.submit(self._drive, self._idle.popleft(), key, task)

    def _drive(self, child: Child, key: str, task: Document) -> None:
        outcome: Document | BaseException
        try:
            outcome = child.outcome(task)
        except BaseException as error:  # the client raises it: a thread has nobody to tell
            outcome = error
        self._idle.append(child)
        self.outcomes.put((key, outcome))

    def end(self) -> None:
        """End all workers, those at work where they are; it may be called twice."""
        with ThreadPoolExecutor(len(self._children)) as ending:
            list(ending.map(Child.end, self._children))
        self._drivers.shutdown()
