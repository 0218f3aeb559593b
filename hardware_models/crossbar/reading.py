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
    phases = phases_of(v)
    magnitudes = np.concatenate((np.maximum(v, 0.0), np.maximum(-v, 0.0))) if phases == 2 else np.abs(v)
    refused = cells.watch.forwards.settle(cells.connected(), magnitudes, phases)
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
    pairs = cells.tiling.pairs
    phases = [np.stack(pair * pairs, axis=2).reshape(len(v), -1) for pair in ((up, down), (down, up))]
    watch = cells.watch.backwards
    refused = watch.settle(np.ascontiguousarray(cells.connected().T), np.concatenate(phases), 2)
    if cells.watch.forwards.fixed:
        watch.fix()
    if not refused:
        return Events(), 0
    events = (transposed_events(cells, v, division) for division in refused)
    return sum(events, Events()), len(v) * sum(division.drives for division in refused)


def grouped(cells: Cells, variance: np.ndarray) -> tuple[np.ndarray | None, np.ndarray, np.ndarray, np.ndarray]:
    """Return the matrix of a read, group of rows by group.

    These are the order of the rows (None: as they are), the borders of the groups in this order, and the panels of differences
    and of their `variance` in this order.
    """
    cuts = np.array([0, *(stop for _, stop in cells.tiling.row_cuts)], np.int64)
    if cells.watch is None or len(cells.watch.forwards.woven.tiles) == cells.tiling.row_tiles:
        return None, cuts, cells.panels, variance
    woven = cells.watch.forwards.woven
    return woven.order, woven.borders, *cells.watch.ordered(cells.panels, variance)


def partial_currents(cells: Cells, v: np.ndarray) -> tuple[np.ndarray, Events]:
    """Return the noiseless currents of each row tile, (T, B, columns) [A], for voltages (B, rows) float32 [V].

    Signed voltages take two phases, one for each sign; a read of one sign takes one.
    """
    cells.look_again()
    batch = v.shape[0]
    if batch:
        cells.watch_wires(v[0])
    groups = cells.row_groups
    partial = np.empty((len(groups), batch, cells.tiling.columns), np.float32)
    difference = cells.differences
    for t, rows in enumerate(groups):
        matmul(v[:, rows], difference[rows], partial[t])
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
        sums = [squares[:, rows].sum(axis=1, dtype=np.float64)[:, None] for rows in cells.row_groups]
    else:
        whole = np.concatenate(list(pairs), axis=1)[:, : cells.tiling.columns]
        sums = [matmul(squares[:, rows], whole[rows]) for rows in cells.row_groups]
    return np.asarray(common * np.stack(sums))


def johnson_variance(cells: Cells, phases: int) -> np.ndarray | None:
    """Return the variance of a read by the Johnson noise of both lines of each pair, (T, 1, columns) float64 [A²], or None.

    Every group of rows is read for a time of its own, in which all cells of its tile conduct to the bit line: the word lines of
    other groups are held at 0 V. The noise of a tile in n groups is therefore that of n reads.
    """
    if not cells.noise.thermal:
        return None
    sums = cells.bit_line_sums()[cells.tiles_of_groups]
    return cells.noise.johnson_variance(phases * cells.tiling.over_weights(sums)[:, None], cells.device.t_read)


def _shot(cells: Cells, v: np.ndarray) -> np.ndarray | None:
    """Return the variance of the currents by their shot noise, (T, B, columns) [A²]; only driven cells have a current."""
    if cells.noise.fano == 0.0:
        return None
    g = cells.seen()
    both, size = cells.tiling.over_weights(g), np.abs(v)
    sums = np.stack([matmul(size[:, rows], both[rows]) for rows in cells.row_groups])
    return cells.noise.shot_variance(sums.astype(np.float64), cells.device.t_read)


def read_events(cells: Cells, squares: np.ndarray, batch: int, phases: int, division: Division | None = None) -> Events:
    """Return the events of a read of `batch` samples; squares (rows,) float64: sum of v² over them [V²].

    The division is the present one unless another is given.
    """
    cut, division = cells.tiling, division or cells.division
    counts = {
        "reads.cells": phases * batch * cut.rows * cut.bit_lines,
        "reads.columns": phases * batch * division.samples * cut.bit_lines,
        "integrator": phases * batch * division.samples * cut.columns,
    }
    v2g = float(squares @ cells.drawn)
    return Events(counts, {"read.v2g": v2g, "time": phases * batch * division.steps * cells.device.t_read})


def transposed_currents(cells: Cells, v: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, Events]:
    """Return currents (B, rows) [A] for voltages (B, columns) float32 [V] on the bit lines, their deviation, and the events.

    The deviation is that of the white noise [A], float64, None without noise.
    """
    current = matmul(v, np.ascontiguousarray(cells.differences.T))
    g = cells.seen()
    deviation = _transposed_deviation(cells, g, v, np.square(v.astype(np.float64)))
    return current, deviation, transposed_events(cells, v, cells.transposed_division)


def transposed_events(cells: Cells, v: np.ndarray, division: Division) -> Events:
    """Return the events of a transposed read of voltages (B, columns) [V] in a division."""
    rows, batch = cells.tiling.rows, v.shape[0]
    g = cells.seen()
    column_sums = cells.tiling.over_weights(g).sum(axis=0, dtype=np.float64)
    # A signed pair drive is always two phases: G- sees the opposite sign of G+.
    counts = {
        "reads.transposed_cells": 2 * rows * cells.tiling.bit_lines * batch,
        "reads.transposed_columns": 2 * rows * division.samples * batch,
        "integrator": rows * division.samples * batch,
    }
    v2g = float((v.astype(np.float64) ** 2).sum(axis=0) @ column_sums)
    return Events(counts, {"read.v2g": v2g, "time": 2 * batch * division.steps * cells.device.t_read})


def _transposed_deviation(cells: Cells, g: np.ndarray, v: np.ndarray, squares: np.ndarray) -> np.ndarray | None:
    """Return the standard deviation of the white noise of a transposed read, (B, rows) [A], None without noise.

    A word line carries both cells of each of its pairs, in two phases; all its cells in a tile conduct in the read of each group
    of bit lines of this tile.
    """
    found: list[np.ndarray] = []
    variance = cells.read_variance()
    if np.ndim(variance) or variance:
        pairs = np.broadcast_to(variance, g.shape)
        found.append(squares @ cells.tiling.over_weights(pairs).astype(np.float64).T)
    if cells.noise.thermal:
        found.append(cells.noise.johnson_variance(2.0 * cells.word_line_sums(), cells.device.t_read)[None])
    if cells.noise.fano:
        both = np.ascontiguousarray(cells.tiling.over_weights(g).T)
        found.append(cells.noise.shot_variance(matmul(np.abs(v), both).astype(np.float64), cells.device.t_read))
    return np.sqrt(sum(found[1:], found[0])) if found else None
