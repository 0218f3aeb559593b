"""Conductances that come from outside: cells take them at once, without pulses, as if another tool had written them.

Each cell takes its value within its own bounds. What else its state holds (its own factors, pulses received) stays; a time of the
last write becomes the present time. A faulty cell keeps its fault.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hardware_models.check import UsageError
from hardware_models.crossbar.cells import Cells
from hardware_models.devices.drawn import bounds_of
from hardware_models.devices.state import field

ROUNDING = 1e-6
"""Relative error of a conductance that went through float32 or a text."""


class Taken(NamedTuple):
    """Numbers of cells that have not taken the conductance that was given."""

    clipped: int  # took their own bound, which spread has drawn inside of the range
    faulty: int  # are stuck, or on a dead line


def take(cells: Cells, given: ArrayLike, what: str) -> Taken:
    """Set the cells of an array to conductances (2, rows, columns), G+ and G-, or (rows, bit lines) [S].

    `what` names the array in messages, such as "layer 0". Bit lines alternate: G+ and G- of a weight are neighbours.

    Raises
    ------
    UsageError : for another shape, for what is no number, for a value outside the range of the device and of its cells on this
        array, with the cell, and for a device whose cells are more than a conductance.
    """
    device, state = cells.device, cells.state
    wanted = _as_lines(given, cells.tiling.rows, cells.tiling.bit_lines, what)
    low, high = (np.broadcast_to(np.asarray(bound, np.float64), wanted.shape) for bound in bounds_of(device, state))
    least, most = min(device.g_min, float(low.min())), max(device.g_max, float(high.max()))
    slack = ROUNDING * most
    outside = (wanted < least - slack) | (wanted > most + slack)
    if outside.any():
        row, line = (int(n) for n in np.argwhere(outside)[0])
        raise UsageError(
            f"{what}, cell of row {row} and bit line {line}: {wanted[row, line]:.4g} S is outside the range of device "
            f"'{device.name}', {least:.4g} to {most:.4g} S on this chip; give conductances within it [S], or another --device."
        )
    within = np.clip(wanted, low, high)
    fault = field(state, "fault")
    sound = np.ones(wanted.shape, bool) if fault is None else np.isnan(fault)
    before = {name: np.array(values) for name, values in state._asdict().items()}
    for name in ("g", "hidden"):
        if (values := field(state, name)) is not None:
            np.copyto(values, within, where=sound, casting="same_kind")
    if (written := field(state, "written")) is not None:
        written[...] = cells.time
    seen = np.asarray(device.conductance(state, cells.time))[sound]
    if not np.allclose(seen, within[sound], rtol=1e-5, atol=slack):
        for name, values in state._asdict().items():
            values[...] = before[name]
        raise UsageError(
            f"cells of device '{device.name}' are more than a conductance (their state has {', '.join(state._fields)}), so that "
            "they cannot take one from outside: choose another --device."
        )
    cells.look()
    if cells.wired is not None:
        cells.wired.renew(np.ascontiguousarray(cells.connected(), np.float32))
    return Taken(int(np.count_nonzero(np.abs(within - wanted) > slack)), int(np.count_nonzero(~sound)))


def _as_lines(given: ArrayLike, rows: int, lines: int, what: str) -> np.ndarray:
    """Return conductances as (rows, bit lines) float64 [S]; raise UsageError for others."""
    g = np.asarray(given)
    if g.dtype.kind not in "iuf":
        raise UsageError(f"{what}: conductances are of type {g.dtype}, expected numbers [S].")
    if g.shape == (2, rows, lines // 2):
        g = np.stack((g[0], g[1]), axis=2).reshape(rows, lines)
    if g.shape != (rows, lines):
        raise UsageError(
            f"{what}: conductances have the shape {g.shape}, expected (2, {rows}, {lines // 2}), G+ and G- of each weight, or "
            f"({rows}, {lines}), G+ and G- side by side."
        )
    g = g.astype(np.float64)
    if not np.isfinite(g).all():
        row, line = (int(n) for n in np.argwhere(~np.isfinite(g))[0])
        raise UsageError(f"{what}, cell of row {row} and bit line {line}: its conductance is no number.")
    return g
