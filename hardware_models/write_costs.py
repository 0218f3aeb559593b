"""What a write did, as events: selected and half-selected cells, line charges, V²Gt at the true conductance, time."""

from __future__ import annotations

import numpy as np

from hardware_models.devices.base import BaseDevice
from hardware_models.events import Events
from hardware_models.tiles import Tiling


def write_pulse(device: BaseDevice, polarity: int) -> tuple[float, float]:
    """Return voltage [V] and width [s] of a pulse."""
    return (device.v_up, device.t_up) if polarity > 0 else (device.v_down, device.t_down)


def train(
    device: BaseDevice, shape: tuple[int, int], mean_sum: float, hits: int, row_lines: int, column_lines: int, slots: int,
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


def priced(
    device: BaseDevice, tiling: Tiling, sums: np.ndarray, slots: np.ndarray, half: tuple[int, np.ndarray] | None = None
) -> Events:
    """Return the events of a burst addressed row by row, from what `write_sums` returns.

    The tiles work side by side; each row takes its largest count in slots. half: of a passive array, number of
    half-selected cells and the sum of their conductance [S] by polarity, from `LineSums.half_selected`.
    """
    up_g, down_g, up_n, down_n = sums.sum(axis=0)
    per_tile = np.add.reduceat(slots, [a for a, _ in tiling.row_cuts], axis=0)
    seconds = float((per_tile[:, :, 0] * device.t_up + per_tile[:, :, 1] * device.t_down).max())
    selected, row_slots = int(up_n + down_n), int(slots.sum())
    counts = {"write.selected": selected, "write.line_charges": row_slots + selected}
    squares = np.array([device.v_up**2 * device.t_up, device.v_down**2 * device.t_down])  # V² t [V² s]
    at_half = 0.0
    if half is not None:
        counts["write.half"] = half[0]
        at_half = 0.25 * float(squares @ half[1])
    energy = squares[0] * up_g + squares[1] * down_g
    return Events(counts, {"write.v2gt": float(energy), "half.v2gt": at_half, "time": seconds})
