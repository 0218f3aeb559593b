"""The plain values that a message carries: keys and events as numbers, and floats that JSON has no form for."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from hardware_models.check import CommandError, DeviceRangeError, RunError, UsageError, shown
from hardware_models.events import Events
from hardware_models.keys import Key

NUMBER = "number"
"""Sole entry of the object that stands for a float without a form in JSON: {"number": "inf"}, "-inf" or "nan"."""
ERRORS: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (UsageError, RunError, DeviceRangeError, CommandError, ValueError, TypeError, IndexError, KeyError,
                 RuntimeError, MemoryError, ZeroDivisionError, OverflowError, AttributeError, NotImplementedError)
}  # fmt: skip
"""Errors that keep their class on the way; any other one is a RunError on the side that asked."""


def to_json(name: str, value: object) -> object:
    """Return a plain value as JSON holds it; raise ValueError for a value that is none."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.generic):
        return to_json(name, value.item())
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {NUMBER: str(float(value))}
    if isinstance(value, Mapping):
        return {str(key): to_json(name, one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(name, one) for one in value]
    raise TypeError(f"{name} should be a plain value, got {shown(value)}.")


def from_json(value: object) -> object:
    """Return the value for which a JSON value stands."""
    if isinstance(value, list):
        return [from_json(one) for one in value]
    if isinstance(value, dict):
        if value.keys() == {NUMBER} and value[NUMBER] in ("inf", "-inf", "nan"):
            return float(value[NUMBER])
        return {key: from_json(one) for key, one in value.items()}
    return value


def key_entries(key: Key | None) -> dict[str, object]:
    """Return the entries ``key`` and ``step`` of a message, both None without a key."""
    if key is None:
        return {"step": None, "key": None}
    return {"step": int(key.step), "key": {"seed": int(key.seed), "purpose": key.purpose}}


def key_of(entries: Mapping[str, object]) -> Key | None:
    """Return the key of a message; raise ValueError if its entries are none."""
    key, step = entries.get("key"), entries.get("step")
    if key is None:
        return None
    if not isinstance(key, dict) or type(key.get("seed")) is not int or not isinstance(key.get("purpose"), str):
        raise ValueError(f"a key is an object of a whole seed and a purpose, got {shown(key)}.")
    if type(step) is not int:
        raise ValueError(f"the step of a key is a whole number, got {shown(step)}.")
    return Key(key["seed"], key["purpose"], step)


def events_entry(events: Events) -> dict[str, object]:
    """Return events as the entry ``events`` of a message."""
    return {"counts": dict(events.counts), "integrals": dict(events.integrals)}


def events_of(entry: object) -> Events:
    """Return the events of an entry, none without one; raise ValueError for what is no count or no integral."""
    if entry is None:
        return Events()
    given = entry if isinstance(entry, dict) else {"counts": entry}
    counts, integrals = given.get("counts", {}), given.get("integrals", {})
    if not isinstance(counts, dict) or not all(type(n) is int for n in counts.values()):
        raise ValueError(f"counts of events are whole numbers by name, got {shown(counts)}")
    if not isinstance(integrals, dict) or not all(_is_amount(q) for q in integrals.values()):
        raise ValueError(f"integrals of events are numbers from 0 on by name, got {shown(integrals)}")
    return Events(counts, integrals)


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value < math.inf


def error_entry(error: Exception, said: str, known: Mapping[str, type[Exception]] = ERRORS) -> dict[str, object]:
    """Return the entry ``error`` of an answer: its class, where that is a known one, and its sentence."""
    kind = type(error).__name__
    same = known.get(kind) is type(error)
    return {"kind": kind, "message": str(error)} if same else {"kind": "RunError", "message": said}
