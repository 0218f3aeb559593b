"""Update schemes: the ways in which a wanted outer product reaches the array."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from analog_ff.registry.options import option
from analog_ff.registry.rows import Only, UpdateKind
from analog_ff.updates.consolidation import ConsolidationOptions
from hardware_models.check import UsageError

CANCELS = ("none", "inversion", "choppers", "zero-shift")
"""Ways to cancel what a fast cell adds by itself; see `analog_ff.updates.signs`."""

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


@dataclass(frozen=True, kw_only=True)
class FastCellOptions:
    """Cells of a fast array."""

    fast_device: str | None = option(
        None,
        "device of the fast cells, as --device takes it",
        shown="li2018_3t1c with capacitor, else that of --device",
        later=True,
    )
    fast_cells: str = option(
        "differential",
        "differential: two fast cells a weight, both pulsed; single-ended: one against a reference",
        choices=("differential", "single-ended"),
        later=True,
    )


@dataclass(frozen=True, kw_only=True)
class FastArrayOptions:
    """Options of updates that gather on a fast array."""

    drive_limit: float = option(
        4.0, "drive |d| at which a column is on in every slot [units of z]", low=0.0, high=1e6, low_open=True,
        unit="units of z", later=True,
    )  # fmt: skip
    fast_range: float | None = option(
        None,
        "full scale of the converters of fast rows [of the cells' range]; default: a power of two that follows the readings",
        low=0.0,
        high=1.0,
        low_open=True,
        later=True,
    )
    cancel: str = option(
        "none",
        "what cancels asymmetry and zero offset of fast cells: inversion of all signs from period to period; choppers, signs of "
        "rows and columns drawn for each period; zero-shift, a reference that holds what the cells read at rest",
        choices=CANCELS,
        later=True,
    )
    cancel_every: int = option(
        100, "transfers in a period of --cancel", low=1, high=1_000_000, beside="cancel", later=True
    )


@dataclass(frozen=True, kw_only=True)
class LeakOptions:
    """Options of fast cells that forget by the chip's clock."""

    leak_time: float | None = option(
        None, "time constant with which fast cells forget [s]; default: that of their device", low=0.0, high=1e6, low_open=True,
        unit="s", later=True,
    )  # fmt: skip
    sample_rate: float | None = option(
        None, "images a second [1/s]; default: the rate at which a batch leaves --momentum of a fast cell", low=1e-3, high=1e12,
        unit="1/s", later=True,
    )  # fmt: skip

    @staticmethod
    def check(config: _Leaking) -> None:
        """Raise UsageError where both the sample rate and what follows from it are chosen."""
        if config.sample_rate is not None and config.momentum != AverageOptions.momentum:
            raise UsageError("--momentum follows from --sample-rate and the leak time: give one of the two.")


class _Leaking(Protocol):
    sample_rate: float | None
    momentum: float


@dataclass(frozen=True, kw_only=True)
class TikiTakaOptions:
    """Options of Tiki-Taka."""

    transfer_rate: float = option(
        0.02,
        "rho, share of the fast array that a batch is taken to forget [1]",
        low=0.0,
        high=1.0,
        low_open=True,
        later=True,
    )
    zero_pulses: int = option(
        500,
        "pairs of pulses that take a fast cell to its symmetric point",
        low=0,
        high=1_000_000,
        beside="cancel",
        later=True,
    )


@dataclass(frozen=True, kw_only=True)
class ChopperOptions:
    """Option of chopped Tiki-Taka."""

    chop_probability: float = option(
        0.1,
        "probability that a row changes its sign after a transfer [1]",
        low=0.0,
        high=1.0,
        later=True,
    )


IN_BATCHES = {
    "network": Only(
        ("stack", "local", "convolution"), "counts batches by its updates, of which a recurrent network makes several"
    ),
    "schedule": Only(("interleaved", "greedy"), "gathers both passes of every batch"),
}
"""The choices that work with an update on two arrays."""

UPDATES = MappingProxyType(
    {
        "accumulate": UpdateKind(
            "analog_ff.updates.accumulate:Accumulate",
            "a leaky average, then whole pulses",
            options=(AverageOptions, ConsolidationOptions),
            memory_bits=32,
        ),
        "accumulate-int8": UpdateKind(
            "analog_ff.updates.accumulate_int8:AccumulateInt8",
            "the average in 8 bits",
            options=(AverageOptions, ConsolidationOptions),
            memory_bits=8,
        ),
        "coincidence": UpdateKind(
            "analog_ff.updates.coincidence:Coincidence",
            "pulse trains that meet, no memory",
            options=(CoincidenceOptions,),
            rows_together=True,
        ),
        "capacitor": UpdateKind(
            "analog_ff.updates.capacitor:Capacitor",
            "leaky capacitors are the average, no memory",
            options=(
                "momentum",
                "write_every",
                "slots",
                FastCellOptions,
                FastArrayOptions,
                LeakOptions,
                ConsolidationOptions,
            ),
            only={**IN_BATCHES, "chips": Only(("one",), "keeps the pace of one chip's clock")},
            rows_together=True,
            arrays=("fast",),
            fast_device="li2018_3t1c",
        ),
        "tiki-taka": UpdateKind(
            "analog_ff.updates.tiki_taka:TikiTaka",
            "a fast array that is read into the slow one, no memory",
            options=("write_every", "slots", FastCellOptions, FastArrayOptions, TikiTakaOptions, ConsolidationOptions),
            only=IN_BATCHES,
            rows_together=True,
            arrays=("fast",),
        ),
        "tiki-taka-v2": UpdateKind(
            "analog_ff.updates.tiki_taka:BufferedTikiTaka",
            "tiki-taka through a digital word a weight",
            options=("write_every", "slots", FastCellOptions, FastArrayOptions, TikiTakaOptions, ConsolidationOptions),
            only=IN_BATCHES,
            rows_together=True,
            memory_bits=32,
            arrays=("fast",),
        ),
        "tiki-taka-chopped": UpdateKind(
            "analog_ff.updates.tiki_taka:ChoppedTikiTaka",
            "tiki-taka-v2 with a sign a row that changes",
            options=(
                "write_every",
                "slots",
                FastCellOptions,
                FastArrayOptions,
                TikiTakaOptions,
                ChopperOptions,
                ConsolidationOptions,
            ),
            only={**IN_BATCHES, "cancel": Only(("none", "zero-shift"), "has choppers of its own")},
            rows_together=True,
            memory_bits=32,
            arrays=("fast",),
        ),
    }
)
"""Update schemes by name."""
