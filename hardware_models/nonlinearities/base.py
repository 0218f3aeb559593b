"""The contract of a nonlinearity: an immutable model, and the neurons fabricated from it.

Neurons need only be callable. Those with a memory also have `save` and `restore` (`Stateful`), those that change with
the chip's clock also `advance` (`Timed`); whatever moves with the clock is state, so that `Timed` neurons are `Stateful`
too. The chip looks for these methods once, when it is built, and calls them: nobody else does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np

from hardware_models.keys import Key
from hardware_models.nonlinearities import NONLINEARITIES
from hardware_models.tables import load_object, lookup


class Neurons(Protocol):
    """Fabricated neurons of one layer: y = f(z) for z (B, neurons) float32, the same shape back."""

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Return y = f(z)."""
        ...


@runtime_checkable
class Stateful(Protocol):
    """Neurons that remember; `copy.deepcopy` makes others that go on alone from the same state."""

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Return y = f(z), the rows of z in order."""
        ...

    def save(self) -> dict[str, np.ndarray]:
        """Return the state as arrays; it goes into the chip's checkpoint."""
        ...

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up a state that `save` returned, so that all that follows is the same to the bit."""
        ...


@runtime_checkable
class Timed(Protocol):
    """Neurons that change with time; calling them does not move their time."""

    def advance(self, time: float) -> None:
        """Go on to the chip's clock `time` [s], which never runs backwards between two restores."""
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
