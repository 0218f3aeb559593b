"""Effective dimensionality: closed forms, numerical derivatives, limits; the learner on a chip, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.learners.dimensionality import DimensionalityLearner
from analog_ff.network.stack import Stack
from analog_ff.objective.dimensionality import Dimensionality, effective_dimensionality, gradient
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.readout import SquaredReadout
from analog_ff.runs.build import port_of
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.chip.process_port import ProcessPort
from hardware_models.keys import Key

PIXELS, CLASSES, COPIES = 64, 10, 4
LAYERS = ((PIXELS + 1, 30), (31, 20))


def rng(name: str) -> np.random.Generator:
    return Key(0, "test").child(name).generator()


def slow_dimensionality(y: np.ndarray) -> float:
    """ED of responses (K, d) by the eigenvalues of C: (sum of them)² / sum of their squares."""
    spectrum = np.linalg.eigvalsh(sum(np.outer(row, row) for row in y) / len(y))
    return float(spectrum.sum() ** 2 / (spectrum**2).sum())


def slow_loss(y: np.ndarray, copies: int, directions: np.ndarray | None) -> float:
    """L of responses (B S, d), image by image."""
    seen = y if directions is None else y @ directions
    images = [seen[start : start + copies] for start in range(0, len(seen), copies)]
    within = np.mean([slow_dimensionality(image) for image in images])
    return float(0.5 * within - 0.5 * slow_dimensionality(np.array([image.mean(axis=0) for image in images])))


# Effective dimensionality


@pytest.mark.parametrize(("responses", "units"), [(5, 7), (9, 4)])
def test_it_is_that_of_the_spectrum_whatever_the_shape(responses, units):
    y = rng("spectrum").standard_normal((3, responses, units))
    np.testing.assert_allclose(effective_dimensionality(y), [slow_dimensionality(part) for part in y], rtol=1e-12)


def test_limits():
    """Identical copies fill one direction, orthogonal ones of equal length all of them, isotropic ones d in the limit."""
    y = rng("limits").standard_normal((1, 6))
    assert effective_dimensionality(np.repeat(y, 8, axis=0)) == pytest.approx(1.0, abs=1e-12)
    assert effective_dimensionality(3.0 * np.eye(6)) == pytest.approx(6.0, rel=1e-12)
    # Of K isotropic responses C is Wishart: E t² = d² + 2d/K and E q = d + d(d+1)/K, so that ED is about dK/(K + d + 1).
    d, many = 10, 2_000
    isotropic = rng("isotropic").standard_normal((many, d))
    assert effective_dimensionality(isotropic) == pytest.approx(d * many / (many + d + 1), rel=5.0 / many)
    silent = np.zeros((4, 6))
    assert effective_dimensionality(silent) == 0.0 and not gradient(silent)[0].any()


def test_bounds_and_invariances():
    """1 <= ED <= min(K, d); scale and rotation of the responses change nothing; the gradient is orthogonal to them."""
    draw = rng("bounds")
    for responses, units in ((2, 9), (9, 2), (6, 6)):
        y = draw.gamma(0.5, 1.0, (responses, units))
        value = effective_dimensionality(y)
        assert 1.0 <= value <= min(responses, units)
        rotation = np.linalg.qr(draw.standard_normal((units, units)))[0]
        np.testing.assert_allclose(effective_dimensionality(1e3 * y @ rotation), value, rtol=1e-12)
        asked = gradient(y)[0]
        np.testing.assert_allclose((asked * y).sum(), 0.0, atol=1e-12 * np.abs(asked * y).sum())
        np.testing.assert_allclose(gradient(10.0 * y)[0], asked / 10.0, rtol=1e-9, atol=1e-14)


def numerical(function, y: np.ndarray) -> np.ndarray:
    """Central differences of a number, of order h²."""
    h, found = 1e-5, np.empty_like(y)
    for place in np.ndindex(*y.shape):
        up, down = y.copy(), y.copy()
        up[place] += h
        down[place] -= h
        found[place] = (function(up) - function(down)) / (2 * h)
    return found


def test_gradient_is_the_numerical_one():
    """Error of a central difference: h² f''' and rounding eps/h, about 1e-10 of f each."""
    y = np.abs(rng("gradient").standard_normal((5, 4))) + 0.2
    exact, value = gradient(y)
    assert value == pytest.approx(slow_dimensionality(y), rel=1e-12)
    expected = numerical(slow_dimensionality, y)
    assert np.abs(exact - expected).max() < 1e-8 * np.abs(expected).max()


@pytest.mark.parametrize("projection", [0, 3])
def test_gradient_of_the_loss_is_the_numerical_one(projection):
    loss = Dimensionality(5, copies=3, projection=projection, key=Key(1, "directions"))
    if projection:
        np.testing.assert_allclose(loss.directions.T @ loss.directions, np.eye(projection), atol=1e-14)
    y = np.abs(rng("loss").standard_normal((4 * 3, 5))) + 0.2
    within, between, exact = loss(y)
    assert 0.5 * within - 0.5 * between == pytest.approx(slow_loss(y, 3, loss.directions), rel=1e-12)
    expected = numerical(lambda moved: slow_loss(moved, 3, loss.directions), y)
    assert np.abs(exact - expected).max() < 1e-8 * np.abs(expected).max()


def test_gradient_in_the_weights_of_a_rectifier_is_the_numerical_one():
    """The learner's outer product x^T (dL/dy . 1[y > 0]) descends L, whose derivative in every weight it is."""
    draw = rng("weights")
    x, w = draw.random((4 * 3, 6)), draw.standard_normal((6, 5))
    y = np.maximum(x @ w, 0.0)
    assert 0.2 < (y > 0).mean() < 0.9
    exact = x.T @ (Dimensionality(5, copies=3, projection=0)(y)[2] * (y > 0))
    expected = numerical(lambda moved: slow_loss(np.maximum(x @ moved, 0.0), 3, None), w)
    assert np.abs(exact - expected).max() < 1e-7 * np.abs(expected).max()


@pytest.mark.parametrize(
    ("options", "says"), [({"copies": 1}, "copies"), ({"copies": 2, "projection": 6}, "projection")]
)
def test_losses_that_cannot_be_are_refused(options, says):
    with pytest.raises(UsageError, match=says):
        Dimensionality(5, key=Key(0, "directions"), **options)


# The read-out


def test_squared_readout_climbs_the_log_probability():
    """Its gradient is half the numerical one of the mean log p of the right class, r the mean of o² over the copies."""
    draw = rng("readout")
    made = SquaredReadout(6, 3, dtype=np.float64, copies=4, key=Key(2, "readout"))
    h, labels = draw.standard_normal((5 * 4, 6)), draw.integers(0, 3, 5)

    def log_probability(v: np.ndarray) -> float:
        total = 0.0
        for image, label in enumerate(labels):
            outputs = [h[row] @ v for row in range(4 * image, 4 * image + 4)]
            scores = sum(o**2 for o in outputs) / 4
            total += scores[label] - np.log(np.exp(scores).sum())
        return total / len(labels)

    expected = numerical(log_probability, made.weights)
    np.testing.assert_allclose(2 * made.gradient(h, labels), expected, rtol=1e-7, atol=1e-9)
    before = log_probability(made.weights)
    for _ in range(20):
        made.step(h, labels, 1.0)
    assert log_probability(made.weights) > before


# The learner


def batch(step: int, size: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels of one batch."""
    draw = Key(3, "images", step).generator()
    return draw.random((size, PIXELS)).astype(np.float32), draw.integers(0, CLASSES, size)


def stack(port, goodness: str = "sum", place: str = "none") -> Stack:
    return Stack(port, [LayerGoodness(goodness, units) for _, units in port.shapes], label_place=place)


def learner(port, **more) -> DimensionalityLearner:
    """Return an initialised learner."""
    made = DimensionalityLearner(stack(port), classes=CLASSES, seed=5, copies=COPIES, **more)
    made.initialise()
    return made


def test_an_update_is_the_slope_of_the_loss_in_the_weights():
    """On an ideal chip without memory, each layer's weights move by -rate n dL/dW, its inputs held.

    Found by central differences in float64 for some weights of each layer; the chip rounds to half a step, and its
    float32 products to some 1e-6 of the change.
    """
    chip = Chip("ideal", LAYERS, dac=None, adc=None)
    rate = 1e-3
    made = learner(
        chip, learning_rate=rate, peer=0.0, projection=0, update_options={"momentum": 0.0, "rounding": "nearest"}
    )
    images, labels = batch(0)
    before = [chip.oracle.weights(layer).astype(np.float64) for layer in range(2)]
    activities, _ = made.look(images, None, Key(5, "train", 0), "copies")
    made.step(images, labels, step=0, gain=1.0)
    for layer, (_, units) in enumerate(LAYERS):
        x = activities[layer].x[0].astype(np.float64)
        moved = chip.oracle.weights(layer) - before[layer]
        for place in [(3, 5), (11, 0), (20, 17), (-1, 4)]:

            def loss(change: float, x=x, layer=layer, place=place) -> float:
                w = before[layer].copy()
                w[place] += change
                return slow_loss(np.maximum(x @ w, 0.0), COPIES, None)

            slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
            bias = 1.0 / chip.datasheet[layer].input_scale ** 2 if place[0] < 0 else 1.0
            step = chip.datasheet[layer].weight_step
            wanted = -rate * units * slope * bias
            assert moved[place] == pytest.approx(wanted, rel=1e-3, abs=step + 1e-4 * np.abs(moved).max())
        assert np.abs(moved).max() > 100 * step


@pytest.mark.parametrize(("device", "source"), [("ideal", "dropout"), ("memristor", "read-noise")])
def test_it_learns_what_it_is_asked_for(device, source):
    """The loss of every layer falls, over batches that come back."""
    made = learner(Chip(device, LAYERS), learning_rate=2e-3, copies_from=source, update_options={"momentum": 0.9})
    losses = []
    for step in range(80):
        made.step(*batch(step % 4), step=step, gain=1.0)
        found = made.measured
        losses.append([found[f"dimensionality_copies_{n}"] - found[f"dimensionality_means_{n}"] for n in range(2)])
    assert (np.mean(losses[-4:], axis=0) < np.mean(losses[:4], axis=0)).all()


def test_noise_makes_the_copies():
    """Without dropout and on a chip without noise, copies are identical; with either they differ."""
    images, _ = batch(0)
    differ = {}
    for device, source in (("ideal", "dropout"), ("ideal", "read-noise"), ("memristor", "read-noise")):
        made = learner(Chip(device, LAYERS), copies_from=source)
        activities, tally = made.look(images, None, Key(0, "look"), "copies")
        y = activities[0].y.reshape(len(images), COPIES, -1)
        differ[device, source] = bool((y != y[:, :1]).any())
        assert tally.total()["reads.cells"] == len(images) * COPIES * 2 * sum(n * m for n, m in LAYERS)
        assert tally.total()["rng.bits"] == (16 * len(images) * COPIES * PIXELS if source == "dropout" else 0)
    assert list(differ.values()) == [True, False, True]


@pytest.mark.parametrize("update", ["accumulate", "coincidence"])
def test_resume_is_bit_for_bit(update):
    one, other = Chip("memristor", LAYERS), Chip("memristor", LAYERS)
    first, second = (learner(chip, update=update, learning_rate=1e-3) for chip in (one, other))
    for step in range(2):
        first.step(*batch(step, 4), step=step, gain=1.0)
    other.restore(one.save())
    second.restore(first.save())
    for made in (first, second):
        made.step(*batch(2, 4), step=2, gain=1.0)
    assert all(np.array_equal(a, other.save()[n]) for n, a in one.save().items())
    assert all(np.array_equal(a, second.save()[n]) for n, a in first.save().items())


@pytest.mark.slow
def test_learns_through_a_port_in_another_process():
    """It needs nothing but the pins."""
    local = Chip("memristor", LAYERS, sealed=True)
    here = learner(local, copies_from="read-noise")
    with ProcessPort("memristor", LAYERS) as port:
        there = learner(port, copies_from="read-noise")
        for step in range(2):
            mine, its = (made.step(*batch(step), step=step, gain=1.0) for made in (here, there))
            assert mine.total() == its.total()
        assert all(np.array_equal(a, port.save()[n]) for n, a in local.save().items())
    images, _ = batch(9)
    assert here.readouts == ("softmax",) and here.predict(images, key=Key(0, "p"))[0]["softmax"].shape == (10,)


def test_without_a_rate_no_cell_is_touched():
    """The frozen layers that results are shown beside: the same copies and read-out, no pulse."""
    chip = Chip("memristor", LAYERS)
    made = learner(chip, learning_rate=0.0)
    tally = made.step(*batch(0), step=0, gain=1.0)
    assert tally.total()["write.selected"] == 0 and made.softmax.smoothed.any()


@pytest.mark.parametrize(("goodness", "place"), [("sum-of-squares", "none"), ("sum", "pixels")])
def test_networks_that_do_not_fit_are_refused(goodness, place):
    with pytest.raises(UsageError, match="without labels whose layers have the goodness 'sum'"):
        DimensionalityLearner(stack(Chip("ideal", LAYERS), goodness, place), classes=CLASSES, seed=0)


@pytest.mark.parametrize(
    ("options", "valid"),
    [
        ({"theta": 1.0}, "leave --theta out"),
        ({"temperature": 2.0}, "leave --temperature out"),
        ({"negatives": "random"}, "leave --negatives out"),
        ({"goodness": "sum"}, "leave --goodness out"),
        ({"regions": 2}, "leave --regions out"),
        ({"label_strength": 1.0}, "leave --label-strength out"),
        ({"readout": "energy"}, "choose --readout softmax"),
        ({"network": "recurrent"}, "choose --network stack"),
        ({"schedule": "wake-sleep"}, "choose --schedule interleaved"),
        ({"copies": 1}, "at least 2"),
        ({"copies_from": "dice"}, "dropout, read-noise"),
        ({"copies_from": "read-noise", "read_noise": False}, "choose --copies-from dropout"),
        ({"copies_from": "read-noise", "copy_dropout": 0.5}, "choose --copies-from dropout"),
        ({"copy_dropout": 0.0}, "--copy-dropout"),
        ({"projection": 13}, "at most 12"),
        ({"learner": "forward-forward", "copies": 8}, "belongs to --learner dimensionality"),
    ],
)
def test_choices_that_do_not_fit_are_refused(options, valid):
    """In one sentence, which names a valid choice."""
    with pytest.raises(UsageError, match=valid) as refusal:
        Config(**{"learner": "dimensionality", "data": "toy", "layers": (12,)} | options)
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)


def test_copies_from_read_noise_need_a_device_that_has_some():
    config = Config(device="ideal", learner="dimensionality", copies_from="read-noise", data="toy", layers=(12,))
    with pytest.raises(UsageError, match="reads without noise: choose --copies-from dropout"):
        port_of(config, ((PIXELS + 1, 12),))
