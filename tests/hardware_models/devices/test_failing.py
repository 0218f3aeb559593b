"""Cells that fail with time: how many, where they are stuck, and around which devices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.runs.build import device_of
from analog_ff.runs.identity import key
from hardware_models.check import UsageError
from hardware_models.devices.ageing import aged, has_law_of_time
from hardware_models.devices.failing import Failing
from hardware_models.keys import Key
from hardware_models.load import load_device

KEY = Key(7, "failing")
MEMRISTOR: Any = load_device("memristor")
MONTH = 30 * 86400.0


def test_the_share_of_stuck_cells_follows_the_exponential_law_and_never_falls() -> None:
    """The count of n cells that have failed scatters by sqrt(n p (1 - p)); 5 of these bound it."""
    device = Failing.around(MEMRISTOR.without(spread=True), failure_time=1e6, failure_high=0.25)
    cells: Any = device.fabricate((200, 200), KEY)
    fresh = device.conductance(cells, 0.0).copy()
    assert np.array_equal(fresh, cells.g)
    before = np.zeros(fresh.shape, bool)
    for time in (1e4, 3e5, 1e6, 1e7):
        g = device.conductance(cells, time)
        failed = g != fresh
        p = 1.0 - math.exp(-time / 1e6)
        assert abs(int(failed.sum()) - failed.size * p) <= 5.0 * math.sqrt(failed.size * p * (1.0 - p))
        assert not (before & ~failed).any()
        high = g[failed] == np.float32(device.g_max)
        assert (high | (g[failed] == np.float32(device.g_min))).all()
        assert abs(int(high.sum()) - 0.25 * high.size) <= 5.0 * math.sqrt(high.size * 0.25 * 0.75)
        before = failed


def test_a_stuck_cell_takes_no_pulse_and_a_sound_one_moves_as_without_failures() -> None:
    """Pulses of the device inside are the same, bit by bit; reads of stuck cells alone differ."""
    device = Failing.around(MEMRISTOR, failure_time=1e3, failure_high=1.0)
    cells: Any = device.fabricate((30, 20), KEY)
    alone = MEMRISTOR.fabricate((30, 20), KEY)
    pulses = np.full((30, 20), -5, np.int32)
    before = device.conductance(cells, 1e3)
    device.pulse_at(1e3, cells, pulses, KEY.child("pulse"))
    MEMRISTOR.pulse_at(1e3, alone, pulses, KEY.child("pulse"))
    after, failed = device.conductance(cells, 1e3), cells.fails <= 1e3
    assert 0 < failed.sum() < failed.size
    assert np.array_equal(after[failed], before[failed]) and not np.array_equal(after[~failed], before[~failed])
    assert np.array_equal(after[~failed], alone.g[~failed])
    assert np.array_equal(device.conductance(cells, 0.0), alone.g)


def test_cells_may_drift_and_fail_and_a_long_life_is_a_law_of_time_too() -> None:
    pcm: Any = load_device("nandakumar2020_pcm")
    device = aged(pcm, {"failure_time": 1e15, "failure_high": 0.0}, "a test")
    cells: Any = device.fabricate((8, 8), KEY)
    plain: Any = pcm.fabricate((8, 8), KEY)
    for state, of in ((cells, device), (plain, pcm)):
        of.pulse_at(0.0, state, np.full((8, 8), 3, np.int32), KEY.child("write"))
    assert np.array_equal(device.conductance(cells, MONTH), pcm.conductance(plain, MONTH))
    assert not np.array_equal(device.conductance(cells, MONTH), device.conductance(cells, 0.0))
    assert np.array_equal(device.read_variance(cells, MONTH), pcm.read_variance(plain, MONTH))
    assert not has_law_of_time(MEMRISTOR) and has_law_of_time(Failing.around(MEMRISTOR, failure_time=1e15))


def test_a_run_names_the_life_of_its_cells_and_is_another_run_then() -> None:
    config = Config(data="toy", failure_time=1e6, failure_high=0.0)
    device: Any = device_of(config)
    assert isinstance(device, Failing) and (device.failure_time, device.failure_high) == (1e6, 0.0)
    assert device.describe()["failing"] == {"failure_time": 1e6, "failure_high": 0.0}
    runs = [Config(data="toy"), config, Config(data="toy", failure_time=1e6), Config(data="toy", failure_time=1e7)]
    assert len({str(key("simulate", run)) for run in runs}) == len(runs)
    with pytest.raises(UsageError, match="'failure_high' needs the entry 'failure_time'"):
        aged(MEMRISTOR, {"failure_high": 0.5}, "a test")
