"""Read a measured pulse train from a table that a laboratory exported; every fault is reported with its line.

Each row is a pulse and the conductance after it, in the order of time. The header gives the units in brackets:

```
cell, cycle, pulse, voltage [V], width [ns], conductance [uS]
A1, 1, 1, 1.6, 50, 2.31
```

`conductance` (or `resistance`, or `current` and `read voltage`) and one of `voltage` and `polarity` (1/-1, up/down,
set/reset) are required. `cell`, `cycle`, `pulse` and `width` are optional; without `cycle` a new cycle begins when the
polarity returns to the first one. A row of polarity or voltage 0 is a reading before the first pulse of a cycle. Lines that
begin with # are skipped. The encoding, the separator, the decimal sign and lines before the header are recognised
(`hardware_models.laboratory`); `PulseTrain.taken` lists how the table was understood. Readings that are no numbers or
outliers are left out and reported; the pulses before them still count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from hardware_models import files
from hardware_models.check import UsageError, shown
from hardware_models.laboratory.columns import Columns, columns_of, parse_choice, recognised
from hardware_models.laboratory.cycles import Order, alike, from_first_reading, jumps, ordered
from hardware_models.laboratory.device_jumps import kept_because
from hardware_models.laboratory.numbers import Rows, named, rows_of
from hardware_models.laboratory.outliers import outliers
from hardware_models.laboratory.text import MOST_BYTES, SEPARATORS, Sheet, sheet

FEWEST_STEPS = 20
"""Least number of steps of each polarity for a fit."""
FEWEST_OF_A_CELL = 4
"""Least number of steps of each polarity in each cell."""
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class PulseTrain:
    """A measured pulse train: readings sorted by cell, then by cycle, then by time."""

    path: str
    cells: tuple[str, ...]  # names
    cell: np.ndarray  # (n,) index into `cells`
    cycle: np.ndarray  # (n,) index of the cycle within its cell
    polarity: np.ndarray  # (n,) of the pulse before the reading: +1 or -1; 0 where `first` is True
    first: np.ndarray  # (n,) True at the first reading of a cycle
    g: np.ndarray  # (n,) conductance after the pulse [S], NaN if the reading was left out
    line: np.ndarray  # (n,) line of the file
    voltage: tuple[float, float] | None  # size of the up and of the down pulse [V]
    width: tuple[float, float] | None  # of the up and of the down pulse [s]
    notices: tuple[str, ...] = ()
    taken: tuple[tuple[str, str, str], ...] = ()  # (quantity, column, unit or assumption)
    outliers: tuple[int, ...] = ()  # lines of the readings that were left out because they lie far from the others

    @property
    def cycles(self) -> int:
        """Number of cycles of the cell with the fewest cycles."""
        begun = np.bincount(self.cell[self.first], minlength=len(self.cells))
        return int(begun.min())

    @property
    def stepped(self) -> np.ndarray:
        """Mask (n,) that is True if the readings before and after a pulse are both known."""
        known = np.isfinite(self.g)
        return ~self.first & known & np.concatenate(([False], known[:-1]))

    @property
    def steps(self) -> int:
        """Number of steps of both polarities together."""
        return int(self.stepped.sum())


def read_pulse_train(
    path: str | Path,
    *,
    one_cycle: bool = False,
    columns: Mapping[str, str] | str = NOTHING,
    keep_outliers: bool = False,
) -> PulseTrain:
    """Return the pulse train in the file `path`.

    Parameters
    ----------
    path : file with the table as text.
    one_cycle : True accepts cells that were measured over a single cycle, with a notice.
    columns : names of the columns whose titles do not tell their quantity: {"voltage": "PulseV", "current": "MeasI [uA]",
        "read voltage": "0.2 V"} or the same as text, "voltage=PulseV,...". A number is a column's number, from 1.
    keep_outliers : True keeps readings that do not fit the rest.

    Raises
    ------
    UsageError
        If the table cannot be understood or has too few steps; the message names the file and the line.
    """
    data = files.contents(path, "pulse train", most=MOST_BYTES)
    return parse_pulse_train(data, str(path), one_cycle=one_cycle, columns=columns, keep_outliers=keep_outliers)


def parse_pulse_train(
    data: bytes | str, where: str, *, one_cycle: bool = False, columns: Mapping[str, str] | str = NOTHING,
    keep_outliers: bool = False,
) -> PulseTrain:  # fmt: skip
    """Return the pulse train in the bytes or the text of a table; `where` is the table's name in error messages."""
    chosen = parse_choice(columns) if isinstance(columns, str) else dict(columns)
    place = shown(where, 200, quoted=False)
    with files.reading(place, "a pulse train"):
        headless = bool(chosen) and any(text.split("[")[0].strip().isdigit() for text in chosen.values())
        table = sheet(data, place, lambda cells: recognised(cells, chosen), headless=headless)
        found = columns_of(table, chosen)
        rows = rows_of(table, found)
        scales = {name: (column.scale, column.unit) for name, column in found.found.items()}
        sizes = alike(rows, place, scales)
        order = ordered(rows, place, found.spare)
        train = _train(where, rows, order, sizes, keep_outliers)
        notices = (*found.unused, *rows.notices, *train.notices, *_checked(train, place, one_cycle))
    taken = (*_taken(found), *_form(table, rows))
    return PulseTrain(**{**vars(train), "notices": notices, "taken": taken})


def _train(
    where: str, rows: Rows, order: Order, sizes: dict[tuple[str, int], float], keep_outliers: bool
) -> PulseTrain:
    """Return the train without its outliers; polarities are set so that +1 raises the conductance."""
    place = shown(where, 200, quoted=False)
    g, line, first = rows.g[order.row], rows.line[order.row], order.first
    known = np.isfinite(g)
    jumps(g[known], order.cell[known], line[known], place)
    sign = rows.sign[order.row].astype(np.int64)
    notices = []
    left_out: tuple[int, ...] = ()
    cell, cycle = order.cell, order.cycle
    if not keep_outliers:
        bad = outliers(g, sign, first, cell)
        far, all_of_them = int(bad.sum()), int(known.sum())
        share = f"{far} of {all_of_them} readings ({100 * far / max(all_of_them, 1):.2g} %) lie far from what the others say"
        if bad.any() and (reason := kept_because(g, bad, sign, first, cell)):
            notices.append(f"{share} ({named(line[bad])}); {reason}")
        elif bad.any():
            notices.append(f"{share} and were left out ({named(np.sort(line[bad]), 10)}); their pulses count")
            left_out = tuple(sorted(line[bad].tolist()))
            g = np.where(bad, np.nan, g)
            keep, first = from_first_reading(g, first)
            g, line, first, sign, cell, cycle = (x[keep] for x in (g, line, first, sign, cell, cycle))
    polarity = np.where(first, 0, sign)
    polarity, turned = _direction(polarity, g, place)
    scale = -1 if turned else 1
    return PulseTrain(
        where, order.cells, cell, cycle, polarity, first, g, line,
        _size(sizes, "voltage", scale), _size(sizes, "width", scale), (*notices, *turned),
        outliers=left_out,
    )  # fmt: skip


def _size(sizes: dict[tuple[str, int], float], name: str, scale: int) -> tuple[float, float] | None:
    """Return the sizes of the up and the down pulse in SI units; None if the table does not give both."""
    if (name, 1) not in sizes or (name, -1) not in sizes:
        return None
    up, down = (abs(sizes[name, s * scale]) for s in (1, -1))
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


def _checked(train: PulseTrain, place: str, one_cycle: bool) -> list[str]:
    """Return notices about cells with one cycle; raise UsageError if there are too few steps for a fit."""
    last = int(train.line.max()) if len(train.line) else 1
    stepped = train.stepped
    for sign, word in ((1, "up"), (-1, "down")):
        n = int((stepped & (train.polarity == sign)).sum())
        if n < FEWEST_STEPS:
            raise UsageError(
                f"{place}, line {last}: the file ends with {n} steps {word}; at least {FEWEST_STEPS} of each polarity are "
                "needed."
            )
    number = len(train.cells)
    ends = np.zeros(number, np.int64)
    np.maximum.at(ends, train.cell, train.line)
    begun = np.bincount(train.cell[train.first], minlength=number)
    steps = {s: np.bincount(train.cell[stepped & (train.polarity == s)], minlength=number) for s in (1, -1)}
    notices = []
    for index, name in enumerate(train.cells):
        cell = f"cell {shown(name, quoted=False)}"
        for sign, word in ((1, "up"), (-1, "down")):
            if steps[sign][index] < FEWEST_OF_A_CELL:
                raise UsageError(
                    f"{place}, line {ends[index]}: {cell} ends with {steps[sign][index]} steps {word}; at least "
                    f"{FEWEST_OF_A_CELL} of each polarity are needed of every cell."
                )
        if begun[index] < 2:
            what = "noise from cycle to cycle cannot be told from the shape of the curve"
            if not one_cycle:
                raise UsageError(
                    f"{place}, line {ends[index]}: {cell} ends after one cycle only, from which {what}; measure at least two "
                    "cycles up and down (or accept that with --one-cycle)."
                )
            notices.append(f"line {ends[index]}: {cell} has one cycle only: {what}")
    return notices


def _taken(columns: Columns) -> list[tuple[str, str, str]]:
    """Return the columns that were used: (quantity, column, unit or assumption)."""
    rows = []
    for name, column in columns.found.items():
        unit = ", ".join(x for x in (column.unit, column.note) if x) or "-"
        rows.append((name, column.title, unit))
    for name, formula in (("resistance", "1 / resistance"), ("current", "current / read voltage")):
        if name in columns.found:
            rows.append(("conductance", formula, "S"))
    if "cell" not in columns.found:
        rows.append(("cell", "no column", "all rows are of one cell"))
    if "cycle" not in columns.found:
        rows.append(("cycle", "no column", "begins where the polarity returns to the first one"))
    return rows


def _form(table: Sheet, rows: Rows) -> list[tuple[str, str, str]]:
    """Return the encoding, the separator and the decimal sign with which the file was read."""
    header = f"header in line {table.head}" if table.head else "no header"
    return [("file", f"{table.encoding}, {header}", f"{SEPARATORS[table.separator]}, decimal {rows.decimal}")]
