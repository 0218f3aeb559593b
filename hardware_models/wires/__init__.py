"""Exact currents of crossbars whose wires have resistance. Names are imported on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hardware_models.wires.currents import solve
    from hardware_models.wires.interconnect import Interconnect
    from hardware_models.wires.laws import Law, Polynomial, Selector, Sinh
    from hardware_models.wires.linear import Wires
    from hardware_models.wires.solution import Solution

_PUBLIC = {
    "Interconnect": "hardware_models.wires.interconnect",
    "Law": "hardware_models.wires.laws",
    "Polynomial": "hardware_models.wires.laws",
    "Selector": "hardware_models.wires.laws",
    "Sinh": "hardware_models.wires.laws",
    "Solution": "hardware_models.wires.solution",
    "Wires": "hardware_models.wires.linear",
    "solve": "hardware_models.wires.currents",
}

__all__ = ["Interconnect", "Law", "Polynomial", "Selector", "Sinh", "Solution", "Wires", "solve"]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'hardware_models.wires' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_PUBLIC[name]), name)
