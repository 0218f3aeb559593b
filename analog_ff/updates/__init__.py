"""Update schemes: the ways in which a wanted outer product reaches the array."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from analog_ff.registry.options import option
from analog_ff.registry.rows import UpdateKind

ROUNDINGS = ("stochastic", "nearest", "truncate")
"""Ways to round an update to whole pulses."""


@dataclass(frozen=True, kw_only=True)
class AverageOptions:
    """Options of updates with a leaky average in digital memory."""

    momentum: float = option(0.98, "mu, what the leaky average keeps from batch to batch [1]", low=0.0, high=0.9999)
    rounding: str = option("stochastic", "rounding of an update to whole pulses", choices=ROUNDINGS)
    write_every: int = option(
        1, "updates that are gathered before the average is visited and pulses are fired", low=1, high=1_000_000
    )


@dataclass(frozen=True, kw_only=True)
class CoincidenceOptions:
    """Options of coincident pulse trains."""

    slots: int = option(10, "pulse slots per sample", low=1, high=1000)


UPDATES = MappingProxyType(
    {
        "accumulate": UpdateKind(
            "analog_ff.updates.accumulate:Accumulate",
            "a leaky average, then whole pulses",
            options=(AverageOptions,),
            memory_bits=32,
        ),
        "accumulate-int8": UpdateKind(
            "analog_ff.updates.accumulate_int8:AccumulateInt8",
            "the average in 8 bits",
            options=(AverageOptions,),
            memory_bits=8,
        ),
        "coincidence": UpdateKind(
            "analog_ff.updates.coincidence:Coincidence",
            "pulse trains that meet, no memory",
            options=(CoincidenceOptions,),
            rows_together=True,
        ),
    }
)
"""Update schemes by name."""
