"""Reads of cells: currents of voltages on the word lines or on the bit lines, their noise, and the events."""

from __future__ import annotations

import numpy as np

from hardware_models.crossbar.cells import Cells
from hardware_models.crossbar.groups import Division
from hardware_models.events import Events
from hardware_models.kernels.products import matmul


def settle(cells: Cells, v: np.ndarray) -> tuple[Events, int]:
    """Find groups of lines for voltages (B, rows) float32 [V] that keep the limit of the lines, if they have one.

    Returns the events of the reads that were refused on the way, and the drives of word lines in them.
    """
    if cells.watch is None or not v.size:
        return Events(), 0
    cells.look_again()
    signed = _signed(v)
    phases = 2 if signed else 1
    magnitudes = np.concatenate((np.maximum(v, 0.0), np.maximum(-v, 0.0))) if signed else np.abs(v)
    refused = cells.watch.forwards.settle(cells.present(), magnitudes, phases)
    squares = np.square(v.astype(np.float64)).sum(axis=0) if refused else np.empty(0)
    events = (read_events(cells, squares, len(v), phases, division) for division in refused)
    return sum(events, Events()), phases * len(v) * sum(division.drives for division in refused)


def settle_transposed(cells: Cells, v: np.ndarray) -> tuple[Events, int]:
    """Do what `settle` does for voltages (B, columns) float32 [V] on the pairs of bit lines.

    The first transposed reads after the search for groups find those of their direction.
    """
    if cells.watch is None or not v.size:
        return Events(), 0
    cells.look_again()
    up, down = np.maximum(v, 0.0), np.maximum(-v, 0.0)
    # G- sees the opposite sign of G+: in one phase the positive voltages are on, in the other the negative ones.
    phases = [np.stack(pair, axis=2).reshape(len(v), -1) for pair in ((up, down), (down, up))]
    watch = cells.watch.backwards
    refused = watch.settle(np.ascontiguousarray(cells.present().T), np.concatenate(phases), 2)
    if cells.watch.forwards.fixed:
        watch.fix()
    if not refused:
        return Events(), 0
    events = (transposed_events(cells, v, division) for division in refused)
    return sum(events, Events()), len(v) * sum(division.drives for division in refused)


def _signed(v: np.ndarray) -> bool:
    """Tell whether a read of these voltages takes two phases."""
    return bool(v.size) and float(v.min(initial=0.0)) < 0.0 < float(v.max(initial=0.0))


def grouped(cells: Cells, variance: np.ndarray) -> tuple[np.ndarray | None, np.ndarray, np.ndarray, np.ndarray]:
    """Return the matrix of a read, group of rows by group.

    These are the order of the rows (None: as they are), the borders of the groups in this order, and the panels of differences
    and of their `variance` in this order.
    """
    cuts = np.array([0, *(stop for _, stop in cells.tiling.row_cuts)], np.int64)
    if cells.watch is None or len(cells.watch.forwards.woven.tiles) == cells.tiling.row_tiles:
        return None, cuts, cells.blocks, variance
    woven = cells.watch.forwards.woven
    return woven.order, woven.borders, *cells.watch.ordered(cells.blocks, variance)


def partial_currents(cells: Cells, v: np.ndarray) -> tuple[np.ndarray, Events]:
    """Return the noiseless currents of each row tile, (T, B, columns) [A], for voltages (B, rows) float32 [V].

    Signed voltages take two phases, one for each sign; a read of one sign takes one.
    """
    cells.look_again()
    batch = v.shape[0]
    groups = cells.row_groups
    partial = np.empty((len(groups), batch, cells.tiling.bit_lines // 2), np.float32)
    difference = cells.differences
    for t, rows in enumerate(groups):
        matmul(v[:, rows], difference[rows], partial[t])
    phases = 2 if _signed(v) else 1
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
        sums = [squares[:, rows].sum(axis=1, dtype=np.float64)[:, None] for rows in cells.row_groups]
    else:
        whole = np.concatenate(list(pairs), axis=1)[:, : cells.tiling.bit_lines // 2]
        sums = [matmul(squares[:, rows], whole[rows]) for rows in cells.row_groups]
    return np.sqrt(common * np.stack(sums)).astype(np.float32)


def read_events(cells: Cells, squares: np.ndarray, batch: int, phases: int, division: Division | None = None) -> Events:
    """Return the events of a read of `batch` samples; squares (rows,) float64: sum of v² over them [V²].

    The division is the present one unless another is given.
    """
    cut, division = cells.tiling, division or cells.division
    counts = {
        "reads.cells": phases * batch * cut.rows * cut.bit_lines,
        "reads.columns": phases * batch * division.samples * cut.bit_lines,
        "integrator": phases * batch * division.samples * (cut.bit_lines // 2),
    }
    v2g = float(squares @ cells.row_sums)
    return Events(counts, {"read.v2g": v2g, "time": phases * batch * division.steps * cells.device.t_read})


def transposed_currents(cells: Cells, v: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, Events]:
    """Return currents (B, rows) [A] for voltages (B, columns) float32 [V] on the bit lines, their deviation, and the events.

    The deviation is that of the white noise [A], float64, None without noise.
    """
    current = matmul(v, np.ascontiguousarray(cells.differences.T))
    g = cells.present()
    squares = v.astype(np.float64) ** 2
    variance = cells.device.read_variance(cells.state, cells.time)
    deviation: np.ndarray | None = None
    if np.ndim(variance) or variance:
        pairs = np.broadcast_to(variance, g.shape)
        deviation = np.sqrt(squares @ (pairs[:, 0::2] + pairs[:, 1::2]).astype(np.float64).T)
    return current, deviation, transposed_events(cells, v, cells.transposed_division)


def transposed_events(cells: Cells, v: np.ndarray, division: Division) -> Events:
    """Return the events of a transposed read of voltages (B, columns) [V] in a division."""
    rows, batch = cells.tiling.rows, v.shape[0]
    g = cells.present()
    column_sums = (g[:, 0::2] + g[:, 1::2]).sum(axis=0, dtype=np.float64)
    # A signed pair drive is always two phases: G- sees the opposite sign of G+.
    counts = {
        "reads.transposed_cells": 2 * rows * cells.tiling.bit_lines * batch,
        "reads.transposed_columns": 2 * rows * division.samples * batch,
        "integrator": rows * division.samples * batch,
    }
    v2g = float((v.astype(np.float64) ** 2).sum(axis=0) @ column_sums)
    return Events(counts, {"read.v2g": v2g, "time": 2 * batch * division.steps * cells.device.t_read})
