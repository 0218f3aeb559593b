"""Events of a write: selected and half-selected cells, line charges, V²Gt at the true conductance, time."""

from __future__ import annotations

import numpy as np

from hardware_models.devices.base import BaseDevice
from hardware_models.events import Events
from hardware_models.tiles import Tiling


def write_pulse(device: BaseDevice, polarity: int) -> tuple[float, float]:
    """Return the voltage [V] and the width [s] of the device's pulse of a polarity."""
    return (device.v_up, device.t_up) if polarity > 0 else (device.v_down, device.t_down)


def train(
    device: BaseDevice, shape: tuple[int, int], mean_sum: float, hits: int, row_lines: int, column_lines: int, slots: int,
    polarity: int, half: float,
) -> Events:  # fmt: skip
    """Return the events of coinciding pulse trains on an array of `shape` = (rows, columns) weights.

    mean_sum is the sum over hits of the mean conductance during a pulse [S], hits the number of coincidences, row_lines and
    column_lines are the numbers of pulses on the lines, and half is the sum of the half-selected conductances [S].
    """
    v, t = write_pulse(device, polarity)
    rows, columns = shape
    counts = {"write.selected": hits, "write.line_charges": row_lines + column_lines}
    if device.access == "passive":
        counts["write.half"] = row_lines * 2 * columns + column_lines * rows - 2 * hits
    own = device.pulse_energy(polarity > 0)
    joule = v * v * t * mean_sum if own is None else own * hits
    integrals = {"write.v2gt": joule, "half.v2gt": 0.25 * v * v * t * half, "time": slots * t}
    return Events(counts, integrals)


def priced(
    device: BaseDevice, tiling: Tiling, sums: np.ndarray, slots: np.ndarray, half: tuple[int, np.ndarray] | None = None
) -> Events:
    """Return the events of a burst that is addressed row by row, from the results of `write_sums`.

    The tiles work at the same time; each row takes as many slots as its largest count. For a passive array, `half` holds the
    number of half-selected cells and the sum of their conductance [S] by polarity, from `LineSums.half_selected`.
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
    joules = [
        (square * g if own is None else own * n)
        for square, g, n, own in zip(
            squares, (up_g, down_g), (up_n, down_n), map(device.pulse_energy, (True, False)), strict=True
        )
    ]
    energy = joules[0] + joules[1]
    return Events(counts, {"write.v2gt": float(energy), "half.v2gt": at_half, "time": seconds})
