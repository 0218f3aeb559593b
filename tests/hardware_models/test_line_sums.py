"""Running sums along the lines of passive arrays against a slow float64 pass over all cells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hardware_models.crossbar import Crossbar
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.tiles import Tiling

SHAPE, TILE = (70, 265), (32, 100)
KEY = Key(6, "line sums")


def passive(device: str, tile: tuple[int, int] = TILE) -> Crossbar:
    """Return an array without selectors."""
    return Crossbar(replace(load_device(device), access="passive"), SHAPE, key=KEY, tile=tile)  # type: ignore[type-var]


def twin(device: Any, tiling: Tiling, mean: np.ndarray, pulses: np.ndarray) -> tuple[int, float]:
    """Return number [1] and energy [J] of half-selected cells of a burst, from the mean conductance of each cell [S]."""
    number, joule = 0, 0.0
    for top, bottom in tiling.row_cuts:
        for left in range(0, tiling.bit_lines, tiling.tile_columns):
            place = np.s_[top:bottom, left : left + tiling.tile_columns]
            g = mean[place]
            for polarity, v, t in ((1, device.v_up, device.t_up), (-1, device.v_down, device.t_down)):
                n = np.maximum(polarity * pulses[place].astype(np.int64), 0)
                slots = n.max(axis=1)
                number += int(slots.sum()) * g.shape[1] + int(n.sum()) * g.shape[0] - 2 * int(n.sum())
                sums = slots @ g.sum(axis=1) + n.sum(axis=0) @ g.sum(axis=0) - 2.0 * (n * g).sum()
                joule += 0.25 * v * v * t * float(sums)
    return number, joule


def burst(bar: Crossbar, counts: np.ndarray, key: Key) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return the events of a burst, the mean conductance of every cell [S], and the pulses that the cells got."""
    time, received = bar.time, bar.received.copy()
    before = np.array(bar.cells.present(), np.float64)
    events = bar.pulse(counts, key=key)
    after = np.array(bar.device.conductance(bar.state, time), np.float64)
    # The sign of what a cell got is that of its weight, turned over for the device that lowers it.
    signs = np.sign(counts).repeat(2, axis=1) * np.tile([1, -1], SHAPE[1])
    if bar._one_sided:
        signs = np.full_like(signs, bar._one_sided)
    return events, 0.5 * (before + after), signs * (bar.received - received)


@pytest.mark.parametrize("tile", [TILE, (256, 256), (7, 54)])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.6])
@pytest.mark.parametrize("device", ["memristor", "renaudineau2026_hfox_ti", "nandakumar2020_pcm"])
def test_half_selected_cells_are_those_of_a_pass_over_all(device: str, share: float, tile: tuple[int, int]) -> None:
    """Bursts of few and of many pulses, of both polarities or one, on cells that stay or drift: number and joules."""
    bar = passive(device, tile)
    rng = np.random.default_rng(2)
    for step in range(6):
        counts = np.where(rng.random(SHAPE) < share, rng.integers(-3, 4, SHAPE), 0).astype(np.int32)
        events, mean, pulses = burst(bar, counts, KEY.child("burst", step))
        number, joule = twin(bar.device, bar.tiling, mean, pulses)
        assert events["write.half"] == number and (number > 0) == bool(counts.any())
        assert events.integrals["half.v2gt"] == pytest.approx(joule, rel=1e-12)
        bar.wait(1e-3, key=KEY.child("wait", step))
        bar.cells.check_sums()


def test_sums_follow_trains_and_bursts_in_turn() -> None:
    """Many changes of either kind leave every tile's sums those of its cells, to the rounding of float64."""
    bar = passive("memristor")
    assert bar._few is not None and bar.cells.lines is not None
    rng = np.random.default_rng(3)
    for step in range(30):
        counts = np.where(rng.random(SHAPE) < 0.01, rng.integers(-3, 4, SHAPE), 0).astype(np.int32)
        bar.pulse(counts, key=KEY.child("pulse", step))
        trains = rng.random((4, SHAPE[0])) < 0.1, rng.random((4, SHAPE[1])) < 0.1
        bar.fire(*trains, 1 if step % 3 else -1, key=KEY.child("fire", step))
    g = bar.state.g.astype(np.float64)
    for tile, (top, bottom) in enumerate(bar.tiling.row_cuts):
        assert np.allclose(bar.cells.lines.columns[tile], g[top:bottom].sum(axis=0), rtol=1e-12, atol=0)
    for tile in range(bar.tiling.column_tiles):
        part = g[:, tile * TILE[1] : (tile + 1) * TILE[1]]
        assert np.allclose(bar.cells.lines.rows[:, tile], part.sum(axis=1), rtol=1e-12, atol=0)


def test_cells_without_pulses_are_not_visited() -> None:
    """A number that is none in a pair without pulses would spoil every sum that is formed over the cells."""
    bar = passive("memristor")
    counts = np.zeros(SHAPE, np.int32)
    counts[3, 5] = counts[40, 200] = 2
    bar.state.g[3, 20:22] = np.nan
    events = bar.pulse(counts)
    assert np.isfinite(events.integrals["half.v2gt"]) and events.integrals["half.v2gt"] > 0


@pytest.mark.parametrize("name", ["rows", "columns"])
def test_sums_are_checked_when_saved_and_restored_to_the_bit(name: str) -> None:
    """A sum that is wrong is found; an array that is restored goes on as the one that was saved."""
    bar, other = passive("memristor"), passive("memristor")
    rng = np.random.default_rng(7)

    def some() -> np.ndarray:
        return np.where(rng.random(SHAPE) < 0.01, 1, 0).astype(np.int32)

    for step in range(5):
        bar.pulse(some(), key=KEY.child("pulse", step))
    kept = bar.save()
    other.restore(kept)
    counts = some()
    one, two = (array.pulse(counts, key=KEY.child("next")) for array in (bar, other))
    assert one.integrals == two.integrals and one.counts == two.counts
    getattr(bar.cells.lines, name)[1] *= 1.01
    with pytest.raises(ArithmeticError, match="running sums"):
        bar.save()
