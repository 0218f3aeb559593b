"""Groups of lines: no line carries more than its limit, the groups' currents add up to the whole read, and all is counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from hardware_models.check import RunError, UsageError
from hardware_models.chip import Chip
from hardware_models.chip.joined_port import a_chip_a_layer
from hardware_models.chip.process_port import ProcessPort
from hardware_models.crossbar import Crossbar
from hardware_models.crossbar.groups import Lines, cells_at_once, parts, strands
from hardware_models.crossbar.line_watch import LineLimit
from hardware_models.crossbar.read_watch import ReadWatch
from hardware_models.devices.base import BaseDevice
from hardware_models.events import Events
from hardware_models.kernels.currents import group_sums
from hardware_models.keys import Key
from hardware_models.load import load_device

KEY = Key(5, "groups")
LIMIT = 33e-6
SHAPE, TILE = (50, 20), (16, 12)
FULL = 1.2
QUIET = replace(load_device("memristor"), read_noise=0.0, v_read=FULL)


def bar(limit: float = LIMIT, margin: float = 1.0, device: BaseDevice = QUIET, joined: bool = False) -> Crossbar:
    """Return a programmed crossbar of several tiles whose lines bear `limit`."""
    made = Crossbar(device, SHAPE, key=Key(1, "f"), tile=TILE, limit=LineLimit(limit, margin, joined))
    made.program(np.random.default_rng(0).standard_normal(SHAPE) / 4, key=KEY)
    return made


def watch_of(made: Crossbar) -> Any:
    assert made.cells.watch is not None
    return made.cells.watch


def volts(batch: int, signed: bool = False, seed: int = 0) -> np.ndarray:
    """Return voltages (batch, rows) [V]: uneven ones, and the last row always at full scale."""
    rng = np.random.default_rng(seed)
    v = rng.random((batch, SHAPE[0])) ** 3 * FULL
    v = v * rng.choice([-1, 1], v.shape) if signed else v
    v[:, -1] = FULL
    return v.astype(np.float32)


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
    assert parts(np.array([10, 20, 22]), 3).tolist() == [[10, 13, 16], [20, 20, 21]]


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
    assert events["dac.8"] == 9 * inner * int(reads.strands.sum()) and plain["dac.8"] == 9 * 50
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
    assert events["dac.8"] == 2 * 4 * 20 * reads.collecting.groups(int(reads.at_once))
    np.testing.assert_allclose(z, d @ array.weights.T, atol=0.2)


# --- writes ---


def slots_of(
    limit: float, at_once: tuple[int, int], pulses: np.ndarray, most: np.ndarray
) -> tuple[np.ndarray, int, float]:
    """Return slots (rows, U, 2), refused slots and the largest current of a burst; a slow twin of the kernel."""
    rows, lines = pulses.shape
    slots, refused, peak = np.zeros((rows, -(-lines // TILE[1]), 2), int), 0, 0.0
    for i, t, p in np.ndindex(slots.shape):
        signed = pulses[i, t * TILE[1] : (t + 1) * TILE[1]] * (1, -1)[p]
        g = most[i, t * TILE[1] : (t + 1) * TILE[1]]
        for s in range(1, max(signed.max(), 0) + 1):
            cells = np.flatnonzero(signed >= s)
            for first in range(0, len(cells), at_once[p]):
                currents = 1.6 * g[cells[first : first + at_once[p]]].astype(np.float64)
                slots[i, t, p] += 1
                if currents.sum() > limit and len(currents) > 1:
                    refused += 1
                    slots[i, t, p] += len(currents)
                    peak = max(peak, currents.max())
                else:
                    peak = max(peak, currents.sum())
    return slots, refused, peak


@pytest.mark.parametrize("dense", [True, False])
def test_a_burst_pulses_no_more_cells_of_a_line_than_it_bears(dense: bool) -> None:
    """Slots, time, refused slots and the largest current equal those of a slow twin; the cells move as without a limit."""
    made, plain = bar(), Crossbar(QUIET, SHAPE, key=Key(1, "f"), tile=TILE)
    plain.program(np.random.default_rng(0).standard_normal(SHAPE) / 4, key=KEY)
    rng = np.random.default_rng(3)
    counts = (rng.integers(-4, 5, SHAPE) * (rng.random(SHAPE) < (0.8 if dense else 0.04))).astype(np.int32)
    writes = watch_of(made).writes
    at_once, refused, before = tuple(int(n) for n in writes.cells), int(writes.marks[1]), made.state.g.copy()
    received = made.received.copy()
    writes.peaks[:] = 0.0
    events, free = made.pulse(counts, key=KEY), plain.pulse(counts, key=KEY)
    np.testing.assert_array_equal(made.state.g, plain.state.g)
    pulses = made.received - received
    up = np.where(np.repeat(counts, 2, axis=1) > 0, 1, -1) * np.where(np.arange(40) % 2, -1, 1)
    slots, twin_refused, peak = slots_of(LIMIT, at_once, pulses * up, np.maximum(before, made.state.g))
    assert writes.marks[1] - refused == twin_refused
    assert writes.peaks[0, 0].max() == pytest.approx(peak, rel=1e-9) and peak <= LIMIT
    seconds = np.add.reduceat(slots, range(0, 50, 16), axis=0) @ (QUIET.t_up, QUIET.t_down)
    assert events.integrals["time"] == pytest.approx(seconds.max(), rel=1e-12)
    assert events["write.line_charges"] == slots.sum() + pulses.sum() > free["write.line_charges"]
    assert events["write.selected"] == free["write.selected"]


def test_trains_are_given_in_blocks_that_the_lines_bear() -> None:
    """Blocks of rows and columns take turns in all tiles at once; counted against a slow twin, and each line keeps the limit."""
    made = bar()
    rng = np.random.default_rng(4)
    r, c = rng.random((3, 50)) < 0.4, rng.random((3, 20)) < 0.5
    writes = watch_of(made).writes
    writes.peaks[:] = 0.0
    at_once, before, refused = int(writes.cells[0]), made.state.g.copy(), int(writes.marks[1])
    events = made.fire(r, c, 1, key=KEY)  # the first train raises G+, the even lines
    moved = made.state.g != before
    assert moved[:, 0::2].any() != moved[:, 1::2].any()
    side = int(moved[:, 1::2].any())
    most, slots, again, peak = 1.6 * np.maximum(before, made.state.g)[:, side::2].astype(np.float64), 0, 0, 0.0
    for rows, columns in zip(r, c, strict=True):
        row_tiles = [[i for i in np.flatnonzero(rows) if i // 16 == t] for t in range(4)]
        column_tiles = [[j for j in np.flatnonzero(columns) if (2 * j + side) // 12 == u] for u in range(4)]
        blocks = [range(0, max(map(len, tiles)), at_once) for tiles in (row_tiles, column_tiles)]
        for a in blocks[0]:
            for b in blocks[1]:
                slots += 1
                repeats = 0
                for mine in row_tiles:
                    for theirs in column_tiles:
                        block = most[np.ix_(mine[a : a + at_once], theirs[b : b + at_once])]
                        if not block.size:
                            continue
                        largest = max(block.sum(axis=0).max(), block.sum(axis=1).max())
                        if largest > LIMIT:
                            repeats, largest = max(repeats, block.size), block.max()
                        peak = max(peak, largest)
                slots, again = slots + repeats, again + (repeats > 0)
    voltage, width = (QUIET.v_up, QUIET.t_up) if side == 0 else (QUIET.v_down, QUIET.t_down)
    assert voltage == 1.6 and events.integrals["time"] == pytest.approx(slots * width, rel=1e-12)
    assert writes.marks[1] - refused == again and writes.peaks[0].max() == pytest.approx(peak, rel=1e-6)
    assert peak <= LIMIT and events["write.line_charges"] > r.sum() + c.sum()


def test_without_a_need_for_groups_nothing_changes() -> None:
    """A limit that no current reaches: the same bits and the same events, in reads, bursts and trains."""
    made, plain = bar(limit=1.0), Crossbar(QUIET, SHAPE, key=Key(1, "f"), tile=TILE)
    plain.program(np.random.default_rng(0).standard_normal(SHAPE) / 4, key=KEY)
    rng = np.random.default_rng(3)
    counts, r, c = rng.integers(-4, 5, SHAPE), rng.random((3, 50)) < 0.4, rng.random((3, 20)) < 0.5
    for act in (
        lambda array: array.pulse(counts, key=KEY),
        lambda array: array.fire(r, c, -1, key=KEY),
        lambda array: array.read(volts(5, signed=True), key=KEY)[1],
        lambda array: array.read_transposed(volts(5)[:, :20], key=KEY)[1],
    ):
        assert act(made) == act(plain)
    np.testing.assert_array_equal(made.state.g, plain.state.g)
    assert made.time == plain.time


def test_half_selected_cells_of_a_passive_array_load_its_lines() -> None:
    """V/2 on every other cell of the word line: reported, and with a long line no slot is small enough."""
    passive = replace(QUIET, access="passive")
    small = Crossbar(passive, (4, 2), key=Key(1, "f"), tile=(4, 4), limit=LineLimit(60e-6))
    counts = np.zeros((4, 2), np.int32)
    counts[1, 0] = 2
    before = small.state.g.copy()
    small.pulse(counts, key=KEY)
    after = small.state.g
    up, down = (1.6 * max(before[1, j], after[1, j]) for j in (0, 1))
    others = 0.8 * before[1].sum()
    largest = max(others + up / 2, others + down / 2)
    assert watch_of(small).writes.peaks[0, 0].max() == pytest.approx(largest, rel=1e-5)
    wide = Crossbar(passive, (4, 40), key=Key(1, "f"), limit=LineLimit(60e-6))
    with pytest.raises(
        RunError, match="with the half-selected cells of its line, drives .* A through a line that bears 6e-05 A"
    ):
        wide.pulse(np.ones((4, 40), np.int32), key=KEY)


def test_the_look_for_spent_pairs_reads_rows_in_groups() -> None:
    """One row after the other at full scale: as many reads of a row as its largest load needs."""
    device = replace(load_device("nandakumar2020_pcm"), refresh_every=0.0)
    limit = 40.0 * device.v_read * device.g_max
    made = Crossbar(device, (30, 60), key=Key(1, "f"), limit=LineLimit(max(limit, device.v_up * device.g_max)))
    plain = Crossbar(device, (30, 60), key=Key(1, "f"))
    for array in (made, plain):
        array.state.g[:] = np.float32(0.9 * device.g_max)
        array.cells.look()
    seconds = [array.refresh(key=KEY).integrals["time"] for array in (made, plain)]
    scans = watch_of(made).scans
    groups = scans.collecting.groups(int(scans.at_once))
    assert groups > 1 and 0.0 < scans.peaks[0, 0].max() <= watch_of(made).limit.current
    assert seconds[0] > seconds[1] and watch_of(made).forwards.at_once == 120


# --- refusals ---


def test_a_cell_above_the_limit_is_refused_before_anything_is_made() -> None:
    with pytest.raises(
        UsageError, match=r"a cell of device 'memristor' draws 1.6e-05 A in a pulse at 1.6 V, and a line bears 1e-05 A"
    ):
        Chip("memristor", (SHAPE,), line_current=1e-5)
    with pytest.raises(UsageError, match=r"line_current"):
        Chip("memristor", (SHAPE,), line_current=0.0)
    with pytest.raises(UsageError, match=r"current_margin"):
        Chip("memristor", (SHAPE,), line_current=1.0, current_margin=0.5)


def test_cells_that_outgrow_the_limit_end_the_run_in_a_sentence() -> None:
    made = bar()
    made.state.g[:] = np.float32(30e-6)
    made.cells.look()
    with pytest.raises(
        RunError, match=r"a read drives 7.2e-05 A through a line that bears 3.3e-05 A, and no group of lines is smaller"
    ):
        made.read(np.full((1, 50), FULL, np.float32))
    with pytest.raises(RunError, match=r"a pulse on one cell drives .* A through a line that bears 3.3e-05 A"):
        made.pulse(np.ones(SHAPE, np.int32), key=KEY)
    made.state.g[:] = np.float32(30e-6)
    with pytest.raises(RunError, match=r"a pulse on one cell drives"):
        made.fire(np.ones((1, 50)), np.ones((1, 20)), 1, key=KEY)


# --- state ---


def exercised(chip: Any, step: int) -> list[Any]:
    """Return what a chip answers to a read, a write, a train and a transposed read of one step."""
    rng = np.random.default_rng(step)
    x = np.abs(rng.standard_normal((8, SHAPE[0])))
    x[:, -1] = 6.0
    found = [chip.read(0, x, key=KEY.at(step))]
    found.append(chip.fire_cells(0, rng.integers(-3, 4, SHAPE).astype(np.int32), key=KEY.at(step)))
    found.append(chip.fire(0, rng.random((2, 50)) < 0.3, rng.random((2, 20)) < 0.3, 1, key=KEY.at(step)))
    found.append(chip.observe_transposed(0, rng.standard_normal((3, 20)), key=KEY.at(step)))
    return found


def same(a: Any, b: Any) -> bool:
    if isinstance(a, Events):
        return bool(a == b)
    if isinstance(a, tuple | list):
        return all(same(one, two) for one, two in zip(a, b, strict=True))
    return bool(np.array_equal(a, b))


def test_groups_are_part_of_the_state() -> None:
    """A chip that goes on from a saved state answers with the same bits and counts, and reports the same currents."""
    first, second = (Chip("memristor", (SHAPE,), tile=TILE, line_current=LIMIT, current_margin=1.2) for _ in range(2))
    first.program(0, np.random.default_rng(0).standard_normal(SHAPE) / 4, key=KEY)
    exercised(first, 0)
    first.fix_groups()
    exercised(first, 1)
    second.restore(first.save())
    for step in (2, 3):
        assert same(exercised(first, step), exercised(second, step))
    assert first.line_groups() == second.line_groups()
    assert {k: v.tobytes() for k, v in first.save().items()} == {k: v.tobytes() for k, v in second.save().items()}


def test_behind_every_port_the_groups_are_the_same() -> None:
    options: dict[str, Any] = {"tile": TILE, "line_current": LIMIT, "current_margin": 1.2}
    local = Chip("memristor", (SHAPE,), **options)
    with ProcessPort("memristor", (SHAPE,), **options) as far:
        for chip in (local, far):
            chip.program(0, np.random.default_rng(0).standard_normal(SHAPE) / 4, key=KEY)
        assert same(exercised(local, 0), exercised(far, 0))
        for chip in (local, far):
            chip.fix_groups()
        assert same(exercised(local, 1), exercised(far, 1))
        assert local.line_groups() == far.line_groups()
    joined = a_chip_a_layer(Chip, "memristor", (SHAPE, (21, 5)), **options)
    joined.fix_groups()
    assert [report["limit_ampere"] for report in joined.line_groups() or ()] == [LIMIT, LIMIT]
    assert (
        Chip("memristor", (SHAPE,)).line_groups() is None
        and a_chip_a_layer(Chip, "memristor", (SHAPE,)).line_groups() is None
    )
