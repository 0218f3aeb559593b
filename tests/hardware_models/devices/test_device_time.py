"""Devices with time or special states: closed forms against float64, then the statistics, then the laws of time."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analog_ff.config.config import Config
from analog_ff.runs.build import port_of
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.crossbar import Crossbar
from hardware_models.devices import PUBLISHED
from hardware_models.devices.capacitor import Capacitor
from hardware_models.devices.electrochemical import Electrochemical
from hardware_models.devices.failing import Failing
from hardware_models.devices.faults import Faults
from hardware_models.devices.ferroelectric import Ferroelectric
from hardware_models.devices.floating_gate import FloatingGate
from hardware_models.devices.magnetic import Magnetic
from hardware_models.devices.phase_change import PhaseChange
from hardware_models.devices.power_drift import PowerDrift
from hardware_models.devices.programmed import Programmed
from hardware_models.devices.retention import Retention
from hardware_models.devices.wear import Wear
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.units import BOLTZMANN

KEY = Key(0, "test")
LOW, HIGH, P = 1e-6, 1e-5, 128.0
COMMON: dict[str, Any] = {"g_min": LOW, "g_max": HIGH, "states": P}
NOISY: dict[str, Any] = {**COMMON, "cycle_noise": 0.02, "step_spread": 0.1}
MEMRISTOR: Any = load_device("memristor")
ALL: list[Any] = [
    PhaseChange(**NOISY, amplitude=20.0, gamma=5.0, reset_noise=0.01, nu=0.05, nu_spread=0.01),
    Ferroelectric(**NOISY, shape_exponent=1.5, bound_spread=0.02),
    Ferroelectric(**NOISY, scheme="incremental"),
    Electrochemical(**NOISY, gamma_up=0.2, gamma_down=0.5, tau=1e4, noise_scales=True),
    Capacitor(**NOISY, tau=10.0, tau_spread=0.3, rest=0.5),
    FloatingGate(**NOISY, error_high=1e-7, error_scale=1e-6, nu=0.01, nu_spread=0.002),
    Magnetic(g_min=LOW, g_max=HIGH, states=16.0, junctions=8.0, rate_spread=0.2),
    Programmed(**COMMON, error_0=1e-7, nu=0.05, nu_spread=0.01, relax_0=1e-8),
    Wear.around(MEMRISTOR, endurance=20.0, endurance_spread=0.5),
    Retention.around(MEMRISTOR, tau=100.0, tau_spread=0.3),
    PowerDrift.around(MEMRISTOR, nu=0.05, nu_slope=0.01, nu_spread=0.02),
    Failing.around(PhaseChange(**NOISY, nu=0.05, nu_spread=0.01), failure_time=1e3, failure_high=0.3),
    Faults.around(Wear.around(PhaseChange(**NOISY, nu=0.05), endurance=30.0), stuck_low=0.05, stuck_high=0.05),
]
IDS = [f"{type(d).__name__}{i}" for i, d in enumerate(ALL)]


def pulse(dev: Any, state: Any, n: Any, key: Key = KEY, window: Any = None, time: float = 0.0) -> None:
    """Pulse a device, with the time if it takes one."""
    counts = np.broadcast_to(np.asarray(n, np.int32), np.shape(n) or state.g.shape).copy()
    dev.pulse(state, counts, key, window, **({"time": time} if dev.timed else {}))


def start(dev: Any, shape: tuple[int, int], u: Any = None) -> Any:
    """Return fresh cells, moved to the share u of the range."""
    state = dev.fabricate(shape, KEY)
    if u is not None:
        state.g[:] = dev.g_min + dev.g_range * np.asarray(u)
    return state


def share(dev: Any, g: np.ndarray) -> np.ndarray:
    """Return g as a share of the range, float64."""
    return (g.astype(np.float64) - dev.g_min) / dev.g_range


# --- laws that every device keeps ---


@pytest.mark.parametrize("dev", ALL, ids=IDS)
def test_zero_pulses_change_nothing_and_time_never_goes_below_zero(dev: Any) -> None:
    state = start(dev, (9, 11))
    pulse(dev, state, 5, KEY.child("first"), time=1.0)
    before = [a.copy() for a in state]
    pulse(dev, state, 0, KEY.child("zero"), time=2.0)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, state, strict=True))
    g = dev.conductance(state, 1e7)
    assert g.shape == state.g.shape and np.isfinite(g).all() and (g >= 0).all()


@pytest.mark.parametrize("dev", ALL, ids=IDS)
def test_window_is_the_whole(dev: Any) -> None:
    """A cell draws the same in a window as in the whole array; the rest is left alone."""
    whole, part = start(dev, (6, 7)), start(dev, (6, 7))
    rows, columns = np.array([1, 4]), np.array([0, 2, 5])
    counts = np.array([[3, -2, 1], [40, 5, -1]], np.int32)
    plan = np.zeros((6, 7), np.int32)
    plan[np.ix_(rows, columns)] = counts
    pulse(dev, whole, plan, time=3.0)
    pulse(dev, part, counts, window=(rows, columns), time=3.0)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(whole, part, strict=True))


@pytest.mark.parametrize("dev", ALL, ids=IDS)
def test_reading_is_pure_and_a_chip_saves_it_all(dev: Any) -> None:
    """Reading twice gives the same; a saved array goes on with the same bits."""
    arrays = [Crossbar(dev, (5, 4), key=KEY) for _ in range(2)]
    first, second = arrays
    counts = np.arange(20, dtype=np.int32).reshape(5, 4) - (0 if getattr(dev, "polarities", "") == "up" else 10)
    first.pulse(counts, key=KEY)
    first.wait(50.0, key=KEY)
    assert np.array_equal(first.conductances, first.conductances)
    second.restore(first.save())
    for array in arrays:
        array.pulse(counts, key=KEY.at(2))
        array.wait(1e3, key=KEY.at(2))
    assert np.array_equal(first.weights, second.weights)


def test_same_bits_for_one_and_two_threads() -> None:
    code = (
        "import hashlib, numpy as np, numba, sys\n"
        "sys.path.insert(0, 'tests/hardware_models/devices')\n"
        "from test_device_time import ALL, pulse, start\n"
        "for threads in (1, 2):\n"
        "    numba.set_num_threads(threads)\n"
        "    h = hashlib.sha256()\n"
        "    for d in ALL:\n"
        "        s = start(d, (50, 40))\n"
        "        pulse(d, s, np.arange(2000).reshape(50, 40) % 7 - 3, time=2.0)\n"
        "        h.update(d.conductance(s, 1e3).tobytes())\n"
        "    print(h.hexdigest())\n"
    )
    import os

    environment = {**os.environ, "NUMBA_NUM_THREADS": "2"}
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    one, two = done.stdout.split()
    assert one == two


# --- closed forms against a slow float64 twin ---


@pytest.mark.parametrize("n", [1, 2, 10, 1000, -1, -10, -1000])
def test_linear_steps_in_float64(n: int) -> None:
    """Soft bounds: u* + (u0 - u*) r^n away from the clip; here by the loop in float64."""
    dev = Electrochemical(**COMMON, zero=0.4, gamma_up=0.3, gamma_down=0.6)
    u0 = np.linspace(0, 1, 21)[None]
    u, sign = u0.copy(), np.sign(n)
    gamma, span = (0.3, 0.6) if n > 0 else (0.6, 0.4)
    for _ in range(abs(n)):
        u = np.clip(u + sign / P * np.maximum(0, 1 - gamma * sign * (u - 0.4) / span), 0, 1)
    state = start(dev, (1, 21), u0)
    pulse(dev, state, n)
    assert np.abs(share(dev, state.g) - u).max() < 1e-6 + 6e-8 * min(abs(n), 128)


@pytest.mark.parametrize("n", [1, 2, 10, 1000])
def test_partial_sets_in_float64_and_reset(n: int) -> None:
    dev = PhaseChange(**COMMON, amplitude=20.0, gamma=5.0)
    u0 = np.linspace(0, 1, 21)[None]
    u = u0.copy()
    for _ in range(n):
        u = np.minimum(u + (1 + 20 * np.exp(-5 * u)) / P, 1)
    state = start(dev, (1, 21), u0)
    pulse(dev, state, n)
    assert np.abs(share(dev, state.g) - u).max() < 1e-6 + 6e-8 * min(n, 128)
    pulse(dev, state, -n)
    assert np.allclose(state.g, np.float32(LOW))


@pytest.mark.parametrize("beta", [1.0, 0.6, 2.0])
@pytest.mark.parametrize("scheme", ["identical", "incremental"])
def test_switching_curve_and_its_flow(beta: float, scheme: str) -> None:
    """The curve from the bottom; P pulses span the range; 20 at once are 20 times one, both ways."""
    dev = Ferroelectric(**COMMON, scheme=scheme, saturation_up=1.4, saturation_down=0.8, shape_exponent=beta)
    n = np.array([[1, 2, 10, 64, 128]])
    state = start(dev, (1, 5), 0.0)
    pulse(dev, state, n)
    wanted = np.expm1(-((1.4 * n / P) ** beta)) / math.expm1(-(1.4**beta))
    assert np.abs(share(dev, state.g) - wanted).max() < 1e-6
    top = start(dev, (1, 5), 1.0)
    pulse(dev, top, -n)
    back = n if scheme == "identical" else P - n
    curve = np.expm1(-((0.8 * back / P) ** beta)) / math.expm1(-(0.8**beta))
    # Float32 rounds u at the top by 1e-7; where the curve starts flat (beta > 1) that is a count of 1e-7^(1/beta).
    loss = 2e-6 if beta <= 1 else 0.86 * 1.2e-7 ** (1 / beta)
    assert np.abs(share(dev, top.g) - (1 - curve if scheme == "identical" else curve)).max() < loss
    for sign in (1, -1):
        once, many = start(dev, (1, 5), 0.5), start(dev, (1, 5), 0.5)
        pulse(dev, once, 20 * sign)
        for _ in range(20):
            pulse(dev, many, sign)
        assert np.abs(share(dev, once.g) - share(dev, many.g)).max() < 20 * 2e-6


@pytest.mark.parametrize("n", [1, 10, 1000, -3])
def test_log_steps_in_float64(n: int) -> None:
    dev = FloatingGate(**COMMON, states_down=64.0)
    state = start(dev, (1, 3))
    level = math.log(5.5) / math.log(10.0) + (n / P if n > 0 else n / 64.0)
    pulse(dev, state, n)
    assert state.g == pytest.approx(np.full((1, 3), LOW * 10.0 ** min(level, 1.0)), rel=1e-6)


# --- statistics ---


@pytest.mark.parametrize("n", [1, 2, 10, 1000])
def test_noise_of_additive_steps(n: int) -> None:
    """Linear and logarithmic steps: mean n steps, standard deviation sigma sqrt(n), within 4.5 standard errors."""
    size, sigma, states = 120_000, 0.3, 1e5
    linear = Capacitor(g_min=LOW, g_max=HIGH, states=states, cycle_noise=sigma)
    logarithmic = FloatingGate(g_min=LOW, g_max=HIGH, states=states, cycle_noise=sigma / states)
    curved = Ferroelectric(g_min=LOW, g_max=HIGH, states=states, saturation_up=1e-3, cycle_noise=sigma / states)
    for dev in (linear, logarithmic, curved):
        state = start(dev, (300, 400))
        before = state.level.copy() if dev is logarithmic else share(dev, state.g)
        pulse(dev, state, n)
        moved = ((state.level if dev is logarithmic else share(dev, state.g)) - before) * states
        # float32 holds u to about 6e-8, which is rounded in each pulse: .006 of a step
        rounding = 6e-8 * states
        assert abs(moved.mean() - n) < 4.5 * sigma * math.sqrt(n / size) + n * rounding + 1e-3 * n * (dev is curved)
        wanted = math.sqrt(n) * math.hypot(sigma, 0.0 if dev is logarithmic else rounding)
        assert abs(moved.std() / wanted - 1) < 4.5 / math.sqrt(2 * size) + 1e-3


@pytest.mark.parametrize(("n", "times"), [(2, 2), (10, 10)])
@pytest.mark.parametrize("dev", [d for d in ALL if d.name not in ("memristor", "programmed")][:7], ids=str)
def test_many_at_once_are_many_times_one_in_law(dev: Any, n: int, times: int) -> None:
    """Two-sample Kolmogorov-Smirnov test of n pulses at once against n times one, 20 000 cells each."""
    from dataclasses import replace

    calm = replace(dev, **dict.fromkeys(dev.imperfections()["spread"], 0.0))
    once, many = start(calm, (100, 200)), start(calm, (100, 200))
    pulse(calm, once, n, KEY.child("once"))
    for k in range(times):
        pulse(calm, many, n // times, KEY.child("many").at(k))
    if isinstance(dev, Magnetic):
        counts = [np.bincount(s.switched.ravel(), minlength=9) for s in (once, many)]
        table = np.array(counts)[:, (counts[0] + counts[1]) > 20]
        assert table.shape[1] == 1 or stats.chi2_contingency(table).pvalue > 1e-5
    else:
        assert stats.ks_2samp(once.g.ravel(), many.g.ravel()).pvalue > 1e-5


@pytest.mark.parametrize("n", [1, 2, 10, -1, -7])
def test_switching_is_binomial(n: int) -> None:
    """Chi-square against scipy's binomial distribution."""
    dev = Magnetic(g_min=LOW, g_max=HIGH, states=30.0, junctions=12.0, probability_up=0.1, probability_down=0.06)
    state = start(dev, (200, 200))
    assert (state.switched == 6).all()
    pulse(dev, state, n)
    moved = np.abs(state.switched - 6).ravel()
    q = 1 - (1 - (0.1 if n > 0 else 0.06)) ** abs(n)
    expected = stats.binom.pmf(np.arange(7), 6, q) * moved.size
    seen = np.bincount(moved, minlength=7)
    keep = expected > 5
    statistic = float(((seen - expected)[keep] ** 2 / expected[keep]).sum())
    assert stats.chi2.sf(statistic, keep.sum() - 1) > 1e-5
    assert np.allclose(share(dev, state.g), state.switched / 12, atol=1e-6)


def test_one_junction_is_a_bit() -> None:
    dev = Magnetic(g_min=LOW, g_max=HIGH, states=2.0, probability_up=1.0)
    state = start(dev, (30, 30))
    assert 0.3 < state.switched.mean() < 0.7
    pulse(dev, state, 1)
    assert (state.switched == 1).all() and np.allclose(state.g, HIGH)
    with pytest.raises(UsageError, match="whole number of junctions"):
        Magnetic(g_min=LOW, g_max=HIGH, states=2.0, junctions=1.5)


def test_programming_error_is_the_polynomial() -> None:
    """Mean and deviation at a level, however many writes; a small lattice of levels."""
    dev = Programmed(**COMMON, error_0=2e-7, error_1=3e-7, error_2=-1e-7)
    for n in (1, 10, 64):
        state = start(dev, (300, 300))
        pulse(dev, state, n - 64)
        for _ in range(2):  # there and back: the last write alone counts
            pulse(dev, state, 5, KEY.child("up"))
            pulse(dev, state, -5, KEY.child("down"))
        target = 5.5e-6 + (n - 64) * 9e-6 / P
        x = target / HIGH
        sigma = 2e-7 + 3e-7 * x - 1e-7 * x * x
        assert abs(state.g.mean(dtype=np.float64) - target) < 4.5 * sigma / 300
        assert abs(state.g.std(dtype=np.float64) / sigma - 1) < 4.5 / math.sqrt(2 * 90_000)


# --- laws of time ---


def test_drift_law_and_spread_of_its_exponent() -> None:
    """G(t) = G0 (t/t0)^-nu from the last write; nu spreads as declared; reading does not drift anything."""
    dev = PhaseChange(**COMMON, nu=0.06, nu_spread=0.01, t0=2.0)
    state = start(dev, (300, 300), 0.5)
    pulse(dev, state, 1, time=100.0)
    stored = state.g.copy()
    for age in (1e2, 1e5):
        ratio = dev.conductance(state, 100.0 + age) / stored
        nu = -np.log(ratio.astype(np.float64)) / math.log(age / 2.0)
        assert abs(nu.mean() - 0.06) < 4.5 * 0.01 / 300
        assert abs(nu.std() / 0.01 - 1) < 4.5 / math.sqrt(2 * 90_000)
        wanted = np.maximum(0.06 + 0.01 * state.xi.astype(np.float64), 0)
        assert np.abs(nu - wanted).max() < 1e-6
    assert np.array_equal(state.g, stored)
    assert np.array_equal(dev.conductance(state, 101.0), stored)  # before t0 nothing has drifted yet
    pulse(dev, state, 1, time=1e6)
    assert np.array_equal(dev.conductance(state, 1e6), state.g)


def test_published_drift_of_phase_change() -> None:
    """The exponent of Nandakumar et al. at three conductances, spread switched off."""
    dev = load_device("nandakumar2019_pcm").without(spread=True, write_noise=True)
    state = start(dev, (1, 3))
    state.g[:] = np.array([1.0, 0.1, 0.001]) * 25e-6
    state.xi[:] = 0.0
    nu = -np.log(dev.conductance(state, 2e4) / state.g) / math.log(1e3)
    assert nu == pytest.approx(np.array([[0.049, 0.0155 * math.log(10) + 0.0244, 0.1]]), rel=1e-4)


def test_relaxation_in_log_time() -> None:
    """CMO/HfOx: mean m ln t, deviation r0 + r1 ln t, on top of the written value."""
    dev = load_device("falcone_cmo_hfox")
    state = start(dev, (200, 200))
    state.g[:] = 50e-6
    log = math.log(1e4)
    moved = dev.conductance(state, 1e4).astype(np.float64) - 50e-6
    sigma = (0.41183342 + 0.04201137 * log) * 1e-6
    assert abs(moved.mean() + 0.08900206e-6 * log) < 4.5 * sigma / 200
    assert abs(moved.std() / sigma - 1) < 4.5 / math.sqrt(2 * 40_000) + 1e-4


def test_slow_read_noise() -> None:
    dev = PhaseChange(**COMMON, q_noise=0.01, q_exponent=0.5, q_high=0.2, t_noise=1e-6)
    state = start(dev, (1, 2), [[0.0, 1.0]])
    q = np.array([0.01 * 0.1**-0.5, 0.01])
    wanted = (q * np.array([LOW, HIGH])) ** 2 * math.log((10.0 + 1e-6) / 2e-6)
    assert dev.read_variance(state, 10.0) / wanted == pytest.approx(np.ones((1, 2)), rel=1e-5)
    assert dev.without(read_noise=True).read_variance(state, 10.0) == 0.0


LEAKY: list[Any] = [
    Capacitor(**COMMON, tau=5.0, tau_spread=0.3, rest=0.25),
    Electrochemical(**COMMON, tau=5.0, tau_spread=0.3, rest=0.25),
    Retention.around(MEMRISTOR.without(spread=True, write_noise=True), tau=5.0, tau_spread=0.3, rest=0.25),
]


@pytest.mark.parametrize("dev", LEAKY, ids=lambda d: type(d).__name__)
def test_leak_is_exponential_and_two_waits_are_one(dev: Any) -> None:
    one, two = (Crossbar(dev, (40, 30), key=KEY) for _ in range(2))
    rest, tau, first = LOW + 0.25 * 9e-6, one.state.tau.astype(np.float64), one.state.g.astype(np.float64)
    assert abs(np.log(tau).mean() - math.log(5.0)) < 4.5 * 0.3 / math.sqrt(tau.size)
    assert abs(np.log(tau).std() / 0.3 - 1) < 4.5 / math.sqrt(2 * tau.size)
    one.wait(4.0)
    two.wait(2.0)
    two.wait(2.0)
    assert np.array_equal(one.conductances, two.conductances)
    seen = dev.conductance(one.state, 4.0)
    assert np.abs(seen / (rest + (first - rest) * np.exp(-4.0 / tau)) - 1).max() < 1e-6
    counts = np.full((40, 30), 2, np.int32)  # a pulse starts from what is left
    before = one.conductances
    one.pulse(counts)
    assert (np.abs(one.conductances - before) < 5 * 9e-6 / P).all()


@pytest.mark.parametrize("name", ["nandakumar2020_pcm", "agrawal2022_sonos_pulsed", "wan2022_reram"])
def test_two_waits_are_one_on_a_chip(name: str) -> None:
    """The clock of the chip drives the drift: waiting in pieces and reading in between change nothing."""
    one, two = (Chip(name, ((6, 4),), read_noise=False) for _ in range(2))
    counts = np.arange(24, dtype=np.int32).reshape(6, 4) % 5
    for chip in (one, two):
        chip.fire_cells(0, counts, key=KEY)
    one.wait(2e4, key=KEY)
    two.wait(1e4, key=KEY)
    two.oracle.weights(0)
    two.wait(1e4, key=KEY.at(1))
    assert np.array_equal(one.oracle.weights(0), two.oracle.weights(0))


def test_a_power_of_the_time_begins_anew_with_each_write() -> None:
    """Closed form with slope and spread; a pulse acts on what was written, and reads in between change nothing."""
    dev = PowerDrift.around(
        MEMRISTOR.without(spread=True, write_noise=True), nu=0.05, nu_slope=0.02, nu_spread=0.01, t0=2.0
    )
    state = dev.fabricate((60, 50), KEY)
    state.g[:] = LOW + 9e-6 * np.linspace(0.1, 0.9, 50, dtype=np.float32)
    first, xi = state.g.astype(np.float64), state.xi.astype(np.float64)
    assert abs(xi.mean()) < 4.5 / math.sqrt(xi.size) and abs(xi.std() - 1) < 4.5 / math.sqrt(2 * xi.size)
    nu = np.clip(0.05 + 0.02 * np.log(first / dev.g_max) + 0.01 * xi, -0.5, 0.5)
    for time in (0.0, 1.0, 2.0, 200.0, 2e6):
        wanted = first * (max(time, 2.0) / 2.0) ** -nu
        np.testing.assert_allclose(dev.conductance(state, time), wanted, rtol=2e-6)
    stays = state.g.copy()
    dev.pulse(state, np.ones((60, 50), np.int32), KEY, time=1e6)
    bare = dev.inner.fabricate((60, 50), KEY)._replace(g=stays)
    dev.inner.pulse(bare, np.ones((60, 50), np.int32), KEY)
    assert np.array_equal(state.g, bare.g) and (state.written == 1e6).all()
    assert np.array_equal(dev.conductance(state, 1e6 + 2.0), state.g)
    with pytest.raises(UsageError, match="drift cannot be put around it"):
        PowerDrift.around(PhaseChange(**COMMON), nu=0.1)


def test_reads_see_the_clock_move() -> None:
    """Time that passes with reads alone is leaked, too."""
    dev = Capacitor(**COMMON, tau=1e-6, t_read=1e-6, fresh="random")
    array = Crossbar(dev, (4, 3), key=KEY)
    v = np.full((1, 4), 0.1, np.float32)
    first, _ = array.read(v)
    second, _ = array.read(v)
    assert np.abs(second / first - math.exp(-1.0)).max() < 1e-4


def test_retention_of_a_hot_device() -> None:
    """Arrhenius: 1 eV between 300 K and 400 K; a device with its own law of time is refused."""
    ev = 1.602176634e-19
    hot = Retention.around(MEMRISTOR, tau=1e9, activation_energy=ev, temperature=400.0)
    factor = math.exp(ev / BOLTZMANN * (1 / 400 - 1 / 300))
    assert hot.fabricate((2, 2), KEY).tau == pytest.approx(np.full((2, 2), 1e9 * factor), rel=1e-5)
    for inner in (PhaseChange(**COMMON), FloatingGate(**COMMON)):
        with pytest.raises(UsageError, match="law of time of its own"):
            Retention.around(inner, tau=1.0)
    with pytest.raises(UsageError, match="whole junctions"):
        Retention.around(Magnetic(**COMMON), tau=1.0).fabricate((2, 2), KEY)


# --- wear ---


def test_cells_wear_out_and_stay() -> None:
    """Life is log-normal; the pulse that is one too many does nothing; a burst is cut where single pulses would be."""
    dev = Wear.around(Capacitor(**COMMON), endurance=1000.0, endurance_spread=0.4)
    state = start(dev, (200, 200))
    life = np.log(state.lifetime)
    assert abs(life.mean() - math.log(1000.5)) < 4.5 * 0.4 / 200
    assert abs(life.std() / 0.4 - 1) < 4.5 / math.sqrt(2 * 40_000)
    state.lifetime[:] = 7
    once, many = (type(state)(*(a.copy() for a in state)) for _ in range(2))
    pulse(dev, once, 10)
    for _ in range(10):
        pulse(dev, many, 1)
    assert np.allclose(once.g, many.g, rtol=1e-6) and (once.pulsed == 7).all()
    assert share(dev, once.g) == pytest.approx(np.full((200, 200), 0.5 + 7 / P), abs=1e-6)
    stuck = once.g.copy()
    pulse(dev, once, -3)
    assert np.array_equal(once.g, stuck)


def test_worn_share_of_a_chip() -> None:
    chip = Chip(Wear.around(MEMRISTOR, endurance=10.0), ((6, 4),))
    assert chip.inspect()[0]["share_worn"] == 0.0  # type: ignore[index]
    for k in range(12):
        chip.fire_cells(0, np.full((6, 4), 2, np.int32), key=KEY.at(k))
    assert chip.inspect()[0]["share_worn"] == 1.0  # type: ignore[index]
    assert Wear.around(MEMRISTOR, endurance=10.0).describe()["wear"]["endurance"] == 10.0


# --- published devices ---


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_every_published_device_loads_and_works(name: str) -> None:
    dev: Any = load_device(name)
    state = dev.fabricate((4, 6), KEY)
    pulse(dev, state, -2 if getattr(dev, "polarities", "both") == "down" else 2, time=1.0)
    assert np.isfinite(dev.conductance(state, 1e5)).all()
    assert np.all(np.asarray(dev.read_variance(state, 1e5)) >= 0)
    assert dev.source and dev.describe()["model"]


def test_a_programmed_device_cannot_be_trained() -> None:
    with pytest.raises(UsageError, match="cannot learn in situ"):
        port_of(Config(device="joshi2020_pcm", data="toy", layers=(4,)), ((65, 4),))
    port_of(Config(device="joshi2020_pcm", data="toy", layers=(4,), learner="random-features"), ((65, 4),))
