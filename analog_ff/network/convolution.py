r"""A convolution: one array a layer, read at one position after another.

.. math:: g = \frac1{B P} \sum_{b, p} x_{bp}^\top d_{bp}

with P positions: the mean over them, so that the learning rate means the same whatever the size of the image (the gradient of
the goodness is the sum). One image costs P reads of the array. Defaults: squares of 5 x 5 and then 3 x 3 positions, each 2
apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analog_ff.network.base import Frame, Wiring
from analog_ff.network.patches import PatchNetwork, check_place, grids, lines, wiring

PATCH, STRIDE = (5, 3), (2,)


class Convolution(PatchNetwork):
    """A convolution with shared weights; see the module, and `PatchNetwork` for the parameters."""

    @staticmethod
    def plan(
        frame: Frame, layers: Sequence[int], *, patch: Sequence[int] | None = None, stride: Sequence[int] | None = None
    ) -> Wiring:
        """Return the shapes of one array a layer; `layers` are channels."""
        check_place(frame.label_place)
        found = grids(frame, layers, patch or PATCH, stride or STRIDE)
        shapes = tuple((lines(grid, frame), m) for grid, m in zip(found, layers, strict=True))
        return wiring(frame, layers, found, shapes)

    def _parts(self) -> tuple[tuple[int, ...], ...]:
        return tuple((layer,) for layer in range(len(self.grids)))

    def _arranged(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return (x.reshape(-1, x.shape[-1]),)

    def join(self, layer: int, found: Sequence[np.ndarray]) -> np.ndarray:
        """Return the outputs of a layer's arrays as (B, positions channels)."""
        return found[0].reshape(-1, self.units[layer])

    def _cut(self, layer: int, values: np.ndarray) -> tuple[np.ndarray, ...]:
        return (values.reshape(-1, self.units[layer] // self.grids[layer].positions),)

    def split(self, layer: int, d: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return d / P with a row for each position."""
        return self._cut(layer, d * np.float32(1.0 / self.grids[layer].positions))
