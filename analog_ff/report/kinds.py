"""Which report a folder has: a run, a comparison, an improvement, a specification or a sweep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from analog_ff.output import folders, whole_files
from analog_ff.report import run
from analog_ff.report.page import html
from analog_ff.report.parts import Page
from analog_ff.runs.stored import RESULT
from hardware_models.check import UsageError, shown

NAME = "report.html"
KINDS: Mapping[str, tuple[str, Callable[[Path], Page]]] = {
    RESULT: ("a finished run", run.page),
}
"""File by which a folder is known, the first that is there -> what the folder holds, and what makes its page."""


def write(folder: Path) -> Path:
    """Write report.html of a finished folder, and return its path.

    Raises
    ------
    UsageError : if the folder holds nothing that has a report, or a file of it is damaged. RunError : if the page cannot be
        written.
    """
    for name, (_, page) in KINDS.items():
        if folders.has(folder, name):
            whole_files.write(folder / NAME, html(page(folder)))
            return folder / NAME
    known = ", ".join(f"{what} ({name})" for name, (what, _) in KINDS.items())
    raise UsageError(f"{shown(str(folder), 200, quoted=False)} holds nothing that has a report; expected the folder of {known}.")
