"""The kinds of folders that have a report: of a run, a comparison, an improvement, a specification or a sweep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from analog_ff.output import folders, whole_files
from analog_ff.report.page import html
from analog_ff.report.parts import Page
from analog_ff.runs.stored import CONFIG, RESULT
from hardware_models import files
from hardware_models.check import UsageError, shown
from hardware_models.tables import Row, resolve

NAME = "report.html"
KINDS: Mapping[str, Row] = {
    RESULT: Row("analog_ff.report.run:page", "a finished run"),
    "compare.json": Row("analog_ff.report.comparison:page", "a comparison"),
    "improve.json": Row("analog_ff.report.improvement:page", "a study of improve"),
    "specification.json": Row("analog_ff.report.improvement:page", "a specification"),
    "sweep.sqlite": Row("analog_ff.report.sweep:page", "a sweep"),
}
"""File by which a folder is known, the first that is there -> what makes its page, and what the folder holds."""


def write(folder: Path) -> Path:
    """Write report.html of a finished folder, and return its path.

    Raises
    ------
    UsageError : if the folder is none, or holds nothing that has a report, or a file of it is damaged.
    RunError : if the page cannot be written.
    """
    where = shown(str(folder), 200, quoted=False)
    if not folder.is_dir():
        raise UsageError(
            f"{where} {'is a file' if folder.exists() else 'does not exist'}; expected the folder of a finished run."
        )
    for name, kind in KINDS.items():
        if folders.has(folder, name):
            page: Callable[[Path], Page] = resolve(kind.place)
            with files.reading(folder / name, kind.about):
                text = html(page(folder))
            whole_files.write(folder / NAME, text)
            return folder / NAME
    if folders.has(folder, CONFIG):
        raise UsageError(
            f"{where} holds a run that is not finished: go on with it by --resume, which writes its report at the end."
        )
    known = ", ".join(f"{kind.about} ({name})" for name, kind in KINDS.items())
    raise UsageError(f"{where} holds nothing that has a report; expected the folder of one of these: {known}.")
