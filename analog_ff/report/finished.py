"""A finished run as its report sees it: everything that its folder holds, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from analog_ff.output import folders
from analog_ff.plain import Document
from analog_ff.report.shapes.runs import ChipRun, SpikingRun
from analog_ff.runs.account import account
from analog_ff.runs.looks import Histograms, Looks, in_cells, read
from analog_ff.runs.result_file import read_run
from analog_ff.runs.stored import METRICS, RESULT, epochs_of
from hardware_models import figures, files
from hardware_models.check import UsageError, shown


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


NUMBERS = "its synapses are numbers, which count nothing that has a price; --device puts a device behind each of them"


def finished(folder: Path) -> Finished:
    """Return the finished run of `simulate` in a folder; raise UsageError where there is none, or a file of it is damaged."""
    result = _shaped(folder, read_run(str(folder)), ChipRun)
    looks, device = read(folder), result["device"]
    seen = looks.cells if looks is not None else in_cells(folder, (device["g_min"], device["g_max"]))
    return Finished(folder, result, _metrics(folder), looks, seen, *_priced(result))


def spiking(folder: Path) -> Finished:
    """Return the finished run of `spiking` in a folder; raise UsageError where there is none, or a file of it is damaged."""
    place = folder / RESULT
    result = _shaped(folder, files.json_object(files.contents(place, "run"), place, "the result of a run"), SpikingRun)
    priced: tuple[Document | None, str] = (None, NUMBERS)
    if "events" in result:
        priced = _priced(read_run(str(folder)))
    looks = read(folder)
    return Finished(folder, result, _metrics(folder), looks, {} if looks is None else looks.cells, *priced)


def _shaped(folder: Path, result: Document, kind: object) -> Document:
    where = shown(str(folder / RESULT), 200, quoted=False)
    if "schema" in result:  # the first versions wrote none
        figures.schema(result, where)
    files.shaped(result, kind, where)
    errors = f"{'test' if result['split'] == 'final' else 'validation'}_error_percent_by_readout"
    if not result.get(errors):
        raise UsageError(f"{where} lacks the entry '{errors}', which should have the error of each read-out [%].")
    return result


def _priced(result: Document) -> tuple[Document | None, str]:
    """Return the energy account of a run, or None and the reason why it cannot be priced."""
    try:
        return account(result, result["config"]["technology"]), ""
    except UsageError as error:  # such as a technology file that is no longer there
        return None, str(error).rstrip(".")


def _metrics(folder: Path) -> list[dict[str, float]]:
    """Return the lines of metrics.csv; none where the folder has no such file."""
    return epochs_of(folder) if folders.has(folder, METRICS) else []
