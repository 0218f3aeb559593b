"""Black boxes: their strength, crosstalk between columns, and neurons that draw."""

from __future__ import annotations

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.keys import Key
from hardware_models.nonlinearities import NONLINEARITIES
from hardware_models.nonlinearities.base import Stateful, Stochastic, Timed, answer, load_nonlinearity
from hardware_models.nonlinearities.crosstalk import Crosstalk
from hardware_models.nonlinearities.stochastic import Noisy, Switching

KEY = Key(4, "boxes")
LAYERS = ((17, 12),)


def grid(neurons: int = 12) -> np.ndarray:
    """Return z (B, neurons) from -4 to 4, other values in every column."""
    return np.random.default_rng(2).uniform(-4, 4, (40, neurons)).astype(np.float32)


def chip(name: str, **more: object) -> Chip:
    """Return a chip with perfect converters and programmed weights."""
    made = Chip("memristor", LAYERS, nonlinearity=name, dac=None, adc=None, **more)  # type: ignore[arg-type]
    made.program(0, np.random.default_rng(5).normal(0, 0.3, LAYERS[0]), key=KEY.child("program"))
    return made


@pytest.mark.parametrize("name", [name for name in NONLINEARITIES if name != "relu"])
def test_no_strength_is_the_known_network_and_full_strength_is_the_box(name: str) -> None:
    """To the bit, behind perfect converters; in between the curve is the straight line from one to the other."""
    x = np.random.default_rng(1).uniform(0, 4, (9, 17)).astype(np.float32)
    seen = {
        who: made.observe(0, x, key=KEY)[0]
        for who, made in (("known", chip("relu")), ("none", chip(name, strength=0.0)), ("box", chip(name)),
                          ("all", chip(name, strength=1.0)), ("half", chip(name, strength=0.5)))
    }  # fmt: skip
    assert np.array_equal(seen["none"], seen["known"]) and np.array_equal(seen["all"], seen["box"])
    assert np.allclose(seen["half"], 0.5 * seen["known"] + 0.5 * seen["box"], rtol=1e-6, atol=1e-6)
    assert not np.array_equal(seen["half"], seen["known"])


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_a_blend_remembers_ages_and_draws_as_its_box_does(name: str) -> None:
    box, blend = (load_nonlinearity(name, strength).fabricate(3, KEY) for strength in (1.0, 0.5))
    kinds = (Stateful, Timed, Stochastic)
    assert [isinstance(blend, kind) for kind in kinds] == [isinstance(box, kind) for kind in kinds]


def test_the_state_of_a_blend_is_restored_to_the_bit() -> None:
    one, other = (load_nonlinearity("drifting", 0.5).fabricate(12, KEY) for _ in range(2))
    assert isinstance(one, Stateful) and isinstance(one, Timed) and isinstance(other, Stateful)
    fresh = one(grid())
    one.advance(1e-3)
    assert not np.array_equal(one(grid()), fresh)
    assert np.array_equal(other(grid()), fresh)
    other.restore(one.save())
    assert np.array_equal(other(grid()), one(grid()))


@pytest.mark.parametrize("strength", [-0.1, 1.5, float("nan")])
def test_a_strength_that_is_no_share_is_refused(strength: float) -> None:
    with pytest.raises(UsageError, match="--box-strength"):
        Chip("ideal", LAYERS, nonlinearity="random", strength=strength)


def matrix_of(model: Crosstalk, neurons: int, key: Key = KEY) -> np.ndarray:
    """Return C (n, n) as seen from outside: max(Cz, 0) - max(-Cz, 0) for unit vectors z."""
    box, unit = model.fabricate(neurons, key), np.eye(neurons, dtype=np.float32)
    return (box(unit) - box(-unit)).T


def test_crosstalk_is_a_fixed_matrix_of_the_whole_layer() -> None:
    """Rows have the length one and the asked share of their power off the diagonal; the layer is max(Cz, 0)."""
    model = Crosstalk()
    matrix = matrix_of(model, 40).astype(np.float64)
    assert np.allclose(np.square(matrix).sum(axis=1), 1.0, rtol=1e-5)
    assert np.allclose(np.diag(matrix) ** 2, 1 - model.share, rtol=1e-5)
    z = grid(40)
    exact = np.maximum(z.astype(np.float64) @ matrix.T, 0.0)
    assert np.allclose(model.fabricate(40, KEY)(z), exact, atol=1e-5)
    assert not np.allclose(matrix_of(model, 40, KEY.child("another chip")), matrix, atol=0.1)


def test_crosstalk_reaches_over_neighbours() -> None:
    """The mean power of the coupling falls as exp(-2 d/reach): its ratio at d = 1 and d = 1 + reach is e^2 in distribution.

    The relative variance of a mean of 2n squared normal numbers is 2/2n; that rows differ in length costs a third more.
    """
    n, reach = 400, 3
    matrix = matrix_of(Crosstalk(reach=reach), n).astype(np.float64) ** 2
    near, far = (np.concatenate((np.diag(matrix, d), np.diag(matrix, -d))).mean() for d in (1, 1 + reach))
    assert abs(near / far / np.exp(2.0) - 1) < 5 * np.sqrt(2 * (2 / (2 * n)) * 4 / 3)
    assert (np.diag(matrix, 10 * reach) < 1e-6).all()


def test_crosstalk_of_no_share_and_of_one_neuron_is_a_rectifier() -> None:
    assert np.array_equal(Crosstalk(share=0.0).fabricate(12, KEY)(grid()), np.maximum(grid(), 0))
    assert np.array_equal(Crosstalk().fabricate(1, KEY)(grid(1)), np.maximum(grid(1), 0))


def test_noise_inside_a_neuron_has_the_mean_of_its_law() -> None:
    """The mean over n draws is E m(z + sigma xi), by quadrature, within five of its own standard deviations."""
    model, n = Noisy(), 20_000
    box = model.fabricate(12, KEY)
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    weights = weights / np.sqrt(2 * np.pi)
    for at in (-0.5, 0.3, 1.5):
        curve = box((at + model.sigma * nodes[:, None]).astype(np.float32).repeat(12, axis=1)).astype(np.float64)
        mean, square = weights @ curve, weights @ curve**2
        drawn = box.drawn(np.full((n, 12), at, np.float32), KEY.child("draws"))
        # The curves bend: quadrature of a kink over nodes that are h apart errs by about h² times the change of slope.
        tolerance = 5 * np.sqrt((square - mean**2) / n) + 0.004 * (1 + mean)
        assert (np.abs(drawn.mean(axis=0) - mean) < tolerance).all()
    assert np.array_equal(box(grid()), Noisy(sigma=0.0).fabricate(12, KEY).drawn(grid(), KEY))


def test_switches_are_on_as_often_as_their_probability_says() -> None:
    """Of n draws the share that is on lies within five standard deviations sqrt(p (1 - p)/n) of p, for every neuron and z."""
    n = 20_000
    box = Switching().fabricate(12, KEY)
    for at in (-1.0, 0.0, 0.7):
        z = np.full((n, 12), at, np.float32)
        drawn, p = box.drawn(z, KEY.child("draws")), box(z[:1])[0].astype(np.float64)
        assert set(np.unique(drawn)) <= {0.0, 1.0}
        assert (np.abs(drawn.mean(axis=0) - p) < 5 * np.sqrt(p * (1 - p) / n)).all()
    assert (np.diff(box(np.linspace(-3, 3, 50, dtype=np.float32)[:, None].repeat(12, axis=1)), axis=0) > 0).all()


@pytest.mark.parametrize("name", ["noisy", "switching"])
def test_draws_are_those_of_the_key(name: str) -> None:
    """The same key gives the same bits, on a restored chip too; another key gives others; the oracle shows no draw."""
    x = np.random.default_rng(1).uniform(0, 4, (9, 17)).astype(np.float32)
    one, other = chip(name, read_noise=False), chip(name, read_noise=False)
    first = one.observe(0, x, key=KEY)[0]
    one.observe(0, x, key=KEY.child("more"))
    assert np.array_equal(other.observe(0, x, key=KEY)[0], first) and np.array_equal(
        one.observe(0, x, key=KEY)[0], first
    )
    assert not np.array_equal(one.observe(0, x, key=KEY.child("other"))[0], first)
    z = grid()
    assert np.array_equal(one.oracle.neurons(0, z), one.oracle.neurons(0, z))
    box = load_nonlinearity(name).fabricate(12, KEY)
    assert not np.array_equal(answer(box, z, KEY), box(z))
