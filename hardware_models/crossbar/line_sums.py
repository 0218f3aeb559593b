r"""Sums of conductance along the lines of a passive array, from which the load of half-selected cells follows quickly.

In a slot of a burst, the row and the selected columns of a tile are driven; all other cells on these lines see half the voltage.
With s_i the number of slots of row i in a tile and n_ij the pulses of a cell, summed over the slots,

.. math:: \sum_{half} G = \sum_i s_i (G 1)_i + \sum_j (n^\top 1)_j (G^\top 1)_j - 2 \sum_{ij} n_{ij} G_{ij}

G is the mean conductance before and after the burst. The row sums G 1 and column sums Gᵀ 1 are kept for every tile and
updated for the changed cells only. The work for a burst is therefore proportional to the lines of the tiles and the pulsed
cells, not to the number of all cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from hardware_models.kernels import lines as kernels
from hardware_models.kernels.listed import Listed
from hardware_models.tiles import Tiling


class Selected(NamedTuple):
    """The selected cells of a burst; the first axis is the polarity, up and down."""

    columns: np.ndarray  # (2, row tiles, bit lines) int64: pulses on each bit line of a tile
    conductance: np.ndarray  # (2,) float64: sum of n (g + g')/2 [S]


class LineSums:
    """Row and column sums of conductance [S] of every tile of one array.

    Parameters
    ----------
    tiling : Tiling
        Division of the array into tiles.
    """

    def __init__(self, tiling: Tiling) -> None:
        self._tiling = tiling
        self._left = np.arange(tiling.column_tiles) * tiling.tile_columns
        self._top = np.array([top for top, _ in tiling.row_cuts])
        self._width = np.diff(np.append(self._left, tiling.bit_lines))  # cells on a row of each tile
        self._height = np.diff(np.append(self._top, tiling.rows))  # cells on a bit line of each tile
        self.rows = np.zeros((tiling.rows, tiling.column_tiles))
        self.columns = np.zeros((tiling.row_tiles, tiling.bit_lines))

    def whole(self, lines: np.ndarray) -> np.ndarray:
        """Return the sums [S] of some bit lines over all row tiles."""
        sums: np.ndarray = self.columns[:, lines].sum(axis=0)
        return sums

    def renew(self, g: np.ndarray) -> None:
        """Compute all sums again from the conductances g (rows, bit lines) [S]."""
        self.rows[:] = np.add.reduceat(g, self._left, axis=1, dtype=np.float64)
        self.columns[:] = np.add.reduceat(g, self._top, axis=0, dtype=np.float64)

    def follow(self, rows: np.ndarray, lines: np.ndarray, change: np.ndarray) -> None:
        """Add to the sums the change [S] of the cells where the ascending `rows` and `lines` cross."""
        tiles, start = np.unique(lines // self._tiling.tile_columns, return_index=True)
        self.rows[np.ix_(rows, tiles)] += np.add.reduceat(change, start, axis=1)
        tiles, start = np.unique(rows // self._tiling.tile_rows, return_index=True)
        self.columns[np.ix_(tiles, lines)] += np.add.reduceat(change, start, axis=0)

    def select(self, before: np.ndarray, after: np.ndarray, pulses: np.ndarray) -> Selected:
        """Return the selected cells of a burst, from arrays (rows, bit lines) [S]; the sums are not updated."""
        selected, parts = self._nothing()
        kernels.select(pulses, before, after, self._tiling.tile_rows, selected.columns, parts)
        selected.conductance[:] = parts.sum(axis=0)
        return selected

    def select_some(self, listed: Listed) -> Selected:
        """Return the selected cells of a burst on listed cells, and update the sums for these cells."""
        selected, parts = self._nothing()
        cut = self._tiling
        kernels.select_some(listed, cut.tile_rows, cut.tile_columns, selected.columns, parts, self.rows, self.columns)
        selected.conductance[:] = parts.sum(axis=0)
        return selected

    def _nothing(self) -> tuple[Selected, np.ndarray]:
        columns = np.zeros((2, *self.columns.shape), np.int64)
        return Selected(columns, np.zeros(2)), np.zeros((columns.shape[1], 2))

    def present(self) -> tuple[np.ndarray, np.ndarray]:
        """Return copies of the present row sums and column sums [S], for `half_selected` after the cells have changed."""
        return self.rows.copy(), self.columns.copy()

    def half_selected(
        self, earlier: tuple[np.ndarray, np.ndarray], slots: np.ndarray, selected: Selected
    ) -> tuple[int, np.ndarray]:
        """Return the number of half-selected cells of a burst, counted in every slot, and their sum of G [S] (2,) by polarity.

        earlier : result of `present` before the burst; the sums have been updated since.
        slots : (rows, column tiles, 2) int64, slots of each row in each tile, up and down.
        """
        conductance = np.zeros(2)
        on_lines = kernels.driven(
            slots, selected.columns, *earlier, self.rows, self.columns, self._width, self._height, conductance
        )
        return on_lines - 2 * int(selected.columns.sum()), conductance - 2.0 * selected.conductance

    def check(self, g: np.ndarray, tolerance: float) -> bool:
        """Tell whether the sums equal those over all cells g (rows, bit lines) [S], within `tolerance` [S] or a share of 1e-6."""
        true = LineSums(self._tiling)
        true.renew(g)
        pairs = ((self.rows, true.rows), (self.columns, true.columns))
        return all(np.allclose(kept, found, rtol=1e-6, atol=tolerance) for kept, found in pairs)

    def save(self) -> dict[str, np.ndarray]:
        """Return the sums as arrays; they are saved because their last bits depend on the order of the updates."""
        return {"tile_row_sums": self.rows.copy(), "tile_column_sums": self.columns.copy()}

    def restore(self, saved: Mapping[str, np.ndarray]) -> None:
        """Restore the sums returned by `save`; sums that an older checkpoint lacks keep their values."""
        self.rows[:] = saved.get("tile_row_sums", self.rows)
        self.columns[:] = saved.get("tile_column_sums", self.columns)
