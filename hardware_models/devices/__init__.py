"""Devices: one file a model. `MODELS` and `PUBLISHED` name what `load_device` knows by name."""

from __future__ import annotations

from pathlib import Path
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
        "phase_change": "hardware_models.devices.phase_change:PhaseChange",
        "ferroelectric": "hardware_models.devices.ferroelectric:Ferroelectric",
        "electrochemical": "hardware_models.devices.electrochemical:Electrochemical",
        "floating_gate": "hardware_models.devices.floating_gate:FloatingGate",
        "magnetic": "hardware_models.devices.magnetic:Magnetic",
        "capacitor": "hardware_models.devices.capacitor:Capacitor",
        "programmed": "hardware_models.devices.programmed:Programmed",
    }
)
"""Models of devices by name; a parameter file names one of them."""

FOLDER = Path(__file__).resolve().parent.parent / "parameters"
PUBLISHED = MappingProxyType(
    {"memristor": "wu2018_taox_hfox"} | {name: name for name in sorted(file.stem for file in FOLDER.glob("*.toml"))}
)
"""Published devices by name -> parameter file: every file of hardware_models/parameters, and "memristor" as a second name."""
