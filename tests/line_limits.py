"""What the tests of groups of lines share: a crossbar of several tiles whose lines bear a current, and voltages for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from hardware_models.crossbar import Crossbar
from hardware_models.crossbar.line_watch import LineLimit
from hardware_models.devices.base import BaseDevice
from hardware_models.keys import Key
from hardware_models.load import load_device

KEY = Key(5, "groups")
LIMIT = 33e-6
SHAPE, TILE = (50, 20), (16, 12)
FULL = 1.2
QUIET = replace(load_device("memristor"), read_noise=0.0, v_read=FULL)


def bar(limit: float = LIMIT, margin: float = 1.0, device: BaseDevice = QUIET, joined: bool = False) -> Crossbar:
    """Return a programmed crossbar of several tiles whose lines bear `limit`."""
    made = Crossbar(device, SHAPE, key=Key(1, "f"), tile=TILE, limit=LineLimit(limit, margin, joined))
    made.program(np.random.default_rng(0).standard_normal(SHAPE) / 4, key=KEY)
    return made


def watch_of(made: Crossbar) -> Any:
    assert made.cells.watch is not None
    return made.cells.watch


def volts(batch: int, signed: bool = False, seed: int = 0) -> np.ndarray:
    """Return voltages (batch, rows) [V]: uneven ones, and the last row always at full scale."""
    rng = np.random.default_rng(seed)
    v = rng.random((batch, SHAPE[0])) ** 3 * FULL
    v = v * rng.choice([-1, 1], v.shape) if signed else v
    v[:, -1] = FULL
    return v.astype(np.float32)
