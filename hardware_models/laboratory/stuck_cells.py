"""Find the cells of a pulse train that do not follow their pulses: stuck or broken ones, and those without contact."""

from __future__ import annotations

import numpy as np

from hardware_models.check import UsageError, shown

LEAST_MOVED = 0.05
"""Least mean step of a cell in the direction of its pulses, in units of that of the cell that moves most."""
MOST_STUCK = 0.5
"""Largest share of stuck cells beside which the others are trusted."""


def stuck_cells(
    g: np.ndarray, base: np.ndarray, polarity: np.ndarray, cell: np.ndarray, names: tuple[str, ...], place: str
) -> tuple[np.ndarray, list[str]]:
    """Return the mask (cells,) of the cells that do not follow their pulses, and notices about them.

    Parameters
    ----------
    g : conductance (n,) of each row [S], NaN without a reading.
    base : row (n,) of the reading before, -1 at the first one of a stretch.
    polarity : +1 where the pulse before the reading raises the conductance, -1 where it lowers it.
    cell : index (n,) of the cell in `names`.
    place : name of the file in messages.

    Raises
    ------
    UsageError
        If more than half of the cells are stuck.
    """
    stepped = (base >= 0) & np.isfinite(g)
    step = (g[stepped] - g[base[stepped]]) * polarity[stepped]
    count = np.bincount(cell[stepped], minlength=len(names))
    moved = np.bincount(cell[stepped], weights=step, minlength=len(names)) / np.maximum(count, 1)
    most = float(moved.max(initial=0.0))
    stuck = (count > 0) & (moved < LEAST_MOVED * most)
    if most <= 0.0 or not stuck.any():
        return np.zeros(len(names), bool), []
    which = [name for name, out in zip(names, stuck, strict=True) if out]
    said = (
        f"{len(which)} of {len(names)} cells ({shown(', '.join(which[:10]), 120, quoted=False)}"
        f"{', ...' if len(which) > 10 else ''}) moved with their pulses by less than {100 * LEAST_MOVED:g} % of what the cell "
        "that moves most did"
    )
    if stuck.sum() > MOST_STUCK * len(names):
        raise UsageError(
            f"{place}: {said}; a device is not fitted where most cells are stuck or broken: give the file without them."
        )
    return stuck, [
        f"{said}, so they were taken as stuck and left out; the fitted device has no stuck cells (add them to a run with "
        "--stuck-low and --stuck-high)"
    ]
