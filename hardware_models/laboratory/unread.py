"""Tell pulses after which nothing was read by design, such as all but every tenth, from readings that are missing."""

from __future__ import annotations

import numpy as np

from hardware_models.laboratory.cycles import Order
from hardware_models.laboratory.numbers import MOST_MISSING, Rows

_MOST_NAMED = 6


def unread(rows: Rows, order: Order) -> list[str]:
    """Return notices about pulses without a reading; raise UsageError if too many readings are missing.

    A pulse is unread by design if fewer than half of the cycles read it, and at most `MOST_MISSING` of all readings stand at
    such pulses. A single cycle is read by design after every n-th pulse if at most `MOST_MISSING` of the distances between its
    readings are another number of pulses. Every other pulse without a reading lacks it.
    """
    known = np.isfinite(rows.g[order.row]) & order.read
    notices = []
    if order.torn:
        turns = f"{order.torn} turns" if order.torn > 1 else "a turn"
        notices.append(f"pulses have no row at {turns} of the polarity, and how many were up is not known: the readings after "
                       "them begin new stretches")  # fmt: skip
    if known.all():
        return notices
    wanted, design = _wanted(order, known)
    lost = wanted & ~known
    notices += [design] if design else []
    if not lost.any():
        return notices
    total = int(wanted.sum())
    told, silent = np.flatnonzero(lost & order.read), np.flatnonzero(lost & ~order.read)
    words = []
    if told.size:
        words.append(f"{told.size} of {total} readings are no numbers ({rows.named(order.row[told])})")
    if silent.size:
        at = rows.named(np.unique(order.row[silent]))
        words.append(f"{silent.size} of {total} pulses have no row (before {at})")
    if lost.sum() > MOST_MISSING * total:
        raise rows.error(
            order.row[lost.argmax()],
            f"{' and '.join(words)}, more than {100 * MOST_MISSING:g} %, the most that can be left out",
        )
    return [*notices, *(f"{said} and were left out; their pulses count" for said in words)]


def _wanted(order: Order, known: np.ndarray) -> tuple[np.ndarray, str]:
    """Return the mask (n,) of pulses after which a reading is expected, and a sentence about the others, "" if there are none."""
    unit = np.cumsum((np.diff(order.cell, prepend=-1) != 0) | (np.diff(order.cycle, prepend=-1) != 0)) - 1
    if unit[-1] > 0:
        read = np.bincount(order.place, known)
        by_design = read >= 0.5 * np.bincount(order.place)
        outside = known & ~by_design[order.place]
        if not by_design.all() and outside.sum() <= MOST_MISSING * known.sum():
            return by_design[order.place] | known, _said(np.flatnonzero(by_design))
    at = np.flatnonzero(known)
    apart = np.diff(at)[np.diff(unit[at]) == 0]
    if apart.size:
        n = int(np.bincount(apart).argmax())
        if n > 1 and np.mean(apart != n) <= MOST_MISSING:
            wanted = known.copy()
            for begin, distance in zip(at[:-1], np.diff(at), strict=True):
                if unit[begin] == unit[begin + distance]:
                    wanted[begin + n : begin + distance : n] = True
            return wanted, _every(n)
    return np.ones(len(known), bool), ""


def _said(places: np.ndarray) -> str:
    """Return a sentence about the pulses of a cycle, counted from 0, that are read."""
    apart = np.diff(places)
    n = int(np.bincount(apart).argmax()) if apart.size else 0
    if n > 1 and np.mean(apart == n) >= 1.0 - MOST_MISSING:
        return _every(n)
    first = ", ".join(str(int(p) + 1) for p in places[:_MOST_NAMED])
    more = f", ... ({len(places)} readings)" if len(places) > _MOST_NAMED else ""
    return f"each cycle is read after its pulses {first}{more}; the pulses between count"


def _every(n: int) -> str:
    return f"the cell is read after every {n}{'nd' if n == 2 else 'rd' if n == 3 else 'th'} pulse; the pulses between count"
