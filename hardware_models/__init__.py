"""Physics of the hardware: devices, crossbars, converters, neurons and chips, in SI units. Names are imported on first use."""

from __future__ import annotations

from typing import Any

_PUBLIC = {
    "AdcFaults": "hardware_models.converters.faults",
    "BaseDevice": "hardware_models.devices.base",
    "Chip": "hardware_models.chip.chip",
    "ChipPort": "hardware_models.port",
    "Crossbar": "hardware_models.crossbar.crossbar",
    "DacFaults": "hardware_models.converters.faults",
    "Device": "hardware_models.devices.base",
    "Events": "hardware_models.events",
    "Failing": "hardware_models.devices.failing",
    "Key": "hardware_models.keys",
    "Ledger": "hardware_models.events",
    "LineNoise": "hardware_models.crossbar.line_noise",
    "MissingPinError": "hardware_models.port",
    "PowerDrift": "hardware_models.devices.power_drift",
    "ProcessPort": "hardware_models.chip.process_port",
    "Retention": "hardware_models.devices.retention",
    "RunError": "hardware_models.check",
    "SealedChipError": "hardware_models.port",
    "Tally": "hardware_models.events",
    "Technology": "hardware_models.energy.load",
    "UsageError": "hardware_models.check",
    "Wear": "hardware_models.devices.wear",
    "examine_device": "hardware_models.testing",
    "fit_file": "hardware_models.fitting",
    "gathered": "hardware_models.devices.base",
    "hashed": "hardware_models.kernels.random",
    "load_device": "hardware_models.load",
    "load_nonlinearity": "hardware_models.nonlinearities.base",
    "load_technology": "hardware_models.energy.load",
    "quantile_middles": "hardware_models.kernels.random",
    "serve_chip": "hardware_models.chip.served",
    "serve_neurons": "hardware_models.protocol.server",
    "si": "hardware_models.devices.base",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'hardware_models' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
