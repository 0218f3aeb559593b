"""Differences from cell to cell: factors drawn around the figures of the population, and bounds that a cell has of its own."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from hardware_models.devices.state import CellState
from hardware_models.devices.state import field as field_of
from hardware_models.keys import Key


class Population(Protocol):
    """The nominal range of a device's conductances."""

    @property
    def g_min(self) -> float:
        """Lowest nominal conductance [S]."""
        ...

    @property
    def g_max(self) -> float:
        """Highest nominal conductance [S]."""
        ...

    @property
    def g_range(self) -> float:
        """Width of the range, g_max - g_min [S]."""
        ...


def log_normal(shape: tuple[int, int], sigma: float, key: Key) -> np.ndarray:
    """Return factors exp(N(0, sigma²)), (rows, columns) float32; ones without spread."""
    from hardware_models.kernels.random import normal

    return np.exp(np.float32(sigma) * normal(shape, key)) if sigma > 0 else np.ones(shape, np.float32)


def cell_bounds(device: Population, spread: float, shape: tuple[int, int], key: Key) -> tuple[np.ndarray, np.ndarray]:
    """Return each cell's own bounds [S]: g_min and g_max, moved by N(0, (spread range)²) each, never below zero."""
    from hardware_models.kernels.random import normal

    low = np.full(shape, device.g_min, np.float32)
    high = np.full(shape, device.g_max, np.float32)
    if spread > 0:
        width = np.float32(spread * device.g_range)
        low = np.maximum(low + width * normal(shape, key.child("low")), np.float32(0.0))
        high = np.maximum(high + width * normal(shape, key.child("high")), low)
    return low, high


def bounds_of(device: Population, state: CellState) -> tuple[np.ndarray | float, np.ndarray | float]:
    """Return the lower and upper bounds of the cells [S], those of the population where a state has none of its own."""
    low, high = field_of(state, "low"), field_of(state, "high")
    return device.g_min if low is None else low, device.g_max if high is None else high


def saturating_variance(high: float, scale: float, g: np.ndarray) -> np.ndarray:
    """Return the variance of read noise that grows with g and saturates, (A (1 - exp(-g/B)))² [S²], float32."""
    return (np.float32(high) * -np.expm1(-g / np.float32(scale))) ** 2
