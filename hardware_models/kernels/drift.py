"""Loops over cells whose conductance depends on the time since their last write."""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from hardware_models.kernels.compile import inlined, parallel_kernel

NO_MORE = (np.inf, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, np.inf, 0.0, 0.0, 0.0)
"""Last figures of `drifted` for a device whose drift exponent has clipped logarithms and no other terms."""


@inlined
def drift_exponent(g, xi, p):
    """Return the drift exponent nu of a cell; p as in `drifted`."""
    share = max(np.float64(g) / p[1], 1e-6)
    log = math.log(share) if p[2] != 0.0 or p[6] != 0.0 else 0.0
    mean = min(max(p[2] * log + p[3], p[4]), p[5])
    if share > p[10]:
        mean = (p[11] * share + p[12]) * share + p[13]
    spread = min(max(p[6] * log + p[7], p[8]), p[9])
    if share > p[18]:
        spread = (p[19] * share + p[20]) * share + p[21]
    return max(mean + spread * xi, p[17])


@parallel_kernel
def drifted(g, written, xi, relax, p, time, out):
    """Write to `out` the conductance at `time` of cells that drift since `written`; all arrays are (rows, columns).

    p = (t0, g_max, nu: slope, offset, low, high, sigma_nu: slope, offset, low, high, nu above its knee: knee, n2, n1, n0,
    drift per e-fold of time, relaxation: offset, per e-fold, least exponent, sigma_nu above its knee: knee, s2, s1, s0)
    float64; see `devices/programmed.py` for the equation. `relax` holds each cell's standard normal number of the relaxation,
    and may be an array of one cell if the device has no relaxation.
    """
    moving = p[14] != 0.0 or p[15] != 0.0 or p[16] != 0.0
    for i in prange(g.shape[0]):
        seen = -1.0
        log = 0.0
        for j in range(g.shape[1]):
            age = max((time - written[i, j]) / p[0], 1.0)
            if age != seen:  # neighbours are mostly written together, so the logarithm is often known
                seen = age
                log = math.log(age)
            now = np.float64(g[i, j]) * math.exp(-drift_exponent(g[i, j], xi[i, j], p) * log)
            if moving and log > 0.0:
                now += p[14] * log + (p[15] + p[16] * log) * relax[i, j]
            out[i, j] = max(now, 0.0)


@parallel_kernel
def relaxed(g, written, tau, rest, time, out):
    """Write g(t) = rest + (g - rest) exp(-(t - written)/tau) to `out` (rows, columns); a cell with tau = 0 keeps its g."""
    for i in prange(g.shape[0]):
        for j in range(g.shape[1]):
            age = time - written[i, j]
            keep = math.exp(-age / tau[i, j]) if tau[i, j] > 0.0 and age > 0.0 else 1.0
            out[i, j] = rest[i, j] + (g[i, j] - rest[i, j]) * keep


@parallel_kernel
def settle(g, written, tau, rest, pulses, rows, columns, time):
    """Store, for each cell that will be pulsed, its relaxed conductance at `time`, and `time` as that of its last write."""
    for a in prange(rows.size):
        i = rows[a]
        for b in range(columns.size):
            if pulses[a, b] != 0:
                j = columns[b]
                age = time - written[i, j]
                keep = math.exp(-age / tau[i, j]) if tau[i, j] > 0.0 and age > 0.0 else 1.0
                g[i, j] = rest[i, j] + (g[i, j] - rest[i, j]) * keep
                written[i, j] = time


@parallel_kernel
def stamp(written, pulses, rows, columns, time):
    """Set `written` to `time` for each cell that is pulsed."""
    for a in prange(rows.size):
        for b in range(columns.size):
            if pulses[a, b] != 0:
                written[rows[a], columns[b]] = time


@parallel_kernel
def slow_noise(g, seen, written, time, law, t_read, out):
    """Write the variance of 1/f read noise, (Q(g) G)^2 ln((t + t_r)/(2 t_r)) [S²], to `out`; t is the time since the last write.

    The share Q depends on the conductance g as it was written and multiplies the drifted conductance, G = `seen`.
    law = (g_max, q, exponent, floor, ceiling, slope, knee, q3, q2, q1, q0) float64, x = g/g_max:
    Q = q x^-exponent + slope ln x between floor and ceiling, above the knee q3 x^3 + q2 x^2 + q1 x + q0.
    """
    for i in prange(g.shape[0]):
        for j in range(g.shape[1]):
            age = max(time - written[i, j], t_read)
            share = max(np.float64(g[i, j]) / law[0], 1e-6)
            q = law[1] * share ** -law[2]
            if law[5] != 0.0:
                q += law[5] * math.log(share)
            q = min(max(q, law[3]), law[4])
            if share > law[6]:
                q = max(((law[7] * share + law[8]) * share + law[9]) * share + law[10], 0.0)
            q *= seen[i, j]
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
