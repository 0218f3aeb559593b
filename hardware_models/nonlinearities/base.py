"""Contract of a nonlinearity: an immutable model, and the neurons that are fabricated from it.

Neurons need only be callable. Neurons with a memory also have `save` and `restore` (`Stateful`), and neurons that change with
the chip's clock also have `advance` (`Timed`). A value that changes with the clock is state, so `Timed` neurons are `Stateful`
too. The chip looks for these methods once, when it is built; only the chip calls them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np

from hardware_models.keys import Key
from hardware_models.nonlinearities import NONLINEARITIES
from hardware_models.tables import load_object, lookup


class Neurons(Protocol):
    """Fabricated neurons of one layer: they map z (B, neurons) float32 to y = f(z) of the same shape."""

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Return y = f(z)."""
        ...


@runtime_checkable
class Stateful(Protocol):
    """Neurons with a memory; `copy.deepcopy` makes independent neurons with the same state."""

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Return y = f(z), taking the rows of z one after the other in time."""
        ...

    def save(self) -> dict[str, np.ndarray]:
        """Return the state as arrays, which become part of the chip's checkpoint."""
        ...

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Restore a state returned by `save`; all later outputs are then the same to the bit."""
        ...


@runtime_checkable
class Timed(Protocol):
    """Neurons that change with time; a call does not advance their time."""

    def advance(self, time: float) -> None:
        """Advance to the chip's clock `time` [s], which never runs backwards between two restores."""
        ...


class Nonlinearity(Protocol):
    """A kind of neuron, from which the neurons of a layer are fabricated."""

    @property
    def name(self) -> str:
        """Name on the command line."""
        ...

    @property
    def analog(self) -> bool:
        """True if the output is analog and must pass a converter before it can be read."""
        ...

    def fabricate(self, neurons: int, key: Key) -> Neurons:
        """Return the neurons of one layer on one chip, drawn from `key`."""
        ...


def load_nonlinearity(spec: str) -> Nonlinearity:
    """Return the nonlinearity of a name or of ``file.py:function``; raise UsageError if there is none."""
    if ":" in spec:
        from hardware_models.nonlinearities.measured import UserFunction

        return UserFunction(spec, load_object(spec, "nonlinearity"))
    return lookup("nonlinearity", spec, NONLINEARITIES)()
