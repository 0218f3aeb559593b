"""A meter of the activity values that a learner keeps: the memory that learning without a backward pass can save.

A value is one neuron's output for one image. It is *stored* if it is kept for learning beyond the read that made it, that
is while another layer or another pass is read; the next layer's input is the same value but for the layer's length and is
not counted twice, nor are pixels, weights and running means. A *register* holds the values on the wire between two layers
from one tick to the next, the sample-and-hold of any pipeline: its size does not depend on the learning.
"""

from __future__ import annotations

import numpy as np


class ActivityMeter:
    """Counts values as they are stored and released, and keeps the largest number stored at once."""

    def __init__(self) -> None:
        self.held = 0
        self.peak = 0
        self.registers: dict[int, int] = {}

    def hold(self, values: int) -> None:
        """Note that so many more activity values are kept for learning."""
        self.held += values
        self.peak = max(self.peak, self.held)

    def release(self, values: int) -> None:
        """Note that so many stored values are released."""
        if values > self.held:
            raise ValueError(f"{values} activity values let go, but only {self.held} are held.")
        self.held -= values

    def send(self, layer: int, values: int) -> None:
        """Note that so many values wait on the wire above a layer."""
        self.registers[layer] = max(values, self.registers.get(layer, 0))

    def as_dict(self) -> dict[str, object]:
        """Return the largest number of values stored at once, and that of each wire, from the lowest wire up."""
        return {"peak_stored": self.peak, "registers_per_layer": [self.registers[n] for n in sorted(self.registers)]}

    def save(self) -> dict[str, np.ndarray]:
        """Return the counts so far."""
        return {
            "peak": np.array(self.peak),
            "registers": np.array(sorted(self.registers.items()), np.int64).reshape(-1, 2),
        }

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        self.held, self.peak = 0, int(saved["peak"])
        self.registers = {int(layer): int(values) for layer, values in saved["registers"]}
