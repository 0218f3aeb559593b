r"""Kalman filter for the likelihood of a measured pulse train; its only state is the cell's true conductance.

.. math:: x' = \mathrm{clip}(x + f\,m_s(x) + \sigma\xi), \qquad g' = x' + r\xi'

m is a table of mean steps against state, f the cell's factor, sigma the cycle-to-cycle noise and r the noise of the
reading. The clipped Gaussian is replaced by a Gaussian of the same mean and variance, so that a cell at its bound has the
reduced noise that clipping leaves.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from hardware_models.kernels.compile import inlined, kernel


@inlined
def clipped_moments(mean, variance, low, high):
    """Return the mean and the variance of a Gaussian number that is clipped to [low, high]."""
    sd = math.sqrt(variance)
    a = (low - mean) / sd
    b = (high - mean) / sd
    if a < -6.0 and b > 6.0:
        return mean, variance
    a = min(max(a, -30.0), 30.0)
    b = min(max(b, -30.0), 30.0)
    below = 0.5 * math.erfc(-a * 0.7071067811865476)
    above = 0.5 * math.erfc(b * 0.7071067811865476)
    inside = 1.0 - below - above
    pa = 0.3989422804014327 * math.exp(-0.5 * a * a)
    pb = 0.3989422804014327 * math.exp(-0.5 * b * b)
    first = a * below + b * above + pa - pb
    second = a * a * below + b * b * above + inside + a * pa - b * pb
    shifted = max(second - first * first, 1e-9)
    return min(max(mean + sd * first, low), high), variance * shifted


@inlined
def step_at(x, table, start, width):
    """Return the mean step at state x, and the slope of the mean step there."""
    t = (x - start) / width
    k = min(max(int(t), 0), table.size - 2)
    slope = table[k + 1] - table[k]
    return table[k] + (t - k) * slope, slope / width


class Train(NamedTuple):
    """A measured pulse train; its readings and pulses, all (n,)."""

    g: np.ndarray  # readings in units of the range, NaN where one is missing
    polarity: np.ndarray  # sign of the pulse before the reading
    first: np.ndarray  # whether a cycle begins here
    cell: np.ndarray  # number of the cell


class Curve(NamedTuple):
    """Mean step against state."""

    tables: np.ndarray  # mean steps up and down, (2, K)
    start: float  # first state of the tables
    width: float  # distance of their states


class Population(NamedTuple):
    """Parameters that distinguish C cells."""

    factors: np.ndarray  # factor on the steps up and down, (2, C)
    bounds: np.ndarray  # lower and upper bound, (2, C)


class Noise(NamedTuple):
    """Noise of the steps and of the readings, in units of the range."""

    sigma: np.ndarray  # of a step up and down, (2, C)
    steady: float  # 1: of every step alike; 0: in proportion to the step, and sigma is that of the middle one
    read: float  # of a reading
    floor: float  # resolution of a reading


@inlined
def predicted(x, p, table, states, factor, sigma, steady, low, high):
    """Return the mean and the variance of the conductance after a step from x, whose variance is p.

    states = (first state, distance of the states) of the table.
    """
    start, width = states
    step, slope = step_at(x, table, start, width)
    mean = x + factor * step
    noise = sigma * (steady + (1.0 - steady) * step / table[table.size // 2])
    gain = 1.0 + factor * slope
    return clipped_moments(mean, p * gain * gain + noise * noise + 1e-12, low, high)


@kernel
def filter_steps(train, curve, population, noise, out):
    """Write the innovation (reading minus its prediction) and the variance of each step to `out` (2, n).

    A first or missing (NaN) reading has innovation 0 and variance 1; its pulse still moves the cell.
    """
    g, polarity, first, cell = train
    tables, start, width = curve
    factors, bounds = population
    sigma, steady, read, floor = noise
    r2 = read * read + floor * floor
    x = 0.0
    p = r2
    for i in range(g.size):
        c = cell[i]
        out[0, i] = 0.0
        out[1, i] = 1.0
        if first[i]:
            x = g[i]
            p = read * read
            continue
        k = 0 if polarity[i] > 0 else 1
        x, p = predicted(
            x, p, tables[k], (start, width), factors[k, c], sigma[k, c], steady, bounds[0, c], bounds[1, c]
        )
        if not math.isnan(g[i]):
            out[0, i] = g[i] - x
            out[1, i] = p + r2
            share = p / out[1, i]
            x += share * out[0, i]
            p *= 1.0 - share


@kernel
def follow_steps(train, curve, population, out):
    """Write to `out` (n,) each reading minus the noiseless curve that begins at its cycle's first reading.

    The result is 0 at first readings and NaN at missing readings. The curve does not depend on later readings.
    """
    g, polarity, first, cell = train
    tables, start, width = curve
    factors, bounds = population
    x = 0.0
    for i in range(g.size):
        c = cell[i]
        if first[i]:
            x = g[i]
        else:
            side = 0 if polarity[i] > 0 else 1
            step, _ = step_at(x, tables[side], start, width)
            x = min(max(x + factors[side, c] * step, bounds[0, c]), bounds[1, c])
        out[i] = g[i] - x
