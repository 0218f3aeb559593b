r"""Currents in the lines of an array that is read: sums of conductance by groups of lines, and the largest currents.

A collecting line j of a group of driven lines i carries the sum of v_i g_ij. With the mean mu_i of the conductances of line i
over the collecting lines of a tile, the inequality of Cauchy and Schwarz bounds all of these at once:

.. math:: I_j \le \sum_i v_i \mu_i + \sqrt{\sum_i v_i^2}\; \max_j \sqrt{\sum_i (g_{ij} - \mu_i)^2}
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.compile import kernel, parallel_kernel, serial_kernel


@kernel
def sums_in_groups(g, top, bottom, groups, loads):
    """Write the sums of the rows from `top` to before `bottom` of g in each group of columns, float64, to loads.

    Four rows are summed side by side, because each addition waits for the one before it; the order within a row stays.
    """
    whole = top + (bottom - top) // 4 * 4
    for i in range(top, whole, 4):
        for c in range(groups.size - 1):
            one, two, three, four = 0.0, 0.0, 0.0, 0.0
            for j in range(groups[c], groups[c + 1]):
                one += np.float64(g[i, j])
                two += np.float64(g[i + 1, j])
                three += np.float64(g[i + 2, j])
                four += np.float64(g[i + 3, j])
            loads[i, c], loads[i + 1, c], loads[i + 2, c], loads[i + 3, c] = one, two, three, four
    for i in range(whole, bottom):
        for c in range(groups.size - 1):
            total = 0.0
            for j in range(groups[c], groups[c + 1]):
                total += np.float64(g[i, j])
            loads[i, c] = total


@parallel_kernel
def group_sums(g, driven, groups, tiles, loads, mean, spread):
    r"""Write sums, means and deviations of g (n, m) [S] over collecting lines, from which currents and their bounds follow.

    driven : borders of the groups of driven lines; groups, tiles : borders of the groups and of the tiles of collecting lines.
    loads (n, C) float64: sum of each driven line in each group. mean (n, U) float32: its mean in each tile.
    spread (D, U) float32: largest :math:`\sqrt{\sum_i (g_{ij} - \mu_i)^2}` of a line j of a tile, i being the lines of a group.
    """
    for d in prange(driven.size - 1):
        squares = np.zeros(g.shape[1], np.float32)
        sums_in_groups(g, driven[d], driven[d + 1], groups, loads)
        for i in range(driven[d], driven[d + 1]):
            c = 0
            for t in range(tiles.size - 1):
                total = 0.0
                while c < groups.size - 1 and groups[c] < tiles[t + 1]:
                    total += loads[i, c]
                    c += 1
                middle = np.float32(total / (tiles[t + 1] - tiles[t]))
                mean[i, t] = middle
                for j in range(tiles[t], tiles[t + 1]):
                    away = g[i, j] - middle
                    squares[j] += away * away
        for t in range(tiles.size - 1):
            most = np.float32(0.0)
            for j in range(tiles[t], tiles[t + 1]):
                most = max(most, squares[j])
            spread[d, t] = np.sqrt(most)


@kernel
def fullest_part(g, start, stop, number):
    """Return the largest sum of g over `number` nearly equal parts of the lines from `start` to before `stop` [S]."""
    most = 0.0
    for k in range(number):
        total = 0.0
        for j in range(start + (stop - start) * k // number, start + (stop - start) * (k + 1) // number):
            total += np.float64(g[j])
        most = max(most, total)
    return most


@serial_kernel
def strand_loads(g, groups, number, whole, loads):
    """Write the load of the fullest strand of each driven line in each group of collecting lines, loads (n, C) float64 [S].

    Line i of g (n, m) consists of `number` [i] physical lines, each with its part of the cells; whole (n, C): sums of all cells.
    """
    for i in range(number.size):
        for c in range(groups.size - 1):
            loads[i, c] = whole[i, c]
            if number[i] > 1:
                loads[i, c] = fullest_part(g[i], groups[c], groups[c + 1], number[i])


class Sets(NamedTuple):
    """Sets of groups of driven lines that are on at once; set s has the groups groups[first[s]] to groups[first[s + 1]]."""

    groups: np.ndarray  # int64
    first: np.ndarray  # (sets + 1,) int64
    row: np.ndarray  # row of the peaks that each set belongs to, (sets,) int64


class Loads(NamedTuple):
    """Conductances of driven lines, and what bounds the currents that they send into collecting lines."""

    g: np.ndarray  # (n, m) float32 [S]
    borders: np.ndarray  # group d has the lines borders[d] to borders[d + 1], int64
    mean: np.ndarray  # from `group_sums`, (n, U) float32 [S]
    spread: np.ndarray  # (D, U) float32 [S]
    width: int  # collecting lines of a tile


class Search(NamedTuple):
    """Conditions of a search for the largest currents."""

    limit: float  # current that a line bears [A]
    fixed: (
        bool  # whether groups are fixed: then currents below the limit count only where they may be the largest so far
    )
    slack: float  # factor on a bound that is computed in float32, so that it is one for the exact current


@kernel
def lengths_of(part, found):
    """Write the length of each row of a matrix."""
    for b in range(part.shape[0]):
        even, odd, last = (
            np.float32(0.0),
            np.float32(0.0),
            part.shape[1] - 1,
        )  # two sums, because one would be waited for
        for i in range(0, last, 2):
            even += part[b, i] * part[b, i]
            odd += part[b, i + 1] * part[b, i + 1]
        if last % 2 == 0:
            even += part[b, last] * part[b, last]
        found[b] = np.sqrt(even + odd)


@kernel
def bounds_of(v, loads, groups, slack):
    """Return the bound of the currents of each sample in each tile, (B, U) float32 [A], while some groups are on."""
    _, borders, mean, spread, _ = loads
    samples, tiles = v.shape[0], mean.shape[1]
    bound, term = np.zeros((samples, tiles), np.float32), np.empty((samples, tiles), np.float32)
    length = np.empty(samples, np.float32)
    for d in groups:
        part = np.ascontiguousarray(v[:, borders[d] : borders[d + 1]])
        np.dot(part, mean[borders[d] : borders[d + 1]], term)
        lengths_of(part, length)
        for b in range(samples):
            for u in range(tiles):
                bound[b, u] += term[b, u] + length[b] * spread[d, u]
    for b in range(samples):
        for u in range(tiles):
            bound[b, u] *= np.float32(slack)
    return bound


@kernel
def largest_current(v, loads, groups, tile):
    """Return the largest current of a tile's collecting lines [A] for one sample v (n,), while some groups are on."""
    g = loads.g
    left, right = tile * loads.width, min((tile + 1) * loads.width, g.shape[1])
    currents = np.zeros(right - left, np.float32)
    for d in groups:
        for i in range(loads.borders[d], loads.borders[d + 1]):
            if v[i] != np.float32(0.0):
                for j in range(left, right):
                    currents[j - left] += v[i] * g[i, j]
    return currents.max()


@kernel
def look_at_set(v, loads, groups, search, known):
    """Enter the largest currents of one set of groups into known (U,) [A], and return the largest of those computed.

    The most promising sample comes first: it spares most of the others.
    """
    bound, largest = bounds_of(v, loads, groups, search.slack), 0.0
    for t in range(known.size):
        most = bound[:, t].max()
        if most > known[t]:
            for promising in range(2):
                least = known[t] if promising == 0 or not search.fixed else max(known[t], search.limit)
                for b in range(v.shape[0]):
                    if bound[b, t] > least and (bound[b, t] == most or promising == 1):
                        current = np.float64(largest_current(v[b], loads, groups, t))
                        known[t], largest = max(known[t], current), max(largest, current)
    return largest


@parallel_kernel
def collecting_currents(v, loads, sets, search, peaks, largest):
    """Enter the largest currents of collecting lines for voltages v (B, n) into peaks (rows, U) [A].

    largest (rows,) [A] <- the largest current computed for the sets of each row. A sample whose bound is above the limit is
    computed. Of the others only the most promising one is, to know what flows, and only if its bound is above what has been seen
    on the tile; until groups are fixed all such samples are.
    """
    groups, first, row = sets
    for r in prange(peaks.shape[0]):
        for s in range(row.size):
            if row[s] == r:
                found = look_at_set(v, loads, groups[first[s] : first[s + 1]], search, peaks[r])
                largest[r] = max(largest[r], found)
