"""Reads of cells: currents of voltages on the word lines or on the bit lines, their noise, and the events."""

from __future__ import annotations

import numpy as np

from hardware_models.crossbar.cells import Cells
from hardware_models.events import Events
from hardware_models.kernels.products import matmul


def partial_currents(cells: Cells, v: np.ndarray) -> tuple[np.ndarray, Events]:
    """Return the noiseless currents of each row tile, (T, B, columns) [A], for voltages (B, rows) float32 [V].

    Signed voltages take two phases, one for each sign; a read of one sign takes one.
    """
    cells.look_again()
    batch = v.shape[0]
    partial = np.empty((cells.tiling.row_tiles, batch, cells.tiling.bit_lines // 2), np.float32)
    difference = cells.differences
    for t, (start, stop) in enumerate(cells.tiling.row_cuts):
        matmul(v[:, start:stop], difference[start:stop], partial[t])
    phases = 2 if batch and float(v.min(initial=0.0)) < 0.0 < float(v.max(initial=0.0)) else 1
    return partial, read_events(cells, np.square(v.astype(np.float64)).sum(axis=0), batch, phases)


def noise_deviation(cells: Cells, voltages: np.ndarray) -> np.ndarray | None:
    """Return the standard deviation of the currents' white noise, (T, B, 1 or columns) [A], None without noise.

    The pair adds both devices' variances: sigma_j² = sum_i v_i² (sigma²(G+_ij) + sigma²(G-_ij)).
    """
    pairs, common = cells.noise_map()
    if common == 0.0:
        return None
    squares = np.square(np.asarray(voltages, np.float32))
    if not pairs.size:
        sums = [squares[:, a:b].sum(axis=1, dtype=np.float64)[:, None] for a, b in cells.tiling.row_cuts]
    else:
        whole = np.concatenate(list(pairs), axis=1)[:, : cells.tiling.bit_lines // 2]
        sums = [matmul(squares[:, a:b], whole[a:b]) for a, b in cells.tiling.row_cuts]
    return np.sqrt(common * np.stack(sums)).astype(np.float32)


def read_events(cells: Cells, squares: np.ndarray, batch: int, phases: int) -> Events:
    """Return the events of a read of `batch` samples; squares (rows,) float64: sum of v² over them [V²]."""
    cut = cells.tiling
    counts = {
        "reads.cells": phases * batch * cut.rows * cut.bit_lines,
        "reads.columns": phases * batch * cut.row_tiles * cut.bit_lines,
        "integrator": phases * batch * cut.row_tiles * (cut.bit_lines // 2),
    }
    v2g = float(squares @ cells.row_sums)
    return Events(counts, {"read.v2g": v2g, "time": phases * batch * cells.device.t_read})


def transposed_currents(cells: Cells, v: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, Events]:
    """Return currents (B, rows) [A] for voltages (B, columns) float32 [V] on the bit lines, their deviation, and the events.

    The deviation is that of the white noise [A], float64, None without noise.
    """
    rows, batch = cells.tiling.rows, v.shape[0]
    current = matmul(v, np.ascontiguousarray(cells.differences.T))
    g = cells.present()
    column_sums = (g[:, 0::2] + g[:, 1::2]).sum(axis=0, dtype=np.float64)
    squares = v.astype(np.float64) ** 2
    variance = cells.variance()
    deviation: np.ndarray | None = None
    if np.ndim(variance) or variance:
        pairs = np.broadcast_to(variance, g.shape)
        deviation = np.sqrt(squares @ (pairs[:, 0::2] + pairs[:, 1::2]).astype(np.float64).T)
    # A signed pair drive is always two phases: G- sees the opposite sign of G+.
    counts = {
        "reads.transposed_cells": 2 * rows * cells.tiling.bit_lines * batch,
        "reads.transposed_columns": 2 * rows * cells.tiling.column_tiles * batch,
        "integrator": rows * cells.tiling.column_tiles * batch,
    }
    v2g = float(squares.sum(axis=0) @ column_sums)
    return current, deviation, Events(counts, {"read.v2g": v2g, "time": 2 * batch * cells.device.t_read})
