"""Devices: one file a model. `DEVICES` names what `load_device` knows by name."""

from __future__ import annotations

from types import MappingProxyType

MODELS = MappingProxyType(
    {
        "ideal": "hardware_models.devices.ideal:Ideal",
        "exponential_step": "hardware_models.devices.exponential_step:ExponentialStep",
    }
)
"""Models of devices by name; a parameter file names one of them."""

PUBLISHED = MappingProxyType({"memristor": "wu2018_taox_hfox", "wu2018_taox_hfox": "wu2018_taox_hfox"})
"""Published devices by name -> parameter file in hardware_models/parameters."""
