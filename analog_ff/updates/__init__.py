"""How a wanted outer product reaches the array."""

from __future__ import annotations

from types import MappingProxyType

UPDATES = MappingProxyType(
    {
        "accumulate": "analog_ff.updates.accumulate:Accumulate",
        "accumulate-int8": "analog_ff.updates.accumulate_int8:AccumulateInt8",
        "coincidence": "analog_ff.updates.coincidence:Coincidence",
    }
)
"""Update schemes by name."""
