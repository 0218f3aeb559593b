"""Exponential functions of arithmetic alone, and the loops over whole arrays of the exponential-step device."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.compile import inlined, kernel, parallel_kernel
from hardware_models.kernels.listed import places_of
from hardware_models.kernels.random import fill_coarse_normal


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


@parallel_kernel
def look_through(pulses, most, number):
    """Write the largest number of pulses of either sign in each row to `most`, and the `number` of its cells that are pulsed."""
    for i in prange(pulses.shape[0]):
        m, k = np.int32(0), np.int64(0)
        for j in range(pulses.shape[1]):
            m = max(m, abs(pulses[i, j]))
            k += np.int64(pulses[i, j] != 0)
        most[i], number[i] = m, k


@kernel
def list_pulsed(i, pulses, where, listed):
    """Write the flat positions of the pulsed cells of row i, and their pulses."""
    places = np.empty(pulses.size + 1, np.int64)
    for a in range(places_of(pulses, places)):
        where[a] = i * pulses.size + places[a]
        listed[a] = pulses[places[a]]


@parallel_kernel
def list_whole(pulses, first, where, listed):
    """Write the flat positions and the pulses of the pulsed cells of an array; row i has the entries first[i] to first[i + 1]."""
    for i in prange(pulses.shape[0]):
        list_pulsed(i, pulses[i], where[first[i] : first[i + 1]], listed[first[i] : first[i + 1]])


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
