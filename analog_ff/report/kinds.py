"""The kinds of folders that have a report: runs, runs of spiking networks, comparisons, studies, specifications and sweeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from analog_ff.output import folders, whole_files
from analog_ff.report.page import html
from analog_ff.report.parts import Page
from analog_ff.report.shapes import fitting
from analog_ff.runs.stored import CONFIG, RESULT
from analog_ff.spiking.config import SpikingConfig
from hardware_models import files
from hardware_models.check import UsageError, shown
from hardware_models.tables import resolve

NAME = "report.html"


class Kind(NamedTuple):
    """One kind of folder."""

    file: str  # by which it is known
    place: str  # of the function that makes its page
    about: str
    choice: str = ""  # in the `config` of that file; tells kinds with the same file apart


KINDS = (
    Kind(RESULT, "analog_ff.report.spiking:page", "a finished run of the spiking network", SpikingConfig.telling[-1]),
    Kind(RESULT, "analog_ff.report.run:page", "a finished run"),
    Kind("compare.json", "analog_ff.report.comparison:page", "a comparison"),
    Kind("improve.json", "analog_ff.report.improvement:page", "a study of improve"),
    Kind("specification.json", "analog_ff.report.improvement:page", "a specification"),
    Kind("mortal.json", "analog_ff.report.mortality:page", "a study of mortal computation"),
    Kind("ablation.json", "analog_ff.report.ablation:page", "an ablation"),
    Kind("sweep.sqlite", "analog_ff.report.sweep:page", "a sweep"),
)
"""The kinds; a folder is of the first one that it has the file of, and whose choice is in that file."""


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
    for kind in KINDS:
        if _is(folder, kind):
            page: Callable[[Path], Page] = resolve(kind.place)
            with fitting(folder / kind.file, kind.about):
                text = html(page(folder))
            whole_files.write(folder / NAME, text)
            return folder / NAME
    if folders.has(folder, CONFIG):
        raise UsageError(
            f"{where} holds a run that is not finished: go on with it by --resume, which writes its report at the end."
        )
    known = ", ".join(f"{kind.about} ({kind.file})" for kind in KINDS)
    raise UsageError(f"{where} holds nothing that has a report; expected the folder of one of these: {known}.")


def _is(folder: Path, kind: Kind) -> bool:
    """Tell whether a folder is of a kind; a file that cannot be read is of the kind that needs no choice, which refuses it."""
    if not folders.has(folder, kind.file):
        return False
    if not kind.choice:
        return True
    try:
        found = files.json_object(files.contents(folder / kind.file, "result", most=files.LARGE), folder / kind.file)
    except UsageError:
        return False
    config = found.get("config")
    return isinstance(config, dict) and kind.choice in config
