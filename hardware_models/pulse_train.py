"""A measured pulse train: the CSV file that a laboratory has, read with every fault named by its line.

One row a pulse, in the order of time: the conductance after that pulse. The header gives the units in brackets:

```
cell, cycle, pulse, voltage [V], width [ns], conductance [uS]
A1, 1, 1, 1.6, 50, 2.31
```

`pulse` and `conductance` are required, and one of `voltage` and `polarity` (1/-1, up/down, set/reset). `cell`, `cycle`
and `width` are optional; without `cycle` a new cycle begins where the polarity returns to the first one. A row of
polarity or voltage 0 is a reading before the first pulse of a cycle. Lines that begin with # are skipped.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardware_models.check import UsageError
from hardware_models.tables import closest
from hardware_models.units import dimension, to_si

NAMES = {
    "pulse": ("pulse", "pulse number", "pulse no", "pulse index", "n"),
    "conductance": ("conductance", "g"),
    "voltage": ("voltage", "pulse voltage", "v"),
    "polarity": ("polarity", "sign"),
    "cycle": ("cycle", "cycle number"),
    "cell": ("cell", "device", "cell number"),
    "width": ("width", "pulse width"),
}
"""Columns by name, with what else a header may call them."""
DIMENSIONS = {"conductance": "conductance", "voltage": "voltage", "width": "time"}
POLARITIES = {"up": 1, "set": 1, "potentiation": 1, "ltp": 1, "+": 1,
              "down": -1, "reset": -1, "depression": -1, "ltd": -1, "-": -1}  # fmt: skip
FEWEST_STEPS = 20
"""Steps of one polarity below which nothing is fitted."""


@dataclass(frozen=True)
class PulseTrain:
    """Readings sorted by cell, then by cycle, in the order of time."""

    path: str
    cells: tuple[str, ...]  # names
    cell: np.ndarray  # (n,) index into `cells`
    cycle: np.ndarray  # (n,) index of the cycle within its cell
    polarity: np.ndarray  # (n,) +1, -1; 0 where `first`
    first: np.ndarray  # (n,) True at the first reading of a cycle, before which no reading is known
    g: np.ndarray  # (n,) conductance after the pulse [S]
    line: np.ndarray  # (n,) line of the file
    voltage: tuple[float, float] | None  # size of the up and of the down pulse [V]
    width: tuple[float, float] | None  # [s]
    notices: tuple[str, ...] = ()

    @property
    def cycles(self) -> int:
        """Cycles of the cell that has fewest."""
        return int(min(len(np.unique(self.cycle[self.cell == c])) for c in range(len(self.cells))))

    @property
    def steps(self) -> int:
        """Number of steps, of both polarities."""
        return int((~self.first).sum())


def read_pulse_train(path: str | Path, *, one_cycle: bool = False) -> PulseTrain:
    """Return the pulse train in the file `path`.

    With `one_cycle`, cells measured over a single cycle are accepted, with a notice.

    Raises
    ------
    UsageError
        One sentence that names the file and the line.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise UsageError(f"pulse train {path} does not exist.")
    text = file.read_text(encoding="utf-8-sig", errors="replace")
    return parse_pulse_train(text, str(path), one_cycle=one_cycle)


def parse_pulse_train(text: str, where: str, *, one_cycle: bool = False) -> PulseTrain:
    """Return the pulse train in the text of a CSV file; `where` is named in errors."""
    rows = [(i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    if not rows:
        raise UsageError(f"{where}, line 1: the file is empty; a header and one row a pulse are needed.")
    head_line, head = rows[0]
    delimiter = next((d for d in (",", ";", "\t") if d in head), ",")
    columns, units, notices = _header(next(csv.reader([head], delimiter=delimiter)), f"{where}, line {head_line}")
    table = _Table(where, columns, units)
    for (line, _), cells in zip(rows[1:], csv.reader((r for _, r in rows[1:]), delimiter=delimiter), strict=True):
        table.add(line, cells)
    return table.finish(one_cycle, notices)


def _header(cells: list[str], place: str) -> tuple[dict[str, int], dict[str, str], list[str]]:
    """Return the index and the unit of each known column."""
    columns: dict[str, int] = {}
    units: dict[str, str] = {}
    other = []
    for index, cell in enumerate(cells):
        match = re.fullmatch(r"\s*([^\[(]*?)\s*(?:[\[(]\s*(.*?)\s*[\])])?\s*", cell)
        word = re.sub(r"[_\s]+", " ", match.group(1).lower() if match else cell).strip()
        unit = (match.group(2) or "" if match else "").replace("µ", "u").replace("μ", "u")
        name = next((n for n, known in NAMES.items() if word in known), None)
        if name is None:
            other.append(cell.strip())
            continue
        if name in columns:
            raise UsageError(f"{place}: two columns for the {name}; keep one.")
        columns[name] = index
        if name in DIMENSIONS:
            units[name] = _unit(unit, name, place)
    for name in ("pulse", "conductance"):
        if name not in columns:
            near = closest(name, other)
            raise UsageError(f"{place}: no column '{name}'{near} (found: {', '.join(c.strip() for c in cells)}).")
    if "voltage" not in columns and "polarity" not in columns:
        raise UsageError(f"{place}: no column 'voltage' or 'polarity', without which up and down cannot be told.")
    return columns, units, [f"the column '{name}' was not used" for name in other]


def _unit(unit: str, name: str, place: str) -> str:
    wanted = DIMENSIONS[name]
    if not unit:
        example = {"conductance": "uS", "voltage": "V", "width": "ns"}[name]
        raise UsageError(f"{place}: the column '{name}' lacks its unit, such as '{name} [{example}]'.")
    try:
        got = dimension(unit)
    except UsageError as error:
        raise UsageError(f"{place}: column '{name}': {error}") from None
    if got != wanted:
        raise UsageError(f"{place}: the column '{name}' has the unit '{unit}', which is a {got}, not a {wanted}.")
    return unit


class _Table:
    """The rows of a file as they come in."""

    def __init__(self, where: str, columns: dict[str, int], units: dict[str, str]) -> None:
        self.where, self.columns, self.units = where, columns, units
        self.scale = {name: to_si(1.0, unit) for name, unit in units.items()}
        self.cells: dict[str, int] = {}
        self.rows: list[tuple[int, int, int, float, int]] = []  # cell, cycle label, polarity, g, line
        self.cycles: dict[tuple[int, str], int] = {}
        self.last: dict[int, tuple[int, int, int, int]] = {}  # cell -> cycle, pulse, polarity, first polarity
        self.size: dict[tuple[str, int], tuple[float, int]] = {}  # (column, polarity) -> value, line

    def number(self, cells: list[str], name: str, line: int) -> float:
        """Return a figure of a row."""
        text = cells[self.columns[name]].strip()
        try:
            value = float(text)
        except ValueError:
            if (mixed := re.fullmatch(r"[-+.\deE]+\s*([a-zA-Zµμ]+)", text)) and name in self.units:
                unit = mixed.group(1)
                raise UsageError(
                    f"{self.where}, line {line}: mixed units: '{text}' in [{unit}], but the header says "
                    f"[{self.units[name]}]; use one unit, in the header."
                ) from None
            raise UsageError(f"{self.where}, line {line}: the {name} should be a number, got '{text}'.") from None
        if not math.isfinite(value):
            raise UsageError(f"{self.where}, line {line}: the {name} is {text}; leave such readings out.")
        return value

    def add(self, line: int, cells: list[str]) -> None:
        """Read one row."""
        if len(cells) <= max(self.columns.values()):
            raise UsageError(
                f"{self.where}, line {line}: {len(cells)} columns, but the header has {max(self.columns.values()) + 1}."
            )
        g = self.number(cells, "conductance", line) * self.scale["conductance"]
        if g < 0:
            shown = f"{cells[self.columns['conductance']].strip()} {self.units['conductance']}"
            raise UsageError(f"{self.where}, line {line}: negative conductance {shown}; a conductance is at least 0.")
        pulse = self.number(cells, "pulse", line)
        if pulse != int(pulse) or pulse < 0:
            raise UsageError(f"{self.where}, line {line}: the pulse number should be a whole number, got {pulse:g}.")
        polarity = self.polarity(cells, line)
        name = cells[self.columns["cell"]].strip() if "cell" in self.columns else "1"
        cell = self.cells.setdefault(name, len(self.cells))
        cycle, fresh = self.cycle(cells, cell, polarity)
        if polarity == 0 and not fresh:
            raise UsageError(
                f"{self.where}, line {line}: no pulse (0) inside a cycle; only its first row may have none."
            )
        before = self.last.get(cell)
        if before and not fresh and not (int(pulse) == before[1] + 1 or (int(pulse) <= 1 and polarity != before[2])):
            raise UsageError(
                f"{self.where}, line {line}: pulse {int(pulse)} of cell {name} follows pulse {before[1]}; "
                "each pulse needs its own row, in the order of time."
            )
        start = before[3] if before and before[3] != 0 else polarity
        self.last[cell] = (cycle, int(pulse), polarity, start)
        self.rows.append((cell, cycle, polarity, g, line))

    def polarity(self, cells: list[str], line: int) -> int:
        """Return +1, -1 or 0, after checking that the pulses of one polarity are all alike."""
        if "polarity" in self.columns:
            word = cells[self.columns["polarity"]].strip().lower()
            sign = POLARITIES.get(word)
            if sign is None:
                try:
                    sign = int(np.sign(float(word)))
                except ValueError:
                    raise UsageError(
                        f"{self.where}, line {line}: the polarity should be 1 or -1, up or down, got '{word}'."
                    ) from None
        else:
            sign = int(np.sign(self.number(cells, "voltage", line)))
        for name in ("voltage", "width"):
            if name in self.columns and sign != 0:
                self.alike(name, sign, self.number(cells, name, line), line)
        return sign

    def alike(self, name: str, sign: int, value: float, line: int) -> None:
        """Refuse a pulse unlike the earlier ones of its polarity."""
        known, where_known = self.size.setdefault((name, sign), (value, line))
        if not math.isclose(known, value, rel_tol=1e-6):
            unit = self.units[name]
            raise UsageError(
                f"{self.where}, line {line}: the {name} of the {'up' if sign > 0 else 'down'} pulses changes from "
                f"{known:g} {unit} (line {where_known}) to {value:g} {unit}; only identical pulses can be fitted."
            )

    def cycle(self, cells: list[str], cell: int, polarity: int) -> tuple[int, bool]:
        """Return the cycle of a row and whether the row begins it."""
        before = self.last.get(cell)
        if "cycle" in self.columns:
            label = (cell, cells[self.columns["cycle"]].strip())
            fresh = label not in self.cycles
            return self.cycles.setdefault(label, sum(c == cell for c, _ in self.cycles)), fresh
        if before is None:
            return 0, True
        cycle, _, last, start = before
        turned = last != 0 and polarity != last and polarity in (start, 0)
        return cycle + turned, turned

    def finish(self, one_cycle: bool, notices: list[str]) -> PulseTrain:
        """Sort by cell and cycle, look for what only the whole file shows, and return the train."""
        if not self.rows:
            raise UsageError(f"{self.where}, line 2: no rows after the header; one row a pulse is needed.")
        data = np.array(self.rows, dtype=np.float64)
        self.jumps(data)
        data = data[np.lexsort((data[:, 1], data[:, 0]))]
        cell, cycle, polarity, line = (data[:, i].astype(np.int64) for i in (0, 1, 2, 4))
        first = np.ones(len(data), bool)
        first[1:] = (cell[1:] != cell[:-1]) | (cycle[1:] != cycle[:-1])
        polarity = np.where(first, 0, polarity)
        polarity, turned = self.direction(polarity, first, data[:, 3])
        notices = [*notices, *turned]
        last = int(line.max())
        for sign, word in ((1, "up"), (-1, "down")):
            n = int((polarity == sign).sum())
            if n < FEWEST_STEPS:
                raise UsageError(
                    f"{self.where}, line {last}: the file ends with {n} steps {word}; at least {FEWEST_STEPS} of each "
                    "polarity are needed."
                )
        for name, index in self.cells.items():
            own = cell == index
            if len(np.unique(cycle[own])) < 2:
                end = int(line[own].max())
                what = "noise from cycle to cycle cannot be told from the shape of the curve"
                if not one_cycle:
                    raise UsageError(
                        f"{self.where}, line {end}: cell {name} ends after one cycle only, from which {what}; measure at "
                        "least two cycles up and down (or accept that with --one-cycle)."
                    )
                notices.append(f"line {end}: cell {name} has one cycle only: {what}")
        scale = -1 if turned else 1
        return PulseTrain(
            self.where, tuple(self.cells), cell, cycle, polarity, first, data[:, 3], line,
            self.sizes("voltage", scale), self.sizes("width", scale), tuple(notices),
        )  # fmt: skip

    def direction(self, polarity: np.ndarray, first: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """Return polarities such that +1 raises the conductance."""
        if "polarity" in self.columns:
            return polarity, []
        step = np.diff(g, prepend=g[:1])
        up, down = (step[(polarity == s) & ~first] for s in (1, -1))
        if up.size and down.size and up.mean() < 0 < down.mean():
            return -polarity, ["positive voltages lower the conductance here, so they are the down pulses"]
        return polarity, []

    def sizes(self, name: str, scale: int) -> tuple[float, float] | None:
        """Return the size of the up and of the down pulse in SI."""
        if (name, 1) not in self.size or (name, -1) not in self.size:
            return None
        up, down = (abs(self.size[name, s * scale][0]) * self.scale[name] for s in (1, -1))
        return up, down

    def jumps(self, data: np.ndarray) -> None:
        """Refuse a conductance that jumps by a factor of a thousand, or a million, and stays there."""
        g = np.maximum(data[:, 3], 1e-300)
        ratio = np.abs(np.log10(g[1:] / g[:-1]))
        for i in np.flatnonzero(ratio > 2.5):
            before, after = np.median(g[max(0, i - 4) : i + 1]), np.median(g[i + 1 : i + 6])
            decades = abs(math.log10(after / before))
            if data[i, 0] == data[i + 1, 0] and min(abs(decades - 3), abs(decades - 6)) < 0.5:
                raise UsageError(
                    f"{self.where}, line {int(data[i + 1, 4])}: the conductance jumps by a factor of about "
                    f"{10 ** round(decades):g}, which looks like mixed units; use one unit, in the header."
                )
