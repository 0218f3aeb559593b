"""The report of a spiking run: its figures are those of its folder, and what a folder lacks is said."""

from __future__ import annotations

import json
import re
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from reading_pages import Report

from analog_ff.datasets.base import Dataset
from analog_ff.output.quantities import joules
from analog_ff.report import kinds
from analog_ff.runs import looks
from analog_ff.simulate import run_app
from analog_ff.spike import app
from analog_ff.spiking.accounting import read_events
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.presentations import training as training_plan
from analog_ff.spiking.simulation import Counts, Outcome
from analog_ff.spiking.synapses.base import Hardware, LayerCells
from analog_ff.spiking.synapses.lines import Reads
from hardware_models.check import UsageError
from hardware_models.events import Ledger
from hardware_models.load import load_device
from hardware_models.tiles import Tiling
from tests.conftest import REPORT

OPTIONS = ["--target", "numpy", "--data", "digits", "--layers", "4,3", "--epochs", "2", "--images-per-epoch", "3",
           "--test-images", "12", "--step", "3", "--device", "memristor"]  # fmt: skip
OF_DEVICES = ("device", "events", "integrals", "energy", "cells", "synaptic_operations")


def outcome(config: SpikingConfig, data: Dataset, *, quiet: bool) -> Outcome:
    """Return what a run of Brian2 could have found, drawn at random: all that a report shows follows from it."""
    draw, sizes = np.random.default_rng(0), (164, *config.layers)
    tested, layers = config.test_images, len(config.layers)
    training = training_plan(config, data.y_train, 10)
    shown = len(training)
    ledger, device = Ledger(), load_device(config.device)
    for phase, part in (("learn", slice(0, shown)), ("infer", slice(0, 10 * tested)), ("monitor", slice(0, tested))):
        for n, (inputs, cells) in enumerate(pairwise(sizes)):
            reads = Reads(*(draw.integers(1, 9, 10 * tested) for _ in Reads._fields))
            tiling = Tiling(inputs, 2 * cells, 256, 256)
            ledger.book(phase, read_events(device, tiling, config, n, reads, part, 1e-6, phase == "learn"), n)
    figures = {"share_at_bound": 0.25, "share_at_low": 0.25, "share_at_high": 0.0, "pulses_mean": 7.0}
    cells_found = [
        LayerCells(
            figures, draw.uniform(device.g_min, device.g_max, pair), draw.integers(0, 99, pair) if n == 0 else None
        )
        for n, (inputs, cells) in enumerate(pairwise(sizes))
        for pair in [(inputs, 2 * cells)]
    ]
    counts = tuple(draw.integers(0, 5, (2 * tested, n)).astype(np.float32) for n in config.layers)
    raster = tuple((draw.integers(0, n, 20), np.sort(draw.uniform(0.0, 90.0, 20))) for n in sizes)
    spikes = {what: tuple(draw.integers(0, 99, n) for n in sizes) for what in ("training", "testing")}
    return Outcome(
        draw.random((layers, tested, 10)), data.y_test[:tested], draw.random((layers, shown)), training,
        tuple(draw.standard_normal(pair).astype(np.float32) for pair in pairwise(sizes)), spikes,
        Counts(counts, raster, 90.0), Hardware(ledger, device, cells_found), {"build": 1.0, "run": 1.0},
    )  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder of a finished run with its report, and the last line that the command printed."""
    from contextlib import redirect_stdout
    from io import StringIO

    place, printed = tmp_path_factory.mktemp("spiking") / "run", StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
        patch.setattr("analog_ff.spiking.execute.draw", lambda *_, **__: None)  # pictures take longer than all the rest
        patch.setattr("analog_ff.spiking.execute.simulate", outcome)  # and so does Brian2
        patch.setattr(kinds, "write", REPORT)
        assert run_app(app, [*OPTIONS, "--out", str(place)]) == 0
    return place, printed.getvalue().splitlines()[-1]


@pytest.fixture
def copy(told: tuple[Path, str], tmp_path: Path) -> Path:
    return Path(shutil.copytree(told[0], tmp_path / "copy"))


def test_a_spiking_run_tells_its_report_last(told: tuple[Path, str]) -> None:
    folder, last = told
    assert last == f"report: {folder / kinds.NAME}" and (folder / kinds.NAME).stat().st_size < 1_000_000


def test_the_page_shows_what_the_run_found(told: tuple[Path, str]) -> None:
    """Errors, rates, spikes, energies with their sources, the command and the versions are those of result.json."""
    report, result = Report(told[0] / kinds.NAME), json.loads((told[0] / "result.json").read_text())
    report.check()
    drawn = " ".join(str(one.get("aria-label")) for one in report.all("svg"))
    for error in result["test_error_percent_by_readout"].values():
        assert f"{error:.2f} %" in report.text
    for layer in result["firing"]:
        for label in ("right_label", "wrong_label"):
            assert f"{layer[label]['mean_rate_hz']:.3g} Hz" in drawn
    for spikes in result["spikes_per_presentation"]["testing"]:
        assert f"{spikes:.3g} in the test" in drawn
    energy = result["energy"]
    for name, joule in energy["per_synaptic_operation_by_component_joule"].items():
        assert f"{name} {joules(joule)}" in drawn
    assert energy["published_per_synaptic_operation"]["source"] in report.text
    titles = ["Learning", "Confusion matrix", "Worst answers", "Receptive fields", "Rates and spikes",
              "Energy of a synaptic operation", "Devices behind the synapses", "Sources of the prices",
              "Command, choices and versions"]  # fmt: skip
    assert [title for title in titles if title not in report.text] == []
    assert report.text.count("is not shown") == 1
    assert "A histogram of the pulses of layer 1 is not shown: step tables" in report.text
    for n in (0, 1):
        assert f"Layer {n}: densities of the conductances of G+ and G-" in drawn
    assert "Layer 0: number of cells against pulses received" in drawn and "Layer 1: number of cells" not in drawn
    assert "python -m analog_ff spiking --data digits --epochs 2 --images-per-epoch 3" in report.text
    assert result["versions"]["brian2"] in report.text and result["inputs_sha256"]["data set digits"] in report.text


def test_what_the_run_notes_agrees_with_its_result(told: tuple[Path, str]) -> None:
    """The confusion matrix of each read-out has its error, and the weights are those of weights.npz."""
    found, result = looks.read(told[0]), json.loads((told[0] / "result.json").read_text())
    assert found is not None
    errors = {name: 100.0 * (1.0 - np.trace(counts) / counts.sum()) for name, counts in found.confusion.items()}
    assert errors == pytest.approx(result["test_error_percent_by_readout"])
    for one, (inputs, cells) in zip(found.cells.values(), result["shapes"], strict=True):
        assert one.cells == one.plus.sum() + one.minus.sum() == 2 * inputs * cells and one.plus.sum() == one.minus.sum()
    assert found.cells[0].pulses.sum() >= 0.999 * found.cells[0].cells and not found.cells[1].pulses.size
    with np.load(told[0] / "weights.npz") as kept:
        first = kept["arr_0"][:64].T.reshape(4, 8, 8)
    largest = np.abs(first).max()
    seen = np.array(found.fields).reshape(4, 8, 8) * found.largest
    # A weight is one of 255 levels from -largest to largest.
    assert found.largest == pytest.approx(largest) and np.abs(seen - first).max() <= 0.51 * largest / 127.0


def test_synapses_that_are_numbers_have_no_energy(copy: Path) -> None:
    result = json.loads((copy / "result.json").read_text())
    for name in OF_DEVICES:
        del result[name]
    result["config"]["device"] = "none"
    (copy / "result.json").write_text(json.dumps(result))
    report = Report(REPORT(copy))
    report.check()
    for what in ("energy of a synaptic operation", "energy of the run", "table of cells"):
        assert re.search(rf"(The|A) {what} is not shown: its synapses are numbers, [^.]+\.", report.text), what


def test_what_a_folder_lacks_is_said(copy: Path) -> None:
    """A folder of an earlier version has no looks.json; each section stays, with a sentence in the place of its picture."""
    for name in ("looks.json", "metrics.csv", "config.toml"):
        (copy / name).unlink()
    report = Report(REPORT(copy))
    report.check()
    for what in ("goodness of the layers", "confusion matrix", "picture of the worst answers", "picture of weights",
                 "command that repeats the run"):  # fmt: skip
        assert re.search(rf"(The|A) {what} is not shown: [^.]+\.", report.text), what


@pytest.mark.parametrize("name", ["firing", "spikes_per_presentation", "wall_seconds", "split", "images"])
def test_a_result_without_an_entry_is_one_sentence(copy: Path, name: str) -> None:
    result = json.loads((copy / "result.json").read_text())
    del result[name]
    (copy / "result.json").write_text(json.dumps(result))
    with pytest.raises(UsageError, match=f"result.json: the document lacks the entry '{name}'"):
        REPORT(copy)
