"""What published files say of noise and of time, against the fits that they were taken from, written out anew."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from analog_ff.__main__ import app
from analog_ff.simulate import run_app
from hardware_models.devices import PUBLISHED
from hardware_models.devices.ageing import has_law_of_time, no_law_of_time
from hardware_models.devices.base import BaseDevice
from hardware_models.devices.capacitor import Capacitor
from hardware_models.devices.electrochemical import Electrochemical
from hardware_models.devices.programmed import Programmed
from hardware_models.devices.retention import Retention
from hardware_models.devices.wear import Wear
from hardware_models.keys import Key
from hardware_models.load import load_device, published

KEY = Key(7, "physics")
MONTH = 30 * 86400.0
SHAPE = (200, 200)
ERROR = 4.5 / math.sqrt(2 * 40_000)  # of a standard deviation, relative


def cells(device: Any, g: float) -> Any:
    """Return cells that all hold g [S], written at time 0."""
    state = device.fabricate(SHAPE, KEY)
    state.g[:] = g
    return state


def hermes(g: float, devices: int) -> tuple[float, float, float]:
    """Return mean and spread of nu and Q at the share g of G_max, as aihwkit's HermesNoiseModel has them."""
    log = math.log(g)
    mean = float(np.clip(-0.0387 * log - 0.0182, 0.072, 0.13)) if g < 0.0945 else -0.0436 * g**2 - 0.0126 * g + 0.0736
    if devices == 1:
        low, high = float(np.clip(-0.0120 * log - 0.0023, 0.0124, 0.04)), -0.0165 * g**2 + 0.0116 * g + 0.0104
        q_low = float(np.clip(-0.0078 * log + 0.0038, 0.0179, 0.04))
        q_high = 0.0664 * g**3 - 0.1352 * g**2 + 0.0768 * g + 0.0088
        return mean, low if g < 0.3039 else high, q_low if g < 0.1591 else q_high
    low, high = float(np.clip(-0.0117 * log - 0.0057, 0.0091, 0.04)), -0.0118 * g**2 + 0.0093 * g + 0.0073
    q_low = float(np.clip(-0.0117 * log - 0.0069, 0.015, 0.04))
    q_high = 0.0069 * g**3 - 0.0280 * g**2 + 0.0211 * g + 0.0123
    return mean, low if g < 0.3055 else high, q_low if g < 0.16 else q_high


@pytest.mark.parametrize("g", [0.02, 0.12, 0.25, 0.5, 0.9])
@pytest.mark.parametrize(("name", "devices", "t0"), [("legallo2023_hermes", 2, 300.0),
                                                     ("legallo2023_hermes_single", 1, 200.0)])  # fmt: skip
def test_hermes_drifts_and_flickers_as_its_source_says(name: str, devices: int, t0: float, g: float) -> None:
    """ln G spreads by sigma_nu ln(t/t0); a read adds Q G(t) sqrt(ln[(t + t_r)/(2 t_r)])."""
    device: Any = load_device(name)
    state = cells(device, g * device.g_max)
    mean, spread, q = hermes(g, devices)
    seen = device.conductance(state, MONTH)
    nu = -np.log(seen.astype(np.float64) / (g * device.g_max)) / math.log(MONTH / t0)
    assert abs(nu.mean() - mean) < 4.5 * spread / 200 + 1e-6
    assert abs(nu.std() / spread - 1) < ERROR + 0.01  # nu stops at 0
    wanted = q * seen * math.sqrt(math.log((MONTH + 512e-9) / (2 * 512e-9)))
    assert np.abs(np.sqrt(device.read_variance(state, MONTH)) / wanted - 1).max() < 1e-4


def test_hermes_after_a_month_spreads_by_eight_percent() -> None:
    """sd/mean is .082 at half of the range; it was 0."""
    device: Any = load_device("legallo2023_hermes")
    seen = device.conductance(cells(device, 0.5 * device.g_max), MONTH).astype(np.float64)
    assert seen.std() / seen.mean() == pytest.approx(0.082, rel=0.02)
    quiet = device.without(read_noise=True, spread=True)
    state = cells(quiet, 0.5 * device.g_max)
    assert quiet.conductance(state, MONTH).std() < 1e-9 * device.g_max and np.all(
        quiet.read_variance(state, MONTH) == 0
    )


@pytest.mark.parametrize("name", ["nandakumar2019_pcm", "nandakumar2020_pcm"])
def test_flicker_is_a_share_of_the_drifted_conductance(name: str) -> None:
    """12.5 uS after a day: .583 uS, the share Q of the written conductance times the drifted one; it was .878 uS."""
    device: Any = load_device(name).without(spread=True)
    state = cells(device, 0.5 * device.g_max)
    day = 86400.0
    seen = float(device.conductance(state, day)[0, 0])
    q = 0.0088 / 0.5**0.65
    wanted = q * seen * math.sqrt(math.log((day + 250e-9) / (2 * 250e-9)))
    deviation = float(np.sqrt(device.read_variance(state, day))[0, 0])
    assert deviation == pytest.approx(wanted, rel=1e-4)
    if device.g_max == pytest.approx(25e-6):
        assert deviation == pytest.approx(0.583e-6, rel=0.003)


DRIFT = {"agrawal2022_sonos": 0.0, "agrawal2022_sonos_1day": -11.5, "agrawal2022_sonos_5days": -40.7}
SPREAD = {"agrawal2022_sonos": (19.88665, 176.3115), "agrawal2022_sonos_1day": (25.59102, 186.85544),
          "agrawal2022_sonos_5days": (34.57909, 207.34309)}  # fmt: skip


@pytest.mark.parametrize("name", DRIFT)
def test_sonos_has_mean_drift_spread_and_read_noise(name: str) -> None:
    """Currents [nA] at 0.1 V, written to 1600 nA: CrossSim's fit at once, after a day and after five."""
    device: Any = load_device(name)
    state = cells(device, 0.0)
    state.target[:] = 16e-6 - device.g_range / device.states
    device.pulse(state, np.ones(SHAPE, np.int32), KEY)
    current = state.g.astype(np.float64) * device.v_read * 1e9
    high, scale = SPREAD[name]
    sigma = high * -math.expm1(-(1600.0 + DRIFT[name]) / scale)
    assert abs(current.mean() - 1600.0 - DRIFT[name]) < 4.5 * sigma / 200 + 0.1
    assert abs(current.std() / sigma - 1) < ERROR + 1e-3


@pytest.mark.parametrize("name", [*DRIFT, "agrawal2022_sonos_pulsed"])
def test_read_noise_of_sonos_saturates(name: str) -> None:
    """12.6 nA far above 215 nA, proportional far below."""
    device: Any = load_device(name)
    for current in (20.0, 200.0, 800.0, 1600.0):
        deviation = np.sqrt(device.read_variance(cells(device, current * 1e-9 / device.v_read), 0.0))
        wanted = 12.58037 * -math.expm1(-current / 215.36557)
        assert np.abs(deviation * device.v_read * 1e9 / wanted - 1).max() < 1e-4
    assert device.without(read_noise=True).read_variance(cells(device, 1e-5), 0.0) == 0.0


def test_pulsed_sonos_loses_on_average_what_the_fit_loses() -> None:
    """-41 nA of 1600 nA after five days, and a few nA gained below 100 nA."""
    device: Any = load_device("agrawal2022_sonos_pulsed").without(spread=True)
    for current, wanted in ((1600.0, -40.7), (1000.0, -21.6), (100.0, 4.1)):
        seen = device.conductance(cells(device, current * 1e-8), 5 * 86400.0).astype(np.float64) * 1e8
        assert seen.mean() - current == pytest.approx(wanted, abs=4.0)


def test_noise_of_metal_oxide_ecram_is_a_share_of_the_step() -> None:
    """Near the top the step is 1 - gamma = .585 of that at weight zero, and so is its noise: 2 steps."""
    device: Any = load_device("kim2019_ecram").without(spread=True)
    for u, share in ((device.zero, 1.0), (0.99, 1 - 0.4152 * (0.99 - device.zero) / (1 - device.zero))):
        state = cells(device, device.g_min + u * device.g_range)
        before = state.g.astype(np.float64)
        device.pulse(state, np.ones(SHAPE, np.int32), KEY)
        moved = (state.g - before) / device.g_range * device.states
        assert abs(moved.std() / (2.0 * share) - 1) < ERROR + 2e-3
        assert abs(moved.mean() - share) < 4.5 * 2.0 * share / 200 + 1e-3


def test_a_spread_of_gamma_turns_no_slope_round() -> None:
    """|gamma + s xi| with the sign of gamma, each polarity for itself."""
    device = Electrochemical(g_min=1e-6, g_max=1e-5, states=50.0, gamma_up=0.02, gamma_down=-0.02, gamma_spread=0.05)
    state = device.fabricate(SHAPE, KEY)
    assert (state.gamma_up >= 0).all() and (state.gamma_down <= 0).all()
    assert abs(np.corrcoef(state.gamma_up.ravel(), state.gamma_down.ravel())[0, 1]) < 4.5 / 200
    assert (device.without(spread=True).fabricate(SHAPE, KEY).gamma_up == np.float32(0.02)).all()


def test_capacitor_cells_differ_between_up_and_down() -> None:
    """ln(up/down) spreads by twice .06, gamma by .01; noise is .3 of the cell's own step."""
    device: Any = load_device("li2018_capacitor")
    state = device.fabricate(SHAPE, KEY)
    assert abs(state.gamma_up.std() / 0.01 - 1) < ERROR and abs(state.gamma_up.mean() - 0.05) < 4.5 * 0.01 / 200
    apart = 0.5 * np.log(state.factor_up / state.factor_down)
    assert abs(apart.std() / 0.06 - 1) < ERROR
    state.factor_up[:] = 2.0
    state.g[:] = before = np.float32(device.g_min + 0.5 * device.g_range)
    device.pulse(state, np.ones(SHAPE, np.int32), KEY)
    moved = (state.g.astype(np.float64) - before) / device.g_range * device.states
    assert abs(moved.std() / (0.3 * 2.0) - 1) < ERROR + 2e-3


# --- who has a law of time ---


def test_which_published_files_have_a_law_of_time() -> None:
    """What drifts, leaks or flickers has one; what is known at one moment has none, whatever its model could do."""
    have = {name for name in PUBLISHED if has_law_of_time(load_device(name))}
    assert have == {"agrawal2022_sonos_pulsed", "falcone_cmo_hfox", "legallo2023_hermes", "legallo2023_hermes_single",
                    "li2018_3t1c", "li2018_capacitor", "nandakumar2019_pcm", "nandakumar2020_pcm"}  # fmt: skip


def test_what_the_files_say_of_time_is_what_their_cells_do() -> None:
    """The table of devices is read from figures, the law is tried on cells: the same files have one."""
    for line in published():
        assert (line["law_of_time"] != "none") == has_law_of_time(load_device(line["name"])), line["name"]


class Tired(BaseDevice):
    """A user's device that forgets in `wait`."""

    def fabricate(self, shape: Any, key: Any) -> Any:
        return load_device("memristor").fabricate(shape, key)

    def pulse(self, state: Any, pulses: Any, key: Any, window: Any = None) -> None:
        state.g[:] = np.clip(state.g + pulses * 1e-7, 1e-6, 1e-5)

    def wait(self, state: Any, seconds: float, key: Any) -> None:
        state.g[:] = 1e-6 + (state.g - 1e-6) * np.float32(math.exp(-seconds / 1e5))


def test_a_law_of_time_is_tried_not_declared() -> None:
    """Figures that switch a law off, wrappers that bring one, noise that grows, and a class of a user."""
    memristor: Any = load_device("memristor")
    figures: dict[str, Any] = {"g_min": 1e-6, "g_max": 1e-5, "states": 50.0}
    assert not has_law_of_time(Programmed(**figures)) and has_law_of_time(Programmed(**figures, q_noise=0.01))
    assert not has_law_of_time(Programmed(**figures, error_0=1e-7, shift_0=1e-7))
    assert has_law_of_time(Capacitor(**figures, tau=10.0, rest=0.5))
    assert has_law_of_time(Retention.around(memristor, tau=1e4))
    assert not has_law_of_time(Wear.around(memristor, endurance=1e4))
    assert has_law_of_time(Tired(**figures)) and no_law_of_time(Tired(**figures)) is None


def test_the_device_kit_says_when_a_file_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    """In words and in JSON."""
    assert run_app(app, ["devices", "show", "wan2022_reram"]) == 0
    assert "no law of time in 'wan2022_reram'" in capsys.readouterr().out
    for name, has in (("wan2022_reram", False), ("legallo2023_hermes", True)):
        assert run_app(app, ["devices", "show", name, "--json"]) == 0
        assert (json.loads(capsys.readouterr().out)["no_law_of_time"] is None) == has
