"""A chip behind its port: in this process, in one of its own, or several as one. Names are imported on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hardware_models.chip.chip import Chip
    from hardware_models.chip.oracle import SLOPE_STEP, Oracle

_PUBLIC = {
    "Chip": "hardware_models.chip.chip",
    "Oracle": "hardware_models.chip.oracle",
    "SLOPE_STEP": "hardware_models.chip.oracle",
}

__all__ = ["SLOPE_STEP", "Chip", "Oracle"]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'hardware_models.chip' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_PUBLIC[name]), name)
