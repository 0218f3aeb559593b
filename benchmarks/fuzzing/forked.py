"""The reader of HDF5 in a fork of this process: the same walk under the same limits, without 0.3 s for a new interpreter.

A fork of a process that holds much takes long, too. Such a process begins a `Helper`, a small one that forks in its place.
"""

from __future__ import annotations

import io
import os
import pickle
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

from hardware_models.hdf5 import walk
from hardware_models.hdf5.process import serve

__all__ = ["Helper", "run", "walk"]  # the walk is imported once, before the first fork


def run(question: bytes) -> tuple[int, bytes, bytes]:
    """Do the same as `hardware_models.hdf5.process.run` in a forked child, which handles one input and ends."""
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # Python warns about forks beside threads; the child does not use them
        child = os.fork()
    if not child:
        status = 1
        try:
            os.close(ours)
            with open(theirs, "wb") as sink:
                serve(io.BytesIO(question), sink)
            status = 0
        finally:
            os._exit(status)
    status = None
    try:
        os.close(theirs)
        with open(ours, "rb") as source:
            answer = source.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        if status is None:  # the child has exceeded its time
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return status, answer, b""


class Helper:
    """A small process beside this one whose forks answer questions; a context that ends it."""

    def __enter__(self) -> Helper:
        folder = Path(__file__).resolve().parents[1]
        code = f"import sys; sys.path[:0] = {[str(folder), str(folder.parent)]!r}; from fuzzing import forked; forked.listen()"
        self.process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def run(self, question: bytes) -> tuple[int, bytes, bytes]:
        """Return the answer of `run`."""
        assert self.process.stdin and self.process.stdout
        pickle.dump(question, self.process.stdin)
        self.process.stdin.flush()
        answer: tuple[int, bytes, bytes] = pickle.load(self.process.stdout)
        return answer

    def __exit__(self, kind: type[BaseException] | None, *more: Any) -> None:
        if kind is not None:  # out of time, perhaps in the middle of an answer
            self.process.kill()
        self.process.communicate()


def listen() -> None:
    """Answer questions until there are no more, each in a fork of its own."""
    while True:
        try:
            question = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(run(question), sys.stdout.buffer)
        sys.stdout.buffer.flush()
