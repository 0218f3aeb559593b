"""The comparison of reads with exact wires over a training: it finds a stale matrix, and changes nothing of the run."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardware_models.crossbar.cells import Cells
from hardware_models.crossbar.crossbar import Crossbar
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.wires import Interconnect

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
wires_training = importlib.import_module("wires_training")
SMALL = {"device": "memristor", "data": "digits", "shift": 0, "layers": "20,12", "epochs": 1, "tile": "32x32",
         "wire-resistance": 200.0}  # fmt: skip


def test_an_error_is_that_of_the_worst_current_of_a_tile() -> None:
    """Cells that have moved are followed by shares on one array and solved anew on its twin: two matrices, two currents."""
    device, tile = load_device("memristor"), (4, 8)
    wires = {mode: Interconnect(300.0, 300.0, mode=mode, every=1000) for mode in ("refreshed", "exact")}
    mine, truth = (Crossbar(device, (6, 4), key=Key(0, "test"), tile=tile, wires=one) for one in wires.values())
    v = np.random.default_rng(1).uniform(0.1, 1.0, (3, 6)).astype(np.float32)
    v[2, :4] = 0.0  # nothing flows in the first tile
    mine.partial_currents(v)
    assert np.nanmax(wires_training.errors(mine.cells, wires["refreshed"], v)) < 1e-4
    for array in (mine, truth):
        array.pulse(np.full((6, 4), 6, np.int32))
        array.partial_currents(v)
    found = wires_training.errors(mine.cells, wires["refreshed"], v)
    for number, rows in enumerate((slice(0, 4), slice(4, 6))):
        followed, exact = (v[:, rows].astype(float) @ array.cells.seen()[rows] for array in (mine, truth))
        with np.errstate(invalid="ignore"):
            wanted = np.abs(followed - exact).max(axis=1) / np.abs(exact).max(axis=1)
        assert found[number] == pytest.approx(wanted, rel=0.01, nan_ok=True)
        assert np.nanmin(found[number]) > 1e-4
    assert np.isnan(found).sum() == 1


def test_a_run_under_comparison_has_the_bits_of_one_without() -> None:
    """`point` itself compares the folders of both runs, and raises where they differ."""
    found = wires_training.point(SMALL)
    batches = [[line["batch"] for line in layer["compared"]] for layer in found["layers"]]
    assert batches == [list(range(0, found["batches"], wires_training.EVERY))] * 2
    for layer in found["layers"]:
        errors = [line["largest"] for line in layer["compared"]]
        assert errors[0] < 1e-4 < max(errors)  # no cell has moved since the first solution, then they do
        assert all(0.0 < line["median"] <= line["largest"] for line in layer["compared"])
        assert len(layer["solved"]) <= layer["tracking"]["solutions"]


def test_a_comparison_that_solves_the_wires_of_the_run_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = wires_training.errors

    def meddling(cells: Cells, wires: Interconnect, v: np.ndarray) -> Any:
        cells.wired._solve(cells.connected())
        return honest(cells, wires, v)

    monkeypatch.setattr(wires_training, "errors", meddling)
    with pytest.raises(RuntimeError, match="the comparisons changed the run"):
        wires_training.point(SMALL)
