"""Loops over cells that change pulse by pulse because a part of each switches: phase, ferroelectric domains, magnetic junctions.

Programmed cells, whose writer verifies what it wrote, are here as well. Every kernel visits only the cells of the burst and does
not change one with zero pulses, so that a window and the full array share one loop; draws are indexed by a cell's position in
the full array.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.bursts import row_of
from hardware_models.kernels.compile import inlined, parallel_kernel
from hardware_models.kernels.random import pulse_bits, pulse_draw


class SetLaw(NamedTuple):
    """Figures of a phase-change cell, float32; see `devices/phase_change.py` for the equation."""

    g_min: float  # lower bound of the population [S]
    width: float  # its range, g_max - g_min [S]
    step: float  # step of a partial SET in units of the range, far above the first one [1]
    amplitude: float  # A: extra size of the first step [1]
    gamma: float  # decay of the step with u [1]
    cycle: float  # sigma_c, in units of the step [1]
    added: float  # sigma_a, in units of the range [1]
    slope: float  # sigma_s [1]
    reset: float  # spread of a RESET in units of the range [1]


class DomainLaw(NamedTuple):
    """Figures of a ferroelectric cell, float64; see `devices/ferroelectric.py` for the equation."""

    g_min: float  # lower bound of the population [S]
    width: float  # its range, g_max - g_min [S]
    rate_up: float  # advance of one pulse along the up curve [1]
    rate_down: float  # along the down curve [1]
    height_up: float  # B of the up curve [1]
    height_down: float  # B of the down curve [1]
    beta: float  # exponent of the curve [1]
    cycle_noise: float  # sigma of one pulse in units of the range [1]
    mirror: float  # 1: the down curve mirrors the up curve, 0: it retraces it


class WriteLaw(NamedTuple):
    """Figures of a programmed cell, float64; see `devices/programmed.py` for the equation."""

    g_min: float  # lower bound of the population [S]
    g_max: float  # its upper bound [S]
    step: float  # what a pulse adds to the target [S]
    error_0: float  # programming error: c_0 of its polynomial in g/g_max [S]
    error_1: float  # c_1 [S]
    error_2: float  # c_2 [S]
    error_3: float  # c_3 [S]
    error_4: float  # c_4 [S]
    error_high: float  # A: the part that saturates [S]
    error_scale: float  # B: where it does [S]


@inlined
def partial_set(u, step, law, noisy, xi):
    """Return the state after one partial SET pulse from u, without bounds; xi is its normal number."""
    move = step * (np.float32(1.0) + law.amplitude * np.float32(math.exp(-law.gamma * u)))
    noise = np.float32(0.0)
    if noisy:
        noise = law.cycle * (move + law.added + law.slope * u) * xi
    return u + move + noise


@parallel_kernel
def partial_sets(cells, burst, law, key):
    """Apply partial SET pulses (n > 0) one by one, or a full RESET (n < 0), in place; cells = (g, up, low, high)."""
    g, up, low, high = cells
    pulses, first, rows, lines, _, listed = burst
    w0, w1, middles = key
    for a in prange(rows.size):
        i = rows[a]
        counts, columns = row_of(pulses, first, lines, listed, a)
        for b in range(columns.size):
            n = counts[b]
            if n != 0:
                j = columns[b]
                position = i * g.shape[1] + j
                u = (g[i, j] - law.g_min) / law.width
                bottom, top = (low[i, j] - law.g_min) / law.width, (high[i, j] - law.g_min) / law.width
                for k in range(n):
                    noisy = law.cycle > np.float32(0.0)
                    xi = pulse_draw(position, k, w0, w1, middles) if noisy else np.float32(0.0)
                    u = min(max(partial_set(u, law.step * up[i, j], law, noisy, xi), bottom), top)
                if n < 0:
                    # A RESET melts the cell and erases its past, so only the last one of several matters.
                    u = bottom
                    if law.reset > np.float32(0.0):
                        u = min(bottom + law.reset * abs(pulse_draw(position, 0, w0, w1, middles)), top)
                g[i, j] = law.g_min + law.width * u


@inlined
def switched(share, more, beta):
    """Return the switched share of the domains after `more` rates along the stretched exponential, from a share."""
    share = min(max(share, 0.0), 1.0 - 1e-12)
    if beta == 1.0:  # a plain exponential needs no logarithm
        share = 1.0 - min((1.0 - share) * math.exp(-more), 1.0)
    else:
        done = max((-math.log1p(-share)) ** (1.0 / beta) + more, 0.0)
        share = -math.expm1(-(done**beta))
    return share


@parallel_kernel
def domain_switching(cells, burst, law, key):
    """Move cells along the stretched-exponential switching curve, in place; cells = (g, up, down, low, high)."""
    g, up, down, low, high = cells
    pulses, first, rows, lines, _, listed = burst
    w0, w1, middles = key
    for a in prange(rows.size):
        i = rows[a]
        counts, columns = row_of(pulses, first, lines, listed, a)
        for b in range(columns.size):
            n = counts[b]
            if n != 0:
                j = columns[b]
                u = (np.float64(g[i, j]) - law.g_min) / law.width
                rate = law.rate_up * up[i, j] if n > 0 else law.rate_down * down[i, j]
                height = law.height_up if n > 0 else law.height_down
                mirror = n < 0 and law.mirror > 0.0
                noisy = law.cycle_noise > 0.0
                bottom, top = (low[i, j] - law.g_min) / law.width, (high[i, j] - law.g_min) / law.width
                # Without noise the closed form applies all pulses at once; noisy pulses must be clipped one by one.
                more = rate * (1 if n > 0 or mirror else -1) * (1 if noisy else abs(n))
                for k in range(abs(n) if noisy else 1):
                    share = switched((1.0 - u if mirror else u) / height, more, law.beta) * height
                    u = 1.0 - share if mirror else share
                    if noisy:
                        u += law.cycle_noise * pulse_draw(i * g.shape[1] + j, k, w0, w1, middles)
                        u = min(max(u, bottom), top)
                g[i, j] = min(max(np.float32(law.g_min + law.width * u), low[i, j]), high[i, j])


@parallel_kernel
def binomial_switching(cells, burst, junctions, words):
    """Switch each junction that is not yet in the wanted state with probability 1 - exp(-rate n), in place.

    cells = (g, parallel, up, down, low, high): `up` and `down` hold each cell's rates -ln(1-p) [1/pulse], `parallel` its number
    of junctions in the parallel state. Every junction has a draw of its own, so the number of switching junctions has an exactly
    binomial distribution.
    """
    g, parallel, up, down, low, high = cells
    pulses, first, rows, lines, _, listed = burst
    w0, w1 = words
    for a in prange(rows.size):
        i = rows[a]
        counts, columns = row_of(pulses, first, lines, listed, a)
        for b in range(columns.size):
            n = counts[b]
            if n != 0:
                j = columns[b]
                rate = np.float64(up[i, j] if n > 0 else down[i, j])
                limit = -math.expm1(-rate * abs(n)) * 4294967296.0
                left = junctions - parallel[i, j] if n > 0 else parallel[i, j]
                moved = 0
                for k in range(left):
                    if pulse_bits(i * g.shape[1] + j, k, w0, w1) < limit:
                        moved += 1
                parallel[i, j] += moved if n > 0 else -moved
                share = np.float32(parallel[i, j]) / np.float32(junctions)
                g[i, j] = low[i, j] + (high[i, j] - low[i, j]) * share


@inlined
def settled(wanted, g_max, shift):
    """Return the mean conductance of cells that were written to `wanted` [S]; shift = (d0, d1, ...) [S]."""
    x = wanted / g_max
    mean = 0.0
    for k in range(shift.size):
        mean = mean * x + shift[shift.size - 1 - k]
    return max(wanted + mean, 0.0)


@inlined
def programming_error(mean, law):
    """Return the standard deviation of written cells around their mean [S]."""
    x = mean / law.g_max
    sigma = law.error_0 + x * (law.error_1 + x * (law.error_2 + x * (law.error_3 + x * law.error_4)))
    if law.error_high > 0.0:
        sigma += law.error_high * -math.expm1(-mean / law.error_scale)
    return max(sigma, 0.0)


@parallel_kernel
def verified_writes(cells, burst, law, shift, key):
    """Move the targets of cells by ideal steps and draw their programming errors again, in place; cells = (g, target, relax)."""
    g, target, relax = cells
    pulses, first, rows, lines, _, listed = burst
    w0, w1, middles = key
    for a in prange(rows.size):
        i = rows[a]
        counts, columns = row_of(pulses, first, lines, listed, a)
        for b in range(columns.size):
            n = counts[b]
            if n != 0:
                j = columns[b]
                position = i * g.shape[1] + j
                wanted = min(max(target[i, j] + n * law.step, law.g_min), law.g_max)
                target[i, j] = wanted
                mean = settled(wanted, law.g_max, shift)
                sigma = programming_error(mean, law)
                g[i, j] = max(mean + sigma * pulse_draw(position, 0, w0, w1, middles), 0.0)
                relax[i, j] = pulse_draw(position, 1, w0, w1, middles)
