"""Perturbation of neurons and of weights: unbiased with the variance of theory, and every read and write counted."""

from __future__ import annotations

import numpy as np
import pytest

from analog_ff.learners.backprop import Backprop
from analog_ff.learners.node_perturbation import NodePerturbation
from analog_ff.learners.weight_perturbation import WeightPerturbation
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from hardware_models.chip import Chip
from hardware_models.chip.process_port import ProcessPort
from hardware_models.energy.oracles.closed_forms import accumulate, added, neurons, read, times
from hardware_models.keys import Key

LAYERS = ((13, 9), (10, 7))
UNITS = 9 + 7
CLASSES, BATCH = 4, 6


def made(kind, chip, *, fresh: bool = True, **more):
    """Return a learner with a read-out that is not zero, the weights of a fresh chip programmed."""
    network = Stack(chip, [LayerGoodness("sum-of-squares", n) for _, n in chip.shapes], label_place="none")
    learner = kind(network, classes=CLASSES, seed=2, **more)
    if fresh:
        learner.initialise()
    learner.softmax.weights[:] = Key(1, "v").generator().standard_normal(learner.softmax.weights.shape)
    return learner


def batch() -> tuple[np.ndarray, np.ndarray]:
    rng = Key(1, "images").generator()
    return rng.random((BATCH, 12)).astype(np.float32), rng.integers(0, CLASSES, BATCH)


def perfect(**more) -> Chip:
    return Chip("ideal", LAYERS, dac=None, adc=None, nonlinearity="linear", **more)


def gradients(chip, images, labels) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return -dL/dz (B, neurons) and the inputs x of every layer, by backpropagation with a perfect model."""
    exact = made(Backprop, chip, fresh=False)
    activities, _ = exact.look(images, None, Key(0, "exact"), "forward")
    error = -exact.softmax.probabilities(exact.features(activities))
    error[np.arange(len(labels)), labels] += 1.0
    drives, _ = exact.backward(activities, error, Key(0, "exact"))
    return drives, [activity.x[0] for activity in activities]


def test_node_perturbation_is_the_gradient_in_the_mean() -> None:
    """Mean and variance of K draws: (estimate - gradient)² over the variance of theory is 1 in the mean.

    96 entries whose squares scatter by sqrt(2) each: 1 ± 5 sqrt(2/96). The bias of order sigma² is far below.
    """
    draws = 600
    chip = perfect()
    learner = made(NodePerturbation, chip, perturbation=0.02, perturbations=draws)
    images, labels = batch()
    exact, _ = gradients(chip, images, labels)
    activities, _ = learner.look(images, None, Key(0, "clean"), "forward")
    clean = learner.loss(learner.features(activities), labels)
    found, _ = learner.estimate(images, labels, clean, Key(0, "draws"))
    g, d = np.concatenate(exact, axis=1).astype(np.float64), np.concatenate(found, axis=1)
    variance = (np.square(g).sum(axis=1, keepdims=True) - np.square(g)) / draws
    ratio = np.square(d - g) / variance
    assert ratio.size == BATCH * UNITS
    assert abs(ratio.mean() - 1.0) < 5.0 * np.sqrt(2.0 / ratio.size)
    assert np.corrcoef(d.ravel(), g.ravel())[0, 1] > 0.9


def test_weight_perturbation_is_the_gradient_in_the_mean() -> None:
    """The same for weights, each perturbed by real pulses and put back; the bias row by less."""
    draws = 500
    chip = perfect()
    learner = made(WeightPerturbation, chip, weight_perturbation=0.003)
    images, labels = batch()
    exact, xs = gradients(chip, images, labels)
    wanted = [x.T.astype(np.float64) @ d / BATCH for x, d in zip(xs, exact, strict=True)]
    sigma = [q * sheet.weight_step for q, sheet in zip(learner.pulses, chip.datasheet, strict=True)]
    total = [np.zeros(shape) for shape in LAYERS]

    def loss() -> float:
        activities, _ = learner.look(images, None, Key(0, "look"), "forward")
        return float(learner.loss(learner.features(activities), labels).mean())

    clean, before = loss(), [chip.oracle.weights(layer) for layer in range(2)]
    for draw in range(draws):
        key = Key(0, "draw", draw)
        learner.perturb(key)
        rise = loss() - clean
        learner.learn(rise, 0.0, key)
        for layer in range(2):
            total[layer] -= rise / sigma[layer] * learner.signs(layer, key)[0]
    assert all(np.array_equal(chip.oracle.weights(layer), before[layer]) for layer in range(2))
    power = sum(np.square(g * s).sum() for g, s in zip(wanted, sigma, strict=True))
    ratio = np.concatenate(
        [
            (np.square(t / draws - g) * draws * s**2 / (power - np.square(g * s))).ravel()
            for t, g, s in zip(total, wanted, sigma, strict=True)
        ]
    )
    assert abs(ratio.mean() - 1.0) < 5.0 * np.sqrt(2.0 / ratio.size)


def test_a_node_step_is_counted_as_the_closed_form_says() -> None:
    """Two passes and one update: 2 kW cell reads, 2 N integrators, a random bit and a product a neuron, an image."""
    chip = Chip("memristor", LAYERS)
    learner = made(NodePerturbation, chip)
    tally = learner.step(*batch(), step=0, gain=1.0)
    for layer, (n, m) in enumerate(LAYERS):
        # This chip has converters between its layers: 2 N conversions, not 2 n_L, and the bias row is driven as well.
        passes = times(2 * BATCH, added(read(n, m, dac=8, adc=8), neurons(m)))
        own = {"rng.bits": BATCH * m, "mac.fp32": BATCH * m}
        wanted = added(passes, accumulate(n, m, samples=BATCH, batches=1), own)
        found = {name: count for name, count in tally.layers[str(layer)].counts.items() if count}
        assert {name: count for name, count in found.items() if not name.startswith("write")} == wanted
    features = UNITS * CLASSES
    assert tally.layers["readout"]["mac.fp32"] == 3 * BATCH * features + 3 * features
    assert learner.meter.peak == BATCH * UNITS


def test_a_dense_update_selects_every_cell_in_every_slot() -> None:
    """All x at full scale and a rate beyond bounds: W P selected pulses an image.

    A pulse of one sign falls on one device of the pair, so that this is half of k W P; the rows are charged for both signs.
    """
    slots, shape = 5, (13, 9)
    chip = Chip("memristor", (shape,), input_scale=1.0)
    learner = made(
        NodePerturbation,
        chip,
        learning_rate=100.0,
        update="coincidence",
        update_options={"slots": slots},
        perturbation=1.0,
    )
    images = np.ones((1, 12), np.float32)
    events = learner.step(images, np.array([1]), step=0, gain=1e6).layers["0"]
    assert events["write.selected"] == shape[0] * shape[1] * slots
    assert events["write.line_charges"] == slots * (2 * shape[0] + shape[1])
    assert events["comparator"] == 2 * slots * sum(shape)


def test_a_weight_step_is_counted_as_the_closed_form_says() -> None:
    """Two passes and two serial writes: 2 kW cell reads an image, 2 kW pulses a batch with one a device, no memory."""
    chip = Chip("memristor", LAYERS, input_scale=1.0)
    learner = made(WeightPerturbation, chip, weight_perturbation=2 / 128, learning_rate=0.0)
    assert all((q == 2).all() for q in learner.pulses)
    tally = learner.step(*batch(), step=0, gain=1.0)
    for layer, (n, m) in enumerate(LAYERS):
        w = n * m
        found = {name: count for name, count in tally.layers[str(layer)].counts.items() if count}
        passes = times(2 * BATCH, added(read(n, m, dac=8, adc=8), neurons(m)))
        wanted = added(passes, {"write.selected": 2 * 2 * w, "rng.bits": (2 + 24) * w})
        assert found.pop("write.line_charges") > 2 * 2 * w  # a line for each pulse, and the rows
        assert found == wanted
    assert tally.layers["readout"]["mac.fp32"] == 3 * BATCH * UNITS * CLASSES + 3 * UNITS * CLASSES + 1


def test_the_weight_update_is_the_wanted_one_in_the_mean() -> None:
    """Stochastic rounding: the mean change along the signs is eta rise/sigma, within four standard errors."""
    shape = (60, 50)
    chip = Chip("ideal", (shape,), input_scale=1.0)
    learner = made(WeightPerturbation, chip, weight_perturbation=2.0**-18)
    key, rise, step = Key(3, "k"), -0.5, chip.datasheet[0].weight_step
    q = int(learner.pulses[0][0, 0])
    rate = 0.3 * step * q * step / 0.5  # three tenths of a pulse
    before = chip.oracle.weights(0).astype(np.float64)
    learner.perturb(key)
    learner.learn(rise, rate, key)
    moved = (chip.oracle.weights(0) - before) / step * learner.signs(0, key)[0]
    assert abs(moved.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / moved.size)


@pytest.mark.parametrize("kind", [NodePerturbation, WeightPerturbation])
def test_resume_is_bit_for_bit(kind) -> None:
    one, other = (made(kind, Chip("memristor", LAYERS, sealed=True)) for _ in range(2))
    for step in range(2):
        one.step(*batch(), step=step, gain=1.0)
    other.port.restore(one.port.save())
    other.restore(one.save())
    assert one.step(*batch(), step=2, gain=1.0).total() == other.step(*batch(), step=2, gain=1.0).total()
    assert all(np.array_equal(a, other.port.save()[n]) for n, a in one.port.save().items())
    assert all(np.array_equal(a, other.save()[n]) for n, a in one.save().items())


def test_nothing_but_pins_is_needed() -> None:
    """The same step on a chip of another process, biases on its neurons included: the same events, the same bits."""
    local = Chip("memristor", LAYERS, nonlinearity="random-nonmonotone", sealed=True)
    with ProcessPort("memristor", LAYERS, nonlinearity="random-nonmonotone") as port:
        for kind in (NodePerturbation, WeightPerturbation):
            here, there = made(kind, local), made(kind, port)
            assert here.step(*batch(), step=0, gain=1.0).total() == there.step(*batch(), step=0, gain=1.0).total()
        assert all(np.array_equal(a, port.save()[n]) for n, a in local.save().items())


@pytest.mark.parametrize(("kind", "rate", "steps"), [(NodePerturbation, 0.1, 200), (WeightPerturbation, 0.02, 400)])
def test_it_climbs(kind, rate: float, steps: int) -> None:
    """With the read-out frozen, the hidden layers alone bring the loss of a batch down."""
    learner = made(kind, Chip("ideal", LAYERS), learning_rate=rate, readout_rate=0.0)
    images, labels = batch()

    def loss() -> float:
        activities, _ = learner.look(images, None, Key(0, "look"), "forward")
        return float(learner.loss(learner.features(activities), labels).mean())

    before = loss()
    for step in range(steps):
        learner.step(images, labels, step=step, gain=1.0)
    assert loss() < 0.8 * before
