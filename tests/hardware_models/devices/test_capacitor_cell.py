"""The cell of three transistors and a capacitor: its leak, the charge of its switches, its offset, and what a read takes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from hardware_models.chip import Chip
from hardware_models.chip.designs import Design
from hardware_models.crossbar import Crossbar
from hardware_models.devices.capacitor import Capacitor
from hardware_models.keys import Key
from hardware_models.load import load_device

KEY = Key(2, "cell")
CELL = Capacitor(states=200.0, g_min=4e-6, g_max=20e-6, rest=0.5, tau=1e-3)
SHAPE = (30, 40)


def charged(device: Capacitor, pulses: int = 20):
    """Return cells with pulses upwards at time 0."""
    state = device.fabricate(SHAPE, KEY)
    device.pulse(state, np.full(SHAPE, pulses, np.int32), KEY.child("pulse"), time=0.0)
    return state


def test_two_half_waits_are_one() -> None:
    """The charge of 20 steps decays by exp(-t/tau) of the chip's clock, however the wait is divided."""
    for waits in ([1e-3], [5e-4, 5e-4], [1e-4] * 10):
        array = Crossbar(CELL, (4, 3), key=KEY)
        array.fire(np.ones((20, 4)), np.ones((20, 3)), 1)
        for seconds in waits:
            array.wait(seconds)
        np.testing.assert_allclose(array.weights, 20 * array.weight_step * math.exp(-1.0), rtol=1e-4)


def test_charge_injection_has_one_sign_whatever_the_pulse_does() -> None:
    """With q = 0.1 an up pulse is 1.1 steps and a down pulse 0.9 steps."""
    device = replace(CELL, charge_injection=0.1)
    step = device.g_range / device.states
    for pulses, factor in ((10, 1.1), (-10, 0.9)):
        moved = charged(device, pulses).g - 12e-6
        np.testing.assert_allclose(moved, pulses * step * factor, rtol=1e-4)


def test_spreads_have_the_standard_deviations_that_are_given() -> None:
    """1200 cells: the deviation of a deviation is 1/sqrt(2 n) of it, 2 %; five of them are allowed."""
    tolerance = 5.0 / math.sqrt(2 * 1200)
    device = replace(CELL, injection_spread=0.05, offset_spread=0.01)
    state = charged(device, 10)
    step = device.g_range / device.states
    shares = (state.g - 12e-6) / (10 * step) - 1.0
    assert abs(np.std(shares) / 0.05 - 1.0) < tolerance
    offsets = (device.conductance(state, 0.0) - state.g) / device.g_range
    assert abs(np.std(offsets) / 0.01 - 1.0) < tolerance and abs(offsets.mean()) < 5 * 0.01 / math.sqrt(1200)


def test_a_cell_moves_as_if_it_were_pulsed_alone() -> None:
    """Cells of a row are stepped together, those with most pulses first: each ends, to the bit, where it would end by itself."""
    device = replace(
        CELL, cycle_noise=0.3, gamma_up=0.1, gamma_down=0.05, step_spread=0.1, tau_spread=0.3, bound_spread=0.03
    )
    counts = np.random.default_rng(4).integers(-12, 13, (3, 5)).astype(np.int32)
    counts[:, 1], counts[2, 4] = 0, 90
    rows, lines = np.array([0, 4, 7]), np.array([1, 2, 8, 20, 39])
    together, alone = charged(device), charged(device)
    device.pulse(together, counts, KEY, (rows, lines), time=4e-4)
    for a, b in np.ndindex(counts.shape):
        device.pulse(alone, counts[a : a + 1, b : b + 1].copy(), KEY, (rows[a : a + 1], lines[b : b + 1]), time=4e-4)
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (together.written[rows[0], lines[[0, 2]]] == (4e-4, 4e-4)).all() and together.written[0, 2] == 0.0


def test_a_read_takes_its_share_of_the_charge() -> None:
    """After n reads of a row (1 - r)^n is left in its cells, and everything in those of other rows."""
    device = replace(CELL, read_disturb=0.01, tau=1e3)
    chip = Chip("memristor", ((6, 4),), arrays={0: {"fast": Design(device)}}, dac=None, adc=None, read_noise=False)
    chip.fire(0, np.ones((30, 6)), np.ones((30, 4)), 1, key=KEY, array="fast")
    for _ in range(7):
        chip.read_rows(0, np.array([2, 5]), full_scale=1.0, key=KEY, array="fast")
    left, _ = chip.read_rows(0, np.arange(6), full_scale=1.0, key=KEY, array="fast")
    expected = np.where(np.isin(np.arange(6), (2, 5)), 0.99**7, 1.0)[:, None] * 30 * chip.sheet(0, "fast").weight_step
    np.testing.assert_allclose(left, np.broadcast_to(expected, left.shape), rtol=1e-4)


def test_the_published_cell_has_a_pulse_of_its_own_energy() -> None:
    """E = C_gate V² + C (U/states) V, far below what a current through its channel would take."""
    device = load_device("li2018_3t1c")
    assert isinstance(device, Capacitor)
    expected = device.c_gate * device.v_up**2 + device.capacity * device.swing / device.states * device.v_up
    assert device.pulse_energy(True) == expected < device.v_up**2 * device.g_max * device.t_up
    assert device.leak_time == device.tau and device.disturbs and replace(CELL, capacity=0.0).pulse_energy(True) is None


def test_saved_and_restored_to_the_bit() -> None:
    """An array that was pulsed, left alone and read goes on from a checkpoint with the same bits."""
    device = load_device("li2018_3t1c")
    one, other = (Crossbar(device, (8, 5), key=KEY) for _ in range(2))
    rows = np.arange(8)

    def go_on(array: Crossbar, step: int) -> np.ndarray:
        here = KEY.at(step)
        array.fire(np.ones((4, 8)), np.ones((4, 5)), 1 if step % 2 else -1, key=here)
        array.wait(1e-3, key=here)
        return array.read_rows(rows, np.full(8, 0.2, np.float32)).currents

    for step in range(3):
        go_on(one, step)
    other.restore(one.save())
    for step in range(3, 6):
        assert np.array_equal(go_on(one, step), go_on(other, step))
