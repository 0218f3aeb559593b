"""Wear of a run: pulses per device, compared with the device's endurance if it is known.

The endurance is the one by which the cells of the run wore out. A device without one is compared with the endurance that the
source of its parameter file gives: nothing in the run depended on that figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hardware_models.load import published_endurance


def wear(
    selected: int, devices: int, device: Mapping[str, Any], most: int | None = None
) -> dict[str, float | int | str | None]:
    """Return the number of pulses per device and the share of a device's life that they used.

    Parameters
    ----------
    selected : int
        Number of pulses on selected devices in all phases, including programming (``write.selected``).
    devices : int
        Number of devices on the chip, two a weight.
    device : mapping
        The device's description; its endurance, if it has one, is an entry of ``wear``. By its ``name`` the published one is
        found.
    most : int, optional
        Number of pulses of the most-used device, if the chip allows its cells to be inspected.

    Returns
    -------
    dict
        ``pulses_per_device``, ``pulses_most``, ``endurance``, ``endurance_of`` ("the run", "a publication"), ``life_used`` (mean
        pulses divided by endurance) and ``life_used_most``; an unknown value is None.
    """
    endurance, whose = (device.get("wear") or {}).get("endurance"), "the run"
    if endurance is None:
        endurance, whose = published_endurance(str(device.get("name"))), "a publication"
    mean = selected / devices
    return {
        "pulses_per_device": mean,
        "pulses_most": most,
        "endurance": endurance,
        "endurance_of": None if endurance is None else whose,
        "life_used": None if endurance is None else mean / endurance,
        "life_used_most": None if endurance is None or most is None else most / endurance,
    }
