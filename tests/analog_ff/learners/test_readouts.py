"""The two read-outs together: the product of their probabilities, the passes of both and none beyond them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax
from test_forward_forward import CLASSES, LAYERS, batch, learner, stack

from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.learners.options import READOUTS
from analog_ff.objective.readout import together
from analog_ff.objective.reference import ReferenceForwardForward
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.tables import lookup

WEIGHT = 20.0


def taught(device: str = "ideal", **more) -> ForwardForward:
    """Return a learner with the read-out "both" after some batches."""
    options = {"goodness_weight": WEIGHT, "learning_rate": 0.03, **more}
    made = learner(Chip(device, LAYERS, dac=None, adc=None), **options)
    for step in range(8):
        images, labels = batch(step)
        made.step(images, labels, step=step, gain=1.0)
    return made


@pytest.mark.parametrize(("layers", "weight"), [("all", 2.0), ("all-but-first", WEIGHT)])
def test_the_answer_is_that_of_the_product_of_both_probabilities(layers: str, weight: float) -> None:
    """Against log softmax + log softmax in float64, image by image: the same but for a constant, and the same answers."""
    made = taught(readout_layers=layers, readout_rate=3.0, goodness_weight=weight)
    images, _ = batch(50, 300)
    key = Key(5, "test")
    energies, logits, found = (made.scores(images, name, key)[0] for name in ("energy", "softmax", "both"))
    neurons = {"all": 50, "all-but-first": 20}[layers]
    twin = log_softmax(logits.astype(np.float64), axis=1) + log_softmax(weight * energies / neurons, axis=1)
    off = found - twin
    np.testing.assert_allclose(off, np.repeat(off[:, :1], CLASSES, axis=1), atol=1e-11)
    assert np.array_equal(found.argmax(axis=1), twin.argmax(axis=1))
    answers = {tuple(scores.argmax(axis=1)) for scores in (energies, logits, found)}
    assert len(answers) == 3, "the three read-outs differ, or this test would show nothing"


def test_it_follows_the_float64_reference() -> None:
    """Answers of an ideal chip beside those of the reference network, which learned the same with the same keys."""
    options = {"learning_rate": 0.03, "momentum": 0.9}
    made = learner(Chip("ideal", LAYERS, dac=None, adc=None), goodness_weight=WEIGHT, learning_rate=0.03,
                   update_options={"momentum": 0.9, "rounding": "nearest"})  # fmt: skip
    twin = ReferenceForwardForward((64, 30, 20), seed=5, classes=CLASSES, input_scale=6.0, **options)
    for step in range(8):
        images, labels = batch(step)
        made.step(images, labels, step=step, gain=1.0)
        twin.step(images.astype(np.float64), labels, step=step, gain=1.0)
    images, _ = batch(99, 300)
    shown = images.astype(np.float64)
    passes = [twin.forward(shown, np.full(len(shown), label)) for label in range(CLASSES)]
    energies = np.stack([sum(np.square(layer.y).sum(axis=1) for layer in one) for one in passes], axis=1)
    logits = twin.softmax.logits(twin.features(twin.forward(shown, None)))
    expected = log_softmax(logits, axis=1) + log_softmax(WEIGHT * energies / 50, axis=1)
    predicted, _ = made.predict(images, readouts=("both",), key=Key(5, "test"))
    assert np.mean(predicted["both"] == expected.argmax(axis=1)) >= 0.99


def test_it_takes_the_passes_of_both_and_none_where_they_were_made() -> None:
    """Counts of a chip with noise: energy plus softmax plus a multiply-add a label; beside the others the last alone."""
    made = taught("memristor")
    images, _ = batch(60, 40)
    tallies = {name: made.predict(images, readouts=(name,), key=Key(5, "test")) for name in made.readouts}
    counts = {name: tally.total().counts for name, (_, tally) in tallies.items()}
    own = Events({"mac.fp32": 40 * CLASSES})
    assert counts["both"] == (Events(counts["energy"]) + Events(counts["softmax"]) + own).counts
    answers, together_ = made.predict(images, key=Key(5, "test"))
    assert together_.total().counts == counts["both"]
    for name, (found, _) in tallies.items():
        np.testing.assert_array_equal(answers[name], found[name])


def test_without_a_difference_in_goodness_it_is_the_softmax_readout() -> None:
    """Bit for bit the logits, ties included; and where nothing differs at all the first label is the answer."""
    logits = np.array([[0.1, 0.7, 0.7, -3.0], [2.0, 2.0, 2.0, 2.0], [1e-7, 0.0, 3e-7, 2e-7]], np.float32)
    flat = np.repeat([[17.3], [0.0], [1e9]], 4, axis=1)
    found = together(logits, flat, 50, WEIGHT)
    np.testing.assert_array_equal(found, logits.astype(np.float64))
    assert found.argmax(axis=1).tolist() == [1, 0, 2]
    level = together(np.zeros((1, 4), np.float32), np.array([[1.0, 5.0, 5.0, 2.0]]), 50, WEIGHT)
    assert level.argmax(axis=1).tolist() == [1]
    np.testing.assert_array_equal(together(logits, np.random.default_rng(0).random((3, 4)), 50, 0.0), logits)


def test_a_recurrent_network_divides_by_every_counted_iteration() -> None:
    """Its goodness is a sum over iterations: the mean of a neuron is over them too."""
    made = learner(Chip("ideal", LAYERS), goodness_weight=WEIGHT)
    made.network.score_iterations = range(3, 6)
    assert made.scored_neurons == 3 * 50


def test_only_a_learner_with_a_weight_has_it() -> None:
    """The other read-outs are the ones that there were, in their order; a network without labels has the softmax alone."""
    plain = learner(Chip("ideal", LAYERS))
    assert plain.readouts == ("energy", "softmax") and taught().readouts == ("energy", "softmax", "both")
    with pytest.raises(UsageError, match="no read-out 'both'"):
        plain.scores(batch(0)[0], "both", Key(0, "p"))
    assert all(callable(lookup("read-out", name, READOUTS)) for name in READOUTS) and len(READOUTS) == 5
    with pytest.raises(UsageError, match="goodness_weight"):
        ForwardForward(stack(Chip("ideal", LAYERS)), classes=CLASSES, seed=0, goodness_weight=-1.0)
    with pytest.raises(UsageError, match="no output layer"):
        plain.outputs(batch(0)[0], Key(0, "p"))
