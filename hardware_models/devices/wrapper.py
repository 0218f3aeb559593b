"""A device around a device: what wear, retention and faults have in common.

A wrapper has the numbers of the device inside, and a state of the inner fields followed by its own. It is built by
`around`; wrappers compose in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.adapted import TRAITS, Adapted, original
from hardware_models.devices.base import BaseDevice, Device, Own, Window
from hardware_models.devices.state import CellState, inside, remade
from hardware_models.keys import Key


@dataclass(frozen=True, kw_only=True)
class Wrapper(BaseDevice[Own]):
    """A device that changes what pulses, time or reads do to the device inside.

    Its state is that of the device inside, `extended` by arrays of its own.
    """

    inner: BaseDevice

    @classmethod
    def around(cls, device: Device, **numbers: object) -> Self:
        """Return the wrapper of `device`, with its numbers of the population and the wrapper's own."""
        if not isinstance(device, BaseDevice) or isinstance(device, Adapted):
            found = original(device) if isinstance(device, BaseDevice) else device
            raise UsageError(f"only a device derived from BaseDevice can be wrapped, got {type(found).__name__}.")
        given: Mapping[str, Any] = {f.name: getattr(device, f.name) for f in fields(BaseDevice)} | numbers
        return cls(inner=device, **given)

    def __post_init__(self) -> None:
        """Copy the class values that the crossbar asks of the inner device; raise UsageError for the same wrapper twice."""
        super().__post_init__()
        if any(isinstance(device, type(self)) for device in self.chain()[1:]):
            what = type(self).__name__.lower()
            raise UsageError(f"device {self.name} has {what} of its own already; it cannot be put around it again.")
        for name in TRAITS:
            object.__setattr__(self, name, getattr(self.inner, name))

    def chain(self) -> tuple[BaseDevice, ...]:
        """Return this wrapper, the devices inside it, and last the model."""
        inner = self.inner
        return (self, *(inner.chain() if isinstance(inner, Wrapper) else (inner,)))

    def pulse_inside(self, state: CellState, pulses: np.ndarray, key: Key, window: Window | None, time: float) -> None:
        """Hand pulses to the inner device."""
        self.inner.pulse_at(time, inside(state), pulses, key, window)

    @property
    def renews(self) -> bool:
        """True if the model has the strong pulse that refreshes pairs of a one-sided device."""
        return self.inner.renews

    def renew(self, state: Own, cells: np.ndarray, key: Key, *, time: float = 0.0) -> None:
        """Give the cells of a mask their strong pulse at `time` [s]."""
        self.inner.renew_at(time, inside(state), cells, key)

    def conductance(self, state: Own, time: float) -> np.ndarray:
        """Return the conductances that a read of the inner device sees [S]."""
        return self.inner.conductance(inside(state), time)

    def read_variance(self, state: Own, time: float) -> np.ndarray | float:
        """Return the noise of the inner device [S²]."""
        return self.inner.read_variance(inside(state), time)

    def wait(self, state: Own, seconds: float, key: Key) -> None:
        """Let the inner device's time pass."""
        self.inner.wait(inside(state), seconds, key)

    @property
    def leak_time(self) -> float:
        """The time constant with which the device inside forgets [s]."""
        return self.inner.leak_time

    @property
    def disturbs(self) -> bool:
        """True if a read changes the device inside."""
        return self.inner.disturbs

    def disturb(self, state: Own, reads: np.ndarray, time: float) -> None:
        """Change the device inside of word lines that were read."""
        self.inner.disturb(inside(state), reads, time)

    def pulse_energy(self, up: bool) -> float | None:
        """Return the energy of a pulse of the device inside [J]; None: V² G t."""
        return self.inner.pulse_energy(up)

    def imperfections(self) -> dict[str, list[str]]:
        """Return the wrapper's own; the inner device's are switched off by `without`."""
        return {"read_noise": [], "write_noise": [], "spread": []}

    def without(
        self, *, read_noise: bool = False, write_noise: bool = False, spread: bool = False, nonlinearity: bool = False
    ) -> BaseDevice:
        """Return this device with imperfections switched off, inside and outside."""
        inner = self.inner.without(
            read_noise=read_noise, write_noise=write_noise, spread=spread, nonlinearity=nonlinearity
        )
        off = dict.fromkeys(self.imperfections()["spread"] if spread else [], 0.0)
        return self.with_inside(inner, off)

    def with_read_time(self, seconds: float) -> BaseDevice:
        """Return this device read for another time [s], inside and outside."""
        return self.with_inside(self.inner.with_read_time(seconds), {})

    def with_inside(self, inner: BaseDevice, own: Mapping[str, float]) -> BaseDevice:
        """Return this wrapper around another device, with the numbers of that one and some of its own."""
        given: Mapping[str, Any] = {f.name: getattr(inner, f.name) for f in fields(BaseDevice)} | dict(own)
        return replace(self, inner=inner, **given)

    def describe(self) -> dict[str, object]:
        """Return the inner device's numbers, and the wrapper's own under its name."""
        return self.inner.describe() | {type(self).__name__.lower(): self.numbers()}

    def numbers(self) -> dict[str, float]:
        """Return the wrapper's own numbers [SI]."""
        common = {f.name for f in fields(BaseDevice)} | {"inner", "maps"}
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in common}


@dataclass(frozen=True, kw_only=True)
class TimedWrapper(Wrapper[Own]):
    """A wrapper with a law of time: a read sees another conductance than the one that the device inside stores."""

    timed: ClassVar[bool] = True
    law_of_time: ClassVar[str]  # what a message calls it

    def __post_init__(self) -> None:
        """Refuse a device that has a clock of its own."""
        super().__post_init__()
        if self.inner.timed:
            raise UsageError(
                f"device {self.name} is of a model with a law of time of its own; {self.law_of_time} cannot be put around it."
            )
        object.__setattr__(self, "timed", True)  # the wrapper's own, not that of the device inside

    def read_variance(self, state: Own, time: float) -> np.ndarray | float:
        """Return the noise of the inner device at the present conductance [S²]."""
        variance = super().read_variance(state, time)
        if np.ndim(variance) == 0:  # the same for every conductance
            return variance
        stored = inside(state)
        present = {**stored._asdict(), "g": self.conductance(state, time)}
        return self.inner.read_variance(remade(stored, present.values()), time)
