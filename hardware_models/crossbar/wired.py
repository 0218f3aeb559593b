r"""The matrix that an array has behind the resistance of its wires, tile by tile, followed while the cells change.

Wires are linear, so that a tile with wires is still one matrix: i = v T instead of i = v G. T follows from an exact solution
(`hardware_models.wires`), which takes far longer than a read. Between two solutions T is followed by the share that each cell
had in the last one,

.. math:: T_{ij} \approx T_{0,ij} + A_{ij} (G_{ij} - G_{0,ij}), \qquad A = \min(T_0/G_0, 1)

which is exact while no cell moves, and to first order of nothing else: a cell that moves changes what its neighbours see. Of a
nearly open cell T_0 is what sneaks through others and T_0/G_0 has no limit, but no current rises by more than what a cell would
carry behind ideal wires. Every few reads one input of the batch is solved exactly, and the shares are computed anew where the
currents are off by more than the tolerance. The read noise of a cell reaches its line by the same share, so that its variance is
that of the cell times A².
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hardware_models.kernels.seen import track
from hardware_models.tiles import Tiling
from hardware_models.wires import Interconnect, Wires

OWN_TOLERANCE = 0.01
"""Relative error of the exact solutions, as a share of the tolerance of the shares."""


class Wired:
    """The matrix of one array of `tiling` with wires, as its reads see it."""

    def __init__(self, tiling: Tiling, interconnect: Interconnect) -> None:
        self.interconnect = interconnect
        self._tiles = [(slice(*rows), slice(*columns)) for rows in tiling.row_cuts for columns in tiling.column_cuts]
        self._alike: dict[tuple[int, int], list[tuple[slice, slice]]] = {}
        """Tiles of one shape."""
        for rows, columns in self._tiles:
            shape = rows.stop - rows.start, columns.stop - columns.start
            self._alike.setdefault(shape, []).append((rows, columns))
        self.shares = np.zeros((tiling.rows, tiling.bit_lines), np.float32)
        """A (rows, bit lines) [1]; zeros until the first solution."""
        self.sneaking = np.zeros_like(self.shares)
        """T_0 - A G_0 (rows, bit lines) [S]: 0 but for rounding where A is T_0/G_0."""
        self._reads = 0  # of changed cells since the last comparison
        self.comparisons = 0
        self.refreshes = 0
        self.largest_error = 0.0

    def _wires(self, g: np.ndarray) -> Wires:
        chosen = self.interconnect
        return Wires(g, chosen.r_word, chosen.r_bit, tolerance=OWN_TOLERANCE * chosen.tolerance)

    def matrix(self, g: np.ndarray) -> np.ndarray:
        """Return T (rows, bit lines) float32 [S] for conductances g (rows, bit lines) [S]."""
        if self.interconnect.mode == "exact":
            return self._solve(g)
        if not self.refreshes:
            self._solve(g)
        matrix = np.empty_like(self.shares)
        track(g, self.shares, self.sneaking, matrix)
        return matrix

    def _solve(self, g: np.ndarray) -> np.ndarray:
        """Return T by an exact solution of each tile, and keep what follows it."""
        matrix = np.empty(g.shape, np.float32)
        for tile in self._tiles:
            wires = self._wires(g[tile])
            matrix[tile] = wires.effective()
            self.shares[tile] = np.minimum(wires.attenuation(), 1.0)
            self.sneaking[tile] = wires.effective() - self.shares[tile].astype(np.float64) * g[tile]
        self.refreshes += 1
        self._reads = 0
        return matrix

    def renew(self, g: np.ndarray) -> None:
        """Solve the tiles for conductances g (rows, bit lines) [S] that have nothing to do with those of the last solution."""
        self._solve(g)

    def due(self) -> bool:
        """Count a read of cells that have changed since the last solution; return True if it is to be compared."""
        self._reads += 1
        return self.interconnect.mode == "refreshed" and self._reads % self.interconnect.every == 0

    def off(self, g: np.ndarray, v: np.ndarray) -> bool:
        """Compare the currents of one input v (rows,) [V] with exact ones; return True if the shares had to be solved anew.

        g : the present conductances (rows, bit lines) [S].
        """
        self.comparisons += 1
        error = max(self._error(g, v, tiles) for tiles in self._alike.values())
        self.largest_error = max(self.largest_error, error)
        if error <= self.interconnect.tolerance:
            return False
        self._solve(g)
        return True

    def _error(self, g: np.ndarray, v: np.ndarray, tiles: list[tuple[slice, slice]]) -> float:
        """Return the largest error of a current of tiles of one shape, relative to its tile's largest current.

        It is 0 where nothing flows.
        """
        voltage = np.stack([v[rows] for rows, _ in tiles])
        exact = self._wires(g[tiles[0]]).solve_others(np.stack([g[tile] for tile in tiles]), voltage)
        error = 0.0
        for tile, own, current in zip(tiles, voltage, exact, strict=True):
            matrix = g[tile].astype(np.float64) * self.shares[tile] + self.sneaking[tile]
            largest = np.abs(current).max()
            if largest > 0.0:
                error = max(error, float(np.abs(own.astype(np.float64) @ matrix - current).max() / largest))
        return error

    def tracking(self) -> dict[str, float | None]:
        """Return ``solutions``, ``comparisons``, ``largest_error`` [1] before a refresh and ``share``, the mean of A [1]."""
        return {
            "solutions": self.refreshes,
            "comparisons": self.comparisons,
            "largest_error": self.largest_error if self.comparisons else None,
            "share": float(self.shares.mean(dtype=np.float64)) if self.refreshes else None,
        }

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the shares and the counters, as plain arrays; without `copy` the shares are the ones that are in use."""
        counts = (self._reads, self.comparisons, self.refreshes, self.largest_error)
        kept = {"wires.shares": self.shares, "wires.sneaking": self.sneaking}
        kept = {name: array.copy() for name, array in kept.items()} if copy else kept
        return kept | {"wires.counts": np.array(counts, np.float64)}

    def restore(self, saved: Mapping[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        self.shares[:], self.sneaking[:] = saved["wires.shares"], saved["wires.sneaking"]
        reads, comparisons, refreshes, self.largest_error = (float(x) for x in saved["wires.counts"])
        self._reads, self.comparisons, self.refreshes = int(reads), int(comparisons), int(refreshes)
