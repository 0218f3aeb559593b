"""Reads of single word lines: what they tell, what noise they have, what they cost, and arrays of a device of their own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.chip.designs import Design
from hardware_models.chip.joined_port import a_chip_a_layer
from hardware_models.chip.process_port import ProcessPort
from hardware_models.converters.faults import AdcFaults
from hardware_models.crossbar import Crossbar, reading
from hardware_models.crossbar.line_noise import LineNoise
from hardware_models.devices.capacitor import Capacitor
from hardware_models.devices.linear_step import LinearStep
from hardware_models.keys import Key

KEY = Key(4, "rows")
CELL = Capacitor(
    states=200.0, g_min=4e-6, g_max=20e-6, rest=0.5, tau=1e-3, v_up=1.0, v_down=1.0, t_up=1e-9, t_down=1e-9
)


def programmed(chip, array: str = "main") -> None:
    """Write random weights into an array."""
    rows, columns = chip.shapes[0]
    weights = KEY.generator().uniform(-1, 1, (rows, columns)) * chip.sheet(0, array).weight_limit
    chip.program(0, weights, key=KEY, array=array)


def test_perfect_converters_tell_the_weights() -> None:
    """Rows come back in the order in which they are asked for, tile or no tile."""
    chip = Chip("ideal", ((20, 6),), dac=None, adc=None, tile=(8, 4))
    programmed(chip)
    rows = np.array([19, 0, 7, 8])
    found, _ = chip.read_rows(0, rows, full_scale=1.0, key=KEY)
    np.testing.assert_allclose(found, chip.oracle.weights(0)[rows], rtol=1e-6, atol=1e-9)


def test_converters_round_and_clip_at_the_full_scale_that_is_asked_for() -> None:
    """Seven bits on each side of zero over `full_scale`, whatever the full scale of other reads."""
    chip = Chip("ideal", ((20, 6),), dac=None, adc=8)
    programmed(chip)
    full = 0.4 * chip.sheet(0).weight_limit
    found, _ = chip.read_rows(0, np.arange(20), full_scale=full, key=KEY)
    step = full / 127
    np.testing.assert_allclose(
        found, np.clip(np.rint(chip.oracle.weights(0) / step), -127, 127) * step, atol=1e-6 * full
    )


@pytest.mark.parametrize(("sums", "turns"), [("digital", 8), ("analog", 20)])
def test_counts_in_closed_form(sums: str, turns: int) -> None:
    """One drive a row and one conversion a weight; tiles with converters of their own are read at the same time."""
    chip = Chip("memristor", ((20, 6),), tile=(8, 12), partial_sums=sums)
    _, events = chip.read_rows(0, np.arange(20), full_scale=0.1, key=KEY)
    assert events.counts["adc.8"] == 120 and events.counts["dac.8"] == 20
    assert events.counts["reads.cells"] == events.counts["reads.columns"] == 240 and events.counts["integrator"] == 120
    assert math.isclose(events.integrals["time"], turns * chip.device.t_read)
    g = chip.oracle.conductances(0).sum(dtype=np.float64)
    assert math.isclose(events.integrals["read.v2g"], chip.device.v_read**2 * g, rel_tol=1e-6)


def test_noise_is_that_of_a_read_with_one_line_driven() -> None:
    """In one tile the white noise has the variance of a read of a unit vector: own, Johnson and shot noise alike."""
    device = LinearStep(read_noise=0.01, read_noise_relative=0.02, fresh="random")
    array = Crossbar(device, (6, 5), key=KEY, noise=LineNoise(johnson=True, fano=0.5))
    volts = np.full(6, 0.2, np.float32)
    seen = array.read_rows(np.arange(6), volts)
    expected = reading.noise_deviation(array.cells, np.diag(volts))
    np.testing.assert_allclose(seen.sigma, expected[0], rtol=1e-5)


def test_joined_tiles_bring_the_johnson_noise_of_all_of_them() -> None:
    """Where currents of three equal tiles add on one line, the variance is three times that of one."""
    array = Crossbar(LinearStep(), (9, 4), key=KEY, tile=(3, 8), noise=LineNoise(johnson=True))
    volts = np.full(9, 0.2, np.float32)
    apart, joined = (array.read_rows(np.arange(9), volts, joined=on).sigma for on in (False, True))
    np.testing.assert_allclose(np.square(joined), 3.0 * np.square(apart), rtol=1e-5)


def test_each_tile_has_its_own_faulty_converters() -> None:
    """The mean error of a column is the offset of the converter of its tile, the same for all rows of the tile."""
    chip = Chip("ideal", ((8, 3),), tile=(4, 6), dac=None, adc=8, adc_faults=AdcFaults(offset=5.0))
    found, _ = chip.read_rows(0, np.arange(8), full_scale=1.0, key=KEY)
    codes = np.rint(found * 127)
    assert (codes[:4] == codes[0]).all() and (codes[4:] == codes[4]).all() and (codes[0] != codes[4]).any()


def test_lines_are_checked_before_anything_moves() -> None:
    """A line that is not there, or named twice, is refused in one sentence."""
    chip = Chip("ideal", ((8, 3),))
    for wrong in ([8], [-1], [0, 0], [[0]], [0.5]):
        with pytest.raises(UsageError, match="word lines should"):
            chip.read_rows(0, np.array(wrong), full_scale=1.0, key=KEY)


def test_an_array_of_its_own_device_is_read_as_the_main_one() -> None:
    """It has its own range and steps, but voltage and time of a read are those of the chip; its sheet says how it forgets."""
    chip = Chip("memristor", ((20, 6),), arrays={0: {"fast": Design(CELL), "single": Design(CELL, single_ended=True)}})
    fast, single, main = (chip.sheet(0, name) for name in ("fast", "single", "main"))
    assert fast.leak_time == CELL.tau and main.leak_time == 0.0 and main == chip.datasheet[0]
    assert math.isclose(fast.weight_step, fast.weight_limit / CELL.states)
    assert single.weight_step == fast.weight_step and single.weight_limit == 0.5 * fast.weight_limit
    _, events = chip.read_rows(0, np.arange(20), full_scale=0.1, key=KEY, array="fast")
    assert math.isclose(events.integrals["time"], 20 * chip.device.t_read)
    assert math.isclose(events.integrals["read.v2g"], chip.device.v_read**2 * 20 * 12 * 12e-6, rel_tol=1e-5)


def test_pulses_of_another_array_are_counted_apart() -> None:
    """They wear no main cell, and their energy is that of their own device."""
    cell = Capacitor(**{**CELL.__dict__, "capacity": 1e-13, "swing": 0.8, "c_gate": 1e-16})
    chip = Chip("memristor", ((20, 6),), arrays={0: {"fast": Design(cell)}})
    before = chip.oracle.conductances(0).copy()
    events = chip.fire(0, np.ones((3, 20)), np.ones((3, 6)), 1, key=KEY, array="fast")
    assert events.counts["write.further"] == 360 and events.counts.get("write.selected", 0) == 0
    pulse = 1e-16 * 1.0**2 + 1e-13 * 0.8 / 200 * 1.0
    assert math.isclose(events.integrals["further.write"], 360 * pulse, rel_tol=1e-9)
    assert np.array_equal(before, chip.oracle.conductances(0))


def test_single_ended_weights_move_one_cell_of_the_pair() -> None:
    """Trains and bursts of both signs leave the reference cells alone; a device of one polarity needs both."""
    array = Crossbar(CELL, (4, 3), key=KEY, single_ended=True)
    array.fire(np.ones((5, 4)), np.ones((5, 3)), 1)
    array.fire(np.ones((2, 4)), np.ones((2, 3)), -1)
    array.pulse(np.full((4, 3), -2, np.int32))
    assert (array.received[:, 1::2] == 0).all() and (array.received[:, 0::2] == 9).all()
    np.testing.assert_allclose(array.weights, array.weight_step, rtol=1e-4)
    from hardware_models.devices.one_sided import OneSided

    with pytest.raises(UsageError, match="pulses of one sign only"):
        Crossbar(OneSided(), (4, 3), key=KEY, single_ended=True)


def test_the_same_bits_in_another_process_and_on_joined_chips() -> None:
    """What crosses the pipe is what crosses the pins."""
    arrays = {0: {"fast": Design(CELL)}, 1: {"fast": Design(CELL)}}
    shapes = ((12, 4), (5, 3))
    rows = np.arange(5)

    def seen(chip) -> np.ndarray:
        chip.fire(1, np.ones((3, 5)), np.ones((3, 3)), 1, key=KEY, array="fast")
        chip.wait(2e-4, key=KEY)
        assert chip.sheet(1, "fast").leak_time == CELL.tau
        return chip.read_rows(1, rows, full_scale=0.5, key=KEY, array="fast")[0]

    here = seen(Chip("memristor", shapes, arrays=arrays))
    with ProcessPort("memristor", shapes, arrays=arrays) as port:
        assert np.array_equal(here, seen(port))
    assert seen(a_chip_a_layer(Chip, "memristor", shapes, arrays=arrays)).shape == here.shape
