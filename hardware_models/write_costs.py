"""What a write did, as events: selected and half-selected cells, line charges, V²Gt at the true conductance, time."""

from __future__ import annotations

from typing import Any

import numpy as np

from hardware_models.events import Events
from hardware_models.kernels.pulses import write_sums
from hardware_models.tiles import Tiling


def write_pulse(device: Any, polarity: int) -> tuple[float, float]:
    """Return voltage [V] and width [s] of a pulse."""
    return (device.v_up, device.t_up) if polarity > 0 else (device.v_down, device.t_down)


def train(
    device: Any, shape: tuple[int, int], mean_sum: float, hits: int, row_lines: int, column_lines: int, slots: int,
    polarity: int, half: float,
) -> Events:  # fmt: skip
    """Return the events of coinciding pulse trains on an array of `shape` weights.

    mean_sum: sum over hits of the mean conductance of a pulse [S]; hits: coincidences; row_lines, column_lines: pulses
    driven on lines; half: sum of the half-selected conductances [S].
    """
    v, t = write_pulse(device, polarity)
    rows, columns = shape
    counts = {"write.selected": hits, "write.line_charges": row_lines + column_lines}
    if device.access == "passive":
        counts["write.half"] = row_lines * 2 * columns + column_lines * rows - 2 * hits
    integrals = {"write.v2gt": v * v * t * mean_sum, "half.v2gt": 0.25 * v * v * t * half, "time": slots * t}
    return Events(counts, integrals)


def burst(device: Any, tiling: Tiling, before: np.ndarray, after: np.ndarray, pulses: np.ndarray) -> Events:
    """Return the events of a burst addressed row by row; all arrays (rows, bit lines), conductances in S.

    The tiles work side by side; each row takes its largest count in slots.
    """
    sums, slots = write_sums(before, after, pulses, tiling.tile_columns)
    half = 0, 0.0
    if device.access == "passive":
        half = _half_selected(device, tiling, 0.5 * (before.astype(np.float64) + after), pulses)
    return priced(device, tiling, sums, slots, half)


def priced(
    device: Any, tiling: Tiling, sums: np.ndarray, slots: np.ndarray, half: tuple[int, float] = (0, 0.0)
) -> Events:
    """Return the events of a burst from what `write_sums` returns, and half-selected cells [1] and their energy [J]."""
    up_g, down_g, up_n, down_n = sums.sum(axis=0)
    per_tile = np.add.reduceat(slots, [a for a, _ in tiling.row_cuts], axis=0)
    seconds = float((per_tile[:, :, 0] * device.t_up + per_tile[:, :, 1] * device.t_down).max())
    selected, row_slots = int(up_n + down_n), int(slots.sum())
    counts = {"write.selected": selected, "write.line_charges": row_slots + selected}
    if device.access == "passive":
        counts["write.half"] = half[0]
    energy = device.v_up**2 * device.t_up * up_g + device.v_down**2 * device.t_down * down_g
    return Events(counts, {"write.v2gt": float(energy), "half.v2gt": half[1], "time": seconds})


def _half_selected(device: Any, tiling: Tiling, mean: np.ndarray, pulses: np.ndarray) -> tuple[int, float]:
    """Return number [1] and energy [J] of half-selected cells of a burst, from the mean conductance of each cell [S].

    In a slot the row and the selected columns of a tile are driven: every other cell on them sees half the voltage.
    """
    number, joule = 0, 0.0
    for top, bottom in tiling.row_cuts:
        for left in range(0, tiling.bit_lines, tiling.tile_columns):
            place = np.s_[top:bottom, left : left + tiling.tile_columns]
            g = mean[place]
            for polarity in (1, -1):
                n = np.maximum(polarity * pulses[place].astype(np.int64), 0)
                slots = n.max(axis=1)
                v, t = write_pulse(device, polarity)
                number += int(slots.sum()) * g.shape[1] + int(n.sum()) * g.shape[0] - 2 * int(n.sum())
                sums = slots @ g.sum(axis=1) + n.sum(axis=0) @ g.sum(axis=0) - 2.0 * (n * g).sum()
                joule += 0.25 * v * v * t * float(sums)
    return number, joule
