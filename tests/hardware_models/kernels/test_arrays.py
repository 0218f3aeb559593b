"""Loops over arrays as their lines see them, over crossings of trains, and over products, against NumPy in float64."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from analog_ff.updates.averaging import NEAREST, STOCHASTIC, TRUNCATE, Average, Words, average_products
from hardware_models.kernels import seen, windows
from hardware_models.kernels.products import awake_threads, one_blas_thread, panels
from hardware_models.kernels.reads import column_panels
from hardware_models.kernels.windows import Window

RNG = np.random.default_rng(5)
OHM = 15e3


def paired(found: np.ndarray, columns: int) -> np.ndarray:
    """Return panels of columns as one matrix."""
    return np.concatenate(list(found), axis=1)[:, :columns]


@pytest.mark.parametrize("columns", [1, 17, 300])
def test_an_array_behind_transistors_and_wires(columns: int) -> None:
    """The conductances, the matrix and the variances equal their equations; pairs end where the columns end."""
    rows = 9
    g = RNG.uniform(1e-6, 1e-4, (rows, 2 * columns)).astype(np.float32)
    shares, sneaking = (RNG.random(g.shape).astype(np.float32) * s for s in (1.0, np.float32(1e-7)))
    out = np.empty_like(g)
    seen.connect(g, np.float32(OHM), out)
    np.testing.assert_allclose(out, g.astype(float) / (1.0 + g.astype(float) * OHM), rtol=1e-6)
    seen.track(g, shares, sneaking, out)
    np.testing.assert_allclose(out, g.astype(float) * shares + sneaking, rtol=1e-6)
    count, width = column_panels(columns)
    blocks, sums = np.full((count, rows, width), np.nan, np.float32), np.empty(rows)
    seen.pair_sums(g, np.float32(-1.0), blocks, sums)
    np.testing.assert_array_equal(paired(blocks, columns), g[:, ::2] - g[:, 1::2])
    assert (np.concatenate(list(blocks), axis=1)[:, columns:] == 0.0).all()
    np.testing.assert_allclose(sums, g.sum(axis=1, dtype=float), rtol=1e-6)
    cuts, by_tile = np.array([0, 4, rows]), np.empty((2, 2 * columns))
    seen.tile_sums(g, cuts, by_tile)
    np.testing.assert_array_equal(by_tile, [g[:4].sum(axis=0, dtype=float), g[4:].sum(axis=0, dtype=float)])
    for variance in (np.full((rows, 1), 3e-14, np.float32), (1e-14 * RNG.random(g.shape)).astype(np.float32)):
        for known in (shares, np.empty((rows, 0), np.float32)):
            seen.pair_variances(g, np.float32(OHM), known, variance, np.float32(1e14), blocks)
            slope = 1.0 / np.square(1.0 + g.astype(float) * OHM) * (known if known.size else 1.0)
            of_cells = variance * np.square(slope) * 1e14
            np.testing.assert_allclose(paired(blocks, columns), of_cells[:, ::2] + of_cells[:, 1::2], rtol=1e-5)


def test_crossings_of_trains() -> None:
    """Pulses are the slots in which both lines are on; what is kept equals what is computed anew."""
    rows, columns, slots = 70, 290, 600
    r, c = RNG.random((slots, rows)) < 0.5, RNG.random((slots, columns)) < 0.4
    r[:, 40], c[:, 7], c[5] = True, True, False  # more coincidences than a byte holds; a slot without any
    every, on_rows, on_columns = np.flatnonzero(c.any(axis=1)), np.arange(1, rows), np.arange(0, columns, 3)
    pulses = np.empty((rows - 1, on_columns.size), np.int32)
    windows.coincidences(r.view(np.uint8), c.view(np.uint8), every, on_rows, on_columns, np.int32(-1), pulses)
    np.testing.assert_array_equal(pulses, -(r.T.astype(int) @ c.astype(int))[1:, ::3])
    rows = 12
    g = RNG.random((rows, 2 * columns)).astype(np.float32)
    kept_rows, lines = np.array([0, 3, 11]), 2 * np.array([0, 5, 144, 145, 289]) + 1
    before = np.empty((3, 5), np.float32)
    windows.crossings(g, kept_rows, lines, before)
    np.testing.assert_array_equal(before, g[np.ix_(kept_rows, lines)])
    count, width = column_panels(columns)
    blocks, sums, received = np.empty((count, rows, width), np.float32), np.empty(rows), np.zeros(g.shape, np.int32)
    seen.pair_sums(g, np.float32(-1.0), blocks, sums)
    n = RNG.integers(-3, 4, (3, 5)).astype(np.int32)
    received[3, 11] = 2**31 - 2
    g[np.ix_(kept_rows, lines)] += np.float32(0.25)
    after = g[np.ix_(kept_rows, lines)]
    windows.follow_window(Window(kept_rows, lines, n, before, after), g, received, blocks, sums)
    fresh, total = np.empty_like(blocks), np.empty(rows)
    seen.pair_sums(g, np.float32(-1.0), fresh, total)
    np.testing.assert_array_equal(blocks, fresh)
    np.testing.assert_allclose(sums, total, rtol=1e-7)  # sums of pairs are rounded to float32
    expected = np.abs(n)
    expected[1, 1] = min(2**31 - 1, 2**31 - 2 + int(expected[1, 1]))
    np.testing.assert_array_equal(received[np.ix_(kept_rows, lines)], expected)
    found = np.empty(3)
    windows.selected(n, before, after, found)
    np.testing.assert_allclose(found, (np.abs(n) * (before.astype(float) + after) / 2).sum(axis=1), rtol=1e-12)


@pytest.mark.parametrize("rounding", [STOCHASTIC, NEAREST, TRUNCATE])
def test_products_reach_average_and_pulses(rounding: int) -> None:
    """Average and pulses equal float64 up to rounding, for 1 and 2 threads with the same bits; NaN is told of its panel."""
    inputs, neurons, samples = 300, 23, 11
    x, d = (RNG.standard_normal((samples, n)).astype(np.float32) for n in (inputs, neurons))
    start = RNG.standard_normal((inputs, neurons)).astype(np.float32)
    law = Average(*(np.float32(v) for v in (0.5, 0.25, 0.9, 0.1, 7.0)), rounding, False)
    words = Words(*(np.uint32(w) for w in (1, 2, 3, 4)))
    results = []
    for threads in (1, numba.config.NUMBA_NUM_THREADS):
        numba.set_num_threads(threads)
        memory, counts = start.copy(), np.empty(start.shape, np.int32)
        lost = np.empty(panels(inputs), np.bool_)
        with one_blas_thread():
            average_products(x, d, lost.size, memory, law, words, counts, lost)
        assert not lost.any()
        results.append((memory, counts))
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))
    product = 0.5 * x.astype(float).T @ d
    product[-1] *= 0.25
    expected = 0.9 * start + 0.1 * product
    np.testing.assert_allclose(results[0][0], expected, atol=1e-5)
    wanted, counts = 7.0 * expected, results[0][1]
    if rounding == STOCHASTIC:
        assert (np.abs(counts - wanted) < 1.001).all()
        # The variance of one rounding is f (1 - f) <= 1/4: six standard deviations of the mean.
        assert abs((counts - wanted).mean()) < 6 * 0.5 / wanted.size**0.5
    else:
        ideal = np.floor(wanted + 0.5) if rounding == NEAREST else np.trunc(wanted)
        close = np.abs(wanted * (2 if rounding == NEAREST else 1) % 1 - 0.5) < 0.4999
        assert (counts == ideal)[close].all() and close.mean() > 0.99
    x[0, 250] = np.nan
    with one_blas_thread():
        average_products(x, d, lost.size, memory, law, words, counts, lost)
    assert lost.tolist() == [k == lost.size * 250 // inputs for k in range(lost.size)]


def test_few_multiply_adds_wake_no_thread() -> None:
    """The number of threads is one inside and as before outside, also after an exception; large work keeps all."""
    before = numba.get_num_threads()
    with awake_threads(10**9):
        assert numba.get_num_threads() == before
    with pytest.raises(KeyError), awake_threads(10):
        assert numba.get_num_threads() == 1
        raise KeyError
    assert numba.get_num_threads() == before
