"""A finished run as its report sees it: everything that its folder holds, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from analog_ff.output import folders
from analog_ff.plain import Document
from analog_ff.runs.account import account
from analog_ff.runs.looks import Histograms, Looks, in_cells, read
from analog_ff.runs.result_file import read_run
from analog_ff.runs.stored import lines_of
from hardware_models.check import UsageError

METRICS = "metrics.csv"


@dataclass(frozen=True)
class Finished:
    """A finished run."""

    folder: Path
    result: Document
    metrics: list[dict[str, float]]  # a line an epoch; empty where the folder has none
    looks: Looks | None  # None for a run of an earlier version
    cells: Mapping[int, Histograms]  # by layer of the chip; empty where nothing was seen of them
    account: Document | None  # the energy account; None where the run cannot be priced
    unpriced: str  # why, in a sentence

    @property
    def kind(self) -> str:
        """The set that the run was tested on: "test" or "validation"."""
        return "test" if self.result["split"] == "final" else "validation"

    @property
    def errors(self) -> dict[str, float]:
        """Error of each read-out on that set [%], that of the headline first."""
        found = dict(self.result[f"{self.kind}_error_percent_by_readout"])
        headline = self.result["config"].get("readout")
        return {name: found[name] for name in sorted(found, key=lambda name: name != headline)}


def finished(folder: Path) -> Finished:
    """Return the finished run in a folder; raise UsageError where there is none, or a file of it is damaged."""
    result = read_run(str(folder))
    priced, why = None, ""
    try:
        priced = account(result, result["config"]["technology"])
    except UsageError as error:  # such as a technology file that is no longer there
        why = str(error).rstrip(".")
    looks = read(folder)
    device = result["device"]
    seen = looks.cells if looks is not None else in_cells(folder, (device["g_min"], device["g_max"]))
    metrics = lines_of(folder / METRICS) if folders.has(folder, METRICS) else []
    return Finished(folder, result, metrics, looks, seen, priced, why)
