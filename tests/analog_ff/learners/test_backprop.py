"""The learners that Forward-Forward is compared with: their gradient is the numerical one, and what they may look at."""

from __future__ import annotations

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.learners.backprop import Backprop, FeedbackAlignment, NominalBackprop
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.schedule import Moment
from analog_ff.runs.execute import execute
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.keys import Key
from hardware_models.port import SealedChipError

LAYERS = ((13, 9), (10, 7))
CLASSES = 4


def made(kind, chip, **more):
    """Return an initialised learner with a read-out that is not zero."""
    network = Stack(chip, [LayerGoodness("sum-of-squares", n) for _, n in chip.shapes], label_place="none")
    learner = kind(network, classes=CLASSES, seed=2, **more)
    learner.initialise()
    learner.softmax.weights[:] = Key(1, "v").generator().standard_normal(learner.softmax.weights.shape)
    return learner


def batch() -> tuple[np.ndarray, np.ndarray]:
    rng = Key(1, "images").generator()
    return rng.random((6, 12)).astype(np.float32), rng.integers(0, CLASSES, 6)


def cross_entropy(weights, v, images, labels, curve) -> float:
    """Return the summed log probability of the labels in float64: a slow twin of the network."""
    a = images / np.sqrt((images**2).mean(axis=1, keepdims=True))
    features = []
    for w in weights:
        y = curve(np.concatenate((a, np.full((len(a), 1), 6.0)), axis=1) @ w)
        a = y / np.sqrt((y**2).mean(axis=1, keepdims=True))
        features.append(a)
    z = np.concatenate(features, axis=1) @ v
    z -= z.max(axis=1, keepdims=True)
    return float((z - np.log(np.exp(z).sum(axis=1, keepdims=True)))[np.arange(len(labels)), labels].sum())


CURVES = {"relu": lambda z: np.maximum(z, 0), "tanh": lambda z: 2 * np.tanh(z / 2)}


@pytest.mark.parametrize(("kind", "curve"), [(Backprop, "relu"), (Backprop, "tanh"), (NominalBackprop, "relu")])
def test_the_drive_is_the_gradient(kind, curve: str) -> None:
    """x^T delta is the numerical derivative of the log probability, through the normalisers, for every weight."""
    chip = Chip("ideal", LAYERS, dac=None, adc=None, nonlinearity=curve)
    learner = made(kind, chip)
    images, labels = batch()
    activities, _ = learner.look(images, None, Key(0, "t"), "forward")
    error = -learner.softmax.probabilities(learner.features(activities))
    error[np.arange(len(labels)), labels] += 1.0
    drives, _ = learner.backward(activities, error, Key(0, "b"))
    weights = [chip.oracle.weights(layer).astype(np.float64) for layer in range(2)]
    v = learner.softmax.weights.astype(np.float64)
    h = 1e-6
    for layer in range(2):
        asked = activities[layer].x[0].T.astype(np.float64) @ drives[layer]
        rng = np.random.default_rng(layer)
        for _ in range(25):
            place = tuple(rng.integers(0, n) for n in weights[layer].shape)
            moved = []
            for sign in (1, -1):
                changed = [w.copy() for w in weights]
                changed[layer][place] += sign * h
                moved.append(cross_entropy(changed, v, images.astype(np.float64), labels, CURVES[curve]))
            assert asked[place] == pytest.approx((moved[0] - moved[1]) / (2 * h), rel=2e-3, abs=2e-3)


@pytest.mark.parametrize("kind", [Backprop, NominalBackprop, FeedbackAlignment])
def test_it_learns(kind) -> None:
    """The log probability of a batch rises over some steps on the memristor, and every update is counted."""
    chip = Chip("memristor", LAYERS)
    learner = made(kind, chip, learning_rate=0.05, update_options={"momentum": 0.9})
    images, labels = batch()

    def log_probability() -> float:
        p, _ = learner.believe(images, Key(0, "look"))
        return float(np.log(p[np.arange(len(labels)), labels]).mean())

    before = log_probability()
    pulses = 0
    for step in range(60):
        pulses += learner.step(images, labels, step=step, gain=1.0).total()["write.selected"]
    assert log_probability() > before + 0.5
    assert pulses > 100


def test_transposed_reads_are_counted_and_digital_ones_are_not_reads() -> None:
    images, labels = batch()
    nominal = made(NominalBackprop, Chip("memristor", LAYERS)).step(images, labels, step=0, gain=1.0)
    perfect = made(Backprop, Chip("memristor", LAYERS)).step(images, labels, step=0, gain=1.0)
    aligned = made(FeedbackAlignment, Chip("memristor", LAYERS)).step(images, labels, step=0, gain=1.0)
    rows, columns = LAYERS[1]
    assert nominal.total()["reads.transposed_cells"] == 2 * 2 * rows * columns * len(images)
    assert perfect.total()["reads.transposed_cells"] == aligned.total()["reads.transposed_cells"] == 0
    assert perfect.total()["mac.fp32"] > nominal.total()["mac.fp32"]


def test_sealed_chips() -> None:
    """A perfect model is what a sealed chip refuses; the others need only its pins."""
    images, labels = batch()
    with pytest.raises(SealedChipError):
        made(Backprop, Chip("ideal", LAYERS, sealed=True)).step(images, labels, step=0, gain=1.0)
    for kind in (NominalBackprop, FeedbackAlignment):
        made(kind, Chip("ideal", LAYERS, sealed=True)).step(images, labels, step=0, gain=1.0)


def test_what_it_cannot_train_is_refused() -> None:
    chip = Chip("ideal", LAYERS)
    labelled = Stack(chip, [LayerGoodness("sum-of-squares", n) for _, n in LAYERS])
    with pytest.raises(UsageError, match="shown no labels"):
        Backprop(labelled, classes=CLASSES, seed=0)
    with pytest.raises(UsageError, match="--schedule interleaved"):
        made(Backprop, chip).step(*batch(), step=0, gain=1.0, moment=Moment(0, 0, negative=False))


def test_resume_is_bit_for_bit() -> None:
    one, other = (made(NominalBackprop, Chip("memristor", LAYERS)) for _ in range(2))
    for step in range(2):
        one.step(*batch(), step=step, gain=1.0)
    other.port.restore(one.port.save())
    other.restore(one.save())
    for learner in (one, other):
        learner.step(*batch(), step=2, gain=1.0)
    assert all(np.array_equal(a, other.port.save()[n]) for n, a in one.port.save().items())
    assert all(np.array_equal(a, other.save()[n]) for n, a in one.save().items())


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"learner": "backprop", "sealed": True}, "choose --learner backprop-nominal"),
        ({"learner": "backprop-nominal", "goodness": "sum"}, "has no --goodness"),
        ({"learner": "feedback-alignment", "network": "recurrent"}, "choose --network stack"),
        ({"learner": "backprop", "schedule": "greedy"}, "choose --schedule interleaved"),
        ({"learner": "backprop", "readout": "energy"}, "choose --readout softmax"),
    ],
)
def test_choices_that_do_not_go_together(choices: dict, says: str) -> None:
    """Each is refused in one sentence that names a valid choice."""
    with pytest.raises(UsageError, match=says):
        Config(**choices)


def test_a_run_of_each(tmp_path) -> None:
    """From the configuration to the result: better than guessing two classes, with its energy."""
    for name in ("backprop", "backprop-nominal", "feedback-alignment"):
        config = Config(
            learner=name, device="ideal", data="toy", layers=(32,), epochs=15, batch=20, learning_rate=0.2, momentum=0.9,
            shift=0, out=str(tmp_path / name),
        )  # fmt: skip
        result, _ = execute(config, quiet=True)
        assert result["test_error_percent"] < 20 and result["energy"]["per_update_joule"] > 0
