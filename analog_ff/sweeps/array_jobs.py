"""Array jobs of a batch system, without a scheduler of their own: each task has a share of the points and a file of its own."""

from __future__ import annotations

import re
from pathlib import Path

from analog_ff.registry.options import whole
from analog_ff.sweeps.points import Point
from analog_ff.sweeps.store import Store
from hardware_models.check import UsageError, shown
from hardware_models.files import reading

_FILE = re.compile(r"task-[0-9]+-of-[0-9]+\.sqlite")


def parse_task(text: str) -> tuple[int, int]:
    """Return (I, N) of "I/N" with 1 <= I <= N."""
    part, _, of = text.partition("/")
    try:
        task, tasks = whole(part), whole(of)
    except ValueError:
        task, tasks = 0, 0
    if not 1 <= task <= tasks:
        raise UsageError(f"--task takes I/N with 1 <= I <= N, such as 1/20, got {shown(text)}.")
    return task, tasks


def share(points: list[Point], task: int, tasks: int) -> list[Point]:
    """Return the points of one task: every N-th, so that long and short runs are spread over the tasks."""
    return points[task - 1 :: tasks]


def file_of(folder: Path, task: int, tasks: int) -> Path:
    """Return the store of one task in the folder that all tasks share."""
    return folder / f"task-{task}-of-{tasks}.sqlite"


def files(folder: Path) -> list[Path]:
    """Return the stores that tasks have left in a folder; raise UsageError if there are none."""
    with reading(folder, "the folder of an array job"):
        found = sorted(path for path in folder.iterdir() if _FILE.fullmatch(path.name))
    if not found:
        raise UsageError(
            f"{shown(str(folder), 200, quoted=False)} holds no file of a task, such as task-1-of-20.sqlite."
        )
    return found


def collect(store: Store, folder: Path) -> int:
    """Take what the tasks have done into a store, and return the number of files; a result that is there stays.

    All files are opened before anything is taken: one that is damaged is named, and the store stays as it is.
    """
    found = files(folder)
    taken = []
    for path in found:
        with Store(path, read_only=True) as one:
            taken.append((one.points(), one.attempts()))
    for points, attempts in taken:
        store.take(points, attempts)
    return len(found)
