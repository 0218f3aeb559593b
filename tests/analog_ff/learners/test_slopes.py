"""The slopes inside a layer: against closed forms, under read noise, counted, refused."""

from __future__ import annotations

import numpy as np
import pytest

from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.learners.options import SLOPES
from analog_ff.learners.slopes import Dither, NodePerturbation, Oracle
from analog_ff.network.base import Activity
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.chip.process_port import ProcessPort
from hardware_models.events import Events, Tally
from hardware_models.keys import Key
from hardware_models.tables import lookup

BATCH = 40


class Curve:
    """A network of one layer that is its neurons alone: y = f(z + bias) + noise for the z that stands in x."""

    def __init__(self, f, units: int, goodness: str = "sum-of-squares", regions: int = 1, noise: float = 0.0) -> None:
        self.f, self.noise = f, noise
        self.units, self.parts = (units,), ((0,),)
        self.goodness = [LayerGoodness(goodness, units, regions=regions)]

    def look(self, z: np.ndarray) -> Activity:
        """Return the activity of z (B, units), without noise."""
        y = self.f(z)
        return Activity((z,), y, y)

    def again(self, layer: int, activity: Activity, bias, key: Key):
        y = self.f(activity.x[0] + bias)
        return y + self.noise * key.generator().standard_normal(y.shape), Tally({"0": Events({"reads.cells": y.size})})

    def split(self, layer: int, d: np.ndarray):
        return (d,)


CURVES = {
    "relu": (lambda z: np.maximum(z, 0.0), lambda z: (z > 0) * 1.0),
    "saturating": (lambda z: 2 * np.tanh(np.maximum(z, 0) / 2), lambda z: (z > 0) / np.cosh(z / 2) ** 2),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "student-t": (lambda z: np.log1p(z**2), lambda z: 2 * z / (1 + z**2)),
    "non-monotone": (
        lambda z: np.maximum(z, 0) * (1 + 0.5 * np.sin(4 * z)),
        lambda z: (z > 0) * (1 + 0.5 * np.sin(4 * z) + 2 * z * np.cos(4 * z)),
    ),
}
"""Curve and slope by name, float64."""


def away_from_kink(units: int = 50, distance: float = 0.3) -> np.ndarray:
    """Return z (B, units) with |z| above `distance`, where every curve is smooth."""
    z = Key(0, "z").generator().standard_normal((BATCH, units))
    return z + distance * np.sign(z)


@pytest.mark.parametrize("goodness", ["sum-of-squares", "student-t", "sum"])
@pytest.mark.parametrize("name", list(CURVES))
def test_dither_is_the_slope_of_any_goodness_up_to_delta_squared(name: str, goodness: str) -> None:
    """Half the delta, a quarter of the error: it is O(delta²), with no term of first order."""
    f, slope = CURVES[name]
    network, z = Curve(f, 50, goodness), away_from_kink()
    activity, kind = network.look(z), network.goodness[0].kind
    # The unsquared sum's own derivative is gated at y > 0, for rectifiers; its terms are y, whose slope is f'.
    exact = slope(z) if goodness == "sum" else kind.derivative(f(z)) * slope(z)
    errors = [
        np.abs(Dither(network, dither=delta)(0, activity, Key(1))[0] - exact).max() for delta in (0.02, 0.01, 0.005)
    ]
    if errors[0] > 1e-6:  # not a polynomial of second degree: the ratio is 4 up to the next order
        assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.05)
        assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.05)
    assert errors[0] < 0.05


def test_dither_is_exact_where_the_goodness_is_a_quadratic() -> None:
    """A rectifier and squares: any delta that does not cross the kink gives y f' exactly."""
    network, z = Curve(CURVES["relu"][0], 50), away_from_kink(distance=0.5)
    for delta in (0.1, 0.5):
        found, _ = Dither(network, dither=delta)(0, network.look(z), Key(1))
        assert np.allclose(found, np.maximum(z, 0), atol=1e-6)


def test_error_of_the_dither_is_that_of_its_formula() -> None:
    """delta²/6 times the third derivative of g(f(z))/F, for sin in place of a curve: g = sin², g''' = -4 sin 2z."""
    network, z = Curve(np.sin, 50), away_from_kink()
    delta = 0.02
    found, _ = Dither(network, dither=delta)(0, network.look(z), Key(1))
    expected = delta**2 / 6 * (-4 * np.sin(2 * z)) / 2
    error = found - np.sin(z) * np.cos(z)
    assert np.abs(error - expected).max() < 0.01 * np.abs(expected).max()


@pytest.mark.parametrize("goodness", ["sum-of-squares", "student-t"])
def test_noise_of_the_dither_is_that_of_its_formula(goodness: str) -> None:
    """|g'(y)| sigma_y/(sqrt 2 delta): the standard deviation of N draws lies within 4/sqrt(2 N) of it, relatively."""
    noise, delta, units = 0.01, 0.25, 20_000
    y = 1.3
    # A rectifier's g(y +- delta) has the slope g'(y +- delta): what the formula takes as g'(y) is their root mean square.
    network = Curve(CURVES["relu"][0], units, goodness, noise=noise)
    activity, kind = network.look(np.full((1, units), y)), network.goodness[0].kind
    found, _ = Dither(network, dither=delta)(0, activity, Key(2))
    at = kind.derivative(np.array([y - delta, y + delta]))
    expected = np.sqrt(np.mean(at**2)) * noise / (np.sqrt(2) * delta)
    assert found.std() == pytest.approx(expected, rel=4 / np.sqrt(2 * units) + 2 * (noise / y) ** 2)
    if goodness == "sum-of-squares":  # and that is the formula itself, up to (delta/y)²/2
        assert expected == pytest.approx(y * noise / (np.sqrt(2) * delta), rel=0.51 * (delta / y) ** 2)


@pytest.mark.parametrize("regions", [1, 5])
def test_node_perturbation_is_unbiased(regions: int) -> None:
    """Mean and variance of many single draws: the true gradient, and the squares of all others in the region.

    Within 4.5 standard errors: sqrt(v/N) of a mean, sqrt(2/N) v of a variance v (a sum of many signed terms is nearly normal).
    """
    units, draws = 20, 4000
    f, slope = CURVES["tanh"]
    network = Curve(f, units, regions=regions)
    z = away_from_kink(units)[:1]
    true = (f(z) * slope(z))[0]
    variance = (true**2).reshape(regions, -1).sum(axis=1).repeat(units // regions) - true**2
    found, _ = NodePerturbation(network, perturbation=0.01)(0, network.look(z.repeat(draws, axis=0)), Key(3))
    assert np.all(np.abs(found.mean(axis=0) - true) < 4.5 * np.sqrt(variance / draws) + 1e-4)
    assert np.allclose(found.var(axis=0), variance, rtol=4.5 * np.sqrt(2 / draws) + 1e-3)


def test_draws_of_node_perturbation_are_averaged() -> None:
    """The error of n draws is 1/sqrt n of that of one, within 4 standard errors of both."""
    f, slope = CURVES["tanh"]
    network, z = Curve(f, 20), away_from_kink(20)
    errors = [
        NodePerturbation(network, perturbation=0.01, perturbations=n)(0, network.look(z), Key(4))[0] - f(z) * slope(z)
        for n in (1, 16)
    ]
    # The errors of one draw share a sign over a row, so that the rows alone are independent.
    assert errors[0].std() / errors[1].std() == pytest.approx(4.0, rel=4 / np.sqrt(BATCH))


@pytest.mark.parametrize("units", [64, 256, 1000])
def test_one_draw_of_node_perturbation_points_as_the_law_says(units: int) -> None:
    """Mean cosine sqrt(2/(pi n)); its standard deviation over draws is sqrt(1 - 2/pi)/sqrt n."""
    draws = 2000
    f, slope = CURVES["tanh"]
    network = Curve(f, units)
    z = Key(5, "z").generator().standard_normal((draws, units))
    found, _ = NodePerturbation(network, perturbation=0.01)(0, network.look(z), Key(6))
    true = f(z) * slope(z)
    cosine = (found * true).sum(axis=1) / np.linalg.norm(found, axis=1) / np.linalg.norm(true, axis=1)
    law = np.sqrt(2 / (np.pi * units))
    # 4 standard errors, and the sum of n signed terms is a normal variable up to 1/n.
    assert abs(cosine.mean() - law) < 4 * np.sqrt((1 - 2 / np.pi) / units / draws) + law / units


# --- on a chip ---

SHAPES = ((21, 30), (31, 20))
NAMES = ("relu", "saturating", "tanh", "student-t", "random", "random-nonmonotone")
"""Boxes that are the same at every read; others have no derivative that two reads could tell."""


def made(nonlinearity: str = "relu", device: str = "ideal", goodness: str = "sum-of-squares", **more) -> Stack:
    """Return a stack of two layers with programmed weights; converters perfect unless told otherwise."""
    chip = Chip(device, SHAPES, nonlinearity=nonlinearity, **({"dac": None, "adc": None} | more))
    for layer, shape in enumerate(SHAPES):
        weights = Key(0, "w", layer).generator().standard_normal(shape) / np.sqrt(shape[0])
        chip.program(layer, weights, key=Key(0, "program", layer))
    return Stack(chip, [LayerGoodness(goodness, units) for _, units in SHAPES])


def shown(network: Stack) -> list[Activity]:
    """Return the activities of a batch."""
    from analog_ff.network.base import Shown

    pixels = Key(0, "pixels").generator().random((BATCH, SHAPES[0][0] - 1)).astype(np.float32)
    return next(iter(network.forward(Shown(pixels), Key(0, "pass"), "look")))[0]


@pytest.mark.parametrize("name", NAMES)
def test_oracle_is_the_numerical_derivative(name: str) -> None:
    """g'(y) f'(z) on an ideal chip is the slope of the goodness under a small bias, but for the few z at a bend."""
    network = made(name)
    oracle = Oracle(network)
    for layer, activity in enumerate(shown(network)):
        known, _ = oracle(layer, activity, Key(0, "o"))
        delta = 1e-3
        above, below = (
            network.port.observe(layer, activity.x[0], bias=bias, key=Key(0))[0].astype(np.float64)
            for bias in (delta, -delta)
        )
        numerical = (above**2 - below**2) / (4 * delta)
        near = np.abs(known - numerical) < 5e-3 * (1 + np.abs(numerical))
        # A rectifier has one bend, the random curves six: of z spread over some units about 2 delta each lie at one.
        assert near.mean() > 0.97


@pytest.mark.parametrize("name", ["saturating", "random-nonmonotone"])
def test_dither_agrees_with_the_oracle_through_the_pins_of_a_sealed_chip(name: str) -> None:
    known, _ = Oracle(made(name))(0, shown(made(name))[0], Key(0, "o"))
    sealed = made(name, sealed=True)
    found, _ = Dither(sealed, dither=0.02)(0, shown(sealed)[0], Key(0, "d"))
    assert np.corrcoef(known.ravel(), found.ravel())[0, 1] > 0.99


def test_slopes_find_their_places_in_a_layer_of_several_arrays() -> None:
    """A layer whose units alternate between two arrays: slopes and costs go where the units are."""

    class Alternating(Curve):
        def __init__(self) -> None:
            self.units, self.parts = (30,), ((0, 1),)
            self.goodness = [LayerGoodness("sum-of-squares", 30)]
            self.port = Chip("ideal", ((21, 15), (21, 15)), nonlinearity="tanh", dac=None, adc=None)
            for part in (0, 1):
                weights = Key(0, "w", part).generator().standard_normal((21, 15)) / 4
                self.port.program(part, weights, key=Key(0, "program", part))

        def split(self, layer, d):
            return d[:, ::2], d[:, 1::2]

        def join(self, layer, found):
            return np.stack(found, axis=2).reshape(BATCH, 30)

        def again(self, layer, activity, bias, key):
            y, tally = np.empty((BATCH, 30), np.float32), Tally()
            pieces = self.split(layer, np.broadcast_to(np.float32(bias), y.shape))
            for part, offset in enumerate(pieces):
                found, events = self.port.observe(part, activity.x[part], bias=offset, key=key.child("again", part))
                self.split(layer, y)[part][:] = found
                tally.add(part, events)
            return y, tally

    network = Alternating()
    x = tuple(Key(0, "x", part).generator().random((BATCH, 21)).astype(np.float32) for part in (0, 1))
    y, _ = network.again(0, Activity(x, x[0], x[0]), 0.0, Key(0))
    activity = Activity(x, y, y)
    z = np.empty_like(y)
    for part, place in enumerate(network.split(0, z)):
        place[:] = network.port.read(part, x[part], key=Key(0))[0]
    exact = y / np.cosh(z / 2) ** 2  # f = 2 tanh(z/2)
    for slope in (Oracle(network), Dither(network, dither=0.01)):
        found, tally = slope(0, activity, Key(1))
        assert np.allclose(found, exact, atol=2e-3)
        assert sorted(tally.layers) == ["0", "1"] and tally.layers["0"].counts == tally.layers["1"].counts


def test_reads_move_neurons_that_remember_and_looking_does_not() -> None:
    network = made("hysteretic")
    activity = shown(network)[0]
    for slope, moved in ((Oracle(network), False), (Dither(network), True), (NodePerturbation(network), True)):
        before = network.port.save()["neurons0.play"].copy()
        slope(0, activity, Key(1))
        assert np.array_equal(before, network.port.save()["neurons0.play"]) != moved


def test_every_extra_read_is_counted_and_has_noise_of_its_own() -> None:
    """Dither: two reads a pass and layer, node perturbation two a draw, the oracle one; nothing is read twice for free."""
    network = made("saturating", "memristor", dac=8, adc=8)
    first = shown(network)
    for slope, reads in (
        (Oracle(network), 1), (Dither(network), 2), (NodePerturbation(network, perturbations=3), 6),
    ):  # fmt: skip
        for layer, (inputs, neurons) in enumerate(SHAPES):
            one, tally = slope(layer, first[layer], Key(7))
            assert tally.total()["reads.cells"] == reads * BATCH * 2 * inputs * neurons
            assert list(tally.layers) == [str(layer)]
            again, _ = slope(layer, first[layer], Key(7))
            other, _ = slope(layer, first[layer], Key(8))
            assert np.array_equal(one, again) and not np.array_equal(one, other)
    above, _ = network.again(0, first[0], 0.0, Key(7).child("above"))
    below, _ = network.again(0, first[0], 0.0, Key(7).child("below"))
    assert not np.array_equal(above, below)


def test_a_learner_pays_for_two_passes_in_each_layer() -> None:
    """The neutral pass takes no slope; the positive and the negative take what theirs costs."""
    images = Key(0, "images").generator().random((BATCH, SHAPES[0][0] - 1)).astype(np.float32)
    labels = np.arange(BATCH) % 10
    for name, extra in (("dropped", 0), ("oracle", 1), ("dither", 2), ("node-perturbation", 2)):
        learner = ForwardForward(made("saturating", "memristor"), classes=10, seed=0, slope=name)
        total = learner.step(images, labels, step=0, gain=1.0).total()
        assert total["reads.cells"] == (3 + 2 * extra) * BATCH * 2 * sum(n * m for n, m in SHAPES)


@pytest.mark.slow
def test_learns_alike_on_a_chip_in_another_process() -> None:
    """A sealed chip of another process gives the same bits; a slope found by reads needs nothing else."""
    images = Key(0, "images").generator().random((BATCH, SHAPES[0][0] - 1)).astype(np.float32)
    labels = np.arange(BATCH) % 10
    local = Chip("memristor", SHAPES, nonlinearity="hysteretic", sealed=True)
    with ProcessPort("memristor", SHAPES, nonlinearity="hysteretic") as port:
        for name in ("dither", "node-perturbation"):
            totals = []
            for chip in (local, port):
                network = Stack(chip, [LayerGoodness("sum-of-squares", units) for _, units in SHAPES])
                learner = ForwardForward(network, classes=10, seed=0, slope=name)
                learner.initialise()
                totals.append(learner.step(images, labels, step=0, gain=1.0).total())
            assert totals[0] == totals[1]
            assert all(np.array_equal(a, port.save()[n]) for n, a in local.save().items())
        with pytest.raises(UsageError, match="choose --slope dither"):
            Oracle(Stack(port, network.goodness))


def configured(config):
    """Return the initialised learner of a configuration, and its data."""
    from analog_ff.runs import build

    data = build.data_of(config)
    negatives = build.negatives_of(config, data)
    wiring = build.wiring_of(config, build.frame_of(config, data, negatives))
    port = build.port_of(config, wiring.shapes)
    learner = build.learner_of(config, port, len(data.classes), wiring, negatives)
    learner.initialise()
    return learner, data


@pytest.mark.parametrize("name", ["stack", "recurrent", "local", "convolution"])
def test_every_network_takes_every_slope_and_pays_for_it(name: str) -> None:
    """Reads beside those of the passes: `extra` for each array and each pass that is learned from, on a chip a layer."""
    from analog_ff.config.config import Config

    more = {"iterations": 1} if name == "recurrent" else {}
    if name in ("local", "convolution"):
        more = {"patch": (4, 2), "stride": (2, 1)}
    reads = {}
    for slope in ("dropped", "oracle", "dither", "node-perturbation"):
        config = Config(
            data="toy", network=name, layers=(6, 5), slope=slope, nonlinearity="saturating", chips="per-layer", **more
        )
        learner, data = configured(config)
        total = learner.step(data.x_train[:4], data.y_train[:4], step=0, gain=1.0).total()
        reads[slope] = total["reads.cells"]
        if slope == "dropped":
            plain = total
    # Passes: neutral, positive, negative; a recurrent network makes 1, 2 and 2 and learns from the second of these.
    passes = 5 if name == "recurrent" else 3
    one = reads["dropped"] // passes
    assert reads["oracle"] == (passes + 2) * one
    assert reads["dither"] == reads["node-perturbation"] == (passes + 4) * one
    assert total["normalise"] == plain["normalise"]
    learned = plain["nonlinearity"] // passes * 2
    assert total["goodness"] == plain["goodness"] + 2 * learned and total["rng.bits"] - plain["rng.bits"] == learned


def test_refusals_are_one_sentence() -> None:
    network = made(sealed=True)
    refusals = (
        (lambda: Oracle(network), "sealed"),
        (lambda: Dither(network, dither=0.0), "--dither"),
        (lambda: NodePerturbation(network, perturbation=-1.0), "--perturbation"),
        (lambda: NodePerturbation(network, perturbations=0), "--perturbations"),
        (lambda: ForwardForward(network, classes=10, seed=0, slope="dithered"), "slope"),
    )
    for refused, word in refusals:
        with pytest.raises(UsageError, match=word) as error:
            refused()
        assert str(error.value).count(". ") == 0 and str(error.value).endswith((".", "?"))


def test_options_reach_the_slope() -> None:
    from analog_ff.config.config import Config

    config = Config(data="toy", shift=0, layers=(6,), slope="node-perturbation", perturbation=0.5, perturbations=3)
    learner, data = configured(config)
    inputs, neurons = learner.port.shapes[0]
    total = learner.step(data.x_train[:4], data.y_train[:4], step=0, gain=1.0).total()
    assert total["reads.cells"] == (3 + 2 * 2 * 3) * 4 * 2 * inputs * neurons
    assert (learner.slope._sigma, learner.slope._draws) == (0.5, 3)
    with pytest.raises(UsageError, match="--perturbations"):
        Config(perturbations=0)


def test_every_slope_resolves() -> None:
    assert len(SLOPES) >= 4 and all(lookup("slope", name, SLOPES) for name in SLOPES)
