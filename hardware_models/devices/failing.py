r"""Cells that fail as time goes by: more and more of them are stuck, for any device.

A cell fails at a time of its own, at the same rate in every second,

.. math:: T = -\tau \ln u, \qquad P(T \le t) = 1 - e^{-t/\tau}

with u uniform in (0, 1). From then on a read sees its own upper bound, with the probability `failure_high`, or its own lower
one, whatever is done to it; pulses on it still cost energy. A constant rate is the flat part of the bath-tub curve of reliability
(JEDEC JESD85); tau is the user's figure. Time is that of the chip's clock. Composes with any device, also with
one that has a law of time of its own: ``Failing.around(device, failure_time=1e8)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hardware_models.devices.base import si
from hardware_models.devices.drawn import bounds_of
from hardware_models.devices.state import CellState, extended, inside, remade
from hardware_models.devices.windows import Window
from hardware_models.devices.wrapper import Wrapper
from hardware_models.keys import Key


class FailingState(CellState, Protocol):
    """Entries that `Failing` adds to the state of the device inside."""

    @property
    def fails(self) -> np.ndarray:
        """Time from which each cell is stuck [s], float64."""
        ...

    @property
    def stuck(self) -> np.ndarray:
        """Conductance of each cell from then on [S], float32."""
        ...


@dataclass(frozen=True, kw_only=True)
class Failing(Wrapper[FailingState]):
    """Device whose cells fail one by one; see the module for the law."""

    failure_time: float = si("s", 0.0, 1e15, low_open=True)  # tau, the mean life of a cell
    failure_high: float = si("1", 0.0, 1.0, 0.5)  # probability that a failed cell is stuck at its upper bound

    def __post_init__(self) -> None:
        """Declare that what a read sees depends on the time."""
        super().__post_init__()
        object.__setattr__(self, "timed", True)  # the wrapper's own, not that of the device inside

    def fabricate(self, shape: tuple[int, int], key: Key) -> CellState:
        """Draw the time at which each cell fails, and where it is stuck then."""
        state = self.inner.fabricate(shape, key)
        drawn = key.child("failures").generator()
        fails = self.failure_time * drawn.exponential(size=shape)
        low, high = (np.broadcast_to(np.float32(bound), shape) for bound in bounds_of(self, state))
        return extended(state, fails=fails, stuck=np.where(drawn.random(shape) < self.failure_high, high, low))

    def pulse(
        self, state: FailingState, pulses: np.ndarray, key: Key, window: Window | None = None, *, time: float = 0.0
    ) -> None:
        """Pulse the device inside; no read sees any more what that does to a failed cell."""
        self.pulse_inside(state, pulses, key, window, time)

    def conductance(self, state: FailingState, time: float) -> np.ndarray:
        """Return the conductance at `time` [S], that of failed cells where they are stuck."""
        return np.where(state.fails <= time, state.stuck, self.inner.conductance(inside(state), time))

    def read_variance(self, state: FailingState, time: float) -> np.ndarray | float:
        """Return the noise of the inner device [S²], that of failed cells where they are stuck."""
        variance = super().read_variance(state, time)
        if np.ndim(variance) == 0:  # the same for every conductance
            return variance
        stored = inside(state)
        present = {**stored._asdict(), "g": np.where(state.fails <= time, state.stuck, stored.g)}
        return self.inner.read_variance(remade(stored, present.values()), time)
