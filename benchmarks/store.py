"""Stored points: benchmarks/results/<experiment>.jsonl has one line for each point, sorted by label and options.

A line begins with the point's label and its options, which are its place: there is only one point with the same options. The
line also has the key of everything that decides the result (`identity`). A file is parsed once as long as it does not change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from analog_ff.output import folders, whole_files
from hardware_models import files
from hardware_models.check import UsageError

RESULTS = Path(__file__).resolve().parent / "results"
Version = tuple[int, ...]
"""Time of the last change [ns], size [B] and number of a file; empty if there is no file."""


def place_of(options: Mapping[str, Any]) -> str:
    """Return the place of a point within its experiment; its identity is another thing, the key inside (`identity`)."""
    return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()[:16]


def file_of(name: str) -> Path:
    """Return the file that holds the points of an experiment."""
    return RESULTS / f"{name}.jsonl"


def version_of(name: str) -> Version:
    """Return the version of an experiment's file, so that callers can keep values computed from it."""
    try:
        found = file_of(name).stat()
    except FileNotFoundError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def points(name: str) -> Mapping[str, dict[str, Any]]:
    """Return the stored points of an experiment by place, in the order of the file; callers must not change them."""
    return _parsed_once(file_of(name), version_of(name))


def point(name: str, options: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the stored point with these options, or None."""
    return points(name).get(place_of(options))


def keep(name: str, *new: Mapping[str, Any]) -> None:
    """Store finished points; each replaces an older point with the same options.

    The file is read again and written completely while the folder is locked: two processes that finish points at the same time
    lose none, and a killed process leaves the file unchanged.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    with folders.held(RESULTS, wait=True):
        whole_files.sweep(RESULTS)
        file = file_of(name)
        known = _parsed(file) if file.exists() else {}
        whole_files.write(file, written([*(known | {place_of(one["options"]): one for one in new}).values()]))


def written(found: list[Mapping[str, Any]]) -> str:
    """Return the lines of points in an order that does not change when a point is added."""
    ordered = sorted(found, key=lambda p: (p["label"], json.dumps(p["options"], sort_keys=True)))
    return "".join(json.dumps(p, separators=(",", ":")) + "\n" for p in ordered)


@cache
def _parsed_once(file: Path, version: Version) -> dict[str, dict[str, Any]]:
    return _parsed(file) if version else {}


def _parsed(file: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(files.contents(file, "stored points", most=files.LARGE).splitlines(), 1):
        where = f"{file}, line {number},"
        with files.reading(where, "a stored point"):
            one = json.loads(line)
            place = place_of(one["options"])
            assert isinstance(one["label"], str), "a point has a label"
        if place in found:
            raise UsageError(f"{where} has the options of an earlier line; keep one of the two.")
        found[place] = one
    return found
