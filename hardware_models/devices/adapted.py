"""The door for a device that is not derived from `BaseDevice`: it is put behind the contract, once.

A plug-in may be any class with the methods and figures that its user knows of. `adapted` returns it as a `BaseDevice`: what
it has is taken from it, what it lacks is the default of the base class. Behind the door nobody asks what a device has.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice, Device, Window, origin
from hardware_models.devices.state import CellState
from hardware_models.keys import Key

TRAITS = ("timed", "trainable", "polarities", "refresh_every", "refresh_share")
"""Texts of a device beside its numbers."""


def adapted(device: Device) -> BaseDevice:
    """Return `device` itself if it is derived from `BaseDevice`, else the same behind that contract."""
    return device if isinstance(device, BaseDevice) else Adapted(device)


def original(device: BaseDevice) -> object:
    """Return the object that the user wrote, for those who look at its class, its source or its documentation."""
    return device.plugged if isinstance(device, Adapted) else device


class Adapted(BaseDevice[CellState]):
    """A user's device behind the contract of `BaseDevice`; its numbers are examined, not checked here."""

    plugged: Any  # a class of the user's, of which nothing is known but that it has `fabricate` and `pulse`

    def __init__(self, plugged: Device) -> None:
        own = {"plugged": plugged, "name": type(plugged).__name__}
        for name in (*(f.name for f in fields(BaseDevice)), *TRAITS):
            if hasattr(plugged, name):
                own[name] = getattr(plugged, name)
        vars(self).update(own)

    def __getattr__(self, name: str) -> object:
        """Return an attribute of the user's own class, such as a number of its model."""
        if name.startswith("__") or name == "plugged":  # a copy asks before there is anything
            raise AttributeError(name)
        return getattr(self.plugged, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Adapted) and bool(self.plugged == other.plugged)

    def __hash__(self) -> int:
        return hash(self.plugged)

    def __repr__(self) -> str:
        return repr(self.plugged)

    @property
    def is_users(self) -> bool:
        """True: the plug-in's class is not of this project."""
        return True

    @property
    def g_range(self) -> float:
        """Width of the nominal conductance range [S]."""
        width: float = self.plugged.g_range
        return width

    def fabricate(self, shape: tuple[int, int], key: Key) -> CellState:
        """Return the cells that the plug-in fabricates."""
        state: CellState = self.plugged.fabricate(shape, key)
        return state

    def pulse(
        self, state: CellState, pulses: np.ndarray, key: Key, window: Window | None = None, **time: float
    ) -> None:
        """Hand the pulses on, with the time if the plug-in is `timed`."""
        place = () if window is None else (window,)  # whoever knows no windows is told of none
        returned: None = self.plugged.pulse(state, pulses, key, *place, **time)
        return returned  # the examination demands None

    def pulse_some(self, state: CellState, where: np.ndarray, pulses: np.ndarray, key: Key) -> None:
        """Hand the pulses on listed cells on."""
        self.plugged.pulse_some(state, where, pulses, key)

    @property
    def pulses_some(self) -> bool:
        """True if the plug-in's `pulse_some` is of the class that its `pulse` is from."""
        kind = origin(type(self.plugged), "pulse")
        return kind is not None and origin(type(self.plugged), "pulse_some") is kind

    def renew(self, state: CellState, cells: np.ndarray, key: Key, **time: float) -> None:
        """Hand the strong pulse on."""
        self.plugged.renew(state, cells, key, **time)

    @property
    def renews(self) -> bool:
        """True if the plug-in has a `renew`."""
        return hasattr(self.plugged, "renew")

    def conductance(self, state: CellState, time: float) -> np.ndarray:
        """Return the conductances of the plug-in that a read sees [S]."""
        g: np.ndarray = self.plugged.conductance(state, time)
        return g

    def read_variance(self, state: CellState, time: float) -> np.ndarray | float:
        """Return the plug-in's variance of one read [S²]."""
        variance: np.ndarray | float = self.plugged.read_variance(state, time)
        return variance

    def wait(self, state: CellState, seconds: float, key: Key) -> None:
        """Let the plug-in's time pass."""
        returned: None = self.plugged.wait(state, seconds, key)
        return returned  # the examination demands None

    @property
    def switches(self) -> bool:
        """True if the plug-in has `without`."""
        return hasattr(self.plugged, "without")

    def without(
        self, *, read_noise: bool = False, write_noise: bool = False, spread: bool = False, nonlinearity: bool = False
    ) -> BaseDevice:
        """Return the plug-in with imperfections switched off; it is told of those alone."""
        off = {"read_noise": read_noise, "write_noise": write_noise, "spread": spread, "nonlinearity": nonlinearity}
        return adapted(self.plugged.without(**{name: True for name, asked in off.items() if asked}))

    def with_read_time(self, seconds: float) -> BaseDevice:
        """Return the plug-in with another read time [s]; raise UsageError if it is no dataclass with a field t_read."""
        names = {f.name for f in fields(self.plugged)} if is_dataclass(self.plugged) else set()
        if "t_read" not in names:
            raise UsageError(
                f"device {self.name} has no read time that can be changed: make it a dataclass with a field t_read [s], or "
                "derive it from hardware_models.devices.base.BaseDevice."
            )
        return adapted(replace(self.plugged, t_read=seconds))

    def imperfections(self) -> dict[str, list[str]]:
        """Return the plug-in's own names, none if it tells none."""
        named: dict[str, list[str]] = self.plugged.imperfections() if hasattr(self.plugged, "imperfections") else {}
        return named

    def describe(self) -> dict[str, object]:
        """Return the plug-in's own description."""
        said: dict[str, object] = self.plugged.describe()
        return said
