r"""Statistics of the firing of a layer: rates, sparseness and bursts, as cortical recordings report them.

The sparseness is that of Vinje and Gallant (Science 287, 1273 (2000), doi:10.1126/science.287.5456.1273), of the rates of n
cells at one stimulus (population) or of one cell at n stimuli (lifetime):

.. math:: S = \Bigl(1 - \frac{(\sum_i r_i/n)^2}{\sum_i r_i^2/n}\Bigr) / (1 - 1/n)

It is 0 if all rates are equal, and 1 if only one rate is not zero.
"""

from __future__ import annotations

import numpy as np

BURST_MS = 10.0
"""Largest interval between two spikes of a burst [ms]."""


def sparseness(rates: np.ndarray, axis: int) -> np.ndarray:
    """Return the sparseness along an axis of rates; NaN if all rates are zero."""
    n = rates.shape[axis]
    r = rates.astype(np.float64)
    square = (r**2).mean(axis=axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(square > 0, (1.0 - r.mean(axis=axis) ** 2 / square) / (1.0 - 1.0 / n), np.nan)


def firing(counts: np.ndarray, present_ms: float) -> dict[str, float | None]:
    """Return the statistics of one layer from its spike counts.

    Parameters
    ----------
    counts : (presentations, cells) array
        Number of spikes of each cell in each presentation.
    present_ms : float
        Duration of a presentation [ms].

    Returns
    -------
    dict
        mean_rate_hz: mean rate of all cells; active_share: share of pairs (cell, presentation) with a spike; active_rate_hz
        and active_rate_95_hz: mean and 95th percentile of the rates of these pairs; silent_share: share of cells without any
        spike; population_sparseness, lifetime_sparseness: means; log10_rate_sd: standard deviation of log10 of the mean rates
        of cells that fire. Values are None if no cell fires.
    """
    rates = counts.astype(np.float64) * (1e3 / present_ms)
    active = rates[rates > 0]
    means = rates.mean(axis=0)
    firing_cells = means[means > 0]
    return {
        "mean_rate_hz": float(rates.mean()),
        "active_share": float((rates > 0).mean()),
        "active_rate_hz": float(active.mean()) if active.size else None,
        "active_rate_95_hz": float(np.percentile(active, 95)) if active.size else None,
        "silent_share": float((means == 0).mean()),
        "population_sparseness": _mean(sparseness(rates, 1)),
        "lifetime_sparseness": _mean(sparseness(rates, 0)),
        "log10_rate_sd": float(np.log10(firing_cells).std()) if firing_cells.size else None,
    }


def _mean(values: np.ndarray) -> float | None:
    return float(np.nanmean(values)) if np.isfinite(values).any() else None


def intervals(cells: np.ndarray, times: np.ndarray, period_ms: float) -> np.ndarray:
    """Return the intervals [ms] between successive spikes of a cell within a presentation, for all cells of a raster."""
    order = np.lexsort((times, cells))
    i, t = np.asarray(cells)[order], np.asarray(times)[order]
    same = (np.diff(i) == 0) & (np.diff(np.floor(t / period_ms + 1e-9)) == 0)
    return np.diff(t)[same]


def burstiness(cells: np.ndarray, times: np.ndarray, period_ms: float) -> float | None:
    """Return the share of intervals within a presentation that are shorter than `BURST_MS`; None without intervals."""
    gaps = intervals(cells, times, period_ms)
    return float((gaps < BURST_MS).mean()) if gaps.size else None
