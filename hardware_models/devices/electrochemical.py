"""Electrochemical random-access memory (ECRAM): near-linear, near-symmetric steps and a small relaxation.

Ions move in and out of a channel, a little with each pulse. The equation is that of `devices/linear_decay.py`, with
noise as a share of the step or additive; between pulses the cell relaxes slowly to `rest`, the channel's equilibrium.
"""

from __future__ import annotations

from dataclasses import dataclass

from hardware_models.devices.base import si
from hardware_models.devices.linear_decay import LinearDecay


@dataclass(frozen=True, kw_only=True)
class Electrochemical(LinearDecay):
    """Near-linear device of electrochemical cells; see `devices/linear_decay.py` for the equation."""

    name: str = "electrochemical"
    rest: float = si("1", 0.0, 1.0, 0.5)  # rest value as a share of the range
