"""The learner on a chip: it follows the float64 reference step by step, runs sealed, and repeats to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.learners.random_features import RandomFeatures
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.reference import ReferenceForwardForward
from analog_ff.objective.schedule import Moment
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.chip.process_port import ProcessPort
from hardware_models.events import Events
from hardware_models.keys import Key

PIXELS, CLASSES = 64, 10
LAYERS = ((PIXELS + 1, 30), (31, 20))


def batch(step: int, size: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels of one batch."""
    rng = Key(3, "images", step).generator()
    return rng.random((size, PIXELS)).astype(np.float32), rng.integers(0, CLASSES, size)


def stack(port, goodness: str = "sum-of-squares", regions: int = 1) -> Stack:
    """Return a stack with labels among its pixels."""
    return Stack(port, [LayerGoodness(goodness, units, regions=regions) for _, units in port.shapes])


def learner(port, goodness: str = "sum-of-squares", regions: int = 1, **more) -> ForwardForward:
    """Return an initialised learner."""
    made = ForwardForward(stack(port, goodness, regions), classes=CLASSES, seed=5, **more)
    made.initialise()
    return made


@pytest.mark.parametrize(
    ("negatives", "goodness"),
    [("hard", "sum-of-squares"), ("random", "sum-of-squares"), ("hard", "min-sum-of-squares"), ("hard", "sum"),
     ("random", "min-sum"), ("hard", "mixed-sum-of-squares"), ("hard", "student-t")],
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
        images, labels = batch(step, 20 if step % 5 else 7)  # now and then what an epoch has left
        ours.step(images, labels, step=step, gain=1.0, moment=Moment(0, step, full=20))
        theirs.step(images.astype(np.float64), labels, step=step, gain=1.0, full=20)
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


@pytest.mark.usefixtures("spawned")
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
    made = RandomFeatures(stack(chip), classes=CLASSES, seed=5)
    made.initialise()
    before = chip.oracle.weights(0).copy()
    tally = made.step(*batch(0), step=0, gain=1.0)
    assert np.array_equal(before, chip.oracle.weights(0))
    assert tally.total()["write.selected"] == 0 and np.abs(made.softmax.save()["weights"]).max() > 0


@pytest.mark.parametrize("goodness", ["min-sum-of-squares", "sum", "min-sum", "min-student-t"])
def test_every_goodness_separates_positives_from_negatives(goodness: str) -> None:
    """After some steps positives lie on the wanted side of negatives, in every layer."""
    chip = Chip("ideal", LAYERS)
    ours = learner(chip, learning_rate=0.03, goodness=goodness, update_options={"momentum": 0.9})
    for step in range(400):
        images, labels = batch(step % 4)
        ours.step(images, labels, step=step, gain=1.0)
    sign = ours.network.goodness[0].kind.sign
    for positive, negative in ours.mean_goodness:
        assert sign * (positive - negative) > 0


def test_weight_decay_follows_the_reference() -> None:
    """Pulled back after every batch, the weights stay as near to the reference as without decay.

    The chip decays the weights of after the update, the reference those of before: (rate delta) times the change of one
    step a step, and what that does to the next activities: within four times the first, where the decay itself is 18 %.
    """
    chip = Chip("ideal", LAYERS, dac=None, adc=None)
    rate, delta, steps = 0.03, 0.2, 30
    scheme = {"momentum": 0.9, "rounding": "nearest"}
    ours = learner(chip, learning_rate=rate, weight_decay=delta, decay_every=1, update_options=scheme)
    theirs = ReferenceForwardForward(
        (PIXELS, 30, 20), seed=5, classes=CLASSES, input_scale=6.0, learning_rate=rate, momentum=0.9, decay=delta
    )
    start = [np.array(w) for w in theirs.weights]
    for step in range(steps):
        images, labels = batch(step)
        tally = ours.step(images, labels, step=step, gain=1.0)
        theirs.step(images.astype(np.float64), labels, step=step, gain=1.0)
    for layer, (inputs, neurons) in enumerate(LAYERS):
        off = np.abs(chip.oracle.weights(layer) - theirs.weights[layer]).max()
        moved = np.abs(theirs.weights[layer] - start[layer]).max()
        assert off <= 4 * rate * delta * moved + steps * chip.datasheet[layer].weight_step
        assert moved > 20 * off
        events = tally.layers[str(layer)]
        assert events["reads.cells"] == (3 * 20 + inputs - 1) * 2 * inputs * neurons  # a one-hot read of every row


def test_decay_that_comes_due_later_adds_up() -> None:
    """K batches at once pull by the K-fold share, and a resumed run does not forget what is pending."""
    from analog_ff.updates.decay import Decay

    chip = Chip("ideal", LAYERS, dac=None, adc=None)
    made = learner(chip)
    before = chip.oracle.weights(0).astype(np.float64)
    decay = Decay(chip, 0, strength=0.5, every=4)
    for step in range(3):
        assert decay.after_batch(step, 0.01, Key(0, "d", step)) == Events()
    other = Decay(chip, 0, strength=0.5, every=4)
    other.restore(decay.save())
    other.after_batch(3, 0.01, Key(0, "d", 3))
    after = chip.oracle.weights(0).astype(np.float64)
    assert np.abs(after[:-1] - (1 - 4 * 0.01 * 0.5) * before[:-1]).max() < 2 * chip.datasheet[0].weight_step
    assert np.array_equal(after[-1], before[-1])
    assert made.decays[0].after_batch(3, 0.01, Key(0, "d", 3)) == Events()  # no decay: the weights are never read


def test_wake_and_sleep_add_up_to_an_interleaved_step() -> None:
    """Without momentum and read-out, the changes of a wake and a sleep moment are those of one interleaved step."""
    from analog_ff.objective.schedule import Moment
    from analog_ff.updates.base import Update

    class Recorder(Update):
        def __init__(self):
            self.asked = []

        def apply(self, x, d, images, rate, bias_rate, key):
            self.asked.append(rate * x.T @ d / images)
            return Events()

    asked = []
    for moments in ([Moment(0, 0)], [Moment(0, 0, negative=False), Moment(0, 0, positive=False)]):
        made = learner(Chip("ideal", LAYERS, dac=None, adc=None))
        made.updates = [Recorder() for _ in LAYERS]
        for moment in moments:
            made.step(*batch(0), step=0, gain=1.0, moment=moment)
        asked.append([sum(update.asked) for update in made.updates])
    for one, two in zip(*asked, strict=True):
        assert np.allclose(one, two, atol=1e-6 * np.abs(one).max())


def test_layers_that_rest_get_no_pulse() -> None:
    from analog_ff.objective.schedule import Moment

    chip = Chip("memristor", LAYERS)
    tally = learner(chip).step(*batch(0), step=0, gain=1.0, moment=Moment(0, 0, layers=range(1, 2)))
    assert tally.layers["0"]["write.selected"] == 0 < tally.layers["1"]["write.selected"]


def test_dropout_keeps_the_mean_and_is_off_in_prediction() -> None:
    from analog_ff.network.stack import dropped

    a = np.ones((400, 500), np.float32)
    kept, events = dropped(a, 0.2, Key(0, "dropout"))
    assert set(np.unique(kept).tolist()) == {0.0, np.float32(1.25)}
    assert abs(kept.mean() - 1.0) < 4 * 0.5 / np.sqrt(a.size)
    assert events["rng.bits"] == 16 * a.size
    made = learner(Chip("ideal", LAYERS, dac=None, adc=None), dropout=0.5)
    plain = learner(Chip("ideal", LAYERS, dac=None, adc=None))
    images, _ = batch(7, 50)
    for name, answer in made.predict(images, key=Key(0, "p"))[0].items():
        assert np.array_equal(answer, plain.predict(images, key=Key(0, "p"))[0][name])


def test_negatives_and_labels_must_fit() -> None:
    chip = Chip("ideal", LAYERS)
    blind = Stack(chip, [LayerGoodness("sum-of-squares", n) for _, n in chip.shapes], label_place="none")
    with pytest.raises(UsageError, match="wrong labels need a network that is shown labels"):
        ForwardForward(blind, classes=CLASSES, seed=0)


def test_negatives_of_the_user(tmp_path) -> None:
    """A function of the user's own: with labels, without, and with what is wrong about it said in one sentence."""
    from analog_ff.objective.negatives import load_negatives

    file = tmp_path / "mine.py"
    file.write_text(
        "def inverted(images, labels, generator):\n    return 1 - images\n"
        "def shifted(images, labels, generator):\n    return images, (labels + 1) % 10\n"
        "def short(images, labels, generator):\n    return images[:, 1:]\n"
    )
    images, labels = batch(0)
    believed = np.full((len(labels), CLASSES), 0.1)
    unlabelled = load_negatives(f"{file}:inverted", PIXELS)
    assert not unlabelled.labelled
    made, wrong = unlabelled(images, labels, believed, Key(0, "n").generator())
    assert wrong is None and np.array_equal(made, 1 - images)
    labelled = load_negatives(f"{file}:shifted", PIXELS)
    assert labelled.labelled
    assert np.array_equal(labelled(images, labels, believed, Key(0, "n").generator())[1], (labels + 1) % 10)
    with pytest.raises(UsageError, match="images of shape"):
        load_negatives(f"{file}:short", PIXELS)
    blind = Stack(Chip("ideal", LAYERS), [LayerGoodness("sum-of-squares", n) for _, n in LAYERS], label_place="none")
    ours = ForwardForward(blind, classes=CLASSES, seed=0, negatives=unlabelled)
    ours.initialise()
    ours.step(images, labels, step=0, gain=1.0)
    assert ours.readouts == ("softmax",)
