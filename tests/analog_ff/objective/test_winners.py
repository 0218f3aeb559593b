"""Top-k goodness: the largest outputs alone count, drive and are pulsed; all of them are the plain goodness, to the bit."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import GOODNESS, LayerGoodness, probability, share_of_winners
from analog_ff.objective.winners import WINNERS, number, part_of_squares, part_of_sum, winning
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.keys import Key

PLAIN = {"top-k": "sum-of-squares", "top-k-sum": "sum"}
"""Goodness of winners -> the one that it is when all of them win."""
LAYERS = ((65, 30), (31, 20))


def rng(name: str) -> np.random.Generator:
    return Key(0, "test-winners").child(name).generator()


def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
    generator = Key(3, "images", step).generator()
    return generator.random((20, 64)).astype(np.float32), generator.integers(0, 10, 20)


def learner(goodness: str, winners: float | None = None, **more) -> ForwardForward:
    port = Chip("memristor", LAYERS)
    every = [LayerGoodness(goodness, units, winners=winners) for _, units in port.shapes]
    made = ForwardForward(Stack(port, every), classes=10, seed=5, **more)
    made.initialise()
    return made


def bits(made: ForwardForward) -> dict[str, np.ndarray]:
    return {**{f"chip.{n}": v for n, v in made.port.save().items()}, **made.save()}


def test_winners_are_the_k_largest_and_of_equal_ones_the_first() -> None:
    """Against a sort, in float64 and float32, with many equal outputs as converters make them."""
    for dtype in (np.float32, np.float64):
        y = np.round(np.maximum(rng("sort").standard_normal((50, 37)), 0.0) * 4).astype(dtype) / 4
        for share in (0.001, 0.1, 0.5, 0.9, 1.0):
            k, found = number(share, 37), winning(y, share)
            first = np.argsort(-y, axis=1, kind="stable")[:, :k]
            expected = np.zeros_like(y)
            np.put_along_axis(expected, first, np.take_along_axis(y, first, axis=1), axis=1)
            assert found.dtype == dtype and np.array_equal(found, expected)
    assert (number(0.001, 37), number(0.1, 37), number(1.0, 37)) == (1, 4, 37)
    assert winning(y, 1.0) is y


@pytest.mark.parametrize("part", [(part_of_squares, 2.0, 2), (part_of_sum, np.sqrt(2 * np.pi), 1)])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.8])
def test_an_untrained_layer_holds_the_part_that_the_closed_form_says(part, share) -> None:
    """The mean over 2000 rows of 200 rectifiers, within 5 standard errors and the 1/n of k winners among n."""
    form, scale, power = part
    y = np.maximum(rng("untrained").standard_normal((2000, 200)), 0.0)
    held = scale * (winning(y, share) ** power).mean(axis=1)
    assert held.mean() == pytest.approx(form(share), abs=5 * held.std() / np.sqrt(2000) + 1.0 / 200)
    assert form(0.5) == form(0.8) == 1.0 and form(0.02) < form(0.1) < form(0.49) < 1.0
    q = NormalDist().inv_cdf(0.9)
    assert part_of_squares(0.1) == pytest.approx(2 * (0.1 + q * np.exp(-(q**2) / 2) / np.sqrt(2 * np.pi)), rel=1e-12)


@pytest.mark.parametrize("name", sorted(PLAIN))
@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("regions", [1, 3])
def test_the_outer_product_is_the_gradient_of_the_log_probability(name, positive, regions) -> None:
    """Finite differences of the loss of a rectifier layer, weight by weight, in each region."""
    generator = rng("gradient")
    x, w = np.abs(generator.standard_normal((1, 6))), generator.standard_normal((6, 12))
    goodness = LayerGoodness(name, 12, regions=regions, temperature=3.0, winners=0.25, theta_factor=0.4)

    def log_probability(weights: np.ndarray) -> float:
        g = goodness.value(np.maximum(x @ weights, 0.0))
        return float(np.log(probability(g, goodness.theta, 3.0, 1 if positive else -1)).sum())

    y = np.maximum(x @ w, 0.0)
    d = goodness.drive(y, goodness.derivative(y), positive=positive)
    exact = goodness.kind.factor / 3.0 * x.T @ d
    numerical, h = np.empty_like(w), 1e-6
    for place in np.ndindex(*w.shape):
        up, down = w.copy(), w.copy()
        up[place] += h
        down[place] -= h
        numerical[place] = (log_probability(up) - log_probability(down)) / (2 * h)
    np.testing.assert_allclose(exact, numerical, atol=1e-7, rtol=1e-6)
    columns = np.abs(exact).max(axis=0) > 0
    assert 0 < columns.sum() <= number(0.25, 12 // regions) * regions
    assert goodness.terms(y).reshape(regions, -1).sum(axis=1) == pytest.approx(goodness.value(y)[0], rel=1e-12)


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_all_winners_are_the_plain_goodness_to_the_bit(name: str) -> None:
    """The same cells, averages, read-out and counts after some batches, with its gate and its peers."""
    plain, all_win, few = (learner(PLAIN[name], gate=0.05), learner(name, 1.0, gate=0.05), learner(name, gate=0.05))
    for step in range(3):
        images, labels = batch(step)
        tallies = [one.step(images, labels, step=step, gain=1.0) for one in (plain, all_win, few)]
        assert tallies[0].layers == tallies[1].layers
    one, two, three = bits(plain), bits(all_win), bits(few)
    assert one.keys() == two.keys() and all(np.array_equal(one[n], two[n]) for n in one)
    assert not all(np.array_equal(one[n], three[n]) for n in one)


def test_losers_get_no_pulse_and_the_circuit_is_counted() -> None:
    """Without a peer term the columns of losers stay as they are; comparators and the second sum are counted."""
    made = learner("top-k", 0.1, peer=0.0, negatives="random", skip_silent=True, update_options={"momentum": 0.0})
    before = [np.array(made.port.oracle.weights(layer)) for layer in (0, 1)]
    images, labels = batch(0)
    tally = made.step(images[:1], labels[:1], step=0, gain=100.0)
    for layer, then in enumerate(before):
        moved = (made.port.oracle.weights(layer) != then).any(axis=0)
        assert 0 < moved.sum() <= 2 * number(0.1, then.shape[1])
        outputs = 3 * then.shape[1]
        counted = tally.layers[str(layer)]
        assert counted["comparator"] == outputs
        assert counted["goodness"] == outputs + number(0.1, then.shape[1]) + number(0.1, 2 * then.shape[1])


def test_winners_belong_to_a_goodness_that_has_them() -> None:
    assert GOODNESS["top-k"].winners == WINNERS and GOODNESS["top-k"].theta_factor == part_of_squares(WINNERS)
    assert share_of_winners("top-k", None) is GOODNESS["top-k"]
    said = "--winners belongs to --goodness top-k or top-k-sum; goodness student-t has no --winners"
    with pytest.raises(UsageError, match=said):
        LayerGoodness("student-t", 10, winners=0.2)
    with pytest.raises(UsageError, match=said):
        Config(goodness="student-t", winners=0.2)
    for share in (0.0, 1.5, np.nan):
        with pytest.raises(UsageError, match="--winners"):
            Config(goodness="top-k", winners=share)
