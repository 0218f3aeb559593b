"""Step devices: each against a slow float64 twin pulse by pulse, its noise within standard errors, its published files."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numba
import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.crossbar import Crossbar
from hardware_models.devices import MODELS, PUBLISHED
from hardware_models.devices.base import gathered
from hardware_models.devices.constant_step import ConstantStep
from hardware_models.devices.exponential_activity import ExponentialActivity
from hardware_models.devices.linear_step import LinearStep
from hardware_models.devices.measured import Measured
from hardware_models.devices.one_sided import OneSided
from hardware_models.devices.piecewise import Piecewise
from hardware_models.devices.power_step import PowerStep
from hardware_models.devices.soft_bounds import SoftBounds
from hardware_models.keys import Key
from hardware_models.load import load_device, published

KEY = Key(0, "test")
LEVELS = np.array([1e-6, 2e-6, 5e-6, 1e-5])
QUANTILES = np.linspace(0, 1, 6)
UP = np.linspace(1.0, 2.0, 6)[None] * np.array([[40e-9], [30e-9], [20e-9], [5e-9]])
DEVICES: dict[str, Any] = {
    "constant": ConstantStep(states=300.0, states_down=200.0),
    "linear": LinearStep(states=300.0, gamma_up=0.3, gamma_down=0.8, center=0.4),
    "multiplicative": LinearStep(states=300.0, gamma_up=0.3, gamma_down=0.8, noise="multiplicative"),
    "soft": SoftBounds(states=100.0, states_down=150.0),
    "activity": ExponentialActivity(states=200.0, a=-0.5, amplitude_up=-1.2, amplitude_down=-0.08, gamma_up=5.0),
    "power": PowerStep(states=100.0, gamma_up=1.7, gamma_down=0.6),
    "piecewise": Piecewise(states=100.0, nodes_up=(2.0, 1.0, 0.2), nodes_down=(0.1, 1.0, 1.5)),
    "measured": Measured(levels=LEVELS, probabilities=QUANTILES, up=UP, down=-UP[::-1, ::-1]),
    "one_sided": OneSided(states=80.0, gamma=0.7),
}
SPREAD = {"step_spread": 0.2, "balance_spread": 0.1, "low_spread": 0.2, "high_spread": 0.2}
NOISELESS = [name for name in DEVICES if name != "measured"]


def noisy(name: str, sigma: float = 0.1) -> Any:
    """Return a device with cycle noise of `sigma` nominal steps; a measured one has its own."""
    dev = DEVICES[name]
    return dev if name == "measured" else replace(dev, cycle_noise=sigma / dev.states)


def counts(dev: Any, pulses: np.ndarray) -> np.ndarray:
    """Return pulses that the device can take."""
    return -np.abs(pulses) if dev.polarities == "down" else pulses


def pulsed(dev: Any, g0: Any, n: Any, shape: tuple[int, int] = (1, 1), key: Key = KEY) -> np.ndarray:
    """Return g after n pulses from g0."""
    state = dev.fabricate(shape, KEY)
    state.g[:] = g0
    dev.pulse(state, np.broadcast_to(np.asarray(n, np.int32), shape).copy(), key)
    return state.g


def twin_step(dev: Any, state: Any, g: np.ndarray, up: bool) -> np.ndarray:
    """Return the mean change by one pulse in float64, written from the equations of the modules."""
    s = {name: np.asarray(a, np.float64) for name, a in zip(state._fields, state, strict=True)}
    low, high, c = s["low"], s["high"], dev.g_center
    sign = 1.0 if up else -1.0
    step = s["step_up" if up else "step_down"]
    if isinstance(dev, ConstantStep):
        return sign * step
    if isinstance(dev, LinearStep):
        return (
            step * (1 - dev.gamma_up * (g - c) / (high - c))
            if up
            else -step * (1 - dev.gamma_down * (c - g) / (c - low))
        )
    if isinstance(dev, SoftBounds):
        return step * (high - g) / (high - c) if up else -step * (g - low) / (c - low)
    if isinstance(dev, OneSided):
        return -step * (1 - dev.gamma * (high - g) / (high - low))
    if isinstance(dev, ExponentialActivity):
        z = 2 * dev.a * (g - c) / (high - low) + dev.b
        amplitude, gamma = (dev.amplitude_up, dev.gamma_up) if up else (dev.amplitude_down, dev.gamma_down)
        return sign * step * np.maximum(0, 1 - amplitude * np.exp(sign * gamma * z))
    u = (g - low) / (high - low)
    if isinstance(dev, PowerStep):
        return step * (2 * (1 - u)) ** dev.gamma_up if up else -step * (2 * u) ** dev.gamma_down
    nodes = dev.nodes_up if up else dev.nodes_down
    return sign * step * np.interp(u, np.linspace(0, 1, len(nodes)), nodes)


@pytest.mark.parametrize("name", NOISELESS)
@pytest.mark.parametrize("n", [1, 2, 10, 1000, -1, -3, -64, -1000])
def test_without_noise_it_is_the_twin(name: str, n: int) -> None:
    """n pulses at once are n steps of the equation, in float64, for cells with spread; rounding grows with the loop."""
    dev = replace(DEVICES[name], **SPREAD)
    n = int(counts(dev, np.array(n)))
    state = dev.fabricate((5, 40), KEY)
    state.g[:] = np.clip(np.linspace(dev.g_min, dev.g_max, 40, dtype=np.float32), state.low, state.high)
    g = state.g.astype(np.float64)
    for _ in range(abs(n)):
        g = np.clip(g + twin_step(dev, state, g, n > 0), state.low.astype(np.float64), state.high.astype(np.float64))
    dev.pulse(state, np.full((5, 40), n, np.int32), KEY)
    # float32: half a unit in the last place of g_max a pulse at worst, and 3e-6 of the way that the closed forms move.
    assert np.abs(state.g - g).max() < 3e-6 * dev.g_range + 0.6 * abs(n) * np.spacing(state.high.max())


@pytest.mark.parametrize("n", [1, 2, 10, 1000])
def test_soft_bounds_closed_form_and_variance(n: int) -> None:
    """high - (high - g0) q^n, and sigma delta sqrt((1 - q^2n)/(1 - q^2)), the noise far from both bounds."""
    shape, dev = (200, 250), SoftBounds(states=100.0, cycle_noise=1e-4)
    q, size = 1 - 2 / 100, 200 * 250
    mean = 1e-5 - (1e-5 - 3e-6) * q**n
    quiet = pulsed(replace(dev, cycle_noise=0.0), 3e-6, n)
    assert quiet[0, 0] == pytest.approx(mean, abs=3e-6 * dev.g_range)
    if n < 1000:  # after 1000 pulses cells stand at the bound
        g = pulsed(dev, 3e-6, n, shape).astype(np.float64)
        sigma = 1e-4 * dev.g_range * math.sqrt((1 - q ** (2 * n)) / (1 - q * q))
        assert abs(g.mean() - mean) < 4 * sigma / math.sqrt(size) + 1e-6 * dev.g_range
        assert abs(g.std() / sigma - 1) < 4 / math.sqrt(2 * size)


@pytest.mark.parametrize(("gamma", "n"), [(0.0, 1), (0.0, 10), (0.0, 1000), (0.5, 2), (0.5, 10), (0.5, 1000)])
def test_linear_noise_follows_its_recursion(gamma: float, n: int) -> None:
    """Mean and variance of additive noise by the recursions m' = m + D(m), v' = q² v + sigma², for 1 to 1000 pulses."""
    dev = LinearStep(states=4000.0, gamma_up=gamma, gamma_down=gamma, cycle_noise=1e-4)
    shape, size = (200, 250), 200 * 250
    step, sigma1 = dev.g_range / 4000, 1e-4 * dev.g_range
    mean, variance = 4e-6, 0.0
    for _ in range(n):
        mean += step * (1 - gamma * (mean - 5.5e-6) / 4.5e-6)
        variance = (1 - gamma * step / 4.5e-6) ** 2 * variance + sigma1**2
    g = pulsed(dev, 4e-6, n, shape).astype(np.float64)
    assert abs(g.mean() - mean) < 4 * math.sqrt(variance / size) + 2e-6 * dev.g_range
    assert abs(g.std() / math.sqrt(variance) - 1) < 4 / math.sqrt(2 * size)


@pytest.mark.parametrize("n", [1, 10, 1000])
def test_constant_noise_grows_with_the_root(n: int) -> None:
    """sigma delta sqrt(n)."""
    dev = ConstantStep(states=4000.0, cycle_noise=2e-4)
    g = pulsed(dev, 4e-6, n, (200, 250)).astype(np.float64)
    sigma = 2e-4 * dev.g_range * math.sqrt(n)
    assert abs(g.mean() - 4e-6 - n * dev.g_range / 4000) < 4 * sigma / math.sqrt(g.size) + 1e-6 * dev.g_range
    assert abs(g.std() / sigma - 1) < 4 / math.sqrt(2 * g.size)


@pytest.mark.parametrize("name", list(DEVICES))
@pytest.mark.parametrize("start", [0.15, 0.5, 0.97])
def test_n_at_once_are_n_times_one_in_distribution(name: str, start: float) -> None:
    """Mean, variance and distribution (Kolmogorov-Smirnov) of 12 pulses at once and one by one, bounds near or far."""
    dev = noisy(name, 0.5)
    g0 = dev.g_min + start * dev.g_range
    shape, n = (100, 200), int(counts(dev, np.array(12)))
    state = dev.fabricate(shape, KEY)
    state.g[:] = g0
    for i in range(12):
        dev.pulse(state, np.full(shape, np.sign(n), np.int32), KEY.child("one", i))
    one, once = np.sort(state.g.ravel()), np.sort(pulsed(dev, g0, n, shape).ravel())
    size = one.size
    error = math.sqrt((one.var(dtype=np.float64) + once.var(dtype=np.float64)) / size)
    assert abs(one.mean(dtype=np.float64) - once.mean(dtype=np.float64)) < 4.5 * error + 1e-6 * dev.g_range
    grid = np.unique(np.concatenate((one, once)) + np.float32(2e-6 * dev.g_range))
    distance = np.abs(np.searchsorted(one, grid, "right") - np.searchsorted(once, grid, "right")).max() / size
    assert distance < 2.1 * math.sqrt(2 / size)  # the probability of more is 3e-4


@pytest.mark.parametrize("name", list(DEVICES))
@pytest.mark.parametrize("write_noise", [0.0, 0.03])
def test_zero_pulses_bounds_seeds_threads_and_windows(name: str, write_noise: float) -> None:
    """Zero pulses keep every bit, no pulse leaves the bounds, and bits depend on the key and the position alone."""
    dev = replace(noisy(name, 0.5), write_noise=write_noise, **SPREAD)
    shape = (30, 20)
    states = [dev.fabricate(shape, KEY) for _ in range(4)]
    fresh = [a.copy() for a in states[0]]
    dev.pulse(states[0], np.zeros(shape, np.int32), KEY)
    assert all(np.array_equal(a, b) for a, b in zip(fresh, states[0], strict=True))

    pulses = counts(dev, np.random.default_rng(0).integers(-20, 21, shape).astype(np.int32))
    rows, columns = np.array([2, 7, 29]), np.array([19, 3, 4, 0])
    inside = np.zeros(shape, np.int32)
    inside[np.ix_(rows, columns)] = pulses[np.ix_(rows, columns)]
    dev.pulse(states[0], inside, KEY)
    dev.pulse(states[1], pulses[np.ix_(rows, columns)], KEY, (rows, columns))
    assert all(np.array_equal(a, b) for a, b in zip(*states[:2], strict=True))
    assert np.array_equal(states[0].g[inside == 0], fresh[0][inside == 0])

    threads = numba.get_num_threads()
    for state, number in zip(states[2:], (1, min(2, numba.config.NUMBA_NUM_THREADS)), strict=True):
        numba.set_num_threads(number)
        dev.pulse(state, pulses, KEY)
    numba.set_num_threads(threads)
    assert all(np.array_equal(a, b) for a, b in zip(*states[2:], strict=True))

    for n in (500, -500):
        dev.pulse(states[3], counts(dev, np.full(shape, n, np.int32)), KEY)
        moved = states[3].hidden if write_noise else states[3].g
        assert (moved >= states[3].low).all() and (moved <= states[3].high).all() and (states[3].g >= 0).all()


def test_nominal_slope_belongs_to_the_population() -> None:
    """With `nominal_slope` all cells lose the same share of their step per siemens, whatever their bounds."""
    own = LinearStep(gamma_up=0.5, gamma_down=0.5, high_spread=0.3, low_spread=0.3)
    assert own.fabricate((5, 5), KEY).rate_up.std() > 0
    same = replace(own, nominal_slope=True).fabricate((5, 5), KEY)
    assert np.allclose(same.rate_up, -math.log1p(-0.5 / 400 / 0.5), rtol=1e-6)


def test_write_noise_hides_the_state() -> None:
    """What is seen scatters by write_noise around a hidden state that moves as without it, drawn anew by each pulse."""
    dev = ConstantStep(states=1000.0, write_noise=0.05)
    shape = (200, 250)
    state = dev.fabricate(shape, KEY)
    sigma, size = 0.05 * dev.g_range, 200 * 250
    pulses = np.ones(shape, np.int32)
    dev.pulse(state, pulses, KEY.child("a"))
    first = state.g.astype(np.float64) - state.hidden
    assert (state.hidden == pulsed(replace(dev, write_noise=0.0), dev.g_center, 1)[0, 0]).all()
    assert abs(first.mean()) < 4 * sigma / math.sqrt(size) and abs(first.std() / sigma - 1) < 4 / math.sqrt(2 * size)
    dev.pulse(state, pulses, KEY.child("b"))
    second = state.g.astype(np.float64) - state.hidden
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 4 / math.sqrt(size)
    assert dev.without(write_noise=True).write_noise == 0.0 == dev.without(write_noise=True).cycle_noise


def test_gathered_serves_these_states() -> None:
    """The base class's gather and scatter works on a state with a hidden array."""
    dev = SoftBounds(write_noise=0.0, step_spread=0.2)
    place = (np.array([1, 4]), np.array([0, 2]))
    a, b = dev.fabricate((6, 7), KEY), dev.fabricate((6, 7), KEY)
    n = np.array([[1, -2], [3, 0]], np.int32)
    dev.pulse(a, n, KEY, place)
    gathered(dev.pulse, b, n, KEY, place)
    assert np.array_equal(a.g, b.g)


def test_symmetry_point_is_subtracted() -> None:
    """At the center an up and a down step are equal in every cell, up to the error of the reference."""
    dev = SoftBounds(states=50.0, symmetry=True, g_min=1e-4, g_max=1.1e-4, **SPREAD)
    up = pulsed(dev, dev.g_center, 1, (30, 30)) - np.float64(dev.g_center)
    down = np.float64(dev.g_center) - pulsed(dev, dev.g_center, -1, (30, 30))
    assert np.abs(up / down - 1).max() < 1e-3 and up.std() > 0
    wrong = replace(dev, symmetry_error=0.05).fabricate((100, 100), KEY)
    star = SoftBounds.symmetry_point(wrong.low, wrong.high, wrong.rate_up, wrong.rate_down).astype(np.float64)
    assert abs(star.std() / (0.05 * dev.g_range) - 1) < 4 / math.sqrt(2e4)


def test_complex_noise_of_exponential_activity() -> None:
    """sigma_c (|step|) + added + slope |g - center|, one pulse."""
    dev = ExponentialActivity(states=200.0, cycle_noise=5e-4, noise_added=0.001, noise_slope=0.002)
    g0 = 7e-6
    mean = pulsed(replace(dev, cycle_noise=0.0, noise_added=0.0, noise_slope=0.0), g0, 1)[0, 0]
    sigma = 0.1 * (float(mean) - g0) + 0.001 * dev.g_range + 0.002 * (g0 - dev.g_center)
    g = pulsed(dev, g0, 1, (200, 250)).astype(np.float64)
    assert abs(g.mean() - mean) < 4 * sigma / math.sqrt(g.size) + 1e-6 * dev.g_range
    assert abs(g.std() / sigma - 1) < 4 / math.sqrt(2 * g.size)


def test_measured_steps_have_the_distribution_of_the_table(tmp_path: Any) -> None:
    """Quantiles at a level are the table's, between two levels half way; a file gives the same bits."""
    dev = DEVICES["measured"]
    for g0, row in ((2e-6, UP[1]), (3.5e-6, 0.5 * (UP[1] + UP[2]))):
        step = np.sort((pulsed(dev, g0, 1, (200, 250)) - np.float64(np.float32(g0))).ravel())
        assert np.abs(np.interp(step, row, QUANTILES) - (np.arange(step.size) + 0.5) / step.size).max() < 2 / math.sqrt(
            step.size
        )
    np.savez(tmp_path / "t.npz", levels=LEVELS, probabilities=QUANTILES, up=UP, down=-UP[::-1, ::-1])
    again = Measured(file=str(tmp_path / "t.npz"))
    assert np.array_equal(pulsed(again, 3e-6, 9), pulsed(dev, 3e-6, 9))
    assert again.describe()["table_sha256"] == dev.describe()["table_sha256"] and "up" not in again.describe()
    with pytest.raises(UsageError, match="lacks the array"):
        np.savez(tmp_path / "bad.npz", levels=LEVELS)
        Measured(file=str(tmp_path / "bad.npz"))
    with pytest.raises(UsageError, match="rising"):
        Measured(levels=LEVELS, probabilities=QUANTILES, up=UP[:, ::-1], down=UP)


# --- one-sided pairs on a crossbar ---


def one_sided_crossbar(**more: Any) -> Crossbar:
    """Return a small crossbar of reset-only pairs with priced pulses."""
    figures: dict[str, Any] = {
        "gamma": 0.0,
        "refresh_every": 0.0,
        "v_up": 1.5,
        "t_up": 1e-7,
        "v_down": 0.8,
        "t_down": 1e-7,
    }
    return Crossbar(OneSided(states=100.0, **(figures | more)), (6, 5), key=KEY)


def test_reset_only_pairs_move_on_the_other_device() -> None:
    """+n lowers G- by n steps, -n lowers G+; both ways of writing agree; nothing ever rises."""
    array, fired = one_sided_crossbar(), one_sided_crossbar()
    n = np.zeros((6, 5), np.int32)
    n[1, 2], n[3, 4] = 7, -4
    events = array.pulse(n)
    assert np.allclose(array.weights, n * array.weight_step, atol=1e-5 * array.weight_limit)
    assert events.counts["write.selected"] == 11
    mean = float(2e-5 - 0.5 * 7 * 9e-8 - 1e-5) * 7 + (1e-5 - 0.5 * 4 * 9e-8) * 4
    assert events.integrals["write.v2gt"] == pytest.approx(0.64e-7 * mean, rel=1e-5)
    for sign, (i, j), times in ((1, (1, 2), 7), (-1, (3, 4), 4)):
        rows, columns = np.zeros((times, 6), bool), np.zeros((times, 5), bool)
        rows[:, i], columns[:, j] = True, True
        assert fired.fire(rows, columns, sign).counts["write.selected"] == times
    assert np.allclose(array.conductances, fired.conductances, rtol=0, atol=1e-12)
    with pytest.raises(UsageError, match="one sign"):
        array.device.pulse(array.state, np.ones((6, 10), np.int32), KEY)


def test_refresh_renews_spent_pairs_and_keeps_the_weights() -> None:
    """Only spent pairs are set and programmed again, to the nearest pulse; reads, sets and pulses are counted."""
    array = one_sided_crossbar()
    up, down = np.zeros((6, 5), np.int32), np.zeros((6, 5), np.int32)
    up[0, 0], down[0, 0], up[1, 1] = 90, -60, 5
    array.pulse(up)
    array.pulse(down)
    before, time = array.weights.copy(), array.time
    events = array.refresh()
    assert np.abs(array.weights - before).max() < 0.51 * array.weight_step
    g = array.conductances
    assert g[0, 0, 0] == pytest.approx(1e-5) and g[1, 0, 0] == pytest.approx(1e-5 - 30 * 9e-8, rel=1e-4)
    assert events.counts["reads.cells"] == events.counts["comparator"] == 60
    assert events.counts["write.selected"] == 2 + 30 and events.counts["adc.8"] == 2
    assert array.time == pytest.approx(time + events.integrals["time"])
    assert array.refresh().counts.get("write.selected", 0) == 0


def test_refresh_comes_by_itself_and_survives_a_checkpoint() -> None:
    """After every `refresh_every` writes; a restored array goes on with the same bits."""
    array, copy = (one_sided_crossbar(refresh_every=3.0, cycle_noise=0.01) for _ in range(2))
    n = np.full((6, 5), 10, np.int32)
    for _ in range(10):
        array.pulse(n)
    copy.restore(array.save())
    looks = [sum("comparator" in a.pulse(n).counts for _ in range(6)) for a in (array, copy)]
    assert looks == [2, 2] and np.array_equal(array.conductances, copy.conductances)
    with pytest.raises(UsageError, match="cannot be refreshed"):
        Crossbar(ConstantStep(), (2, 2), key=KEY).refresh()


# --- published devices ---


def quiet(name: str) -> Any:
    """Return a published device without noise and spread."""
    dev: Any = load_device(name)
    return dev.without(read_noise=True, write_noise=True, spread=True)


NEUROSIM = [e["name"] for e in published() if e["model"] == "exponential_step"]
STEPS = ("constant_step", "linear_step", "soft_bounds", "exponential_activity", "power_step", "piecewise")
OTHERS = [e["name"] for e in published() if e["model"] in STEPS]


@pytest.mark.parametrize("name", NEUROSIM)
def test_neurosim_devices_on_their_curves(name: str) -> None:
    """The mid-curve identity 1/(1 + exp(-1/(2a))), both polarities, and the nominal pulses over the whole range."""
    dev = quiet(name)
    for a, states, start, sign in (
        (dev.a_up, dev.states, dev.g_min, 1),
        (dev.a_down, dev.states_down, dev.g_max, -1),
    ):
        n = int(states) // 2
        u = (float(pulsed(dev, start, sign * n)[0, 0]) - dev.g_min) / dev.g_range
        # p pulses up from the bottom of the polarity's curve; down pulses start from its end.
        p = n / states if sign > 0 else 1 - n / states
        assert u == pytest.approx(math.expm1(-p / a) / math.expm1(-1 / a), abs=4e-6)
        if int(states) % 2 == 0:
            assert u == pytest.approx(1 / (1 + math.exp(-1 / (2 * a))), abs=4e-6)
        end = float(pulsed(dev, start, sign * int(states))[0, 0])
        assert end == pytest.approx(dev.g_max if sign > 0 else dev.g_min, abs=2e-5 * dev.g_range)


@pytest.mark.parametrize("name", OTHERS)
def test_normalised_presets_take_their_nominal_step(name: str) -> None:
    """From the state of the nominal step, one pulse is range/states, up and down."""
    dev = quiet(name)
    one_up = float(pulsed(dev, dev.g_center, 1)[0, 0]) - float(np.float32(dev.g_center))
    one_down = float(np.float32(dev.g_center)) - float(pulsed(dev, dev.g_center, -1)[0, 0])
    star = dev.g_center  # where the symmetry point lies if it is subtracted: steps there are those of the shifted cell
    if not getattr(dev, "symmetry", False):
        assert one_up * dev.states / dev.g_range == pytest.approx(1, abs=3e-7 * dev.states * star / dev.g_range + 1e-4)
        assert one_down * dev.states_down / dev.g_range == pytest.approx(
            1, abs=3e-7 * dev.states_down * star / dev.g_range + 1e-4
        )
    else:
        assert one_up == pytest.approx(one_down, rel=1e-2)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_every_figure_of_a_file_arrives_in_si(name: str) -> None:
    """The device holds the file's value times its unit, whatever the model redeclares; conductances below a millisiemens."""
    import tomllib
    from importlib import resources

    from hardware_models.units import to_si

    text = resources.files("hardware_models.parameters").joinpath(f"{PUBLISHED[name]}.toml").read_text(encoding="utf-8")
    dev: Any = load_device(name)
    assert 0 <= dev.g_min < dev.g_max < 1e-3
    for entry, figure in tomllib.loads(text).items():
        if isinstance(figure, dict) and "unit" in figure:
            wanted = to_si(float(figure["value"]), figure["unit"])
            assert getattr(dev, entry) == pytest.approx(wanted, rel=1e-9), entry


def test_a_subclass_keeps_unit_and_range() -> None:
    """A model that gives a number another default is held to the same range."""
    with pytest.raises(UsageError, match="g_max"):
        ConstantStep(g_max=25.0)


def test_gong_2018_takes_about_a_thousand_pulses() -> None:
    """Documented: about 1000 steps; here the mean of up and down steps at weight zero, and the walk over 80 % of the range."""
    dev = quiet("gong2018_reram_es")
    assert 2 / (1 / dev.states + 1 / dev.states_down) == pytest.approx(1152, rel=0.01)
    for sign in (1, -1):
        start = dev.g_center - sign * 0.4 * dev.g_range
        g = float(pulsed(dev, start, sign * 1000)[0, 0])
        assert sign * (g - start) > 0.4 * dev.g_range


def test_every_published_file_loads_and_is_listed() -> None:
    """One entry a file with everything a list needs; every file of the folder is registered."""
    from importlib import resources

    files = {
        f.name.removesuffix(".toml")
        for f in resources.files("hardware_models.parameters").iterdir()
        if f.name.endswith(".toml")
    }
    listed = published()
    assert files == set(PUBLISHED.values()) == {e["name"] for e in listed} and len(files) >= 18
    for entry in listed:
        assert (
            entry["technology"]
            and (entry["doi"] or "review" in load_device(entry["name"]).source)
            and (entry["v_up"] > 0 and entry["t_down"] > 0 or not load_device(entry["name"]).trainable)
            and entry["model"] in MODELS
        )
        dev: Any = load_device(entry["name"])
        shape = (8, 8)
        state = dev.fabricate(shape, KEY)
        dev.pulse(state, counts(dev, np.full(shape, 3, np.int32)), KEY)
        assert np.isfinite(state.g).all()
        if "wu2018" not in entry["name"]:
            assert dev.assumptions


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LinearStep(noise="loud"), "noise to be one of additive, multiplicative"),
        (lambda: SoftBounds(center=0.0), "0 < center < 1"),
        (lambda: Piecewise(nodes_up=(1.0,)), "at least two numbers"),
        (lambda: Piecewise(nodes_up=(1.0, 1.0, 1.0)), "as many"),
        (lambda: ExponentialActivity(amplitude_up=2.0), "at its center"),
        (lambda: Measured(), "needs the array 'levels'"),
        (lambda: ConstantStep(states=0.5), "states"),
    ],
)
def test_bad_figures_are_refused_in_one_sentence(make: Any, words: str) -> None:
    """At construction, in the user's words."""
    with pytest.raises(UsageError) as caught:
        make()
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_listed_cells_of_every_device_move_as_in_the_whole_array() -> None:
    """`pulse_some` gives the bits of `pulse` with zeros elsewhere, for every published device that has it."""
    rng = np.random.default_rng(3)
    kinds = set()
    for name in PUBLISHED:
        dev = load_device(name)
        if not dev.pulses_some or dev.timed:
            continue
        kinds.add(type(dev))
        whole, some = dev.fabricate((50, 60), KEY), dev.fabricate((50, 60), KEY)
        for turn in range(3):
            where = np.sort(rng.choice(3000, 1500, replace=False))  # more than one block
            pulses = rng.choice([-1, 1, -3, 7], where.size).astype(np.int32)
            pulses = pulses if dev.polarities == "both" else -np.abs(pulses)
            everywhere = np.zeros(3000, np.int32)
            everywhere[where] = pulses
            dev.pulse(whole, everywhere.reshape(50, 60), KEY.at(turn))
            dev.pulse_some(some, where, pulses, KEY.at(turn))
        assert all(np.array_equal(a, b) for a, b in zip(whole, some, strict=True)), name
    assert len(kinds) >= 6, kinds
