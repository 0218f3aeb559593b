"""The two methods that a plug-in writes; all other members of a device have defaults (`hardware_models.devices.base`)."""

from __future__ import annotations

from typing import Never, Protocol, runtime_checkable

import numpy as np

from hardware_models.devices.state import CellState
from hardware_models.devices.windows import Window
from hardware_models.keys import Key


@runtime_checkable
class Device(Protocol):
    """The two methods of every plug-in: the interface between the simulator and a device, at the level of arrays."""

    def fabricate(self, shape: tuple[int, int], key: Key) -> CellState:
        """Return the fresh cells of one array: a NamedTuple of (rows, columns) arrays with a field g [S]."""
        ...

    def pulse(self, state: Never, pulses: np.ndarray, key: Key, window: Window | None = None) -> None:
        """Apply int32 pulse counts in place; positive raises g. With a window, pulses has the window's shape."""
        ...
