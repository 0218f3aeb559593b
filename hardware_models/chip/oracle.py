"""A look inside a chip: weights, conductances, and the neurons' true curves and slopes."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np

from hardware_models.check import UsageError
from hardware_models.crossbar import Crossbar
from hardware_models.nonlinearities.base import Neurons, Stateful

SLOPE_STEP = 2.0**-8
"""Half the distance of the two points of a slope, in units of z, for |z| <= 16; beyond, |z|/16 times as much."""


class Oracle:
    """A look inside, which no real chip offers: for baselines that cheat and for tests.

    Looking changes nothing: no clock, no counter, no memory of a neuron.
    """

    def __init__(self, arrays: Sequence[Crossbar], neurons: Sequence[Neurons]) -> None:
        self._arrays = arrays
        self._neurons = neurons

    def weights(self, layer: int) -> np.ndarray:
        """Return the present weights (inputs, neurons)."""
        return self._arrays[layer].weights

    def conductances(self, layer: int) -> np.ndarray:
        """Return G+ and G-, (2, inputs, N neurons) [S], the N pairs of a weight side by side."""
        return self._arrays[layer].conductances

    def neurons(self, layer: int, z: np.ndarray) -> np.ndarray:
        """Return f(z), (B, neurons) float32, before any converter; rows in order from the neurons' present state."""
        return self._copy(layer)(self._input(layer, z))

    def slope(self, layer: int, z: np.ndarray) -> np.ndarray:
        r"""Return the slopes of the fabricated neurons at their present state.

        .. math:: f'(z) \approx \frac{f(z + h) - f(z - h)}{2h}, \qquad h = 2^{-8} \max(1, |z|/16)

        The step balances the two errors in float32 for a curve that bends on the scale of z = 1.

        Parameters
        ----------
        layer : int
            Layer of the chip.
        z : (B, neurons) array
            Where the slopes are wanted, bias included, in units of z.

        Returns
        -------
        (B, neurons) float32
            Error: h²/6 times the third derivative, and rounding, about 2**-15 of abs(f). At a kink it is the average
            of the slopes of both sides, within h of a kink a weighted one. Of neurons that remember, row b is the
            slope of the output in row b by z of the same row, from the state that the rows before it leave.

        Raises
        ------
        UsageError
            If z has another shape or is not finite.
        """
        z = self._input(layer, z)
        box = self._copy(layer)
        if not isinstance(box, Stateful):
            return difference(box, box, z)
        slope = np.empty_like(z)
        for b in range(len(z)):  # rows follow one another: each is tried on copies of what was before it
            here = z[b : b + 1]
            slope[b : b + 1] = difference(copy.deepcopy(box), copy.deepcopy(box), here)
            box(here)
        return slope

    def _copy(self, layer: int) -> Neurons:
        """Return the neurons of a layer, as a copy where calling them would move their state."""
        box = self._neurons[layer]
        return copy.deepcopy(box) if isinstance(box, Stateful) else box

    def _input(self, layer: int, z: np.ndarray) -> np.ndarray:
        z = np.array(z, np.float32, order="C")
        neurons = self._arrays[layer].shape[1]
        if z.ndim != 2 or z.shape[1] != neurons:
            raise UsageError(f"the oracle needs z of shape (B, {neurons}) for layer {layer}, got shape {z.shape}.")
        if not np.isfinite(z).all():
            raise UsageError(f"the oracle needs finite z for layer {layer}, got NaN or infinity.")
        return z


def difference(above: Neurons, below: Neurons, z: np.ndarray) -> np.ndarray:
    """Return the central difference (B, neurons) of two equal neurons at z, see `Oracle.slope`."""
    h = np.float32(SLOPE_STEP) * np.maximum(np.abs(z) * np.float32(1 / 16), np.float32(1))
    high, low = z + h, z - h
    # Divided by the distance that float32 has really left between the points, in float64: no third rounding.
    rise = above(high).astype(np.float64) - below(low)
    return (rise / (high.astype(np.float64) - low)).astype(np.float32)
