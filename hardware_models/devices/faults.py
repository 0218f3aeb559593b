r"""Faults of fabrication: cells stuck at low or at high conductance, and lines that carry nothing.

A stuck cell keeps its own lower or upper bound whatever is done to it, drift included; pulses on it still cost energy. On a
dead row (word line) or dead column (one bit line, G+ or G- of its weights) every cell reads zero and no noise. Rates are
independent probabilities per cell and per line, drawn from the fabrication key; maps name cells and lines. Both may
be given. Composes with any device; off unless asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from hardware_models import files
from hardware_models.check import UsageError, shown
from hardware_models.devices.base import BaseDevice, Window, si
from hardware_models.devices.drawn import bounds_of
from hardware_models.devices.state import CellState, extended
from hardware_models.devices.wrapper import Wrapper
from hardware_models.keys import Key
from hardware_models.tables import closest
from hardware_models.user_contract import unmasked

RATES = ("stuck_low", "stuck_high", "dead_rows", "dead_columns")
_ENTRIES = f"a fault map names its entries like 0.stuck_low or 1.dead_rows: the layer, a point, and {', '.join(RATES)}"


class FaultyState(CellState, Protocol):
    """Entries that `Faults` adds to the state of the device inside."""

    @property
    def fault(self) -> np.ndarray:
        """Conductance of each faulty cell [S], NaN for a sound one."""
        ...


@dataclass(frozen=True, kw_only=True)
class Faults(Wrapper[FaultyState]):
    """Device with stuck cells and dead lines; see the module.

    `maps` may hold boolean arrays under the names of the rates: (rows, bit lines) for the cells, (rows,) and
    (bit lines,) for the lines; there are two bit lines for each column of weights, G+ first.
    """

    stuck_low: float = si("1", 0.0, 1.0, 0.0)  # probability of a cell
    stuck_high: float = si("1", 0.0, 1.0, 0.0)  # probability of a cell
    dead_rows: float = si("1", 0.0, 1.0, 0.0)  # probability of a word line
    dead_columns: float = si("1", 0.0, 1.0, 0.0)  # probability of a bit line
    maps: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        """Check that a cell is stuck on one side only."""
        super().__post_init__()
        if self.stuck_low + self.stuck_high > 1.0:
            both = f"{self.stuck_low:g} and {self.stuck_high:g}"
            raise UsageError(f"stuck_low and stuck_high together are shares of all cells, at most 1, got {both}.")
        for name in self.maps:
            unmasked(f"the fault map's {name}", self.maps[name])
            if name not in RATES:
                raise UsageError(f"a fault map has no entry '{name}'{closest(name, RATES)}.")
        low, high = (np.asarray(self.maps.get(name, False)) for name in ("stuck_low", "stuck_high"))
        plain = low.shape == high.shape and low.dtype.kind in "bui" and high.dtype.kind in "bui"
        if plain and (twice := np.argwhere(low.astype(bool) & high.astype(bool))).size:
            raise UsageError(f"the fault map says of cell {tuple(twice[0].tolist())} both stuck_low and stuck_high.")

    def fabricate(self, shape: tuple[int, int], key: Key) -> CellState:
        """Draw the faults; the field `fault` holds the conductance of a faulty cell [S] and NaN for a sound one."""
        state = self.inner.fabricate(shape, key)
        low, high = bounds_of(self, state)
        drawn = key.child("faults").generator()
        u, row, column = drawn.random(shape), drawn.random(shape[0]), drawn.random(shape[1])
        at_low = (u < self.stuck_low) | self._map("stuck_low", shape)
        at_high = ((u >= self.stuck_low) & (u < self.stuck_low + self.stuck_high)) | self._map("stuck_high", shape)
        dead_rows = (row < self.dead_rows) | self._map("dead_rows", shape[:1])
        dead_columns = (column < self.dead_columns) | self._map("dead_columns", shape[1:])
        fault = np.full(shape, np.nan, np.float32)
        fault[at_low] = np.broadcast_to(np.float32(low), shape)[at_low]
        fault[at_high] = np.broadcast_to(np.float32(high), shape)[at_high]
        fault[dead_rows] = 0.0
        fault[:, dead_columns] = 0.0
        np.copyto(state.g, fault, where=~np.isnan(fault))
        return extended(state, fault=fault)

    def _map(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        if name not in self.maps:
            return np.zeros(shape, bool)
        given = np.asarray(self.maps[name])
        if given.shape != shape or given.dtype.kind not in "bui":
            raise UsageError(f"the fault map '{name}' should be 0/1 of shape {shape}, got {given.dtype} {given.shape}.")
        if given.size and not (given.min() >= 0 and given.max() <= 1):
            raise UsageError(f"the fault map '{name}' should be 0/1, got values from {given.min()} to {given.max()}.")
        return given.astype(bool)

    def pulse(
        self, state: FaultyState, pulses: np.ndarray, key: Key, window: Window | None = None, *, time: float = 0.0
    ) -> None:
        """Pulse the sound cells; a faulty one is left alone."""
        place = ... if window is None else np.ix_(*window)
        fault = state.fault[place]
        sound = np.isnan(fault)
        self.pulse_inside(state, np.where(sound, pulses, np.int32(0)), key, window, time)
        # A loop over the whole array may clip every cell to its bounds, and a dead cell lies below them.
        state.g[place] = np.where(sound, state.g[place], fault)

    def renew(self, state: FaultyState, cells: np.ndarray, key: Key, *, time: float = 0.0) -> None:
        """Renew the sound cells; a faulty one is left alone."""
        sound = np.isnan(state.fault)
        super().renew(state, cells & sound, key, time=time)
        np.copyto(state.g, state.fault, where=~sound)

    def conductance(self, state: FaultyState, time: float) -> np.ndarray:
        """Return the conductances that a read sees [S]: faulty cells as they are."""
        g = super().conductance(state, time)
        return g if g is state.g else np.where(np.isnan(state.fault), g, state.fault)

    def read_variance(self, state: FaultyState, time: float) -> np.ndarray | float:
        """Return the noise of the inner device [S²]; no current flows in a dead line, so no noise does."""
        variance = super().read_variance(state, time)
        if np.ndim(variance) == 0 and variance == 0.0:
            return variance
        dead = state.fault == 0.0
        return np.where(dead, np.float32(0.0), np.float32(variance)) if dead.any() else variance


def with_faults(
    device: BaseDevice, faults: Mapping[str, object] | None, layer: int, layers: int | None = None
) -> BaseDevice:
    """Return `device` with the faults of one layer, or itself if none are asked for.

    `faults` holds rates by name, and under "map" a dictionary of arrays or the path of a .npz file with entries such as
    ``0.stuck_low`` or ``1.dead_rows``: the layer (of `layers`, if that is known), a point, and a name of `Faults.maps`.
    """
    if not faults:
        return device
    for name in faults:
        if name not in (*RATES, "map"):
            raise UsageError(f"a chip has no fault '{name}'{closest(name, (*RATES, 'map'))}.")
    maps = fault_maps(faults, layer, layers)
    rates = {name: faults.get(name, 0.0) for name in RATES}
    return Faults.around(device, **rates, maps=maps) if maps or any(rates.values()) else device


def fault_maps(faults: Mapping[str, object], layer: int, layers: int | None = None) -> dict[str, np.ndarray]:
    """Return the entries of the map of `faults` that belong to one layer, by the names of `Faults.maps`."""
    given = faults.get("map")
    if given is None or given == "":
        return {}
    where = "a fault map"
    if isinstance(given, str | Path):
        where = f"fault map {shown(str(given), 200, quoted=False)}"
        given = files.arrays(given, "fault map")
        if not given:
            raise UsageError(f"{where} holds no arrays; {_ENTRIES}.")
    if not isinstance(given, Mapping):
        raise UsageError(f"{where} is the path of a .npz file or a dictionary of arrays, got {shown(given)}.")
    maps = {}
    for entry, array in given.items():
        number, _, name = str(entry).partition(".")
        if not re.fullmatch("0|[1-9][0-9]{0,3}", number) or name not in RATES:
            raise UsageError(f"{where} has an entry {shown(str(entry))}; {_ENTRIES}.")
        if layers is not None and int(number) >= layers:
            raise UsageError(f"{where} has an entry {entry}, but the last layer of this chip is {layers - 1}.")
        if int(number) == layer:
            maps[name] = array
    return maps
