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
    if batch:
        cells.watch_wires(v[0])
    partial = np.empty((cells.tiling.row_tiles, batch, cells.tiling.bit_lines // 2), np.float32)
    difference = cells.differences
    for t, (start, stop) in enumerate(cells.tiling.row_cuts):
        matmul(v[:, start:stop], difference[start:stop], partial[t])
    return partial, read_events(cells, np.square(v.astype(np.float64)).sum(axis=0), batch, phases_of(v))


def phases_of(v: np.ndarray) -> int:
    """Return the number of phases of a read: 2 if voltages of both signs are driven, else 1."""
    return 2 if v.size and float(v.min(initial=0.0)) < 0.0 < float(v.max(initial=0.0)) else 1


def noise_deviation(cells: Cells, voltages: np.ndarray) -> np.ndarray | None:
    """Return the standard deviation of the currents' white noise, (T, B, 1 or columns) [A], None without noise.

    The pair adds both devices' variances, sigma_j² = sum_i v_i² (sigma²(G+_ij) + sigma²(G-_ij)), and the lines of the pair theirs
    (`hardware_models.crossbar.line_noise`).
    """
    v = np.asarray(voltages, np.float32)
    every = (_read_noise(cells, v), johnson_variance(cells, phases_of(v)), _shot(cells, v))
    found = [variance for variance in every if variance is not None]
    if not found:
        return None
    deviation = np.sqrt(sum(found[1:], found[0])).astype(np.float32)
    tiles, _, columns = deviation.shape
    return np.broadcast_to(deviation, (tiles, len(v), columns))


def _read_noise(cells: Cells, v: np.ndarray) -> np.ndarray | None:
    """Return the variance of the currents by the device's own read noise, (T, B, 1 or columns) [A²]."""
    pairs, common = cells.noise_map()
    if common == 0.0:
        return None
    squares = np.square(v)
    if not pairs.size:
        sums = [squares[:, a:b].sum(axis=1, dtype=np.float64)[:, None] for a, b in cells.tiling.row_cuts]
    else:
        whole = np.concatenate(list(pairs), axis=1)[:, : cells.tiling.bit_lines // 2]
        sums = [matmul(squares[:, a:b], whole[a:b]) for a, b in cells.tiling.row_cuts]
    return np.asarray(common * np.stack(sums))


def johnson_variance(cells: Cells, phases: int) -> np.ndarray | None:
    """Return the variance of a read by the Johnson noise of both lines of each pair, (T, 1, columns) float64 [A²], or None."""
    if not cells.noise.thermal:
        return None
    sums = cells.bit_line_sums()
    return cells.noise.johnson_variance(phases * (sums[:, None, 0::2] + sums[:, None, 1::2]), cells.device.t_read)


def _shot(cells: Cells, v: np.ndarray) -> np.ndarray | None:
    """Return the variance of the currents by their shot noise, (T, B, columns) [A²]."""
    if cells.noise.fano == 0.0:
        return None
    g = cells.seen()
    both, size = g[:, 0::2] + g[:, 1::2], np.abs(v)
    sums = np.stack([matmul(size[:, a:b], both[a:b]) for a, b in cells.tiling.row_cuts])
    return cells.noise.shot_variance(sums.astype(np.float64), cells.device.t_read)


def read_events(cells: Cells, squares: np.ndarray, batch: int, phases: int) -> Events:
    """Return the events of a read of `batch` samples; squares (rows,) float64: sum of v² over them [V²]."""
    cut = cells.tiling
    counts = {
        "reads.cells": phases * batch * cut.rows * cut.bit_lines,
        "reads.columns": phases * batch * cut.row_tiles * cut.bit_lines,
        "integrator": phases * batch * cut.row_tiles * (cut.bit_lines // 2),
    }
    v2g = float(squares @ cells.drawn)
    return Events(counts, {"read.v2g": v2g, "time": phases * batch * cells.device.t_read})


def transposed_currents(cells: Cells, v: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, Events]:
    """Return currents (B, rows) [A] for voltages (B, columns) float32 [V] on the bit lines, their deviation, and the events.

    The deviation is that of the white noise [A], float64, None without noise.
    """
    rows, batch = cells.tiling.rows, v.shape[0]
    current = matmul(v, np.ascontiguousarray(cells.differences.T))
    g = cells.seen()
    column_sums = (g[:, 0::2] + g[:, 1::2]).sum(axis=0, dtype=np.float64)
    squares = v.astype(np.float64) ** 2
    deviation = _transposed_deviation(cells, g, v, squares)
    # A signed pair drive is always two phases: G- sees the opposite sign of G+.
    counts = {
        "reads.transposed_cells": 2 * rows * cells.tiling.bit_lines * batch,
        "reads.transposed_columns": 2 * rows * cells.tiling.column_tiles * batch,
        "integrator": rows * cells.tiling.column_tiles * batch,
    }
    v2g = float(squares.sum(axis=0) @ column_sums)
    return current, deviation, Events(counts, {"read.v2g": v2g, "time": 2 * batch * cells.device.t_read})


def _transposed_deviation(cells: Cells, g: np.ndarray, v: np.ndarray, squares: np.ndarray) -> np.ndarray | None:
    """Return the standard deviation of the white noise of a transposed read, (B, rows) [A], None without noise.

    A word line carries both cells of each of its pairs, in two phases.
    """
    found: list[np.ndarray] = []
    variance = cells.read_variance()
    if np.ndim(variance) or variance:
        pairs = np.broadcast_to(variance, g.shape)
        found.append(squares @ (pairs[:, 0::2] + pairs[:, 1::2]).astype(np.float64).T)
    if cells.noise.thermal:
        found.append(cells.noise.johnson_variance(2.0 * cells.word_line_sums(), cells.device.t_read)[None])
    if cells.noise.fano:
        both = np.ascontiguousarray((g[:, 0::2] + g[:, 1::2]).T)
        found.append(cells.noise.shot_variance(matmul(np.abs(v), both).astype(np.float64), cells.device.t_read))
    return np.sqrt(sum(found[1:], found[0])) if found else None
