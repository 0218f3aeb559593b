"""Sort rows by cell and cycle, and find faults of the order: missing pulses, pulses of different size, mixed units."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hardware_models.check import UsageError, shown
from hardware_models.laboratory.columns import no_cell
from hardware_models.laboratory.numbers import Rows

ALIKE = 1e-3
"""Largest relative difference between pulses of one polarity."""


@dataclass(frozen=True)
class Order:
    """Order of the rows by cell, cycle and time, without the rows before a cycle's first reading."""

    cells: tuple[str, ...]
    row: np.ndarray  # (n,) row of the table
    cell: np.ndarray  # (n,) index into `cells`
    cycle: np.ndarray  # (n,) index of the cycle within its cell
    first: np.ndarray  # (n,) True at the first reading of a cycle


def ordered(rows: Rows, where: str, spare: tuple[str, ...] = ()) -> Order:
    """Return the order of the rows; raise UsageError, with the line, if pulses are missing or not in order.

    `spare` holds the titles of the unused columns, for a message: one of them may name the cell if no other column does.
    """
    advice = no_cell(spare) if rows.cell is None and spare else ""
    names: dict[str, int] = {}
    labels: dict[tuple[int, str], int] = {}
    begun: list[int] = []  # by cell: number of cycles
    last: list[tuple[int, float, int, int]] = []  # by cell: cycle, pulse, polarity, first polarity
    times: list[float] = []
    n = len(rows.line)
    cell, cycle = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        name = rows.cell[i] if rows.cell is not None else "1"
        c = names.setdefault(name, len(names))
        sign, pulse = int(rows.sign[i]), float(rows.pulse[i]) if rows.pulse is not None else math.nan
        known = c < len(last)
        if not known:
            begun.append(0)
            times.append(-math.inf)
            last.append((-1, math.nan, 0, sign))
        k, before, previous, start = last[c]
        if rows.cycle is not None:
            label = (c, rows.cycle[i])
            fresh = label not in labels
            k_now = labels.setdefault(label, begun[c])
            if k_now < k:
                raise _error(
                    where, rows, i, f"cycle {shown(rows.cycle[i], quoted=False)} of cell {shown(name, quoted=False)} goes on "
                    "after another one has begun; rows have to be in the order of time" + advice,
                )  # fmt: skip
        else:
            turned = known and previous != 0 and sign != previous and sign in (start, 0)
            fresh, k_now = not known or turned, k + (turned or not known)
        if sign == 0 and not fresh:
            raise _error(where, rows, i, "no pulse (0) inside a cycle; only its first row may have none")
        follows = pulse == before + 1 or (pulse <= 1 and sign != previous)
        if rows.pulse is not None and not fresh and not follows:
            raise _error(
                where, rows, i, f"pulse {pulse:g} of cell {shown(name, quoted=False)} follows pulse {before:g}; each pulse "
                "needs its own row, in the order of time" + advice,
            )  # fmt: skip
        if rows.time is not None and not math.isnan(rows.time[i]):
            if not fresh and rows.time[i] < times[c]:
                raise _error(
                    where, rows, i, "the time goes back inside a cycle; rows have to be in the order of time" + advice
                )
            times[c] = float(rows.time[i])
        begun[c] += fresh
        last[c] = (k_now, pulse, sign, start if start != 0 else sign)
        cell[i], cycle[i] = c, k_now
    return _sorted(rows, tuple(names), cell, cycle)


def _error(where: str, rows: Rows, row: int, what: str) -> UsageError:
    return UsageError(f"{where}, line {int(rows.line[row])}: {what}.")


def _sorted(rows: Rows, cells: tuple[str, ...], cell: np.ndarray, cycle: np.ndarray) -> Order:
    order = np.lexsort((cycle, cell))  # a stable sort: the rows of a cycle keep their order
    cell, cycle = cell[order], cycle[order]
    begins = np.ones(len(order), bool)
    begins[1:] = (cell[1:] != cell[:-1]) | (cycle[1:] != cycle[:-1])
    keep, first = from_first_reading(rows.g[order], begins)
    return Order(cells, order[keep], cell[keep], cycle[keep], first[keep])


def from_first_reading(g: np.ndarray, begins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two masks (n,): the rows to keep, so that each cycle begins with a reading, and the first kept row of each cycle.

    `begins` (n,) is True at the first row of each cycle. Rows before a cycle's first reading are useless to a fit.
    """
    unit, known = np.cumsum(begins) - 1, np.isfinite(g)
    so_far = np.cumsum(known)
    so_far = so_far - (so_far - known)[begins][unit]
    keep = so_far > 0
    first = np.zeros(len(g), bool)
    first[keep] = np.diff(unit[keep], prepend=-1) > 0
    return keep, first


def alike(rows: Rows, where: str, units: dict[str, tuple[float, str]]) -> dict[tuple[str, int], float]:
    """Return the size of the pulses of each polarity, {("voltage", 1): V, ...}; raise UsageError if they differ.

    `units` holds the SI value and the name of each column's unit, for the message.
    """
    sizes: dict[tuple[str, int], float] = {}
    for name, values in (("voltage", rows.voltage), ("width", rows.width)):
        for sign in (1, -1):
            rows_of_sign = np.flatnonzero(rows.sign == sign)
            if values is None or not rows_of_sign.size:
                continue
            size = values[rows_of_sign]
            sizes[name, sign] = float(size[0])
            bad = np.flatnonzero(np.abs(size - size[0]) > ALIKE * abs(size[0]))
            if bad.size:
                scale, unit = units[name]
                raise _error(
                    where, rows, rows_of_sign[bad[0]], f"the {name} of the {'up' if sign > 0 else 'down'} pulses changes "
                    f"from {size[0] / scale:g} {unit} (line {int(rows.line[rows_of_sign[0]])}) to "
                    f"{size[bad[0]] / scale:g} {unit}; only identical pulses can be fitted",
                )  # fmt: skip
    return sizes


def jumps(g: np.ndarray, cell: np.ndarray, line: np.ndarray, where: str) -> None:
    """Raise UsageError if the conductance jumps by a factor of about 10³ or 10⁶ and stays there, a sign of mixed units."""
    level = np.log10(np.maximum(g, 1e-30))
    for i in np.flatnonzero(np.abs(np.diff(level)) > 2.5):
        decades = abs(float(np.median(level[i + 1 : i + 6]) - np.median(level[max(0, i - 4) : i + 1])))
        if cell[i] == cell[i + 1] and min(abs(decades - 3), abs(decades - 6)) < 0.5:
            raise UsageError(
                f"{where}, line {int(line[i + 1])}: the conductance jumps by a factor of about {10 ** round(decades):g}, "
                "which looks like mixed units; use one unit, in the header."
            )
