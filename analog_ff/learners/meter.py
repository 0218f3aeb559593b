"""How many activity values a learner keeps: the measure of what learning without a backward pass can do without.

A value is one neuron's output for one image. It is *stored* if it is kept for learning beyond the read that made it, that
is while another layer or another pass is read; the next layer's input is the same value but for the layer's length and is
not counted twice, nor are pixels, weights and running means. A *register* holds what is on the wire between two layers
from one tick to the next, the sample-and-hold of any pipeline: its size does not depend on what is learned.
"""

from __future__ import annotations

import numpy as np


class ActivityMeter:
    """Counts values as they are taken and let go, and keeps the largest number held at once."""

    def __init__(self) -> None:
        self.held = 0
        self.peak = 0
        self.registers: dict[int, int] = {}

    def hold(self, values: int) -> None:
        """Note that so many more activity values are kept for learning."""
        self.held += values
        self.peak = max(self.peak, self.held)

    def release(self, values: int) -> None:
        """Note that so many of them are let go."""
        if values > self.held:
            raise ValueError(f"{values} activity values let go, but only {self.held} are held.")
        self.held -= values

    def send(self, layer: int, values: int) -> None:
        """Note that so many values wait on the wire above a layer."""
        self.registers[layer] = max(values, self.registers.get(layer, 0))

    def as_dict(self) -> dict[str, object]:
        """Return the largest number stored at once, and of each wire, from the lowest up."""
        return {"peak_stored": self.peak, "registers_per_layer": [self.registers[n] for n in sorted(self.registers)]}

    def save(self) -> dict[str, np.ndarray]:
        """Return what was measured so far."""
        return {
            "peak": np.array(self.peak),
            "registers": np.array(sorted(self.registers.items()), np.int64).reshape(-1, 2),
        }

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Take up what `save` returned."""
        self.held, self.peak = 0, int(saved["peak"])
        self.registers = {int(layer): int(values) for layer, values in saved["registers"]}
