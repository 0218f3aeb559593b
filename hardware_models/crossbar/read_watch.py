"""The currents of reads in one direction, and the groups of lines that keep them within the limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from hardware_models.check import RunError
from hardware_models.crossbar.groups import ROUNDING, Division, Lines, Woven, strands
from hardware_models.kernels.currents import Loads, Search, Sets, collecting_currents, group_sums, strand_loads
from hardware_models.kernels.products import one_blas_thread

NEAR_FULL = 0.1
"""Share of full scale by which the voltage of a constant line may be below it: a driver has errors of offset and gain."""
ADDED = 0.05
"""Largest share of driven lines that are added to divide lines which are not constant."""
SLACK = 1.0 + 1e-4
"""Factor on the bound of a current that is computed in float32, so that it is a bound for the exact current too."""


class Table(NamedTuple):
    """Sums of conductance that bound the currents of one division, from the conductances of the moment."""

    driven: Woven  # groups of driven lines
    g: np.ndarray  # conductances in their order [S], (n, m)
    collecting: np.ndarray  # borders of the groups of collecting lines
    whole: np.ndarray  # conductance on each driven line in each group of collecting lines [S], (n, C)
    loads: np.ndarray  # the same of its fullest strand
    mean: np.ndarray  # mean conductance of a driven line, in their order, in each tile [S], (n, U) float32
    spread: np.ndarray  # largest deviation of a collecting line from the means, (D, U) float32 [S]

    def split(self, g: np.ndarray, number: np.ndarray) -> None:
        """Enter the loads of driven lines that consist of `number` strands (n,)."""
        strand_loads(np.ascontiguousarray(g), self.collecting, number, self.whole, self.loads)


class ReadWatch:
    """Groups of driven and of collecting lines, and the largest currents that flowed.

    Parameters
    ----------
    driven, collecting : Lines
        Word lines and bit lines, or, of a transposed read, bit lines and word lines.
    limit, margin : float
        What a line bears [A]; the factor by which currents stay below it while groups are sought.
    cell : float
        Largest nominal current of one cell in a read [A].
    full : float
        Voltage of full scale [V].
    joined : bool
        Whether the currents of the tiles add on one line (analog partial sums); the sum is then what is limited.
    stranded : bool
        Whether a driven line with too much current, as the bias row, may be divided into several physical lines.
    """

    def __init__(
        self, driven: Lines, collecting: Lines, limit: float, margin: float, *, cell: float, full: float,
        joined: bool = False, stranded: bool = False,
    ) -> None:  # fmt: skip
        self.driven, self.collecting = driven, collecting
        self.limit, self.margin, self._cell, self._full, self.joined = limit, margin, cell, full, joined
        self.driven_at_once = np.array(driven.lengths, np.int64)  # in each tile
        self.at_once = np.array(collecting.longest, np.int64)  # collecting lines
        self.strands = np.ones(driven.number, np.int64)  # physical lines of each driven line, in each tile
        self._stranded = stranded
        self.constant = np.full(driven.number, stranded)  # at full scale in every sample while groups were sought
        self.most = np.zeros(driven.number)  # largest voltage of each driven line while groups were sought [V]
        # Largest currents [A]: while groups were sought, and since; of driven and of collecting lines.
        shape = driven.tiles, collecting.tiles
        self.peaks = np.zeros((2, 2, *shape))
        self.marks = np.zeros(4, np.int64)  # groups fixed, reads, repeated while sought, repeated since
        self._table: Table | None = None
        self._woven = tuple(driven.lengths), driven.woven(driven.lengths)

    @property
    def fixed(self) -> bool:
        """True once the search for groups has ended; from then on the margin is used up before a read is repeated."""
        return bool(self.marks[0])

    def fix(self) -> None:
        """End the search for groups, if there was a read."""
        self.marks[0] = self.marks[1] > 0

    @property
    def division(self) -> Division:
        """The present division, for the cost of a read."""
        samples = self.driven.tiles if self.joined else len(self.woven.tiles)
        columns = int(self.at_once)
        # Each tile has drivers of its own; a tile that is narrower than the others may have fewer groups.
        drives = (len(self.collecting.borders(columns)) - 1) * int(self.strands.sum())
        return Division(samples, self.turns * self.collecting.groups(columns), drives)

    @property
    def turns(self) -> int:
        """Groups of driven lines in the tile with most."""
        return int(self.woven.places.max()) + 1

    @property
    def woven(self) -> Woven:
        """Groups of driven lines; the same object until they change."""
        at_once = tuple(self.driven_at_once.tolist())
        if self._woven[0] != at_once:
            self._woven = at_once, self.driven.woven(at_once)
        return self._woven[1]

    def forget(self) -> None:
        """Forget what follows from conductances that have changed since."""
        self._table = None

    def settle(self, g: np.ndarray, v: np.ndarray, phases: int = 1) -> list[Division]:
        """Find groups for magnitudes of voltage v (phases B, n) [V], phase by phase; return the divisions that were refused.

        g (n, m) [S]. A read above the limit is refused by the drivers and repeated in smaller groups, which later reads keep.
        Raises RunError if no group is small enough.
        """
        if not self.fixed:
            both = v.reshape(phases, -1, v.shape[1]).sum(axis=0)
            self.constant &= (both >= self._full * (1.0 - NEAR_FULL)).all(axis=0)
        return self._settled(g, v)

    def scan(self, g: np.ndarray) -> int:
        """Return the reads, one after the other, that look at every cell row by row at full scale, refused ones among them."""
        refused = self._settled(g, np.diag(np.full(self.driven.number, self._full, np.float32)))
        return self.driven.number * sum(division.steps // self.turns for division in (*refused, self.division))

    def _settled(self, g: np.ndarray, v: np.ndarray) -> list[Division]:
        now = int(self.fixed)
        voltages = v.max(axis=0, initial=0.0).astype(np.float64)
        if not self.fixed:
            np.maximum(self.most, voltages, out=self.most)
        refused: list[Division] = []
        while True:
            table = self._made(g)
            more = 1.0 if self.fixed or not self._stranded else self._strand(g, table)
            found = self.peaks[now].copy()
            largest = np.array((self._driven(voltages, table, found[0]), *self._collecting(v, table, found[1])))
            over = largest / (self.limit if self.fixed else self.limit / self.margin)
            over[0] = more if more > 1.0 else over[0]
            if over.max() <= 1.0 + ROUNDING or not self._refine(over, largest, refused):
                self.peaks[now] = found
                self.marks[1] += 1
                return refused

    def _strand(self, g: np.ndarray, table: Table) -> float:
        """Divide driven lines into strands for the currents seen so far; return how many times more groups they need as well.

        A constant line is divided for the worst case, so that it never has to be divided again. Other lines, such as those of the
        label, get strands as long as these add no more than the share `ADDED` of the lines.
        """
        bearable, most = self.limit / self.margin, int(self.at_once)
        currents = self.most * table.whole.max(axis=1)
        budget, others = int(np.ceil(ADDED * self.driven.number)), ~self.constant
        groups, last = self.collecting.groups(most), -(-self.collecting.longest // self.collecting.unit)
        more = groups
        while more < last and (_number(currents * groups / more, bearable) - 1)[others].sum() > budget:
            more += 1
        self.strands[:] = np.minimum(_number(currents, bearable), most) if more == groups else 1
        self.strands[self.constant] = strands(most, self._cell, self.limit)
        table.split(g, self.strands)
        # Parts of a line are not equal to the last cell: a strand more where one is above.
        while (
            more == groups
            and (tight := (self.most * table.loads.max(axis=1) > bearable) & others & (self.strands < most)).any()
        ):
            self.strands[tight] += 1
            table.split(g, self.strands)
        return more / groups

    def _refine(self, over: np.ndarray, largest: np.ndarray, refused: list[Division]) -> bool:
        """Make groups smaller; return False if they are as small as can be and the limit itself is kept.

        over, largest : ratios and currents [A] of the driven lines, and of the collecting lines of each tile.
        """
        before, changed, stuck = self.division, False, 0.0
        # A driven line is relieved by fewer collecting lines at once, and the other way round.
        for k in np.flatnonzero(over > 1.0 + ROUNDING):
            at_once = self.at_once if k == 0 else self.driven_at_once[k - 1 :]
            lines, length = (self.collecting, None) if k == 0 else (self.driven, self.driven.lengths[k - 1])
            fewer = lines.smaller(int(at_once.flat[0]), float(over[k]), length)
            if fewer:
                at_once.flat[0], changed = fewer, True
            else:
                stuck = max(stuck, float(largest[k]))
        if not changed and stuck > self.limit * (1.0 + ROUNDING):
            raise RunError(
                f"a read drives {stuck:.3g} A through a line that bears {self.limit:.3g} A, and no group of lines is smaller: "
                "the cells conduct too much for the limit."
            )
        if changed:
            refused.append(before)
            self.marks[2 + int(self.fixed)] += 1
            self.forget()
        return changed

    def _made(self, g: np.ndarray) -> Table:
        if self._table is None:
            driven, collecting = self.woven, self.collecting.borders(int(self.at_once))
            tiles = self.collecting.borders(self.collecting.tile)
            whole = np.empty((self.driven.number, len(collecting) - 1))
            mean = np.empty((self.driven.number, len(tiles) - 1), np.float32)
            spread = np.empty((len(driven.tiles), len(tiles) - 1), np.float32)
            ordered = np.ascontiguousarray(
                g if len(driven.tiles) == self.driven.tiles else np.take(g, driven.order, axis=0)
            )
            group_sums(ordered, driven.borders, collecting, tiles, whole, mean, spread)
            whole[driven.order] = whole.copy()
            self._table = Table(driven, ordered, collecting, whole, whole.copy(), mean, spread)
            self._table.split(g, self.strands)
        return self._table

    def _driven(self, v: np.ndarray, table: Table, peaks: np.ndarray) -> float:
        """Enter the currents of driven lines, which are exact, into peaks (tiles of them, tiles) [A]; return the largest."""
        currents = v[:, None] * table.loads
        by_row = np.maximum.reduceat(currents, np.arange(0, self.driven.number, self.driven.tile), axis=0)
        tiles = self.collecting.tile_of(table.collecting)
        for t in range(self.collecting.tiles):
            np.maximum(peaks[:, t], by_row[:, tiles == t].max(axis=1), out=peaks[:, t])
        return float(currents.max(initial=0.0))

    def _collecting(self, v: np.ndarray, table: Table, peaks: np.ndarray) -> np.ndarray:
        """Enter the largest currents of collecting lines into peaks (tiles, tiles of them) [A]; return the largest by tile."""
        _, borders, tiles, places = table.driven
        if len(tiles) > self.driven.tiles:
            v = v[:, table.driven.order]
        v = np.ascontiguousarray(v, np.float32)
        loads = Loads(table.g, borders, table.mean, table.spread, self.collecting.tile)
        search = Search(self.limit, self.fixed, SLACK)
        groups = np.argsort(places, kind="stable") if self.joined else np.arange(len(places))
        if self.joined:  # the groups of one turn are on in all tiles, and their currents add
            first = np.searchsorted(places[groups], np.arange(places.max() + 2))
            sets, rows = Sets(groups, first, np.zeros(len(first) - 1, np.int64)), slice(0, 1)
        else:
            sets, rows = Sets(groups, np.arange(len(places) + 1), np.asarray(tiles, np.int64)), slice(None)
        largest = np.zeros(len(peaks[rows]))
        with one_blas_thread():
            collecting_currents(v, loads, sets, search, peaks[rows], largest)
        return np.broadcast_to(largest, self.driven.tiles).copy()

    # --- report and state ---

    def report(self) -> dict[str, int]:
        """Return the groups and the repeated reads as plain numbers."""
        return {
            "row_groups": self.turns,
            "row_groups_of_all_tiles": len(self.woven.tiles),
            "column_groups": self.collecting.groups(int(self.at_once)),
            "divided_rows": int((self.strands > 1).sum()),
            "lines_of_divided_rows": int(self.strands[self.strands > 1].sum()),
            "repeated_in_calibration": int(self.marks[2]),
            "repeated": int(self.marks[3]),
        }

    def save(self) -> dict[str, np.ndarray]:
        """Return the state as arrays."""
        return {
            "driven_at_once": self.driven_at_once.copy(), "at_once": self.at_once.copy(), "strands": self.strands.copy(),
            "constant": self.constant.copy(), "most": self.most.copy(), "peaks": self.peaks.copy(), "marks": self.marks.copy(),
        }  # fmt: skip

    def restore(self, saved: Mapping[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        for name, array in self.save().items():
            np.copyto(getattr(self, name), saved[name].astype(array.dtype))
        self.forget()


def _number(currents: np.ndarray, bearable: float) -> np.ndarray:
    """Return the strands that currents [A] need if each bears so much [A], at least one, int64."""
    return np.maximum(np.ceil(currents / bearable * (1.0 - ROUNDING)), 1.0).astype(np.int64)
