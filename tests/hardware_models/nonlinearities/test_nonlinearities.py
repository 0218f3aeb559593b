"""Neurons: closed forms and their slopes, backlash, drift, and that a look inside or a checkpoint changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.chip import SLOPE_STEP, Chip
from hardware_models.chip.process_port import ProcessPort
from hardware_models.keys import Key
from hardware_models.nonlinearities import NONLINEARITIES
from hardware_models.nonlinearities.base import Stateful, Timed, load_nonlinearity
from hardware_models.nonlinearities.black_box import RandomMonotone, RandomSpread
from hardware_models.nonlinearities.drifting import Drifting
from hardware_models.nonlinearities.harsh import Mixing, RandomWaves
from hardware_models.nonlinearities.hysteretic import Hysteretic
from hardware_models.nonlinearities.student_t import StudentT
from hardware_models.port import SealedChipError

KEY = Key(3, "nonlinearities")
LAYERS = ((33, 20), (21, 10))
REMEMBERING = ("hysteretic", "drifting", "drifting-hard")
FORMS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: np.where(z > 0, 1.0, np.where(z < 0, 0.0, 0.5))),
    "linear": (lambda z: z, np.ones_like),
    "tanh": (lambda z: 2 * np.tanh(z / 2), lambda z: 1 / np.cosh(z / 2) ** 2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: 0.25 / np.cosh(z / 2) ** 2),
    "student-t": (lambda z: np.log1p(z**2), lambda z: 2 * z / (1 + z**2)),
    "saturating": (
        lambda z: 2 * np.tanh(np.maximum(z, 0) / 2),
        lambda z: np.where(z > 0, 1 / np.cosh(z / 2) ** 2, np.where(z < 0, 0.0, 0.5)),
    ),
}
"""f and f' in float64."""


def grid(neurons: int = 20) -> np.ndarray:
    """Return z (B, neurons) from -7 to 7 with zero in it."""
    return np.linspace(-7, 7, 113, dtype=np.float32)[:, None].repeat(neurons, axis=1)


def inputs(batch: int = 9, seed: int = 0) -> np.ndarray:
    """Return inputs of layer 0, the last the bias."""
    x = np.random.default_rng(seed).uniform(0, 4, (batch, 33)).astype(np.float32)
    x[:, -1] = 6.0
    return x


def chip(name: str, **more: Any) -> Chip:
    """Return a chip with programmed weights."""
    made = Chip("memristor", LAYERS, nonlinearity=name, **more)
    program(made)
    return made


def program(port: Any) -> None:
    """Program the weights of layer 0."""
    port.program(0, np.random.default_rng(5).normal(0, 0.3, (33, 20)), key=KEY.child("program"))


def use(port: Any, times: int = 3) -> np.ndarray:
    """Observe, write and wait a few times; return what was observed."""
    seen = []
    for n in range(times):
        seen.append(port.observe(0, inputs(seed=n), bias=0.1 * n, key=KEY.child("observe", n))[0])
        port.fire_cells(0, np.ones((33, 20), np.int32), key=KEY.child("fire", n))
        port.wait(2e-4, key=KEY.child("wait", n))
    return np.array(seen)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    """Return whether two saved states are the same to the bit."""
    return one.keys() == other.keys() and all(np.array_equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("name", FORMS)
def test_closed_forms_and_slopes(name: str) -> None:
    """The curve to float32 rounding; the slope to the stated error, the average of both sides at a kink."""
    oracle = Chip("ideal", LAYERS, nonlinearity=name).oracle
    f, slope = FORMS[name]
    z = grid()
    exact = z.astype(np.float64)
    y = oracle.neurons(0, z)
    assert y.dtype == np.float32 and np.allclose(y, f(exact), rtol=4e-7, atol=1e-7)
    found = oracle.slope(0, z)
    assert found.dtype == np.float32 and found.shape == z.shape
    # The third derivatives of these curves are at most 4 (Student t); the saturating one bends at its kink by z²/8.
    bound = 4 * SLOPE_STEP**2 / 6 + 2.0**-15 * np.abs(f(exact))
    assert (np.abs(found - slope(exact)) <= bound).all()


def test_the_slope_far_out() -> None:
    """The step grows with z, so that float32 resolves it: of the identity the slope is one to the bit."""
    oracle = Chip("ideal", LAYERS, nonlinearity="linear").oracle
    z = np.array([1e-30, 15.9, 16.1, 1e3, 1e6, 1e20] * 20, np.float32).reshape(20, 6).T.copy()
    assert np.array_equal(oracle.slope(0, z), np.ones_like(z)) and np.array_equal(oracle.slope(0, -z), np.ones_like(z))


def test_the_slope_of_a_box_is_that_of_its_curve() -> None:
    """Rises add up: the integral of the slopes over z is the difference of the curve (away from single kinks)."""
    oracle = Chip("ideal", LAYERS, nonlinearity="random-nonmonotone").oracle
    step = 2 * SLOPE_STEP  # the intervals of neighbouring differences join without a gap
    z = np.arange(-2, 5, step, dtype=np.float32)[:, None].repeat(20, axis=1)
    total = (oracle.slope(0, z).astype(np.float64) * step).sum(axis=0)
    ends = z[[0, -1]] + np.array([[-SLOPE_STEP], [SLOPE_STEP]], np.float32)
    low, high = oracle.neurons(0, ends)
    assert np.allclose(total, high - low, atol=1e-4)
    assert (oracle.slope(0, z) < -0.1).any()


@pytest.mark.parametrize(
    ("z", "words"),
    [(np.zeros(20), "shape"), (np.zeros((3, 19)), r"\(B, 20\)"), (np.full((1, 20), np.nan), "finite")],
)
def test_the_oracle_refuses_what_it_cannot_answer(z: np.ndarray, words: str) -> None:
    """One sentence; and nothing at all on a sealed chip."""
    oracle = Chip("ideal", LAYERS).oracle
    for ask in (oracle.slope, oracle.neurons):
        with pytest.raises(UsageError, match=words) as caught:
            ask(0, z)
        assert "\n" not in str(caught.value)
    with pytest.raises(SealedChipError):
        Chip("ideal", LAYERS, sealed=True).oracle.slope(0, grid())


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_what_every_nonlinearity_keeps(name: str) -> None:
    """Name, shape, type, finite values; whatever moves with time can be saved; no public attribute shows parameters."""
    model = load_nonlinearity(name)
    box = model.fabricate(70, KEY)
    y = box(grid(70))
    assert model.name == name and y.shape == (113, 70) and y.dtype == np.float32 and np.isfinite(y).all()
    assert isinstance(box, Stateful) == (name in REMEMBERING)
    assert isinstance(box, Stateful) or not isinstance(box, Timed)
    assert not any(isinstance(getattr(box, n, None), np.ndarray | tuple) for n in dir(box) if not n.startswith("_"))
    if name in REMEMBERING:
        assert not hasattr(box, "__dict__")


def test_only_analog_neurons_are_converted() -> None:
    """Nothing stands behind a digital sum that is passed on; a curve is driven by a DAC and converted again."""
    counts = {
        n: chip(n).observe(0, inputs(), key=KEY)[1]
        for n in ("linear", "relu", "sigmoid", "tanh", "student-t", *REMEMBERING)
    }
    assert counts["linear"].counts == counts["relu"].counts == counts["sigmoid"].counts
    for name in ("tanh", "student-t", *REMEMBERING):
        for converter in ("adc.8", "dac.8"):
            assert counts[name][converter] == counts["relu"][converter] + 9 * 20
    signed = chip("linear", adc=None).observe(0, inputs(), key=KEY)[0]
    assert np.array_equal(signed, chip("linear", adc=None).read(0, inputs(), key=KEY)[0]) and (signed < 0).any()


def test_unknown_names_and_figures_are_refused() -> None:
    """One sentence, with the nearest name."""
    with pytest.raises(UsageError, match="did you mean 'hysteretic'"):
        Chip("ideal", LAYERS, nonlinearity="histeretic")
    for make in (
        lambda: StudentT(nu=0.0), lambda: Hysteretic(half_width=-1.0), lambda: Hysteretic(spread=np.nan),
        lambda: Drifting(tau=0.0), lambda: Drifting(gain=-0.1), lambda: Drifting(offset=True),
        lambda: RandomWaves(slowest=2.0), lambda: Mixing(share=1.1),
    ):  # fmt: skip
        with pytest.raises(UsageError, match="nonlinearity .* needs a number") as caught:
            make()
        assert "\n" not in str(caught.value)


# --- boxes in which a model is badly wrong ---


def powers(box: Callable[..., Any], n: int) -> np.ndarray:
    """Return E f(z)² of each neuron for z ~ N(0, 1), by Gauss-Hermite quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    y = box(nodes.astype(np.float32)[:, None].repeat(n, axis=1)).astype(np.float64)
    return np.asarray(weights @ y**2 / np.sqrt(2 * np.pi))


@pytest.mark.parametrize(("model", "spread"), [(RandomMonotone(), 0.1), (RandomSpread(), 1.0), (RandomWaves(), 0.1)])
def test_gains_scatter_around_the_power_of_a_rectifier(model: Any, spread: float) -> None:
    """E f² is 1/2 in the median, its logarithm normal with twice the deviation of the gains'."""
    n = 4000
    logs = np.log(powers(model.fabricate(n, KEY), n) / 0.5) / 2
    assert abs(logs.mean()) < 5 * spread / np.sqrt(n)
    assert abs(logs.std() / spread - 1) < 5 / np.sqrt(2 * n)


def test_waves_fall_as_often_as_they_rise() -> None:
    """Never negative, always on, and the slope's sign is a fair coin's."""
    n = 4000
    box = RandomWaves().fabricate(n, KEY)
    z = np.random.default_rng(0).normal(0, 1, n).astype(np.float32)
    y, next_to = box(np.stack((z, z + np.float32(1 / 64))))
    assert y.min() >= 0 and (y > 0).mean() > 0.99
    assert abs((next_to > y).mean() - 0.5) < 5 * 0.5 / np.sqrt(n)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.75, 1.0])
def test_a_share_of_the_power_comes_from_elsewhere(share: float) -> None:
    """A bump on one neuron reaches the others: of its squares kappa, within what a mean over n bumps leaves."""
    n = 300
    curve = RandomMonotone().fabricate(n, KEY.child("curve"))
    box = Mixing(share=share).fabricate(n, KEY)
    z = np.random.default_rng(0).normal(1, 1, n).astype(np.float32)
    bumped = z + 0.5 * np.eye(n, dtype=np.float32)
    before, after = box(z[None]), box(bumped)
    if share == 0.0:
        assert np.array_equal(before, curve(z[None]))
    on = (before > 0) & (after > 0)
    rise = np.where(on, after - before, 0.0).astype(np.float64)
    own = curve(bumped).diagonal().astype(np.float64) - curve(z[None])[0]
    # Every output is (sqrt(1 - kappa) 1 + sqrt(kappa) Q) m: of own² a share 1 - kappa stays, kappa/n goes to each other.
    there = on.diagonal() & (own > 0)
    stays = (rise.diagonal()[there] / own[there]).mean()
    assert abs(stays - np.sqrt(1 - share)) < 5 * np.sqrt(share / n / there.sum()) + 1e-3
    away = ~np.eye(n, dtype=bool) & on
    power = (rise**2 / np.maximum(own, 1e-9)[:, None] ** 2)[away & (own > 0.05)[:, None]].mean() * n
    assert abs(power - share) < 0.1 * share + 1e-6


# --- hysteretic ---


def play(z: np.ndarray, width: float, start: float = 0.0) -> np.ndarray:
    """Return the play operator of one neuron, value by value."""
    p, seen = start, []
    for value in z:
        p = min(max(value - width, p), value + width)
        seen.append(p)
    return np.array(seen)


def test_both_branches_of_the_loop() -> None:
    """Up along z - w, down along z + w: 2 w apart to the bit, on numbers that float32 holds."""
    box = Hysteretic(spread=0.0).fabricate(130, KEY)
    up = np.arange(-2, 4 + 1 / 64, 1 / 64, dtype=np.float32)[:, None].repeat(130, axis=1)
    box(up[:1])
    rising, falling = box(up), box(up[::-1])[::-1]
    assert np.array_equal(rising, np.maximum(up - np.float32(0.25), 0))
    inner = (up[:, 0] > 0.25) & (up[:, 0] <= 3.5)
    assert np.array_equal(falling[inner] - rising[inner], np.full_like(rising[inner], 0.5))
    assert np.array_equal(box(up), rising)  # the outer loop closes


def test_return_point_memory_and_rate_independence() -> None:
    """An inner loop ends where it began, however finely its way is cut, and the outer one goes on as if nothing was."""
    box = Hysteretic().fabricate(40, KEY)

    def go(*turns: float, steps: int) -> np.ndarray:
        path = np.concatenate([np.linspace(a, b, steps) for a, b in zip(turns[:-1], turns[1:], strict=True)])
        return box(path.astype(np.float32)[:, None].repeat(40, axis=1))[-1]

    ends = []
    for turns in ((-3, 3), (-3, 3, 1, 3), (-3, 3, 1, 2, 1.5, 2, 1, 3)):
        for steps in (2, 57):
            ends.append(go(*turns, steps=steps))
    assert all(np.array_equal(end, ends[0]) for end in ends)
    assert not np.array_equal(go(-3, 3, 1, steps=2), go(-3, 1, steps=2))


def test_each_neuron_follows_its_own_play() -> None:
    """The rows one after another, over calls; half widths of the stated median and spread."""
    box = Hysteretic().fabricate(3000, KEY)
    assert isinstance(box, Stateful)
    width = 10 - box(np.full((1, 3000), 10, np.float32))[0].astype(np.float64)
    n = width.size
    assert abs(np.log(width).mean() - np.log(0.25)) < 5 * 0.3 / np.sqrt(n)
    assert abs(np.log(width).std() / 0.3 - 1) < 5 / np.sqrt(2 * n)
    z = np.random.default_rng(0).normal(1, 1, (30, n)).astype(np.float32)
    y = np.concatenate([box(z[:11]), box(z[11:])])
    for j in (0, 63, 64, 2999):
        assert np.allclose(y[:, j], np.maximum(play(z[:, j], width[j], 10 - width[j]), 0), atol=4e-6)
    assert np.array_equal(box.save()["play"] > 0, y[-1] > 0)


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="needs two threads")
@pytest.mark.parametrize("name", NONLINEARITIES)
def test_the_bits_do_not_depend_on_the_threads(name: str) -> None:
    """Two calls of a layer that no number of threads divides evenly."""
    z = np.random.default_rng(0).normal(1, 2, (2, 41, 203)).astype(np.float32)
    seen = []
    try:
        for threads in (1, 2):
            numba.set_num_threads(threads)
            box = load_nonlinearity(name).fabricate(203, KEY)
            seen.append([box(part) for part in z])
    finally:
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    assert np.array_equal(seen[0], seen[1])


def test_backlash_stays_in_its_layer_and_out_of_other_calls() -> None:
    """Layers have memories of their own; reading, writing and waiting leave them alone."""
    made = chip("hysteretic")
    made.observe(0, inputs(), key=KEY)
    before = made.save()
    assert before["neurons0.play"].any() and not before["neurons1.play"].any()
    made.read(0, inputs(seed=1), key=KEY)
    made.fire_cells(0, np.ones((33, 20), np.int32), key=KEY)
    made.wait(1.0, key=KEY)
    assert all(np.array_equal(before[f"neurons{n}.play"], made.save()[f"neurons{n}.play"]) for n in (0, 1))


def test_slope_of_a_loop_is_row_by_row() -> None:
    """On a branch 1, in the dead band 0; each row from the state that the rows before it leave."""
    oracle = Chip("ideal", LAYERS, nonlinearity="hysteretic").oracle
    z = np.array([5.0, 4.99, 5.2, 3.0, -4.0], np.float32)[:, None].repeat(20, axis=1)
    assert np.allclose(oracle.slope(0, z), np.array([1, 0, 1, 1, 0])[:, None], atol=2.0**-15 * 6)


# --- drifting ---


def wander(box: Any) -> np.ndarray:
    """Return u and v of a box, (2, n)."""
    return box.save()["wander"]


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean product of two sets of numbers of variance one."""
    return float(np.mean(a * b))


def test_drift_is_stationary_and_forgets_exponentially() -> None:
    """Variance one at all times and correlation exp(-t/tau), within five standard errors of n draws."""
    n = 20_000
    tau = Drifting().tau
    box: Any = Drifting().fabricate(n, KEY)
    start = wander(box)
    for share in (0.1, 0.5, 1.0, 3.0):
        box.advance(share * tau)
        now, rho = wander(box), np.exp(-share)
        for kind in (0, 1):
            assert abs(now[kind].mean()) < 5 / np.sqrt(n)
            assert abs(now[kind].var() - 1) < 5 * np.sqrt(2 / n)
            assert abs(correlation(start[kind], now[kind]) - rho) < 5 * np.sqrt((1 + rho**2) / n)
        assert abs(correlation(now[0], now[1])) < 5 / np.sqrt(n)


def test_how_time_is_split_does_not_matter() -> None:
    """The change over a time has the variance 2 (1 - exp(-t/tau)) in one step, in two, and in a thousand."""
    n = 20_000
    tau = Drifting().tau
    for steps in (1, 2, 1000):
        box: Any = Drifting().fabricate(n // (1 if steps < 3 else 10), Key(steps, "split"))
        start = wander(box)
        for k in range(1, steps + 1):
            box.advance(0.4 * tau * k / steps)
        change = wander(box) - start
        assert abs(change.var() / (2 * (1 - np.exp(-0.4))) - 1) < 5 * np.sqrt(2 / change.size)


def test_drift_moves_gain_and_offset_as_stated() -> None:
    """At another time the same curve, times a gain of 10 % and at z moved by 0.1."""
    n = 5000
    z = np.random.default_rng(0).normal(1, 1, (4, n)).astype(np.float32)
    box: Any = Drifting().fabricate(n, KEY)
    curve: Any = replace(Drifting(), gain=0.0, offset=0.0).fabricate(n, KEY)
    box.advance(1e-3)
    u, v = wander(box)
    expected = curve(z + (0.1 * v).astype(np.float32)) * np.exp(0.1 * u)
    assert np.allclose(box(z), expected, rtol=1e-5, atol=1e-6)
    assert (np.diff(box(np.sort(z, axis=0)), axis=0) >= 0).all()
    assert np.array_equal(box(z), box(z))  # calls do not move it


def test_a_box_does_not_go_back() -> None:
    """Time runs forwards, but for a restored state; no time, no draw."""
    box: Any = Drifting().fabricate(5, KEY)
    box.advance(1e-3)
    state = box.save()
    box.advance(1e-3)
    assert same(state, box.save())
    box.advance(2e-3)
    with pytest.raises(UsageError, match="cannot go back"):
        box.advance(1e-3)
    after = box.save()
    box.restore(state)
    box.advance(2e-3)
    assert same(after, box.save())


def test_the_chip_hands_its_clock_on() -> None:
    """Reads, writes and waits of any layer age the neurons of all, each layer with draws of its own."""
    made = chip("drifting")
    for act in (
        lambda: made.read(1, np.ones((2, 21), np.float32), key=KEY),
        lambda: made.fire_cells(1, np.ones((21, 10), np.int32), key=KEY),
        lambda: made.wait(1e-5, key=KEY),
    ):
        before = made.save()
        act()
        after = made.save()
        assert after["chip.time"] > before["chip.time"]
        for layer in (0, 1):
            assert after[f"neurons{layer}.time"] == after["chip.time"]
            assert not np.array_equal(before[f"neurons{layer}.wander"], after[f"neurons{layer}.wander"])
    assert not np.array_equal(after["neurons0.wander"][:, :10], after["neurons1.wander"])


# --- state ---


@pytest.mark.parametrize("name", REMEMBERING)
def test_a_look_leaves_no_trace(name: str) -> None:
    """Slopes and curves are taken on copies: the saved state and all that follows are the same to the bit."""
    one, other = chip(name), chip(name)
    use(one), use(other)
    before = one.save()
    z = np.random.default_rng(0).normal(1, 2, (6, 20)).astype(np.float32)
    kept = z.copy()
    slope, y = one.oracle.slope(0, z), one.oracle.neurons(0, z)
    assert np.array_equal(slope, one.oracle.slope(0, z)) and np.array_equal(y, one.oracle.neurons(0, z))
    assert np.array_equal(z, kept) and same(before, one.save()) and one.clipped_share() == other.clipped_share()
    assert np.array_equal(use(one), use(other))


@pytest.mark.parametrize("name", REMEMBERING)
def test_restored_to_the_bit(name: str) -> None:
    """Another chip of the same seed goes on from a saved state like the first; a saved state does not move with it."""
    one, other = chip(name), Chip("memristor", LAYERS, nonlinearity=name)
    use(one)
    state = one.save()
    frozen = {entry: value.copy() for entry, value in state.items()}
    other.restore(state)
    seen = use(one)
    assert np.array_equal(seen, use(other)) and same(one.save(), other.save()) and same(state, frozen)
    one.restore(state)
    assert np.array_equal(use(one), seen)


@pytest.mark.parametrize("name", REMEMBERING)
def test_a_state_of_another_chip_is_refused(name: str) -> None:
    """A state without the neurons' memory, or with other neurons', in one sentence."""
    made = chip(name)
    with pytest.raises(UsageError, match="nothing of the neurons of layer 0"):
        made.restore(chip("relu").save())
    box: Any = load_nonlinearity(name).fabricate(5, KEY)
    with pytest.raises(UsageError, match="of 6 neurons, this layer has 5"):
        box.restore(load_nonlinearity(name).fabricate(6, KEY).save())  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["hysteretic", "drifting"])  # drifting-hard remembers in the same arrays as drifting
def test_a_chip_in_another_process_remembers_too(name: str) -> None:
    """The same bits as here, saved there and taken up here."""
    here = chip(name, sealed=True)
    with ProcessPort("memristor", LAYERS, nonlinearity=name) as there:
        program(there)
        assert np.array_equal(use(here), use(there))
        state = there.save()
        assert same(here.save(), state)
        seen = use(there)
    again = Chip("memristor", LAYERS, nonlinearity=name)
    again.restore(state)
    assert np.array_equal(use(again), seen)


def test_the_names_are_in_the_nomenclature() -> None:
    """Every nonlinearity has its line."""
    page = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "nomenclature.md").read_text(encoding="utf-8")
    table = page.split("## Nonlinearities\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", table, re.M) == list(NONLINEARITIES)


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_the_row_of_a_nonlinearity_says_whether_it_remembers(name: str) -> None:
    """Options are checked by the row, before neurons are made."""
    assert NONLINEARITIES[name].remembers == isinstance(load_nonlinearity(name).fabricate(3, Key(0, "n")), Stateful)
