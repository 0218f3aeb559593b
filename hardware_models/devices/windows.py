"""Windows of an array: the cells on some rows and columns, which one pulse addresses together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hardware_models.devices.state import S, remade
from hardware_models.keys import Key

Window = tuple[np.ndarray, np.ndarray]
"""Indices of the rows and of the columns of a window."""


def crossings(shape: tuple[int, ...], window: Window | None) -> Window:
    """Return the row and column indices of a window, or of the whole array."""
    return window if window is not None else (np.arange(shape[0]), np.arange(shape[1]))


def gathered(
    pulse: Callable[[S, np.ndarray, Key], None], state: S, pulses: np.ndarray, key: Key, window: Window
) -> None:
    """Pulse a window of a device that has no windowed loop: gather its cells, pulse them, scatter them back."""
    place = np.ix_(*window)
    part = remade(state, (np.ascontiguousarray(a[place]) for a in state))
    pulse(part, pulses, key)
    for whole, piece in zip(state, part, strict=True):
        whole[place] = piece
