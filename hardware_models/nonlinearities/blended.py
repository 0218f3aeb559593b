r"""A black box of a chosen strength: the part s of an unknown curve, the rest of the curve that is known.

.. math:: y = (1 - s)\, k(z) + s\, f(z), \qquad 0 \le s \le 1

with k the known curve (the rectifier of a neuron, the identity on the way between two layers) and f the box. s = 0 is the known
network to the bit, s = 1 the box as it is. A blend remembers, ages and draws as its box does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from hardware_models.check import in_range
from hardware_models.keys import Key
from hardware_models.nonlinearities.base import Neurons, Nonlinearity, Stateful, Stochastic, Timed

Box = TypeVar("Box", bound=Neurons)


class _Blend(Generic[Box]):
    """Neurons of one layer: the known curve and the box beside each other."""

    def __init__(self, known: Neurons, box: Box, strength: float) -> None:
        self._known, self._box, self._share = known, box, np.float32(strength)

    def __call__(self, z: np.ndarray) -> np.ndarray:
        return self._blended(z, self._box(z))

    def _blended(self, z: np.ndarray, of_the_box: np.ndarray) -> np.ndarray:
        y: np.ndarray = (np.float32(1.0) - self._share) * self._known(z) + self._share * of_the_box
        return y


class _Drawing(_Blend[Stochastic]):
    """A blend with a box that draws."""

    def drawn(self, z: np.ndarray, key: Key) -> np.ndarray:
        """Return y with what the box draws from `key`."""
        return self._blended(z, self._box.drawn(z, key))


class _Remembering(_Blend[Stateful]):
    """A blend with a box that remembers."""

    def save(self) -> dict[str, np.ndarray]:
        """Return the state of the box."""
        return self._box.save()

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Restore the state of the box."""
        self._box.restore(state)


class _Ageing(_Remembering):
    """A blend with a box that changes with the clock."""

    def advance(self, time: float) -> None:
        """Advance the box to the chip's clock `time` [s]."""
        if isinstance(self._box, Timed):
            self._box.advance(time)


@dataclass(frozen=True)
class Blended:
    """Neurons that are a blend of a known curve and a box.

    Parameters
    ----------
    box, known : Nonlinearity
        f and k.
    strength : float
        s [1].

    Raises
    ------
    UsageError
        If the strength is out of range.
    """

    box: Nonlinearity
    known: Nonlinearity
    strength: float

    def __post_init__(self) -> None:
        """Refuse a strength that is no share."""
        in_range(f"the nonlinearity {self.box.name}", "--box-strength", self.strength, 0.0, 1.0)

    @property
    def name(self) -> str:
        """Name of the box."""
        return self.box.name

    @property
    def analog(self) -> bool:
        """True if the box is analog: the circuit is that of the box at every strength."""
        return self.box.analog

    def fabricate(self, neurons: int, key: Key) -> Neurons:
        """Return the neurons of one layer; the box is drawn from `key` as it would be alone."""
        box, known = self.box.fabricate(neurons, key), self.known.fabricate(neurons, key)
        if isinstance(box, Stateful):
            return (_Ageing if isinstance(box, Timed) else _Remembering)(known, box, self.strength)
        if isinstance(box, Stochastic):
            return _Drawing(known, box, self.strength)
        return _Blend(known, box, self.strength)
