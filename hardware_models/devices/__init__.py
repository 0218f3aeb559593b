"""Devices: one file a model. `DEVICES` names what `load_device` knows by name."""

from __future__ import annotations

from types import MappingProxyType

MODELS = MappingProxyType(
    {
        "ideal": "hardware_models.devices.ideal:Ideal",
        "exponential_step": "hardware_models.devices.exponential_step:ExponentialStep",
        "constant_step": "hardware_models.devices.constant_step:ConstantStep",
        "linear_step": "hardware_models.devices.linear_step:LinearStep",
        "soft_bounds": "hardware_models.devices.soft_bounds:SoftBounds",
        "exponential_activity": "hardware_models.devices.exponential_activity:ExponentialActivity",
        "power_step": "hardware_models.devices.power_step:PowerStep",
        "piecewise": "hardware_models.devices.piecewise:Piecewise",
        "measured": "hardware_models.devices.measured:Measured",
        "one_sided": "hardware_models.devices.one_sided:OneSided",
    }
)
"""Models of devices by name; a parameter file names one of them."""

PUBLISHED = MappingProxyType({"memristor": "wu2018_taox_hfox", "wu2018_taox_hfox": "wu2018_taox_hfox"})
"""Published devices by name -> parameter file in hardware_models/parameters."""
