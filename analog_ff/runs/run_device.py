"""The device that a run names, with the single figures that it replaces, before any effect is switched off."""

from __future__ import annotations

from analog_ff.config.config import Config
from hardware_models.devices.base import BaseDevice
from hardware_models.examination.examine import examined
from hardware_models.load import load_device


def loaded_device(config: Config, *, written_once: bool = False) -> BaseDevice:
    """Return the device that a run names, with the figures that it replaces; that of `program_to` keeps its own."""
    if written_once:
        return load_device(str(config.program_to))
    device = load_device(config.device)
    if not config.figures:
        return device
    from hardware_models.devices.single_figures import with_figures

    device = with_figures(device, config.single_figures(), "--figure")
    if device.is_users:
        examined(device, quick=True).raise_if_failed()
    return device
