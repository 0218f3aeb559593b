"""The effects of a run that can be switched off one by one: for an ablation, and as the best value of what has no levels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from analog_ff.config.array_parts import ADC_FAULTS, DAC_FAULTS, FAULTS
from analog_ff.config.config import Config
from analog_ff.plain import Document
from hardware_models.devices.base import BaseDevice

FAULTLESS: Document = {
    **dict.fromkeys((*ADC_FAULTS, *DAC_FAULTS), 0.0),
    "calibrate": "none",
    "calibration_reads": Config.calibration_reads,
}
"""Choices of a run whose converters have no errors, and nothing to calibrate."""


@dataclass(frozen=True)
class Switch:
    """One effect and the choices of a run that is free of it."""

    label: str
    off: Document
    of_device: str = ""  # the name by which `BaseDevice.without` knows it; "": it is not of the device
    idle: Callable[[Config, BaseDevice], bool] = lambda config, device: False
    """Tells that a run has the effect switched on and feels nothing of it."""

    def on(self, config: Config, device: BaseDevice) -> bool:
        """Tell whether a run on `device` has the effect."""
        if all(getattr(config, name) == value for name, value in self.off.items()) or self.idle(config, device):
            return False
        return not self.of_device or device.without(**{self.of_device: True}) != device


def _no_noise_is_added(config: Config, device: BaseDevice) -> bool:
    """Tell whether the read noise of the device contains the Johnson noise, and there is no shot noise beside it."""
    return config.read_noise and device.read_noise_contains_thermal and not config.shot_noise


SWITCHES: Mapping[str, Switch] = {
    "read noise": Switch("read noise of the cells", {"read_noise": False}, "read_noise"),
    "access transistors": Switch(
        "access transistors", {"access_transistor": False}, idle=lambda config, device: not device.r_access
    ),
    "line noise": Switch(
        "Johnson and shot noise of the lines",
        {"johnson_noise": False, "chip_temperature": Config.chip_temperature, "shot_noise": 0.0},
        idle=_no_noise_is_added,
    ),
    "write noise": Switch("noise of the pulses", {"write_noise": False}, "write_noise"),
    "device spread": Switch("spread from cell to cell", {"device_spread": False}, "spread"),
    "step nonlinearity": Switch("steps that depend on the state", {"step_nonlinearity": False}, "nonlinearity"),
    "converters": Switch("steps of the converters", {"dac": None, "adc": None, **FAULTLESS}),
    "converter faults": Switch("faults of the converters", FAULTLESS),
    "wires": Switch(
        "resistance of the wires", {"wires": "off", "wire_resistance": None, "wire_tolerance": Config.wire_tolerance}
    ),
    "line groups": Switch(
        "groups of lines that keep the current limit", {"line_groups": "off", "current_margin": Config.current_margin}
    ),
    "faults": Switch("stuck cells and dead lines", {**dict.fromkeys(FAULTS, 0.0), "fault_map": None}),
    "wear": Switch("wear", {"endurance": None, "endurance_spread": 0.0}),
    "retention": Switch("retention", {"retention": None}),
    "failures": Switch("cells that fail with time", {"failure_time": None, "failure_high": Config.failure_high}),
}
"""Name of each effect -> what it is and how a run is free of it."""
