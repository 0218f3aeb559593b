"""Contract of a nonlinearity: an immutable model, and the neurons that are fabricated from it.

Neurons need only be callable. Neurons with a memory also have `save` and `restore` (`Stateful`), and neurons that change with
the chip's clock also have `advance` (`Timed`). A value that changes with the clock is state, so `Timed` neurons are `Stateful`
too. Neurons that draw have `drawn` (`Stochastic`). Only the chip calls these methods.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np

from hardware_models.check import UsageError
from hardware_models.keys import Key
from hardware_models.nonlinearities import NONLINEARITIES
from hardware_models.nonlinearities.recorded import LOOKUP, Recorded
from hardware_models.protocol.links import is_link
from hardware_models.tables import load_object, lookup

MEASURED = "measured:"
"""Beginning of the name of a transfer that was measured: a .csv file follows."""


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


@runtime_checkable
class Foreign(Protocol):
    """Neurons outside of this process, see `hardware_models.nonlinearities.served`."""

    @property
    def repeatable(self) -> bool:
        """False if they have a memory or noise that nothing can save."""
        ...

    def close(self) -> None:
        """End what the neurons need, such as their process."""
        ...


@runtime_checkable
class Stochastic(Protocol):
    """Neurons that draw anew in every read; a call without a key answers without what is drawn."""

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Return f(z) without noise: the curve, or the mean of what is drawn."""
        ...

    def drawn(self, z: np.ndarray, key: Key) -> np.ndarray:
        """Return y (B, neurons), drawn from `key` and the place in the batch."""
        ...


def answer(box: Neurons, z: np.ndarray, key: Key) -> np.ndarray:
    """Return y of neurons in the read of a key: those that draw use a child of it, the others need none."""
    return box.drawn(z, key.child("neurons")) if isinstance(box, Stochastic) else box(z)


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


def load_nonlinearity(
    spec: str, strength: float = 1.0, *, known: str = "relu", within: float | None = None
) -> Nonlinearity:
    """Return the nonlinearity of a name, of a file, of ``file.py:function`` or of a place outside.

    Parameters
    ----------
    spec : a name of `NONLINEARITIES`, ``file.py:function``, ``measured:FILE.csv``, ``lookup:FILE``, ``process:COMMAND`` or
        ``tcp://127.0.0.1:PORT``.
    strength : share of it beside that of the `known` one, see `hardware_models.nonlinearities.blended`; 1: it is there alone.
    within : time for every answer from outside [s]; None: `hardware_models.protocol.line.ANSWER_WITHIN`.

    Raises
    ------
    UsageError : if there is none, if the strength is no share, or for neurons from outside of another strength than 1.
    """
    found = _loaded(spec, within)
    if strength == 1.0:
        return found
    if is_link(spec):
        raise UsageError("neurons from outside answer alone: give --box-strength 1, or leave it out.")
    from hardware_models.nonlinearities.blended import Blended

    return Blended(found, _loaded(known, within), strength)


def _loaded(spec: str, within: float | None) -> Nonlinearity:
    if is_link(spec):
        from hardware_models.nonlinearities.served import Served

        return Served(spec, within)
    if spec.startswith(LOOKUP):
        return Recorded(spec)
    if spec.startswith(MEASURED):
        from hardware_models.nonlinearities.transfer import read_transfer

        return read_transfer(spec)
    if ":" in spec:
        from hardware_models.nonlinearities.measured import UserFunction

        return UserFunction(spec, load_object(spec, "nonlinearity"))
    found: Nonlinearity = lookup("nonlinearity", spec, NONLINEARITIES)()
    return found


def changes_with_time(spec: str) -> bool:
    """Tell whether the neurons of a nonlinearity change with the chip's clock; those outside of this process have their own."""
    return not is_link(spec) and isinstance(load_nonlinearity(spec).fabricate(1, Key(0, "law of time")), Timed)
