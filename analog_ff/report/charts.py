"""Charts as SVG inside the page: curves, steps and points, and horizontal bars with their ranges.

Colours and fonts come from the style of the page, so that one chart suits a light page, a dark page and paper.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

from analog_ff.report.axes import Axis, along, spanning

WIDTH, HEIGHT = 420.0, 250.0
"""Size of a chart of curves [px]; the page scales it to its column."""
LEFT, RIGHT, TOP, BOTTOM = 66.0, 408.0, 10.0, 208.0
"""Places of the frame inside it [px]."""
ROW, BAR, LINE = 34.0, 11.0, 14.0
"""Height of a row of a chart of bars, of a bar in it, and of a line of text [px]."""
LETTER = 6.2
"""Width of a letter of the text above a bar, about [px]."""
COLOURS = 8
"""Colours of curves in the style of the page; more curves begin again with the first."""


class Level(NamedTuple):
    """A value that a chart marks by a line through it, such as a limit."""

    value: float
    name: str


@dataclass(frozen=True)
class Curve:
    """Numbers y over numbers x; a y of None or NaN is a gap, `low` and `high` are ends of an interval around each y."""

    name: str
    x: Sequence[float]
    y: Sequence[float | None]
    colour: int = 0
    dashed: bool = False
    marked: bool = False  # a dot at each point
    steps: bool = False  # a histogram: x are the edges of bins, one more than y
    joined: bool = True  # False draws dots alone
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()

    @property
    def style(self) -> str:
        """Class of the curve in the style of the page."""
        return f"c{self.colour % COLOURS}" + (" dashed" if self.dashed else "")

    def known(self) -> list[tuple[float, float]]:
        """Return the points that have a value."""
        return [
            (x, y) for x, y in zip(self.x, self.y, strict=self.steps is False) if y is not None and math.isfinite(y)
        ]


class Dot(NamedTuple):
    """A point of a drawn curve [px], with its text, and the ends of its interval."""

    x: float
    y: float
    text: str
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Chart:
    """Curves in a frame. `alt` tells in words what is to be seen; `note` stands below the chart."""

    template: ClassVar[str] = "chart.html"

    title: str
    x_label: str
    y_label: str
    curves: Sequence[Curve]
    alt: str
    note: str = ""
    levels: Sequence[Level] = ()  # horizontal lines
    borders: Sequence[Level] = ()  # vertical lines
    names: Sequence[str] = ()  # names of the places 0, 1, 2, ... of x, where x are no numbers
    log_x: bool = False
    log_y: bool = False
    zero: bool = True  # whether the vertical axis begins at 0

    @cached_property
    def across(self) -> Axis:
        """The horizontal axis."""
        xs = [float(x) for curve in self.curves for x in curve.x] + [border.value for border in self.borders]
        if self.names:
            return Axis(-0.5, len(self.names) - 0.5, LEFT, RIGHT)
        return along(xs, LEFT + 6.0, RIGHT - 6.0, log=self.log_x)

    @cached_property
    def up(self) -> Axis:
        """The vertical axis."""
        ys = [y for curve in self.curves for y in (*curve.y, *curve.low, *curve.high)]
        return spanning([*ys, *(v.value for v in self.levels)], BOTTOM, TOP, log=self.log_y, zero=self.zero)

    def x_ticks(self) -> list[tuple[float, str]]:
        """Return place and text of each tick of the horizontal axis."""
        if not self.names:
            return self.across.ticks()
        every = math.ceil(len(self.names) / 6)
        return [(self.across.at(n), name) for n, name in enumerate(self.names) if n % every == 0]

    def path(self, curve: Curve) -> str:
        """Return the path of a curve: straight pieces, or the outline of a histogram."""
        if curve.steps:
            return self._outline(curve)
        pieces, joined = [], False
        for x, y in zip(curve.x, curve.y, strict=True):
            if y is None or not math.isfinite(y):
                joined = False
                continue
            pieces.append(f"{'L' if joined else 'M'}{self.across.at(x):g} {self.up.at(y):g}")
            joined = curve.joined
        return "".join(pieces)

    def _outline(self, curve: Curve) -> str:
        floor = self.up.at(0.0)
        pieces = [f"M{self.across.at(curve.x[0]):g} {floor:g}"]
        for y, right in zip(curve.y, curve.x[1:], strict=True):
            pieces.append(f"V{self.up.at(y or 0.0):g}H{self.across.at(right):g}")
        return "".join([*pieces, f"V{floor:g}"])

    def dots(self, curve: Curve) -> list[Dot]:
        """Return the points of a curve that is marked, or that has a single point."""
        known = curve.known() if not curve.steps else []
        if not (curve.marked or len(known) == 1):
            return []
        found = []
        for n, (x, y) in enumerate(zip(curve.x, curve.y, strict=True)):
            if y is None or not math.isfinite(y):
                continue
            low, high = (ends[n] if len(ends) > n else None for ends in (curve.low, curve.high))
            where = self.names[round(x)] if self.names else f"{x:g}"
            text = f"{curve.name}: {where}, {y:.4g}"
            ends = [None if end is None else self.up.at(end) for end in (low, high)]
            found.append(Dot(self.across.at(x), self.up.at(y), text, *ends))
        return found


class Bar(NamedTuple):
    """A row of a chart of bars: its name, its value, the ends of its range, and the value in words."""

    name: str
    value: float
    text: str
    low: float | None = None
    high: float | None = None
    colour: int = 0


@dataclass(frozen=True)
class Bars:
    """Horizontal bars, one below the other, each under its name."""

    template: ClassVar[str] = "bars.html"

    title: str
    x_label: str
    rows: Sequence[Bar]
    alt: str
    note: str = ""
    log: bool = False
    levels: Sequence[Level] = ()  # vertical lines
    base: float = 0.0  # value from which the bars of a linear axis begin
    ranges: bool = False  # draw ranges as the bars, and values as marks on them

    @property
    def lifted(self) -> float:
        """Height by which the names stand above the values [px]: a line where one of them would run into its value, else 0."""
        longest = max((len(row.name) + len(row.text) + 2 for row in self.rows), default=0)
        return LINE if LETTER * longest > RIGHT else 0.0

    @property
    def height(self) -> float:
        """Height of the whole [px]."""
        return 42.0 + self.floor

    @property
    def floor(self) -> float:
        """Place of the horizontal axis [px]."""
        return 6.0 + (ROW + self.lifted) * len(self.rows)

    @cached_property
    def across(self) -> Axis:
        """The horizontal axis."""
        ends = [v for row in self.rows for v in (row.value, row.low, row.high)] + [v.value for v in self.levels]
        return spanning([*ends, *(() if self.log else (self.base,))], 10.0, RIGHT, log=self.log, zero=self.base == 0.0)

    def drawn(self) -> list[tuple[Bar, float, float, float]]:
        """Return each row with the top of its bar, the left end of the bar and its length [px]."""
        found = []
        for n, row in enumerate(self.rows):
            begin = self.across.start if self.log else self.across.at(self.base)
            ends = (begin, self.across.at(row.value))
            if self.ranges and row.low is not None and row.high is not None:
                ends = (self.across.at(row.low), self.across.at(row.high))
            top = 6.0 + (ROW + self.lifted) * n + 18.0 + self.lifted
            found.append((row, top, min(ends), max(abs(ends[1] - ends[0]), 1.0)))
        return found
