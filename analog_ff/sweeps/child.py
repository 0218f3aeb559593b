"""A worker process as its parent sees it: it is given one task at a time, and may die of one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from analog_ff.plain import Document

THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
           "VECLIB_MAXIMUM_THREADS")  # fmt: skip
"""Variables of the environment that limit the threads of a process; all must be set before it loads NumPy."""
GRACE = 5.0
"""Time in which a worker has to end when it is asked to [s]."""
DIED = "died"


class Child:
    """A worker process with so many threads, started when it gets its first task, and again after each death.

    `log` is a file that takes the messages of the process; without one they go to standard error.
    """

    def __init__(self, threads: int, log: Path | None = None) -> None:
        self._environment = {**os.environ, **dict.fromkeys(THREADS, str(threads))}
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._closed = False

    def outcome(self, task: Document) -> Document:
        """Return the outcome of a task (see `analog_ff.sweeps.worker`); "died" with the reason if the process ends in it."""
        process = self._started()
        assert process.stdin is not None and process.stdout is not None  # they are pipes
        with suppress(OSError):  # it has died already, which the missing answer tells
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
        answer = process.stdout.readline()
        if answer.endswith("\n"):
            outcome: Document = json.loads(answer)
            return outcome
        status, self._process = process.wait(), None
        worker = f"{os.uname().nodename if hasattr(os, 'uname') else ''} {process.pid}".strip()
        return {"state": DIED, "reason": _said(status), "worker": worker}

    def end(self) -> None:
        """End the process, in the middle of a task or not; another thread that waits for an outcome sees it die."""
        self._closed = True
        if (process := self._process) is None:
            return
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            errors: IO[bytes] | None = None if self._log is None else self._log.open("ab")
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "analog_ff.sweeps.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=errors, text=True, encoding="utf-8", env=self._environment, start_new_session=True,
                )  # fmt: skip
            finally:
                if errors is not None:
                    errors.close()
        return self._process


def _said(status: int) -> str:
    """Return how a process ended, in words."""
    if status >= 0:
        return f"its worker ended with status {status}"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    system = ", which the system sends when memory runs out" if name == "SIGKILL" else ""
    return f"its worker was ended by {name}{system}"
