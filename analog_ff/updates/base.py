"""Base class of the update schemes: a scheme applies a wanted outer product to one array, and may have a memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from analog_ff.updates.consolidation import Record
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.port import ChipPort


def drives(x: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs x (P, inputs) and drives d (P, neurons) as C-contiguous float32, as all loops take them."""
    return np.ascontiguousarray(x, np.float32), np.ascontiguousarray(d, np.float32)


class Update(ABC):
    """The update scheme of one array."""

    name: ClassVar[str]
    record: Record | None = None
    """Record of the intended weights, where the network is to be consolidated."""
    averages: ClassVar[bool] = False  # whether it forms whole products, so that one more of their mean is cheap

    @abstractmethod
    def apply(self, x: np.ndarray, d: np.ndarray, images: int, rate: float, bias_rate: float, key: Key) -> Events:
        """Change the weights towards W + rate x^T d / images, for x (P, inputs) and d (P, neurons) of any type of numbers.

        The last row of the product, the bias, is multiplied by `bias_rate`.
        """

    def burst(self, port: ChipPort, layer: int, counts: np.ndarray, key: Key) -> Events:
        """Give the weights of a layer signed numbers of pulses, (inputs, neurons) int32; the record follows, if there is one."""
        events = Events() if self.record is None else self.record.follow(counts)
        return events + port.fire_cells(layer, counts, key=key)

    @property
    def seconds_per_image(self) -> float:
        """Time [s] from image to image that the scheme asks of the chip's clock, 0: as fast as the chip can."""
        return 0.0

    @property
    def measured(self) -> Mapping[str, float]:
        """Numbers that a run notes after each epoch, by name."""
        return {}

    @property
    def waiting(self) -> int:
        """Number of values of activity that the scheme keeps from one batch to the next."""
        return 0

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the state that a resumed run needs; without `copy` arrays may be those of the scheme, which change with it."""
        del copy
        return {}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        del saved
