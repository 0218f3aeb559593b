"""Counted events: the operations of the hardware as integers, and the few physical integrals that cannot be counted.

Counters are values. Every operation of the chip returns `Events`; the caller adds them up by layer (`Tally`) and by
phase (`Ledger`). Energy is a pure function of events and a technology file (`hardware_models.energy`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypedDict, TypeVar

COUNTS: tuple[str, ...] = (
    "reads.cells", "reads.columns", "reads.transposed_cells", "reads.transposed_columns",
    "integrator", "comparator", "nonlinearity", "goodness", "normalise",
    "write.selected", "write.half", "write.further", "write.line_charges", "rng.bits",
    "sram.words_read", "sram.words_written",
)  # fmt: skip
_known = set(COUNTS)
FAMILIES: tuple[str, ...] = ("dac", "adc", "mac", "add")
"""Prefixes of names with a suffix: ``dac.<bits>``, ``adc.<bits>``, ``mac.<format>``, ``add.<format>``."""
INTEGRALS: Mapping[str, str] = MappingProxyType(
    {"read.v2g": "V^2*S", "write.v2gt": "J", "half.v2gt": "J", "further.write": "J", "time": "s"}
)
_INTEGRALS = frozenset(INTEGRALS)
N = TypeVar("N", int, float)
PHASES: tuple[str, ...] = ("program", "learn", "monitor", "infer")


def is_count(name: str) -> bool:
    """Tell whether `name` is the name of a counted event."""
    family, dot, suffix = name.partition(".")
    return name in COUNTS or (bool(dot) and bool(suffix) and family in FAMILIES)


class Events:
    """Counts of events and integrals over them; an immutable value that supports `+` and `sum`.

    Parameters
    ----------
    counts : mapping of str to int
        Number of events by name (`COUNTS` and `FAMILIES`); negative numbers raise ValueError.
    integrals : mapping of str to float
        Integrals by name, in the units of `INTEGRALS`.
    """

    __slots__ = ("_counts", "_integrals")

    def __init__(self, counts: Mapping[str, int] = {}, integrals: Mapping[str, float] = {}) -> None:
        if not counts.keys() <= _known:
            _learn(counts)
        if not integrals.keys() <= _INTEGRALS:
            wrong = next(name for name in integrals if name not in INTEGRALS)
            raise ValueError(f"no integral is called '{wrong}' (known: {', '.join(INTEGRALS)})")
        self._counts = {name: int(n) for name, n in counts.items()}
        self._integrals = {name: float(q) for name, q in integrals.items()}
        if self._counts and min(self._counts.values()) < 0:
            raise ValueError(f"counts of events cannot be negative: {self._counts}")

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of events by name."""
        return MappingProxyType(self._counts)

    @property
    def integrals(self) -> Mapping[str, float]:
        """Integrals by name, in the units of `INTEGRALS`."""
        return MappingProxyType(self._integrals)

    def __add__(self, other: Events) -> Events:
        if not isinstance(other, Events):
            return NotImplemented
        total = Events.__new__(Events)  # skips the checks: both terms have passed them
        total._counts = _sum(self._counts, other._counts)
        total._integrals = _sum(self._integrals, other._integrals)
        return total

    def __radd__(self, other: object) -> Events:
        return self if other == 0 else NotImplemented

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Events):
            return NotImplemented
        return _nonzero(self._counts) == _nonzero(other._counts) and _nonzero(self._integrals) == _nonzero(
            other._integrals
        )

    __hash__ = None  # type: ignore[assignment]

    def further(self) -> Events:
        """Return these events as those of an array beside the main one of its layer.

        Selected cells are counted as ``write.further`` and what their pulses and those of half-selected cells cost is
        ``further.write``: they are cells of another kind, which no figure of the main ones prices, and their pulses wear none
        of those.
        """
        counts, integrals = dict(self._counts), dict(self._integrals)
        counts["write.further"] = counts.pop("write.selected", 0) + counts.pop("write.half", 0)
        integrals["further.write"] = integrals.pop("write.v2gt", 0.0) + integrals.pop("half.v2gt", 0.0)
        return Events(counts, integrals)

    def __getitem__(self, name: str) -> int:
        if not is_count(name):
            raise KeyError(name)
        return self._counts.get(name, 0)

    def __repr__(self) -> str:
        return f"Events({_nonzero(self._counts)}, {_nonzero(self._integrals)})"


def _learn(names: Iterable[str]) -> None:
    """Add names of counted events to those that need no further look; raise ValueError for another name."""
    for name in names:
        if not is_count(name):
            raise ValueError(f"no event is called '{name}' (known: {', '.join(COUNTS)}, and {FAMILIES} with a suffix)")
        _known.add(name)


def _sum(a: dict[str, N], b: dict[str, N]) -> dict[str, N]:
    if not (a and b):
        return a or b  # no dictionary of an `Events` ever changes, so that two of them may share it
    total = dict(a)
    for name, value in b.items():
        total[name] = total.get(name, 0) + value
    return total


def _nonzero(values: Mapping[str, N]) -> dict[str, N]:
    return {name: value for name, value in values.items() if value}


class Tally:
    """Events by layer; layers are named ``"0"``, ``"1"``, ..., ``"readout"``, ``"shared"``."""

    def __init__(self, layers: Mapping[str, Events] = {}) -> None:
        self.layers: dict[str, Events] = dict(layers)

    def add(self, layer: int | str, events: Events) -> None:
        """Add events to a layer, in place."""
        name = str(layer)
        self.layers[name] = self.layers[name] + events if name in self.layers else events

    def __add__(self, other: Tally) -> Tally:
        total = Tally(self.layers)
        for name, events in other.layers.items():
            total.add(name, events)
        return total

    def total(self) -> Events:
        """Return the sum over all layers."""
        return sum(self.layers.values(), Events())


class Quantity(TypedDict):
    """An integral as a result holds it, with its unit."""

    value: float
    unit: str


class Saved(TypedDict):
    """The events of a layer as plain numbers."""

    counts: dict[str, int]
    integrals: dict[str, float]


class Booked(TypedDict):
    """Type of `Ledger.as_dict`: by phase, in all and by layer."""

    events: dict[str, dict[str, int]]
    events_by_layer: dict[str, dict[str, dict[str, int]]]
    integrals: dict[str, dict[str, Quantity]]
    integrals_by_layer: dict[str, dict[str, dict[str, Quantity]]]


class Ledger:
    """Tallies by phase: ``program``, ``learn``, ``monitor``, ``infer``."""

    def __init__(self) -> None:
        self._phases: dict[str, Tally] = {phase: Tally() for phase in PHASES}

    def phase(self, name: str) -> Tally:
        """Return the tally of one phase."""
        return self._phases[name]

    def book(self, phase: str, what: Tally | Events, layer: int | str | None = None) -> None:
        """Add a tally, or the events of one layer, to a phase."""
        tally = self._phases[phase]
        if isinstance(what, Events):
            tally.add("shared" if layer is None else layer, what)
            return
        for name, events in what.layers.items():
            tally.add(name, events)

    def as_dict(self) -> Booked:
        """Return ``events`` and ``integrals``, in total and by layer, in the form of result.json; all names are present."""
        extra = sorted({n for t in self._phases.values() for e in t.layers.values() for n in e.counts} - set(COUNTS))
        names = (*COUNTS, *extra)

        def full(events: Events) -> dict[str, int]:
            return {name: events.counts.get(name, 0) for name in names}

        def measured(events: Events) -> dict[str, Quantity]:
            return {n: {"value": events.integrals.get(n, 0.0), "unit": unit} for n, unit in INTEGRALS.items()}

        return {
            "events": {phase: full(tally.total()) for phase, tally in self._phases.items()},
            "events_by_layer": {
                phase: {layer: full(events) for layer, events in tally.layers.items()}
                for phase, tally in self._phases.items()
            },
            "integrals": {phase: measured(tally.total()) for phase, tally in self._phases.items()},
            "integrals_by_layer": {
                phase: {layer: measured(events) for layer, events in tally.layers.items()}
                for phase, tally in self._phases.items()
            },
        }

    def save(self) -> dict[str, dict[str, Saved]]:
        """Return the ledger as plain dictionaries of integers and floats."""
        return {
            phase: {
                layer: {"counts": dict(events.counts), "integrals": dict(events.integrals)}
                for layer, events in tally.layers.items()
            }
            for phase, tally in self._phases.items()
        }

    @classmethod
    def restore(cls, saved: Mapping[str, Mapping[str, Saved]]) -> Ledger:
        """Return a ledger restored from the dictionaries returned by `save`."""
        ledger = cls()
        for phase, layers in saved.items():
            for layer, parts in layers.items():
                ledger.book(phase, Events(parts["counts"], parts["integrals"]), layer)
        return ledger
