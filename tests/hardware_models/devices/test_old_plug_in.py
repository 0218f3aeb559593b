"""A plug-in of before the typed contract: installed under a name, not derived from BaseDevice, and run unchanged."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from analog_ff.simulate import app, run_app
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.crossbar import Crossbar
from hardware_models.devices.adapted import adapted, original
from hardware_models.devices.base import BaseDevice
from hardware_models.devices.ideal import Ideal
from hardware_models.devices.wear import Wear
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.testing import examine_device

OPTIONS = ("--data", "toy", "--layers", "12", "--epochs", "2", "--batch", "20", "--shift", "0")
SOURCE = '''
"""Two devices that a laboratory wrote long ago: g' = clip(g + n (g_max - g_min)/states)."""

from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from hardware_models.devices.base import BaseDevice, gathered


class State(NamedTuple):
    g: np.ndarray
    drawn: np.ndarray


class Step:
    def fabricate(self, shape, key):
        drawn = key.child("drawn").generator().standard_normal(shape, dtype=np.float32)
        return State(np.full(shape, 0.5 * (self.g_min + self.g_max), np.float32), np.exp(0.1 * drawn))

    def pulse(self, state, pulses, key, window=None):
        if window is not None:
            return gathered(self.pulse, state, pulses, key, window)
        step = np.float32((self.g_max - self.g_min) / self.states) * state.drawn
        state.g[:] = np.clip(state.g + pulses * step, self.g_min, self.g_max)


@dataclass(frozen=True)
class Old(Step):
    name: str = "old"
    g_min: float = 1e-6
    g_max: float = 1e-5
    states: float = 200.0
    v_read: float = 0.2
    t_read: float = 1e-8
    v_up: float = 1.5
    t_up: float = 1e-7
    v_down: float = 1.5
    t_down: float = 1e-7
    access: str = "1T1R"
    own_number: float = 7.0

    @property
    def g_range(self):
        return self.g_max - self.g_min

    def conductance(self, state, time):
        return state.g

    def read_variance(self, state, time):
        return 0.0

    def wait(self, state, seconds, key):
        pass

    def without(self, read_noise=False, write_noise=False, spread=False):
        return self

    def describe(self):
        return asdict(self) | {"model": "Old"}


@dataclass(frozen=True, kw_only=True)
class New(Step, BaseDevice):
    name: str = "new"
    g_min: float = 1e-6
    g_max: float = 1e-5
    states: float = 200.0
    v_up: float = 1.5
    t_up: float = 1e-7
    v_down: float = 1.5
    t_down: float = 1e-7


class Late(Old):
    """Its cells are told the time, since it asks for it."""

    timed = True
    heard = []

    def pulse(self, state, pulses, key, window=None, *, time=-1.0):
        self.heard.append(time)
        super().pulse(state, pulses, key, window)


class Down(Old):
    polarities = "down"
    refresh_every = 1.0
    refresh_share = 0.9

    def renew(self, state, cells, key):
        state.g[cells] = self.g_max


class Some(Old):
    def pulse(self, state, pulses, key, window=None):
        super().pulse(state, pulses, key, window)

    def pulse_some(self, state, where, pulses, key):
        flat = state.g.reshape(-1)
        step = np.float32((self.g_max - self.g_min) / self.states) * state.drawn.reshape(-1)[where]
        flat[where] = np.clip(flat[where] + pulses * step, self.g_min, self.g_max)


class Heir(Some):
    def pulse(self, state, pulses, key, window=None):
        if window is not None:
            return gathered(self.pulse, state, pulses, key, window)
        Old.pulse(self, state, -pulses, key)
'''


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with entry points, as pip leaves it."""
    (tmp_path / "laboratory_devices.py").write_text(SOURCE)
    info = tmp_path / "laboratory_devices-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: laboratory-devices\nVersion: 1.0\n")
    kinds = ("Old", "New", "Late", "Down", "Some", "Heir")
    lines = [f"{kind.lower()} = laboratory_devices:{kind}" for kind in kinds]
    (info / "entry_points.txt").write_text("\n".join(["[hardware_models.devices]", *lines, ""]))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("laboratory_devices", None)


def result(folder: Path, device: str, *more: str) -> dict[str, object]:
    """Return what a run on toy data leaves of the numbers, without what names the device."""
    assert run_app(app, [*OPTIONS, "--device", device, *more, "--out", str(folder / device)]) == 0
    found = json.loads((folder / device / "result.json").read_text())
    said = {name: found[name] for name in found if "error" in name}
    return said | {name: found[name] for name in ("events", "integrals", "cells", "energy")}


def test_a_class_of_its_own_runs_by_name_with_the_bits_of_one_that_is_derived(installed: Path) -> None:
    """The same equation: errors, events, joules and cells are equal, and the description is the plug-in's own."""
    old, new = result(installed, "old"), result(installed, "new")
    assert old == new and old["events"]
    described = json.loads((installed / "old" / "result.json").read_text())["device"]
    assert described["model"] == "Old" and described["own_number"] == 7.0 and "timed" not in described


def test_behind_the_door_it_has_the_whole_contract(installed: Path) -> None:
    """What it has is its own, what it lacks is the default of the base class; the user's object can be had again."""
    device = load_device("old")
    assert isinstance(device, BaseDevice) and adapted(device) is device
    assert (device.name, device.states, device.g_range) == ("old", 200.0, 1e-5 - 1e-6)
    assert (device.timed, device.trainable, device.polarities, device.refresh_every) == (False, True, "both", 0.0)
    assert not device.renews and not device.pulses_some and device.fresh == "mid"
    assert device.own_number == 7.0 and type(original(device)).__name__ == "Old"  # type: ignore[attr-defined]
    assert device.without(read_noise=True, nonlinearity=False) == device
    with pytest.raises(AttributeError, match="nothing"):
        _ = device.nothing  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="BaseDevice can be wrapped, got Old"):
        Wear.around(device, endurance=5.0)
    failed = examine_device(original(device)).failures  # type: ignore[arg-type]
    assert [(c.name, "own_number" in c.detail) for c in failed] == [("units and source", True)]


def test_every_door_takes_the_object_itself(installed: Path) -> None:
    """A chip and a crossbar adapt what they are given, and pulse it as what was loaded by name."""
    own = original(load_device("old"))
    loaded = Crossbar(load_device("old"), (6, 4), key=Key(1))
    given = Crossbar(own, (6, 4), key=Key(1))  # type: ignore[arg-type]
    counts = np.arange(-12, 12, dtype=np.int32).reshape(6, 4)
    for bar in (loaded, given):
        bar.pulse(counts)
    assert np.array_equal(loaded.weights, given.weights) and loaded.weights.any()
    assert Chip(own, [(6, 4)]).description == Chip("old", [(6, 4)]).description  # type: ignore[arg-type]


def test_the_time_reaches_only_a_device_that_asks_for_it(installed: Path) -> None:
    """`timed` is the question; a pulse without the argument would fail."""
    bar = Crossbar(load_device("late"), (2, 2), key=Key(1))
    heard = sys.modules["laboratory_devices"].Late.heard
    heard.clear()
    bar.wait(3.0)
    bar.pulse(np.ones((2, 2), np.int32))
    assert heard == [3.0]
    Crossbar(load_device("old"), (2, 2), key=Key(1)).pulse(np.ones((2, 2), np.int32))


def test_one_sided_and_sparse_pulses_are_found(installed: Path) -> None:
    """A `renew` refreshes pairs; `pulse_some` is used unless a heir's `pulse` is newer than it."""
    down = Crossbar(load_device("down"), (2, 2), key=Key(1))
    assert down.device.renews and down.pulse(np.ones((2, 2), np.int32))["comparator"] > 0
    counts = np.zeros((8, 8), np.int32)
    counts[3, 5] = 4
    weights = []
    for name in ("some", "old", "heir"):
        bar = Crossbar(load_device(name), (8, 8), key=Key(1))
        assert bar.device.pulses_some == (name == "some")
        bar.pulse(counts)
        weights.append(bar.weights)
    assert np.array_equal(weights[0], weights[1]) and np.array_equal(weights[2], -weights[1])


def test_a_class_without_a_method_is_refused(tmp_path: Path) -> None:
    """The base class has both methods as words only: who leaves one out is told at the door."""
    (tmp_path / "mine.py").write_text(
        "from hardware_models.devices.base import BaseDevice\n"
        "class Half(BaseDevice):\n    def fabricate(self, shape, key): pass\n"
        "    def __init__(self): pass\n"
    )
    with pytest.raises(UsageError, match="needs the methods fabricate and pulse"):
        load_device(f"{tmp_path}/mine.py:Half")
    assert load_device(ideal := Ideal()) is ideal
