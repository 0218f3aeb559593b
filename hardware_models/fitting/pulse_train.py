"""Read a measured pulse train from tables that a laboratory exported; every fault is reported with its line.

Each row is a pulse and the conductance after it, in the order of time. The header gives the units in brackets:

```
cell, cycle, pulse, voltage [V], width [ns], conductance [uS]
A1, 1, 1, 1.6, 50, 2.31
```

`conductance` (or `resistance`, or `current` and `read voltage`) and one of `voltage` and `polarity` (1/-1, up/down,
set/reset) are required. `cell`, `cycle`, `pulse` and `width` are optional; without `cycle` a new cycle begins when the
polarity returns to the first one. A row of polarity or voltage 0 is a reading without a pulse. Lines that
begin with # are skipped. The encoding, the separator, the decimal sign and lines before the header are recognised
(`hardware_models.laboratory`); `PulseTrain.taken` lists how the table was understood. Readings that are no numbers or
outliers are left out and reported; the pulses before them still count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from hardware_models import files
from hardware_models.check import UsageError, counted, shown
from hardware_models.laboratory.amplitudes import Sizes, chosen, parse_amplitude, sizes_of
from hardware_models.laboratory.choices import parse_choice
from hardware_models.laboratory.cycles import Order, from_first_reading, jumps, ordered
from hardware_models.laboratory.device_jumps import kept_because
from hardware_models.laboratory.numbers import Rows
from hardware_models.laboratory.outliers import outliers
from hardware_models.laboratory.plausible import doubts
from hardware_models.laboratory.stuck_cells import stuck_cells
from hardware_models.laboratory.tables import joined, table_of, taken_together
from hardware_models.laboratory.text import MOST_BYTES
from hardware_models.laboratory.unread import unread

FEWEST_STEPS = 20
"""Least number of steps of each polarity for a fit."""
FEWEST_OF_A_CELL = 4
"""Least number of steps of each polarity in each cell."""
FEWEST_TURNS = 3
"""Number of turns of the polarity from which on a single cycle passes the same states more than once."""
FEW_READ = 0.6
"""Share of the pulses that are read, below which the outliers are sought among the readings alone."""
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class PulseTrain:
    """A measured pulse train: readings sorted by cell, then by cycle, then by time."""

    path: str  # name of the file, or of the first one and the number of the others
    cells: tuple[str, ...]  # names
    cell: np.ndarray  # (n,) index into `cells`
    cycle: np.ndarray  # (n,) index of the cycle within its cell
    polarity: np.ndarray  # (n,) of the pulse before the reading: +1 or -1; 0 where `first` is True
    first: np.ndarray  # (n,) True at the first reading of a cycle, or of a stretch after pulses that are not known
    g: np.ndarray  # (n,) conductance after the pulse [S], NaN if there is no reading or it was left out
    line: np.ndarray  # (n,) line of the file
    voltage: tuple[float, float] | None  # size of the up and of the down pulse [V]
    width: tuple[float, float] | None  # of the up and of the down pulse [s]
    notices: tuple[str, ...] = ()
    taken: tuple[tuple[str, str, str], ...] = ()  # (quantity, column, unit or assumption)
    outliers: tuple[int, ...] = ()  # lines of the readings that were left out because they lie far from the others
    read_voltage: float | None = None  # [V]
    read_time: float | None = None  # [s]
    staircase: tuple[str, ...] = ()  # sentences about pulses whose size changes from pulse to pulse
    file: np.ndarray | None = None  # (n,) index into `files`; None: all of one file
    files: tuple[str, ...] = ()

    @property
    def cycles(self) -> int:
        """Number of cycles of the cell with the fewest cycles."""
        return int(self._cycles().min())

    def _cycles(self) -> np.ndarray:
        """Return the number of cycles (cells,) of each cell."""
        begins = (np.diff(self.cell, prepend=-1) != 0) | (np.diff(self.cycle, prepend=-1) != 0)
        return np.bincount(self.cell[begins], minlength=len(self.cells))

    @property
    def base(self) -> np.ndarray:
        """Row (n,) of the last reading before each row in its stretch; -1 at first readings."""
        here = np.arange(len(self.g))
        last = np.maximum.accumulate(np.where(np.isfinite(self.g), here, -1))
        return np.where(self.first, -1, np.concatenate(([-1], last[:-1])))

    @property
    def stepped(self) -> np.ndarray:
        """Mask (n,) that is True for each reading but the first of a stretch: a step leads to it, of one or more pulses."""
        return ~self.first & np.isfinite(self.g)

    @property
    def steps(self) -> int:
        """Number of steps of both polarities together."""
        return int(self.stepped.sum())


def read_pulse_train(
    path: str | Path | Iterable[str | Path],
    *,
    one_cycle: bool = False,
    columns: Mapping[str, str] | str = NOTHING,
    keep_outliers: bool = False,
    amplitude: str = "",
    each_file: str = "",
) -> PulseTrain:
    """Return the pulse train in the file `path`, or in several files together.

    Parameters
    ----------
    path : file with the table as text, or several of them.
    one_cycle : True accepts cells that were measured over a single cycle, with a notice.
    columns : names of the columns whose titles do not tell their quantity: {"voltage": "PulseV", "current": "MeasI [uA]",
        "read voltage": "0.2 V"} or the same as text, "voltage=PulseV,...". A number is a column's number, from 1.
    keep_outliers : True keeps readings that do not fit the rest.
    amplitude : sizes of the pulses that are fitted, such as "1.6 V" or "1.6 V,-1.8 V,100 ns"; others are left out.
    each_file : "cells" if cells of one name in two files are different cells, "cycles" if files that name no cell
        are cycles of one cell; else cells of one name are one cell, and files that name no cell are a cell each.

    Raises
    ------
    UsageError
        If a table cannot be understood or has too few steps; the message names the file and the line.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    contents: list[tuple[bytes | str, str]] = [
        (files.contents(one, "pulse train", most=MOST_BYTES), str(one)) for one in paths
    ]
    return _parsed(contents, one_cycle, columns, keep_outliers, amplitude, each_file)


def parse_pulse_train(
    data: bytes | str, where: str, *, one_cycle: bool = False, columns: Mapping[str, str] | str = NOTHING,
    keep_outliers: bool = False, amplitude: str = "",
) -> PulseTrain:  # fmt: skip
    """Return the pulse train in the bytes or the text of a table; `where` is the table's name in error messages."""
    return _parsed([(data, where)], one_cycle, columns, keep_outliers, amplitude, "")


def _parsed(
    contents: list[tuple[bytes | str, str]], one_cycle: bool, columns: Mapping[str, str] | str, keep_outliers: bool,
    amplitude: str, each_file: str,
) -> PulseTrain:  # fmt: skip
    choice = parse_choice(columns) if isinstance(columns, str) else dict(columns)
    wanted = parse_amplitude(amplitude)
    tables = []
    while contents:  # a file is forgotten once its rows are numbers
        data, name = contents.pop(0)
        place = shown(name, 200, quoted=False)
        with files.reading(place, "a pulse train"):
            tables.append(table_of(data, place, choice))
        del data
    place = tables[0].where
    if len(tables) > 1:
        place = f"{Path(place).name} and {counted(len(tables) - 1, 'more file')}"
    with files.reading(place, "a pulse train"):
        rows, spare, told = joined(tables, each_file)
        rows = chosen(rows, wanted)
        order = ordered(rows, spare)
        missing = unread(rows, order)
        sizes = sizes_of(rows, order, tables[0].units)
        train = _moving(_train(place, rows, order, sizes, keep_outliers))
        notices = [*told, *rows.notices, *missing, *sizes.notices, *train.notices]
        if order.interleaved:
            notices.append(
                "up and down pulses alternate and no column names the cycle, so all rows of a cell are one cycle"
            )
        notices += _checked(train, rows, one_cycle)
        file = np.zeros_like(train.cell) if train.file is None else train.file
        notices += doubts(train.g, train.cell, train.cells, train.voltage, train.width, file)
    return replace(train, notices=tuple(notices), taken=taken_together(tables))


def _train(place: str, rows: Rows, order: Order, sizes: Sizes, keep_outliers: bool) -> PulseTrain:
    """Return the train without its outliers; polarities are set so that +1 raises the conductance."""
    g = np.where(order.read, rows.g[order.row], np.nan)
    keep, first = from_first_reading(g, order.begins)
    row, sign, cell, cycle = (x[keep] for x in (order.row, order.sign, order.cell, order.cycle))
    g, first = g[keep], first[keep]
    known = np.isfinite(g)
    jumps(g[known], cell[known], rows, row[known])
    notices = []
    left_out: tuple[int, ...] = ()
    if not keep_outliers:
        bad = np.zeros(len(g), bool)
        # Where the cell is read after every n-th pulse, n pulses are one step.
        seen = known if known.sum() < FEW_READ * len(known) else np.ones(len(g), bool)
        bad[seen] = outliers(g[seen], sign[seen], first[seen], cell[seen])
        far, all_of_them = int(bad.sum()), int(known.sum())
        share = f"{far} of {all_of_them} readings ({100 * far / max(all_of_them, 1):.2g} %) lie far from what the others say"
        if bad.any() and (reason := kept_because(g[seen], bad[seen], sign[seen], first[seen], cell[seen])):
            notices.append(f"{share} ({rows.named(row[bad])}); {reason}")
        elif bad.any():
            notices.append(f"{share} and were left out ({rows.named(np.sort(row[bad]), 10)}); their pulses count")
            left_out = tuple(sorted(rows.line[row[bad]].tolist()))
            g = np.where(bad, np.nan, g)
            keep, first = from_first_reading(g, first)
            g, row, first, sign, cell, cycle = (x[keep] for x in (g, row, first, sign, cell, cycle))
    polarity = np.where(first, 0, sign)
    polarity, turned = _direction(polarity, g, place)
    scale = -1 if turned else 1
    return PulseTrain(
        place, order.cells, cell, cycle, polarity, first, g, rows.line[row], _size(sizes, "voltage", scale),
        _size(sizes, "width", scale), (*notices, *turned), read_voltage=rows.told.get("read voltage"),
        read_time=rows.told.get("read time"), staircase=sizes.staircase, file=rows.file[row], files=rows.names,
        outliers=left_out,
    )  # fmt: skip


def _moving(train: PulseTrain) -> PulseTrain:
    """Return the train without the cells that do not follow their pulses."""
    stuck, notices = stuck_cells(train.g, train.base, train.polarity, train.cell, train.cells, train.path)
    if not stuck.any():
        return train
    keep = ~stuck[train.cell]
    cells = tuple(name for name, out in zip(train.cells, stuck, strict=True) if not out)
    rows = {name: getattr(train, name)[keep] for name in ("cycle", "polarity", "first", "g", "line")}
    file = None if train.file is None else train.file[keep]
    number = np.cumsum(~stuck) - 1  # of each cell among those that are left
    return replace(
        train, **rows, cells=cells, cell=number[train.cell[keep]], file=file, notices=(*train.notices, *notices)
    )


def _size(sizes: Sizes, name: str, scale: int) -> tuple[float, float] | None:
    """Return the sizes of the up and the down pulse in SI units; None if the table does not give both."""
    if (name, 1) not in sizes.size or (name, -1) not in sizes.size:
        return None
    up, down = (abs(sizes.size[name, s * scale]) for s in (1, -1))
    return up, down


def _direction(polarity: np.ndarray, g: np.ndarray, place: str) -> tuple[np.ndarray, list[str]]:
    """Return polarities for which +1 raises the conductance, and notices; raise UsageError if both move it the same way."""
    step = np.diff(g, prepend=np.nan)
    way = {}
    for s in (1, -1):
        steps_of_sign = step[(polarity == s) & np.isfinite(step)]
        if not steps_of_sign.size:
            return polarity, []
        way[s] = float(steps_of_sign.mean()), float(steps_of_sign.std() / np.sqrt(steps_of_sign.size))
    (up, up_error), (down, down_error) = way[1], way[-1]
    if up < 0 < down and (up < -3 * up_error or down > 3 * down_error):
        return -polarity, ["positive pulses lower the conductance here and negative ones raise it, so they were taken as "
                           "down and as up pulses"]  # fmt: skip
    if (down < 0 and up < -5 * up_error) or (up > 0 and down > 5 * down_error):
        raise UsageError(
            f"{place}: pulses of both polarities {'lower' if down < 0 else 'raise'} the conductance (by {abs(up):.3g} and "
            f"{abs(down):.3g} S a pulse in the mean); one has to raise it and the other to lower it."
        )
    return polarity, []


def _checked(train: PulseTrain, rows: Rows, one_cycle: bool) -> list[str]:
    """Return notices about cells with one cycle; raise UsageError if there are too few steps for a fit."""
    stepped, number = train.stepped, len(train.cells)
    file = train.file if train.file is not None else np.zeros(len(train.line), np.int64)
    ends = np.full(number, -1)
    ends[train.cell] = np.arange(len(train.cell))  # the last row of each cell

    def at(row: int) -> str:
        return f"{rows.names[file[row]]}, line {int(train.line[row])}"

    for sign, word in ((1, "up"), (-1, "down")):
        n = int((stepped & (train.polarity == sign)).sum())
        if n < FEWEST_STEPS:
            last = f"{rows.names[-1]}, line {int(rows.line.max())}" if len(rows.line) else rows.names[-1]
            alone = "" if n else "; all pulses are of the other polarity (a polarity, or a voltage, of 0 is a reading)"
            raise UsageError(
                f"{last}: the file ends with {counted(n, 'step')} {word}; at least {FEWEST_STEPS} of each polarity are "
                f"needed{alone}."
            )
    steps = {s: np.bincount(train.cell[stepped & (train.polarity == s)], minlength=number) for s in (1, -1)}
    begun = train._cycles()
    turned = ~train.first & (np.diff(train.polarity, prepend=0) != 0) & ~np.concatenate(([True], train.first[:-1]))
    turns = np.bincount(train.cell[turned], minlength=number)
    notices = []
    for index, name in enumerate(train.cells):
        cell = f"cell {shown(name, quoted=False)}"
        for sign, word in ((1, "up"), (-1, "down")):
            if steps[sign][index] < FEWEST_OF_A_CELL:
                place = at(int(ends[index])) if ends[index] >= 0 else rows.names[-1]
                raise UsageError(
                    f"{place}: {cell} ends with {counted(int(steps[sign][index]), 'step')} {word}; at least "
                    f"{FEWEST_OF_A_CELL} of each polarity are needed of every cell."
                )
        if begun[index] < 2 and turns[index] < FEWEST_TURNS:
            what = "noise from cycle to cycle cannot be told from the shape of the curve"
            if not one_cycle:
                raise UsageError(
                    f"{at(int(ends[index]))}: {cell} ends after one cycle only, from which {what}; measure at least two "
                    "cycles up and down (or accept that with --one-cycle)."
                )
            notices.append(f"{at(int(ends[index])).rpartition(', ')[2]}: {cell} has one cycle only: {what}")
    return notices
