r"""Groups of lines that are driven or read at once, so that no line carries more than its limit.

A line bears the current :math:`I_{max}` (electromigration). In a read, word line i of a tile carries

.. math:: I_i = v_i \sum_j g_{ij}, \qquad I_j = \sum_i v_i g_{ij}

and bit line j the current I_j. Fewer bit lines at once relieve the word lines, fewer word lines at once the bit lines. With R
groups of rows and C groups of columns, a read takes R C times as long; each group of rows is converted by itself, and the groups
of columns have converters of their own anyway. In a write, a line carries the current of all cells that are pulsed at once, and
:math:`\lfloor I_{max}/I_{cell} \rfloor` fit on it.

Bit lines of another group are open while a group is read: a transistor at their end is off, and behind access transistors no
current finds another way. In a passive array it would (sneak paths), which is left out here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

ROUNDING = 1e-9
"""Share by which a current may be above the limit before it counts, so that rounding does not refuse the exact case I = I_max."""


class Lines(NamedTuple):
    """Parallel lines of an array, cut into tiles."""

    number: int
    tile: int  # lines of a whole tile
    unit: int = 1  # lines that are always driven or read together: the bit lines of a weight

    @property
    def tiles(self) -> int:
        """Number of tiles."""
        return -(-self.number // self.tile)

    @property
    def longest(self) -> int:
        """Number of lines in the largest tile."""
        return min(self.number, self.tile)

    def groups(self, at_once: int) -> int:
        """Return the number of groups of the largest tile, of at most `at_once` lines each."""
        return -(-self.longest // at_once)

    def borders(self, at_once: int) -> np.ndarray:
        """Return the first line of each group of at most `at_once` lines, and the number of all lines, int64."""
        starts = [a for top in range(0, self.number, self.tile) for a in range(top, self._end(top), at_once)]
        return np.array([*starts, self.number], np.int64)

    def tile_of(self, borders: np.ndarray) -> np.ndarray:
        """Return the tile of each group, int64."""
        return borders[:-1] // self.tile

    @property
    def lengths(self) -> list[int]:
        """Number of lines of each tile."""
        return [self._end(top) - top for top in range(0, self.number, self.tile)]

    def woven(self, at_once: Sequence[int]) -> Woven:
        """Return groups of at most at_once[t] lines of tile t, woven into each other: in n groups of a tile, every nth unit.

        Neighbouring rows carry alike currents, as neighbouring pixels are alike; woven groups share them out.
        """
        order, sizes, tiles, places = [], [], [], []
        for tile, top in enumerate(range(0, self.number, self.tile)):
            lines = np.arange(top, self._end(top))
            number = -(-len(lines) // at_once[tile])
            units = (lines - top) // self.unit
            for place in range(number):
                group = lines[units % number == place]
                order.append(group)
                sizes.append(len(group))
                tiles.append(tile)
                places.append(place)
        borders = np.concatenate(([0], np.cumsum(sizes)))
        return Woven(np.concatenate(order), borders.astype(np.int64), np.array(tiles), np.array(places))

    def smaller(self, at_once: int, over: float, length: int | None = None) -> int:
        """Return a smaller number of lines at once where the current was `over` times its limit; 0 if there is none.

        length : lines of the tile, by default of the largest one.
        """
        if at_once <= self.unit:
            return 0
        length = self.longest if length is None else length
        groups = -(-length // at_once)
        wanted = max(groups + 1, math.ceil(groups * over * (1.0 - ROUNDING)))
        units = -(-length // (wanted * self.unit))
        return max(self.unit, min(units * self.unit, at_once - self.unit))

    def _end(self, top: int) -> int:
        return min(top + self.tile, self.number)


class Woven(NamedTuple):
    """Groups of lines, as an order of all lines in which every group is in one piece."""

    order: np.ndarray  # lines, group by group, int64
    borders: np.ndarray  # group k has the lines order[borders[k]] to order[borders[k + 1]], int64
    tiles: np.ndarray  # tile of each group
    places: np.ndarray  # place of each group in its tile; groups of the same place are driven at the same time


class Division(NamedTuple):
    """Division of a read into reads of groups of lines, as far as its cost depends on it."""

    samples: int  # conversions of one output for one sample
    steps: int  # reads one after the other
    drives: int  # drives of input lines, which have a converter in each tile, for one sample and phase


def cells_at_once(limit: float, current: float, most: int) -> int:
    """Return the number of cells of a current [A] that a line bears at once, at most `most`; 0 if one is above the limit [A]."""
    return min(most, math.floor(limit / current * (1.0 + ROUNDING))) if current * most > limit else most


def strands(cells: int, current: float, limit: float) -> int:
    """Return the word lines among which a word line with that many cells of a current [A] is divided, each with its own cells."""
    fit = cells_at_once(limit, current, cells)
    return cells if fit == 0 else -(-cells // fit)
