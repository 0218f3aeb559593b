"""The learner on a chip: it follows the float64 reference step by step, runs sealed, and repeats to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.learners.random_features import RandomFeatures
from analog_ff.objective.reference import ReferenceForwardForward
from hardware_models.chip import Chip
from hardware_models.keys import Key
from hardware_models.process_port import ProcessPort

PIXELS, CLASSES = 64, 10
LAYERS = ((PIXELS + 1, 30), (31, 20))


def batch(step: int, size: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels of one batch."""
    rng = Key(3, "images", step).generator()
    return rng.random((size, PIXELS)).astype(np.float32), rng.integers(0, CLASSES, size)


def learner(port, **more) -> ForwardForward:
    """Return an initialised learner."""
    made = ForwardForward(port, classes=CLASSES, seed=5, **more)
    made.initialise()
    return made


@pytest.mark.parametrize(
    ("negatives", "goodness"),
    [("hard", "sum-of-squares"), ("random", "sum-of-squares"), ("hard", "min-sum-of-squares"), ("hard", "sum"),
     ("random", "min-sum")],
)  # fmt: skip
def test_ideal_chip_follows_the_float64_reference(negatives: str, goodness: str) -> None:
    """Step by step, within the pulse step and the float32 rounding, with the same negatives from the same keys.

    Each update rounds to the nearest pulse, so that a weight is off by at most half a step an update. What that does to
    y, and so to the next update, is smaller by the learning rate: a factor of two covers it. The float32 products add
    their rounding, about 1e-7 of a weight's change, far below the other.
    """
    chip = Chip("ideal", LAYERS, dac=None, adc=None)
    options = {"learning_rate": 0.03, "momentum": 0.9}
    ours = learner(
        chip,
        learning_rate=0.03,
        negatives=negatives,
        goodness=goodness,
        update_options={"momentum": 0.9, "rounding": "nearest"},
    )
    theirs = ReferenceForwardForward(
        (PIXELS, 30, 20), seed=5, negatives=negatives, goodness=goodness, classes=CLASSES, input_scale=6.0, **options
    )
    start = [np.array(w) for w in theirs.weights]
    steps = 30
    for step in range(steps):
        images, labels = batch(step)
        ours.step(images, labels, step=step, gain=1.0)
        theirs.step(images.astype(np.float64), labels, step=step, gain=1.0)
        for layer, sheet in enumerate(chip.datasheet):
            off = np.abs(chip.oracle.weights(layer) - theirs.weights[layer]).max()
            moved = np.abs(theirs.weights[layer] - start[layer]).max()
            assert off <= 2 * (0.5 * (step + 2) * sheet.weight_step) + 1e-5 * max(moved, 1e-3)
    assert moved > 100 * off
    images, _ = batch(99, 200)
    predicted, _ = ours.predict(images, key=Key(5, "test"))
    expected = theirs.predict(images.astype(np.float64))
    for name in ("energy", "softmax"):
        assert np.mean(predicted[name] == expected[name]) >= 0.99


def test_updates_are_counted() -> None:
    """The closed forms of the accumulator and of three passes."""
    chip = Chip("memristor", LAYERS)
    made = learner(chip)
    images, labels = batch(0)
    tally = made.step(images, labels, step=0, gain=1.0)
    for layer, (inputs, neurons) in enumerate(LAYERS):
        events, w = tally.layers[str(layer)], inputs * neurons
        assert events["reads.cells"] == 3 * 20 * 2 * w
        assert events["dac.8"] == 3 * 20 * inputs and events["adc.8"] == 3 * 20 * neurons
        assert events["goodness"] == events["normalise"] == events["nonlinearity"] == 3 * 20 * neurons
        assert events["mac.fp32"] == 2 * 20 * w + 2 * w
        assert events["rng.bits"] == 24 * w
        assert events["sram.words_read"] == w + 2 * 20 * (inputs + neurons)
        assert events["write.selected"] > 0
    assert tally.layers["readout"]["mac.fp32"] > 0


def test_stochastic_rounding_is_exact_in_the_mean() -> None:
    """The pulses of many updates add up to the wanted change, within their standard deviation."""
    from analog_ff.updates.accumulate import Accumulate

    class Recorder:
        datasheet = Chip("memristor", ((40, 50),)).datasheet
        total = np.zeros((40, 50))

        def fire_cells(self, layer, counts, *, key):
            self.total += counts
            from hardware_models.events import Events

            return Events()

    port = Recorder()
    update = Accumulate(port, 0, momentum=0.0)
    x, d = np.full((1, 40), 0.3, np.float32), np.full((1, 50), 1.0, np.float32)
    n, rate = 400, 1e-4
    for step in range(n):
        update.apply(x, d, 1, rate, 1.0, Key(0, "u", step))
    share = rate * 0.3 / port.datasheet[0].weight_step
    sigma = np.sqrt(share * (1 - share) * n / port.total.size)
    assert abs(port.total.mean() - share * n) < 4 * sigma


def test_coincidence_moves_by_the_outer_product_in_the_mean() -> None:
    """E[counts] = rate x d / (images step), within four standard errors of Bernoulli coincidences."""
    from analog_ff.updates.coincidence import Coincidence

    class Recorder:
        datasheet = Chip("memristor", ((40, 50),)).datasheet
        total = np.zeros((40, 50))

        def fire(self, layer, rows, columns, sign, *, key):
            from hardware_models.events import Events

            self.total += sign * (rows.T.astype(int) @ columns.astype(int))
            return Events()

    port = Recorder()
    update = Coincidence(port, 0, slots=10)
    rng = np.random.default_rng(0)
    x = np.append(rng.uniform(0, 4, 39), 6.0).astype(np.float32)[None]
    d = rng.uniform(-1, 1, 50).astype(np.float32)[None]
    n, rate = 300, 1e-3
    for step in range(n):
        update.apply(x, d, 1, rate, 1 / 36, Key(0, "c", step))
    expected = n * rate * x.T @ d / port.datasheet[0].weight_step
    expected[-1] /= 36
    error = np.sqrt(np.abs(expected) + 1)
    assert np.abs((port.total - expected) / error).mean() < 1.2
    assert abs((port.total - expected).sum()) < 4 * np.sqrt(np.abs(expected).sum())


@pytest.mark.parametrize("update", ["accumulate", "coincidence"])
def test_resume_is_bit_for_bit(update: str) -> None:
    """Saved and restored after two steps, the third gives the same bits."""
    one, other = Chip("memristor", LAYERS), Chip("memristor", LAYERS)
    first, second = learner(one, update=update), learner(other, update=update)
    for step in range(2):
        first.step(*batch(step), step=step, gain=1.0)
    other.restore(one.save())
    second.restore(first.save())
    for made in (first, second):
        made.step(*batch(2), step=2, gain=1.0)
    assert all(np.array_equal(a, other.save()[n]) for n, a in one.save().items())
    assert all(np.array_equal(a, second.save()[n]) for n, a in first.save().items())


def test_learns_through_a_port_in_another_process() -> None:
    """Forward-Forward needs nothing but the pins: the same steps on a chip of another process, the same bits."""
    local = Chip("memristor", LAYERS, nonlinearity="random-nonmonotone", sealed=True)
    here = learner(local)
    with ProcessPort("memristor", LAYERS, nonlinearity="random-nonmonotone") as port:
        there = learner(port)
        for step in range(3):
            assert (
                here.step(*batch(step), step=step, gain=1.0).total()
                == there.step(*batch(step), step=step, gain=1.0).total()
            )
        assert all(np.array_equal(a, port.save()[n]) for n, a in local.save().items())
        with pytest.raises(RuntimeError, match="cannot be looked at"):
            _ = port.oracle


def test_random_features_leave_the_chip_alone() -> None:
    """The baseline trains its read-out only."""
    chip = Chip("memristor", LAYERS)
    made = RandomFeatures(chip, classes=CLASSES, seed=5)
    made.initialise()
    before = chip.oracle.weights(0).copy()
    tally = made.step(*batch(0), step=0, gain=1.0)
    assert np.array_equal(before, chip.oracle.weights(0))
    assert tally.total()["write.selected"] == 0 and np.abs(made.softmax.save()["weights"]).max() > 0


@pytest.mark.parametrize("goodness", ["min-sum-of-squares", "sum", "min-sum"])
def test_every_goodness_separates_positives_from_negatives(goodness: str) -> None:
    """After some steps positives lie on the wanted side of negatives, in every layer."""
    chip = Chip("ideal", LAYERS)
    ours = learner(chip, learning_rate=0.03, goodness=goodness, update_options={"momentum": 0.9})
    for step in range(400):
        images, labels = batch(step % 6)
        ours.step(images, labels, step=step, gain=1.0)
    sign = ours.goodness.sign
    for positive, negative in ours.mean_goodness:
        assert sign * (positive - negative) > 0
