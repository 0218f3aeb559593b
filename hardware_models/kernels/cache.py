"""Compiled kernels on disk: shared by all processes of a machine, and each compiled by one of them.

Numba's own cache has no lock. Two processes that compile one kernel for different arguments at the same time could give both the
same file. Here a process that needs a kernel which another one is compiling waits for it and loads the result.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from numba.core.caching import FunctionCache

from hardware_models.kernels import compiling

if sys.platform != "win32":
    import fcntl

_told = False


@cache
def sources():
    """Return the SHA-256 of all sources in this folder."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


class SharedCache(FunctionCache):
    """Numba's cache on disk; if the disk is full or missing, the kernel still runs, compiled in memory.

    Numba uses a cached kernel as long as the kernel's own file is unchanged. A kernel also contains inlined formulas of other
    files, so this class asks that all sources of this folder be unchanged.
    """

    def __init__(self, function):
        super().__init__(function)
        self._cache_file._source_stamp = (self._cache_file._source_stamp, sources())
        self._read_index = self._cache_file._load_index
        self._cache_file._load_index = self._known
        self._lock = None  # descriptor of the lock while this process compiles the kernel

    def _known(self):
        """Return the index of the compiled kernels; an index that names what this version no longer has counts as empty."""
        try:
            return self._read_index()
        except (AttributeError, ImportError, EOFError, pickle.UnpicklingError):
            return {}

    def load_overload(self, sig, target_context):
        """Return a compiled kernel, None if this process has to compile it; `save_overload` then lets others load it."""
        found = super().load_overload(sig, target_context)
        if found is None and self._lock is None:
            started = time.perf_counter()
            self._lock = self._locked(wait=True)
            compiling.waited(time.perf_counter() - started)
            found = super().load_overload(sig, target_context)  # another process may have compiled it meanwhile
            if found is not None:
                self._release()
        return found

    def save_overload(self, sig, data):
        """Save a compiled kernel; if that fails, warn once."""
        try:
            super().save_overload(sig, data)
        except OSError as problem:
            tell(problem.strerror or type(problem).__name__)
        finally:
            self._release()

    def busy(self):
        """Return True if another process is compiling this kernel now."""
        if sys.platform == "win32":
            return False
        lock = self._locked(wait=False)
        if lock is not None:
            os.close(lock)
        return lock is None

    def _locked(self, *, wait):
        """Return the descriptor of the lock; None if another process has it, or if there are no locks here."""
        if sys.platform == "win32":
            return None
        lock = None
        with suppress(OSError):
            self._impl.locator.ensure_cache_path()
            lock = os.open(self._cache_file._index_path + ".lock", os.O_RDWR | os.O_CREAT, 0o666)
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            return lock
        if lock is not None:
            os.close(lock)
        return None

    def _release(self):
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def tell(why):
    """Warn, once in a process, that compiled kernels cannot be saved."""
    global _told
    if not _told:
        _told = True
        logging.getLogger("hardware_models").warning(
            "compiled kernels cannot be kept on disk (%s), so every process compiles them again: "
            "set NUMBA_CACHE_DIR to a folder that can be written to.",
            why,
        )
