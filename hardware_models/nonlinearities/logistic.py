r"""The logistic function, :math:`f(z) = 1/(1 + e^{-z})`: a look-up table behind the converter, between 0 and 1.

It is the neuron of the NeuroSim benchmark (Chen, Peng, Yu, IEDM 2017, doi:10.1109/IEDM.2017.8268337), which works on the
digital sum, so its output is not converted again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_models.keys import Key


def logistic(z: np.ndarray) -> np.ndarray:
    """Return 1/(1 + exp(-z)), computed so that nothing overflows."""
    return np.float32(0.5) + np.float32(0.5) * np.tanh(np.float32(0.5) * z)


@dataclass(frozen=True)
class Sigmoid:
    """The logistic function in digital logic."""

    name: str = "sigmoid"
    analog: bool = False

    def fabricate(self, neurons: int, key: Key):
        """Return the logistic function, which is the same for all neurons."""
        del neurons, key
        return logistic
