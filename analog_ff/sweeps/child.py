"""A worker process as its parent sees it: it is given one task at a time, and may die of one."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from analog_ff.plain import Document

THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
           "VECLIB_MAXIMUM_THREADS")  # fmt: skip
"""Variables of the environment that limit the threads of a process; all must be set before it loads NumPy."""
PROGRAM = (sys.executable, "-m", "analog_ff.sweeps.worker")
"""Command that starts a worker process."""
GRACE = 5.0
"""Time in which a worker has to end when it is asked to [s]."""
DIED = "died"
HOST = socket.gethostname()


class Child:
    """A worker process with so many threads, started when it gets its first task, and again after each death.

    `log` is a file that takes the messages of the process; without one they go to standard error.
    """

    def __init__(self, threads: int, log: Path | None = None) -> None:
        self._environment = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._closed, self._lock = False, threading.Lock()
        self._at_work = threading.Lock()

    def outcome(self, task: Document) -> Document:
        """Return the outcome of a task (see `analog_ff.sweeps.worker`); "died" with the reason if the process ends in it."""
        with self._at_work:
            return self._outcome(task)

    def _outcome(self, task: Document) -> Document:
        with self._lock:
            if self._closed:
                return {"state": DIED, "reason": "its worker was ended", "worker": HOST}
            process = self._process = self._process if _alive(self._process) else self._started()
        assert process is not None and process.stdin is not None and process.stdout is not None  # they are pipes
        with suppress(OSError):  # it has died already, which the missing answer tells
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
        answer = process.stdout.readline()
        if answer.endswith("\n"):
            outcome: Document = json.loads(answer)
            return outcome
        status = process.wait()
        _close(process)
        return {"state": DIED, "reason": _said(status), "worker": f"{HOST} {process.pid}"}

    def end(self) -> None:
        """End the process, in the middle of a task or not; another thread that waits for an outcome sees it die."""
        with self._lock:
            self._closed, process = True, self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with self._at_work:  # until the other thread has seen it die
            _close(process)

    def _started(self) -> subprocess.Popen[str]:
        errors: IO[bytes] | None = None
        if self._log is not None:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            errors = self._log.open("ab")
        try:
            return subprocess.Popen(
                PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=errors, text=True, encoding="utf-8", env=self._environment, start_new_session=True,
            )  # fmt: skip
        finally:
            if errors is not None:
                errors.close()


def _close(process: subprocess.Popen[str]) -> None:
    """Close the pipes of a process that has ended."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # what it did not take is lost with it
                pipe.close()


def _alive(process: subprocess.Popen[str] | None) -> bool:
    return process is not None and process.poll() is None


def _said(status: int) -> str:
    """Return the end of a process in words, from its status."""
    if status >= 0:
        return f"its worker ended with status {status}"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    system = ", as the system does when memory runs out" if name == "SIGKILL" else ""
    return f"its worker was ended by {name}{system}"
