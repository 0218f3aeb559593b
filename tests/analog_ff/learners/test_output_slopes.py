"""Slopes of outputs, measured with one read: against closed forms, under noise, by learners on sealed chips."""

from __future__ import annotations

import numpy as np
import pytest

from analog_ff.learners.backprop import FeedbackAlignment, NominalBackprop
from analog_ff.learners.local_softmax import LocalSoftmax
from analog_ff.learners.neuron_curves import KEPT, NeuronCurves
from analog_ff.learners.one_sided import OneSidedDither
from analog_ff.learners.slopes import Dither, Dropped, NodePerturbation, Oracle
from analog_ff.network.base import Activity
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.events import Events, Tally
from hardware_models.keys import Key

BATCH = 40
SHAPES = ((21, 30), (31, 20))
CLASSES = 4
GAIN, OMEGA, PHASE = 0.7, 1.3, 0.4


def wave(z: np.ndarray) -> np.ndarray:
    """Return a (1 + sin(omega z + phi)), a curve of `RandomWaves`."""
    return GAIN * (1 + np.sin(OMEGA * z + PHASE))


def slope_of_wave(z: np.ndarray) -> np.ndarray:
    """Return its derivative."""
    return GAIN * OMEGA * np.cos(OMEGA * z + PHASE)


class Waves:
    """A network of one layer of known waves: y = f(z + bias) + noise for the z in x, which the pin reads with noise."""

    def __init__(self, units: int, noise: float = 0.0, noise_of_z: float = 0.0) -> None:
        self.noise, self.noise_of_z = noise, noise_of_z
        self.units, self.parts, self.port = (units,), ((0,),), self
        self.goodness = [LayerGoodness("sum-of-squares", units)]
        self.pins = frozenset({"observe", "read"})

    def seen(self, z: np.ndarray, key: Key) -> np.ndarray:
        return wave(z) + self.noise * key.generator().standard_normal(z.shape)

    def look(self, z: np.ndarray, key: Key) -> Activity:
        y = self.seen(z, key)
        return Activity((z,), y, y)

    def again(self, layer: int, activity: Activity, bias, key: Key):
        return self.seen(activity.x[0] + bias, key), Tally({"0": Events({"reads.cells": activity.y.size})})

    def read(self, part: int, x: np.ndarray, *, key: Key):
        noise = self.noise_of_z * key.generator().standard_normal(x.shape)
        return x + noise, Events({"reads.cells": x.size})

    def split(self, layer: int, d: np.ndarray):
        return (d,)

    def join(self, layer: int, found):
        return found[0]


def drawn(units: int, batch: int = BATCH, seed: int = 0) -> np.ndarray:
    """Return z ~ N(0, 1), (batch, units)."""
    return Key(seed, "z").generator().standard_normal((batch, units))


# --- one-sided dither ---


@pytest.mark.parametrize("outputs", [True, False])
def test_error_of_the_one_sided_dither_is_that_of_its_formula(outputs: bool) -> None:
    """s delta/2 g'' of either sign, image by image; for squares g''/F = f'^2 + f f''."""
    network, z, delta = Waves(30), drawn(30), 0.01
    found, _ = OneSidedDither(network, outputs=outputs, dither=delta)(0, network.look(z, Key(0)), Key(1))
    f, slope, curvature = wave(z), slope_of_wave(z), -(OMEGA**2) * (wave(z) - GAIN)
    exact, second = (slope, curvature) if outputs else (f * slope, slope**2 + f * curvature)
    signs = np.where(np.arange(BATCH) % 2, -1.0, 1.0)[:, None]
    error = found - exact
    assert np.abs(error - signs * delta / 2 * second).max() < delta**2 * GAIN * OMEGA**3
    # Pairs of images at the same z: the term of first order is gone, what is left is of the second.
    twins = np.repeat(z[::2], 2, axis=0)
    found, _ = OneSidedDither(network, outputs=outputs, dither=delta)(0, network.look(twins, Key(0)), Key(1))
    exact = slope_of_wave(twins) * (1 if outputs else wave(twins))
    assert np.abs((found - exact).reshape(-1, 2, 30).mean(axis=1)).max() < delta**2 * GAIN * OMEGA**3


def test_the_sign_of_the_one_sided_dither_turns_from_image_to_image_across_batches() -> None:
    """Images one by one have the slopes of a batch of them, also after the state is restored: the bias averages out."""
    network = Waves(3)
    z = np.repeat(np.linspace(-1.0, 1.0, 3)[None], 4, axis=0)
    at_once, _ = OneSidedDither(network, outputs=True, dither=0.5)(0, network.look(z, Key(0)), Key(1))
    slope, alone = OneSidedDither(network, outputs=True, dither=0.5), []
    for row in z:
        saved, slope = slope.save(), OneSidedDither(network, outputs=True, dither=0.5)
        slope.restore(saved)
        alone.append(slope(0, network.look(row[None], Key(0)), Key(1))[0][0])
    np.testing.assert_array_equal(alone, at_once)
    assert not np.array_equal(at_once[0], at_once[1])


def test_noise_of_the_one_sided_dither_is_twice_that_of_the_two_sided() -> None:
    """sqrt(2) sigma/delta against sigma/(sqrt(2) delta), within 4.5 standard errors of N draws: 4.5/sqrt(2 N)."""
    units, sigma, delta = 20_000, 0.02, 0.5
    network = Waves(units, noise=sigma)
    activity = network.look(np.full((1, units), 0.3), Key(0))
    one, _ = OneSidedDither(network, outputs=True, dither=delta)(0, activity, Key(1))
    two, _ = Dither(network, outputs=True, dither=delta)(0, activity, Key(1))
    assert one.std() == pytest.approx(np.sqrt(2) * sigma / delta, rel=4.5 / np.sqrt(2 * units))
    assert two.std() == pytest.approx(sigma / (np.sqrt(2) * delta), rel=4.5 / np.sqrt(2 * units))
    centre = GAIN / delta * np.cos(OMEGA * 0.3 + PHASE) * np.sin(OMEGA * delta)  # the central difference of a wave
    assert two.mean() == pytest.approx(centre, abs=4.5 * sigma / (np.sqrt(2) * delta) / np.sqrt(units))


# --- curves ---


def test_curve_of_a_straight_line_is_exact_and_of_a_wave_is_its_mean_slope() -> None:
    """A line's slope to rounding; a wave's error is at most the change of its slope over the three bins of a line."""
    units, bins, reach = 8, 32, 4.0
    z = drawn(units, batch=20_000)
    network = Waves(units)
    curves = NeuronCurves(network, outputs=True, curve_bins=bins, curve_range=reach)
    line = 0.3 + 0.7 * z
    found, _ = curves(0, Activity((z,), line, line), Key(0))
    assert np.allclose(found[np.abs(z) < 2], 0.7, atol=1e-6)
    found, _ = NeuronCurves(network, outputs=True, curve_bins=bins, curve_range=reach)(
        0, network.look(z, Key(0)), Key(1)
    )
    width = 2 * reach / bins
    assert np.abs(found - slope_of_wave(z))[np.abs(z) < 2].max() < 2 * width * GAIN * OMEGA**2


@pytest.mark.slow
def test_averaging_lowers_the_error_of_a_curve_as_one_over_root_n_until_it_forgets() -> None:
    """Variance v (1 - rho)(1 + rho^n)/((1 + rho)(1 - rho^n)) of a leaky mean of n batches, in units of that of one.

    z is the same in all batches and lies in one bin, so that a slope is a leaky mean of the slopes of single batches. Within
    4.5 standard errors of a variance of so many neurons, sqrt(2/units).
    """
    units, sigma = 4000, 0.05
    z = np.linspace(0.1, 0.4, BATCH)[:, None].repeat(units, axis=1)  # one of the bins 0 ... .5
    network = Waves(units, noise=sigma)
    curves = NeuronCurves(network, outputs=True)
    spread = BATCH * z[:, 0].var()
    mean = ((z[:, 0] - z[:, 0].mean()) @ wave(z[:, 0])) / spread
    for n in range(1, 201):
        found, _ = curves(0, network.look(z, Key(0, "pass", n)), Key(0, "slope", n))
        if n in (1, 4, 16, 200):
            left = (1 - KEPT) * (1 + KEPT**n) / ((1 + KEPT) * (1 - KEPT**n))
            expected = sigma**2 / spread * left
            assert found[0].var() == pytest.approx(expected, rel=4.5 * np.sqrt(2 / units))
            assert found[0].mean() == pytest.approx(mean, abs=4.5 * np.sqrt(expected / units))
    assert left == pytest.approx((1 - KEPT) / (1 + KEPT), rel=0.05)  # 200 batches: as good as for ever


def test_noise_of_z_lowers_the_slopes_of_a_line_by_the_stated_part() -> None:
    """Z/(Z + v_z), Z the variance of z: here all z lie in one bin far from its edges. 4.5 standard errors of a fitted line."""
    units, noise_of_z = 4000, 0.05
    z = np.linspace(0.2, 0.3, BATCH)[:, None].repeat(units, axis=1)
    network = Waves(units, noise_of_z=noise_of_z)
    line = 2.0 * z
    curves = NeuronCurves(network, outputs=True, curve_bins=4)  # bins of 2: no reading leaves 0 ... 2
    for n in range(50):
        found, _ = curves(0, Activity((z,), line, line), Key(0, "slope", n))
    part = z[:, 0].var() / (z[:, 0].var() + noise_of_z**2)
    assert found[0].mean() == pytest.approx(2.0 * part, rel=0.02)


def test_a_curve_that_is_known_at_one_z_alone_has_no_slope() -> None:
    network = Waves(5)
    z = np.full((BATCH, 5), 0.25)
    found, _ = NeuronCurves(network)(0, network.look(z, Key(0)), Key(1))
    assert np.array_equal(found, np.zeros((BATCH, 5)))


def test_curves_go_on_after_a_restart() -> None:
    network = Waves(5, noise=0.1)
    first, second = NeuronCurves(network), NeuronCurves(network)
    first(0, network.look(drawn(5), Key(0)), Key(1))
    second.restore(first.save())
    activity = network.look(drawn(5, seed=1), Key(2))
    assert np.array_equal(first(0, activity, Key(3))[0], second(0, activity, Key(3))[0])


def test_a_chip_that_does_not_read_z_has_no_curves() -> None:
    network = Waves(5)
    network.pins = frozenset({"observe"})
    with pytest.raises(UsageError, match="no pin 'read'; choose --slope dither"):
        NeuronCurves(network)


# --- on a chip ---


def made(nonlinearity: str = "random-waves", device: str = "ideal", **more) -> Stack:
    """Return a stack of two layers, shown no labels, with programmed weights; converters perfect unless told otherwise."""
    chip = Chip(device, SHAPES, nonlinearity=nonlinearity, **({"dac": None, "adc": None} | more))
    for layer, shape in enumerate(SHAPES):
        weights = Key(0, "w", layer).generator().standard_normal(shape) / np.sqrt(shape[0])
        chip.program(layer, weights, key=Key(0, "program", layer))
    return Stack(chip, [LayerGoodness("sum-of-squares", units) for _, units in SHAPES], label_place="none")


def batch() -> tuple[np.ndarray, np.ndarray]:
    """Return images (B, n) and labels (B,)."""
    images = Key(0, "images").generator().random((BATCH, SHAPES[0][0] - 1)).astype(np.float32)
    return images, np.arange(BATCH) % CLASSES


@pytest.mark.parametrize("name", ["random-waves", "tanh", "random"])
def test_slopes_of_outputs_agree_with_the_curve_itself(name: str) -> None:
    """The oracle's dy/dz is f'(z) for outputs of either sign; a dither through the pins of a sealed chip is too, up to delta²."""
    from analog_ff.network.base import Shown

    known, sealed = made(name), made(name, sealed=True)
    activity = next(iter(known.forward(Shown(batch()[0]), Key(0), "look")))[0][0]
    z, _ = known.port.read(0, activity.x[0], key=Key(0))
    exact = known.port.oracle.slope(0, z)
    assert np.allclose(Oracle(known, outputs=True)(0, activity, Key(1))[0], exact, atol=1e-5)
    found, _ = Dither(sealed, outputs=True, dither=0.01)(0, activity, Key(1))
    assert np.mean(np.abs(found - exact) < 0.01) > 0.97  # the random curves have bends
    assert np.array_equal(Dropped(sealed, outputs=True)(0, activity, Key(1))[0], activity.y > 0)
    draws = NodePerturbation(sealed, outputs=True, perturbation=0.01, perturbations=400)(0, activity, Key(1))[0]
    # The other neurons' slopes are its noise: variance sum of their squares over the draws.
    noise = np.sqrt(np.square(exact).sum(axis=1, keepdims=True) / 400)
    assert np.mean(np.abs(draws - exact) < 4 * noise + 0.02) > 0.97


READS = {"dropped": 0, "dither": 2, "dither-one-sided": 1, "curve": 1, "node-perturbation": 2}
"""Reads of a layer more, by slope."""


@pytest.mark.parametrize("kind", [LocalSoftmax, NominalBackprop, FeedbackAlignment])
def test_learners_take_every_slope_on_a_sealed_chip_and_pay_for_it(kind: type) -> None:
    """One forward read, and those of the slope, in each layer; the oracle alone is refused."""
    cells = 2 * sum(n * m for n, m in SHAPES)
    for name, extra in READS.items():
        learner = kind(made(device="memristor", sealed=True, dac=8, adc=8), classes=CLASSES, seed=0, slope=name)
        total = learner.step(*batch(), step=0, gain=1.0).total()
        assert total["reads.cells"] == (1 + extra) * BATCH * cells
    with pytest.raises(UsageError, match="choose --slope dither"):
        kind(made(sealed=True), classes=CLASSES, seed=0, slope="oracle")


@pytest.mark.parametrize("slope", ["dropped", "dither", "dither-one-sided"])
def test_local_softmax_climbs_where_slopes_have_either_sign_if_they_are_measured(slope: str) -> None:
    """A layer's drive is the numerical derivative of its own log probability with a measured slope, and is not with [y > 0]."""
    network = made()
    options = {} if slope == "dropped" else {"slope_options": {"dither": 0.001}}
    learner = LocalSoftmax(network, classes=CLASSES, seed=0, local_readout="fixed", slope=slope, **options)
    images, labels = batch()
    activity = learner.look(images, None, Key(0), "look")[0][0]
    d = learner.drive(0, activity, labels, Key(1), Tally())

    def log_probability(bias: np.ndarray) -> np.ndarray:
        y, _ = network.again(0, activity, bias, Key(2))
        y = y.astype(np.float64)
        a = y / np.sqrt(np.square(y).mean(axis=1, keepdims=True))
        logits = a @ learner.local[0].weights.astype(np.float64)
        return logits[np.arange(BATCH), labels] - np.log(np.exp(logits).sum(axis=1))

    h, numerical = 1e-2, np.empty_like(d)
    for j in range(d.shape[1]):
        bias = np.zeros((1, d.shape[1]), np.float32)
        bias[0, j] = h
        numerical[:, j] = (log_probability(bias) - log_probability(-bias)) / (2 * h)
    cosine = (d * numerical).sum() / np.linalg.norm(d) / np.linalg.norm(numerical)
    assert (cosine > 0.99) == (slope != "dropped")


def test_what_a_slope_remembers_is_saved_with_its_learner() -> None:
    learner, other = (LocalSoftmax(made(), classes=CLASSES, seed=0, slope="curve") for _ in range(2))
    learner.step(*batch(), step=0, gain=1.0)
    other.restore(learner.save())
    assert all(np.array_equal(value, other.save()[name]) for name, value in learner.save().items())
    assert any(name.startswith("slope.") for name in learner.save())
