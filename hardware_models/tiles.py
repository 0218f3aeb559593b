"""How a logical array is cut into tiles of at most `tile` = (rows, columns) cells."""

from __future__ import annotations

from dataclasses import dataclass

from hardware_models.check import positive_int


@dataclass(frozen=True)
class Tiling:
    """A (rows, bit lines) array cut into tiles; pairs are never cut apart."""

    rows: int
    bit_lines: int
    tile_rows: int = 256
    tile_columns: int = 256

    def __post_init__(self) -> None:
        """Check the size of a tile."""
        positive_int("a tile", "rows", self.tile_rows)
        positive_int("a tile", "columns", self.tile_columns, 2)
        # An odd number of bit lines leaves the last one of a tile unused.
        object.__setattr__(self, "tile_columns", self.tile_columns // 2 * 2)

    @property
    def row_cuts(self) -> list[tuple[int, int]]:
        """First and one past the last row of each row tile."""
        step = self.tile_rows
        return [(start, min(start + step, self.rows)) for start in range(0, self.rows, step)]

    @property
    def row_tiles(self) -> int:
        """Number of tiles a column is cut into."""
        return -(-self.rows // self.tile_rows)

    @property
    def column_tiles(self) -> int:
        """Number of tiles a row is cut into."""
        return -(-self.bit_lines // self.tile_columns)
