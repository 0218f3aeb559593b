"""Physics: devices, crossbars, converters, neurons and chips, in SI units. Names are imported when first used."""

from __future__ import annotations

from typing import Any

_PUBLIC = {
    "Chip": "hardware_models.chip",
    "ChipPort": "hardware_models.port",
    "Crossbar": "hardware_models.crossbar",
    "Events": "hardware_models.events",
    "Key": "hardware_models.keys",
    "Ledger": "hardware_models.events",
    "MissingPinError": "hardware_models.port",
    "ProcessPort": "hardware_models.process_port",
    "RunError": "hardware_models.check",
    "SealedChipError": "hardware_models.port",
    "Tally": "hardware_models.events",
    "UsageError": "hardware_models.check",
    "examine_device": "hardware_models.testing",
    "load_device": "hardware_models.devices.load",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'hardware_models' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
