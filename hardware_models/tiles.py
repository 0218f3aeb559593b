"""Division of a logical array into tiles of at most (rows, columns) cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_models.check import UsageError, positive_int


@dataclass(frozen=True)
class Tiling:
    """An array (rows, bit lines) cut into tiles; the `unit` bit lines of a weight always lie in the same tile."""

    rows: int
    bit_lines: int
    tile_rows: int = 256
    tile_columns: int = 256
    unit: int = 2  # bit lines of a weight: those of G+ and G- of each of its pairs, side by side

    def __post_init__(self) -> None:
        """Raise UsageError for a size of a tile outside its range."""
        positive_int("a tile", "rows", self.tile_rows)
        if positive_int("a tile", "columns", self.tile_columns, 2) < self.unit:
            raise UsageError(
                f"a weight of {self.unit // 2} pairs takes {self.unit} bit lines of one tile, and a tile has "
                f"{self.tile_columns} columns: choose wider tiles or fewer pairs."
            )
        # Bit lines of a tile that are too few for one more weight stay unused.
        object.__setattr__(self, "tile_columns", self.tile_columns // self.unit * self.unit)

    @classmethod
    def of_weights(cls, rows: int, columns: int, tile: tuple[int, int] = (256, 256), pairs: int = 1) -> Tiling:
        """Return the division of an array of (rows, columns) weights of so many pairs of cells each."""
        return cls(rows, 2 * pairs * columns, *tile, unit=2 * pairs)

    @property
    def columns(self) -> int:
        """Number of weights on a word line."""
        return self.bit_lines // self.unit

    @property
    def pairs(self) -> int:
        """Number of pairs of a weight."""
        return self.unit // 2

    def over_weights(self, lines: np.ndarray) -> np.ndarray:
        """Return the sums over the bit lines of each weight, (..., columns), for values of every bit line (..., bit lines)."""
        parts = [lines[..., k :: self.unit] for k in range(self.unit)]
        total: np.ndarray = sum(parts[1:], parts[0])
        return total

    @property
    def row_cuts(self) -> list[tuple[int, int]]:
        """First row of each row tile, and the row after its last one."""
        step = self.tile_rows
        return [(start, min(start + step, self.rows)) for start in range(0, self.rows, step)]

    @property
    def column_cuts(self) -> list[tuple[int, int]]:
        """First bit line of each column tile, and the bit line after its last one."""
        step = self.tile_columns
        return [(start, min(start + step, self.bit_lines)) for start in range(0, self.bit_lines, step)]

    @property
    def row_tiles(self) -> int:
        """Number of tiles into which a column is cut."""
        return -(-self.rows // self.tile_rows)

    @property
    def column_tiles(self) -> int:
        """Number of tiles into which a row is cut."""
        return -(-self.bit_lines // self.tile_columns)
