"""Read traces: tables of conductances against the time since the write (retention), or of tries to reach a target (write-verify).

```
cell, state, time [s], conductance [uS]         cell, target [uS], pulse, conductance [uS]
A1, 1, 1, 20.4                                  A1, 20, 1, 12.3
```

A trace is the rows of one cell, and of one state or cycle where there is such a column, or of one target. Encoding, separator,
units and readings are those of a pulse train.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hardware_models.check import UsageError, shown
from hardware_models.laboratory.numbers import MOST_CONDUCTANCE, MOST_MISSING, MOST_NEGATIVE, named, value_of
from hardware_models.laboratory.text import SEPARATORS, Sheet, sheet
from hardware_models.laboratory.titles import QUANTITIES, READINGS, Quantity, ending, parts_of, plain, written
from hardware_models.tables import closest
from hardware_models.units import UNITS, to_si

KINDS = ("pulses", "retention", "write-verify")
"""Kinds of table that a fit tells apart by their columns."""
TRACED: Mapping[str, Quantity] = {
    **{name: QUANTITIES[name] for name in ("cell", "cycle", *READINGS, "read voltage")},
    "state": Quantity(("state", "level", "stateno", "levelno", "statenumber")),
    "time": Quantity(
        (*QUANTITIES["time"].names, "age", "delay", "retentiontime", "timesincewrite", "timesinceprogramming", "timeafterwrite",
         "waittime", "baketime"), "time", "s", (), "",
    ),
    "target": Quantity(("target", "targetconductance", "gtarget", "targetg", "setpoint", "goal", "desired"), "conductance", "uS"),
    "pulse": Quantity((*QUANTITIES["pulse"].names, "attempt", "try", "iteration", "step")),
}  # fmt: skip
"""Quantities of a trace, by name."""
_NAMED = {name: q for q, known in TRACED.items() for name in (*known.names, *known.instrument)}
TIMES = {"min": 60.0, "h": 3600.0, "hr": 3600.0, "hours": 3600.0, "minutes": 60.0, "d": 86400.0, "days": 86400.0}
"""Units of time beside those of SI [s]."""
PULSES = {name for q in ("voltage", "polarity") for name in (*QUANTITIES[q].names, *QUANTITIES[q].instrument)}


@dataclass(frozen=True)
class Traces:
    """Measured traces: readings sorted by trace, and by time or try within a trace."""

    path: str
    names: tuple[str, ...]  # of the traces
    cells: tuple[str, ...]  # name of each trace's cell
    trace: np.ndarray  # (n,) index into `names`
    time: np.ndarray  # (n,) since the write [s]; the number of the try in a write-verify table
    g: np.ndarray  # (n,) [S]
    target: np.ndarray  # (n,) [S], NaN in a retention table
    line: np.ndarray  # (n,) line of the file
    notices: tuple[str, ...]
    taken: tuple[tuple[str, str, str], ...]  # (quantity, column, unit or assumption)

    @property
    def devices(self) -> int:
        """Number of different cells."""
        return len(set(self.cells))

    def only(self, keep: np.ndarray, notice: str) -> Traces:
        """Return the traces with the rows in which `keep` (n,) is True, and one more notice."""
        rows = {name: getattr(self, name)[keep] for name in ("trace", "time", "g", "target", "line")}
        return Traces(**{**vars(self), **rows, "notices": (*self.notices, notice)})


def kind_of(data: bytes | str, where: str, columns: str = "") -> str:
    """Return the kind of a table, one of `KINDS`, by its columns: a target, or a time and neither voltage nor polarity."""
    chosen = _choice(columns) if only_traced(columns) else {}
    page = sheet(data, where, lambda cells: _recognised(cells, chosen, pulses=True))
    plains = {plain(parts_of(title)[0]) for title in page.header}
    found = {_NAMED[name] for name in plains if name in _NAMED} | set(chosen)
    if "target" in found:
        return "write-verify"
    chosen_pulses = re.search(r"(^|,)\s*(voltage|polarity)\s*=", columns) is not None
    return "retention" if "time" in found and not plains & PULSES and not chosen_pulses else "pulses"


def traces_of(data: bytes | str, where: str, kind: str, columns: str = "") -> Traces:
    """Return the traces in the bytes or the text of a table of the kind "retention" or "write-verify".

    `columns` names columns by quantity: "time=Age [h],conductance=G1 [uS]". Raises UsageError, which names file and line, if the
    table cannot be understood.
    """
    chosen = _choice(columns)
    page = sheet(data, where, lambda cells: _recognised(cells, chosen))
    place = f"{where}, line {max(page.head, 1)}"
    found, units, taken, skip, notices = _columns(page, chosen, place)
    wanted = "time" if kind == "retention" else "target"
    if wanted not in found:
        raise UsageError(f"{place}: no column '{wanted}' (found: {shown(', '.join(page.header), 300, quoted=False)}).")
    reading = next((q for q in READINGS if q in found), None)
    if reading is None or (reading == "current" and "read voltage" not in found):
        raise UsageError(
            f"{place}: no column 'conductance', 'resistance', or 'current' with 'read voltage' (found: "
            f"{shown(', '.join(page.header), 300, quoted=False)})."
        )
    rows = list(page.rows(skip))
    line = np.array([number for number, _ in rows], np.int64)
    texts = {q: [cells[i] if i < len(cells) else "" for _, cells in rows] for q, i in found.items()}
    numeric = [q for q in texts if q not in ("cell", "cycle", "state")]
    comma = page.separator != "," and any("," in text for q in numeric for text in texts[q])
    values = {q: _numbers(texts[q], q, units.get(q, 1.0), comma, line, where, missing=q in READINGS) for q in numeric}
    g = _conductance(values, reading)
    g, more = _checked(g, line, where)
    names, cells, trace = _groups(texts, kind, values)
    time = values.get("time") if kind == "retention" else values.get("pulse")
    if time is None:
        time = np.zeros(len(g))
        for index in range(len(names)):
            time[trace == index] = np.arange((trace == index).sum()) + 1
    if kind == "retention" and (early := np.flatnonzero(time < 0)).size:
        raise UsageError(
            f"{where}, line {int(line[early[0]])}: the time is negative; it counts from the write of the cell."
        )
    if kind == "retention":
        _once_through(names, trace, time, line, where, told=bool({"cell", "state", "cycle"} & set(texts)))
    elif "pulse" not in values and (several := int((np.bincount(trace) > 1).sum())):
        more.append(
            f"no column numbers the pulses of a write, so rows of one {'cell and ' if 'cell' in texts else ''}target that follow "
            f"each other were taken as the tries of one write, of which the last counts ({several} writes); if each row is a "
            "write, number the rows as pulse 1"
        )
    order = np.lexsort((time, trace))
    order = order[np.isfinite(g[order])]
    target = values.get("target", np.full(len(g), math.nan))
    page_form = (("file", f"{page.encoding}, header in line {page.head}", SEPARATORS[page.separator]),)
    return Traces(where, names, cells, trace[order], time[order], g[order], target[order], line[order],
                  (*notices, *more), (*taken, *page_form))  # fmt: skip


def _once_through(
    names: tuple[str, ...], trace: np.ndarray, time: np.ndarray, line: np.ndarray, where: str, *, told: bool
) -> None:
    """Raise UsageError if the time of a trace begins anew: rows of several cells or states that no column tells apart.

    Where a column tells traces apart (`told`), rows of one trace in any order are sorted, unless a time stands twice.
    """
    for index, name in enumerate(names):
        own = np.flatnonzero(trace == index)
        step = np.diff(time[own])
        back = np.flatnonzero(step < 0)
        if back.size and (step > 0).any() and (not told or len(set(time[own])) < len(own)):
            raise UsageError(
                f"{where}, line {int(line[own[back[0] + 1]])}: the time goes back inside trace {shown(name, 60)}; rows "
                "of several cells or states need a column 'cell' or 'state', and rows of one the order of time."
            )


def only_traced(columns: str) -> bool:
    """Tell whether the columns that the user names are all of quantities that traces have."""
    return all(
        part.partition("=")[0].strip() in TRACED for part in re.split(r",(?=[\w\s\-]*=)", columns) if part.strip()
    )


def _choice(text: str) -> dict[str, str]:
    """Return {quantity: title} from "time=Age [h],..."; raise UsageError for an unknown quantity."""
    chosen: dict[str, str] = {}
    for part in re.split(r",(?=[\w\s\-]*=)", text) if text.strip() else ():
        name, equals, title = (x.strip() for x in part.partition("="))
        if name not in TRACED or not title or not equals:
            near = closest(name, TRACED)
            raise UsageError(
                f"--columns knows no {shown(name)}{near} in a table of traces (known: {', '.join(TRACED)})."
            )
        chosen[name] = title
    return chosen


def _recognised(cells: list[str], chosen: Mapping[str, str], *, pulses: bool = False) -> int:
    """Return the number of cells of a line that name a quantity, or a column that the user has chosen."""
    mine = {plain(parts_of(title)[0]) for title in chosen.values()}
    named_so = {plain(parts_of(cell)[0]) for cell in cells if cell}
    return len(named_so & (set(_NAMED) | mine | (PULSES if pulses else set())))


def _columns(
    page: Sheet, chosen: Mapping[str, str], place: str
) -> tuple[dict[str, int], dict[str, float], list[tuple[str, str, str]], int, list[str]]:
    """Return the column and the unit [SI] of each quantity, rows for the table of what was taken, rows to skip, and notices."""
    _, below = next(page.rows(), (0, []))
    row = [written(cell.strip("[]()")) for cell in below]
    has_units = any(row) and all(unit in UNITS or unit in TIMES or unit in ("", "-") for unit in row)
    found: dict[str, int] = {}
    units: dict[str, float] = {}
    taken: list[tuple[str, str, str]] = []
    mine = {plain(parts_of(title)[0]): (q, parts_of(title)[1]) for q, title in chosen.items()}
    unused = []
    for index, title in enumerate(page.header):
        name, unit = parts_of(title)
        quantity, given = mine.get(plain(name), (_NAMED.get(plain(name)), ""))
        if quantity is None or quantity in found or (quantity in chosen and plain(name) not in mine):
            unused.append(title)
            continue
        known = TRACED[quantity]
        found[quantity] = index
        unit = given or unit or (row[index] if has_units and index < len(row) else "") or ending(title, known.dimension)
        if known.dimension:
            unit = unit if unit in TIMES else written(unit) or (known.si if plain(name) in known.instrument else "")
            units[quantity] = _factor(unit, quantity, title, place)
        taken.append((quantity, title, unit or "-"))
    if lost := [q for q in chosen if q not in found]:
        raise UsageError(f"{place}: no column {shown(chosen[lost[0]])} for the {lost[0]}.")
    notices = [f"the column '{title}' was not used" for title in unused if title]
    return found, units, taken, 1 if has_units else 0, notices


def _factor(unit: str, quantity: str, title: str, place: str) -> float:
    """Return a unit in SI; raise UsageError if it is missing or of another dimension."""
    known = TRACED[quantity]
    if quantity == "time" and unit in TIMES:
        return TIMES[unit]
    if not unit:
        raise UsageError(f"{place}: the column '{title}' lacks its unit, such as '{title} [{known.example}]'.")
    if unit not in UNITS or UNITS[unit][1] != known.dimension:
        got = UNITS[unit][1] if unit in UNITS else "unknown unit"
        raise UsageError(
            f"{place}: the column '{title}' has the unit '{unit}', which is a {got}, not a {known.dimension}."
        )
    return to_si(1.0, unit)


def _numbers(
    texts: list[str], quantity: str, factor: float, comma: bool, line: np.ndarray, where: str, *, missing: bool
) -> np.ndarray:
    """Return a column in SI units; a reading that is no number is NaN, any other such cell is refused."""
    out = np.empty(len(texts))
    for i, text in enumerate(texts):
        value = value_of(text, comma)
        if value is None or (not missing and not math.isfinite(value)):
            raise UsageError(f"{where}, line {int(line[i])}: the {quantity} should be a number, got {shown(text)}.")
        out[i] = value
    return out / round(1.0 / factor) if factor < 1.0 else out * factor


def _conductance(values: Mapping[str, np.ndarray], reading: str) -> np.ndarray:
    """Return the conductance of each row [S], NaN where there is none."""
    x = values[reading]
    if reading == "conductance":
        return x
    over, under = (np.ones(len(x)), x) if reading == "resistance" else (x, values["read voltage"])
    return np.divide(over, under, out=np.full(len(x), math.nan), where=np.abs(under) > 1e-30)


def _checked(g: np.ndarray, line: np.ndarray, where: str) -> tuple[np.ndarray, list[str]]:
    """Return the readings and notices about missing ones; raise UsageError for too many of them and for impossible ones."""
    if not len(g):
        raise UsageError(f"{where}, line 1: no rows after the header.")
    for wrong, what in ((g > MOST_CONDUCTANCE, f"more than {MOST_CONDUCTANCE:g} S"), (g < 0, "below zero")):
        rows = np.flatnonzero(wrong)
        if rows.size > (MOST_NEGATIVE * len(g) if what == "below zero" else 0):
            raise UsageError(
                f"{where}, line {int(line[rows[0]])}: a conductance of {g[rows[0]]:.3g} S is {what}, which no cell has."
            )
    lost = np.flatnonzero(~np.isfinite(g))
    if lost.size > MOST_MISSING * len(g):
        raise UsageError(
            f"{where}, line {int(line[lost[0]])}: {lost.size} of {len(g)} readings are no numbers, more than "
            f"{100 * MOST_MISSING:g} %, the most that can be left out."
        )
    return g, [
        f"{lost.size} of {len(g)} readings are no numbers ({named(line[lost])}) and were left out"
    ] if lost.size else []


def _groups(
    texts: Mapping[str, list[str]], kind: str, values: Mapping[str, np.ndarray]
) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    """Return the names of the traces, the cell of each, and the trace (n,) of each row."""
    parts = [q for q in ("cell", "state", "cycle") if q in texts]
    n = len(next(iter(texts.values())))
    names: dict[tuple[str, ...], int] = {}
    trace = np.empty(n, np.int64)
    last: dict[
        tuple[str, ...], tuple[float, float, int]
    ] = {}  # by label: target and try of its last row, number of the write
    for i in range(n):
        label = tuple(texts[q][i] for q in parts)
        if kind == "write-verify":
            # A new write of a cell begins where its target changes or the number of the try does not grow.
            target, number = float(values["target"][i]), float(values["pulse"][i]) if "pulse" in values else math.inf
            before, earlier, write = last.get(label, (math.nan, -1.0, 0))
            write += not (target == before and (number > earlier or "pulse" not in values))
            last[label] = target, number, write
            label = (*label, f"write {write}")
        trace[i] = names.setdefault(label, len(names))
    cell = parts.index("cell") if "cell" in parts else None
    cells = tuple(label[cell] if cell is not None else "1" for label in names)
    return tuple(" ".join(label) or "1" for label in names), cells, trace
