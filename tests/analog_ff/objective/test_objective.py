"""The objective: closed forms, gradients against numerical derivatives, limits, statistics."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from analog_ff.objective.goodness import GOODNESS, LayerGoodness, coefficient, probability, sum_of_squares
from analog_ff.objective.labels import embed
from analog_ff.objective.negatives import WRONG_LABELS, hard_wrong, random_wrong
from analog_ff.objective.normalise import PeerNorm, rms
from analog_ff.objective.readout import Int8Readout, SoftmaxReadout, energy_scores, one_hot_error
from analog_ff.objective.schedule import gain
from hardware_models.check import RunError, UsageError
from hardware_models.keys import Key

DTYPES = [np.float32, np.float64]
RARE = 1e-6
"""Probability that a sound statistical test fails by chance, were its seed not fixed."""


def rng(name: str) -> np.random.Generator:
    return Key(0, "test").child(name).generator()


def layer(name: str, neurons: int = 40, inputs: int = 25) -> tuple[np.ndarray, np.ndarray]:
    """Return one input (1, inputs + 1) with its bias column, and weights of a rectifier layer."""
    draw = rng(name)
    x = np.append(rms(draw.random((1, inputs))), [[6.0]], axis=1)
    return x, draw.standard_normal((inputs + 1, neurons)) / np.sqrt(inputs)


def relu(z: np.ndarray) -> np.ndarray:
    return np.maximum(z, 0.0)


# Learning fast and slow (Hinton, section 7)


@pytest.mark.parametrize("positive", [True, False])
def test_a_step_scales_all_active_units_alike_and_leaves_the_direction(positive):
    x, w = layer("fast")
    y = relu(x @ w)
    c = coefficient(probability(sum_of_squares(y), float(y.size)), positive=positive)
    after = relu(x @ (w + 0.003 * x.T @ (c[:, None] * y)))
    active = y > 0
    ratio = after[active] / y[active]
    assert np.ptp(ratio) < 1e-12 and np.array_equal(after > 0, active)
    assert (ratio[0] > 1) == positive
    cosine = float((y @ after.T).item() / np.linalg.norm(y) / np.linalg.norm(after))
    assert cosine == pytest.approx(1, abs=1e-14)
    np.testing.assert_allclose(rms(after), rms(y), rtol=1e-12)


@pytest.mark.parametrize("wanted", [0.25, 1.0, 7.0])
def test_one_exact_step_reaches_any_wanted_goodness(wanted):
    x, w = layer("exact")
    y = relu(x @ w)
    now = sum_of_squares(y)
    rate = (np.sqrt(wanted * now / now) - 1) / (x**2).sum()
    assert sum_of_squares(relu(x @ (w + rate * x.T @ y))) == pytest.approx(wanted * now, rel=1e-12)


# Goodness


@pytest.mark.parametrize("name", sorted(GOODNESS))
def test_derivative_is_the_numerical_one_up_to_the_stated_factor(name):
    goodness = GOODNESS[name]
    y = np.abs(rng("derivative").standard_normal((3, 7))) + 0.5  # what a rectifier may return
    h = 1e-5
    for j in range(y.shape[1]):
        up, down = y.copy(), y.copy()
        up[:, j] += h
        down[:, j] -= h
        numerical = (goodness.value(up) - goodness.value(down)) / (2 * h)
        np.testing.assert_allclose(goodness.factor * goodness.derivative(y)[:, j], numerical, rtol=1e-8)


@pytest.mark.parametrize("name", sorted(n for n in GOODNESS if GOODNESS[n].sign))
@pytest.mark.parametrize("positive", [True, False])
def test_outer_product_is_the_gradient_of_the_log_probability(positive, name):
    sign = GOODNESS[name].sign
    x, w = layer("gradient", neurons=5, inputs=6)
    temperature = 3.0
    goodness = GOODNESS[name]
    theta = 1.1 * float(goodness.value(relu(x @ w))[0])

    def log_probability(weights):
        # log(1 - p) is log p with the opposite sign.
        g = goodness.value(relu(x @ weights))
        return np.log(probability(g, theta, temperature, sign if positive else -sign))[0]

    y = relu(x @ w)
    c = coefficient(probability(goodness.value(y), theta, temperature, sign), positive=positive)
    asked = sign * c[:, None] * goodness.derivative(y)
    exact = goodness.factor / temperature * x.T @ asked
    numerical = np.empty_like(w)
    h = 1e-6
    for place in np.ndindex(*w.shape):
        up, down = w.copy(), w.copy()
        up[place] += h
        down[place] -= h
        numerical[place] = (log_probability(up) - log_probability(down)) / (2 * h)
    assert np.abs(exact).max() > 0.01
    np.testing.assert_allclose(exact, numerical, atol=1e-7, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "regions"), [("sum-of-squares", 3), ("mixed-sum-of-squares", 1), ("mixed-student-t", 6)]
)
@pytest.mark.parametrize("positive", [True, False])
def test_regions_climb_the_sum_of_their_log_probabilities(name, regions, positive):
    """Each region is a layer of its own: its drive is the gradient of its own log probability, times T/factor."""
    units, temperature = 12, 2.0
    goodness = LayerGoodness(name, units, regions=regions, temperature=temperature)
    y = np.abs(rng("regions").standard_normal((4, units))) + 0.3
    drive = goodness.drive(y, goodness.kind.derivative(y), positive=positive)

    def log_probability(y):
        parts = []
        for r, sign in enumerate(goodness.signs):
            size = units // goodness.regions
            g = goodness.kind.value(y[:, r * size : (r + 1) * size])
            p = probability(g, goodness.kind.theta_factor * size, temperature, int(sign if positive else -sign))
            parts.append(np.log(p))
        return sum(parts)

    h = 1e-6
    for j in range(units):
        up, down = y.copy(), y.copy()
        up[:, j] += h
        down[:, j] -= h
        numerical = (log_probability(up) - log_probability(down)) / (2 * h)
        np.testing.assert_allclose(drive[:, j] * goodness.kind.factor / temperature, numerical, atol=1e-8, rtol=1e-6)
    assert goodness.regions == max(regions, 2 if name.startswith("mixed") else 1)
    np.testing.assert_allclose(goodness.score(y), goodness.value(y) @ goodness.signs)
    folded = goodness.normalise(y).reshape(4, goodness.regions, -1)
    np.testing.assert_allclose((folded**2).mean(axis=2), 1.0)


def test_regions_that_do_not_fit_are_refused():
    with pytest.raises(UsageError, match=r"divides the 10 units .* got 3"):
        LayerGoodness("sum-of-squares", 10, regions=3)
    with pytest.raises(UsageError, match="even number of regions"):
        LayerGoodness("mixed-sum", 9, regions=3)


@pytest.mark.parametrize("dtype", DTYPES)
def test_probability_is_stable_far_from_the_threshold(dtype):
    g = np.array([0.0, 1e4, 1e4 + 1, 2e4], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        p = probability(g, 1e4)
        mirrored = probability(g, 1e4, 1.0, -1)
    assert p.dtype == dtype
    np.testing.assert_allclose(p, [0, 0.5, 1 / (1 + np.exp(-1)), 1], rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_allclose(p + mirrored, 1, rtol=4 * np.finfo(dtype).eps)
    assert np.all(np.isfinite(coefficient(p, positive=True))) and np.all(coefficient(p, positive=False) <= 0)


def test_temperature_and_sign_scale_the_argument():
    g = np.linspace(-4, 4, 9)
    np.testing.assert_allclose(probability(g, 1.0, 2.0), probability((g - 1) / 2, 0.0))
    np.testing.assert_allclose(probability(g, 0.0, 1.0, -1), probability(-g, 0.0))


# Labels


@pytest.mark.parametrize("dtype", DTYPES)
def test_embed_writes_one_hot_and_neutral_labels_of_equal_sum(dtype):
    images = rng("images").random((4, 9)).astype(dtype)
    before = images.copy()
    labels = np.array([0, 2, 1, 2])
    shown, neutral = embed(images, labels, 3, strength=2.0), embed(images, None, 3, strength=2.0)
    assert shown.dtype == neutral.dtype == dtype
    np.testing.assert_array_equal(shown[:, :3], 2.0 * np.eye(3)[labels])
    np.testing.assert_allclose(neutral[:, :3], 2.0 / 3, rtol=np.finfo(dtype).eps)
    np.testing.assert_allclose(shown[:, :3].sum(axis=1), neutral[:, :3].sum(axis=1), rtol=1e-6)
    for made in (shown, neutral):
        np.testing.assert_array_equal(made[:, 3:], before[:, 3:])
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        (np.zeros((2, 9)), np.array([0, 3]), "0..2"),
        (np.zeros((2, 9)), np.array([-1, 0]), "0..2"),
        (np.zeros((2, 9)), np.array([0]), "one per image"),
        (np.zeros((2, 9)), np.array([0.0, 1.0]), "whole numbers"),
        (np.zeros((2, 2)), None, "no room"),
        (np.zeros((2, 9), np.uint8), None, "floating-point"),
    ],
)
def test_embed_refuses_what_does_not_fit(images, labels, says):
    with pytest.raises(UsageError, match=says):
        embed(images, labels, 3)


# Negatives


@pytest.mark.parametrize("name", sorted(WRONG_LABELS))
@pytest.mark.parametrize("kind", ["uniform", "certain", "underflow", "sharp"])
def test_a_negative_never_carries_the_true_label(name, kind):
    classes, n = 5, 4000
    draw = rng(f"never-{name}-{kind}")
    labels = draw.integers(0, classes, n)
    certain = np.eye(classes, dtype=np.float32)[labels]
    probabilities = {
        "uniform": np.full((n, classes), 1 / classes),
        "certain": certain,
        "underflow": certain + np.float32(1e-42),
        "sharp": draw.dirichlet(np.full(classes, 0.05), n).astype(np.float32),
    }[kind]
    wrong = WRONG_LABELS[name](labels, probabilities, draw)
    assert wrong.shape == (n,) and np.issubdtype(wrong.dtype, np.integer)
    assert not np.any(wrong == labels)
    assert wrong.min() >= 0 and wrong.max() < classes
    if kind != "sharp":  # all but the true class are equal: a uniform draw over the others
        hits = np.bincount((wrong - labels) % classes, minlength=classes)[1:]
        expected = n / (classes - 1)
        assert ((hits - expected) ** 2 / expected).sum() < chi2.isf(RARE, classes - 2)


@pytest.mark.parametrize("true", [0, 2, 4])
def test_hard_negatives_follow_the_probabilities(true):
    n, p = 20000, np.array([0.30, 0.05, 0.20, 0.35, 0.10])
    wrong = hard_wrong(np.full(n, true), np.tile(p, (n, 1)), rng(f"hard-{true}"))
    others = np.arange(5) != true
    expected = n * p[others] / p[others].sum()
    statistic = ((np.bincount(wrong, minlength=5)[others] - expected) ** 2 / expected).sum()
    assert statistic < chi2.isf(RARE, others.sum() - 1)


def test_hard_negatives_agree_between_float32_and_float64_save_at_ties():
    n, classes = 5000, 10
    draw = rng("dtype")
    labels = draw.integers(0, classes, n)
    p = draw.dirichlet(np.ones(classes), n)
    double = hard_wrong(labels, p, rng("same"))
    single = hard_wrong(labels, p.astype(np.float32), rng("same"))
    # A draw moves only if u falls within the rounding of a boundary: n * classes * eps << 1 expected.
    assert (double != single).sum() <= 1 + n * classes * np.finfo(np.float32).eps


def test_makers_draw_one_number_per_image_whatever_the_probabilities():
    first, second = rng("count"), rng("count")
    hard_wrong(np.zeros(7, int), np.full((7, 3), 1 / 3), first)
    hard_wrong(np.ones(7, int), np.eye(3)[np.ones(7, int)], second)
    assert first.random() == second.random()


def test_negatives_refuse_a_diverged_readout_and_a_single_class():
    with pytest.raises(RunError, match="diverged"):
        hard_wrong(np.array([0]), np.array([[np.nan, np.nan]]), rng("nan"))
    with pytest.raises(UsageError, match="at least 2"):
        random_wrong(np.array([0]), 1, rng("one"))


# Normalisation


@pytest.mark.parametrize("dtype", DTYPES)
def test_rms_has_length_root_n_and_keeps_zero_rows(dtype):
    y = (rng("rms").standard_normal((4, 50)) * np.array([[1e-3], [1], [1e3], [0]])).astype(dtype)
    a = rms(y)
    assert a.dtype == dtype
    np.testing.assert_allclose((a**2).sum(axis=1), [50, 50, 50, 0], rtol=50 * np.finfo(dtype).eps)
    assert np.all(a[3] == 0)


def test_peer_term_sums_to_zero_and_acts_on_dead_units():
    peer = PeerNorm(20, strength=0.03)
    y = rng("peer").random((8, 20))
    y[:, 0] = 0.0
    assert np.all(np.abs(peer.term(y)) < 1e-15)  # all alike at the start
    peer.update(y)
    term = peer.term(y)
    assert abs(term.mean()) < 1e-16 and term.argmax() == 0 and term[0] > 0
    assert peer.term(y.astype(np.float32)).dtype == np.float32


def test_peer_mean_approaches_the_activity_geometrically():
    peer = PeerNorm(3, strength=0.5)
    y = np.array([[0.0, 1.0, 2.0], [0.0, 3.0, 4.0]])
    for _ in range(12):
        peer.update(y)
    mean = 0.5 * 0.9**12 + (1 - 0.9**12) * np.array([0.0, 2.0, 3.0])
    np.testing.assert_allclose(peer.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(peer.term(y), 0.5 * (mean.mean() - mean), rtol=1e-12)


# Schedule


@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 10, 11, 60])
def test_gain_is_one_for_half_the_run_then_falls_evenly(epochs):
    gains = [gain(epoch, epochs) for epoch in range(epochs)]
    assert all(0 < g <= 1 for g in gains)
    assert all(g == 1 for g in gains[: epochs // 2 + 1])
    falls = -np.diff([g for g in gains if g < 1])
    np.testing.assert_allclose(falls, 2 / epochs, rtol=1e-9)
    assert gains[-1] == pytest.approx(min(1.0, 3 / epochs))


def test_gain_numbers_for_an_even_and_an_odd_run():
    np.testing.assert_allclose([gain(e, 6) for e in range(6)], [1, 1, 1, 1, 5 / 6, 3 / 6])
    np.testing.assert_allclose([gain(e, 5) for e in range(5)], [1, 1, 1, 1, 3 / 5])
    with pytest.raises(UsageError, match=r"0\.\.4"):
        gain(5, 5)


# Read-outs


def test_softmax_gradient_is_the_numerical_one():
    draw = rng("softmax")
    h, labels = draw.standard_normal((11, 6)), draw.integers(0, 4, 11)
    start = draw.standard_normal((6, 4))
    readout = SoftmaxReadout(6, 4, rate=0.5, decay=0.01, dtype=np.float64)

    def likelihood(weights):
        readout.restore({"weights": weights, "smoothed": np.zeros((6, 4))})
        return np.log(readout.probabilities(h)[np.arange(11), labels]).mean()

    numerical = np.empty((6, 4))
    for place in np.ndindex(6, 4):
        up, down = start.copy(), start.copy()
        up[place] += 1e-6
        down[place] -= 1e-6
        numerical[place] = (likelihood(up) - likelihood(down)) / 2e-6
    likelihood(start)
    readout.step(h, labels, 0.5)
    np.testing.assert_allclose(readout.smoothed, 0.1 * numerical, atol=1e-9)
    change = 0.5 * 0.5 * (0.1 * numerical - 0.01 * start)
    np.testing.assert_allclose(readout.weights - start, change, atol=1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_keeps_its_dtype_starts_uniform_and_is_stable(dtype):
    readout = SoftmaxReadout(3, 4, dtype=dtype)
    h = np.array([[1.0, -2.0, 3.0]], dtype)
    np.testing.assert_array_equal(readout.probabilities(h), np.full((1, 4), 0.25, dtype))
    readout.step(h, np.array([1]), np.float64(1.0))
    assert readout.weights.dtype == readout.smoothed.dtype == readout.probabilities(h).dtype == dtype
    readout.weights = readout.weights * 1e6
    p = readout.probabilities(h)
    assert np.all(np.isfinite(p)) and p.sum() == pytest.approx(1) and p.argmax() == 1


def test_softmax_continues_bit_for_bit_after_restore():
    draw = rng("restore")
    h, labels = draw.standard_normal((8, 5)).astype(np.float32), draw.integers(0, 3, 8)
    first, second = SoftmaxReadout(5, 3), SoftmaxReadout(5, 3)
    first.step(h, labels, 1.0)
    saved = first.save()
    first.step(h, labels, 1.0)
    second.restore(saved)
    second.step(h, labels, 1.0)
    np.testing.assert_array_equal(first.weights, second.weights)
    with pytest.raises(UsageError, match="shape"):
        SoftmaxReadout(4, 3).restore(saved)


def test_energy_scores_sum_the_goodness_of_the_chosen_layers():
    draw = rng("energy")
    passes = [[draw.random((4, n)) for n in (3, 5, 2)] for _ in range(6)]
    goodness = [LayerGoodness("sum-of-squares", n) for n in (3, 5, 2)]
    scores = energy_scores(iter(passes), range(1, 3), goodness)
    assert scores.shape == (4, 6)
    for label, outputs in enumerate(passes):
        np.testing.assert_allclose(scores[:, label], (outputs[1] ** 2).sum(1) + (outputs[2] ** 2).sum(1))


def test_a_readout_of_bytes_multiplies_whole_numbers() -> None:
    """Its logits and its gradient are products of int8 matrices in int64, times their scales; near those of fp32."""
    rng = np.random.default_rng(5)
    h, labels = np.maximum(rng.standard_normal((30, 40)), 0).astype(np.float32), rng.integers(0, 10, 30)
    plain, bytes_ = SoftmaxReadout(40, 10), Int8Readout(40, 10)
    plain.weights = bytes_.weights = (0.3 * rng.standard_normal((40, 10))).astype(np.float32)

    def whole(values: np.ndarray, scale: np.ndarray) -> np.ndarray:
        found = np.rint(values / scale).astype(np.int64)
        assert np.abs(found).max() <= 127
        return found

    s_h, s_c = np.abs(h).max() / 127.0, np.abs(bytes_.weights).max(axis=0) / 127.0
    logits = (whole(h, s_h) @ whole(bytes_.weights, s_c)) * (s_h * s_c)
    np.testing.assert_allclose(bytes_.logits(h), logits, rtol=1e-5, atol=1e-6)
    # Each factor is off by half a step at most, so a sum of n products by n/2 (|V| s_h + |h| s_c) and the product of both.
    bound = (
        0.5 * (s_h * np.abs(plain.weights).sum(axis=0) + s_c * np.abs(h).sum(axis=1)[:, None]) + 0.25 * 40 * s_h * s_c
    )
    assert np.all(np.abs(bytes_.logits(h) - plain.logits(h)) <= bound + 1e-6)
    error = one_hot_error(bytes_.probabilities(h), labels)
    s_e = np.abs(error).max() / 127.0
    gradient = (whole(h, s_h).T @ whole(error, s_e)) * (s_h * s_e) / 30
    np.testing.assert_allclose(bytes_.gradient(h, labels), gradient, rtol=1e-4, atol=1e-7)
    for rows in (slice(None), slice(10, 25)):
        part = plain.weights[rows]
        s_v = np.abs(part).max() / 127.0
        np.testing.assert_allclose(
            bytes_.back(error, rows), (whole(error, s_e) @ whole(part, s_v).T) * (s_e * s_v), rtol=1e-5, atol=1e-7
        )
        np.testing.assert_array_equal(plain.back(error, rows), error @ part.T)
    assert np.all(Int8Readout(40, 10).logits(h) == 0.0), "weights that are all zero have a scale of zero"


def test_a_readout_of_bytes_learns_what_one_of_fp32_learns() -> None:
    rng = np.random.default_rng(6)
    labels = rng.integers(0, 3, 600)
    h = (np.eye(3)[labels] @ rng.standard_normal((3, 20)) + 0.3 * rng.standard_normal((600, 20))).astype(np.float32)
    for kind in (SoftmaxReadout, Int8Readout):
        readout = kind(20, 3)
        for _ in range(30):
            readout.step(h[:500], labels[:500], 1.0)
        assert np.mean(readout.logits(h[500:]).argmax(axis=1) == labels[500:]) > 0.95
