"""Groups of lines in reads: no line carries more than its limit, their currents add up to the whole read, all is counted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from line_limits import FULL, KEY, LIMIT, QUIET, SHAPE, TILE, bar, volts, watch_of

from hardware_models.chip import Chip
from hardware_models.crossbar import Crossbar
from hardware_models.crossbar.groups import Lines, cells_at_once, strands
from hardware_models.crossbar.read_watch import ReadWatch
from hardware_models.kernels.currents import group_sums, strand_loads
from hardware_models.keys import Key


def line_currents(reads: ReadWatch, g: np.ndarray, v: np.ndarray) -> Iterator[tuple[float, float]]:
    """Yield the largest currents of driven and of collecting lines in every tile, float64: a slow twin.

    v (S, n) holds magnitudes, one row for each sample and phase.
    """
    woven, columns = reads.woven, reads.collecting.borders(int(reads.at_once))
    g, v = g.astype(np.float64), v.astype(np.float64)
    for top in range(0, reads.driven.number, reads.driven.tile):
        for left in range(0, reads.collecting.number, reads.collecting.tile):
            driven = collecting = 0.0
            for group in np.split(woven.order, woven.borders[1:-1]):
                for c, d in pairwise(columns):
                    if not (top <= group[0] < top + reads.driven.tile and left <= c < left + reads.collecting.tile):
                        continue
                    for sample in v:
                        for j in range(c, d):
                            collecting = max(collecting, sum(sample[i] * g[i, j] for i in group))
                        for i in group:
                            for e, f in pairwise(
                                [c + (d - c) * k // reads.strands[i] for k in range(reads.strands[i] + 1)]
                            ):
                                driven = max(driven, sample[i] * sum(g[i, e:f]))
            yield driven, collecting


def magnitudes(v: np.ndarray) -> np.ndarray:
    return np.concatenate((np.maximum(v, 0), np.maximum(-v, 0)))


# --- pure groups ---


@pytest.mark.parametrize(("number", "tile", "unit"), [(785, 256, 1), (1000, 256, 2), (7, 7, 1), (50, 16, 1)])
def test_every_line_is_in_one_group_of_its_tile(number: int, tile: int, unit: int) -> None:
    lines = Lines(number, tile, unit)
    for at_once in {unit, 3 * unit, lines.longest}:
        borders = lines.borders(at_once)
        assert borders[0] == 0 and borders[-1] == number and (np.diff(borders) > 0).all()
        assert np.diff(borders).max() <= at_once
        assert set(range(0, number, tile)) <= set(borders.tolist())  # no group spans two tiles
        assert lines.groups(at_once) == max(np.bincount(lines.tile_of(borders)))


@pytest.mark.parametrize(("lines", "at_once"), [(Lines(785, 256), 52), (Lines(50, 16), 16), (Lines(1000, 256, 2), 20)])
def test_woven_groups_hold_every_line_once_and_take_every_nth_unit(lines: Lines, at_once: int) -> None:
    order, borders, tiles, places = lines.woven([at_once] * lines.tiles)
    assert np.sort(order).tolist() == list(range(lines.number))
    for group, tile, place in zip(np.split(order, borders[1:-1]), tiles, places, strict=True):
        number = (tiles == tile).sum()
        assert len(group) <= at_once and set(group // lines.tile) == {tile}
        assert set((group - tile * lines.tile) // lines.unit % number) == {place}
    assert max(places) + 1 == lines.groups(at_once)


def test_groups_become_smaller_until_a_unit_is_left() -> None:
    lines, at_once = Lines(100, 64, 2), 64
    while smaller := lines.smaller(at_once, 1.01):
        assert smaller < at_once and smaller % 2 == 0
        at_once = smaller
    assert at_once == 2
    assert lines.smaller(64, 4.0) == 16 and Lines(5, 5).smaller(1, 9.0) == 0


def test_cells_on_a_line() -> None:
    assert cells_at_once(33e-6, 11e-6, 100) == 3  # the exact case is not refused by rounding
    assert cells_at_once(33e-6, 33.1e-6, 100) == 0 and cells_at_once(33e-6, 0.0, 100) == 100
    assert strands(256, 5e-6, 33e-6) == 43 and strands(4, 5e-6, 33e-6) == 1


def test_the_fullest_strand_of_a_line() -> None:
    """Three strands of the lines 10 to 19 begin at 10, 13 and 16, those of the lines 20 and 21 at 20, 20 and 21."""
    g = np.random.default_rng(0).uniform(1e-6, 10e-6, (2, 22)).astype(np.float32)
    whole, loads = np.full((2, 2), 7.0), np.empty((2, 2))
    strand_loads(g, np.array([10, 20, 22]), np.array([3, 1]), whole, loads)
    a = g[0].astype(np.float64)
    assert loads[0].tolist() == [max(a[10:13].sum(), a[13:16].sum(), a[16:20].sum()), max(a[20], a[21])]
    assert loads[1].tolist() == [7.0, 7.0]


@pytest.mark.parametrize("seed", range(3))
def test_the_bound_is_above_every_current_and_near_the_largest(seed: int) -> None:
    """Cauchy and Schwarz: no line is above it, and it spares most exact products."""
    rng = np.random.default_rng(seed)
    g = rng.uniform(1e-6, 10e-6, (40, 24)).astype(np.float32)
    v = (rng.random((30, 40)) ** 2).astype(np.float32)
    driven, groups, tiles = np.array([0, 25, 40]), np.array([0, 4, 12, 16, 24]), np.array([0, 12, 24])
    loads, mean, spread = np.empty((40, 4)), np.empty((40, 2), np.float32), np.empty((2, 2), np.float32)
    group_sums(g, driven, groups, tiles, loads, mean, spread)
    np.testing.assert_allclose(loads, np.add.reduceat(g, groups[:-1], axis=1, dtype=np.float64), rtol=1e-12)
    for d, (a, b) in enumerate(pairwise(driven)):
        for t, (left, right) in enumerate(pairwise(tiles)):
            bound = v[:, a:b] @ mean[a:b, t] + np.linalg.norm(v[:, a:b], axis=1) * spread[d, t]
            exact = (v[:, a:b].astype(np.float64) @ g[a:b, left:right]).max(axis=1)
            assert (exact <= bound * (1 + 1e-5)).all() and (bound < 2.0 * exact).all()


# --- reads ---


@pytest.mark.parametrize("signed", [False, True])
def test_no_line_carries_more_than_its_limit_in_a_read(signed: bool) -> None:
    """Every current of every line, in float64, and the largest of them is the one that is reported."""
    made, v = bar(), volts(6, signed)
    plain = Crossbar(QUIET, SHAPE, key=Key(1, "f"), tile=TILE)
    plain.program(np.random.default_rng(0).standard_normal(SHAPE) / 4, key=KEY)
    current, events = made.read(v)
    whole, once = plain.read(v)
    np.testing.assert_allclose(current, whole, rtol=0, atol=1e-6 * np.abs(whole).max())
    reads = watch_of(made).forwards
    twin = np.array(list(line_currents(reads, made.cells.present(), magnitudes(v) if signed else v)))
    assert twin.max() <= LIMIT * (1 + 1e-6)
    np.testing.assert_allclose(reads.peaks[0].reshape(2, -1), twin.T, rtol=1e-5)
    assert reads.division.steps > 2 and events.integrals["time"] > once.integrals["time"]


def test_conversions_time_and_drives_are_multiplied_exactly() -> None:
    """Groups of rows cost conversions and time, groups of columns time and drives; nothing else changes."""
    with_limit = Chip(QUIET, (SHAPE,), tile=TILE, input_scale=1.0, line_current=LIMIT)
    without = Chip(QUIET, (SHAPE,), tile=TILE, input_scale=1.0)
    x = volts(9) / np.float32(FULL)
    for chip in (with_limit, without):
        chip.program(0, np.random.default_rng(0).standard_normal(SHAPE) / 4, key=KEY)
    with_limit.read(0, x, key=KEY)
    with_limit.fix_groups()
    (z, events), (z0, plain) = (chip.read(0, x, key=KEY) for chip in (with_limit, without))
    reads = watch_of(with_limit._arrays[0, "main"]).forwards
    rows, columns = reads.driven_at_once, int(reads.at_once)
    groups = [-(-n // int(once)) for n, once in zip((16, 16, 16, 2), rows, strict=True)]
    samples = sum(groups)
    inner = -(-12 // columns)
    assert max(groups) > 1 and columns < 12
    assert events["adc.8"] == 9 * 20 * samples and events["reads.columns"] == 9 * 40 * samples
    assert events["integrator"] == 9 * 20 * samples and events["reads.cells"] == plain["reads.cells"]
    column_groups = sum(-(-n // columns) for n in (12, 12, 12, 4))
    assert events["dac.8"] == 9 * column_groups * int(reads.strands.sum()) and plain["dac.8"] == 9 * 50 * 4
    assert events.integrals["read.v2g"] == pytest.approx(plain.integrals["read.v2g"], rel=1e-12)
    t_read = QUIET.t_read
    assert events.integrals["time"] == pytest.approx(9 * max(groups) * inner * t_read, rel=1e-12)
    assert np.abs(z - z0).max() <= 8.0 / 127 * samples  # each group is rounded by itself


def test_a_line_at_full_scale_in_every_sample_is_divided() -> None:
    """The bias row gets as many word lines as the worst case needs; the others need no more groups because of it."""
    made = bar()
    made.read(volts(6))
    reads = watch_of(made).forwards
    width, cell = int(reads.at_once), FULL * QUIET.g_max
    assert reads.constant.nonzero()[0].tolist() == [SHAPE[0] - 1]
    assert reads.strands[-1] == -(-width // int(LIMIT / cell)) > 1
    assert watch_of(made).added_lines == (reads.strands - 1).sum() * 4
    assert (reads.strands - 1)[:-1].sum() <= np.ceil(0.05 * SHAPE[0])


def test_the_margin_is_kept_while_groups_are_sought_and_used_up_before_a_repetition() -> None:
    made, v = bar(margin=1.5), volts(6)
    made.read(v)
    reads = watch_of(made).forwards
    assert reads.peaks[0].max() <= LIMIT / 1.5 * (1 + 1e-9) and reads.marks[2] > 0
    watch_of(made).fix()
    scaled = v * np.float32(1.3)
    scaled[:, -1] = FULL
    _, events = made.read(scaled)
    assert reads.marks[3] == 0 and LIMIT / 1.5 < reads.peaks[1].max() <= LIMIT
    assert events["reads.cells"] == 6 * 50 * 40


def test_conductances_that_grow_are_regrouped_and_the_refused_read_is_counted() -> None:
    """After the groups are fixed, every cell is raised; the read is repeated once, and later ones are not."""
    made, v = bar(margin=1.01), volts(6)
    made.read(v)
    watch = watch_of(made)
    watch.fix()
    before = watch.forwards.division
    for _ in range(3):
        made.state.g[:] *= np.float32(1.15)
        made.cells.look()
    _, events = made.read(v)
    after = watch.forwards.division
    assert watch.forwards.marks[3] >= 1 and after.steps > before.steps
    refused = int(watch.forwards.marks[3])
    assert events["reads.cells"] == (1 + refused) * 6 * 50 * 40
    assert events.integrals["time"] > 6 * (before.steps + after.steps) * QUIET.t_read * (1 - 1e-12)
    assert max(max(pair) for pair in line_currents(watch.forwards, made.cells.present(), v)) <= LIMIT * (1 + 1e-6)
    _, again = made.read(v)
    assert again["reads.cells"] == 6 * 50 * 40 and watch.forwards.marks[3] == refused


def test_on_analog_sums_the_joined_line_keeps_the_limit_and_is_converted_once() -> None:
    """Charge of the groups adds on one capacitor: more time, as many conversions."""
    chip = Chip(QUIET, (SHAPE,), tile=TILE, input_scale=1.0, partial_sums="analog", line_current=LIMIT)
    chip.program(0, np.random.default_rng(0).standard_normal(SHAPE) / 4, key=KEY)
    x = volts(6) / np.float32(FULL)
    chip.read(0, x, key=KEY)
    _, events = chip.read(0, x, key=KEY)
    array = chip._arrays[0, "main"]
    reads, g = watch_of(array).forwards, array.cells.present().astype(np.float64)
    v = np.rint(x * 255) / 255 * FULL
    groups = [-(-n // int(once)) for n, once in zip((16, 16, 16, 2), reads.driven_at_once, strict=True)]
    for place in range(max(groups)):
        on = [i for i in range(SHAPE[0]) if i % 16 % groups[i // 16] == place]
        assert (v[:, on] @ g[on]).max() <= LIMIT * (1 + 1e-6)
    assert events["adc.8"] == 6 * 20 and events["integrator"] == 6 * 20 * 4
    assert events.integrals["time"] == pytest.approx(6 * reads.division.steps * QUIET.t_read, rel=1e-12)
    assert reads.division.steps > 1


def test_a_transposed_read_has_groups_of_its_own() -> None:
    """Bit lines are driven, word lines collect: in both phases every line keeps the limit; groups of columns are converted."""
    chip = Chip(QUIET, (SHAPE,), tile=TILE, line_current=LIMIT)
    chip.program(0, np.random.default_rng(0).standard_normal(SHAPE) / 4, key=KEY)
    d = np.random.default_rng(2).uniform(-1, 1, (4, 20)).astype(np.float32)
    d[0, 0] = 1.0
    chip.observe_transposed(0, d, key=KEY)
    z, events = chip.observe_transposed(0, d, key=KEY)
    array = chip._arrays[0, "main"]
    reads, v = watch_of(array).backwards, np.rint(d * 255) / 255 * FULL
    lines = [
        np.stack(pair, axis=2).reshape(4, -1)
        for pair in ((np.maximum(v, 0), np.maximum(-v, 0)), (np.maximum(-v, 0), np.maximum(v, 0)))
    ]
    assert max(max(pair) for pair in line_currents(reads, array.cells.present().T, np.concatenate(lines))) <= LIMIT * (
        1 + 1e-6
    )
    samples = sum(-(-n // int(once)) for n, once in zip((12, 12, 12, 4), reads.driven_at_once, strict=True))
    assert events["adc.8"] == 4 * 50 * samples and events["reads.transposed_columns"] == 2 * 4 * 50 * samples
    rows = int(reads.at_once)
    assert events["dac.8"] == 2 * 4 * 20 * sum(-(-n // rows) for n in (16, 16, 16, 2))
    np.testing.assert_allclose(z, d @ array.weights.T, atol=0.2)
