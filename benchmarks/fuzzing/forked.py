"""The reader of HDF5 in a fork of this process: the same walk with the same limits, without 0.3 s for a new interpreter."""

from __future__ import annotations

import io
import os
import signal
import warnings

from hardware_models.hdf5 import walk
from hardware_models.hdf5.process import serve

__all__ = ["run", "walk"]  # the walk is imported once, before the first fork


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
