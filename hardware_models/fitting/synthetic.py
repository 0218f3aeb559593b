"""Simulated pulse trains of a known device, with bad readings if wanted, and the file of such a train."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from hardware_models.devices.base import BaseDevice
from hardware_models.fitting.pulse_train import PulseTrain
from hardware_models.keys import Key

FAULTS: Mapping[str, Callable[[np.ndarray, float, np.ndarray], np.ndarray]] = MappingProxyType(
    {
        "times 3": lambda g, most, random: 3.0 * g,
        "times 0.3": lambda g, most, random: 0.3 * g,
        "zero": lambda g, most, random: np.zeros_like(g),
        "limit": lambda g, most, random: np.full_like(g, 1.2 * most),
        "anywhere": lambda g, most, random: most * random,
    }
)
"""Faults of a reading as functions of the readings [S], the largest reading [S] and numbers in [0, 1): a wrong range of the
instrument, no contact, an instrument at its limit, and any reading between 0 and the largest one."""


def synthetic(
    device: BaseDevice, *, cells: int, cycles: int, pulses: int, seed: int = 0, read: bool = True
) -> PulseTrain:
    """Return the train that a laboratory would measure on `device`: in each cycle `pulses` up, then `pulses` down.

    The first row of a cycle is a reading before its first pulse. Tests use such trains, and so can the plan of a measurement.
    """
    key = Key(seed, "synthetic")
    state = device.fabricate((1, cells), key)
    time = 0.0
    rows = []
    for k in range(cycles):
        for n in range(2 * pulses + 1):
            sign = 0 if n == 0 else (1 if n <= pulses else -1)
            at = key.child("pulse", k).at(n)
            device.pulse(state, np.full((1, cells), sign, np.int32), at)
            g = device.conductance(state, time)[0].astype(np.float64)
            if read:
                variance = np.broadcast_to(device.read_variance(state, time), (1, cells))[0]
                g = g + np.sqrt(variance) * at.child("read").generator().standard_normal(cells)
            rows.append((np.full(cells, k), np.full(cells, sign), np.maximum(g, 0.0)))
    cycle, polarity, g = (np.array([r[i] for r in rows]).T.ravel() for i in range(3))
    cell = np.repeat(np.arange(cells), len(rows))
    v, w = (device.v_up, device.v_down), (device.t_up, device.t_down)
    return PulseTrain(
        f"{device.name}.csv", tuple(f"c{c}" for c in range(cells)), cell, cycle, polarity, polarity == 0, g,
        np.arange(len(g)) + 2, v if min(v) > 0 else None, w if min(w) > 0 else None,
    )  # fmt: skip


def write_pulse_train(train: PulseTrain, path: str | Path) -> None:
    """Write a train as the CSV file that `read_pulse_train` reads, in microsiemens."""
    volts = train.voltage or (1.0, 1.0)
    number = np.arange(len(train.g)) - np.maximum.accumulate(np.where(train.first, np.arange(len(train.g)), 0))
    lines = ["cell,cycle,pulse,voltage [V],conductance [uS]"]
    for i in range(len(train.g)):
        sign = int(train.polarity[i])
        v = 0.0 if sign == 0 else (volts[0] if sign > 0 else -volts[1])
        lines.append(f"{train.cells[train.cell[i]]},{train.cycle[i]},{number[i]},{v:g},{train.g[i] * 1e6:.7g}")
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def spoiled(
    train: PulseTrain, share: float, *, seed: int = 0, sorts: Collection[str] = tuple(FAULTS)
) -> tuple[PulseTrain, np.ndarray]:
    """Return a train of which a random share of the readings is bad, and the fault of each reading (n,), "" for a good one.

    Each bad reading has a fault of `sorts`, names of `FAULTS`, drawn at random. The cells themselves stay as they were.
    """
    draw = np.random.default_rng((seed, 0x5BAD))
    names = list(sorts)
    fault = np.where(draw.random(len(train.g)) < share, draw.integers(len(names), size=len(train.g)), -1)
    most, numbers = float(np.nanmax(train.g)), draw.random(len(train.g))
    g = train.g.copy()
    for i, name in enumerate(names):
        rows = fault == i
        g[rows] = FAULTS[name](g[rows], most, numbers[rows])
    return replace(train, g=g), np.array([*names, ""])[fault]
