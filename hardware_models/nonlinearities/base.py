"""The contract of a nonlinearity: an immutable model, and the neurons fabricated from it."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from hardware_models.keys import Key
from hardware_models.nonlinearities import NONLINEARITIES
from hardware_models.tables import load_object, lookup


class Neurons(Protocol):
    """Fabricated neurons of one layer: y = f(z) for z (B, neurons) float32, the same shape back."""

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Return y = f(z)."""
        ...


class Nonlinearity(Protocol):
    """A kind of neuron; `analog` tells that its output must pass a converter before anyone can read it."""

    @property
    def name(self) -> str:
        """Name on the command line."""
        ...

    @property
    def analog(self) -> bool:
        """Whether the output must pass a converter."""
        ...

    def fabricate(self, neurons: int, key: Key) -> Neurons:
        """Return the neurons of one layer on one chip."""
        ...


def load_nonlinearity(spec: str) -> Nonlinearity:
    """Return the nonlinearity of a name or of ``file.py:function``; UsageError in one sentence if there is none."""
    if ":" in spec:
        from hardware_models.nonlinearities.measured import UserFunction

        return UserFunction(spec, load_object(spec, "nonlinearity"))
    return lookup("nonlinearity", spec, NONLINEARITIES)()
