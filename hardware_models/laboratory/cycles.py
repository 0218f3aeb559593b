"""Sort rows by cell and cycle, count the pulses between two readings, and find rows that are out of order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_models.check import shown
from hardware_models.laboratory.columns import no_cell
from hardware_models.laboratory.numbers import Rows
from hardware_models.laboratory.text import MOST_ROWS

SHORTEST_RUN = 3.0
"""Least mean number of pulses of one polarity in a row, from which on a turn of the polarity may begin a cycle."""


@dataclass(frozen=True)
class Order:
    """Pulses of a train in the order of cell, cycle and time."""

    cells: tuple[str, ...]
    row: np.ndarray  # (n,) row of the table; of a pulse without a row, that of the next row
    read: np.ndarray  # (n,) True where the table has a row; False: a pulse that was counted only
    cell: np.ndarray  # (n,) index into `cells`
    cycle: np.ndarray  # (n,) index of the cycle within its cell
    place: np.ndarray  # (n,) number of the pulse in its cycle, from 0
    sign: np.ndarray  # (n,) polarity of the pulse, +1 or -1; 0: a reading without a pulse
    begins: np.ndarray  # (n,) True where a stretch of pulses begins whose earlier ones are not known
    torn: int = 0  # number of stretches that begin after a turn of the polarity at which pulses are missing
    interleaved: bool = False  # up and down pulses alternate, and no column names the cycle


def ordered(rows: Rows, spare: tuple[str, ...] = ()) -> Order:
    """Return the order of the pulses; raise UsageError, with the line, if rows are not in order or pulses are not known.

    A stretch begins with each cycle, with each row without a pulse of the chosen size, and after a turn of the polarity at which
    an unknown number of pulses is missing. A pulse number that advances by n stands for n pulses of the row's polarity.
    `spare` holds the titles of the unused columns, for a message: one of them may name the cell if no other column does.
    """
    advice = no_cell(spare) if rows.cell is None and spare else ""
    cells, cell = _numbered(rows.cell, len(rows.line))
    order = np.argsort(cell, kind="stable")
    cell = cell[order]
    new = np.diff(cell, prepend=-1) != 0  # the first row of a cell
    sign = rows.sign[order].astype(np.int64)
    before = np.concatenate(([0], sign[:-1]))
    interleaved = False
    if rows.cycle is not None:
        cycle = _labelled(rows, order, cell, new, advice)
    else:
        cycle, interleaved = _turns(rows, order, sign, cell, new)
    fresh = new | (np.diff(cycle, prepend=-1) != 0)
    _forwards(rows, order, fresh, advice)
    gap, torn = _pulses_since(rows, order, sign, before, fresh, advice)
    if gap.sum() > MOST_ROWS:
        far = int(gap.argmax())
        raise rows.error(
            order[far], f"{gap[far]} pulses since the row before; more than {MOST_ROWS} pulses are not read"
        )
    made = np.repeat(np.arange(len(order)), gap)
    read = np.zeros(len(made), bool)
    read[np.cumsum(gap) - 1] = True
    starts = np.diff(made, prepend=-1) != 0  # the first pulse of each row
    place = np.arange(len(made))
    place = place - np.maximum.accumulate(np.where(fresh[made] & starts, place, 0))
    idle = sign == 0 if rows.skipped is None else (sign == 0) | rows.skipped[order]
    begins = ((fresh | torn)[made] & starts) | (idle[made] & read)
    return Order(
        cells, order[made], read, cell[made], cycle[made], place, sign[made], begins, int(torn.sum()), interleaved
    )


def _numbered(labels: list[str] | None, n: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the different labels in the order of their first appearance, and each row's number among them."""
    if labels is None:
        return ("1",), np.zeros(n, np.int64)
    known: dict[str, int] = {}
    number = np.fromiter((known.setdefault(label, len(known)) for label in labels), np.int64, n)
    return tuple(known), number


def _labelled(rows: Rows, order: np.ndarray, cell: np.ndarray, new: np.ndarray, advice: str) -> np.ndarray:
    """Return the number of each row's cycle by the column of cycles; a cycle of another file is another cycle."""
    _, label = _numbered(rows.cycle, len(order))
    code = label[order] + (1 + label.max()) * rows.file[order]
    code = code + (1 + code.max()) * cell
    _, begins, member = np.unique(code, return_index=True, return_inverse=True)
    rank = np.empty(len(begins), np.int64)
    rank[np.argsort(begins)] = np.arange(len(begins))
    rank = rank[member]  # order of the cycles by their first rows
    cycle = rank - rank[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
    back = np.flatnonzero((np.diff(cycle, prepend=0) < 0) & ~new)
    if back.size:
        row = order[back[0]]
        said = shown(rows.cycle[row] if rows.cycle else "", quoted=False)
        name = shown(rows.cell[row] if rows.cell else "1", quoted=False)
        raise rows.error(
            row,
            f"cycle {said} of cell {name} goes on after another one has begun; rows have to be in the order of time{advice}",
        )
    return cycle


def _turns(
    rows: Rows, order: np.ndarray, sign: np.ndarray, cell: np.ndarray, new: np.ndarray
) -> tuple[np.ndarray, bool]:
    """Return the number of each row's cycle by the turns of the polarity, and whether the polarities are interleaved.

    A cycle begins where the polarity returns to the cell's first one, and with each file. Where that would leave fewer than
    `SHORTEST_RUN` pulses a turn, the polarities are interleaved, and all rows of a cell under one header are one cycle.
    """
    n, pulsed = len(order), sign != 0
    here = np.arange(n)
    last = np.concatenate(([-1], np.maximum.accumulate(np.where(pulsed, here, -1))[:-1]))  # the pulse before
    follows = (last >= np.maximum.accumulate(np.where(new, here, 0))) & ~new
    start = np.zeros(int(cell.max()) + 1, np.int64)
    pulses = np.flatnonzero(pulsed)[::-1]
    start[cell[pulses]] = sign[pulses]
    coming = np.minimum.accumulate(np.where(pulsed, here, n)[::-1])[::-1]  # the pulse at or after a row
    ahead = np.where(coming < n, sign[np.minimum(coming, n - 1)], 0)
    begun = np.concatenate(([0], sign[:-1])) != 0
    turned = follows & begun & (sign[last] != sign) & (ahead == start[cell]) & ((sign == 0) | (sign == ahead))
    turned |= ~new & (np.diff(rows.file[order], prepend=0) != 0)
    turns = follows & pulsed & (sign[last] != sign)
    advance = np.ones(n)
    if rows.pulse is not None:
        advance = np.maximum(np.diff(rows.pulse[order], prepend=0.0), 1.0)
    long = advance[pulsed & ~turns & ~new].sum() + turns.sum() + len(start)
    interleaved = bool(turns.sum() >= 3 and long < SHORTEST_RUN * (turns.sum() + len(start)))
    if interleaved:
        block = rows.block[order]
        turned = ~new & (np.diff(block, prepend=block[:1]) != 0)
    total = np.cumsum(turned)
    return total - total[np.maximum.accumulate(np.where(new, here, 0))], interleaved


def _forwards(rows: Rows, order: np.ndarray, fresh: np.ndarray, advice: str) -> None:
    """Raise UsageError if the time goes back inside a cycle of one file and one header."""
    if rows.time is None:
        return
    known = order[np.isfinite(rows.time[order])]
    begun = np.cumsum(fresh)[np.isfinite(rows.time[order])]
    same = (np.diff(begun) == 0) & (np.diff(rows.file[known]) == 0) & (np.diff(rows.block[known]) == 0)
    back = np.flatnonzero(same & (np.diff(rows.time[known]) < 0))
    if back.size:
        raise rows.error(
            known[back[0] + 1], f"the time goes back inside a cycle; rows have to be in the order of time{advice}"
        )


def _pulses_since(
    rows: Rows, order: np.ndarray, sign: np.ndarray, before: np.ndarray, fresh: np.ndarray, advice: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of pulses (n,) since the row before, and the mask of rows before which an unknown number is missing."""
    one, none = np.ones(len(order), np.int64), np.zeros(len(order), bool)
    if rows.pulse is None:
        return one, none
    pulse = rows.pulse[order].astype(np.int64)
    last = np.concatenate(([0], pulse[:-1]))
    gap = np.where(fresh, 1, pulse - last)
    turned = ~fresh & (sign != before)
    again = turned & (pulse <= last)  # the numbers begin anew with each polarity
    gap = np.where(again, np.maximum(pulse, 1), gap)
    bad = np.flatnonzero((gap < 1) & (sign != 0))
    if bad.size:
        i = int(bad[0])
        name = shown(rows.cell[order[i]] if rows.cell else "1", quoted=False)
        raise rows.error(
            order[i], f"pulse {pulse[i]} of cell {name} follows pulse {last[i]}; each pulse needs "
            "its own row, in the order of time" + advice,
        )  # fmt: skip
    gap = np.where(sign == 0, 1, gap)
    ones = gap[~fresh & ~turned & (sign != 0)]
    usual = int(np.bincount(np.minimum(ones, 10_000)).argmax()) if ones.size else 1
    torn = turned & ~again & (before != 0) & (gap > max(usual, 1))
    gap = np.where(torn, 1, gap)
    return gap, torn


def from_first_reading(g: np.ndarray, begins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two masks (n,): the rows to keep, so that each stretch begins with a reading, and the first kept row of each.

    `begins` (n,) is True at the first row of each stretch. Rows before a stretch's first reading are useless to a fit.
    """
    unit, known = np.cumsum(begins) - 1, np.isfinite(g)
    so_far = np.cumsum(known)
    so_far = so_far - (so_far - known)[begins][unit]
    keep = so_far > 0
    first = np.zeros(len(g), bool)
    first[keep] = np.diff(unit[keep], prepend=-1) > 0
    return keep, first


def jumps(g: np.ndarray, cell: np.ndarray, rows: Rows, row: np.ndarray) -> None:
    """Raise UsageError if the conductance jumps by a factor of about 10³ or 10⁶ and stays there, a sign of mixed units."""
    level = np.log10(np.maximum(g, 1e-30))
    for i in np.flatnonzero(np.abs(np.diff(level)) > 2.5):
        decades = abs(float(np.median(level[i + 1 : i + 6]) - np.median(level[max(0, i - 4) : i + 1])))
        if cell[i] == cell[i + 1] and min(abs(decades - 3), abs(decades - 6)) < 0.5:
            raise rows.error(
                row[i + 1], f"the conductance jumps by a factor of about {10 ** round(decades):g}, which looks like mixed units; "
                "use one unit, in the header",
            )  # fmt: skip
