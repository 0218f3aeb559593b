r"""Reads of single word lines: one is driven at a time, and only the converters of its tile look.

.. math:: i_{kj} = v_k (G^+_{r_k j} - G^-_{r_k j}), \qquad
          \sigma_{kj}^2 = v_k^2 (\sigma_+^2 + \sigma_-^2) + \sigma_{Johnson}^2 + \sigma_{shot}^2

The Johnson noise is that of all cells of both lines in the tile of row r_k; where the currents of row tiles add on one line
(`joined`), of all tiles. Tiles with converters of their own are read at the same time, so that a whole array takes as many
steps as its largest tile has rows; joined ones are read one row after the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hardware_models.crossbar.cells import Cells
from hardware_models.events import Events


class RowReads(NamedTuple):
    """Word lines before their converters."""

    currents: np.ndarray  # (rows, columns) float32 [A]
    sigma: np.ndarray | None  # standard deviation of their white noise [A], (rows, 1 or columns), None without noise
    events: Events


def read_rows(cells: Cells, rows: np.ndarray, volts: np.ndarray, *, joined: bool) -> RowReads:
    """Return the currents of word lines `rows` (N,), driven at `volts` (N,) float32 [V] one by one, and the events."""
    cells.look_again()
    currents = cells.differences[rows]
    currents *= volts[:, None]
    found = [variance for variance in _variances(cells, rows, volts, joined) if variance is not None]
    sigma = _deviation(found, len(rows)) if found else None
    lines = cells.tiling.bit_lines
    counts = {"reads.cells": lines * len(rows), "reads.columns": lines * len(rows)}
    counts["integrator"] = cells.tiling.columns * len(rows)
    v2g = float(np.square(volts.astype(np.float64)) @ cells.drawn[rows])
    return RowReads(currents, sigma, Events(counts, {"read.v2g": v2g, "time": _seconds(cells, rows, joined)}))


def _deviation(variances: list[np.ndarray], rows: int) -> np.ndarray:
    """Return the square root of the sum of variances (rows or 1, columns or 1), (rows, columns or 1) float32."""
    sigma = np.sqrt(sum(variances[1:], variances[0])).astype(np.float32)
    return np.broadcast_to(sigma, (rows, sigma.shape[1]))


def _seconds(cells: Cells, rows: np.ndarray, joined: bool) -> float:
    """Return the time of the reads [s]; where a line has a limit, each takes as many steps as a look at the whole array says."""
    turns = len(rows) if joined else int(np.bincount(rows // cells.tiling.tile_rows).max(initial=0))
    steps = 1.0 if cells.watch is None else cells.watch.scan(cells.connected()) / cells.tiling.rows
    return turns * steps * cells.device.t_read


def _variances(cells: Cells, rows: np.ndarray, volts: np.ndarray, joined: bool) -> list[np.ndarray | None]:
    """Return the variances [A²] of the device's own noise, of Johnson noise and of shot noise; None where there is none."""
    columns, noise, seconds = cells.tiling.columns, cells.noise, cells.device.t_read
    square = np.square(volts.astype(np.float64))[:, None]
    own = johnson = shot = None
    pairs, common = cells.noise_map()
    if common:
        own = square * common
        if pairs.size:
            own = own * np.concatenate(list(pairs), axis=1)[rows, :columns]
    if noise.thermal:
        both = cells.tiling.over_weights(cells.bit_line_sums())
        johnson = noise.johnson_variance(
            both.sum(axis=0)[None] if joined else both[rows // cells.tiling.tile_rows], seconds
        )
    if noise.fano:
        g = cells.seen()[rows].astype(np.float64)
        shot = noise.shot_variance(np.abs(volts)[:, None] * cells.tiling.over_weights(g), seconds)
    return [own, johnson, shot]
