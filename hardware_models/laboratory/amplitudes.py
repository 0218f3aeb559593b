"""Find the size of the pulses: alike, scattered about a nominal value, rising from pulse to pulse, or of several sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hardware_models.check import UsageError, shown
from hardware_models.laboratory.columns import checked
from hardware_models.laboratory.cycles import Order
from hardware_models.laboratory.decimals import value_of
from hardware_models.laboratory.numbers import Rows
from hardware_models.laboratory.titles import written

ALIKE = 1e-3
"""Largest relative difference between pulses that count as identical."""
SCATTER = 0.05
"""Largest relative distance from the median at which pulses scatter about one nominal size."""
_SAME_STAIRS = 0.9
"""Least share of the cycles in which a staircase is the same, and of its steps that do not go back."""
_LONGEST_STAIRS = 20_000
"""Largest number of pulses of one polarity in a cycle of a staircase."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of the pulses in SI units, {("voltage", 1): 1.6, ...}, with notices and assumptions about them."""

    size: Mapping[tuple[str, int], float]
    notices: tuple[str, ...] = ()
    staircase: tuple[str, ...] = ()  # a sentence for each quantity that rises or falls from pulse to pulse


def parse_amplitude(text: str, option: str = "--amplitude") -> dict[tuple[str, int], float]:
    """Return {("voltage", +1 or -1, or 0 for both): V, ("width", 0): s} from a text such as "1.6 V,-1.8 V,100 ns".

    Raises UsageError for a text that is no voltage and no time.
    """
    wanted: dict[tuple[str, int], float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"([+-]?)((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?)\s*([^\d\s.].*)", part)
        number = value_of(match.group(2)) if match else None
        if match is None or number is None:
            raise UsageError(
                f"{option} takes numbers with their units, such as 1.6 V,-1.8 V or 100 ns, got {shown(part)}."
            )
        unit = written(match.group(3))
        quantity = "width" if unit.endswith("s") else "voltage"
        checked(unit, quantity, f"{option}: {shown(part)}")
        sign = 0 if quantity == "width" else -1 if match.group(1) == "-" else 1
        if (quantity, sign) in wanted:
            raise UsageError(f"{option} names two sizes of one polarity, got {shown(text)}.")
        wanted[quantity, sign] = _si(number, unit)
    voltages = [sign for quantity, sign in wanted if quantity == "voltage"]
    if len(voltages) == 1:  # one voltage is the size of both polarities
        wanted["voltage", 0] = wanted.pop(("voltage", voltages[0]))
    return wanted


def _si(number: float, unit: str) -> float:
    from hardware_models.units import to_si

    return to_si(number, unit)


def chosen(rows: Rows, wanted: Mapping[tuple[str, int], float]) -> Rows:
    """Return the rows, of which those with pulses of other sizes are skipped: their readings begin new stretches.

    Raises UsageError if a size is wanted of a quantity that the table does not have, or no pulse has it.
    """
    skipped = np.zeros(len(rows.sign), bool)
    pulsed = rows.sign != 0
    for (name, side), size in wanted.items():
        values = rows.voltage if name == "voltage" else rows.width
        if values is None:
            raise UsageError(f"{', '.join(rows.names)}: no column '{name}', in which --amplitude could choose.")
        own = pulsed & ((side == 0) | (rows.sign == side))
        like = np.abs(np.abs(values) - size) <= SCATTER * size
        if not (own & like).any():
            found = _levels(np.abs(values[own]))
            raise UsageError(
                f"{', '.join(rows.names)}: no {'' if side == 0 else 'up ' if side > 0 else 'down '}pulse has the {name} "
                f"{size:g} (there are, in SI units: {found})."
            )
        skipped |= own & ~like
    if not skipped.any():
        return rows
    said = f"--amplitude left out {skipped.sum()} of {pulsed.sum()} pulses; the readings after them begin new stretches"
    return replace(rows, skipped=skipped, notices=(*rows.notices, said))


def _levels(sizes: np.ndarray) -> str:
    """Return the different sizes, in groups of `SCATTER`, as text."""
    ends: list[float] = []
    for size in np.unique(sizes):
        if not ends or size > ends[-1] * (1 + SCATTER):
            ends.append(float(size))
    return ", ".join(f"{x:g}" for x in ends[:6]) + (", ..." if len(ends) > 6 else "")


def sizes_of(rows: Rows, order: Order, units: Mapping[str, tuple[float, str]]) -> Sizes:
    """Return the sizes of the pulses; raise UsageError, with the line, if they have several sizes and no order.

    Sizes within `ALIKE` are identical; within `SCATTER` of the median they scatter about it; sizes that rise, or fall, from pulse
    to pulse in each cycle alike are a staircase, whose size is the root of the mean square. `units` holds the SI value and the
    name of each column's unit, for the message.
    """
    size: dict[tuple[str, int], float] = {}
    notices: list[str] = []
    staircase: list[str] = []
    for name, values in (("voltage", rows.voltage), ("width", rows.width)):
        for sign in (1, -1):
            if values is None:
                continue
            own = (order.sign == sign) & order.read & np.isfinite(values)[order.row]
            at = np.flatnonzero(own if rows.skipped is None else own & ~rows.skipped[order.row])
            if not at.size:
                continue
            scale, unit = units.get(name, (1.0, ""))
            found = np.abs(values[order.row[at]])
            middle, word = float(np.median(found)), "up" if sign > 0 else "down"
            away = np.abs(found - middle)
            size[name, sign] = middle
            if not (away > ALIKE * middle).any():
                size[name, sign] = float(found[0])
            elif not (away > SCATTER * middle).any():
                notices.append(
                    f"the {name} of the {word} pulses scatters from {found.min() / scale:g} to {found.max() / scale:g} {unit}; "
                    f"the median, {middle / scale:g} {unit}, was taken for all of them"
                )
            elif (stairs := _stairs(order, at, found)) is not None:
                size[name, sign] = float(np.sqrt(np.mean(found**2)))
                first, last = (x / scale for x in stairs)
                staircase.append(
                    f"the {name} of the {word} pulses {'rises' if last > first else 'falls'} from {first:g} to {last:g} {unit} "
                    "in each cycle; the device is the cell with this staircase: a pulse from a state has the size that the "
                    f"staircase had there, and writes are priced at the root mean square, {size[name, sign] / scale:.4g} {unit} "
                    f'(pulses of one size: --amplitude "{last:g} {unit}")'
                )
            else:
                raise _different(rows, order, at, found, middle, (name, word, scale, unit))
    return Sizes(size, tuple(notices), tuple(staircase))


def _different(
    rows: Rows, order: Order, at: np.ndarray, found: np.ndarray, middle: float, said: tuple[str, str, float, str]
) -> UsageError:
    name, word, scale, unit = said
    usual = np.abs(found - middle) <= SCATTER * middle
    odd = (
        int(np.flatnonzero(~usual)[0])
        if usual.any()
        else int(np.flatnonzero(np.abs(found - found[0]) > SCATTER * found[0])[0])
    )
    like = int(np.flatnonzero(usual)[0]) if usual.any() else 0
    wanted = middle if usual.any() else found[0]
    return rows.error(
        order.row[at[odd]], f"the {name} of the {word} pulses changes from {found[like] / scale:g} {unit} (line "
        f"{int(rows.line[order.row[at[like]]])}) to {found[odd] / scale:g} {unit}, neither alike nor rising from pulse to pulse; "
        f'choose the pulses of one size with --amplitude "{wanted / scale:g} {unit}" (sizes: '
        f"{_levels(found / scale)} {unit})",
    )  # fmt: skip


def _stairs(order: Order, at: np.ndarray, found: np.ndarray) -> tuple[float, float] | None:
    """Return the first and the last size of a staircase that is the same in nearly every cycle; None if there is none."""
    unit = np.cumsum((np.diff(order.cell[at], prepend=-1) != 0) | (np.diff(order.cycle[at], prepend=-1) != 0)) - 1
    place = np.arange(len(at)) - np.searchsorted(unit, unit)
    if place.max() > _LONGEST_STAIRS:
        return None
    sort = np.argsort(place, kind="stable")
    usual = np.array([np.median(part) for part in np.split(found[sort], np.cumsum(np.bincount(place))[:-1])])
    if np.mean(np.abs(found - usual[place]) <= SCATTER * usual[place]) < _SAME_STAIRS:
        return None
    steps = np.diff(usual)
    way = np.sign(usual[-1] - usual[0])
    if way == 0 or np.mean(steps * way >= -ALIKE * usual[:-1]) < 1.0:
        return None
    return float(usual[0]), float(usual[-1])
