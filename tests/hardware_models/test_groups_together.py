"""Groups of lines beside noise of the lines, wires with resistance and converters with errors; laws, and twins in float64."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hardware_models.chip import Chip
from hardware_models.chip.sensing import sense, sense_in_turn
from hardware_models.converters.adc import Adc
from hardware_models.converters.dac import Dac
from hardware_models.converters.faults import AdcFaults, DacFaults, FaultyAdc, FaultyDac
from hardware_models.crossbar import Crossbar
from hardware_models.crossbar.line_noise import LineNoise
from hardware_models.crossbar.line_watch import LineLimit, LineWatch
from hardware_models.devices.base import BaseDevice
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.units import BOLTZMANN, ELECTRON
from hardware_models.wires import Interconnect

KEY = Key(5, "groups together")
SHAPE, TILE, FULL, LIMIT = (20, 6), (8, 4), 0.5, 8e-6
QUIET = replace(load_device("memristor"), read_noise=0.0, v_read=FULL, v_up=0.5, v_down=0.5)
BOTH = LineNoise(johnson=True, fano=1.0)
WEIGHTS = np.random.default_rng(0).standard_normal(SHAPE) / 4


def bar(limit: float | None = LIMIT, device: BaseDevice = QUIET, **more: Any) -> Crossbar:
    """Return a programmed array of 3 x 3 tiles whose lines bear `limit`."""
    given = None if limit is None else LineLimit(limit)
    made = Crossbar(device, SHAPE, key=Key(1, "f"), tile=TILE, limit=given, **more)
    made.program(WEIGHTS, key=KEY)
    return made


def watch_of(made: Crossbar) -> LineWatch:
    assert made.cells.watch is not None
    return made.cells.watch


def voltages(signed: bool, number: int = SHAPE[0]) -> np.ndarray:
    """Return the voltages of one input, the last one at full scale, (1, number) float32 [V]."""
    v = np.random.default_rng(3).uniform(-FULL if signed else 0.2 * FULL, FULL, (1, number)).astype(np.float32)
    v[:, -1] = FULL
    return v


def close(variance: np.ndarray, expected: np.ndarray, draws: int) -> None:
    """Check variances of normal numbers: chi-squared of `draws` - 1, within 5 of its standard deviations each."""
    assert np.abs(variance / expected - 1.0).max() < 5.0 * np.sqrt(2.0 / (draws - 1))


def draw_read(made: Crossbar, volts: np.ndarray, on: np.ndarray, rng: np.random.Generator, noise: LineNoise) -> Any:
    """Return the current of every cell in one phase of one read, each with noise of its own, (draws, rows, bit lines) [A].

    volts (rows, bit lines) [V]; `on` tells which cells conduct between two lines that are connected.
    """
    g, t = made.cells.present().astype(np.float64), made.device.t_read
    variance = 4.0 * BOLTZMANN * noise.temperature * g / (2.0 * t) + 2.0 * ELECTRON * noise.fano * volts * g / (2.0 * t)
    return (g * volts + np.sqrt(variance) * rng.standard_normal((400, *g.shape))) * on


# --- counts ---


@pytest.mark.parametrize("sums", ["digital", "analog"])
@pytest.mark.parametrize("signed", [False, True])
def test_a_limit_that_is_never_reached_counts_what_a_chip_without_one_counts(sums: str, signed: bool) -> None:
    """Each column tile has row drivers, each row tile column drivers; reads forwards and backwards, of one phase and of two."""
    x, d = voltages(signed) / FULL, np.linspace(-1.0, 1.0, SHAPE[1])[None].astype(np.float32)
    found = []
    for limit in (None, 1.0):
        chip = Chip(QUIET, (SHAPE,), tile=TILE, input_scale=1.0, partial_sums=sums, line_current=limit)
        found.append(
            [chip.read(0, x, key=KEY)[1], chip.observe(0, x, key=KEY)[1], chip.observe_transposed(0, d, key=KEY)[1]]
        )
    assert found[0] == found[1]
    read, _, back = found[0]
    assert read["dac.8"] == (2 if signed else 1) * SHAPE[0] * 3 and back["dac.8"] == 2 * SHAPE[1] * 3
    assert read["adc.8"] == SHAPE[1] * (3 if sums == "digital" else 1) and back["adc.8"] == SHAPE[0] * 3


def test_groups_of_columns_drive_and_groups_of_rows_convert() -> None:
    chip = Chip(QUIET, (SHAPE,), tile=TILE, input_scale=1.0, line_current=LIMIT)
    chip.program(0, WEIGHTS, key=KEY)
    x = voltages(False) / FULL
    chip.read(0, x, key=KEY)
    events, reads = chip.read(0, x, key=KEY)[1], watch_of(chip._arrays[0, "main"]).forwards
    groups, columns = (
        [-(-n // int(rows)) for n, rows in zip((8, 8, 4), reads.driven_at_once, strict=True)],
        int(reads.at_once),
    )
    assert max(groups) > 1 and events["adc.8"] == SHAPE[1] * sum(groups)
    assert events["dac.8"] == int(reads.strands.sum()) * sum(-(-n // columns) for n in (4, 4, 4))


# --- noise of the lines ---


@pytest.mark.parametrize("noise", [LineNoise(johnson=True), LineNoise(fano=1.0), BOTH])
@pytest.mark.parametrize("signed", [False, True])
def test_every_group_has_the_noise_of_all_cells_of_its_bit_line(noise: LineNoise, signed: bool) -> None:
    """A draw for each cell: in the read of a group the other rows of the tile are at 0 V, and their cells conduct."""
    made, v = bar(noise=noise), voltages(signed)
    made.read(v, key=KEY)
    groups, tiles, draws = made.cells.row_groups, made.cells.tiles_of_groups, 400
    assert len(groups) > made.tiling.row_tiles
    rng = np.random.default_rng(7)
    quiet = noise if noise.johnson else replace(noise, temperature=0.0)
    twin = np.zeros((draws, len(groups), SHAPE[1]))
    for k, (rows, tile) in enumerate(zip(groups, tiles, strict=True)):
        top, bottom = made.tiling.row_cuts[tile]
        for sign in (1.0, -1.0) if signed else (1.0,):
            volts = np.zeros((SHAPE[0], 1))
            volts[rows, 0] = np.maximum(sign * v[0, rows].astype(np.float64), 0.0)
            lines = draw_read(made, volts, 1.0, rng, quiet)[:, top:bottom].sum(axis=1)
            twin[:, k] += sign * (lines[:, 0::2] - lines[:, 1::2])
    sigma = made.noise_deviation(v)
    assert sigma is not None and sigma.shape == (len(groups), 1, SHAPE[1])
    close(twin.var(axis=0, ddof=1), np.square(sigma[:, 0].astype(np.float64)), draws)
    seen, _ = made.read(np.tile(v, (5000, 1)), key=KEY)
    close(seen.var(axis=0, ddof=1, dtype=np.float64), np.square(sigma[:, 0].astype(np.float64)).sum(axis=0), 5000)


def test_johnson_noise_grows_with_the_number_of_groups_and_shot_noise_does_not() -> None:
    v = voltages(False)

    def variance(limit: float | None, noise: LineNoise) -> tuple[np.ndarray, np.ndarray]:
        made = bar(limit, noise=noise)
        made.read(v, key=KEY)
        return np.bincount(made.cells.tiles_of_groups), np.square(made.noise_deviation(v)).astype(np.float64)

    number, grouped = variance(LIMIT, LineNoise(johnson=True))
    _, whole = variance(None, LineNoise(johnson=True))
    assert number.max() > 1
    np.testing.assert_allclose(grouped.sum(axis=0), (number[:, None, None] * whole).sum(axis=0), rtol=1e-6)
    shot = [variance(limit, LineNoise(fano=1.0))[1].sum(axis=0) for limit in (LIMIT, None)]
    np.testing.assert_allclose(*shot, rtol=1e-5)


def test_a_transposed_read_in_groups_has_the_noise_of_whole_word_lines() -> None:
    """In the read of a group of bit lines all cells of a word line in its tile conduct."""
    made, v = bar(5.5e-6, noise=BOTH), voltages(True, SHAPE[1])
    made.read_transposed(v, key=KEY)
    order, borders, tiles, _ = watch_of(made).backwards.woven
    assert len(tiles) > made.tiling.column_tiles
    rng = np.random.default_rng(7)
    wanted = np.stack([v[0], -v[0]], axis=1).reshape(-1).astype(np.float64)
    twin = np.zeros((400, SHAPE[0]))
    for k, tile in enumerate(tiles):
        left, right = made.tiling.column_cuts[tile]
        lines = order[borders[k] : borders[k + 1]]
        for sign in (1.0, -1.0):
            volts = np.zeros((1, 2 * SHAPE[1]))
            volts[0, lines] = np.maximum(sign * wanted[lines], 0.0)
            twin += sign * draw_read(made, volts, 1.0, rng, BOTH)[:, :, left:right].sum(axis=2)
    seen, _ = made.read_transposed(np.tile(v, (20_000, 1)), key=KEY)
    close(twin.var(axis=0, ddof=1), seen.var(axis=0, ddof=1, dtype=np.float64), 390)


@pytest.mark.parametrize("own", [(0.0, 0.0), (0.01, 0.0), (0.003, 0.02)])
def test_the_read_in_one_loop_is_that_of_the_parts_in_turn(own: tuple[float, float]) -> None:
    """With groups and Johnson noise, without and with read noise of the device."""
    made = bar(device=replace(QUIET, read_noise=own[0], read_noise_relative=own[1]), noise=LineNoise(johnson=True))
    x = np.random.default_rng(2).uniform(-1.0, 1.0, (40, SHAPE[0])).astype(np.float32)
    made.read(x * np.float32(FULL), key=KEY)
    assert len(made.cells.row_groups) > made.tiling.row_tiles
    z, _, events = sense(made, x, Dac(8), Adc(None), 1.0, FULL, KEY)
    twin, _, expected = sense_in_turn(made, x, Dac(8), Adc(None), 1.0, FULL, KEY)
    assert np.abs(z - twin).max() <= 1e-4 * np.abs(twin).max() and events.counts == expected.counts


# --- wires ---


@pytest.mark.parametrize("mode", ["exact", "refreshed"])
def test_groups_behind_wires_add_up_to_the_whole_read(mode: str) -> None:
    """Wires are linear: the matrix of the whole tile holds for a part of its rows. Currents of ideal wires are a bound."""
    wires = Interconnect(50.0, 50.0, mode=mode, tolerance=1e-3)
    made, plain, v = bar(wires=wires), bar(None, wires=wires), np.repeat(voltages(False), 4, axis=0)
    (current, events), (whole, once) = made.read(v, key=KEY), plain.read(v, key=KEY)
    assert len(made.cells.row_groups) > made.tiling.row_tiles
    np.testing.assert_allclose(current, whole, rtol=0, atol=1e-5 * np.abs(whole).max())
    refused = int(watch_of(made).forwards.marks[2])
    assert events.integrals["read.v2g"] == pytest.approx((1 + refused) * once.integrals["read.v2g"], rel=1e-6)
    largest = max(float((v[:, rows] @ made.cells.seen()[rows]).max()) for rows in made.cells.row_groups)
    ideal = max(float((v[:, rows] @ made.cells.present()[rows]).max()) for rows in made.cells.row_groups)
    assert largest < ideal <= LIMIT * (1.0 + 1e-6)
    assert watch_of(made).forwards.peaks[0, 1].max() == pytest.approx(ideal, rel=1e-5)


# --- converters with errors ---


def test_the_groups_of_a_tile_share_its_converters() -> None:
    """Digital sums: every group of rows is converted by the converters of its tile, whose offsets and gains differ."""
    made, dac = bar(), Dac(8)
    adc = AdcFaults(offset=3.0, gain_spread=0.1).bank(Adc(8, 0.5), (3, SHAPE[1]), Key(2, "adc"))
    assert isinstance(adc, FaultyAdc)
    x = voltages(False) / FULL
    made.read(x * np.float32(FULL), key=KEY)
    z, _, _ = sense(made, x, dac, adc, 1.0, FULL, KEY)
    partial = made.partial_currents(dac.convert(x, 1.0)[0] * np.float32(FULL))[0].astype(np.float64)
    expected, step = np.zeros(SHAPE[1]), 0.5 / 127
    for current, tile in zip(partial, made.cells.tiles_of_groups, strict=True):
        u = current[0] / (made.g_unit * FULL) / step
        expected += np.clip(np.rint(adc.errors.gain[tile] * u + adc.errors.offset[tile]), -127, 127) * step
    assert len(partial) > 3
    np.testing.assert_allclose(z[0], expected, atol=1.001 * step)  # a sum on a border may be rounded to the other side
    assert np.abs(z[0] - expected).max() <= 1e-6 or (np.abs(z[0] - expected) > 1e-6).sum() == 1


def test_the_watch_sees_the_voltages_of_drivers_with_errors() -> None:
    """A driver whose gain is too high drives more current; a bias line whose driver is a little low is still constant."""
    chip = Chip(QUIET, (SHAPE,), tile=TILE, input_scale=1.0, line_current=LIMIT, dac_faults=DacFaults(gain_spread=0.03))
    chip.program(0, WEIGHTS, key=KEY)
    x = np.random.default_rng(4).uniform(0.0, 1.0, (6, SHAPE[0])).astype(np.float32)
    x[:, -1] = 1.0
    chip.read(0, x, key=KEY)
    array, dac = chip._arrays[0, "main"], chip._peripheries[0, "main"]._dacs["row drivers"]
    assert isinstance(dac, FaultyDac) and np.abs(dac.errors.gain - 1.0).max() > 0.02
    v, reads, g = dac.convert(x, 1.0)[0] * FULL, watch_of(array).forwards, array.cells.present().astype(np.float64)
    largest = max(float((v[:, rows] @ g[rows]).max()) for rows in array.cells.row_groups)
    assert reads.peaks[0, 1].max() == pytest.approx(largest, rel=1e-5) and largest <= LIMIT * (1.0 + 1e-6)
    assert reads.constant.nonzero()[0].tolist() == [SHAPE[0] - 1]
