"""The current that charges the gate of a cell with a third terminal."""

from __future__ import annotations


def charging(c_gate: float, seconds: float) -> float:
    """Return the mean current per volt that charges a gate of `c_gate` [F] in `seconds`, C_gate/t [S]; 0 for 0 s."""
    return c_gate / seconds if seconds > 0.0 else 0.0
