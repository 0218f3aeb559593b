"""Weights of several pairs: one read, turns of the writes, the walk of a weight, counts, area, state."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.crossbar import Crossbar
from hardware_models.crossbar.line_noise import LineNoise
from hardware_models.crossbar.turns import BURST, DOWN, UP, Turns
from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.energy import load_technology
from hardware_models.energy.circuit import Circuit
from hardware_models.energy.facts.area import area
from hardware_models.energy.facts.throughput import operations_per_joule
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.tiles import Tiling

KEY = Key(7, "pairs")
PAIRS = (1, 2, 3, 4)


def linear(**more) -> ExponentialStep:
    """Return a linear device without spread, and without noise unless it is given."""
    return ExponentialStep(g_min=1e-6, g_max=1e-5, states=1000.0, v_up=1.6, t_up=5e-8, v_down=1.5, t_down=4e-8, **more)


def crossbar(pairs: int, device: object = "memristor", shape: tuple[int, int] = (30, 20), **more) -> Crossbar:
    """Return a programmed crossbar."""
    bar = Crossbar(load_device(device), shape, key=KEY, pairs=pairs, **more)
    bar.program(np.random.default_rng(0).standard_normal(shape) / math.sqrt(shape[0]), key=KEY.child("program"))
    return bar


def of_pairs(bar: Crossbar) -> np.ndarray:
    """Return G+ - G- of every pair as lines see it, (rows, columns, N) float64 [S]."""
    plus, minus = bar.conductances.astype(np.float64)
    return (plus - minus).reshape(*bar.shape, -1)


@pytest.mark.parametrize("pairs", PAIRS)
def test_a_weight_is_the_mean_of_its_pairs(pairs: int) -> None:
    """Its range stays, a pulse moves it by 1/N, and currents of the pairs add, forwards and backwards."""
    bar, single = crossbar(pairs, tile=(8, 24)), crossbar(1)
    assert bar.weight_limit == single.weight_limit
    assert bar.weight_step == pytest.approx(single.weight_step / pairs)
    assert np.allclose(bar.weights, of_pairs(bar).mean(axis=2) / single.g_unit, atol=1e-5)
    v = np.random.default_rng(1).uniform(0.0, 0.2, (5, 30))
    partial, _ = bar.partial_currents(v)
    assert np.allclose(partial.sum(axis=0), v @ of_pairs(bar).sum(axis=2), rtol=0, atol=1e-10)
    quiet = crossbar(pairs, linear())
    d = np.random.default_rng(2).uniform(-0.2, 0.2, (5, 20))
    back, _ = quiet.read_transposed(d)
    assert np.allclose(back, d @ of_pairs(quiet).sum(axis=2).T, rtol=0, atol=1e-10)


@pytest.mark.parametrize("pairs", PAIRS)
def test_the_walk_of_a_weight(pairs: int) -> None:
    """N K bursts of one pulse for the same change: mean K dW, variance K (c dW)²/N, within 6 standard errors."""
    noise, bursts, shape = 2.0, 24, (100, 60)
    bar = Crossbar(linear(cycle_noise=noise / 1000.0), shape, key=KEY, pairs=pairs)
    before = bar.weights.astype(np.float64)
    for number in range(bursts * pairs):
        bar.pulse(np.ones(shape, np.int32), key=KEY.at(number))
    moved = bar.weights - before
    step, cells = bar.weight_step * pairs, shape[0] * shape[1]
    variance = bursts * (noise * step) ** 2 / pairs
    assert abs(moved.mean() - bursts * step) < 6.0 * math.sqrt(variance / cells)
    assert abs(moved.var() / variance - 1.0) < 6.0 * math.sqrt(2.0 / cells)
    received = bar.received.reshape(*shape, pairs, 2)
    assert (received.sum(axis=3) == bursts).all() and (received == bursts // 2).all()


def test_turns_go_round() -> None:
    """Every kind of call goes through the pairs; calls of alternating sign send both signs to every pair."""
    turns = Turns(3)
    assert [turns.next(BURST).pair for _ in range(7)] == [0, 1, 2, 0, 1, 2, 0]
    turns = Turns(2)
    seen = {(kind, turns.next(kind).pair) for _ in range(2) for kind in (UP, DOWN)}
    assert seen == {(UP, 0), (UP, 1), (DOWN, 0), (DOWN, 1)}
    one = Turns(1)
    assert [one.next(kind) for kind in (UP, DOWN, BURST, UP)] == [(0, 0), (0, 1), (0, 0), (0, 1)]
    with pytest.raises(UsageError, match="pairs of cells"):
        Turns(65)


@pytest.mark.parametrize("sign", [1, -1])
def test_trains_move_the_pair_in_turn(sign: int) -> None:
    """A call moves one pair of the weights that coincide, by the sign, and nothing else."""
    bar = Crossbar(linear(), (6, 4), key=KEY, pairs=3)
    rows, columns = np.zeros((1, 6)), np.zeros((1, 4))
    rows[0, 2] = columns[0, 1] = 1
    for call in range(5):
        before = of_pairs(bar)
        events = bar.fire(rows, columns, sign)
        moved = of_pairs(bar) - before
        place = (2, 1, call % 3)
        assert moved[place] * sign == pytest.approx(9e-6 / 1000, rel=1e-2)
        moved[place] = 0.0
        assert not moved.any() and events["write.selected"] == 1


def test_programming_is_shared() -> None:
    """Pulses of a program are shared out evenly: they add up, and no pair gets more than one pulse more than another."""
    counts = np.random.default_rng(3).integers(-50, 50, (7, 5)).astype(np.int32)
    for pairs in PAIRS:
        shared = Turns(pairs).to_all(counts).reshape(7, 5, pairs)
        assert np.array_equal(shared.sum(axis=2), counts)
        assert (np.ptp(shared, axis=2) <= 1).all()


@pytest.mark.parametrize("pairs", PAIRS)
def test_noise_of_a_read_is_that_of_all_cells(pairs: int) -> None:
    """Variances of N pairs add: the device's own, Johnson's and shot noise."""
    noise = LineNoise(johnson=True, fano=1.0, temperature=300.0)
    bar = crossbar(pairs, noise=noise)
    v = np.random.default_rng(1).uniform(0.05, 0.1, (4, 30)).astype(np.float32)
    found = bar.noise_deviation(v)
    cells = np.broadcast_to(np.asarray(bar.cells.read_variance(), np.float64), bar.state.g.shape)
    own = (v.astype(np.float64) ** 2) @ cells.reshape(30, 20, -1).sum(axis=2)
    g = bar.cells.seen().astype(np.float64).reshape(30, 20, -1)
    seconds = bar.device.t_read
    thermal = noise.johnson_variance(g.sum(axis=(0, 2)), seconds)
    shot = noise.shot_variance(v.astype(np.float64) @ g.sum(axis=2), seconds)
    assert np.allclose(found[0] ** 2, own + thermal + shot, rtol=1e-4)


@pytest.mark.parametrize("pairs", PAIRS)
def test_counts_of_a_chip(pairs: int) -> None:
    """N times the cells and bit lines are read; integrators and conversions stay, drivers follow the column tiles."""
    chip = Chip("memristor", [(20, 12)], tile=(8, 24), pairs=pairs)
    x = np.random.default_rng(0).random((3, 20)).astype(np.float32)
    z, events = chip.read(0, x, key=KEY)
    tiles, column_tiles = 3, Tiling.of_weights(20, 12, (8, 24), pairs).column_tiles
    assert column_tiles == -(-24 * pairs // (24 // (2 * pairs) * 2 * pairs))
    assert events.counts == {
        "reads.cells": 3 * 20 * 24 * pairs, "reads.columns": 3 * tiles * 24 * pairs, "integrator": 3 * tiles * 12,
        "dac.8": 3 * 20 * column_tiles, "adc.8": 3 * tiles * 12,
    }  # fmt: skip
    _, rows = chip.read_rows(0, np.arange(20), full_scale=1.0, key=KEY)
    assert (rows["adc.8"], rows["reads.cells"]) == (240, 480 * pairs)
    events = chip.fire_cells(0, np.ones((20, 12), np.int32), key=KEY)
    assert events["write.selected"] == 240


def test_a_chip_reads_its_weights() -> None:
    """The joined panels of the fast path, with perfect converters and no noise: z = x W."""
    chip = Chip(linear(), [(40, 33)], dac=None, adc=None, tile=(16, 24), pairs=2, input_scale=1.0)
    chip.program(0, np.random.default_rng(4).standard_normal((40, 33)) / 7.0, key=KEY)
    x = np.random.default_rng(5).random((9, 40)).astype(np.float32)
    assert np.allclose(chip.read(0, x, key=KEY)[0], x @ chip.oracle.weights(0), atol=1e-4)
    chip.fire_cells(0, np.full((40, 33), 5, np.int32), key=KEY)  # what is kept follows a write
    assert np.allclose(chip.read(0, x, key=KEY)[0], x @ chip.oracle.weights(0), atol=1e-4)


def test_area_and_operations() -> None:
    """N times the area of the cells, as many converters, and operations a joule by weights, not by cells."""
    technology, shapes = load_technology("cmos-32nm"), [(785, 200), (201, 200)]
    one, four = (
        area(shapes, technology, tile=(256, 256), access="1T1R", circuit=Circuit(), pairs=pairs) for pairs in (1, 4)
    )
    assert one is not None and four is not None
    assert four["cells"] == pytest.approx(4 * one["cells"])
    assert four["integrator"] == one["integrator"]
    lines = [sum(Tiling.of_weights(n, m, pairs=p).column_tiles * n for n, m in shapes) for p in (1, 4)]
    assert four["dac"] == pytest.approx(one["dac"] * lines[1] / lines[0])
    assert operations_per_joule({"reads.cells": 4 * 2 * 785 * 200}, 1e-9, 4) == pytest.approx(2 * 785 * 200 / 1e-9)


def test_state_goes_on_with_the_same_bits() -> None:
    """The turns are part of the state of an array of several pairs; one pair has none of its own."""
    assert "turns" not in crossbar(1).save()
    bar = crossbar(3)
    rng = np.random.default_rng(8)

    def writes(array: Crossbar) -> np.ndarray:
        for number, counts in enumerate(plan):
            array.pulse(counts, key=KEY.at(number))
            array.fire(trains[0], trains[1], 1 - 2 * (number % 2), key=KEY.at(number))
        return array.weights.copy()

    plan = rng.integers(-2, 3, (4, 30, 20)).astype(np.int32)
    trains = rng.random((5, 30)) < 0.2, rng.random((5, 20)) < 0.2
    writes(bar)
    saved = bar.save()
    after = writes(bar)
    other = crossbar(3)
    other.restore(saved)
    assert np.array_equal(writes(other), after)


def test_bit_lines_of_a_weight_stay_in_one_tile() -> None:
    """Bit lines that are too few for a weight stay unused, and a tile that is too narrow is refused."""
    assert Tiling.of_weights(10, 10, (8, 15), 3).column_cuts[0] == (0, 12)
    with pytest.raises(UsageError, match="takes 8 bit lines of one tile"):
        Crossbar(load_device("ideal"), (4, 4), key=KEY, tile=(8, 6), pairs=4)
