"""The kernels of this project on a machine: where they are kept, and how many are compiled there."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Iterator
from pathlib import Path

from analog_ff.plain import Document
from hardware_models import kernels
from hardware_models.kernels.cache import SharedCache


def kept() -> Document:
    """Return the folder of the compiled kernels, whether it can be written to, and how many kernels of all are compiled there.

    A kernel is one that Python calls; it counts as compiled if the cache has it for at least one set of types, from the sources
    of today. ``folder`` is None where no folder can be written to, so that every process compiles its kernels again.
    """
    caches = list(_caches())
    found = [cache for cache in caches if cache is not None]
    folder = Path(found[0].cache_path) if found else None
    return {
        "folder": None if folder is None else str(folder),
        "writable": folder is not None and _writable(folder),
        "compiled": sum(bool(cache._cache_file._load_index()) for cache in found),
        "known": len(caches),
    }


def _caches() -> Iterator[SharedCache | None]:
    """Yield the cache of each kernel that Python calls; None for one that has no folder to be kept in."""
    for module in pkgutil.iter_modules(kernels.__path__):
        for kernel in vars(importlib.import_module(f"{kernels.__name__}.{module.name}")).values():
            dispatcher = getattr(
                kernel, "dispatcher", None
            )  # what `parallel_kernel` leaves on the functions it returns
            if dispatcher is not None and kernel.py_func.__module__.endswith(f".{module.name}"):
                yield dispatcher._cache if isinstance(dispatcher._cache, SharedCache) else None


def _writable(folder: Path) -> bool:
    """Tell whether files can be made in a folder, or in the nearest folder above it that exists."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return os.access(there, os.W_OK)
