"""Tell faults of readings from jumps of the device: outliers that a device makes are kept.

Three signs speak for the device: too large a share of the readings is far off; jumps that stay in the cell are as many as
those that are undone; or the readings of a cell are all off by the same amount, as telegraph noise between two levels is.
"""

from __future__ import annotations

import numpy as np

from hardware_models.laboratory.usual_steps import FAR, Usual, common_step, last_seen

MOST_OUTLIERS = 0.05
"""Largest share of readings that may be left out; a larger share is no matter of single faults."""
FEWEST = 3
"""Number of outliers that may be left out whatever their share is."""
OF_A_CELL = 5
"""Least number of outliers of a cell that show whether they are alike."""
FEWEST_ALIKE = 8
"""Least number of outliers in such cells together."""


def kept_because(g: np.ndarray, bad: np.ndarray, sign: np.ndarray, first: np.ndarray, cell: np.ndarray) -> str:
    """Return why the outliers `bad` (n,) are kept, as the end of a sentence; "" if they are faults of readings.

    The arguments are those of `hardware_models.laboratory.outliers.outliers`, and its result.
    """
    known = np.isfinite(g)
    if bad.sum() > max(MOST_OUTLIERS * known.sum(), FEWEST):
        return f"they are more than {100 * MOST_OUTLIERS:g} %, too many for faults of single readings, and were kept"
    good = np.where(bad, np.nan, g)
    if bad.sum() > FEWEST and (stay := _staying(good, sign, first)) >= bad.sum():
        return f"as many jumps ({stay}) stay in the cell, so the device makes such jumps, and the readings were kept"
    size = _alike(g, good, first, cell)
    if size:
        return (
            f"in each cell they are off by about the same amount ({size:.3g} S), as a device that jumps between two levels "
            "(telegraph noise) is, and they were kept"
        )
    return ""


def _staying(good: np.ndarray, sign: np.ndarray, first: np.ndarray) -> int:
    """Return the number of unusual steps that are left without the outliers."""
    base = last_seen(good, first)
    before = np.where(base >= 0, good[base], np.nan)
    next_to = (base >= 0) & (np.arange(len(good)) - base == 1)
    stay = 0
    for s in (1, -1):
        rows = next_to & (sign == s) & np.isfinite(good)
        # Usual steps have a floor that depends on the unit, which is that of the range here.
        unit = float(np.nanmax(good) - np.nanmin(good)) or 1.0
        common = common_step(good / unit, first, sign == s)
        usual, deviation = Usual(before / unit, (good - before) / unit, rows, common).at(before[rows] / unit)
        stay += int((np.abs((good - before)[rows] / unit - usual) > FAR * deviation).sum())
    return stay


def _alike(g: np.ndarray, good: np.ndarray, first: np.ndarray, cell: np.ndarray) -> float:
    """Return the size of the outliers [unit of g] if they are alike in each cell; else 0.

    Each is compared with the line between the good readings beside it.
    """
    here = np.arange(len(g))
    seen = np.isfinite(good)
    outlier = np.isfinite(g) & ~seen
    if not outlier.any() or seen.sum() < 3:
        return 0.0
    unit = np.cumsum(first) - 1
    before = np.maximum.accumulate(np.where(seen, here, -1))
    after = len(g) - 1 - np.maximum.accumulate(np.where(seen[::-1], here, -1))[::-1]
    between = outlier & (before >= 0) & (after < len(g))
    between[between] &= (unit[before[between]] == unit[here[between]]) & (unit[after[between]] == unit[here[between]])
    off = np.abs(g - np.interp(here, here[seen], good[seen]))
    inner = np.flatnonzero(seen[1:-1] & seen[:-2] & seen[2:]) + 1
    bend = good[inner] - 0.5 * (good[inner - 1] + good[inner + 1])
    noise = 1.4826 * float(np.median(np.abs(bend - np.median(bend)))) if inner.size else 0.0
    apart, sizes = [], []
    for c in np.unique(cell[between]):
        own = off[between & (cell == c)]
        if len(own) >= OF_A_CELL:
            apart.extend(np.abs(own - np.median(own)))
            sizes.append(float(np.median(own)))
    if len(apart) < FEWEST_ALIKE or float(np.quantile(apart, 0.75)) > 2.0 * noise:
        return 0.0
    return float(np.median(sizes))
