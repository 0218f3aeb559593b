"""Cells that an examination makes, pulses and compares."""

from __future__ import annotations

import numpy as np

from hardware_models.devices.adapted import Adapted
from hardware_models.devices.base import BaseDevice
from hardware_models.devices.state import CellState, remade
from hardware_models.examination.verdict import Skipped
from hardware_models.keys import Key

QUICK_SHAPE = (3, 4)

SAMPLE = (32, 64)


def pulses_of(device: BaseDevice, n: int, shape: tuple[int, int]) -> np.ndarray:
    """Return n pulses a cell, or as many downwards for a device that knows no others."""
    return np.full(shape, -abs(n) if device.polarities == "down" else n, np.int32)


def pulsed_level(state: CellState) -> np.ndarray:
    """Return the conductance that pulses act on; a read may see another one, with write noise or programming noise."""
    named = state._asdict()
    return next((named[name] for name in ("hidden", "target") if name in named), state.g)


def made(device: BaseDevice, shape: tuple[int, int] = QUICK_SHAPE, seed: int = 0) -> CellState:
    """Fabricate cells from a seed."""
    return device.fabricate(shape, Key(seed, "examine"))


def arrays(state: CellState) -> dict[str, np.ndarray]:
    """Return the arrays of a state by name."""
    return {name: a for name, a in zip(state._fields, state, strict=True) if isinstance(a, np.ndarray)}


def copied(state: CellState) -> CellState:
    """Return a state with copies of all arrays."""
    return remade(state, (np.array(a, copy=True) for a in state))


def same(a: CellState, b: CellState) -> bool:
    """Tell whether two states agree bit for bit; NaN equals NaN."""
    return all(
        np.array_equal(x, y, equal_nan=True) for x, y in zip(arrays(a).values(), arrays(b).values(), strict=True)
    )


def has_switches(device: BaseDevice) -> bool:
    """Tell whether the imperfections of a device can be switched off (`without`)."""
    return not isinstance(device, Adapted) or device.switches


def switched(device: BaseDevice, *, write_noise: bool = False, spread: bool = False) -> BaseDevice:
    """Return the device with imperfections switched off; skip the check where it has no switches."""
    if not has_switches(device):
        raise Skipped("the device has no switches (without)")
    return device.without(write_noise=write_noise, spread=spread)
