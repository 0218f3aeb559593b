"""The crossbar: Ohm and Kirchhoff, counts as closed forms, noise against its per-cell twin, state."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from hardware_models.check import RunError, UsageError
from hardware_models.crossbar import Crossbar
from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.keys import Key
from hardware_models.load import load_device

KEY = Key(4, "crossbar")


def crossbar(device: str | ExponentialStep = "memristor", shape: tuple[int, int] = (30, 20), **more) -> Crossbar:
    """Return a programmed crossbar."""
    bar = Crossbar(load_device(device), shape, key=KEY, **more)
    rng = np.random.default_rng(0)
    bar.program(rng.standard_normal(shape) / math.sqrt(shape[0]))
    return bar


def quiet(**more) -> ExponentialStep:
    """Return a noiseless linear device with priced pulses."""
    return ExponentialStep(
        g_min=1e-6, g_max=1e-5, states=128.0, v_up=1.6, t_up=5e-8, v_down=1.5, t_down=4e-8, t_read=5e-9, **more
    )


@pytest.mark.parametrize("tile", [(256, 256), (8, 10), (7, 6)])
def test_currents_obey_ohm_and_kirchhoff(tile: tuple[int, int]) -> None:
    """i = v (G+ - G-) in float64, whatever the tiles."""
    bar = crossbar(quiet(), tile=tile)
    v = np.random.default_rng(1).uniform(-0.2, 0.2, (6, 30))
    plus, minus = bar.conductances.astype(np.float64)
    current, events = bar.read(v)
    assert np.allclose(current, v @ (plus - minus), rtol=0, atol=30 * 0.2 * 1e-5 * 1e-6)
    squares = (v.astype(np.float32).astype(np.float64) ** 2).sum(axis=0)
    assert events.integrals["read.v2g"] == pytest.approx(squares @ (plus + minus).sum(axis=1), rel=1e-6)
    tiles = -(-30 // tile[0])
    assert events.counts == {
        "reads.cells": 2 * 6 * 30 * 40, "reads.columns": 2 * 6 * tiles * 40, "integrator": 2 * 6 * tiles * 20
    }  # fmt: skip
    assert events.integrals["time"] == pytest.approx(2 * 6 * 5e-9)


def test_unsigned_reads_take_one_phase() -> None:
    """Voltages of one sign take half the reads of signed ones."""
    _, events = crossbar(quiet()).read(np.full((6, 30), 0.1))
    assert events["reads.cells"] == 6 * 30 * 40


def test_transposed_read_is_the_transpose() -> None:
    """d W^T, and its energy integral."""
    bar = crossbar(quiet())
    d = np.random.default_rng(2).uniform(-0.2, 0.2, (5, 20))
    plus, minus = bar.conductances.astype(np.float64)
    current, events = bar.read_transposed(d)
    assert np.allclose(current, d @ (plus - minus).T, rtol=0, atol=20 * 0.2 * 1e-5 * 1e-6)
    assert events["reads.transposed_cells"] == 2 * 5 * 30 * 40


def test_program_reaches_the_weights_within_half_a_step() -> None:
    """Without noise and far from the bounds, open-loop programming is exact to the rounding of a pulse."""
    bar = Crossbar(quiet(), (30, 20), key=KEY)
    wanted = np.random.default_rng(0).uniform(-0.5, 0.5, (30, 20)) * bar.weight_limit
    bar.program(wanted)
    assert np.abs(bar.weights - wanted).max() <= bar.weight_step * (0.5 + 1e-3)


@pytest.mark.parametrize("n", [1, -1, 2, 5, -8])
def test_pair_moves_by_n_device_pulses(n: int) -> None:
    """+n raises G+ by one half, lowers G- by the other; together exactly n steps of W, and the halves alternate."""
    bar = Crossbar(quiet(), (4, 6), key=KEY)
    start = bar.conductances.astype(np.float64)
    for _ in range(2):
        bar.pulse(np.full((4, 6), n, np.int32))
    assert np.allclose(bar.weights, 2 * n * bar.weight_step, rtol=1e-3)
    plus, minus = (bar.conductances - start) / (9e-6 / 128)
    assert np.allclose(plus, n, atol=1e-2) and np.allclose(minus, -n, atol=1e-2)


def test_write_events_are_counted_cell_by_cell() -> None:
    """Selected pulses, line charges, time and V²Gt against a slow count."""
    bar = crossbar(quiet(), shape=(9, 7), tile=(4, 6))
    counts = np.random.default_rng(3).integers(-3, 4, (9, 7)).astype(np.int32)
    before = bar.state.g.astype(np.float64)
    events = bar.pulse(counts)
    after = bar.state.g.astype(np.float64)
    # The pulses each cell got, from the counts by hand: parity 1 after the programming.
    up = np.zeros((9, 14), int)
    for i in range(9):
        for j in range(7):
            n = int(counts[i, j])
            half = n // 2
            first = (i + j + 1) % 2 == 0
            up[i, 2 * j], up[i, 2 * j + 1] = (n - half, -half) if first else (half, -(n - half))
    assert np.abs(up).sum() == np.abs(counts).sum() == events["write.selected"]
    slots, seconds = 0, []
    for a in range(0, 9, 4):
        for b in range(0, 14, 6):
            block = up[a : a + 4, b : b + 6]
            ups, downs = block.max(axis=1).clip(0).sum(), (-block.min(axis=1)).clip(0).sum()
            slots += ups + downs
            seconds.append(ups * 5e-8 + downs * 4e-8)
    assert events["write.line_charges"] == slots + np.abs(up).sum()
    assert events.integrals["time"] == pytest.approx(max(seconds))
    mean = (before + after) / 2
    joule = (1.6**2 * 5e-8 * up.clip(0) * mean).sum() + (1.5**2 * 4e-8 * (-up).clip(0) * mean).sum()
    assert events.integrals["write.v2gt"] == pytest.approx(joule, rel=1e-6)
    assert events["write.half"] == 0


def test_fire_is_the_coincidence_of_trains() -> None:
    """Each weight moves by its number of coincidences, and the running sums stay true."""
    bar = crossbar(quiet())
    rng = np.random.default_rng(5)
    rows, columns = rng.random((10, 30)) < 0.2, rng.random((10, 20)) < 0.3
    hits = rows.T.astype(int) @ columns.astype(int)
    for sign in (1, -1, 1):
        before = bar.weights.astype(np.float64)
        g = bar.state.g.astype(np.float64)
        events = bar.fire(rows, columns, sign)
        moved = (bar.weights - before) / bar.weight_step
        inner = (bar.state.g > 1.2e-6).all() and (bar.state.g < 9.8e-6).all()
        assert np.allclose(moved, sign * hits, atol=2e-2) or not inner
        assert events["write.selected"] == hits.sum()
        assert events["write.line_charges"] == rows.sum() + columns.sum()
        pulses = np.abs((bar.state.g - g) > 0).sum() + np.abs((bar.state.g - g) < 0).sum()
        assert pulses <= (hits > 0).sum()
        plus, minus = bar.conductances
        assert np.allclose(bar.cells.row_sums, (plus + minus).sum(axis=1, dtype=np.float64), rtol=1e-6)
        assert np.array_equal(bar.differences, plus - minus)


def test_half_selected_cells_of_a_passive_array_are_priced() -> None:
    """V/2 on every driven line but not at the crossings, against a slow sum over cells."""
    bar = crossbar(quiet(access="passive"))
    rng = np.random.default_rng(6)
    rows, columns = rng.random((8, 30)) < 0.2, rng.random((8, 20)) < 0.3
    side = int(bar._turns.parities[0])
    g0 = bar.state.g.astype(np.float64)
    events = bar.fire(rows, columns, 1)
    mean = (g0 + bar.state.g) / 2
    lines = np.zeros((8, 40), bool)
    lines[:, side::2] = columns
    half = count = 0.0
    for r, c in zip(rows, lines, strict=True):
        driven = r[:, None].astype(int) + c[None, :]
        half += (mean * (driven == 1)).sum()
        count += (driven == 1).sum()
    v, t = (1.6, 5e-8) if side == 0 else (1.5, 4e-8)
    assert events["write.half"] == count
    assert events.integrals["half.v2gt"] == pytest.approx(0.25 * v * v * t * half, rel=1e-5)


@pytest.mark.parametrize("relative", [0.0, 0.05])
def test_read_noise_has_the_variance_of_its_cells(relative: float) -> None:
    """Drawn once per output, it has the variance of noise drawn for every cell: sum sigma²(g) v², both devices."""
    dev = quiet(read_noise=0.02, read_noise_relative=relative)
    bar = crossbar(dev, tile=(8, 10))
    v = np.random.default_rng(7).uniform(0, 0.5, (1, 30)).astype(np.float32)
    clean = v.astype(np.float64) @ bar.differences
    draws = 4000
    noisy, _ = bar.read(np.repeat(v, draws, axis=0))
    plus, minus = bar.conductances.astype(np.float64)
    rng = np.random.default_rng(8)
    sigma2 = sum((0.02 * 9e-6) ** 2 + (relative * g) ** 2 for g in (plus, minus))
    variance = (v.astype(np.float64) ** 2) @ sigma2
    twin = np.array([v[0] @ (rng.standard_normal(sigma2.shape) * np.sqrt(sigma2)) for _ in range(draws)])
    error = 4 * math.sqrt(2 / draws)
    assert np.abs((noisy - clean).var(axis=0) / variance[0] - 1).max() < 1.5 * error
    assert np.abs(twin.var(axis=0) / variance[0] - 1).max() < 1.5 * error
    assert np.abs((noisy - clean).mean(axis=0)).max() < 5 * math.sqrt(variance.max() / draws)


def test_state_is_restored_to_the_bit() -> None:
    """save, restore and go on equals going on."""
    one, other = crossbar(), crossbar()
    counts = np.ones((30, 20), np.int32)
    one.pulse(counts)
    saved = one.save()
    other.restore(saved)
    for bar in (one, other):
        bar.pulse(counts)
        bar.fire(np.ones((2, 30)), np.ones((2, 20)), -1)
    v = np.full((3, 30), 0.3)
    assert np.array_equal(one.read(v)[0], other.read(v)[0])
    assert np.array_equal(one.state.g, other.state.g) and one.time == other.time


def test_two_chips_differ_and_one_is_itself() -> None:
    """Fabrication is a function of the key."""
    a, b = (Crossbar(load_device("memristor"), (5, 6), key=KEY) for _ in range(2))
    c = Crossbar(load_device("memristor"), (5, 6), key=KEY.child("other"))
    assert all(np.array_equal(x, y) for x, y in zip(a.state, b.state, strict=True))
    assert not np.array_equal(a.state.factor_up, c.state.factor_up)


@pytest.mark.parametrize("shape", [(0, 3), (3, -1), (2.5, 3), (10**6, 10**4)])
def test_impossible_shapes_are_refused(shape) -> None:
    """One sentence."""
    with pytest.raises(UsageError):
        Crossbar(load_device("ideal"), shape, key=KEY)


def test_half_selected_cells_of_addressed_writes() -> None:
    """A passive array against a slow simulation, slot by slot and tile by tile."""
    bar = crossbar(quiet(access="passive"), shape=(9, 7), tile=(4, 6))
    counts = np.random.default_rng(3).integers(-3, 4, (9, 7)).astype(np.int32)
    before = bar.state.g.astype(np.float64)
    parity = int(bar._turns.parities[0])
    events = bar.pulse(counts)
    mean = (before + bar.state.g) / 2
    pulses = np.zeros((9, 14), np.int32)
    from hardware_models.kernels.pulses import split_pairs

    split_pairs(counts, parity, pulses)
    number, joule = 0, 0.0
    for a in range(0, 9, 4):
        for b in range(0, 14, 6):
            g, block = mean[a : a + 4, b : b + 6], pulses[a : a + 4, b : b + 6]
            for sign, v, t in ((1, 1.6, 5e-8), (-1, 1.5, 4e-8)):
                for i in range(len(block)):
                    for slot in range(max(0, (sign * block[i]).max())):
                        driven = sign * block[i] > slot
                        cells = np.zeros(g.shape, bool)
                        cells[i, :] = True
                        cells[:, driven] = True
                        cells[i, driven] = False
                        number += cells.sum()
                        joule += 0.25 * v * v * t * g[cells].sum()
    assert events["write.half"] == number
    assert events.integrals["half.v2gt"] == pytest.approx(joule, rel=1e-9)


def test_rows_without_columns_still_half_select() -> None:
    """Driven rows alone move nothing, but a passive array pays for them."""
    bar = crossbar(quiet(access="passive"))
    before, clock = bar.state.g.copy(), bar.time
    events = bar.fire(np.ones((3, 30)), np.zeros((3, 20)), 1)
    assert np.array_equal(bar.state.g, before) and bar.time > clock
    assert events["write.half"] == 3 * 30 * 40 and events.integrals["half.v2gt"] > 0


@pytest.mark.parametrize("most", [1, 7])
@pytest.mark.parametrize("share", [0.0, 0.03])
@pytest.mark.parametrize("access", ["1T1R", "passive"])
def test_visiting_only_the_pulsed_cells_changes_nothing(access: str, share: float, most: int) -> None:
    """A burst on few cells gives the same cells, events, counts and differences as one that passes over the whole array."""
    device = replace(load_device("memristor"), access=access)
    sparse, dense = (Crossbar(device, (70, 530), key=KEY, tile=(64, 300)) for _ in range(2))
    dense._few = None
    assert sparse._few is not None
    rng = np.random.default_rng(1)
    for _ in range(4):
        counts = np.where(rng.random(sparse.shape) < share, rng.integers(-most, most + 1, sparse.shape), 0)
        one, other = sparse.pulse(counts.astype(np.int32)), dense.pulse(counts.astype(np.int32))
        assert one.counts == other.counts
        for name in one.integrals:
            assert one.integrals[name] == pytest.approx(other.integrals[name], rel=1e-12)
        assert np.array_equal(sparse.state.g, dense.state.g)
        assert np.array_equal(sparse.cells.blocks, dense.cells.blocks) and np.array_equal(
            sparse.received, dense.received
        )
        assert np.allclose(sparse.cells.row_sums, dense.cells.row_sums, rtol=1e-6)
        assert np.allclose(sparse.cells.row_sums, sparse.state.g.sum(axis=1, dtype=np.float64), rtol=1e-6)


def test_a_device_that_changes_pulse_alone_is_pulsed_by_its_own() -> None:
    """A subclass with a `pulse` of its own must not be bypassed by the sparse pulses that it inherits."""
    from hardware_models.devices.exponential_step import ExponentialStep

    class Deaf(ExponentialStep):
        def pulse(self, state, pulses, key, window=None):
            pass

    array = Crossbar(Deaf(g_min=1e-6, g_max=1e-5, states=64.0), (30, 40), key=KEY)
    before = array.state.g.copy()
    counts = np.zeros((30, 40), np.int32)
    counts[3, 4] = 5
    array.pulse(counts)
    assert np.array_equal(before, array.state.g)


@pytest.mark.parametrize("wrong", [np.nan, -1e-6, 1e30])
def test_a_cell_that_holds_no_conductance_ends_the_run_at_the_checkpoint(wrong: float) -> None:
    """A device is examined before a run only; what it does later would be priced and reported as if it were real."""
    crossbar = Crossbar(load_device("memristor"), (4, 3), key=Key(0, "c"))
    crossbar.save()
    crossbar.state.g[1, 2] = wrong
    with pytest.raises(RunError, match="has left its range"):
        crossbar.save()
