"""The read in one loop against its plain twin: converter, currents and converter in turn."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
import pytest

from hardware_models.chip.sensing import sense
from hardware_models.converters.adc import Adc
from hardware_models.converters.dac import Dac
from hardware_models.crossbar import Crossbar
from hardware_models.kernels.reads import column_panels
from hardware_models.keys import Key
from hardware_models.load import load_device

SCALE, VOLTS = 6.0, 0.5
KEY = Key(3, "sensing")


def crossbar(noise: str, shape: tuple[int, int], tile: tuple[int, int]) -> Crossbar:
    """Return a programmed crossbar whose read noise is none, the same for all cells, or each cell's own."""
    device = load_device("memristor")
    values = {"none": (0.0, 0.0), "common": (0.01, 0.0), "per cell": (0.003, 0.02)}[noise]
    bar = Crossbar(
        replace(device, read_noise=values[0], read_noise_relative=values[1]), shape, key=Key(1, "fabricate"), tile=tile
    )
    bar.program(np.random.default_rng(0).standard_normal(shape) / np.sqrt(shape[0]))
    return bar


def inputs(batch: int, rows: int) -> np.ndarray:
    """Return signed inputs, some beyond full scale."""
    return np.random.default_rng(batch).uniform(-7.0, 7.0, (batch, rows)).astype(np.float32)


@pytest.mark.parametrize("noise", ["none", "common", "per cell"])
@pytest.mark.parametrize(
    ("batch", "shape", "tile"), [(1, (30, 7), (8, 8)), (40, (70, 90), (32, 64)), (1100, (20, 33), (20, 9))]
)
@pytest.mark.parametrize("bits", [8, None])
def test_one_loop_does_what_its_parts_do(noise: str, batch: int, shape, tile, bits: int | None) -> None:
    """The same values within float32 rounding (and one level where that falls on a border), the same counts."""
    bar = crossbar(noise, shape, tile)
    dac, adc = Dac(bits), Adc(bits, 4.0)
    x = inputs(batch, shape[0])
    z, clipped, events = sense(bar, x, dac, adc, SCALE, VOLTS, KEY)

    v, dac_clipped = dac.convert(x, SCALE)
    partial, expected = bar.partial_currents(v * np.float32(VOLTS))
    to_z = SCALE / (bar.g_unit * VOLTS)
    sigma = bar.noise_deviation(v * np.float32(VOLTS))
    twin, adc_clipped = adc.convert(partial, to_z, None if sigma is None else sigma * np.float32(to_z), KEY)
    close = np.abs(z - twin) <= 1e-4
    assert close.mean() > 0.998
    step = 4.0 / adc.levels if bits else 1e-4
    assert np.abs(z - twin).max() <= 1.001 * step
    assert clipped[0] == dac_clipped
    assert abs(int(clipped[1]) - adc_clipped) <= 2
    assert events.counts == expected.counts
    assert events.integrals["read.v2g"] == pytest.approx(expected.integrals["read.v2g"], rel=1e-9)
    assert events.integrals["time"] == pytest.approx(expected.integrals["time"])


def test_the_same_bits_for_any_number_of_threads() -> None:
    """One thread or all of them."""
    bar, x = crossbar("per cell", (70, 600), (32, 64)), inputs(40, 70)
    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = sense(bar, x, Dac(8), Adc(8), SCALE, VOLTS, KEY)[0]
    finally:
        numba.set_num_threads(threads)
    assert np.array_equal(one, sense(bar, x, Dac(8), Adc(8), SCALE, VOLTS, KEY)[0])


@pytest.mark.parametrize("columns", [1, 31, 32, 33, 500, 513, 2000, 2049])
def test_panels_cover_all_columns(columns: int) -> None:
    """Every column is in one panel and no panel is empty."""
    count, width = column_panels(columns)
    assert (count - 1) * width < columns <= count * width


def test_noise_follows_what_was_written() -> None:
    """The kept matrices of currents and of variances are renewed by every kind of write."""
    bar = crossbar("per cell", (6, 40), (6, 16))
    rows, columns = np.ones((1, 6)), np.ones((1, 40))
    for write in (
        lambda: bar.pulse(np.full((6, 40), 3, np.int32)),
        lambda: bar.fire(rows, columns, -1),
        lambda: bar.restore(bar.save()),
    ):
        write()
        pairs, unit = bar.noise_map()
        variance = bar.device.read_variance(bar.state, 0.0)
        whole = np.concatenate(list(pairs), axis=1)[:, :40] * unit
        assert np.allclose(whole, variance[:, 0::2] + variance[:, 1::2], rtol=1e-5)
        plus, minus = bar.conductances
        assert np.allclose(bar.differences, plus - minus, rtol=0, atol=1e-12)


def test_wrong_shape_is_a_programming_error() -> None:
    """Inputs must have a value for each row."""
    with pytest.raises(ValueError, match="should have the shape"):
        sense(crossbar("none", (6, 4), (6, 8)), inputs(2, 5), Dac(8), Adc(8), SCALE, VOLTS, KEY)
