"""The workers of a Dask cluster as the crew of a sweep.

A thread of a Dask worker drives a worker process of its own (`analog_ff.sweeps.child`), because a run needs a whole process. Dask
is imported only here.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import uuid
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING

from analog_ff.plain import Document
from analog_ff.sweeps.child import DIED, Child
from analog_ff.sweeps.crew import Outcomes
from hardware_models.check import CommandError, UsageError, shown

if TYPE_CHECKING:
    from distributed import Future

LEAST = 8
"""Least number of tasks that a cluster holds, so that one that grows with its work begins to grow."""
AHEAD = 2
"""Tasks that a cluster holds for each of its threads, so that none of them waits for the client."""
PATIENCE = 30.0
"""Time in which a scheduler has to answer a first call, and then the client; also the time to close the client in [s]."""
_CHILDREN: dict[tuple[str, int], Child] = {}
"""Worker processes of this Dask worker by sweep and thread."""


def in_child(sweep: str, threads: int, task: Document) -> Document:
    """Return the outcome of a task, carried out by the process that belongs to this thread of a Dask worker."""
    return _CHILDREN.setdefault((sweep, threading.get_ident()), Child(threads)).outcome(task)


def end_children(sweep: str) -> None:
    """End the processes of a sweep on this Dask worker."""
    for place in [place for place in _CHILDREN if place[0] == sweep]:
        _CHILDREN.pop(place).end()


async def _reached(address: str) -> None:
    """Connect to the scheduler once; raise an exception of any class if it does not answer in time.

    A client that cannot connect is left half made, and complains when Python throws it away; this leaves nothing behind.
    """
    from distributed.comm.core import connect
    from distributed.security import Security

    async with asyncio.timeout(PATIENCE):  # the library's own time does not end its wait for a server that stays silent
        comm = await connect(address, timeout=PATIENCE, **Security().get_connection_args("client"))
        await comm.close()


class ClusterCrew:
    """The workers behind the Dask scheduler at `address`; each run has so many threads.

    Raises UsageError if Dask is not installed or the scheduler does not answer.
    """

    def __init__(self, address: str, threads: int) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise UsageError("--scheduler needs Dask: pip install 'analog-ff[cluster]'.") from None
        where = shown(address, 200, quoted=False)
        try:
            asyncio.run(_reached(address))
            self._client = Client(address, timeout=PATIENCE, name="analog_ff sweep", set_as_default=False)
        except Exception as error:  # a wrong address, nobody there, a server of another kind
            reason = shown(" ".join(str(error).split()) or f"no answer in {PATIENCE:g} s", 160, quoted=False)
            raise UsageError(f"no Dask scheduler answers at {where} ({reason}).") from None
        self.outcomes: Outcomes = queue.Queue()
        self._sweep, self._threads, self._where = uuid.uuid4().hex, threads, where
        self._held: dict[str, Future[Document]] = {}
        self._ended = False

    def free(self) -> int:
        """Return the number of further tasks that the cluster should hold."""
        slots = sum(self._client.nthreads().values())
        return max(AHEAD * slots, LEAST) - len(self._held)

    def start(self, key: str, task: Document) -> None:
        """Hand a task to the scheduler; it runs the task elsewhere if a Dask worker dies of it."""
        name = f"analog_ff-{key}-{uuid.uuid4().hex}"
        future = self._client.submit(in_child, self._sweep, self._threads, task, key=name, pure=False)
        self._held[key] = future
        future.add_done_callback(lambda done: self._take(key, done))

    def _take(self, key: str, future: Future[Document]) -> None:
        """Put the outcome of a task into the queue; called in a thread of Dask's."""
        if self._ended:
            return
        outcome: Document | BaseException
        try:
            outcome = future.result()
        except CancelledError:
            outcome = CommandError(f"the Dask scheduler at {self._where} answers no more; the same command goes on.")
        except Exception as error:
            died = type(error).__name__ == "KilledWorker"
            reason = "several Dask workers died of it" if died else f"{type(error).__name__}: {error}"
            outcome = {"state": DIED if died else "failed", "reason": " ".join(reason.split()), "worker": self._where}
        self._held.pop(key, None)
        self.outcomes.put((key, outcome))

    def end(self) -> None:
        """Give up what the cluster still holds, and end the worker processes of this sweep."""
        if self._ended:
            return
        self._ended = True
        with suppress(Exception):  # the scheduler may be gone, and the sweep ends in any case
            self._client.cancel(list(self._held.values()), force=True)
            self._client.run(end_children, self._sweep, on_error="ignore")
        with suppress(Exception):
            self._client.close(timeout=PATIENCE)
