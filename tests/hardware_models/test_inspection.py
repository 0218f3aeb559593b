"""The look at every cell: pulses received, asymmetry and symmetry point against closed forms; the ablation."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.improvement.ablation import ablate, cases, show
from analog_ff.runs.execute import execute
from analog_ff.simulate import app, run_app
from analog_ff.sweeps.store import NAME, Store
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.crossbar import Crossbar
from hardware_models.crossbar.inspection import inspect_cells, pulse_noise, pulse_step
from hardware_models.devices import PUBLISHED
from hardware_models.devices.constant_step import ConstantStep
from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.devices.ideal import Ideal
from hardware_models.devices.soft_bounds import SoftBounds
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.port import SealedChipError

KEY = Key(2, "inspection")
QUICK: dict[str, Any] = {"data": "toy", "layers": (8,), "epochs": 1}


def bar(device: Any, shape: tuple[int, int] = (40, 30)) -> Crossbar:
    """Return a fresh crossbar."""
    return Crossbar(device, shape, key=KEY)


def test_pulses_received_are_the_pulses_sent() -> None:
    """Every pulse of every way of writing is counted at its cell, and the counts survive a checkpoint."""
    array = bar(load_device("memristor"))
    rng = np.random.default_rng(0)
    total = 0
    for _ in range(3):
        total += array.pulse(rng.integers(-3, 4, array.shape).astype(np.int32))["write.selected"]
        total += array.fire(rng.random((4, 40)) < 0.3, rng.random((4, 30)) < 0.3, 1)["write.selected"]
    look = inspect_cells(array)
    assert look.pulses.sum() == total
    again = bar(load_device("memristor"))
    again.restore(array.save())
    assert np.array_equal(again.received, array.received)


def test_looking_changes_nothing() -> None:
    """State, counts and row sums are the same bits before and after."""
    array = bar(load_device("memristor"))
    array.program(np.random.default_rng(1).standard_normal(array.shape) / 6)
    before = {k: np.array(v) for k, v in array.save().items()}
    inspect_cells(array)
    after = array.save()
    assert all(np.array_equal(before[k], after[k]) for k in before)


def test_symmetry_point_of_soft_bounds_is_the_closed_form() -> None:
    """Steps d+ (1 - u) up and d- u down cancel at u = d+/(d+ + d-); the asymmetry there is 0."""
    device = SoftBounds(g_min=1e-6, g_max=1e-5, states=200.0, states_down=400.0)
    array = bar(device)
    look = inspect_cells(array)
    one = np.float64(array.state.g[0, 0])

    def step(g: float, sign: int) -> float:
        state = device.fabricate((1, 1), KEY)
        state.g[:] = g
        device.pulse(state, np.full((1, 1), sign, np.int32), KEY)
        return float(state.g[0, 0]) - float(np.float32(g))

    grid = np.linspace(1.1e-6, 9.9e-6, 400)
    balance = np.array([step(g, 1) + step(g, -1) for g in grid])
    crossing = grid[np.flatnonzero(np.diff(np.sign(balance)))[0]]
    assert np.abs(look.symmetry_point - crossing).max() < 2 * (grid[1] - grid[0])
    wanted = (step(one, 1) + step(one, -1)) / (step(one, 1) - step(one, -1))
    assert look.asymmetry == pytest.approx(wanted, abs=1e-3)


def test_an_ideal_device_has_no_asymmetry_and_no_symmetry_point() -> None:
    """Equal steps both ways at every state: A = 0, and up + down nowhere changes its sign."""
    summary = inspect_cells(bar(Ideal())).summary()
    assert summary["asymmetry_mean"] == pytest.approx(0.0, abs=1e-6)
    assert summary["symmetry_point_mean"] is None and summary["share_without_symmetry_point"] == 1.0


@pytest.mark.parametrize("name", sorted(set(PUBLISHED.values())))
def test_every_published_device_can_be_looked_at(name: str) -> None:
    """Also those with pulses of one sign only, which have neither asymmetry nor symmetry point."""
    array = bar(load_device(name), (6, 4))
    summary = inspect_cells(array).summary()
    if getattr(array.device, "polarities", "both") != "both":
        assert summary["asymmetry_mean"] is None and summary["share_without_symmetry_point"] == 1.0
    assert 0.0 <= summary["share_at_bound"] <= 1.0


def test_cells_at_their_bounds_are_told_apart() -> None:
    """After a thousand pulses one way, every pair has one device at its high and one at its low bound."""
    array = bar(ExponentialStep(g_min=1e-6, g_max=1e-5, states=64.0))
    array.pulse(np.full(array.shape, 2000, np.int32))
    summary = inspect_cells(array).summary()
    assert (summary["share_at_high"], summary["share_at_low"], summary["share_at_bound"]) == (0.5, 0.5, 1.0)
    assert summary["pulses_mean"] == 1000 and summary["pulses_max"] == 1000


@pytest.mark.parametrize("sigma", [0.0, 0.01])
def test_pulse_noise_is_measured(sigma: float) -> None:
    """The standard deviation of one pulse, whatever the model calls it, within four standard errors."""
    device = ExponentialStep(g_min=1e-6, g_max=1e-5, states=64.0, cycle_noise=sigma, step_spread=0.3)
    assert pulse_noise(device) == pytest.approx(sigma, rel=4 / math.sqrt(2 * 2 * 4096), abs=1e-9)


def test_pulse_step_is_that_of_a_cell_without_noise_and_spread() -> None:
    """A constant step is one of `states` parts of the range, however noisy and spread the pulses are."""
    for noise in (0.0, 0.3):
        device = ConstantStep(g_min=1e-6, g_max=1e-5, states=50.0, cycle_noise=noise, step_spread=0.3)
        assert pulse_step(device) == pytest.approx(1 / 50, rel=1e-4)


def test_sealed_chips_are_not_looked_at() -> None:
    """Neither through the summary nor through the cells."""
    chip = Chip("memristor", ((5, 4),), sealed=True)
    assert chip.inspect() is None
    with pytest.raises(SealedChipError):
        chip.cells(0)


def test_run_folder_holds_every_cell(tmp_path: Path, pictures: None) -> None:
    """cells.h5 has the arrays with their units, result.json their summary; a sealed run has neither."""
    result, folder = execute(Config(**QUICK, out=str(tmp_path / "open")), quiet=True)
    with h5py.File(folder / "cells.h5") as file:
        group = file["layer0"]
        assert group["conductance"].attrs["unit"] == "S" and group["conductance"].shape == (67, 16)
        assert group["pulses"][()].mean() == pytest.approx(result["cells"]["layers"][0]["pulses_mean"])
        assert group["pulses"][()].mean() == pytest.approx(result["cells"]["pulses_per_cell"])
    assert (folder / "cells.png").stat().st_size > 1000 and (folder / "learning_curve.png").stat().st_size > 1000
    _, folder = execute(Config(**QUICK, sealed=True, out=str(tmp_path / "sealed")), quiet=True)
    assert not (folder / "cells.h5").exists()


def test_cases_are_the_imperfections_that_there_are() -> None:
    """What is off already, or what the device does not have, is no case."""
    config = Config(**QUICK, out="x")
    assert list(cases(config)) == ["as given", "no read noise", "no write noise", "no device spread",
                                   "no step nonlinearity", "no converters", "all of these off"]  # fmt: skip
    assert list(cases(replace(config, device="ideal"))) == ["as given", "no converters"]
    assert "no faults" in cases(replace(config, stuck_low=0.1))
    grouped = cases(replace(config, line_groups="auto", technology="cmos-32nm-wide", current_margin=1.5))
    assert grouped["no line groups"].line_groups == "off" and grouped["as given"].line_groups == "auto"
    with pytest.raises(UsageError, match="no non-ideality left"):
        cases(replace(config, device="ideal", dac=None, adc=None))


@pytest.mark.usefixtures("runs_here")
def test_an_ablation_of_several_seeds_has_intervals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Costs are paired by seed, and a seed more runs what is new alone."""
    words = ["--ablate", "--data", "toy", "--layers", "6", "--epochs", "1", "--device", "ideal", "--dac", "none", "--adc", "none",
             "--preset", "plain", "--dead-rows", "0.1", "--json", "--out", str(tmp_path / "a")]  # fmt: skip
    assert run_app(app, [*words, "--seeds", "2"]) == 0
    table = json.loads(capsys.readouterr().out)
    given, clean = table["rows"]
    costs = [a - b for a, b in zip(given["errors_percent"], clean["errors_percent"], strict=True)]
    assert clean["costs"]["n"] == 2 and clean["costs_percent"] == pytest.approx(sum(costs) / 2)
    assert clean["costs"]["low"] <= clean["costs_percent"] <= clean["costs"]["high"]
    assert run_app(app, [*words, "--seeds", "3", "--resume"]) == 0
    more = json.loads(capsys.readouterr().out)
    assert more["seeds"] == 3 and more["rows"][0]["errors_percent"][:2] == given["errors_percent"]
    with Store(tmp_path / "a" / NAME, read_only=True) as store:
        assert [point.attempts for point in store.points()] == [1] * 6
    assert more["command"].startswith("python -m analog_ff.simulate --device ideal ")
    assert more["command"].endswith(" --dead-rows 0.1 --ablate --seeds 3")
    assert more["versions"]["numpy"] == np.__version__ and "data set toy" in more["inputs_sha256"]
    words.remove("--json")
    assert run_app(app, [*words, "--seeds", "3", "--resume"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"report: {tmp_path / 'a' / 'report.html'}"
    assert run_app(app, ["--data", "toy", "--seeds", "2", "--out", str(tmp_path / "b")]) == 2
    assert "--seeds belongs to --ablate" in capsys.readouterr().err


def test_ablation_tabulates_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row a case; the costs are differences to the first; an existing folder is refused, a resumed one is finished.

    The table says that a cost of one seed has no interval.
    """
    config = Config(**QUICK, read_noise=False, write_noise=False, step_nonlinearity=False, out=str(tmp_path / "a"))
    table, folder = ablate(config, say=lambda line: None)
    assert [r["case"] for r in table["rows"]] == ["as given", "no device spread", "no converters", "all of these off"]
    base = table["rows"][0]["test_error_percent"]
    assert all(r["costs_percent"] == base - r["test_error_percent"] for r in table["rows"])
    assert all(r["costs"]["low"] is None and r["costs"]["n"] == 1 for r in table["rows"])
    assert (folder / "ablation.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((folder / "ablation.json").read_text())["rows"] == table["rows"]
    with pytest.raises(UsageError, match="exists already"):
        ablate(config, say=lambda line: None)
    again, _ = ablate(config, resume=True, say=lambda line: None)
    assert again == table
    show(table, folder)
    said = capsys.readouterr().out
    assert "all of these off" in said and "test error as given less that of the run. One seed has no interval" in said
