"""A capacitor that holds the gate voltage of a read transistor: linear steps and an exponential leak.

Charge pulses change the voltage by equal steps; the charge leaks away with a time constant `tau` [s] per cell. The
equation is that of `devices/linear_decay.py`, with additive noise; the cell without charge rests at G_min unless
`rest` says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

from hardware_models.devices.base import si
from hardware_models.devices.linear_decay import LinearDecay


@dataclass(frozen=True, kw_only=True)
class Capacitor(LinearDecay):
    """Linear device that leaks; see `devices/linear_decay.py` for the equation."""

    name: str = "capacitor"
    tau: float = si("s", 0.0, 1e6, 1.0, low_open=True)  # time constant of the leak
