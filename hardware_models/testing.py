"""The examination that every device sits, built-in or yours: ``examine_device(MyDevice()).raise_if_failed()``.

Each check has a name, a verdict and a sentence. `load_device` makes every device pass the quick part; the whole is for
a pytest of your own and for ``python -m analog_ff devices examine``.
"""

from __future__ import annotations

from hardware_models.devices.base import Device
from hardware_models.examination.examine import examined
from hardware_models.examination.quick import QUICK
from hardware_models.examination.verdict import Check, Examination
from hardware_models.examination.whole import WHOLE
from hardware_models.load import load_device

__all__ = ["QUICK", "WHOLE", "Check", "Examination", "examine_device"]


def examine_device(device_or_spec: str | Device, *, quick: bool = False) -> Examination:
    """Return the examination of a device, or of what `load_device` makes of a string.

    Parameters
    ----------
    device_or_spec : Device or str
        The device, or its name, file or class as in ``--device``.
    quick : bool
        Only shapes, bounds, zero pulses, windows and shared state, a few milliseconds.
    """
    return examined(load_device(device_or_spec) if isinstance(device_or_spec, str) else device_or_spec, quick=quick)
