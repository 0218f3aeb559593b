"""Devices: closed forms first, then the statistics of their noise, then what the loader refuses."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.devices.base import gathered
from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.devices.ideal import Ideal
from hardware_models.kernels import exponential as kernels
from hardware_models.kernels.bursts import Draws
from hardware_models.kernels.random import draw, quantile_middles, word_of_pulse
from hardware_models.keys import Key
from hardware_models.load import device_from_toml, load_device

KEY = Key(0, "test")
CURVES = [(31.566827, -1.997332), (0.499181, -0.200303), (2.519877, -2.519877), (0.3, 0.3), (-0.7, 1e6)]


def device(a_up: float = 31.566827, a_down: float = -1.997332, **more: float) -> ExponentialStep:
    """Return a device without noise and spread."""
    return ExponentialStep(g_min=1e-6, g_max=1e-5, states=128.0, a_up=a_up, a_down=a_down, **more)


def pulsed(dev: ExponentialStep, g0: np.ndarray, n: np.ndarray | int) -> np.ndarray:
    """Return g after n pulses from g0."""
    state = dev.fabricate(g0.shape, KEY)
    state.g[:] = g0
    dev.pulse(state, np.broadcast_to(np.asarray(n, np.int32), g0.shape).copy(), KEY.child("p"))
    return state.g


@pytest.mark.parametrize(("a_up", "a_down"), CURVES)
@pytest.mark.parametrize("n", [1, 2, 10, 127, 1000, -1, -3, -64, -1000])
def test_closed_form_in_float64(a_up: float, a_down: float, n: int) -> None:
    """The kernel equals the closed form of the NeuroSim curve, to the precision of float32."""
    dev = device(a_up, a_down)
    u0 = np.linspace(0, 1, 101)[None]
    a = dev.a_up if n > 0 else dev.a_down
    b = 1 / (1 - math.exp(-1 / a)) if abs(1 / a) > 1e-4 else a + 0.5
    x = min(max(n / (a * 128.0), -16), 16)
    u = np.clip(u0 + (b - u0) * -math.expm1(-x), 0, 1)
    got = (pulsed(dev, (1e-6 + 9e-6 * u0).astype(np.float32), n).astype(np.float64) - 1e-6) / 9e-6
    assert np.abs(got - u).max() < 2e-6


@pytest.mark.parametrize(("a_up", "a_down"), CURVES)
def test_n_pulses_at_once_are_n_times_one(a_up: float, a_down: float) -> None:
    """The flow property of the closed form."""
    dev = device(a_up, a_down)
    g0 = np.full((3, 4), 4e-6, np.float32)
    for sign in (1, -1):
        g = g0
        for _ in range(20):
            g = pulsed(dev, g, sign)
        assert np.allclose(g, pulsed(dev, g0, 20 * sign), rtol=0, atol=20 * 1e-12)


@pytest.mark.parametrize(("a", "middle"), [(0.499181, 0.7314), (2.519877, 0.5494)])
def test_mid_curve_identity_of_neurosim(a: float, middle: float) -> None:
    """G_norm(P/2) = 1/(1 + exp(-1/(2a))): Ag:a-Si .7314, EpiRAM .5494."""
    got = (pulsed(device(a_up=a), np.full((1, 1), 1e-6, np.float32), 64)[0, 0] - 1e-6) / 9e-6
    assert got == pytest.approx(1 / (1 + math.exp(-1 / (2 * a))), abs=2e-6)
    assert got == pytest.approx(middle, abs=6e-5)


def test_full_range_takes_the_states() -> None:
    """P pulses up from the bottom reach the top, P down return."""
    dev = device()
    top = pulsed(dev, np.full((1, 1), 1e-6, np.float32), 128)
    assert top[0, 0] == pytest.approx(1e-5, rel=1e-5)
    assert pulsed(dev, top, -128)[0, 0] == pytest.approx(1e-6, rel=1e-4)


def test_zero_pulses_change_nothing_and_bounds_hold() -> None:
    """Bit for bit, with noise and spread on; and no pulse leaves a cell's bounds."""
    dev = load_device("memristor")
    state = dev.fabricate((40, 30), KEY)
    before = state.g.copy()
    dev.pulse(state, np.zeros((40, 30), np.int32), KEY)
    assert np.array_equal(state.g, before)
    for n in (500, -500):
        dev.pulse(state, np.full((40, 30), n, np.int32), KEY)
        assert (state.g >= state.low).all() and (state.g <= state.high).all()


@pytest.mark.parametrize("a", [0.2, -0.6, 2.0])
@pytest.mark.parametrize("n", [1, 2, 5, 10])
def test_noise_of_a_bent_curve_is_that_of_pulses_one_by_one(a: float, n: int) -> None:
    """Variance sigma² sum_k e^(-2 k/A), k < n, within four standard errors, up and down."""
    sigma, size = 0.001, 90_000
    dev = device(a_up=a, a_down=a, cycle_noise=sigma)
    for sign in (1, -1):
        state = dev.fabricate((300, 300), KEY)
        dev.pulse(state, np.full((300, 300), sign * n, np.int32), KEY)
        wanted = sigma * math.sqrt(sum(math.exp(-2 * sign * k / (a * dev.states)) for k in range(n)))
        assert abs(state.g.std(dtype=np.float64) / 9e-6 / wanted - 1) < 4 / math.sqrt(2 * size)


@pytest.mark.parametrize("n", [1, 2, 10])
def test_cycle_noise_grows_with_the_root_of_the_pulses(n: int) -> None:
    """Standard deviation sigma sqrt(n) of the range, within four standard errors."""
    sigma = 0.01
    dev = device(a_up=1e6, a_down=-1e6, cycle_noise=sigma)
    g = pulsed(dev, np.full((400, 500), 5.5e-6, np.float32), n).astype(np.float64)
    u = (g - 5.5e-6) / 9e-6
    size = u.size
    assert abs(u.mean() - n / 128) < 4 * sigma * math.sqrt(n / size) + 1e-6
    assert abs(u.std() / (sigma * math.sqrt(n)) - 1) < 4 / math.sqrt(2 * size)


def test_spread_is_log_normal_and_differs_between_polarities() -> None:
    """Steps spread as declared; up and down of a cell are drawn apart."""
    dev = device(step_spread=0.1, bound_spread=0.05)
    state = dev.fabricate((300, 300), KEY)
    size = state.g.size
    assert abs(np.log(state.factor_up).std() - 0.1) < 4 * 0.1 / math.sqrt(2 * size)
    assert abs(np.corrcoef(state.factor_up.ravel(), state.factor_down.ravel())[0, 1]) < 4 / math.sqrt(size)
    assert abs((state.high - 1e-5).std() / 9e-6 - 0.05) < 4 * 0.05 / math.sqrt(2 * size)
    assert (state.low >= 0).all()


def test_window_touches_only_its_cells_and_agrees_in_law() -> None:
    """A windowed pulse leaves the rest alone; without noise it equals the whole loop and the gathered one."""
    dev = device(step_spread=0.1)
    rows, columns = np.array([1, 4]), np.array([0, 2, 5])
    whole, part, gather = (dev.fabricate((6, 7), KEY) for _ in range(3))
    pulses = np.zeros((6, 7), np.int32)
    pulses[np.ix_(rows, columns)] = [[1, -2, 3], [0, 5, -1]]
    dev.pulse(whole, pulses, KEY)
    dev.pulse(part, pulses[np.ix_(rows, columns)], KEY, (rows, columns))
    gathered(dev.pulse, gather, pulses[np.ix_(rows, columns)], KEY, (rows, columns))
    assert np.array_equal(whole.g, part.g)
    assert np.array_equal(whole.g, gather.g)


def test_windowed_noise_is_the_noise_of_the_position() -> None:
    """A cell draws the same noise in a window as in the whole array."""
    dev = load_device("memristor")
    whole, part = dev.fabricate((6, 7), KEY), dev.fabricate((6, 7), KEY)
    rows, columns = np.array([2, 5]), np.array([1, 6])
    pulses = np.zeros((6, 7), np.int32)
    pulses[np.ix_(rows, columns)] = 3
    dev.pulse(whole, pulses, KEY)
    dev.pulse(part, pulses[np.ix_(rows, columns)], KEY, (rows, columns))
    assert np.array_equal(whole.g, part.g)


def slow_twin(dev, cell: tuple[float, ...], n: int, position: int) -> float:
    """Return the conductance of a cell (g, factor_up, factor_down, low, high) after n pulses, in float64, by the module's law."""
    g, up, down, low, high = cell
    w0, w1, _, _ = KEY.words
    a, p = (dev.a_up, dev.states) if n > 0 else (dev.a_down, dev.states_down)
    rate, asymptote = (up if n > 0 else down) / (a * p), 1.0 / (1.0 - math.exp(-1.0 / a))
    sign = 1 if n > 0 else -1
    share, one, two = (1.0 - math.exp(-sign * k * rate) for k in (abs(n), 1, 2))
    sigma = dev.g_range * dev.cycle_noise * math.sqrt((1.0 - math.exp(-2 * n * rate)) / two)
    end = g + dev.g_range * (asymptote - (g - dev.g_min) / dev.g_range) * share
    near = min(g, end) - 4.0 * sigma < low or max(g, end) + 4.0 * sigma > high
    if abs(n) > 1 and not near:
        return min(max(end + sigma * float(draw(position, w0, w1, quantile_middles())), low), high)
    for k in range(abs(n)):
        word = w0 if abs(n) == 1 else word_of_pulse(w0, k)
        xi = float(draw(position, word, w1, quantile_middles()))
        g += dev.g_range * ((asymptote - (g - dev.g_min) / dev.g_range) * one + dev.cycle_noise * xi)
        g = min(max(g, low), high)
    return g


def test_listed_cells_move_as_their_slow_twins() -> None:
    """Single pulses, bursts in closed form and bursts near a bound, several blocks of them, equal scalar code in float64."""
    dev = replace(load_device("memristor"), cycle_noise=0.01)
    state = dev.fabricate((40, 60), KEY)
    rng = np.random.default_rng(0)
    state.g[:] = np.clip(rng.uniform(dev.g_min, dev.g_max, state.g.shape), state.low, state.high).astype(np.float32)
    where = np.sort(rng.choice(state.g.size, 2000, replace=False))
    pulses = rng.choice([-1, 1, 1, -1, -2, 3, 9, -12, 0], where.size).astype(np.int32)
    before = np.stack([a.reshape(-1) for a in state]).astype(np.float64)
    dev.pulse_some(state, where, pulses, KEY)
    expected = before[0].copy()
    for i, n in zip(where, pulses, strict=True):
        expected[i] = slow_twin(dev, tuple(before[:, i]), int(n), int(i)) if n else expected[i]
    assert np.abs(state.g.reshape(-1) - expected).max() < 1e-5 * dev.g_range


def test_compiled_equals_interpreted() -> None:
    """The kernel's Python source gives the same numbers as the compiled kernel, to the last rounding."""
    dev = load_device("memristor")
    compiled, plain = dev.fabricate((5, 6), KEY), dev.fabricate((5, 6), KEY)
    pulses = np.arange(-15, 15, dtype=np.int32).reshape(5, 6) % 3 - 1
    w0, w1, _, _ = KEY.words
    common = (pulses, dev.law(), Draws(w0, w1, quantile_middles()))
    kernels.exponential_step_singles(compiled, *common)
    with np.errstate(over="ignore"):
        kernels.exponential_step_singles.py_func(plain, *common)
    assert np.allclose(compiled.g, plain.g, rtol=0, atol=4e-12)


def test_ideal_is_exact() -> None:
    """Every state is a whole number of steps; up and down return to the bit; the bounds hold."""
    dev = Ideal()
    state = dev.fabricate((2, 3), KEY)
    step = 2.0**-39
    assert (state.g == np.float32(2.0**-18)).all()
    n = np.array([[1, -1, 12345], [-99999, 2**21, -(2**21)]], np.int32)
    dev.pulse(state, n, KEY)
    assert np.array_equal(state.g.astype(np.float64), 2.0**-18 + n * step)
    dev.pulse(state, -n, KEY)
    assert (state.g == np.float32(2.0**-18)).all()
    dev.pulse(state, np.full((2, 3), 2**22, np.int32), KEY)
    assert (state.g == np.float32(2.0**-17)).all()


def test_switches_turn_off_one_thing_each() -> None:
    """Every imperfection has its switch."""
    dev = load_device("memristor")
    assert dev.without(read_noise=True).read_noise == 0 and dev.without(read_noise=True).cycle_noise > 0
    assert dev.without(write_noise=True).cycle_noise == 0 and dev.without(write_noise=True).step_spread > 0
    off = dev.without(spread=True)
    assert off.step_spread == off.bound_spread == 0 and off.cycle_noise > 0


def wu2018() -> str:
    """Return the text of the memristor's parameter file."""
    return resources.files("hardware_models.parameters").joinpath("wu2018_taox_hfox.toml").read_text()


def test_memristor_is_the_published_device() -> None:
    """Table II of the NeuroSim manual, in SI."""
    dev = load_device("memristor")
    assert (dev.g_max, dev.states, dev.v_up, dev.t_up) == pytest.approx((1e-5, 128, 1.6, 50e-9))
    assert dev.cycle_noise == pytest.approx(0.037)
    # A pulse from the middle of the range: V² G t = .70 pJ.
    assert 1.6**2 * 5.5e-6 * 50e-9 == pytest.approx(0.70e-12, rel=0.01)
    assert any("read_noise" in a for a in dev.assumptions)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('unit = "uS"\nlow = 3.0', "low = 3.0", "'g_max' lacks its unit"),
        ('unit = "uS"\nlow = 3.0', 'unit = "uV"\nlow = 3.0', "of the dimension voltage"),
        ('unit = "uS"\nlow = 3.0', 'unit = "us2"\nlow = 3.0', "unknown unit"),
        ('value = 10.0\nunit = "uS"', 'value = 100.0\nunit = "uS"', "outside its range"),
        ('value = 10.0\nunit = "uS"', 'value = "ten"\nunit = "uS"', "needs a number"),
        (
            'kind = "measured"\nsource = "NeuroSim V3.0 manual, Table II: R_on',
            'kind = "guess"\nsource = "R',
            "kind 'guess'",
        ),
        ('model = "exponential_step"', 'model = "exponential_stop"', "did you mean 'exponential_step'"),
        ("[cycle_noise]", "[cycle_nose]", "unknown entry 'cycle_nose'; did you mean 'cycle_noise'"),
        ('model = "exponential_step"', "model = ", "cannot be read as a TOML file"),
        ("[g_min]", "[read_noise_relative]", ""),
    ],
)
def test_loader_refuses_in_one_sentence(old: str, new: str, words: str) -> None:
    """A bad parameter file is named, with the entry and what would be right."""
    text = wu2018().replace(old, new, 1)
    assert text != wu2018()
    with pytest.raises(UsageError) as caught:
        device_from_toml(text, "my.toml")
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_unknown_device_and_missing_file(tmp_path: Path) -> None:
    """A name gets a suggestion, a file its path."""
    with pytest.raises(UsageError, match="did you mean 'memristor'"):
        load_device("memrister")
    with pytest.raises(UsageError, match="does not exist"):
        load_device(str(tmp_path / "none.toml"))


def test_a_device_of_the_user_from_a_file(tmp_path: Path) -> None:
    """file.py:Class loads; a class that is no device is refused."""
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\n"
        "from hardware_models.devices.ideal import Ideal\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Mine(Ideal):\n    name: str = 'mine'\n    states: float = 64.0\n"
        "class Nothing:\n    pass\n"
    )
    assert load_device(f"{tmp_path}/mine.py:Mine").states == 64.0
    with pytest.raises(UsageError, match="fabricate and pulse"):
        load_device(f"{tmp_path}/mine.py:Nothing")
    with pytest.raises(UsageError, match="has no 'Mone'; did you mean 'Mine'"):
        load_device(f"{tmp_path}/mine.py:Mone")
