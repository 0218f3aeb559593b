"""Compile kernels ahead of a run, in a process of its own: ``python -m hardware_models.kernels.ahead < kernels``.

The standard input is what `hardware_models.kernels.calls.written` returns: kernels in the order in which the run calls them. The
run compiles from the front, this process from the back, so that the two meet and each kernel is compiled once.
"""

from __future__ import annotations

import importlib
import os
import pickle
import sys


def main() -> None:
    """Compile the kernels of standard input for this machine's cache, and end early with the process that began this one."""
    parent = os.getppid()
    for module, name, types in reversed(pickle.load(sys.stdin.buffer)):
        if os.getppid() != parent:
            return
        loop = getattr(importlib.import_module(module), name)
        dispatcher = getattr(loop, "dispatcher", loop)  # a serial loop is its own
        if not dispatcher._cache.busy():
            dispatcher.compile(types)


if __name__ == "__main__":
    main()
