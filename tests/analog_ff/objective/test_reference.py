"""The float64 reference: its step against plain loops, its laws, and that it learns."""

from __future__ import annotations

import numpy as np
import pytest

from analog_ff.objective.goodness import probability, sum_of_squares
from analog_ff.objective.negatives import hard_wrong
from analog_ff.objective.reference import ReferenceForwardForward
from hardware_models.check import UsageError
from hardware_models.keys import Key


def batch(n: int = 12, pixels: int = 16, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    draw = Key(0, "test").child("batch").generator()
    return draw.random((n, pixels)), draw.integers(0, classes, n)


def network(**options) -> ReferenceForwardForward:
    return ReferenceForwardForward((16, 9, 7), **({"classes": 3, "seed": 4} | options))


class Naive:
    """The step image by image and neuron by neuron, in Python numbers, from the text of the recipe alone."""

    def __init__(self, twin: ReferenceForwardForward) -> None:
        self.w = [w.copy() for w in twin.weights]
        self.g = [np.zeros_like(w) for w in twin.weights]
        self.m = [np.full(w.shape[1], 0.5) for w in twin.weights]
        self.v = np.zeros((16, 3))
        self.q = np.zeros((16, 3))

    def run(self, image, label):
        """Return (x, y, normalised) of each layer for one image."""
        a = np.array(image, float)
        a[:3] = [1 / 3] * 3 if label is None else [float(k == label) for k in range(3)]
        layers = []
        a = a / np.sqrt(np.mean(a * a))
        for w in self.w:
            x = np.append(a, 6.0)
            y = np.array([max(0.0, float(sum(x * w[:, j]))) for j in range(w.shape[1])])
            a = y / np.sqrt(np.mean(y * y))
            layers.append((x, y, a))
        return layers

    def believed(self, h):
        """Return the class probabilities of one image."""
        raised = np.exp(h @ self.v)
        return raised / raised.sum()

    def step(self, images, labels, step, gain):
        """Learn from one batch."""
        n = len(images)
        features = [np.concatenate([a for _, _, a in self.run(u, None)]) for u in images]
        p = np.array([self.believed(h) for h in features])
        wrong = hard_wrong(labels, p, Key(4, "train", step).child("negatives").generator())
        positive = [self.run(u, t) for u, t in zip(images, labels, strict=True)]
        negative = [self.run(u, t) for u, t in zip(images, wrong, strict=True)]
        for k, w in enumerate(self.w):
            neurons = w.shape[1]
            gradient = np.zeros_like(w)
            for sign, passes in ((1, positive), (-1, negative)):
                for layers in passes:
                    x, y, _ = layers[k]
                    s = 1 / (1 + np.exp(-(sum(y * y) - neurons)))
                    d = (1 - s) * y + 0.03 * (self.m[k].mean() - self.m[k]) if sign > 0 else -s * y
                    gradient += np.outer(x, d) / n
            gradient[-1] /= 36.0
            self.m[k] = 0.9 * self.m[k] + 0.1 * np.mean([layers[k][1] for layers in positive], axis=0)
            self.g[k] = 0.9 * self.g[k] + 0.1 * gradient
        for k, w in enumerate(self.w):
            self.w[k] = w + gain * 0.01 * self.g[k]
        slope = sum(np.outer(h, np.eye(3)[t] - s) for h, t, s in zip(features, labels, p, strict=True)) / n
        self.q = 0.9 * self.q + 0.1 * slope
        self.v = self.v + gain * 0.1 * (self.q - 0.003 * self.v)


def test_step_equals_the_recipe_written_in_plain_loops():
    images, labels = batch()
    fast = network()
    slow = Naive(fast)
    for step, gain in enumerate((1.0, 1.0, 0.5, 0.25)):
        fast.step(images, labels, step=step, gain=gain)
        slow.step(images, labels, step, gain)
        for layer in range(2):
            np.testing.assert_allclose(fast.weights[layer], slow.w[layer], rtol=1e-11, atol=1e-13)
            np.testing.assert_allclose(fast.smoothed[layer], slow.g[layer], rtol=1e-10, atol=1e-13)
            np.testing.assert_allclose(fast.peers[layer].mean, slow.m[layer], rtol=1e-11)
        np.testing.assert_allclose(fast.softmax.weights, slow.v, rtol=1e-10, atol=1e-14)


def test_weights_start_from_the_named_key_with_a_zero_bias_row():
    model = network()
    assert [w.shape for w in model.weights] == [(17, 9), (10, 7)]
    drawn = Key(4, "weights").child("layer", 1).generator().standard_normal((9, 7)) / 3.0
    np.testing.assert_array_equal(model.weights[1][:-1], drawn)
    assert all(w.dtype == np.float64 and np.all(w[-1] == 0) for w in model.weights)


def test_a_small_step_raises_the_objective_and_the_opposite_sign_lowers_it():
    images, labels = batch()
    model = ReferenceForwardForward(
        (16, 30), classes=3, seed=1, peer=0.0, momentum=0.0, bias_rate=1.0, learning_rate=1e-4
    )
    # The labels that the step itself will draw: the read-out still believes in all classes alike.
    wrong = hard_wrong(labels, np.full((12, 3), 1 / 3), Key(1, "train", 0).child("negatives").generator())

    def objective():
        up, down = (sum_of_squares(model.forward(images, t)[0].y) for t in (labels, wrong))
        return np.log(probability(up, 30.0)).mean() + np.log(probability(down, 30.0, 1.0, -1)).mean()

    start, before = model.weights[0].copy(), objective()
    model.step(images, labels, step=0, gain=1.0)
    change = model.weights[0] - start
    # To first order the objective grows by 2 g . dW (the 2 of the squares), here |dW|² 2 / eta.
    first_order = 2 * (change**2).sum() / 1e-4
    assert objective() - before == pytest.approx(first_order, rel=0.05)
    model.weights[0] = start - change
    assert objective() < before


def test_gain_zero_changes_no_weight_and_decay_spares_the_bias_row():
    images, labels = batch()
    model = network(decay=0.5)
    start = [w.copy() for w in model.weights]
    model.step(images, labels, step=0, gain=0.0)
    for now, then in zip(model.weights, start, strict=True):
        np.testing.assert_array_equal(now, then)
    with_decay, without = network(decay=0.5), network()
    for twin in (with_decay, without):
        twin.weights[0][-1] = 1.0
        twin.step(images, labels, step=0, gain=1.0)
    shrink = with_decay.weights[0] - without.weights[0]
    np.testing.assert_allclose(shrink[:-1], -0.01 * 0.5 * start[0][:-1], atol=1e-15)
    assert np.all(shrink[-1] == 0)


def test_train_takes_every_row_in_the_order_of_the_keys():
    images, labels = batch(n=10)
    by_hand, trained = network(), network()
    assert list(trained.train(images, labels, epochs=2, batch=4)) == [0, 1]
    for step, (epoch, place) in enumerate([(0, 0), (0, 4), (0, 8), (1, 0), (1, 4), (1, 8)]):
        chosen = Key(4, "order", epoch).generator().permutation(10)[place : place + 4]
        by_hand.step(images[chosen], labels[chosen], step=step, gain=1.0, full=4)
    np.testing.assert_array_equal(by_hand.weights[1], trained.weights[1])
    small = network()
    assert list(small.train(images, labels, epochs=1, batch=100)) == [0]
    assert not np.array_equal(small.weights[0], network().weights[0])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"negatives": "hardest"}, "did you mean 'hard'"),
        ({"readout_layers": "first"}, "all-but-first"),
        ({"momentum": 1.0}, "momentum"),
        ({"classes": 17}, "classes"),
    ],
)
def test_wrong_options_are_refused_in_one_sentence(options, says):
    with pytest.raises(UsageError, match=says):
        network(**options)


def test_unknown_readout_is_refused():
    with pytest.raises(UsageError, match="no read-out 'votes'"):
        network().predict(batch()[0], ["votes"])


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = Key(0, "digits").generator().permutation(len(x))
    x, y = x[order] / 16.0, y[order]
    return x[:1400], y[:1400], x[1400:], y[1400:]


def trained(digits, epochs: int = 25, **options) -> ReferenceForwardForward:
    model = ReferenceForwardForward((64, 30, 30), **({"classes": 10, "seed": 0} | options))
    for _ in model.train(digits[0], digits[1], epochs=epochs, batch=50):
        pass
    return model


def wrong(model: ReferenceForwardForward, digits) -> dict[str, int]:
    """Return the errors on the test images by read-out."""
    return {readout: int((labels != digits[3]).sum()) for readout, labels in model.predict(digits[2]).items()}


@pytest.fixture(scope="module")
def frozen(digits) -> dict[str, int]:
    """Return the errors of a model that learns nothing but its softmax, which sees no negatives."""
    return wrong(trained(digits, readout_layers="all-but-first", learning_rate=0.0), digits)


@pytest.mark.parametrize("negatives", ["hard", "random"])
def test_learns_digits_clearly_better_than_its_frozen_twin(digits, negatives, frozen):
    # Layers of 30 units, read above the first one: wide random layers would hold nearly all that a softmax
    # needs for digits, and the comparison would say nothing about learning.
    learned, n = (
        wrong(trained(digits, negatives=negatives, readout_layers="all-but-first", learning_rate=0.01), digits),
        len(digits[3]),
    )
    for readout in ("energy", "softmax"):
        # Counts of errors are at worst binomial; on the same images they are positively correlated.
        spread = np.sqrt(sum(count[readout] * (1 - count[readout] / n) for count in (learned, frozen)))
        assert frozen[readout] - learned[readout] > 3 * spread, (learned, frozen)


def test_same_seed_same_bits_other_seed_other_bits(digits):
    part = tuple(a[:300] for a in digits)
    first, second, other = (trained(part, 10, seed=seed) for seed in (0, 0, 1))
    for a, b, c in zip(first.weights, second.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)
    np.testing.assert_array_equal(first.softmax.weights, second.softmax.weights)
    np.testing.assert_array_equal(first.predict(part[2])["energy"], second.predict(part[2])["energy"])
