"""Declare the numbers of a device at their fields: SI unit and the range that physics allows."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import field, fields
from types import MappingProxyType
from typing import TypedDict


class Said(TypedDict, total=False):
    """Metadata that `si` attaches to a number: its SI unit, and its range."""

    unit: str
    low: float
    high: float
    low_open: bool


def si(unit: str, low: float, high: float, default: float | None = None, *, low_open: bool = False) -> float:
    """Declare a number of a device: its SI unit and the range that physics allows, checked at construction."""
    metadata: Said = {"unit": unit, "low": low, "high": high, "low_open": low_open}
    if default is not None:
        return field(default=default, metadata=metadata)
    required: float = field(metadata=metadata)
    return required


def declared(model: type) -> Mapping[str, Said]:
    """Return unit and range of every number of a model, also of those to which a subclass gave another default.

    Empty where nothing was said.
    """
    return _declared(model)


@functools.cache  # for each class: a fit makes thousands of devices of one
def _declared(model: type) -> Mapping[str, Said]:
    found: dict[str, Said] = {}
    for spec in fields(model):
        parents = (getattr(kind, "__dataclass_fields__", {}).get(spec.name) for kind in model.__mro__)
        said = (parent.metadata for parent in parents if parent is not None and parent.metadata)
        found[spec.name] = {**next(said, Said())}
    return MappingProxyType(found)
