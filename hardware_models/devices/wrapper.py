"""A device around a device: what wear, retention and faults have in common.

A wrapper has the numbers of the device inside, and a state of the inner fields followed by its own. It is built by
`around`; wrappers compose in any order.
"""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, ClassVar, Self, cast

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice, Window
from hardware_models.keys import Key


@cache
def state_type(inner: Any, own: tuple[str, ...]) -> Any:
    """Return the NamedTuple of an inner state's fields and a wrapper's own; its attribute `inner` is the inner type."""
    made: Any = namedtuple(f"Wrapped{inner.__name__}", (*inner._fields, *own))  # type: ignore[misc]
    cast(Any, made).inner = inner
    return made


@dataclass(frozen=True, kw_only=True)
class Wrapper(BaseDevice):
    """A device that changes what pulses, time or reads do to the device inside."""

    own: ClassVar[tuple[str, ...]] = ()  # fields that the wrapper adds to the state

    inner: Any

    @classmethod
    def around(cls, device: BaseDevice, **numbers: Any) -> Self:
        """Return the wrapper of `device`, with its numbers of the population and the wrapper's own."""
        if not isinstance(device, BaseDevice):
            raise UsageError(f"only a device derived from BaseDevice can be wrapped, got {type(device).__name__}.")
        common = {f.name: getattr(device, f.name) for f in fields(BaseDevice)}
        return cls(inner=device, **common, **numbers)

    def __post_init__(self) -> None:
        """Take over what the crossbar asks of the inner device; UsageError for the same wrapper twice."""
        super().__post_init__()
        if any(isinstance(device, type(self)) for device in self.chain()[1:]):
            what = type(self).__name__.lower()
            raise UsageError(f"device {self.name} has {what} of its own already; it cannot be put around it again.")
        for name in ("timed", "trainable", "polarities", "refresh_share", "refresh_every"):
            if hasattr(self.inner, name):
                object.__setattr__(self, name, getattr(self.inner, name))

    def chain(self) -> tuple[Any, ...]:
        """Return this wrapper, the devices inside it, and last the model."""
        inner = self.inner
        return (self, *(inner.chain() if isinstance(inner, Wrapper) else (inner,)))

    def inside(self, state: Any) -> Any:
        """Return the inner device's state; it shares the arrays."""
        inner = type(state).inner
        return inner(*state[: len(inner._fields)])

    def wrapped(self, state: Any, *own: np.ndarray) -> Any:
        """Return the state of the wrapper from the inner state and its own arrays."""
        return state_type(cast(Any, type(state)), self.own)(*state, *own)

    def pulse_inside(self, state: Any, pulses: np.ndarray, key: Key, window: Window | None, time: float) -> None:
        """Hand pulses to the inner device."""
        inner = self.inner
        if inner.timed:
            inner.pulse(self.inside(state), pulses, key, window, time=time)
        else:
            inner.pulse(self.inside(state), pulses, key, window)

    @property
    def renew(self) -> Any:
        """The strong pulse that refreshes pairs of a one-sided device; AttributeError where the model has none."""
        if not hasattr(self.inner, "renew"):
            raise AttributeError("renew")
        return self.renew_cells

    def renew_cells(self, state: Any, cells: np.ndarray, key: Key, *, time: float = 0.0) -> None:
        """Give the cells of a mask their strong pulse at `time` [s]."""
        self.inner.renew(self.inside(state), cells, key, **({"time": time} if self.inner.timed else {}))

    def conductance(self, state: Any, time: float) -> np.ndarray:
        """Return what a read of the inner device sees [S]."""
        return self.inner.conductance(self.inside(state), time)

    def read_variance(self, state: Any, time: float) -> np.ndarray | float:
        """Return the noise of the inner device [S²]."""
        return self.inner.read_variance(self.inside(state), time)

    def wait(self, state: Any, seconds: float, key: Key) -> None:
        """Let the inner device's time pass."""
        self.inner.wait(self.inside(state), seconds, key)

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
        common = {f.name: getattr(inner, f.name) for f in fields(BaseDevice)}
        off: dict[str, Any] = dict.fromkeys(self.imperfections()["spread"] if spread else [], 0.0)
        return replace(self, inner=inner, **common, **off)

    def describe(self) -> dict[str, Any]:
        """Return the inner device's numbers, and the wrapper's own under its name."""
        return self.inner.describe() | {type(self).__name__.lower(): self.numbers()}

    def numbers(self) -> dict[str, Any]:
        """Return the wrapper's own numbers [SI]."""
        common = {f.name for f in fields(BaseDevice)} | {"inner", "maps"}
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in common}
