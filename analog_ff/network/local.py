r"""Local receptive fields without shared weights: every position of a layer has an array of its own.

The default geometry is that of Hinton's network for MNIST (arXiv:2212.13345, 3.2): fields of 10 x 10 pixels in steps of 6, then
blocks of 2 x 2 positions with all their channels, which gives grids of 4 x 4, 3 x 3, 2 x 2 (his channels: 128, 220, 512).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analog_ff.network.base import Frame, Wiring
from analog_ff.network.patches import PatchNetwork, check_place, grids, lines, wiring

PATCH, STRIDE = (10, 2), (6, 1)


class Local(PatchNetwork):
    """A network of local receptive fields; see the module, and `PatchNetwork` for the parameters."""

    @staticmethod
    def plan(
        frame: Frame, layers: Sequence[int], *, patch: Sequence[int] | None = None, stride: Sequence[int] | None = None
    ) -> Wiring:
        """Return the plan with one array for each position; `layers` holds the channels of each layer."""
        check_place(frame.label_place)
        layer_grids = grids(frame, layers, patch or PATCH, stride or STRIDE)
        shapes = (
            (lines(grid, frame), m) for grid, m in zip(layer_grids, layers, strict=True) for _ in range(grid.positions)
        )
        return wiring(frame, layers, layer_grids, tuple(shapes))

    def _parts(self) -> tuple[tuple[int, ...], ...]:
        parts, start = [], 0
        for grid in self.grids:
            parts.append(tuple(range(start, start + grid.positions)))
            start += grid.positions
        return tuple(parts)

    def _arranged(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(np.ascontiguousarray(x.transpose(1, 0, 2)))

    def join(self, layer: int, found: Sequence[np.ndarray]) -> np.ndarray:
        """Return the outputs of a layer's arrays as (B, positions channels)."""
        return np.concatenate(found, axis=1)

    def _cut(self, layer: int, values: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(np.split(values, self.grids[layer].positions, axis=1))
