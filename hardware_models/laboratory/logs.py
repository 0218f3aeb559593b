"""Read logs in which pulses and readings stand in rows of their own: a pulse, then the reading after it.

A source meter that applies both writes one column of voltages. Its rows of the read voltage are readings, all other rows are
pulses, and what was measured during a pulse is no reading. A row of voltage 0, or of no polarity, may hold the reading as well.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hardware_models.laboratory.numbers import Rows
from hardware_models.laboratory.readings import near


def split(rows: Rows, level: float) -> Rows:
    """Return the rows of a log: those near the read voltage `level` [V] are readings, the others are pulses without one."""
    if rows.voltage is None:
        return rows
    sign = np.where(near(rows.voltage, level), 0, rows.sign)
    return replace(rows, sign=sign.astype(np.int8), told={**rows.told, "read voltage": abs(level)})


def folded(rows: Rows) -> Rows:
    """Return the rows with the reading of a row without a pulse moved to the pulse before it, if that has none.

    Further rows without a pulse repeat the reading; they are left out.
    """
    n = len(rows.line)
    labels = [np.zeros(n, np.int64)] if rows.cell is None else [_number(rows.cell)]
    labels += [_number(rows.cycle)] if rows.cycle is not None else []
    order = np.lexsort((np.arange(n), *labels[::-1], rows.file))
    same = np.ones(n, bool)
    for label in (*labels, rows.file):
        same[1:] &= np.diff(label[order]) == 0
    same[0] = False
    sign, known = rows.sign[order] != 0, np.isfinite(rows.g[order])
    here = np.arange(n)
    last = np.maximum.accumulate(np.where(sign | ~same, here, 0))  # the pulse before, or the first row
    follows = ~sign & same & sign[last] & ~known[last]
    first = follows & known & (np.cumsum(follows & known) - np.cumsum(follows & known)[last] == 1)
    if not first.any():
        return rows
    g = rows.g.copy()
    g[order[last[first]]] = rows.g[order[first]]
    again = int((follows & known & ~first).sum())
    said = f"{int(first.sum())} readings stand in rows of their own, each after its pulse"
    said += f"; {again} more after the same pulses were left out" if again else ""
    keep = np.ones(n, bool)
    keep[order[follows]] = False
    moved = replace(rows, g=g, notices=(*rows.notices, said)).only(np.flatnonzero(keep))
    if moved.pulse is not None:  # a number of rows, not of pulses
        counted = np.bincount(np.diff(moved.pulse[moved.sign != 0], prepend=0.0).clip(0, 9).astype(int))
        moved = replace(moved, pulse=None) if counted.argmax() == 2 else moved
    return moved


def _number(labels: list[str]) -> np.ndarray:
    known: dict[str, int] = {}
    return np.fromiter((known.setdefault(label, len(known)) for label in labels), np.int64, len(labels))
