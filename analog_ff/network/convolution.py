r"""A convolution: each layer is one array, which is read at one position of the image after another.

.. math:: g = \frac1{B P} \sum_{b, p} x_{bp}^\top d_{bp}

with P positions. This is the mean over positions, so that the learning rate does not depend on the size of the image (the
gradient of the goodness would be the sum). One image costs P reads of the array. By default the first layer sees squares of
5 x 5 pixels and later layers squares of 3 x 3 positions, in steps of 2.
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
        """Return the plan with one array for each layer; `layers` holds the channels of each layer."""
        check_place(frame.label_place)
        layer_grids = grids(frame, layers, patch or PATCH, stride or STRIDE)
        shapes = tuple((lines(grid, frame), m) for grid, m in zip(layer_grids, layers, strict=True))
        return wiring(frame, layers, layer_grids, shapes)

    def _parts(self) -> tuple[tuple[int, ...], ...]:
        return tuple((layer,) for layer in range(len(self.grids)))

    def _arranged(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return (x.reshape(-1, x.shape[-1]),)

    def join(self, layer: int, found: Sequence[np.ndarray]) -> np.ndarray:
        """Return the output of the layer's array as (B, positions channels)."""
        return found[0].reshape(-1, self.units[layer])

    def _cut(self, layer: int, values: np.ndarray) -> tuple[np.ndarray, ...]:
        return (values.reshape(-1, self.units[layer] // self.grids[layer].positions),)

    def split(self, layer: int, d: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return d / P with one row for each image and position."""
        return self._cut(layer, d * np.float32(1.0 / self.grids[layer].positions))
