"""Loops over cells that change pulse by pulse, for devices whose state after n pulses has no simple closed form.

Every kernel visits only the crossings of `rows` and `columns` and does not change a cell with zero pulses, so that a
window and the full array share one loop; draws are indexed by a cell's position in the full array.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from hardware_models.kernels.compile import inlined, parallel_kernel
from hardware_models.kernels.random import hashed, mix

MARGIN = 5.0
"""Distance from both bounds, in standard deviations, at which a noisy burst may use the closed form."""


@inlined
def bits(position, k, w0, w1):
    """Return the 32 random bits of pulse k of a burst on the cell at `position`."""
    return hashed(position, w0, np.uint32(w1 + mix(np.uint32(k))))


@inlined
def gaussian(position, k, w0, w1, middles):
    """Return the coarse standard normal number (one of 65 536 values) of pulse k on the cell at `position`."""
    return middles[np.int64(bits(position, k, w0, w1) >> np.uint32(16))]


@parallel_kernel
def linear_steps(g, up, down, low, high, gamma_up, gamma_down, pulses, rows, columns, p, w0, w1, middles):
    """Apply pulses of the linear-step device, one by one, to the crossings of rows and columns, in place.

    p = (g_min, range, step, zero, sigma, 1 if the noise scales with the present step) float32; see
    `devices/linear_decay.py` for the equation.
    """
    for a in prange(rows.size):
        i = rows[a]
        for b in range(columns.size):
            n = pulses[a, b]
            if n != 0:
                j = columns[b]
                position = i * g.shape[1] + j
                u = (g[i, j] - p[0]) / p[1]
                bottom = (low[i, j] - p[0]) / p[1]
                top = (high[i, j] - p[0]) / p[1]
                sign = np.float32(1.0) if n > 0 else np.float32(-1.0)
                step = p[2] * (up[i, j] if n > 0 else down[i, j])
                gamma = gamma_up[i, j] if n > 0 else gamma_down[i, j]
                span = (np.float32(1.0) - p[3]) if n > 0 else p[3]
                for k in range(abs(n)):
                    move = step * max(np.float32(0.0), np.float32(1.0) - gamma * sign * (u - p[3]) / span)
                    noise = np.float32(0.0)
                    if p[4] > np.float32(0.0):
                        scale = move if p[5] > np.float32(0.0) else step
                        noise = p[4] * scale * gaussian(position, k, w0, w1, middles)
                    u = min(max(u + sign * (move + noise), bottom), top)
                g[i, j] = p[0] + p[1] * u


@parallel_kernel
def partial_sets(g, up, low, high, pulses, rows, columns, p, w0, w1, middles):
    """Apply partial SET pulses (n > 0) one by one, or a full RESET (n < 0), in place.

    p = (g_min, range, step, amplitude, gamma, sigma, sigma_add, sigma_slope, sigma_reset) float32; see
    `devices/phase_change.py` for the equation.
    """
    one = np.float32(1.0)
    for a in prange(rows.size):
        i = rows[a]
        for b in range(columns.size):
            n = pulses[a, b]
            if n != 0:
                j = columns[b]
                position = i * g.shape[1] + j
                u = (g[i, j] - p[0]) / p[1]
                bottom = (low[i, j] - p[0]) / p[1]
                top = (high[i, j] - p[0]) / p[1]
                step = p[2] * up[i, j]
                for k in range(n):
                    move = step * (one + p[3] * np.float32(math.exp(-p[4] * u)))
                    noise = np.float32(0.0)
                    if p[5] > np.float32(0.0):
                        sigma = p[5] * (move + p[6] + p[7] * u)
                        noise = sigma * gaussian(position, k, w0, w1, middles)
                    u = min(max(u + move + noise, bottom), top)
                if n < 0:
                    # A RESET melts the cell and erases its past, so only the last one of several matters.
                    u = bottom
                    if p[8] > np.float32(0.0):
                        u = min(bottom + p[8] * abs(gaussian(position, 0, w0, w1, middles)), top)
                g[i, j] = p[0] + p[1] * u


@parallel_kernel
def domain_switching(g, up, down, low, high, pulses, rows, columns, p, w0, w1, middles):
    """Move cells along the stretched-exponential switching curve, in place.

    p = (g_min, range, rate+, rate-, B+, B-, beta, sigma, 1 if the down curve mirrors the up curve) float64; see
    `devices/ferroelectric.py` for the equation.
    """
    for a in prange(rows.size):
        i = rows[a]
        for b in range(columns.size):
            n = pulses[a, b]
            if n != 0:
                j = columns[b]
                u = (np.float64(g[i, j]) - p[0]) / p[1]
                forward = n > 0
                rate = p[2] * up[i, j] if forward else p[3] * down[i, j]
                scale = p[4] if forward else p[5]
                mirror = not forward and p[8] > 0.0
                noisy = p[7] > 0.0
                # Without noise the closed form applies all pulses at once; noisy pulses must be clipped one by one.
                times = abs(n) if noisy else 1
                more = rate * (1 if n > 0 or mirror else -1) * (1 if noisy else abs(n))
                bottom = (low[i, j] - p[0]) / p[1]
                top = (high[i, j] - p[0]) / p[1]
                for k in range(times):
                    share = (1.0 - u if mirror else u) / scale
                    share = min(max(share, 0.0), 1.0 - 1e-12)
                    if p[6] == 1.0:  # a plain exponential needs no logarithm
                        share = 1.0 - min((1.0 - share) * math.exp(-more), 1.0)
                    else:
                        done = max((-math.log1p(-share)) ** (1.0 / p[6]) + more, 0.0)
                        share = -math.expm1(-(done ** p[6]))
                    share *= scale
                    u = 1.0 - share if mirror else share
                    if noisy:
                        u += p[7] * gaussian(i * g.shape[1] + j, k, w0, w1, middles)
                        u = min(max(u, bottom), top)
                g[i, j] = min(max(np.float32(p[0] + p[1] * u), low[i, j]), high[i, j])


@parallel_kernel
def log_steps(g, level, up, down, pulses, rows, columns, p, w0, w1, middles):
    """Move cells whose ln(conductance) is linear in pulses, in place; then draw the programming noise again.

    p = (g_min, ln(g_max/g_min), 1/states+, 1/states-, sigma, A, B) float64, A and B in siemens; see
    `devices/floating_gate.py` for the equation. A noisy burst that may reach a bound is applied pulse by pulse.
    """
    for a in prange(rows.size):
        i = rows[a]
        for b in range(columns.size):
            n = pulses[a, b]
            if n != 0:
                j = columns[b]
                position = i * g.shape[1] + j
                start = np.float64(level[i, j])
                step = p[2] * up[i, j] if n > 0 else -p[3] * down[i, j]
                x = start + abs(n) * step
                sigma = p[4] * math.sqrt(abs(n))
                reach = MARGIN * sigma
                near = min(start, x) - reach < 0.0 or max(start, x) + reach > 1.0
                if sigma > 0.0 and near and abs(n) > 1:  # noise that is clipped on its way has no closed form
                    x = start
                    for k in range(abs(n)):  # draw 1 belongs to the programming error
                        x += step + p[4] * gaussian(position, k + 2, w0, w1, middles)
                        x = min(max(x, 0.0), 1.0)
                elif sigma > 0.0:
                    x += sigma * gaussian(position, 0, w0, w1, middles)
                x = min(max(x, 0.0), 1.0)
                level[i, j] = x
                seen = p[0] * math.exp(p[1] * x)
                if p[5] > 0.0:
                    sigma = p[5] * -math.expm1(-seen / p[6])
                    seen = max(seen + sigma * gaussian(position, 1, w0, w1, middles), 0.0)
                g[i, j] = seen


@parallel_kernel
def binomial_switching(g, switched, up, down, low, high, pulses, rows, columns, junctions, w0, w1):
    """Switch each junction that is not yet in the wanted state with probability 1 - exp(-rate n), in place.

    `up` and `down` hold each cell's rates -ln(1-p) [1/pulse], `switched` its number of junctions in the parallel state. Every
    junction has a draw of its own, so the number of switching junctions has an exactly binomial distribution.
    """
    for a in prange(rows.size):
        i = rows[a]
        for b in range(columns.size):
            n = pulses[a, b]
            if n != 0:
                j = columns[b]
                position = i * g.shape[1] + j
                rate = np.float64(up[i, j] if n > 0 else down[i, j])
                limit = -math.expm1(-rate * abs(n)) * 4294967296.0
                left = junctions - switched[i, j] if n > 0 else switched[i, j]
                moved = 0
                for k in range(left):
                    if bits(position, k, w0, w1) < limit:
                        moved += 1
                switched[i, j] += moved if n > 0 else -moved
                share = np.float32(switched[i, j]) / np.float32(junctions)
                g[i, j] = low[i, j] + (high[i, j] - low[i, j]) * share


@parallel_kernel
def verified_writes(g, target, relax, pulses, rows, columns, p, shift, w0, w1, middles):
    """Move the targets of cells by ideal steps and draw their programming errors again, in place.

    p = (g_min, g_max, step, c0, c1, c2, c3, c4, A, B) float64 [S], shift = (d0, d1, ...) [S]; see `devices/programmed.py`
    for the equation.
    """
    for a in prange(rows.size):
        i = rows[a]
        for b in range(columns.size):
            n = pulses[a, b]
            if n != 0:
                j = columns[b]
                position = i * g.shape[1] + j
                wanted = min(max(target[i, j] + n * p[2], p[0]), p[1])
                target[i, j] = wanted
                x = wanted / p[1]
                mean = 0.0
                for k in range(shift.size):
                    mean = mean * x + shift[shift.size - 1 - k]
                mean = max(wanted + mean, 0.0)
                x = mean / p[1]
                sigma = p[3] + x * (p[4] + x * (p[5] + x * (p[6] + x * p[7])))
                if p[8] > 0.0:
                    sigma += p[8] * -math.expm1(-mean / p[9])
                sigma = max(sigma, 0.0)
                g[i, j] = max(mean + sigma * gaussian(position, 0, w0, w1, middles), 0.0)
                relax[i, j] = gaussian(position, 1, w0, w1, middles)
