"""Loops over cells whose conductance depends on the time since their last write."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.compile import inlined, parallel_kernel


class DriftLaw(NamedTuple):
    """Figures of a drift in time, float64; see `devices/programmed.py` for the equation.

    The defaults are those of a device whose drift exponent has clipped logarithms and no other terms.
    """

    t0: float  # time after a write to which g belongs [s]
    g_max: float  # upper bound of the population [S]
    nu_slope: float  # mean exponent: change per e-fold of g [1]
    nu: float  # at g_max [1]
    nu_low: float  # its lower limit [1]
    nu_high: float  # its upper limit [1]
    spread_slope: float  # spread of the exponent: change per e-fold of g [1]
    spread: float  # at g_max [1]
    spread_low: float  # its lower limit [1]
    spread_high: float  # its upper limit [1]
    nu_knee: float = math.inf  # g/g_max above which the mean exponent is a polynomial [1]
    nu_2: float = 0.0  # its coefficients [1]
    nu_1: float = 0.0
    nu_0: float = 0.0
    log_drift: float = 0.0  # what is added per e-fold of time [S]
    relax_0: float = 0.0  # spread of the relaxation at t0 [S]
    relax_1: float = 0.0  # its growth per e-fold of time [S]
    nu_least: float = 0.0  # least exponent of a cell [1]
    spread_knee: float = math.inf  # g/g_max above which the spread is a polynomial [1]
    spread_2: float = 0.0  # its coefficients [1]
    spread_1: float = 0.0
    spread_0: float = 0.0


class SlowNoiseLaw(NamedTuple):
    """Figures of 1/f read noise, float64: the share Q of the drifted conductance against x = g/g_max."""

    g_max: float  # upper bound of the population [S]
    q: float  # Q = q x^-exponent + slope ln x [1]
    exponent: float  # [1]
    low: float  # lower limit of Q [1]
    high: float  # its upper limit [1]
    slope: float = 0.0  # [1]
    knee: float = math.inf  # x above which Q is a polynomial [1]
    q_3: float = 0.0  # its coefficients [1]
    q_2: float = 0.0
    q_1: float = 0.0
    q_0: float = 0.0


@inlined
def drift_exponent(g, xi, law):
    """Return the drift exponent nu of a cell whose standard normal number is xi."""
    share = max(np.float64(g) / law.g_max, 1e-6)
    log = math.log(share) if law.nu_slope != 0.0 or law.spread_slope != 0.0 else 0.0
    mean = min(max(law.nu_slope * log + law.nu, law.nu_low), law.nu_high)
    if share > law.nu_knee:
        mean = (law.nu_2 * share + law.nu_1) * share + law.nu_0
    spread = min(max(law.spread_slope * log + law.spread, law.spread_low), law.spread_high)
    if share > law.spread_knee:
        spread = (law.spread_2 * share + law.spread_1) * share + law.spread_0
    return max(mean + spread * xi, law.nu_least)


@parallel_kernel
def drifted(g, written, xi, relax, law, time, out):
    """Write to `out` the conductance at `time` of cells that drift since `written`; all arrays are (rows, columns).

    `relax` holds each cell's standard normal number of the relaxation, and may be an array of one cell if the device has no
    relaxation.
    """
    moving = law.log_drift != 0.0 or law.relax_0 != 0.0 or law.relax_1 != 0.0
    for i in prange(g.shape[0]):
        seen = -1.0
        log = 0.0
        for j in range(g.shape[1]):
            age = max((time - written[i, j]) / law.t0, 1.0)
            if age != seen:  # neighbours are mostly written together, so the logarithm is often known
                seen = age
                log = math.log(age)
            now = np.float64(g[i, j]) * math.exp(-drift_exponent(g[i, j], xi[i, j], law) * log)
            if moving and log > 0.0:
                now += law.log_drift * log + (law.relax_0 + law.relax_1 * log) * relax[i, j]
            out[i, j] = max(now, 0.0)


@inlined
def relaxed_cell(g, written, tau, rest, time):
    """Return rest + (g - rest) exp(-(time - written)/tau), float64; a cell with tau = 0 keeps its g."""
    age = time - written
    keep = math.exp(-age / tau) if tau > 0.0 and age > 0.0 else 1.0
    return rest + (g - rest) * keep


@parallel_kernel
def relaxed(g, written, tau, rest, time, out):
    """Write g(t) = rest + (g - rest) exp(-(t - written)/tau) to `out` (rows, columns); a cell with tau = 0 keeps its g."""
    for i in prange(g.shape[0]):
        for j in range(g.shape[1]):
            out[i, j] = relaxed_cell(g[i, j], written[i, j], tau[i, j], rest[i, j], time)


@parallel_kernel
def relaxed_beside(g, written, tau, rest, offset, time, out):
    """Write the conductances of `relaxed` plus the offset of each cell, at least 0."""
    for i in prange(g.shape[0]):
        for j in range(g.shape[1]):
            held = np.float32(relaxed_cell(g[i, j], written[i, j], tau[i, j], rest[i, j], time)) + offset[i, j]
            out[i, j] = np.float32(0.0) if held < np.float32(0.0) else held


@parallel_kernel
def drained(g, written, tau, rest, rows, left, time):
    """Let all cells of `rows` relax up to `time`, and leave them the share left (rows,) float32 of what is beyond rest."""
    for a in prange(rows.size):
        i = rows[a]
        for j in range(g.shape[1]):
            now = np.float32(relaxed_cell(g[i, j], written[i, j], tau[i, j], rest[i, j], time))
            g[i, j] = rest[i, j] + (now - rest[i, j]) * left[a]
            written[i, j] = time


@parallel_kernel
def settle(g, written, tau, rest, pulses, rows, columns, time):
    """Store, for each cell that will be pulsed, its relaxed conductance at `time`, and `time` as that of its last write."""
    for a in prange(rows.size):
        i = rows[a]
        for b in range(columns.size):
            if pulses[a, b] != 0:
                j = columns[b]
                g[i, j] = relaxed_cell(g[i, j], written[i, j], tau[i, j], rest[i, j], time)
                written[i, j] = time


@parallel_kernel
def stamp(written, pulses, rows, columns, time):
    """Set `written` to `time` for each cell that is pulsed."""
    for a in prange(rows.size):
        for b in range(columns.size):
            if pulses[a, b] != 0:
                written[rows[a], columns[b]] = time


@inlined
def slow_share(g, law):
    """Return the share Q of 1/f noise of a cell that was written with the conductance g."""
    share = max(np.float64(g) / law.g_max, 1e-6)
    q = law.q * share**-law.exponent
    if law.slope != 0.0:
        q += law.slope * math.log(share)
    q = min(max(q, law.low), law.high)
    if share > law.knee:
        q = max(((law.q_3 * share + law.q_2) * share + law.q_1) * share + law.q_0, 0.0)
    return q


@parallel_kernel
def slow_noise(g, seen, written, time, law, t_read, out):
    """Write the variance of 1/f read noise, (Q(g) G)^2 ln((t + t_r)/(2 t_r)) [S²], to `out`; t is the time since the last write.

    The share Q depends on the conductance g as it was written and multiplies the drifted conductance, G = `seen`.
    """
    for i in prange(g.shape[0]):
        for j in range(g.shape[1]):
            age = max(time - written[i, j], t_read)
            q = slow_share(g[i, j], law) * seen[i, j]
            out[i, j] = q * q * math.log((age + t_read) / (2.0 * t_read))


@parallel_kernel
def wear_down(pulses, done, lifetime, rows, columns, allowed):
    """Write to `allowed` the pulses that still move each cell, and add them to `done`; a worn-out cell gets 0."""
    for a in prange(rows.size):
        i = rows[a]
        for b in range(columns.size):
            j = columns[b]
            n = np.int64(pulses[a, b])
            taken = min(abs(n), lifetime[i, j] - done[i, j])
            done[i, j] += taken
            allowed[a, b] = taken if n > 0 else -taken
