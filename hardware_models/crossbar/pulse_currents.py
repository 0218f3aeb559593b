r"""The current that a pulsed cell draws from its lines.

.. math:: I = V G \quad\text{(a pulse through the channel)}, \qquad I = C_{gate} V / t \quad\text{(a pulse on a gate)}

A cell with a third terminal (``c_gate`` of its device: ECRAM, FeFET, SONOS) is written by its gate, and no current flows through
its channel. The charge C_gate V of n gates, spread over the width t of the pulse, is a mean current n C_gate V/t on their line.
It flows back after the pulse, and a line that carries currents both ways lives orders of magnitude longer than one with the same
direct current (J. Tao, N. W. Cheung, C. Hu, Metal electromigration damage healing under bidirectional current stress, IEEE
Electron Device Letters 14, 554 (1993), abstract). The mean current of one direction is therefore an upper bound of what counts.

The charge of the line itself is left out, here and in reads; its energy is a price of the technology (``write.line_charges``).
"""

from __future__ import annotations

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice
from hardware_models.devices.gate import charging
from hardware_models.tiles import Tiling

Sums = tuple[np.ndarray, np.ndarray]
"""Sums of g along the lines of each tile [S]: word lines (rows, U) and bit lines (T, bit lines)."""


class PulseCurrents:
    """The currents per volt of the cells of `device` while they are pulsed.

    `g_max` is the largest nominal conductance of a cell with its access transistor [S].
    Raises UsageError for a gate that is charged by pulses of no width.
    """

    def __init__(self, device: BaseDevice, g_max: float) -> None:
        volts, seconds = (device.v_up, device.v_down), (device.t_up, device.t_down)
        self.volts = np.array(volts)
        self.gate: np.ndarray | None = None
        """C_gate/t of a pulse up and down [S], (2,); None where pulses flow through the channel."""
        if device.c_gate > 0.0:
            if any(v > 0.0 and t == 0.0 for v, t in zip(volts, seconds, strict=True)):
                raise UsageError(
                    f"device '{device.name}' has a gate (c_gate) that a pulse of 0 s charges, with an infinite current: give "
                    "t_up and t_down above 0 s."
                )
            self.gate = np.array([charging(device.c_gate, t) for t in seconds])
        self.nominal: np.ndarray = self.volts * (g_max if self.gate is None else self.gate)
        """Largest nominal current of a cell that is pulsed up and down [A], (2,)."""

    def of(self, most: np.ndarray, up: np.ndarray | bool) -> np.ndarray:
        """Return the currents of pulsed cells per volt [S]: their larger conductance `most`, or the charge of their gates.

        up : whether pulses are upwards; an array of the shape of `most`, or one for all.
        """
        if self.gate is None:
            return most
        drawn: np.ndarray = np.where(np.broadcast_to(up, most.shape), self.gate[0], self.gate[1])
        return drawn.astype(np.float32)

    def beside(self, sums: Sums | None, tiling: Tiling) -> Sums | None:
        """Return the sums of the currents per volt [S] over the lines of a passive array, whose half-selected cells see a half.

        sums : those of the conductances. Of gates, the larger of the two polarities stands for both.
        """
        if sums is None or self.gate is None:
            return sums
        gate = float(self.gate.max())
        wide, high = (np.array([b - a for a, b in cuts], np.float64) for cuts in (tiling.column_cuts, tiling.row_cuts))
        return np.tile(gate * wide, (tiling.rows, 1)), np.tile(gate * high[:, None], (1, tiling.bit_lines))
