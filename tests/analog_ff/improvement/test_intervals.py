"""What paired seeds decide: intervals, an order with ties, and where a curve meets a wanted error."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import t

from analog_ff.improvement.intervals import decided, gain, meets, monotone, ranks


def test_a_gain_is_the_paired_t_interval() -> None:
    before, after = [5.0, 6.0, 9.0], [4.0, 4.0, 6.0]
    found = gain(before, after)
    half = t.ppf(0.975, 2) * 1.0 / math.sqrt(3)  # differences 1, 2, 3 have a deviation of 1
    assert found["mean"] == 2.0 and (found["low"], found["high"]) == pytest.approx((2.0 - half, 2.0 + half))
    assert not decided(found) and not decided(gain([5.0], [1.0])) and decided(gain([5.0, 6.0], [4.0, 5.0]))


def test_cases_tie_that_the_seeds_do_not_tell_apart() -> None:
    """What all seeds share is no reason for a tie: a and b differ by 1 in each seed, b and c by 0.1 with scatter."""
    shared = np.array([0.0, 5.0, 10.0])
    errors = {"c": [1.3, 5.8, 11.2], "a": [*shared], "b": [*(shared + 1.0)], "d": [*(shared + 9.0)]}
    assert ranks(errors) == {"a": 1, "b": 2, "c": 2, "d": 4}
    assert set(ranks({name: values[:1] for name, values in errors.items()}).values()) == {1}


def test_chance_decides_an_order_in_no_more_than_its_share() -> None:
    """Of equal cases the seeds decide 2.5 % on this side; 2000 trials scatter by 3 times 0.35 %."""
    drawn = np.random.default_rng(1).normal(size=(2000, 2, 4))
    share = np.mean([decided(gain([*a], [*b])) for a, b in drawn])
    assert abs(share - 0.025) < 3 * math.sqrt(0.025 * 0.975 / 2000)


def test_pooled_neighbours_are_the_nearest_falling_line() -> None:
    assert monotone([5.0, 3.0, 4.0, 1.0]) == [5.0, 3.5, 3.5, 1.0]
    drawn = np.random.default_rng(2).normal(size=(50, 6))
    for values in drawn:
        line = monotone([*values])
        assert all(a >= b for a, b in pairwise(line)) and math.isclose(sum(line), values.sum(), abs_tol=1e-9)
        flat = np.full(6, values.mean())  # a falling line too
        assert np.sum((np.array(line) - values) ** 2) <= np.sum((flat - values) ** 2) + 1e-12


def test_the_place_on_a_line_is_found_with_its_interval() -> None:
    """Error 10 s + 2 with a scatter of +-1: it meets 7 at s = 0.5, and the interval's ends meet it half a width aside."""
    shares = [1.0, 0.5, 0.25, 0.0]
    errors = [[10 * s + 2 - 1, 10 * s + 2 + 1] for s in shares]
    half = t.ppf(0.975, 1) * math.sqrt(2) / math.sqrt(2)
    found = meets(shares, errors, 7.0)
    assert found.share == pytest.approx(0.5)
    assert found.surely is None and found.perhaps == 1.0  # half is 12.7, beyond both ends
    tight = [[10 * s + 2 - 0.01, 10 * s + 2 + 0.01] for s in shares]
    found = meets(shares, tight, 7.0)
    assert (found.surely, found.perhaps) == pytest.approx((0.5 - half / 1000, 0.5 + half / 1000), abs=1e-6)
    assert meets(shares, tight, 1.0) == (None, None, None) and meets(shares, tight, 13.0).share == 1.0
