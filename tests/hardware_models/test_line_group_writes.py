"""Groups of lines in writes, what is refused, and the groups as a part of the state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from line_limits import FULL, KEY, LIMIT, QUIET, SHAPE, TILE, bar, volts, watch_of

from hardware_models.check import RunError, UsageError
from hardware_models.chip import Chip
from hardware_models.chip.joined_port import a_chip_a_layer
from hardware_models.chip.process_port import ProcessPort
from hardware_models.crossbar import Crossbar
from hardware_models.crossbar.line_watch import LineLimit
from hardware_models.events import Events
from hardware_models.kernels.slots import Array, Burst, Given, Slot, burst_slots
from hardware_models.keys import Key
from hardware_models.load import load_device

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


def test_slots_of_many_pulses_are_booked_together() -> None:
    """A burst of up to 10^9 pulses takes what its sorted counts say: n_(k) - n_(k+1) slots with k cells."""
    cells, limit = 6, 1.0
    pulses = np.array([7, 10**9, 3, 10**9, 12, 10**6], np.int32)
    for at_once in (1, 4, 6):
        slots, refused = np.zeros((1, 1, 2), np.int64), np.zeros((1, 2), np.int64)
        found = np.zeros((1, 1)), np.zeros((1, 1)), np.zeros((1, 2))
        burst_slots(
            Burst(np.array([0, cells]), np.arange(cells), pulses, np.full(cells, 0.3, np.float32)),
            Slot(np.ones(2), np.full(2, at_once), limit, 0.0),
            Array(1, cells, 1, cells, np.zeros((1, 1)), np.zeros((1, 1))),
            Given(slots, refused, *found),
        )
        counts = np.append(np.sort(pulses)[::-1].astype(np.int64), 0)
        wanted, repeated = 0, 0
        for k in range(1, cells + 1):  # the k most pulsed cells share so many pulses
            times = counts[k - 1] - counts[k]
            groups = [min(at_once, k - a) for a in range(0, k, at_once)]
            above = [size for size in groups if size > 1 and 0.3 * size > limit]
            wanted += times * (len(groups) + sum(above))
            repeated += times * len(above)
        assert slots[0, 0].tolist() == [wanted, 0] and refused[0].tolist() == [repeated, 0]


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
        RunError, match="with the half-selected cells of its line, drives .* bears 6e-05 A: .* smaller tiles"
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
