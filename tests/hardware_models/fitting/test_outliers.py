"""Bad readings: found, named and left out, of every sort; what the device itself does is kept; the truth comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.fitting import FORMS, Fit, fit, synthetic, write_pulse_train
from hardware_models.fitting.pulse_train import PulseTrain, read_pulse_train
from hardware_models.fitting.synthetic import FAULTS, spoiled
from hardware_models.laboratory.device_jumps import MOST_OUTLIERS, kept_because
from hardware_models.laboratory.outliers import outliers

TRUTH: dict[str, Any] = {
    "name": "truth", "g_min": 2e-6, "g_max": 4e-5, "states": 100.0, "states_down": 100.0, "a_up": 0.5, "a_down": -0.35,
    "cycle_noise": 0.008, "read_noise": 0.005, "step_spread": 0.1, "bound_spread": 0.02, "v_up": 1.6, "v_down": 1.8,
}  # fmt: skip
ONLY = {"exponential_step": FORMS["exponential_step"]}
RANGE = TRUTH["g_max"] - TRUTH["g_min"]


def clean(*, cells: int = 10, cycles: int = 5, seed: int = 1, **more: Any) -> PulseTrain:
    """Return the train of the known device, or of one like it."""
    return synthetic(ExponentialStep(**TRUTH | more), cells=cells, cycles=cycles, pulses=100, seed=seed)


def found(train: PulseTrain) -> np.ndarray:
    """Return the mask of the outliers of a train."""
    return outliers(train.g, train.polarity, train.first, train.cell)


def reason(train: PulseTrain) -> str:
    """Return why the outliers of a train are kept; "" if they are left out."""
    return kept_because(train.g, found(train), train.polarity, train.first, train.cell)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.03])
@pytest.mark.parametrize("sort", FAULTS)
def test_faults_of_every_sort_are_found(sort: str, share: float) -> None:
    """All that are off by a fourteenth of the range, but for two in a hundred beside others; almost nothing else."""
    train = clean()
    bad, faults = spoiled(train, share, seed=2, sorts=[sort])
    mask, far = found(bad), np.abs(bad.g - train.g) > 0.07 * RANGE
    assert far.sum() > 0.5 * share * len(train.g)
    assert mask[far].mean() >= 0.98
    assert (mask & (faults == "")).sum() <= 0.001 * len(train.g)
    assert reason(bad) == ""


def test_a_clean_train_keeps_every_reading() -> None:
    """Whatever its noise is: no outliers, so that the fit of a clean train has the bits that it had."""
    for noise, read, states in (
        (0.0, 0.0, 20.0),
        (0.008, 0.005, 100.0),
        (0.1, 0.0, 20.0),
        (0.1, 0.03, 100.0),
        (0.3, 0.005, 50.0),
    ):
        train = clean(cells=3, cycles=3, cycle_noise=noise, read_noise=read, states=states, states_down=states)
        assert not found(train).any(), (noise, read, states)


def two_levels(n: int, duty: float, dwell: float) -> np.ndarray:
    """Return the mask (n,) of the rows at which a cell is at the second level: a share `duty`, for `dwell` rows in the mean."""
    draw, out, on = np.random.default_rng(3), np.zeros(n, bool), False
    for i in range(n):
        if draw.random() < (1 / dwell if on else duty / (1 - duty) / dwell):
            on = not on
        out[i] = on
    return out


@pytest.mark.parametrize(("duty", "dwell"), [(0.02, 1.5), (0.05, 1.5), (0.05, 5.0), (0.3, 50.0)])
def test_telegraph_noise_is_the_devices_own(duty: float, dwell: float) -> None:
    """Two levels a tenth of the range apart, however long the cell stays at the second one."""
    train = clean(cells=4)
    noisy = replace(train, g=train.g - 0.1 * RANGE * two_levels(len(train.g), duty, dwell))
    bad = found(noisy)
    assert bad.sum() <= 3 or "were kept" in reason(noisy)


def test_jumps_that_stay_are_the_devices_own() -> None:
    """A cell that jumps at one pulse in twenty: what two jumps undo is no fault either."""
    draw = np.random.default_rng(4)
    train, u = clean(cells=4), np.zeros(4020)
    for i in range(1, len(u)):
        jump = 0.2 * draw.choice((-1.0, 1.0)) * (draw.random() < 0.05)
        u[i] = np.clip(u[i - 1] + 0.01 * train.polarity[i] + 0.008 * draw.standard_normal() + jump, 0.0, 1.0)
    jumping = replace(train, g=TRUTH["g_min"] + RANGE * (u + 0.005 * draw.standard_normal(len(u))))
    assert found(jumping).sum() < 0.01 * len(u)
    assert "the device makes such jumps" in reason(jumping)


def test_too_many_are_no_faults_of_single_readings() -> None:
    """A tenth of the readings at zero are kept, and the notice says so."""
    bad, _ = spoiled(clean(cells=4), 0.1, sorts=["limit"])
    assert found(bad).sum() > MOST_OUTLIERS * len(bad.g)
    assert "too many for faults of single readings" in reason(bad)


def read_back(train: PulseTrain, folder: Path) -> PulseTrain:
    """Return a train as it is read from its table."""
    write_pulse_train(train, folder / "train.csv")
    read = read_pulse_train(folder / "train.csv")
    (folder / "train.csv").unlink()
    return read


def apart(one: Fit, other: Fit) -> float:
    """Return the largest difference of two fits, in half widths of the first one's intervals."""
    values = {p.name: p.value for p in other.parameters}
    return max(abs(p.value - values[p.name]) / (0.5 * (p.high - p.low)) for p in one.parameters)


def test_the_truth_comes_back_with_bad_readings(tmp_path: Path) -> None:
    """With 3 spikes and with 1 % of all sorts: named by line, and the numbers of the clean train within half a half width."""
    train = clean(cells=6, cycles=4)
    spikes = train.g.copy()
    places = np.array([1000, 2321, 4000])
    spikes[places] *= 3.0
    mixed, faults = spoiled(train, 0.01, seed=5)
    whole, spiked, bad = (fit(read_back(one, tmp_path), forms=ONLY) for one in (train, replace(train, g=spikes), mixed))
    assert whole.train.outliers == () and not any("readings" in notice for notice in whole.notices)
    assert spiked.train.outliers == tuple(train.line[places])
    assert apart(whole, spiked) < 0.1
    assert apart(whole, bad) < 0.5
    lines = set(train.line[faults != ""])
    assert len(lines & set(bad.train.outliers)) > 0.93 * len(lines) and len(set(bad.train.outliers) - lines) <= 2
    number = len(bad.train.outliers)
    assert any(
        n.startswith(f"{number} of {len(train.g)} readings ({100 * number / len(train.g):.2g} %)") for n in bad.notices
    )
    data = bad.describe()["data"]
    assert isinstance(data, dict) and data["outliers"] == list(bad.train.outliers)
    held = [p.low <= TRUTH[p.name] <= p.high for p in bad.parameters]
    assert len(held) == 10 and sum(held) >= 9
