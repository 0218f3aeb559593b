"""PEPITA against a float64 twin, local softmax against numerical derivatives, and what both may do to a chip."""

from __future__ import annotations

import numpy as np
import pytest

from analog_ff.config.config import RECIPES, Config
from analog_ff.learners import LEARNERS
from analog_ff.learners.local_softmax import LocalSoftmax
from analog_ff.learners.pepita import Pepita
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.schedule import Moment
from analog_ff.runs.execute import execute
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.keys import Key

LAYERS = ((13, 9), (10, 7))
CLASSES, BATCH = 4, 6
SCALE = 6.0
EXACT = {"momentum": 0.0, "rounding": "nearest"}


def made(kind, chip, **more):
    """Return an initialised learner with read-outs that are not zero."""
    network = Stack(chip, [LayerGoodness("sum-of-squares", n) for _, n in chip.shapes], label_place="none")
    learner = kind(network, classes=CLASSES, seed=2, **more)
    learner.initialise()
    for number, readout in enumerate([learner.softmax, *getattr(learner, "local", [])]):
        if not readout.weights.any():
            readout.weights[:] = Key(1, "v").child("w", number).generator().standard_normal(readout.weights.shape)
    return learner


def batch() -> tuple[np.ndarray, np.ndarray]:
    rng = Key(1, "images").generator()
    return rng.random((BATCH, 12)).astype(np.float32), rng.integers(0, CLASSES, BATCH)


def rms(a: np.ndarray) -> np.ndarray:
    return a / np.sqrt((a**2).mean(axis=1, keepdims=True))


def softmax(z: np.ndarray) -> np.ndarray:
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def passed(a: np.ndarray, weights: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Return x and y of every layer and the features, float64: a slow twin of the network."""
    xs, ys, features = [], [], []
    for w in weights:
        xs.append(np.concatenate((a, np.full((len(a), 1), SCALE)), axis=1))
        ys.append(np.maximum(xs[-1] @ w, 0.0))
        a = rms(ys[-1])
        features.append(a)
    return xs, ys, np.concatenate(features, axis=1)


def test_pepita_follows_a_float64_twin() -> None:
    """Twelve steps; each rounds to the nearest pulse, which is off by half a pulse at most, and float32 by a little."""
    chip = Chip("ideal", LAYERS, dac=None, adc=None, input_scale=SCALE)
    learner = made(Pepita, chip, learning_rate=0.2, modulation=0.02, update_options=EXACT)
    images, labels = batch()
    weights = [chip.oracle.weights(layer).astype(np.float64) for layer in range(2)]
    start = [w.copy() for w in weights]
    f, t = learner.projection.astype(np.float64), np.eye(CLASSES)[labels]
    steps = 12
    for step in range(steps):
        v = learner.softmax.weights.astype(np.float64)
        a = rms(images.astype(np.float64))
        _, before, features = passed(a, weights)
        xs, after, _ = passed(a + (softmax(features @ v) - t) @ f, weights)
        learner.step(images, labels, step=step, gain=1.0)
        for layer in range(2):
            asked = 0.2 * xs[layer].T @ (after[layer] - before[layer]) / BATCH
            asked[-1] /= SCALE**2
            weights[layer] += asked
    for layer, sheet in enumerate(chip.datasheet):
        moved = np.abs(weights[layer] - start[layer]).max()
        off = np.abs(chip.oracle.weights(layer) - weights[layer]).max()
        assert moved > 0.02 and off < steps * sheet.weight_step + 1e-4 * moved


def test_pepita_is_counted() -> None:
    """Two passes; the second one's first layer has inputs of both signs and takes two phases. F e is digital."""
    chip = Chip("memristor", LAYERS)
    learner = made(Pepita, chip, modulation=1.0)
    tally = learner.step(*batch(), step=0, gain=1.0)
    for layer, phases in ((0, 3), (1, 2)):
        inputs, neurons = LAYERS[layer]
        events, w = tally.layers[str(layer)], inputs * neurons
        assert events["reads.cells"] == phases * BATCH * 2 * w and events["reads.transposed_cells"] == 0
        assert events["mac.fp32"] == BATCH * w + 2 * w + (BATCH * 12 * CLASSES if layer == 0 else 0)
        assert events["add.fp32"] == BATCH * neurons + (BATCH * 12 if layer == 0 else 0)
    assert learner.meter.peak == BATCH * 16


@pytest.mark.parametrize("kind", ["trained", "fixed"])
def test_local_softmax_is_the_gradient_of_its_own_layer(kind: str) -> None:
    """x^T d is the numerical derivative of that layer's log probability, through its normaliser and rectifier."""
    chip = Chip("ideal", LAYERS, dac=None, adc=None, input_scale=SCALE)
    learner = made(LocalSoftmax, chip, local_readout=kind)
    images, labels = batch()
    weights = [chip.oracle.weights(layer).astype(np.float64) for layer in range(2)]
    activities, tally = learner.look(images, None, Key(0, "t"), "forward")
    xs, _, _ = passed(rms(images.astype(np.float64)), weights)

    def log_probability(layer: int, w: np.ndarray) -> float:
        p = softmax(rms(np.maximum(xs[layer] @ w, 0.0)) @ learner.local[layer].weights.astype(np.float64))
        return float(np.log(p[np.arange(BATCH), labels]).sum())

    h = 1e-6
    for layer in range(2):
        asked = activities[layer].x[0].T.astype(np.float64) @ learner.drive(
            layer, activities[layer], labels, Key(0), tally
        )
        rng = np.random.default_rng(layer)
        for _ in range(25):
            place = tuple(rng.integers(0, n) for n in LAYERS[layer])
            change = np.zeros(LAYERS[layer])
            change[place] = h
            rise = log_probability(layer, weights[layer] + change) - log_probability(layer, weights[layer] - change)
            assert asked[place] == pytest.approx(rise / (2 * h), rel=2e-3, abs=2e-3)


@pytest.mark.parametrize(("kind", "products"), [("trained", 3), ("fixed", 2)])
def test_local_softmax_is_counted(kind: str, products: int) -> None:
    """One pass, no transposed read; the digital products of each read-out: forward, back, and its own gradient."""
    chip = Chip("memristor", LAYERS)
    learner = made(LocalSoftmax, chip, local_readout=kind)
    tally = learner.step(*batch(), step=0, gain=1.0)
    for layer, (inputs, neurons) in enumerate(LAYERS):
        events, w, v = tally.layers[str(layer)], inputs * neurons, neurons * CLASSES
        assert events["reads.cells"] == BATCH * 2 * w and events["reads.transposed_cells"] == 0
        assert events["mac.fp32"] == BATCH * w + 2 * w + products * BATCH * v + (3 * v if kind == "trained" else 0)


def test_a_fixed_read_out_stays() -> None:
    learner = made(LocalSoftmax, Chip("memristor", LAYERS), local_readout="fixed")
    before = [readout.weights.copy() for readout in learner.local]
    learner.step(*batch(), step=0, gain=1.0)
    assert all(np.array_equal(b, readout.weights) and b.any() for b, readout in zip(before, learner.local, strict=True))


@pytest.mark.parametrize("kind", [Pepita, LocalSoftmax])
def test_resume_is_bit_for_bit_on_a_sealed_chip(kind) -> None:
    one, other = (made(kind, Chip("memristor", LAYERS, sealed=True)) for _ in range(2))
    for step in range(2):
        one.step(*batch(), step=step, gain=1.0)
    other.port.restore(one.port.save())
    other.restore(one.save())
    assert one.step(*batch(), step=2, gain=1.0).total() == other.step(*batch(), step=2, gain=1.0).total()
    assert all(np.array_equal(a, other.port.save()[n]) for n, a in one.port.save().items())
    assert all(np.array_equal(a, other.save()[n]) for n, a in one.save().items())


def test_a_resting_pass_is_refused() -> None:
    for kind in (Pepita, LocalSoftmax):
        with pytest.raises(UsageError, match="--schedule interleaved"):
            made(kind, Chip("ideal", LAYERS)).step(*batch(), step=0, gain=1.0, moment=Moment(0, 0, negative=False))


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"learner": "pepita", "update": "coincidence"}, "choose --update accumulate"),
        ({"learner": "pepita", "goodness": "sum"}, "has no --goodness"),
        ({"learner": "local-softmax", "local_readout": "fix"}, "did you mean 'fixed'"),
        ({"learner": "local-softmax", "network": "local"}, "choose --network stack"),
        ({"learner": "weight-perturbation", "update": "coincidence"}, "has no --update"),
        ({"learner": "weight-perturbation", "momentum": 0.5}, "has no --momentum"),
        ({"learner": "backprop-programmed", "rounding": "nearest"}, "has no --rounding"),
        ({"learner": "weight-perturbation", "write_every": 3}, "has no --write-every"),
        ({"learner": "pepita", "modulation": -1.0}, "--modulation"),
        ({"learner": "node-perturbation", "readout": "energy"}, "choose --readout softmax"),
        ({"learner": "node-perturbation", "slope": "node-perturbation"}, "has no --slope"),
    ],
)
def test_choices_that_do_not_go_together(choices: dict, says: str) -> None:
    """Each is refused in one sentence."""
    with pytest.raises(UsageError, match=says):
        Config(**choices)


def test_perturbation_belongs_to_a_slope_or_a_learner() -> None:
    assert Config(learner="node-perturbation", perturbation=0.1, perturbations=3).perturbations == 3


RUNS = {
    "local-softmax": {"data": "toy", "layers": (24,), "epochs": 10, "batch": 20, "momentum": 0.9},
    "pepita": {"data": "toy", "layers": (24,), "epochs": 10, "batch": 20, "momentum": 0.9},
    "node-perturbation": {"data": "digits", "layers": (16,), "epochs": 15, "learning_rate": 0.2},
}
"""Frozen random layers are at 49 % on these stripes and at 34 % on digits."""


@pytest.mark.parametrize("name", RUNS)
def test_a_run_of_each(name: str, tmp_path) -> None:
    """From the configuration to the result on a sealed chip: better than frozen random layers, with its energy."""
    chosen = RECIPES["ideal"] | LEARNERS[name].recipe | {"shift": 0, "sealed": True, "device": "ideal"} | RUNS[name]
    result, _ = execute(Config(**chosen, learner=name, out=str(tmp_path / name)), quiet=True)
    assert result["test_error_percent"] < 25 and result["energy"]["per_update_joule"] > 0


def test_a_run_of_weight_perturbation(tmp_path) -> None:
    """Without a rate it writes the perturbation and takes it back, batch by batch: every weight's pulses are known."""
    config = Config(
        learner="weight-perturbation", device="memristor", data="toy", layers=(8,), epochs=2, learning_rate=0.0, shift=0,
        sealed=True, weight_perturbation=3 / 128, input_scale=1.0, out=str(tmp_path / "run"),
    )  # fmt: skip
    result, _ = execute(config, quiet=True)
    assert result["cells"]["pulses_per_weight"] == 2 * 4 * 2 * 3
