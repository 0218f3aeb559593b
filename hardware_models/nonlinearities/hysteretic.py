r"""A rectifier with backlash: its output depends on the previous value of the same neuron.

.. math:: p_t = \min(\max(z_t - w_j,\; p_{t-1}),\; z_t + w_j), \qquad f = \max(p_t, 0)

p is the play operator (M. A. Krasnosel'skii and A. V. Pokrovskii, Systems with Hysteresis, Springer 1989, chapter 1;
A. Visintin, Differential Models of Hysteresis, Springer 1994): it follows z at a distance of w_j, rising along z - w_j,
falling along z + w_j, and does not move in between. It does not depend on how fast z moves, and an inner loop closes where
it began (return-point memory). A fresh chip starts at p = 0.

The rows of a batch follow one another in time, and the next call continues from the last row of the previous one. The half
widths are invented, without a source: 0.25 in units of z with a log-normal spread of 30 %, so that the loop matters but is
narrower than the spread of z ~ N(0, 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numba import prange

from hardware_models.check import UsageError, counted, in_range
from hardware_models.kernels.compile import parallel_kernel
from hardware_models.keys import Key

_TOGETHER = 64
"""Number of neurons that a thread computes together: they are neighbours in memory, while rows must follow one another."""


@parallel_kernel
def _played(z, width, play, y):
    """Move `play` (n,) through the rows of z (B, n) in order and write max(play, 0) to y (B, n), all float32."""
    neurons = z.shape[1]
    for block in prange((neurons + _TOGETHER - 1) // _TOGETHER):
        first = block * _TOGETHER
        last = min(first + _TOGETHER, neurons)
        for b in range(z.shape[0]):
            for j in range(first, last):
                p = min(max(z[b, j] - width[j], play[j]), z[b, j] + width[j])
                play[j] = p
                y[b, j] = max(p, np.float32(0.0))


class _Backlash:
    """Neurons of one layer with their memory; their widths are private to the chip."""

    __slots__ = ("__play", "__width")

    def __init__(self, width: np.ndarray) -> None:
        self.__width = width
        self.__play = np.zeros_like(width)

    def __call__(self, z: np.ndarray) -> np.ndarray:
        z = np.ascontiguousarray(z, np.float32)
        y = np.empty_like(z)
        _played(z, self.__width, self.__play, y)  # type: ignore[call-arg]
        return y

    def save(self) -> dict[str, np.ndarray]:
        """Return the play p of each neuron (n,) float32 [units of z]."""
        return {"play": self.__play.copy()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Restore a state returned by `save`; raise UsageError if it belongs to another number of neurons."""
        play = np.array(state["play"], np.float32)
        if play.shape != self.__play.shape:
            raise UsageError(
                f"the saved state is of {counted(play.size, 'neuron')}, this layer has {self.__play.size}."
            )
        self.__play = play


@dataclass(frozen=True)
class Hysteretic:
    """Rectifiers with backlash.

    Parameters
    ----------
    half_width : float
        Median of w_j [units of z]; the rising and the falling branch are 2 w_j apart.
    spread : float
        Standard deviation of ln w_j between the neurons of a chip.

    Raises
    ------
    UsageError
        If one of them is out of range.
    """

    name: str = "hysteretic"
    analog: bool = True
    half_width: float = 0.25
    spread: float = 0.3

    def __post_init__(self) -> None:
        """Raise UsageError for a parameter outside its range."""
        in_range(f"the nonlinearity {self.name}", "half_width", self.half_width, 0.0, 1e3)
        in_range(f"the nonlinearity {self.name}", "spread", self.spread, 0.0, 5.0)

    def fabricate(self, neurons: int, key: Key) -> _Backlash:
        """Return the neurons of one layer with half widths drawn from `key`."""
        width = self.half_width * np.exp(self.spread * key.generator().standard_normal(neurons))
        return _Backlash(width.astype(np.float32))
