"""What a run took of the devices' lives: pulses per device, against the endurance where it is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def wear(
    selected: int, devices: int, device: Mapping[str, Any], most: int | None = None
) -> dict[str, float | int | None]:
    """Return the pulses that a device got and the share of its life that they took.

    Parameters
    ----------
    selected : int
        Pulses on selected devices of all phases, programming included (``write.selected``).
    devices : int
        Devices of the chip, two a weight.
    device : mapping
        The device's description; its endurance stands under ``wear`` where it has one.
    most : int, optional
        Pulses of the device that got most, where the cells could be looked at.

    Returns
    -------
    dict
        ``pulses_per_device``, ``pulses_most``, ``endurance``, ``life_used`` (mean over endurance) and ``life_used_most``; None
        where unknown.
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
