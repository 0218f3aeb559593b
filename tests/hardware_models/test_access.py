"""Cells in series with their access transistors: every current, its noise and its energy are those of G/(1 + G R)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from hardware_models import Chip, Crossbar, Key, load_device
from hardware_models.check import UsageError
from hardware_models.crossbar.access import NO_ACCESS, Access
from hardware_models.crossbar.line_noise import LineNoise
from hardware_models.crossbar.line_watch import LineLimit
from hardware_models.devices.one_sided import OneSided
from hardware_models.units import BOLTZMANN, ELECTRON
from hardware_models.wires import Interconnect, solve

R, OHM = 15e3, 3.0
SHAPE, TILE = (50, 20), (16, 12)
GST = replace(load_device("kuzum2011_gst"), read_noise=0.0)
NOISY = replace(GST, read_noise=0.004, read_noise_relative=0.01)
CURRENT = 400e-6


def bar(device: Any = GST, *, on: bool = True, **options: Any) -> Crossbar:
    """Return a programmed crossbar of several tiles."""
    made = Crossbar(device, SHAPE, key=Key(1, "f"), tile=TILE, access_transistor=on, **options)
    made.program(np.random.default_rng(0).standard_normal(SHAPE) / 4, key=Key(2, "w"))
    return made


def held(array: Crossbar) -> np.ndarray:
    """Return the conductances of the cells alone, float64 [S]."""
    return np.array(array.state.g, np.float64)


def through(g: np.ndarray) -> np.ndarray:
    """Return each cell and its transistor as two resistances in series [S], float64; of an open cell 0."""
    closed = np.where(g == 0.0, 1.0, g)
    return np.where(g == 0.0, 0.0, 1.0 / (1.0 / closed + R))


def volts(batch: int = 5, columns: int = SHAPE[0], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.0, 0.5, (batch, columns)).astype(np.float32)


def twin(array: Crossbar, v: np.ndarray, ohm: float) -> np.ndarray:
    """Return the currents of the pairs of each row tile (T, B, columns) [A], each tile a circuit of its own, in float64."""
    g, found = held(array), np.zeros((array.tiling.row_tiles, len(v), 2 * SHAPE[1]))
    for t, (a, b) in enumerate(array.tiling.row_cuts):
        for left, right in array.tiling.column_cuts:
            tile = g[a:b, left:right]
            found[t][:, left:right] = (
                solve(tile, v[:, a:b], ohm, ohm, access_resistance=R, tolerance=1e-9)
                if ohm
                else v[:, a:b].astype(np.float64) @ through(tile)
            )
    return found[..., 0::2] - found[..., 1::2]


def changed(array: Crossbar, how: str) -> Any:
    """Write to the array: to all cells, to some, by pulse trains; return the events."""
    counts = np.random.default_rng(3).integers(-2, 3, SHAPE).astype(np.int32)
    if how == "some":
        counts[np.random.default_rng(4).random(SHAPE) < 0.97] = 0
    if how == "trains":
        draws = np.random.default_rng(5)
        return array.fire(draws.random((6, SHAPE[0])) < 0.3, draws.random((6, SHAPE[1])) < 0.3, 1, key=Key(3, "t"))
    return array.pulse(counts, key=Key(3, how))


# --- reads ---


@pytest.mark.parametrize("ohm", [0.0, OHM])
@pytest.mark.parametrize("how", ["all", "some", "trains"])
def test_a_read_is_that_of_each_cell_in_series_with_its_transistor(ohm: float, how: str) -> None:
    """Twin in float64, cell by cell, and the exact circuit of cells, transistors and wires; also after every kind of write."""
    wires = Interconnect(ohm, ohm, mode="exact", tolerance=1e-4) if ohm else None
    array, v = bar(wires=wires), volts()
    for write in (None, how):
        if write is not None:
            changed(array, write)
        exact = twin(array, v, ohm)
        partial, _ = array.partial_currents(v)
        assert np.abs(partial - exact).max() < 3e-6 * np.abs(exact).max()
    plain = np.stack([v[:, a:b] @ held(array)[a:b] for a, b in array.tiling.row_cuts])
    assert np.abs(plain[..., 0::2] - plain[..., 1::2] - exact).max() > 0.5 * np.abs(exact).max()


@pytest.mark.parametrize("ohm", [0.0, OHM])
def test_a_transposed_read_sees_the_same_transistors(ohm: float) -> None:
    array = bar(wires=Interconnect(ohm, ohm, mode="exact", tolerance=1e-5) if ohm else None)
    d = np.random.default_rng(6).uniform(-0.3, 0.3, (4, SHAPE[1])).astype(np.float32)
    matrix = twin(array, np.eye(SHAPE[0], dtype=np.float32), ohm).sum(axis=0)
    currents, events = array.read_transposed(d, key=Key(4, "t"))
    np.testing.assert_allclose(currents, d @ matrix.T, rtol=0, atol=1e-5 * np.abs(d @ matrix.T).max())
    if not ohm:
        g = through(held(array))
        drawn = ((d.astype(np.float64) ** 2).sum(axis=0) * (g[:, 0::2] + g[:, 1::2]).sum(axis=0)).sum()
        assert events.integrals["read.v2g"] == pytest.approx(drawn, rel=1e-5)


def test_shares_of_the_wires_are_those_of_cells_with_transistors() -> None:
    """Between two solutions T = T0 + A (G_e - G_e0), so that a cell that moves counts by what its transistor lets through."""
    array = bar(wires=Interconnect(OHM, OHM, tolerance=0.4))
    array.read(volts())
    before, start = array.cells.seen().copy(), through(held(array))
    changed(array, "all")
    shares = array.cells.wired.shares.astype(np.float64)
    followed = before + shares * (through(held(array)) - start)
    np.testing.assert_allclose(array.cells.seen(), followed, rtol=1e-5)
    assert array.wire_tracking()["solutions"] == 1
    exact = twin(array, volts(), OHM)
    assert np.abs(array.partial_currents(volts())[0] - exact).max() < 5e-3 * np.abs(exact).max()


def test_comparisons_with_exact_wires_see_the_transistors() -> None:
    """Cells that have not moved are not off, and nothing is solved anew."""
    array = bar(wires=Interconnect(OHM, OHM, every=1, tolerance=0.01))
    for k in range(3):
        array.read(volts(seed=k))
    tracking = array.wire_tracking()
    assert (tracking["solutions"], tracking["comparisons"]) == (1, 3) and tracking["largest_error"] < 1e-3


def test_weights_of_a_bench_are_effective_and_conductances_are_those_of_the_cells() -> None:
    array = bar()
    g = through(held(array))
    np.testing.assert_allclose(
        array.weights, (g[:, 0::2] - g[:, 1::2]) / array.g_unit, atol=1e-5 * np.abs(array.weights).max()
    )
    pair = array.conductances
    assert np.array_equal(pair[0], array.state.g[:, 0::2]) and np.array_equal(pair[1], array.state.g[:, 1::2])


# --- noise ---


@pytest.mark.parametrize("ohm", [0.0, OHM])
def test_read_noise_of_a_cell_reaches_its_line_by_the_slope(ohm: float) -> None:
    """The deviation is that of reads in which each cell draws for itself, before its transistor; sigma/(1 + G R)^2."""
    wires = Interconnect(ohm, ohm, mode="exact", tolerance=1e-4) if ohm else None
    array, v = bar(NOISY, wires=wires), volts(1)
    g, draws = held(array), 4000
    sigma = np.sqrt(np.broadcast_to(NOISY.read_variance(array.state, 0.0), g.shape)).astype(np.float64)
    found, rng = array.noise_deviation(v)[:, 0], np.random.default_rng(7)
    share = array.cells.wired.shares.astype(np.float64) if array.cells.wired else 1.0
    squares = np.zeros((array.tiling.row_tiles, SHAPE[1]))
    for _ in range(draws):
        moved = share * (through(g + sigma * rng.standard_normal(g.shape)) - through(g))
        pairs = v[0].astype(np.float64)[:, None] * (moved[:, 0::2] - moved[:, 1::2])
        squares += np.stack([pairs[a:b].sum(axis=0) for a, b in array.tiling.row_cuts]) ** 2
    assert np.abs(found**2 / (squares / draws) - 1.0).max() < 5.0 * np.sqrt(2.0 / draws)
    slope = share / (1.0 + g * R) ** 2
    variance = (slope * sigma) ** 2
    expected = [np.square(v[0, a:b], dtype=np.float64) @ variance[a:b] for a, b in array.tiling.row_cuts]
    np.testing.assert_allclose(found**2, np.stack(expected)[:, 0::2] + np.stack(expected)[:, 1::2], rtol=1e-4)


def test_johnson_noise_is_that_of_both_in_series_and_shot_noise_that_of_the_current() -> None:
    """Nyquist for two resistors of one temperature in series, and 2qI B of what flows."""
    v, t = volts(), GST.t_read
    array = bar(noise=LineNoise(johnson=True))
    both = through(held(array))
    sums = np.stack([both[a:b].sum(axis=0) for a, b in array.tiling.row_cuts])
    expected = 2.0 * BOLTZMANN * 300.0 / t * (sums[:, 0::2] + sums[:, 1::2])
    np.testing.assert_allclose(array.noise_deviation(v) ** 2, np.broadcast_to(expected[:, None], (4, 5, 20)), rtol=1e-5)
    shot = bar(noise=LineNoise(fano=1.0)).noise_deviation(v) ** 2
    flows = np.stack([v[:, a:b].astype(np.float64) @ both[a:b] for a, b in array.tiling.row_cuts])
    np.testing.assert_allclose(shot, ELECTRON / t * (flows[..., 0::2] + flows[..., 1::2]), rtol=1e-5)


# --- energy and currents ---


def test_a_read_draws_what_cells_and_transistors_draw() -> None:
    array, v = bar(), volts()
    _, events = array.read(v)
    drawn = np.square(v.astype(np.float64)).sum(axis=0) @ through(held(array)).sum(axis=1)
    assert events.integrals["read.v2g"] == pytest.approx(drawn, rel=1e-6)


@pytest.mark.parametrize("how", ["all", "some", "trains"])
def test_a_write_draws_what_cells_and_transistors_draw(how: str) -> None:
    """V² G_e t, with the mean of before and after, of every pulsed cell; the steps are those without transistors."""
    alike = replace(GST, v_up=2.0, v_down=2.0, t_up=1e-7, t_down=1e-7)
    array, plain = bar(alike), bar(alike, on=False)
    before, count = held(array), array.received.copy()
    events, usual = changed(array, how), changed(plain, how)
    assert np.array_equal(array.state.g, plain.state.g)
    mean = 0.5 * (through(before) + through(held(array)))
    expected = 2.0**2 * 1e-7 * float(((array.received - count) * mean).sum())
    assert events.integrals["write.v2gt"] == pytest.approx(expected, rel=1e-6)
    assert expected < 0.6 * usual.integrals["write.v2gt"]
    assert events.counts == usual.counts and events.integrals["time"] == usual.integrals["time"]


def test_the_watch_over_currents_sees_cells_and_transistors() -> None:
    """The largest currents of reads, line by line in float64, and of a write of one cell at a time."""
    array, v = bar(limit=LineLimit(CURRENT)), volts()
    array.read(v)
    g, reads = through(held(array)), array.cells.watch.forwards
    assert reads.division.steps == 1
    word, bit = np.zeros(reads.peaks.shape[2:]), np.zeros(reads.peaks.shape[2:])
    for t, (a, b) in enumerate(array.tiling.row_cuts):
        for u, (left, right) in enumerate(array.tiling.column_cuts):
            word[t, u] = (v[:, a:b].max(axis=0) * g[a:b, left:right].sum(axis=1)).max()
            bit[t, u] = (v[:, a:b].astype(np.float64) @ g[a:b, left:right]).max()
    np.testing.assert_allclose(reads.peaks[0, 0], word, rtol=1e-5)
    np.testing.assert_allclose(reads.peaks[0, 1].max(), bit.max(), rtol=1e-5)
    one = bar(limit=LineLimit(160e-6))  # bears one cell of GST behind its transistor, and none without
    before = held(one)
    one.cells.watch.writes.peaks[:] = 0.0
    counts = np.zeros(SHAPE, np.int32)
    counts[7, 3] = -2
    one.pulse(counts, key=Key(9, "one"))
    most = np.maximum(before, held(one))[7, 6:8]
    sign = np.sign(held(one) - before)[7, 6:8]
    expected = max(through(g) * (GST.v_up if s > 0 else GST.v_down) for g, s in zip(most, sign, strict=True))
    assert one.cells.watch.writes.peaks.max() == pytest.approx(expected, rel=1e-5)


def test_transposed_reads_and_looks_row_by_row_are_watched_behind_transistors() -> None:
    """Their largest currents, line by line in float64; so is the number of lines among which a bias row is divided."""
    array = bar(limit=LineLimit(CURRENT))
    d = np.random.default_rng(6).uniform(0.0, 0.1, (4, SHAPE[1])).astype(np.float32)
    array.read_transposed(d, key=Key(4, "t"))
    assert array.cells.watch.scan(array.cells.connected()) == SHAPE[0]
    g, both = through(held(array)), np.repeat(d.max(axis=0).astype(np.float64), 2)
    cuts = array.tiling.row_cuts
    lines = max((both * g[a:b].sum(axis=0)).max() for a, b in cuts)
    np.testing.assert_allclose(array.cells.watch.backwards.peaks[0, 0].max(), lines, rtol=1e-5)
    rows = [GST.v_read * g[:, left:right].sum(axis=1).max() for left, right in array.tiling.column_cuts]
    np.testing.assert_allclose(array.cells.watch.scans.peaks[0, 0].max(), max(rows), rtol=1e-5)
    one = GST.v_read * float(through(np.float64(GST.g_max)))
    bias = bar(limit=LineLimit(160e-6))
    x = np.zeros((2, SHAPE[0]), np.float32)
    x[:, -1] = GST.v_read
    bias.read(x)
    assert bias.cells.watch.forwards.strands[-1] == -(-TILE[1] // int(160e-6 // one))


def test_the_largest_cell_is_that_behind_its_transistor() -> None:
    """A cell of GST at 3 V draws 637 uA alone, 152 uA through 15 kOhm."""
    alone, behind = 3.0 * GST.g_max, 3.0 * float(through(np.float64(GST.g_max)))
    assert (alone, behind) == (pytest.approx(637e-6, rel=2e-3), pytest.approx(152e-6, rel=2e-3))
    for current in (alone * 0.99, behind * 1.01):
        with pytest.raises(UsageError, match=f"draws {alone:.3g} A in a pulse at 3 V"):
            bar(on=False, limit=LineLimit(current))
        assert bar(limit=LineLimit(current)).cells.watch.writes.cells.min() >= 1
    with pytest.raises(UsageError, match=f"draws {behind:.3g} A in a pulse at 3 V"):
        Chip(GST, ((8, 4),), line_current=behind * 0.99, access_transistor=True)
    watch = bar(limit=LineLimit(5.0 * behind)).cells.watch.writes
    assert watch.cells[1] >= 5


# --- off, and no transistor ---


@pytest.mark.parametrize(
    "device",
    [replace(NOISY, r_access=0.0), replace(NOISY, access="passive"), load_device("jerry2017_hzo")],
    ids=["no resistance", "passive", "FeFET"],
)
def test_a_device_without_a_transistor_gives_the_same_bits(device: Any) -> None:
    """The option changes nothing, and neither does the figure where the option is off."""
    noise, v = LineNoise(johnson=True, fano=0.3), volts()
    arrays = [bar(device, on=on, noise=noise) for on in (False, True)]
    arrays.append(bar(replace(device, r_access=R), on=False, noise=noise))
    for how in ("all", "some", "trains"):
        events = [changed(array, how) for array in arrays]
        reads = [array.read(v, key=Key(5, how)) for array in arrays]
        assert all(np.array_equal(a[0], b[0]) for a, b in pairwise(reads))
        assert all(a == b for a, b in pairwise(events)) and all(a[1] == b[1] for a, b in pairwise(reads))
    assert arrays[0].cells.drawn is arrays[0].cells.row_sums


def test_a_saved_array_goes_on_with_the_same_bits() -> None:
    one, other = bar(NOISY), bar(NOISY)
    changed(one, "all")
    one.read(volts(), key=Key(5, "r"))
    other.restore(one.save())
    for array in (one, other):
        changed(array, "some")
    a, b = (array.read(volts(), key=Key(5, "s"))[0] for array in (one, other))
    assert np.array_equal(a, b)


def test_a_chip_at_its_pins_reads_through_its_transistors() -> None:
    """Both ways through the converters: the loop of training, and the parts one after the other."""
    x = np.random.default_rng(0).uniform(0, 4, (64, 33)).astype(np.float32)
    for options in ({}, {"noise": LineNoise(fano=1e-12)}):
        chip = Chip(GST, ((33, 10),), dac=None, adc=None, input_scale=4.0, access_transistor=True, **options)
        z, _ = chip.read(0, x, key=Key(0, "x"))
        g = through(chip.oracle.conductances(0).astype(np.float64))
        weights = (g[0] - g[1]) / (GST.g_range * np.sqrt(33) / 4.0)
        np.testing.assert_allclose(z, x @ weights, atol=2e-4 * max(1.0, np.abs(x @ weights).max()))
        np.testing.assert_allclose(chip.oracle.weights(0), weights, atol=1e-6)


# --- one-sided pairs, the law itself ---


def test_spent_pairs_are_found_behind_their_transistors() -> None:
    """The controller takes R off: it renews the pairs that it would renew without transistors, for less energy."""
    device = OneSided(g_min=1e-5, g_max=2e-4, states=50.0, v_read=0.4, t_read=5e-9, r_access=R)
    found = []
    for on in (False, True):
        array = Crossbar(device, SHAPE, key=Key(1, "f"), tile=TILE, access_transistor=on, limit=LineLimit(0.1))
        array.pulse(np.random.default_rng(1).integers(-200, 201, SHAPE).astype(np.int32), key=Key(2, "p"))
        g = held(array)
        events = array.refresh(key=Key(3, "r"))
        g = through(g) if on else g
        drawn = 0.4**2 * g.sum()
        lines = max(0.4 * g[:, left:right].sum(axis=1).max() for left, right in array.tiling.column_cuts)
        np.testing.assert_allclose(array.cells.watch.scans.peaks[0, 0].max(), lines, rtol=1e-5)
        found.append((array.state.g.copy(), events.counts, drawn, events.integrals["read.v2g"]))
    assert np.array_equal(found[0][0], found[1][0]) and found[0][1] == found[1][1] and found[0][1]["adc.8"] > 0
    assert all(read == pytest.approx(drawn, rel=1e-6) for *_, drawn, read in found)


def test_noise_of_a_look_for_spent_pairs_is_that_of_the_cell() -> None:
    """Taken off with R, the slope leaves the noise what it is without transistors: the pairs found are nearly as many."""
    device = OneSided(
        g_min=1e-5, g_max=2e-4, states=50.0, v_read=0.4, t_read=5e-9, r_access=R, read_noise=0.05, refresh_every=0.0
    )
    found = []
    for on in (False, True):
        array = Crossbar(device, SHAPE, key=Key(1, "f"), tile=TILE, access_transistor=on)
        array.pulse(np.random.default_rng(1).integers(-200, 201, SHAPE).astype(np.int32), key=Key(2, "p"))
        found.append(array.refresh(key=Key(3, "r"))["adc.8"])
    assert found[0] > 100 and abs(found[1] - found[0]) <= 0.03 * found[0]


def test_the_law_and_its_inverse() -> None:
    g = np.geomspace(1e-9, 1e-3, 50)
    access = Access(R)
    np.testing.assert_allclose(access.conductance(g), through(g), rtol=1e-12)
    np.testing.assert_allclose(access.behind(access.conductance(g)), g, rtol=1e-9)
    step = 1e-6 * g
    slope = (access.conductance(g + step) - access.conductance(g - step)) / (2 * step)
    np.testing.assert_allclose(access.slope(g), slope, rtol=1e-6)
    assert NO_ACCESS.conductance(g) is g and NO_ACCESS.behind(g) is g and not NO_ACCESS
    assert access.behind(np.array([1.0 / R, 2.0 / R])) == pytest.approx([1e3 / R, 2e3 / R])
    assert access.conductance(0.0) == 0.0
