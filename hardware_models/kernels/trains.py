r"""Kalman filter for the likelihood of a measured pulse train; its only state is the cell's true conductance.

.. math:: x' = \mathrm{clip}(x + f\,m_s(x) + \sigma\xi), \qquad g' = x' + r\xi'

m is a table of mean steps against state, f the cell's factor, sigma the cycle-to-cycle noise and r the noise of the
reading. The clipped Gaussian is replaced by a Gaussian of the same mean and variance, so that a cell at its bound has the
reduced noise that clipping leaves.
"""

from __future__ import annotations

import math

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


@kernel
def filter_steps(g, polarity, first, cell, tables, start, width, factors, bounds, sigma, steady, read, floor, out):
    """Write the innovation (reading minus its prediction) and the variance of each step to `out` (2, n).

    g (n,) are readings; tables (2, K) holds mean steps up and down at the states start + k width; factors, bounds and sigma are
    (2, C) for C cells. steady is 1 if sigma is the noise of every step, 0 if the noise scales with the step and sigma is that of
    the step in the middle. A first or missing (NaN) reading has innovation 0 and variance 1; its pulse still moves the cell.
    """
    r2 = read * read + floor * floor
    x = 0.0
    p = r2
    for i in range(g.size):
        c = cell[i]
        if first[i]:
            x = g[i]
            p = read * read
            out[0, i] = 0.0
            out[1, i] = 1.0
            continue
        side = 0 if polarity[i] > 0 else 1
        step, slope = step_at(x, tables[side], start, width)
        f = factors[side, c]
        mean = x + f * step
        noise = sigma[side, c] * (steady + (1.0 - steady) * step / tables[side, tables.shape[1] // 2])
        gain = 1.0 + f * slope
        mean, variance = clipped_moments(mean, p * gain * gain + noise * noise + 1e-12, bounds[0, c], bounds[1, c])
        if math.isnan(g[i]):
            x = mean
            p = variance
            out[0, i] = 0.0
            out[1, i] = 1.0
            continue
        s = variance + r2
        e = g[i] - mean
        out[0, i] = e
        out[1, i] = s
        share = variance / s
        x = mean + share * e
        p = (1.0 - share) * variance


@kernel
def follow_steps(g, polarity, first, cell, tables, start, width, factors, bounds, out):
    """Write to `out` (n,) each reading minus the noiseless curve that begins at its cycle's first reading.

    The result is 0 at first readings and NaN at missing readings. The curve does not depend on later readings; the arguments
    are those of `filter_steps`.
    """
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
