"""Wear of a run: pulses per device, compared with the device's endurance if it is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def wear(
    selected: int, devices: int, device: Mapping[str, Any], most: int | None = None
) -> dict[str, float | int | None]:
    """Return the number of pulses per device and the share of a device's life that they used.

    Parameters
    ----------
    selected : int
        Number of pulses on selected devices in all phases, including programming (``write.selected``).
    devices : int
        Number of devices on the chip, two a weight.
    device : mapping
        The device's description; its endurance, if it has one, is an entry of ``wear``.
    most : int, optional
        Number of pulses of the most-used device, if the chip allows its cells to be inspected.

    Returns
    -------
    dict
        ``pulses_per_device``, ``pulses_most``, ``endurance``, ``life_used`` (mean pulses divided by endurance) and
        ``life_used_most``; an unknown value is None.
    """
    known = device.get("wear") or {}
    endurance = known.get("endurance")
    mean = selected / devices
    return {
        "pulses_per_device": mean,
        "pulses_most": most,
        "endurance": endurance,
        "life_used": None if endurance is None else mean / endurance,
        "life_used_most": None if endurance is None or most is None else most / endurance,
    }
