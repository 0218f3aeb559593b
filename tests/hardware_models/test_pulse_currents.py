"""Cells with a gate: what a pulse that charges it draws from the lines, in place of a current through the channel."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from line_limits import KEY, QUIET, SHAPE, TILE, watch_of

from hardware_models.check import RunError, UsageError
from hardware_models.chip import Chip
from hardware_models.crossbar import Crossbar
from hardware_models.crossbar.line_watch import LineLimit
from hardware_models.devices import PUBLISHED
from hardware_models.devices.base import BaseDevice
from hardware_models.energy import load_technology
from hardware_models.energy.facts.line_currents import line_currents
from hardware_models.keys import Key
from hardware_models.load import load_device

GATE = replace(QUIET, c_gate=1e-12, v_up=2.0, v_down=1.5, t_up=50e-9, t_down=100e-9)
UP, DOWN = 1e-12 * 2.0 / 50e-9, 1e-12 * 1.5 / 100e-9  # 40 uA and 15 uA: C V/t
GATED = [name for name in PUBLISHED if load_device(name).c_gate > 0.0]


def array(device: BaseDevice = GATE, limit: float = 1.0, tile: tuple[int, int] = TILE) -> Crossbar:
    return Crossbar(device, SHAPE, key=Key(1, "f"), tile=tile, limit=LineLimit(limit))


def largest(made: Crossbar) -> tuple[float, float]:
    """Return the largest currents of word lines and of bit lines in writes."""
    peaks = watch_of(made).writes.peaks
    return peaks[:, 0].max(), peaks[:, 1].max()


def test_a_burst_draws_n_c_v_over_t_whatever_the_channel_conducts() -> None:
    """The larger of the currents up and down; the channels stand anywhere."""
    counts = np.zeros(SHAPE, np.int32)
    counts[3, :4] = 2  # a pulse up of each G+ of a tile, and a pulse down of each G-
    for device, one in ((GATE, UP), (replace(GATE, v_up=0.5, v_down=4.0), 4.0 / 1.5 * DOWN)):
        for channel in (1e-6, 9e-6):
            made = array(device)
            made.state.g[:] = np.float32(channel)
            made.pulse(counts, key=KEY)
            assert made.received.sum() == 8 and largest(made) == pytest.approx((4 * one, one), rel=1e-6)


def test_a_train_charges_the_gates_at_its_crossings() -> None:
    """All rows and columns of an array of one tile: 50 gates on a bit line, 20 on a word line; in blocks, and one by one."""
    r, c = np.ones((1, SHAPE[0]), bool), np.ones((1, SHAPE[1]), bool)
    made = array(tile=(64, 64))
    made.fire(r, c, 1, key=KEY)
    assert largest(made) == pytest.approx((20 * UP, 50 * UP), rel=1e-6)
    narrow = array(tile=(64, 64), limit=6.5 * UP)
    events = narrow.fire(r, c, 1, key=KEY)
    assert largest(narrow) == pytest.approx((6 * UP, 6 * UP), rel=1e-6)
    assert events.integrals["time"] == pytest.approx(9 * 4 * GATE.t_up)  # ceil(50/6) x ceil(20/6) blocks
    down = array(tile=(64, 64))
    down.fire(r, c, -1, key=KEY)
    down.fire(r, c, -1, key=KEY)  # the second train of a sign lowers the other side
    assert largest(down)[0] == pytest.approx(20 * UP, rel=1e-6)


def test_half_selected_gates_of_a_passive_array_charge_to_half() -> None:
    """The selected gate to V, the 11 others of its word line and the 15 of its bit line to V/2."""
    made = array(replace(GATE, access="passive", t_down=50e-9, v_down=2.0))
    counts = np.zeros(SHAPE, np.int32)
    counts[3, 0] = 1
    made.pulse(counts, key=KEY)
    assert largest(made) == pytest.approx(((1 + 11 / 2) * UP, (1 + 15 / 2) * UP), rel=1e-6)


def test_groups_of_programming_follow_from_the_gate() -> None:
    """floor(limit / (C V/t)) cells at once; a gate above the limit is refused, and one that is charged in no time."""
    assert array(limit=3.2 * UP).cells.watch.writes.cells.tolist() == [3, 8]
    with pytest.raises(UsageError, match=r"draws 4e-05 A in a pulse at 2 V, and a line bears 3e-05 A"):
        array(limit=3e-5)
    with pytest.raises(UsageError, match=r"has a gate .* a pulse of 0 s charges, .*: give t_up and t_down above 0 s"):
        array(replace(GATE, t_down=0.0))


def test_a_channel_still_draws_v_g() -> None:
    """Without a gate the currents are those of the larger conductance, and a pulse above the limit ends the run."""
    made = array(replace(GATE, c_gate=0.0))
    made.state.g[:] = np.float32(6e-6)
    made.pulse(np.eye(*SHAPE, dtype=np.int32), key=KEY)
    assert largest(made)[0] == pytest.approx(2.0 * float(made.state.g.max()), rel=1e-6)
    grown = array(replace(GATE, c_gate=0.0), limit=2.5e-5)
    grown.state.g[:] = np.float32(30e-6)
    with pytest.raises(RunError, match="a pulse on one cell drives"):
        grown.pulse(np.ones(SHAPE, np.int32), key=KEY)


@pytest.mark.parametrize("name", GATED)
def test_published_gates_draw_little(name: str) -> None:
    """Less than a nanoampere a cell, where V G of the channel would be microamperes: a whole line is written at once.

    The transistors of a 3T1C cell are switched in half a nanosecond, which takes 0.2 uA, a hundredth of V G.
    """
    device = load_device(name)
    chip = Chip(name, (SHAPE,), line_current=33e-6)
    most = max(device.c_gate * device.v_up / device.t_up, device.c_gate * device.v_down / device.t_down)
    largest, share = (2.1e-7, 2e-2) if name == "li2018_3t1c" else (1.1e-9, 1e-3)
    assert most < largest < share * device.v_up * device.g_max
    found = chip.line_groups()
    assert found is not None and found[0]["write"]["cells_at_once_up"] == 50
    worst = line_currents((SHAPE,), (256, 256), device.describe(), load_technology("cmos-32nm"), rows_together=True)
    assert worst is not None and worst["lines"]["write"] == 50
    assert worst["line_current_ratio"]["write"] == pytest.approx(50 * most / 33e-6)
    assert math.isclose(worst["slower"]["write"], 1)


def test_six_published_files_have_gates() -> None:
    """The list that the parametrised test goes through is not empty, nor everything."""
    assert set(GATED) == {
        "agrawal2022_sonos_pulsed", "jerry2017_hzo", "jerry2017_hzo_fefet", "kim2019_ecram", "li2018_3t1c", "tang2018_ecram"
    }  # fmt: skip
