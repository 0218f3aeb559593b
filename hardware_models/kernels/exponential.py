"""Exponential functions of arithmetic alone, and the loops over cells of the exponential-step device."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.bursts import MARGIN_EXPONENTIAL
from hardware_models.kernels.compile import inlined, kernel, parallel_kernel
from hardware_models.kernels.random import draw, fill_coarse_normal, word_of_pulse


@inlined
def saturation(x):
    """Return 1 - exp(-x), to float32 precision for |x| <= 16 without cancellation.

    Taylor's series of order 8 at x/16, then four doublings by 1 - e^-2t = q (2 - q) with q = 1 - e^-t: arithmetic
    only, so that the loop around it vectorises.
    """
    t = np.float32(min(max(x, np.float32(-16.0)), np.float32(16.0)) * np.float32(0.0625))
    q = np.float32(1.0) - t * np.float32(0.125)
    q = np.float32(1.0) - t * np.float32(1.0 / 7.0) * q
    q = np.float32(1.0) - t * np.float32(1.0 / 6.0) * q
    q = np.float32(1.0) - t * np.float32(0.2) * q
    q = np.float32(1.0) - t * np.float32(0.25) * q
    q = np.float32(1.0) - t * np.float32(1.0 / 3.0) * q
    q = np.float32(1.0) - t * np.float32(0.5) * q
    q = t * q
    two = np.float32(2.0)
    q = q * (two - q)
    q = q * (two - q)
    q = q * (two - q)
    return q * (two - q)


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


class ExponentialLaw(NamedTuple):
    """Figures of the exponential-step device, float32; see `devices/exponential_step.py` for the equation."""

    g_min: float  # lower bound of the population [S]
    width: float  # its range, g_max - g_min [S]
    rate_up: float  # 1/A of the up curve [1/pulse]
    asymptote_up: float  # B of the up curve, in units of the range [1]
    rate_down: float  # 1/A of the down curve [1/pulse]
    asymptote_down: float  # B of the down curve [1]
    cycle_noise: float  # sigma of one pulse in units of the range [1]


class Cell(NamedTuple):
    """One cell of the exponential-step device, float32."""

    factor_up: float  # effective pulses per pulse, up [1]
    factor_down: float  # effective pulses per pulse, down [1]
    low: float  # lower bound [S]
    high: float  # upper bound [S]


@inlined
def exponential_path(g, n, factor_up, factor_down, law):
    """Return the mean and the standard deviation [S] of the conductance after n pulses of the exponential-step device.

    Both follow the equations in `devices/exponential_step.py`, without bounds.
    """
    up = n > 0
    count = np.float32(n)
    # A sum with one term that is zero, instead of a choice: LLVM would choose between addresses, and the loop would gather.
    one_up = np.float32(up)
    rate = law.rate_up * (one_up * factor_up) + law.rate_down * ((np.float32(1.0) - one_up) * factor_down)
    asymptote = law.asymptote_up if up else law.asymptote_down
    share = saturation(count * rate)
    one = saturation(rate if up else -rate)
    two = np.float32(2.0)
    variance = share * (two - share) / (one * (two - one))
    end = g + law.width * (asymptote - (g - law.g_min) / law.width) * share
    return np.float32(end), np.float32(law.width * law.cycle_noise * math.sqrt(variance))


@inlined
def exponential_step(g, n, factor_up, factor_down, xi, law):
    """Return the conductance after n = -1, 0 or 1 pulses; the noise of a single pulse needs no second exponential."""
    up = n > 0
    count = np.float32(n)
    # One of the two terms is zero; see `exponential_path`.
    ups, downs = max(count, np.float32(0.0)), min(count, np.float32(0.0))
    pulses = ups * factor_up * law.rate_up + downs * factor_down * law.rate_down
    asymptote = law.asymptote_up if up else law.asymptote_down
    u = (g - law.g_min) / law.width
    moved = (asymptote - u) * saturation(pulses)
    return np.float32(g + law.width * (moved + law.cycle_noise * abs(count) * xi))


@inlined
def comes_near(start, end, sigma, low, high):
    """Tell whether a monotone path from `start` to `end`, with noise sigma at its end, comes near a bound."""
    reach = MARGIN_EXPONENTIAL * sigma
    return (min(start, end) - reach < low) | (max(start, end) + reach > high)


@kernel
def pulse_by_pulse(g, n, cell, law, position, key):
    """Return the conductance after n pulses one by one, clipped to the bounds after each."""
    sign = np.int32(1) if n > 0 else np.int32(-1)
    for k in range(abs(n)):
        xi = draw(position, word_of_pulse(key.w0, k), key.w1, key.middles)
        g = min(max(exponential_step(g, sign, cell.factor_up, cell.factor_down, xi, law), cell.low), cell.high)
    return g


@kernel
def burst_of(g, n, cell, law, position, key):
    """Return the conductance after n pulses: in closed form, or one by one if noise may reach a bound on the way."""
    noisy = law.cycle_noise > np.float32(0.0)
    xi = draw(position, key.w0, key.w1, key.middles) if noisy else np.float32(0.0)
    if abs(n) <= 1:
        return min(max(exponential_step(g, n, cell.factor_up, cell.factor_down, xi, law), cell.low), cell.high)
    end, sigma = exponential_path(g, n, cell.factor_up, cell.factor_down, law)
    if noisy and comes_near(g, end, sigma, cell.low, cell.high):
        return pulse_by_pulse(g, n, cell, law, position, key)
    return min(max(end + sigma * xi, cell.low), cell.high)


@parallel_kernel
def most_by_row(pulses, most):
    """Write to `most` the largest number of pulses of either sign in each row."""
    for i in prange(pulses.shape[0]):
        m = np.int32(0)
        for j in range(pulses.shape[1]):
            m = max(m, abs(pulses[i, j]))
        most[i] = m


@parallel_kernel
def exponential_step_singles(cells, pulses, law, key):
    """Apply at most one pulse to each cell of an array, in place; cells = (g, factor_up, factor_down, low, high)."""
    g, factor_up, factor_down, low, high = cells
    w0, w1, middles = key
    columns = g.shape[1]
    noisy = law.cycle_noise > np.float32(0.0)
    for i in prange(g.shape[0]):
        xi = np.zeros(columns, np.float32)
        if noisy:
            fill_coarse_normal(xi, i * columns, w0, w1, middles)
        for j in range(columns):
            moved = exponential_step(g[i, j], pulses[i, j], factor_up[i, j], factor_down[i, j], xi[j], law)
            g[i, j] = min(max(moved, low[i, j]), high[i, j])


@parallel_kernel
def exponential_step_array(cells, pulses, law, key):
    """Apply pulses to all cells in place; cells = (g, factor_up, factor_down, low, high).

    Bursts that may touch a bound are applied pulse by pulse: noise that is clipped on its way has no closed form.
    """
    g, factor_up, factor_down, low, high = cells
    w0, w1, middles = key
    columns = g.shape[1]
    noisy = law.cycle_noise > np.float32(0.0)
    for i in prange(g.shape[0]):
        xi = np.zeros(columns, np.float32)
        if noisy:
            fill_coarse_normal(xi, i * columns, w0, w1, middles)
        near = np.zeros(columns, np.bool_)
        out = np.empty(columns, np.float32)
        for j in range(columns):
            end, sigma = exponential_path(g[i, j], pulses[i, j], factor_up[i, j], factor_down[i, j], law)
            near[j] = comes_near(g[i, j], end, sigma, low[i, j], high[i, j])
            out[j] = min(max(end + sigma * xi[j], low[i, j]), high[i, j])
        for j in range(columns):  # single pulses by their own arithmetic, which is that of `exponential_step_singles`
            moved = exponential_step(g[i, j], pulses[i, j], factor_up[i, j], factor_down[i, j], xi[j], law)
            single = min(max(moved, low[i, j]), high[i, j])
            out[j] = single if abs(pulses[i, j]) <= 1 else out[j]
        for j in range(columns):
            if noisy and near[j] and abs(pulses[i, j]) > 1:
                cell = Cell(factor_up[i, j], factor_down[i, j], low[i, j], high[i, j])
                out[j] = pulse_by_pulse(g[i, j], pulses[i, j], cell, law, i * columns + j, key)
        for j in range(columns):
            g[i, j] = out[j]


@parallel_kernel
def exponential_step_window(cells, burst, law, key):
    """Apply pulses only to the cells at the crossings of some rows and columns, with the same draws as for the full array."""
    g, factor_up, factor_down, low, high = cells
    pulses, rows, columns, _ = burst
    for a in prange(rows.size):
        i = rows[a]
        for b in range(columns.size):
            j = columns[b]
            if pulses[a, b] != 0:
                cell = Cell(factor_up[i, j], factor_down[i, j], low[i, j], high[i, j])
                g[i, j] = burst_of(g[i, j], pulses[a, b], cell, law, i * g.shape[1] + j, key)


@parallel_kernel
def exponential_step_some(cells, where, pulses, law, key):
    """Apply pulses to some cells of flat arrays; `where` holds their positions, each once.

    The arithmetic and the draws are the same as for the full array.
    """
    g, factor_up, factor_down, low, high = cells
    for a in prange(where.size):
        i = where[a]
        cell = Cell(factor_up[i], factor_down[i], low[i], high[i])
        g[i] = burst_of(g[i], pulses[a], cell, law, i, key)
