"""Loops over cells for devices that move in steps: constant, linear, exponential, power, by nodes, or from a table.

All kernels share one form. `cells` is a tuple of (rows, columns) float32 arrays: first the conductance [S], then the
bounds low and high [S], then the device's own figures. `pulses` int32 holds the signed pulses at the crossings of the index
vectors `rows` and `columns`; `whole` tells that these are all cells in order. Draws are indexed by a cell's position in the
full array and, in loops over pulses, by the number of the pulse: a window draws the same noise as the full array.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from hardware_models.kernels.compile import inlined, parallel_kernel
from hardware_models.kernels.pulses import saturation
from hardware_models.kernels.random import draw, fill_coarse_normal, uniform, word_of_pulse

LOW, HIGH = 1, 2
MARGIN = np.float32(5.0)
"""Distance from both bounds, in standard deviations, at which a noisy burst may use the closed form."""


@inlined
def loaded(cells, i, columns, whole):
    """Return the cells of one row at `columns`, (fields, columns) float32."""
    out = np.empty((len(cells), columns.size), np.float32)
    for k in range(len(cells)):
        array = cells[k]
        # Loops instead of slices: Numba compiles the assignment of a slice, with its error message, again for each kernel.
        if whole:
            for b in range(columns.size):
                out[k, b] = array[i, b]
        else:
            for b in range(columns.size):
                out[k, b] = array[i, columns[b]]
    return out


@inlined
def most_pulses(n):
    """Return the largest number of pulses of either sign in a row."""
    most = np.int32(0)
    for b in range(n.size):
        most = max(most, abs(n[b]))
    return most


@inlined
def draws(base, columns, whole, w0, w1, middles, noisy):
    """Return the Gaussian numbers of one row's positions; zeros if `noisy` is False."""
    xi = np.zeros(columns.size, np.float32)
    if noisy and whole:
        fill_coarse_normal(xi, base, w0, w1, middles)
    elif noisy:
        for b in range(columns.size):
            xi[b] = draw(base + columns[b], w0, w1, middles)
    return xi


@inlined
def store(array, i, columns, whole, row):
    """Write one row of values back to its columns in the array."""
    if whole:
        for b in range(columns.size):
            array[i, b] = row[b]
    else:
        for b in range(columns.size):
            array[i, columns[b]] = row[b]


@inlined
def stays_clear(start, end, sigma, low, high):
    """Tell whether a monotone path from `start` to `end`, with noise sigma at its end, stays far from both bounds."""
    reach = MARGIN * sigma
    return (min(start, end) - reach >= low) & (max(start, end) + reach <= high)


@parallel_kernel
def constant_steps(cells, pulses, rows, columns, whole, noise, words, middles):
    """Move cells by n equal steps; cells = (g, low, high, step_up, step_down); noise = sigma of one step / step.

    n noisy steps are one Gaussian number of n times the variance; near a bound they are applied one by one.
    """
    w0, w1 = words
    for a in prange(rows.size):
        i = rows[a]
        base = i * cells[0].shape[1]
        c = loaded(cells, i, columns, whole)
        near = np.zeros(columns.size, np.bool_)
        out = np.empty(columns.size, np.float32)
        xi = draws(base, columns, whole, w0, w1, middles, noise > 0)
        for b in range(columns.size):
            n = pulses[a, b]
            step = c[3, b] if n > 0 else -c[4, b]
            count = np.float32(abs(n))
            end = c[0, b] + count * step
            sigma = noise * abs(step) * math.sqrt(count)
            near[b] = (abs(n) > 1) & (sigma > 0) & (not stays_clear(c[0, b], end, sigma, c[LOW, b], c[HIGH, b]))
            end += sigma * xi[b]
            end = min(max(end, c[LOW, b]), c[HIGH, b])
            out[b] = c[0, b] if n == 0 else end
        for b in range(columns.size):
            if near[b]:
                step = c[3, b] if pulses[a, b] > 0 else -c[4, b]
                g = c[0, b]
                for k in range(abs(pulses[a, b])):
                    kick = draw(base + columns[b], word_of_pulse(w0, k), w1, middles)
                    g = np.float32(min(max(g + step * (np.float32(1.0) + noise * kick), c[LOW, b]), c[HIGH, b]))
                out[b] = g
        store(cells[0], i, columns, whole, out)


@parallel_kernel
def linear_steps(cells, pulses, rows, columns, whole, noise, words, middles):
    """Move cells by n steps that are linear in g, with additive noise.

    cells = (g, low, high, step_up, step_down, rate_up, rate_down, center): a step is
    step -+ kappa (g - center) with kappa = 1 - exp(-rate); noise = sigma of one step in units of `step`, up and down.
    With S = (1 - q^n)/(1 - q), q = exp(-rate), the mean moves by S times the first step and the variance of the noise
    grows by (1 - q^2n)/(1 - q^2); near a bound, noisy steps are applied one by one.
    """
    w0, w1 = words
    two = np.float32(2.0)
    for a in prange(rows.size):
        i = rows[a]
        base = i * cells[0].shape[1]
        c = loaded(cells, i, columns, whole)
        near = np.zeros(columns.size, np.bool_)
        out = np.empty(columns.size, np.float32)
        xi = draws(base, columns, whole, w0, w1, middles, (noise[0] > 0) | (noise[1] > 0))
        for b in range(columns.size):
            n = pulses[a, b]
            up = n > 0
            count = np.float32(abs(n))
            step = c[3, b] if up else -c[4, b]
            rate = c[5, b] if up else c[6, b]
            kappa = saturation(rate)
            gone = saturation(count * rate)
            flat = rate < np.float32(1e-12)
            times = count if flat else gone / kappa
            variance = count if flat else times * (two - gone) / (two - kappa)
            end = c[0, b] + times * (step - kappa * (c[0, b] - c[7, b]))
            sigma = (noise[0] if up else noise[1]) * abs(step) * math.sqrt(variance)
            near[b] = (abs(n) > 1) & (sigma > 0) & (not stays_clear(c[0, b], end, sigma, c[LOW, b], c[HIGH, b]))
            end += sigma * xi[b]
            end = min(max(end, c[LOW, b]), c[HIGH, b])
            out[b] = c[0, b] if n == 0 else end
        for b in range(columns.size):
            if near[b]:
                up = pulses[a, b] > 0
                step = c[3, b] if up else -c[4, b]
                kappa = saturation(c[5, b] if up else c[6, b])
                sigma = (noise[0] if up else noise[1]) * abs(step)
                g = c[0, b]
                for k in range(abs(pulses[a, b])):
                    kick = draw(base + columns[b], word_of_pulse(w0, k), w1, middles)
                    g = g + step - kappa * (g - c[7, b]) + sigma * kick
                    g = np.float32(min(max(g, c[LOW, b]), c[HIGH, b]))
                out[b] = g
        store(cells[0], i, columns, whole, out)


@parallel_kernel
def linear_steps_multiplied(cells, pulses, rows, columns, whole, noise, words, middles):
    """Move cells by n steps linear in g, each multiplied by 1 + noise xi, pulse by pulse; cells as in `linear_steps`."""
    w0, w1 = words
    one = np.float32(1.0)
    for a in prange(rows.size):
        i = rows[a]
        base = i * cells[0].shape[1]
        c = loaded(cells, i, columns, whole)
        kappa = np.empty((2, columns.size), np.float32)
        for b in range(columns.size):
            kappa[0, b] = saturation(c[5, b])
            kappa[1, b] = saturation(c[6, b])
        for k in range(most_pulses(pulses[a])):
            xi = draws(base, columns, whole, word_of_pulse(w0, k), w1, middles, True)
            for b in range(columns.size):
                n = pulses[a, b]
                up = n > 0
                step = c[3, b] if up else -c[4, b]
                move = step - (kappa[0, b] if up else kappa[1, b]) * (c[0, b] - c[7, b])
                g = c[0, b] + move * (one + (noise[0] if up else noise[1]) * xi[b])
                c[0, b] = min(max(g, c[LOW, b]), c[HIGH, b]) if k < abs(n) else c[0, b]
        store(cells[0], i, columns, whole, c[0])


@inlined
def exponential(x):
    """Return exp(x) for |x| <= 20 in float32, by Taylor's series of order 7 at x/32, squared five times."""
    t = np.float32(min(max(x, np.float32(-20.0)), np.float32(20.0)) * np.float32(0.03125))
    one = np.float32(1.0)
    e = one + t * np.float32(1.0 / 7.0)
    e = one + t * np.float32(1.0 / 6.0) * e
    e = one + t * np.float32(0.2) * e
    e = one + t * np.float32(0.25) * e
    e = one + t * np.float32(1.0 / 3.0) * e
    e = one + t * np.float32(0.5) * e
    e = one + t * e
    e = e * e
    e = e * e
    e = e * e
    e = e * e
    return e * e


@parallel_kernel
def exponential_activity_steps(cells, pulses, rows, columns, whole, p, words, middles):
    """Move cells by n steps proportional to the activity 1 - A exp(+-gamma z), pulse by pulse.

    cells = (g, low, high, step_up, step_down, amplitude_up, amplitude_down, gamma_up, gamma_down), where steps are [S]
    at activity one; p = (2 a, b, center [S], noise of the step [1], noise added [S], noise per |g - center| [1]).
    """
    w0, w1 = words
    one, zero = np.float32(1.0), np.float32(0.0)
    noisy = (p[3] > zero) | (p[4] > zero) | (p[5] > zero)
    for a in prange(rows.size):
        i = rows[a]
        base = i * cells[0].shape[1]
        c = loaded(cells, i, columns, whole)
        for k in range(most_pulses(pulses[a])):
            xi = draws(base, columns, whole, word_of_pulse(w0, k), w1, middles, noisy)
            for b in range(columns.size):
                n = pulses[a, b]
                up = n > 0
                from_center = c[0, b] - p[2]
                z = p[0] * from_center / (c[HIGH, b] - c[LOW, b]) + p[1]
                steepness = c[7, b] if up else -c[8, b]
                activity = max(zero, one - (c[5, b] if up else c[6, b]) * exponential(steepness * z))
                move = activity * (c[3, b] if up else -c[4, b])
                g = c[0, b] + move
                g += (p[3] * abs(move) + p[4] + p[5] * abs(from_center)) * xi[b]
                c[0, b] = min(max(g, c[LOW, b]), c[HIGH, b]) if k < abs(n) else c[0, b]
        store(cells[0], i, columns, whole, c[0])


@parallel_kernel
def power_steps(cells, pulses, rows, columns, whole, noise, words, middles):
    """Move cells by n steps proportional to (2 omega)^gamma, omega the share of the range still ahead, pulse by pulse.

    cells = (g, low, high, step_up, step_down, gamma_up, gamma_down); each step is multiplied by 1 + noise xi.
    """
    w0, w1 = words
    one, zero, two = np.float32(1.0), np.float32(0.0), np.float32(2.0)
    for a in prange(rows.size):
        i = rows[a]
        base = i * cells[0].shape[1]
        c = loaded(cells, i, columns, whole)
        for k in range(most_pulses(pulses[a])):
            word = word_of_pulse(w0, k)
            for b in range(columns.size):
                n = pulses[a, b]
                if k < abs(n):
                    up = n > 0
                    left = c[HIGH, b] - c[0, b] if up else c[0, b] - c[LOW, b]
                    omega = max(zero, left / (c[HIGH, b] - c[LOW, b]))
                    move = (two * omega) ** (c[5, b] if up else c[6, b]) * (c[3, b] if up else -c[4, b])
                    if noise > zero:
                        move *= one + noise * draw(base + columns[b], word, w1, middles)
                    c[0, b] = min(max(np.float32(c[0, b] + move), c[LOW, b]), c[HIGH, b])
        store(cells[0], i, columns, whole, c[0])


@parallel_kernel
def node_steps(cells, pulses, rows, columns, whole, nodes, noise, words, middles):
    """Move cells by n steps interpolated between nodes (2, N) [1], equally spaced over the cell's range, pulse by pulse.

    cells = (g, low, high, step_up, step_down, tilt_up, tilt_down); the step at u = (g - low)/(high - low) is
    step * node(u) * exp(tilt (u - 1/2)) * (1 + noise xi).
    """
    w0, w1 = words
    one, zero, half = np.float32(1.0), np.float32(0.0), np.float32(0.5)
    last = nodes.shape[1] - 1
    for a in prange(rows.size):
        i = rows[a]
        base = i * cells[0].shape[1]
        c = loaded(cells, i, columns, whole)
        for k in range(most_pulses(pulses[a])):
            word = word_of_pulse(w0, k)
            for b in range(columns.size):
                n = pulses[a, b]
                side = 0 if n > 0 else 1
                u = min(max((c[0, b] - c[LOW, b]) / (c[HIGH, b] - c[LOW, b]), zero), one)
                place = u * np.float32(last)
                left = min(np.int64(place), last - 1)
                share = place - np.float32(left)
                height = nodes[side, left] * (one - share) + nodes[side, left + 1] * share
                move = height * exponential(c[5 + side, b] * (u - half)) * (c[3, b] if n > 0 else -c[4, b])
                if noise > zero:
                    move *= one + noise * draw(base + columns[b], word, w1, middles)
                g = np.float32(c[0, b] + move)
                c[0, b] = min(max(g, c[LOW, b]), c[HIGH, b]) if k < abs(n) else c[0, b]
        store(cells[0], i, columns, whole, c[0])


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


@parallel_kernel
def table_steps(cells, pulses, rows, columns, whole, levels, probabilities, change, words):
    """Move cells by n steps drawn from a measured distribution, pulse by pulse.

    cells = (g, low, high, factor_up, factor_down); change (2, levels, probabilities) [S] is the inverse distribution
    function of the change of g at each level [S], up and down; a uniform number selects the quantile, and both axes are
    interpolated.
    """
    w0, w1 = words
    for a in prange(rows.size):
        i = rows[a]
        base = i * cells[0].shape[1]
        c = loaded(cells, i, columns, whole)
        for k in range(most_pulses(pulses[a])):
            word = word_of_pulse(w0, k)
            for b in range(columns.size):
                n = pulses[a, b]
                if k < abs(n):
                    side = 0 if n > 0 else 1
                    i0, s = interval(levels, c[0, b])
                    j0, t = interval(probabilities, uniform(base + columns[b], word, w1))
                    table = change[side]
                    here = table[i0, j0] + t * (table[i0, j0 + 1] - table[i0, j0])
                    there = table[i0 + 1, j0] + t * (table[i0 + 1, j0 + 1] - table[i0 + 1, j0])
                    move = (here + s * (there - here)) * c[3 + side, b]
                    c[0, b] = min(max(np.float32(c[0, b] + move), c[LOW, b]), c[HIGH, b])
        store(cells[0], i, columns, whole, c[0])


@parallel_kernel
def appear(g, hidden, pulses, rows, columns, sigma, words, middles):
    """Draw the visible conductance of each pulsed cell again: max(0, hidden + sigma xi) [S]."""
    w2, w3 = words
    for a in prange(rows.size):
        i = rows[a]
        for b in range(columns.size):
            j = columns[b]
            if pulses[a, b] != 0:
                xi = draw(i * g.shape[1] + j, w2, w3, middles)
                g[i, j] = max(hidden[i, j] + sigma * xi, np.float32(0.0))
