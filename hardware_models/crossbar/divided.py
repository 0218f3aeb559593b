"""The division of an array into groups of lines that are read one by one: its tiles, or the groups that a limit asks for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hardware_models.crossbar.groups import Division
from hardware_models.crossbar.line_watch import LineWatch
from hardware_models.tiles import Tiling


class Divided:
    """Base of the cells of an array of `tiling`: the division of its reads, which the `watch` over its currents has found."""

    tiling: Tiling
    watch: LineWatch | None

    @property
    def row_groups(self) -> list[slice | np.ndarray]:
        """Rows of each group that is read by itself: tiles, or groups that are woven into each other in a tile."""
        if self.watch is None:
            return [slice(*cut) for cut in self.tiling.row_cuts]
        order, borders, *_ = self.watch.forwards.woven
        return [order[a:b] for a, b in pairwise(borders)]

    @property
    def tiles_of_groups(self) -> np.ndarray:
        """Row tile of each of `row_groups`."""
        return np.arange(self.tiling.row_tiles) if self.watch is None else self.watch.forwards.woven.tiles

    @property
    def division(self) -> Division:
        """Division of a read, as far as its cost depends on it."""
        whole = Division(self.tiling.row_tiles, 1, self.tiling.rows * self.tiling.column_tiles)
        return whole if self.watch is None else self.watch.forwards.division

    @property
    def transposed_division(self) -> Division:
        """Division of a transposed read."""
        whole = Division(self.tiling.column_tiles, 1, self.tiling.bit_lines * self.tiling.row_tiles)
        return whole if self.watch is None else self.watch.backwards.division

    @property
    def reads_of_bit_lines(self) -> np.ndarray:
        """Groups of bit lines in the tile of each bit line, which a transposed read reads one by one, (bit lines,) float32."""
        if self.watch is None:
            return np.ones(self.tiling.bit_lines, np.float32)
        groups = np.bincount(self.watch.backwards.woven.tiles).astype(np.float32)
        return groups[np.arange(self.tiling.bit_lines) // self.tiling.tile_columns]
