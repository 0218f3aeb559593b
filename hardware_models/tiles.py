"""Division of a logical array into tiles of at most (rows, columns) cells."""

from __future__ import annotations

from dataclasses import dataclass

from hardware_models.check import positive_int


@dataclass(frozen=True)
class Tiling:
    """An array (rows, bit lines) cut into tiles; the two bit lines of a pair always lie in the same tile."""

    rows: int
    bit_lines: int
    tile_rows: int = 256
    tile_columns: int = 256

    def __post_init__(self) -> None:
        """Raise UsageError for a size of a tile outside its range."""
        positive_int("a tile", "rows", self.tile_rows)
        positive_int("a tile", "columns", self.tile_columns, 2)
        # If a tile has an odd number of bit lines, its last one stays unused.
        object.__setattr__(self, "tile_columns", self.tile_columns // 2 * 2)

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
