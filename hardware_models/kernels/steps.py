"""Loops over cells for devices that move in constant steps, or in steps that are linear in the conductance.

All kernels of steps share one form. `cells` is a tuple of (rows, columns) float32 arrays: first the conductance [S], then the
bounds low and high [S], then the device's own figures. `loaded` copies them row by row; the names in capitals below say which
field is which. Draws are indexed by a cell's position in the full array and, in loops over pulses, by the number of the pulse:
a window draws the same noise as the full array.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.bursts import draws, loaded, most_pulses, row_of, stays_clear, store
from hardware_models.kernels.compile import inlined, kernel, parallel_kernel
from hardware_models.kernels.exponential import saturation
from hardware_models.kernels.random import draw, word_of_pulse

G, LOW, HIGH, STEP_UP, STEP_DOWN = 0, 1, 2, 3, 4
"""Fields of the cells of most step devices: conductance, bounds and nominal steps [S]."""
RATE_UP, RATE_DOWN, CENTER = 5, 6, 7
"""Further fields of a linear step: -ln(1 - kappa) of a pulse [1], and where the steps are the nominal ones [S]."""


class StepNoise(NamedTuple):
    """Noise of linear steps, float32."""

    up: np.float32  # sigma of one up pulse in units of the nominal step [1]
    down: np.float32  # of one down pulse [1]


@inlined
def constant_path(g, count, step, noise):
    """Return the mean and the standard deviation [S] of the conductance after `count` steps, without bounds."""
    return g + count * step, noise * abs(step) * math.sqrt(count)


@kernel
def chosen_by_sign(counts, up, down, down_sign, found):
    """Write `up` where cells get pulses up, `down_sign` times `down` where they get pulses down, 0 elsewhere."""
    for b in range(found.size):  # a sum with terms that are zero: a choice would be one between addresses
        ups, downs = np.float32(counts[b] > 0), np.float32(counts[b] < 0)
        found[b] = ups * up[b] + downs * (down_sign * down[b])


@kernel
def move_once(way, sigma, xi, low, high, counts, g):
    """Add the way of a single pulse and sigma times its normal number to each pulsed cell, within its bounds."""
    for b in range(g.size):
        end = min(max(g[b] + way[b] + sigma[b] * xi[b], low[b]), high[b])
        g[b] = g[b] if counts[b] == 0 else end


@kernel
def constant_singles(cells, counts, noise, xi):
    """Move the cells of a row, of which none gets more than one pulse; cells = (g, low, high, step up, step down), vectors."""
    g, low, high, up, down = cells
    step, sigma = np.empty(counts.size, np.float32), np.empty(counts.size, np.float32)
    chosen_by_sign(counts, up, down, np.float32(-1.0), step)
    for b in range(step.size):
        sigma[b] = noise * abs(step[b])
    move_once(step, sigma, xi, low, high, counts, g)


@kernel
def linear_singles(cells, counts, noise, xi):
    """Do as `constant_singles` for the first step of `linear_path`; rate up, rate down and center follow in cells."""
    g, low, high, up, down, rate_up, rate_down, center = cells
    one, step, kappa = np.float32(1.0), np.empty(counts.size, np.float32), np.empty(counts.size, np.float32)
    chosen_by_sign(counts, up, down, -one, step)
    chosen_by_sign(counts, rate_up, rate_down, one, kappa)
    sigma = np.empty(counts.size, np.float32)
    for b in range(step.size):
        sigma[b] = (noise.up if counts[b] > 0 else noise.down) * abs(step[b])
    for b in range(step.size):
        kappa[b] = saturation(kappa[b])
    for b in range(step.size):
        step[b] -= kappa[b] * (g[b] - center[b])
    move_once(step, sigma, xi, low, high, counts, g)


@kernel
def constant_bursts(c, counts, base, columns, noise, xi, key):
    """Write the conductances of a loaded row after its pulses, in closed form or, near a bound, one by one, to c[G]."""
    near, out = np.zeros(columns.size, np.bool_), np.empty(columns.size, np.float32)
    for b in range(columns.size):
        n = counts[b]
        end, sigma = constant_path(c[G, b], np.float32(abs(n)), c[STEP_UP, b] if n > 0 else -c[STEP_DOWN, b], noise)
        near[b] = (abs(n) > 1) & (sigma > 0) & (not stays_clear(c[G, b], end, sigma, c[LOW, b], c[HIGH, b]))
        end = min(max(end + sigma * xi[b], c[LOW, b]), c[HIGH, b])
        out[b] = c[G, b] if n == 0 else end
    for b in range(columns.size):
        if near[b]:
            step = c[STEP_UP, b] if counts[b] > 0 else -c[STEP_DOWN, b]
            g = c[G, b]
            for k in range(abs(counts[b])):
                kick = draw(base + columns[b], word_of_pulse(key.w0, k), key.w1, key.middles)
                g = np.float32(min(max(g + step * (np.float32(1.0) + noise * kick), c[LOW, b]), c[HIGH, b]))
            out[b] = g
    for b in range(columns.size):
        c[G, b] = out[b]


@parallel_kernel
def constant_steps(cells, burst, noise, key):
    """Move cells by n equal steps; noise = sigma of one step / step.

    n noisy steps are one Gaussian number of n times the variance; near a bound they are applied one by one.
    """
    pulses, first, rows, lines, whole, listed = burst
    w0, w1, middles = key
    g, low, high, up, down = cells
    for a in prange(rows.size):
        i, base = rows[a], rows[a] * g.shape[1]
        counts, columns = row_of(pulses, first, lines, listed, a)
        xi = draws(base, columns, whole, w0, w1, middles, noise > 0)
        single = most_pulses(counts) <= 1
        if single and whole:
            constant_singles((g[i], low[i], high[i], up[i], down[i]), counts, noise, xi)
            continue
        c = loaded(cells, i, columns, whole)
        if single:
            constant_singles((c[G], c[LOW], c[HIGH], c[STEP_UP], c[STEP_DOWN]), counts, noise, xi)
        else:
            constant_bursts(c, counts, base, columns, noise, xi, key)
        store(g, i, columns, whole, c[G])


@inlined
def linear_path(from_center, count, step, rate):
    """Return the mean way of n steps that are linear in g [S], and how many times the variance of one their noise has.

    A step is step -+ kappa (g - center) with kappa = 1 - exp(-rate). With q = exp(-rate), the way is (1 - q^n)/(1 - q) times the
    first step and the variance grows by (1 - q^2n)/(1 - q^2).
    """
    two = np.float32(2.0)
    kappa = saturation(rate)
    gone = saturation(count * rate)
    flat = rate < np.float32(1e-12)
    times = count if flat else gone / kappa
    variance = count if flat else times * (two - gone) / (two - kappa)
    return times * (step - kappa * from_center), variance


@inlined
def linear_one_by_one(c, b, n, noise, position, w0, w1, middles):
    """Return the conductance of cell b of a loaded row after n noisy linear steps, clipped to its bounds after each."""
    step = c[STEP_UP, b] if n > 0 else -c[STEP_DOWN, b]
    kappa = saturation(c[RATE_UP, b] if n > 0 else c[RATE_DOWN, b])
    sigma = (noise.up if n > 0 else noise.down) * abs(step)
    g = c[G, b]
    for k in range(abs(n)):
        kick = draw(position, word_of_pulse(w0, k), w1, middles)
        g = g + step - kappa * (g - c[CENTER, b]) + sigma * kick
        g = np.float32(min(max(g, c[LOW, b]), c[HIGH, b]))
    return g


@kernel
def linear_bursts(c, counts, base, columns, noise, xi, key):
    """Write the conductances of a loaded row after its pulses, by `linear_path` or, near a bound, one by one, to c[G]."""
    near, out = np.zeros(columns.size, np.bool_), np.empty(columns.size, np.float32)
    for b in range(columns.size):
        n = counts[b]
        step = c[STEP_UP, b] if n > 0 else -c[STEP_DOWN, b]
        rate = c[RATE_UP, b] if n > 0 else c[RATE_DOWN, b]
        way, variance = linear_path(c[G, b] - c[CENTER, b], np.float32(abs(n)), step, rate)
        end = c[G, b] + way
        sigma = (noise.up if n > 0 else noise.down) * abs(step) * math.sqrt(variance)
        near[b] = (abs(n) > 1) & (sigma > 0) & (not stays_clear(c[G, b], end, sigma, c[LOW, b], c[HIGH, b]))
        end = min(max(end + sigma * xi[b], c[LOW, b]), c[HIGH, b])
        out[b] = c[G, b] if n == 0 else end
    for b in range(columns.size):
        if near[b]:
            out[b] = linear_one_by_one(c, b, counts[b], noise, base + columns[b], key.w0, key.w1, key.middles)
    for b in range(columns.size):
        c[G, b] = out[b]


@parallel_kernel
def linear_steps(cells, burst, noise, key):
    """Move cells by n steps that are linear in g, with additive noise.

    Far from the bounds there is a closed form (`linear_path`); near a bound, noisy steps are applied one by one.
    """
    pulses, first, rows, lines, whole, listed = burst
    w0, w1, middles = key
    g, low, high, up, down, rate_up, rate_down, center = cells
    for a in prange(rows.size):
        i, base = rows[a], rows[a] * g.shape[1]
        counts, columns = row_of(pulses, first, lines, listed, a)
        xi = draws(base, columns, whole, w0, w1, middles, (noise.up > 0) | (noise.down > 0))
        single = most_pulses(counts) <= 1
        if single and whole:
            own = (g[i], low[i], high[i], up[i], down[i], rate_up[i], rate_down[i], center[i])
            linear_singles(own, counts, noise, xi)
            continue
        c = loaded(cells, i, columns, whole)
        if single:
            linear_singles((c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]), counts, noise, xi)
        else:
            linear_bursts(c, counts, base, columns, noise, xi, key)
        store(g, i, columns, whole, c[G])


@parallel_kernel
def linear_steps_multiplied(cells, burst, noise, key):
    """Move cells by n steps linear in g, each multiplied by 1 + noise xi, pulse by pulse."""
    pulses, first, rows, lines, whole, listed = burst
    w0, w1, middles = key
    for a in prange(rows.size):
        i = rows[a]
        counts, columns = row_of(pulses, first, lines, listed, a)
        base = i * cells[0].shape[1]
        c = loaded(cells, i, columns, whole)
        kappa = np.empty((2, columns.size), np.float32)
        for b in range(columns.size):
            kappa[0, b] = saturation(c[RATE_UP, b])
            kappa[1, b] = saturation(c[RATE_DOWN, b])
        for k in range(most_pulses(counts)):
            xi = draws(base, columns, whole, word_of_pulse(w0, k), w1, middles, True)
            for b in range(columns.size):
                n = counts[b]
                up = n > 0
                step = c[STEP_UP, b] if up else -c[STEP_DOWN, b]
                move = step - (kappa[0, b] if up else kappa[1, b]) * (c[G, b] - c[CENTER, b])
                g = c[G, b] + move * (np.float32(1.0) + (noise.up if up else noise.down) * xi[b])
                c[G, b] = min(max(g, c[LOW, b]), c[HIGH, b]) if k < abs(n) else c[G, b]
        store(cells[0], i, columns, whole, c[G])


@kernel
def seen_anew(g, hidden, counts, sigma, xi):
    """Replace g by max(0, hidden + sigma xi) where cells are pulsed."""
    for b in range(g.size):
        seen = max(hidden[b] + sigma * xi[b], np.float32(0.0))
        g[b] = seen if counts[b] != 0 else g[b]


@parallel_kernel
def appear(g, hidden, burst, sigma, key):
    """Draw the visible conductance of each pulsed cell again: max(0, hidden + sigma xi) [S]."""
    pulses, first, rows, lines, whole, listed = burst
    w0, w1, middles = key
    for a in prange(rows.size):
        i = rows[a]
        counts, columns = row_of(pulses, first, lines, listed, a)
        xi = draws(i * g.shape[1], columns, whole, w0, w1, middles, True)
        if whole:
            seen_anew(g[i], hidden[i], counts, sigma, xi)
        else:
            c = loaded((g, hidden), i, columns, whole)
            seen_anew(c[0], c[1], counts, sigma, xi)
            store(g, i, columns, whole, c[0])
