"""Keys and counter-based random numbers: the law of their distribution, and independence of threads."""

from __future__ import annotations

import numpy as np
from scipy import stats

from hardware_models.kernels import random as rnd
from hardware_models.keys import Key


def test_key_is_a_pure_function() -> None:
    """The same key gives the same numbers, any difference another stream."""
    a = Key(1, "noise", 7)
    assert a.words == Key(1, "noise", 7).words
    others = [Key(2, "noise", 7), Key(1, "noise", 8), Key(1, "noisf", 7), a.child("x"), a.child("x", 1), a.at(9)]
    assert len({k.words for k in [a, *others]}) == 1 + len(others)
    assert np.array_equal(a.generator().random(5), a.generator().random(5))


def test_bits_of_a_key_are_those_of_its_generator() -> None:
    """Also where their number is no multiple of the four that a word holds."""
    for shape in ((8,), (3, 5, 7)):
        expected = Key(5, "bits", 2).generator().integers(0, 2**16, shape, dtype=np.uint16)
        np.testing.assert_array_equal(Key(5, "bits", 2).bits(shape), expected)


def test_mix_is_a_bijection_on_a_sample() -> None:
    """No two positions of a stream share their 32 bits."""
    key = Key(3, "bits")
    out = np.empty((1, 1 << 16), np.float32)
    w0, w1, _, _ = key.words
    rnd.uniform_matrix(out, w0, w1)
    assert 0.0 <= out.min() and out.max() < 1.0
    assert stats.kstest(out[0], "uniform").pvalue > 1e-3


def test_full_gaussian_follows_the_normal_law() -> None:
    """Kolmogorov-Smirnov, moments within their standard error, and the tails."""
    n = 2_000_000
    z = rnd.normal((2000, 1000), Key(5, "gauss")).ravel().astype(np.float64)
    assert stats.kstest(z[:200_000], "norm").pvalue > 1e-3
    assert abs(z.mean()) < 4 / np.sqrt(n)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs(stats.kurtosis(z)) < 4 * np.sqrt(24 / n)
    expected = 2 * n * stats.norm.sf(4.0)
    assert abs((abs(z) > 4.0).sum() - expected) < 4 * np.sqrt(expected) + 1


def test_gaussian_is_the_inverse_of_the_normal_distribution() -> None:
    """Within 1e-6 of the exact inverse: both ends, the middle, every power of two, and a million words between."""
    words = np.concatenate([[0, 1, 2, 2**31 - 1, 2**31, 2**32 - 1], 2 ** np.arange(32) - 1, 2 ** np.arange(32)])
    words = np.concatenate([words, np.random.default_rng(0).integers(0, 2**32, 1_000_000)]).astype(np.uint32)
    z = np.empty((1, words.size), np.float32)
    rnd.quantile_matrix(words[None], z)
    tail = ((words & 0x7FFFFFFF) + 0.5) / 2.0**32
    exact = np.where(words > 0x7FFFFFFF, stats.norm.ppf(tail), -stats.norm.ppf(tail))
    assert np.abs(z[0] - exact).max() < 1e-6
    assert 6.3 < z.max() < 6.4


def test_coarse_gaussian_has_the_documented_moments_and_cut() -> None:
    """Mean 0 and variance 1 of the table itself, kurtosis near 3, cut near 4.3."""
    table = rnd.quantile_middles().astype(np.float64)
    assert abs(table.mean()) < 1e-7
    assert abs(np.mean(table**2) - 1) < 1e-6
    assert abs(np.mean(table**4) - 3) < 2e-3
    assert 4.2 < table.max() < 4.4


def test_streams_of_neighbouring_keys_are_uncorrelated() -> None:
    """Correlation of two streams, and of a stream with itself shifted, within 4 standard errors."""
    a = rnd.normal((1, 200_000), Key(1, "a", 1))[0]
    b = rnd.normal((1, 200_000), Key(1, "a", 2))[0]
    bound = 4 / np.sqrt(200_000)
    assert abs(np.mean(a * b)) < bound
    assert all(abs(np.mean(a[:-lag] * a[lag:])) < bound for lag in (1, 2, 16, 256))


def test_bits_do_not_depend_on_the_number_of_threads() -> None:
    """One thread or two, the same bits."""
    import numba

    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = rnd.normal((33, 257), Key(9, "t"))
    finally:
        numba.set_num_threads(threads)
    assert np.array_equal(one, rnd.normal((33, 257), Key(9, "t")))
