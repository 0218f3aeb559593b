"""Loops over cells for devices whose steps have no closed form: exponential or power of g, by nodes, or from a table.

They apply pulse by pulse. The form of the kernels and the fields of the cells are those of `kernels/steps.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.bursts import draws, loaded, most_pulses, row_of, store
from hardware_models.kernels.compile import inlined, kernel, parallel_kernel
from hardware_models.kernels.exponential import exponential
from hardware_models.kernels.random import draw, uniform, word_of_pulse
from hardware_models.kernels.steps import HIGH, LOW, STEP_DOWN, STEP_UP, G, chosen_by_sign

AMPLITUDE_UP, AMPLITUDE_DOWN, GAMMA_UP, GAMMA_DOWN = 5, 6, 7, 8
"""Further fields of the exponential-activity device [1]."""
EXPONENT_UP, EXPONENT_DOWN = 5, 6
"""Further fields of the power-step device: gamma [1]."""
TILT_UP, TILT_DOWN = 5, 6
"""Further fields of the piecewise device: tilt of its curves [1]."""
FACTOR_UP, FACTOR_DOWN = 3, 4
"""Further fields of the measured device, in place of the nominal steps: steps in units of the table's [1]."""


class ActivityLaw(NamedTuple):
    """Figures of the exponential-activity device, float32; see `devices/exponential_activity.py` for the equation."""

    scale: float  # 2 a, of z [1]
    offset: float  # b, z at the center [1]
    center: float  # where the step is the nominal one [S]
    noise: float  # sigma in units of the step [1]
    noise_added: float  # sigma whatever the step [S]
    noise_slope: float  # sigma per |g - center| [1]


class StepTable(NamedTuple):
    """Inverse distribution function of the step of a measured device, float32."""

    levels: np.ndarray  # conductances before the pulse, rising [S]
    probabilities: np.ndarray  # rising from 0 to 1 [1]
    change: np.ndarray  # change of g by a pulse up and down, (2, levels, probabilities) [S]


@kernel
def activity_moves(c, step, amplitude, steepness, law, move):
    """Write the mean step of the exponential-activity device [S] of each cell: step (1 - A exp(steepness z)), not reversed."""
    g, low, high = c[G], c[LOW], c[HIGH]
    zero, one = np.float32(0.0), np.float32(1.0)
    z = np.empty(move.size, np.float32)
    for b in range(move.size):
        z[b] = law.scale * (g[b] - law.center) / (high[b] - low[b]) + law.offset
    for b in range(move.size):
        move[b] = max(zero, one - amplitude[b] * exponential(steepness[b] * z[b])) * step[b]


@kernel
def activity_pulse(c, move, k, counts, law, xi):
    """Add one pulse, its mean step and its noise, to the cells that get more than k, within their bounds."""
    g, low, high, number = c[G], c[LOW], c[HIGH], np.int32(k)
    for b in range(move.size):
        sigma = law.noise * abs(move[b]) + law.noise_added + law.noise_slope * abs(g[b] - law.center)
        end = g[b] + move[b]
        end += sigma * xi[b]
        end = min(max(end, low[b]), high[b])
        g[b] = end if number < abs(counts[b]) else g[b]


@parallel_kernel
def exponential_activity_steps(cells, burst, law, key):
    """Move cells by n steps proportional to the activity 1 - A exp(+-gamma z); the nominal steps are those at activity one."""
    pulses, first, rows, lines, whole, listed = burst
    w0, w1, middles = key
    zero, one = np.float32(0.0), np.float32(1.0)
    noisy = (law.noise > zero) | (law.noise_added > zero) | (law.noise_slope > zero)
    for a in prange(rows.size):
        i = rows[a]
        counts, columns = row_of(pulses, first, lines, listed, a)
        c = loaded(cells, i, columns, whole)
        own = np.empty((4, counts.size), np.float32)
        chosen_by_sign(counts, c[STEP_UP], c[STEP_DOWN], -one, own[0])
        chosen_by_sign(counts, c[AMPLITUDE_UP], c[AMPLITUDE_DOWN], one, own[1])
        chosen_by_sign(counts, c[GAMMA_UP], c[GAMMA_DOWN], -one, own[2])
        for k in range(most_pulses(counts)):
            xi = draws(i * cells[0].shape[1], columns, whole, word_of_pulse(w0, k), w1, middles, noisy)
            activity_moves(c, own[0], own[1], own[2], law, own[3])
            activity_pulse(c, own[3], k, counts, law, xi)
        store(cells[0], i, columns, whole, c[G])


@inlined
def power_step(left, width, exponent, step):
    """Return the mean step (2 omega)^gamma times the nominal one [S]; omega is the share of the range still ahead."""
    omega = max(np.float32(0.0), left / width)
    return (np.float32(2.0) * omega) ** exponent * step


@parallel_kernel
def power_steps(cells, burst, noise, key):
    """Move cells by n steps that are a power of the range still ahead; each step is multiplied by 1 + noise xi."""
    pulses, first, rows, lines, whole, listed = burst
    w0, w1, middles = key
    for a in prange(rows.size):
        i = rows[a]
        counts, columns = row_of(pulses, first, lines, listed, a)
        base = i * cells[0].shape[1]
        c = loaded(cells, i, columns, whole)
        for k in range(most_pulses(counts)):
            word = word_of_pulse(w0, k)
            for b in range(columns.size):
                n = counts[b]
                if k < abs(n):
                    up = n > 0
                    left = c[HIGH, b] - c[G, b] if up else c[G, b] - c[LOW, b]
                    exponent = c[EXPONENT_UP, b] if up else c[EXPONENT_DOWN, b]
                    move = power_step(left, c[HIGH, b] - c[LOW, b], exponent, c[STEP_UP, b] if up else -c[STEP_DOWN, b])
                    if noise > np.float32(0.0):
                        move *= np.float32(1.0) + noise * draw(base + columns[b], word, w1, middles)
                    c[G, b] = min(max(np.float32(c[G, b] + move), c[LOW, b]), c[HIGH, b])
        store(cells[0], i, columns, whole, c[G])


@inlined
def node_step(u, nodes, side, tilt, step):
    """Return the mean step at u = (g - low)/(high - low) [S]: step node(u) exp(tilt (u - 1/2))."""
    one, half = np.float32(1.0), np.float32(0.5)
    last = nodes.shape[1] - 1
    place = u * np.float32(last)
    left = min(np.int64(place), last - 1)
    share = place - np.float32(left)
    height = nodes[side, left] * (one - share) + nodes[side, left + 1] * share
    return height * exponential(tilt * (u - half)) * step


@parallel_kernel
def node_steps(cells, burst, nodes, noise, key):
    """Move cells by n steps interpolated between nodes (2, N) [1], equally spaced over the cell's range, times 1 + noise xi."""
    pulses, first, rows, lines, whole, listed = burst
    w0, w1, middles = key
    zero, one = np.float32(0.0), np.float32(1.0)
    for a in prange(rows.size):
        i = rows[a]
        counts, columns = row_of(pulses, first, lines, listed, a)
        base = i * cells[0].shape[1]
        c = loaded(cells, i, columns, whole)
        for k in range(most_pulses(counts)):
            word = word_of_pulse(w0, k)
            for b in range(columns.size):
                n = counts[b]
                side = 0 if n > 0 else 1
                u = min(max((c[G, b] - c[LOW, b]) / (c[HIGH, b] - c[LOW, b]), zero), one)
                move = node_step(u, nodes, side, c[TILT_UP + side, b], c[STEP_UP, b] if n > 0 else -c[STEP_DOWN, b])
                if noise > zero:
                    move *= one + noise * draw(base + columns[b], word, w1, middles)
                g = np.float32(c[G, b] + move)
                c[G, b] = min(max(g, c[LOW, b]), c[HIGH, b]) if k < abs(n) else c[G, b]
        store(cells[0], i, columns, whole, c[G])


@inlined
def interval(grid, x):
    """Return (i, share) so that x = grid[i] + share (grid[i + 1] - grid[i]); x beyond the grid counts as the nearest end."""
    below, above = 0, grid.size - 1
    while above - below > 1:
        middle = (below + above) // 2
        if grid[middle] <= x:
            below = middle
        else:
            above = middle
    share = (x - grid[below]) / (grid[below + 1] - grid[below])
    return below, np.float32(min(max(share, np.float32(0.0)), np.float32(1.0)))


@inlined
def table_step(i0, s, j0, t, change, side):
    """Return the step interpolated between four entries of a table [S]; s and t are the shares beyond entry (i0, j0)."""
    here = change[side, i0, j0] + t * (change[side, i0, j0 + 1] - change[side, i0, j0])
    there = change[side, i0 + 1, j0] + t * (change[side, i0 + 1, j0 + 1] - change[side, i0 + 1, j0])
    return here + s * (there - here)


@parallel_kernel
def table_steps(cells, burst, table, words):
    """Move cells by n steps drawn from a measured distribution: a uniform number selects the quantile at the present level."""
    pulses, first, rows, lines, whole, listed = burst
    levels, probabilities, change = table
    w0, w1 = words
    for a in prange(rows.size):
        i = rows[a]
        counts, columns = row_of(pulses, first, lines, listed, a)
        base = i * cells[0].shape[1]
        c = loaded(cells, i, columns, whole)
        for k in range(most_pulses(counts)):
            word = word_of_pulse(w0, k)
            for b in range(columns.size):
                n = counts[b]
                if k < abs(n):
                    side = 0 if n > 0 else 1
                    i0, s = interval(levels, c[G, b])
                    j0, t = interval(probabilities, uniform(base + columns[b], word, w1))
                    move = table_step(i0, s, j0, t, change, side) * c[FACTOR_UP + side, b]
                    c[G, b] = min(max(np.float32(c[G, b] + move), c[LOW, b]), c[HIGH, b])
        store(cells[0], i, columns, whole, c[G])
