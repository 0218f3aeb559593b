r"""A transfer that was measured elsewhere, an optical or a mechanical one for example, as a table in a .csv file.

.. math:: f(z) = \frac{T(u) - T_0}{T_1 - T_0}, \qquad u = u_0 + (u_1 - u_0)\, z

T is the straight line from point to point of the table; beyond its first and last point it keeps their values, as no one has
measured there. The curve may rise and fall. The file has two columns, what goes in and what comes out, below a line with their
titles; lines that begin with ``#`` are remarks. Four remarks give the scales, each optional and in the units of its column::

    # input at 0: 0.1         u_0, the input that stands for z = 0; without the line 0
    # input at 1: 0.6         u_1, the input that stands for z = 1; without the line 1
    # output at 0: 0.002      T_0, the output that stands for y = 0; without the line 0
    # output at 1: 0.035      T_1, the output that stands for y = 1; without the line 1

Without them the table is in units of z and y. All neurons have the same curve.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from hardware_models.check import UsageError, counted, shown
from hardware_models.files import contents, text
from hardware_models.keys import Key
from hardware_models.laboratory.decimals import value_of
from hardware_models.laboratory.text import SEPARATORS, split
from hardware_models.nonlinearities.base import MEASURED

MOST_POINTS = 100_000
"""Largest number of points of a table."""
_REMARK = re.compile(r"#\s*(\w+) at (\w+)\s*:\s*(.*)", re.IGNORECASE)
"""A remark that gives a scale, or that is meant to."""


@dataclass(frozen=True)
class _Curve:
    """The neurons of one layer, all alike: points z and y, float64."""

    z: np.ndarray
    y: np.ndarray

    def __call__(self, z: np.ndarray) -> np.ndarray:
        return np.interp(z, self.z, self.y).astype(np.float32)


@dataclass(frozen=True)
class MeasuredTransfer:
    """Neurons with a transfer that was measured.

    Parameters
    ----------
    name : str
        ``measured:FILE.csv``.
    z, y : tuple of float
        The points of the table in units of z and y, z rising.
    """

    name: str
    z: tuple[float, ...]
    y: tuple[float, ...]
    analog: bool = True

    def fabricate(self, neurons: int, key: Key) -> _Curve:
        """Return the curve, which is the same for all neurons."""
        del neurons, key
        return _Curve(np.array(self.z), np.array(self.y))


def read_transfer(spec: str) -> MeasuredTransfer:
    """Return the transfer of ``measured:FILE.csv``.

    Raises
    ------
    UsageError
        If the file cannot be read, is no table of two columns of finite numbers with two points or more, if its inputs do not
        rise from line to line, if two ends of a scale are equal, or if a remark gives a scale that is none, or one twice.
    """
    path = spec.removeprefix(MEASURED)
    if not path:
        raise UsageError(f"nonlinearity '{spec}' names no file: write measured:FILE.csv.")
    where = f"measured transfer {shown(path, 200, quoted=False)}"
    scales = {("input", "0"): 0.0, ("input", "1"): 1.0, ("output", "0"): 0.0, ("output", "1"): 1.0}
    given: set[tuple[str, str]] = set()
    points: list[tuple[float, float]] = []
    head = False
    for number, line in enumerate(text(contents(path, "measured transfer"), where).splitlines(), 1):
        if line.startswith("#"):
            if (remark := _REMARK.match(line)) is not None:
                scale = remark[1].lower(), remark[2]
                if scale not in scales or scale in given:
                    why = (
                        "stands twice" if scale in given else "is none of '# input at 0:' and 1, '# output at 0:' and 1"
                    )
                    raise UsageError(f"{where}, line {number}: the scale {shown(line.strip())} {why}.")
                given.add(scale)
                scales[scale] = _number(f"{where}, line {number}", remark[3].strip())
        elif line.strip():
            cells = _cells(f"{where}, line {number}", line)
            if not head and not points and all(value_of(cell) is None for cell in cells):
                head = True
            else:
                points.append(_point(f"{where}, line {number}", cells, points))
    if len(points) < 2:
        raise UsageError(
            f"{where} has {counted(len(points), 'point')}, a curve needs two or more rows of an input and an output."
        )
    u, t = (np.array(column) for column in zip(*points, strict=True))
    z, y = _scaled(where, "input", u, scales), _scaled(where, "output", t, scales)
    if z[0] > z[-1]:
        z, y = z[::-1], y[::-1]
    return MeasuredTransfer(spec, tuple(map(float, z)), tuple(map(float, y)))


def _cells(where: str, line: str) -> list[str]:
    """Return the two cells of a line, at the most reliable separator that gives two."""
    for separator in SEPARATORS:
        if len(cells := split(line, separator)) == 2:
            return cells
    raise UsageError(f"{where}: {shown(line.strip())} has not two columns, an input and an output.")


def _number(where: str, written: str) -> float:
    value = value_of(written)
    if value is None or not math.isfinite(value):
        raise UsageError(f"{where}: {shown(written)} is not a finite number with a decimal point.")
    return value


def _point(where: str, cells: list[str], before: list[tuple[float, float]]) -> tuple[float, float]:
    """Return input and output of a line; its input is above that of the line before."""
    point = _number(where, cells[0]), _number(where, cells[1])
    if before and point[0] <= before[-1][0]:
        raise UsageError(
            f"{where}: the input {point[0]:g} is not above {before[-1][0]:g} of the line before; sort the rows by their input, "
            "and average those of equal inputs."
        )
    if len(before) == MOST_POINTS:
        raise UsageError(f"{where}: more than the {MOST_POINTS} points that a curve may have.")
    return point


def _scaled(where: str, what: str, values: np.ndarray, scales: dict[tuple[str, str], float]) -> np.ndarray:
    """Return a column in units of z or y."""
    zero, one = scales[what, "0"], scales[what, "1"]
    if zero == one:
        raise UsageError(f"{where}: '# {what} at 0' and '# {what} at 1' are both {zero:g}; give two different values.")
    scaled: np.ndarray = (values - zero) / (one - zero)
    return scaled
