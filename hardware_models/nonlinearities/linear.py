"""No nonlinearity, f(z) = z: the output is the digital sum after the converter, or the analog sum before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_models.keys import Key


def identity(z: np.ndarray) -> np.ndarray:
    """Return z unchanged."""
    return z


@dataclass(frozen=True)
class Linear:
    """Neurons that pass z on unchanged; they are not analog, so a digital sum is not converted a second time."""

    name: str = "linear"
    analog: bool = False

    def fabricate(self, neurons: int, key: Key):
        """Return the identity, which is the same for all neurons."""
        del neurons, key
        return identity
