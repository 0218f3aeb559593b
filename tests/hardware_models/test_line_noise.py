"""Johnson and shot noise of lines: the laws, the published figures, and the twins that draw for every cell."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.chip.sensing import sense, sense_in_turn
from hardware_models.converters.adc import Adc
from hardware_models.converters.dac import Dac
from hardware_models.crossbar import Crossbar
from hardware_models.crossbar.line_noise import LineNoise
from hardware_models.devices.adapted import adapted
from hardware_models.devices.base import BaseDevice
from hardware_models.devices.faults import Faults
from hardware_models.devices.ideal import Ideal, IdealState
from hardware_models.devices.one_sided import OneSided
from hardware_models.devices.wear import Wear
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.units import BOLTZMANN, ELECTRON

JOHNSON = LineNoise(johnson=True)
BOTH = LineNoise(johnson=True, fano=1.0)
KEY = Key(3, "line noise")
SCALE, VOLTS = 6.0, 0.5


def device(read_noise: float = 0.0, **more: float) -> BaseDevice:
    """Return the default device with another read noise and other figures."""
    return replace(load_device("memristor"), read_noise=read_noise, **more)


def crossbar(
    noise: LineNoise,
    cells: BaseDevice | None = None,
    shape: tuple[int, int] = (20, 5),
    rows: int = 12,
    columns: int = 6,
) -> Crossbar:
    """Return an array of tiles of `rows` x `columns` cells whose conductances differ."""
    made = Crossbar(cells or device(), shape, key=Key(1, "fabricate"), tile=(rows, columns), noise=noise)
    made.program(np.random.default_rng(0).standard_normal(shape) / np.sqrt(shape[0]), key=Key(2, "w"))
    return made


def close(variance: np.ndarray, expected: np.ndarray, draws: int) -> None:
    """Check variances of normal numbers: chi-squared of `draws` - 1, within 5 of its standard deviations each."""
    assert np.abs(variance / expected - 1.0).max() < 5.0 * np.sqrt(2.0 / (draws - 1))


# --- the laws ---


def test_the_charge_noise_of_one_cell_is_2ktg_t() -> None:
    """One pair of one row at rest: the variance of i t, the charge of a read, is 2kT (G+ + G-) t."""
    one = crossbar(JOHNSON, shape=(1, 1))
    t = one.device.t_read
    charge = one.noise_deviation(np.zeros((1, 1))) * t
    expected = np.sqrt(2.0 * BOLTZMANN * 300.0 * one.conductances.sum(dtype=np.float64) * t)
    assert charge.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "volts", "t", "z"),
    [("memristor", 0.5, 5e-9, 0.052), ("ecram", 0.2, 10e-9, 0.92), ("ecram", 0.2, 1e-6, 0.092)],
)
def test_published_figures_in_units_of_z(name: str, volts: float, t: float, z: float) -> None:
    """A column of n rows in mid-range has sigma_z = s k/(V g_range) sqrt(2kT (g_min + g_max)/t), for any n; s = 12, k = 4.

    `z` is the figure of four full tiles of 256 rows, 1024 rows; here the last tile ends with the array, after 785 rows.
    The second device is an electrochemical cell of 10 MOhm, 10 : 1.
    """
    cells = device() if name == "memristor" else replace(load_device("kim2019_ecram"), g_max=1e-7, g_min=1e-8)
    cells = replace(cells, v_read=volts).with_read_time(t)
    closed = 12.0 * 4.0 / (volts * cells.g_range) * np.sqrt(2.0 * BOLTZMANN * 300.0 * (cells.g_min + cells.g_max) / t)
    assert closed * np.sqrt(1024 / 785) == pytest.approx(z, rel=0.005)
    bar = Crossbar(cells, (785, 2), key=KEY, noise=JOHNSON)
    assert np.array_equal(
        bar.cells.bit_line_sums().sum(axis=0), bar.conductances.sum(axis=1, dtype=np.float64).T.ravel()
    )
    bar.cells.state.g[:] = 0.5 * (cells.g_min + cells.g_max)
    bar.cells.look()
    per_tile = bar.noise_deviation(np.zeros((1, 785))).astype(np.float64) * 12.0 / (bar.g_unit * volts)
    assert np.sqrt(np.square(per_tile).sum(axis=0)) == pytest.approx(closed, rel=1e-5)


def test_the_noise_falls_with_the_root_of_the_read_time() -> None:
    """Four times the time, half the deviation, for both kinds of noise; twice the temperature, twice Johnson's variance."""
    v = np.linspace(0.0, 0.5, 20)[None]
    quick, slow = (crossbar(BOTH, device().with_read_time(t)).noise_deviation(v) for t in (5e-9, 20e-9))
    assert np.allclose(slow, 0.5 * quick, rtol=1e-5)
    cold, warm = (crossbar(LineNoise(johnson=True, temperature=t)).noise_deviation(v) for t in (150.0, 300.0))
    assert np.allclose(np.square(warm), 2.0 * np.square(cold), rtol=1e-5)


def test_shot_noise_passes_johnson_noise_at_twice_the_thermal_voltage() -> None:
    """All cells at V: 2qI B/(4kTG B) = qV/2kT, which is 1 at 52 mV and 300 K."""
    bar = crossbar(LineNoise(fano=1.0))
    for volts in (0.052, 0.2):
        v = np.full((1, 20), volts)
        ratio = np.square(bar.noise_deviation(v) / crossbar(JOHNSON).noise_deviation(v))
        assert np.allclose(ratio, ELECTRON * volts / (2.0 * BOLTZMANN * 300.0), rtol=1e-4)
    assert ELECTRON * 0.0517 / (2.0 * BOLTZMANN * 300.0) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("read_noise", [0.0, 0.01])
def test_without_heat_there_is_todays_read(read_noise: float, transposed: bool) -> None:
    """At 0 K, and without the switch, every bit is that of an array without line noise; near 0 K nothing is far from it."""

    def read(noise: LineNoise | None) -> np.ndarray:
        more = {} if noise is None else {"noise": noise}
        bar = Crossbar(device(read_noise), (20, 5), key=Key(1, "fabricate"), tile=(12, 6), **more)
        v = np.random.default_rng(0).uniform(-0.5, 0.5, (30, 5 if transposed else 20))
        return (bar.read_transposed if transposed else bar.read)(v, key=KEY)[0]

    plain = read(None)
    for none in (LineNoise(), LineNoise(johnson=True, temperature=0.0)):
        assert np.array_equal(read(none), plain)
    almost, warm = read(LineNoise(johnson=True, temperature=1e-12)), read(JOHNSON)
    most = float(np.abs(warm).max())
    assert np.allclose(almost, plain, rtol=0, atol=1e-6 * most) and not np.allclose(
        warm, plain, rtol=0, atol=0.01 * most
    )


# --- twins: a draw for every cell, in float64 ---


def cell_by_cell(bar: Crossbar, v: np.ndarray, noise: LineNoise, draws: int) -> np.ndarray:
    """Return currents (draws, tiles, columns) of an input v (rows,) [V]: each cell draws in each phase; lines are summed."""
    rng = np.random.default_rng(7)
    g = np.moveaxis(bar.conductances.astype(np.float64), 0, 2)  # (rows, columns, 2)
    t = bar.device.t_read
    read = bar.device.read_noise * bar.device.g_range
    phases = [v > 0.0, v < 0.0] if (v > 0.0).any() and (v < 0.0).any() else [v != 0.0]
    out = np.zeros((draws, bar.tiling.row_tiles, bar.shape[1]))
    for driven in phases:
        volts = np.where(driven, v, 0.0)[:, None, None]
        thermal = 4.0 * BOLTZMANN * noise.temperature * g / (2.0 * t) if noise.johnson else 0.0
        shot = 2.0 * ELECTRON * noise.fano * np.abs(volts) * g / (2.0 * t)
        deviation = np.sqrt(np.broadcast_to(thermal + shot + (read * volts) ** 2, g.shape))
        for k in range(draws):
            current = g * volts + deviation * rng.standard_normal(g.shape)
            pairs = current[:, :, 0] - current[:, :, 1]
            out[k] += np.stack([pairs[a:b].sum(axis=0) for a, b in bar.tiling.row_cuts])
    return out


@pytest.mark.parametrize("noise", [JOHNSON, LineNoise(fano=1.0), BOTH])
@pytest.mark.parametrize("signs", ["one", "two"])
@pytest.mark.parametrize("read_noise", [0.0, 0.01])
def test_one_draw_an_output_has_the_variance_of_a_draw_a_cell(noise: LineNoise, signs: str, read_noise: float) -> None:
    """Each tile and column, one phase and two, with and without the device's own noise."""
    bar = crossbar(noise, device(read_noise))
    v = np.random.default_rng(1).uniform(-0.5 if signs == "two" else 0.0, 0.5, 20).astype(np.float32)
    v[:4] = 0.0
    draws = 1500
    twin = cell_by_cell(bar, v.astype(np.float64), noise, draws)
    sigma = bar.noise_deviation(np.tile(v, (2, 1)))
    assert sigma.shape == (2, 2, 5) and np.array_equal(sigma[:, 0], sigma[:, 1])
    close(twin.var(axis=0, ddof=1), np.square(sigma[:, 0].astype(np.float64)), draws)
    seen, _ = bar.read(np.tile(v, (20_000, 1)), key=KEY)
    close(seen.var(axis=0, ddof=1, dtype=np.float64), np.square(sigma[:, 0].astype(np.float64)).sum(axis=0), 20_000)
    exact = bar.partial_currents(v[None])[0].sum(axis=0)[0]
    assert np.abs(seen.mean(axis=0) - exact).max() < 5.0 * np.sqrt(np.square(sigma[:, 0]).sum(axis=0)).max() / np.sqrt(
        20_000
    )


def test_transposed_reads_have_the_noise_of_the_word_lines() -> None:
    """A draw for each cell and phase: a word line carries both cells of all pairs, and cells of opposite drive take turns."""
    bar = crossbar(BOTH, device(0.01))
    v = np.linspace(-0.5, 0.5, 5).astype(np.float32)
    rng, t, draws = np.random.default_rng(7), bar.device.t_read, 1500
    g = np.moveaxis(bar.conductances.astype(np.float64), 0, 2)  # (rows, columns, 2)
    wanted = np.stack([v, -v], axis=1).astype(np.float64)  # of G+ and of G-
    twin = np.zeros((draws, 20))
    for sign in (1.0, -1.0):
        volts = np.maximum(sign * wanted, 0.0)
        variance = (4.0 * BOLTZMANN * 300.0 * g + 2.0 * ELECTRON * volts * g) / (2.0 * t)
        deviation = np.sqrt(variance + np.square(0.01 * bar.device.g_range * volts))
        for k in range(draws):
            twin[k] += sign * (g * volts + deviation * rng.standard_normal(g.shape)).sum(axis=(1, 2))
    seen, _ = bar.read_transposed(np.tile(v, (20_000, 1)), key=KEY)
    found = seen.var(axis=0, ddof=1, dtype=np.float64)
    close(twin.var(axis=0, ddof=1), found, draws)
    assert np.allclose(seen.mean(axis=0), twin.mean(axis=0), atol=5.0 * np.sqrt(found.max() / draws))


@pytest.mark.parametrize("noise", [JOHNSON, BOTH])
@pytest.mark.parametrize("own", ["none", "common", "per cell"])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [8, None])
def test_the_read_in_one_loop_has_the_same_noise(noise: LineNoise, own: str, signed: bool, bits: int | None) -> None:
    """The same draws as the parts in turn: equal to rounding, and to one level where that falls on a border."""
    figures = {"none": (0.0, 0.0), "common": (0.01, 0.0), "per cell": (0.003, 0.02)}[own]
    cells = device(figures[0], read_noise_relative=figures[1])
    bar = crossbar(noise, cells, shape=(70, 90), rows=32, columns=64)
    x = np.random.default_rng(2).uniform(-7.0 if signed else 0.0, 7.0, (40, 70)).astype(np.float32)
    dac, adc = Dac(bits), Adc(bits, 4.0)
    z, clipped, events = sense(bar, x, dac, adc, SCALE, VOLTS, KEY)
    twin, twin_clipped, expected = sense_in_turn(bar, x, dac, adc, SCALE, VOLTS, KEY)
    assert (np.abs(z - twin) <= 1e-4).mean() > 0.998
    assert np.abs(z - twin).max() <= 1.001 * (4.0 / adc.levels if bits else 1e-4)
    assert np.abs(clipped - twin_clipped).max() <= 2 and events.counts == expected.counts


def test_analog_sums_add_the_noise_of_all_tiles() -> None:
    """One conversion of the tiles' common line: the variances of the tiles add."""
    from hardware_models.chip import Chip

    z = []
    for tile in ((256, 256), (7, 6)):
        chip = Chip(device(), ((20, 5),), adc=None, dac=None, tile=tile, partial_sums="analog", noise=JOHNSON)
        z.append(chip.read(0, np.zeros((20_000, 20), np.float32), key=KEY)[0])
    close(z[1].var(axis=0, ddof=1, dtype=np.float64), z[0].var(axis=0, ddof=1, dtype=np.float64), 10_000)


# --- what is kept, and what is not there ---


def test_the_noise_follows_what_was_written() -> None:
    """After every kind of write, the sums of the bit lines are those of the cells."""
    bar = crossbar(JOHNSON, shape=(20, 40))
    few, many = np.zeros((20, 40), np.int32), np.full((20, 40), 3, np.int32)
    few[3, 7] = -9
    for write in (
        lambda: bar.pulse(many),
        lambda: bar.pulse(few),
        lambda: bar.fire(np.ones((1, 20)), np.ones((1, 40)), -1),
        lambda: bar.restore(bar.save()),
        lambda: bar.wait(1.0),
    ):
        bar.cells.bit_line_sums()
        write()
        g = bar.cells.present().astype(np.float64)
        assert np.allclose(bar.cells.bit_line_sums(), [g[:12].sum(axis=0), g[12:].sum(axis=0)], rtol=1e-12)


def test_a_dead_line_is_silent() -> None:
    """What is cut off has no conductance and no noise."""
    maps = {"dead_columns": np.array([True, True, False, False, False, False, False, False, False, False])}
    bar = crossbar(JOHNSON, Faults.around(device(), maps=maps))
    sigma = bar.noise_deviation(np.zeros((1, 20)))
    assert (sigma[:, 0, 0] == 0.0).all() and (sigma[:, 0, 1:] > 0.0).all()


def test_noise_that_a_file_contains_is_not_added() -> None:
    """The file says so: no Johnson noise beside its read noise; without its read noise, Johnson noise."""
    cells = device(0.01, read_noise_contains_thermal=True)
    v = np.full((1, 20), 0.3)
    assert np.array_equal(crossbar(JOHNSON, cells).noise_deviation(v), crossbar(LineNoise(), cells).noise_deviation(v))
    silent = cells.without(read_noise=True)
    assert np.array_equal(crossbar(JOHNSON, silent).noise_deviation(v), crossbar(JOHNSON).noise_deviation(v))


def test_spent_pairs_are_found_through_the_noise_of_their_lines() -> None:
    """The readings of a renewal: the device's variance, and that of the bit line over the square of the read voltage."""
    from hardware_models.crossbar.renewal import _of_the_lines

    cells = OneSided(g_min=1e-6, g_max=1e-5, states=50.0, v_read=0.4, t_read=5e-9)
    bar = Crossbar(cells, (20, 5), key=KEY, tile=(12, 6), noise=BOTH)
    g = bar.cells.present().astype(np.float64)
    line = np.concatenate([np.tile(g[a:b].sum(axis=0), (b - a, 1)) for a, b in bar.tiling.row_cuts])
    expected = (2.0 * BOLTZMANN * 300.0 * line + ELECTRON * 0.4 * g) / 5e-9 / 0.4**2
    assert np.allclose(_of_the_lines(bar.cells, g), expected, rtol=1e-12)


def test_another_read_time_reaches_the_device_inside() -> None:
    """A wrapper and its device are read for the same time; a read of no time has no bandwidth."""
    worn = Wear.around(device(), endurance=10.0).with_read_time(2e-7)
    assert worn.t_read == worn.inner.t_read == 2e-7 and worn.endurance == 10.0
    with pytest.raises(UsageError, match="reads in 0 s"):
        crossbar(JOHNSON, device().with_read_time(0.0))
    with pytest.raises(UsageError, match="temperature"):
        LineNoise(temperature=-1.0)


class Plugged:
    """A user's cells, derived from nothing: the numbers and methods of an ideal device."""

    def __init__(self) -> None:
        self.inner = Ideal()

    def __getattr__(self, name: str) -> object:
        """Return what the ideal device has."""
        if name.startswith("__") or name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)

    def fabricate(self, shape: tuple[int, int], key: Key) -> IdealState:
        """Return ideal cells."""
        return self.inner.fabricate(shape, key)

    def pulse(self, state: IdealState, pulses: np.ndarray, key: Key) -> None:
        """Pulse ideal cells."""
        self.inner.pulse(state, pulses, key)


@dataclass(frozen=True)
class PluggedInTime(Plugged):
    """The same with a field for its read time."""

    t_read: float = 3e-8

    def __post_init__(self) -> None:
        """Make the cells."""
        object.__setattr__(self, "inner", Ideal())


def test_the_read_time_of_a_plug_in_is_a_field_of_its_own() -> None:
    """A dataclass with a field t_read takes another; of any other class nobody knows how to change it."""
    made = adapted(PluggedInTime()).with_read_time(4e-7)
    assert made.t_read == 4e-7 and crossbar(JOHNSON, made, shape=(4, 2)).device.t_read == 4e-7
    with pytest.raises(UsageError, match="make it a dataclass with a field t_read"):
        adapted(Plugged()).with_read_time(4e-7)
