"""Loops over cells that store charge: electrochemical cells and capacitors, and floating gates."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.bursts import MARGIN, row_of
from hardware_models.kernels.compile import inlined, kernel, parallel_kernel
from hardware_models.kernels.drift import relaxed_cell
from hardware_models.kernels.random import first_half, pulse_draw, pulse_normals


class ChargeLaw(NamedTuple):
    """Figures of an electrochemical cell or a capacitor, float32; see `devices/linear_decay.py` for the equation."""

    g_min: float  # lower bound of the population [S]
    width: float  # its range, g_max - g_min [S]
    step: float  # nominal step in units of the range [1]
    zero: float  # where the step is the nominal one, as a share of the range [1]
    cycle_noise: float  # sigma of one pulse in units of the step [1]
    noise_scales: float  # 1: of the present step, 0: of the nominal one


class LogLaw(NamedTuple):
    """Figures of a floating gate, float64; see `devices/floating_gate.py` for the equation."""

    g_min: float  # conductance of level 0 [S]
    logarithm: float  # ln(g_max/g_min) [1]
    step_up: float  # step of the level up [1]
    step_down: float  # step down, positive [1]
    cycle_noise: float  # sigma of one pulse in units of the level [1]
    error_high: float  # A: programming error far above B [S]
    error_scale: float  # B [S]


class Leak(NamedTuple):
    """Times and conductances by which cells relax between pulses, see `kernels.drift.relaxed`."""

    written: np.ndarray  # time of the last write [s], float64; that of pulsed cells is set to `time`
    tau: np.ndarray  # time constant [s]
    rest: np.ndarray  # rest value [S]
    time: float  # of the burst [s]
    leaks: bool  # False: no cell relaxes


class Pulsed(NamedTuple):
    """The pulsed cells of one row, those with the most pulses first: what their steps depend on."""

    u: np.ndarray  # state in units of the range [1]; all are float32 but for `halves`
    step: np.ndarray  # nominal step of the cell [1]
    gamma: np.ndarray  # share of the step lost between z and the bound [1]
    sign: np.ndarray  # of its pulses
    span: np.ndarray  # distance from z to the bound [1]
    bottom: np.ndarray  # bounds [1]
    top: np.ndarray
    halves: np.ndarray  # first half of its random numbers, uint32


@inlined
def charge_step(u, sign, step, gamma, span, law):
    """Return the mean step of an electrochemical cell or a capacitor at the state u, in units of the range, never reversed."""
    return step * max(np.float32(0.0), np.float32(1.0) - gamma * sign * (u - law.zero) / span)


@kernel
def by_size(counts, found, rank):
    """List the cells with pulses in `found`, and their places in `rank` if those with most pulses come first.

    Return how many cells have more than k pulses, for every k up to the largest number.
    """
    most, size = np.int32(0), 0
    for b in range(counts.size):
        most = max(most, abs(counts[b]))
    place, more = np.zeros(most + 1, np.int64), np.zeros(most + 1, np.int64)
    for b in range(counts.size):  # without a branch: as many cells have pulses as have none
        place[abs(counts[b])] += 1
        found[size] = b
        size += counts[b] != 0
    for n in range(most, 0, -1):
        more[n - 1] = more[n] + place[n]
        place[n] = more[n]
    for q in range(size):
        n = abs(counts[found[q]])
        rank[q] = place[n]
        place[n] += 1
    return more


@kernel
def load_pulsed(i, cells, leak, counts, columns, place, law, w0, row):
    """Let the pulsed cells of row i relax, and write what their steps depend on to a `Pulsed`; place: results of `by_size`."""
    found, rank = place
    g, up, down, low, high, gamma_up, gamma_down = cells
    written, tau, rest, time, leaks = leak
    u, step, gamma, sign, span, bottom, top, halves = row
    for q in range(rank.size):
        j, e, rises = columns[found[q]], rank[q], counts[found[q]] > 0
        now = g[i, j]
        if leaks:
            now = np.float32(relaxed_cell(now, written[i, j], tau[i, j], rest[i, j], time))
            written[i, j] = time
        u[e] = (now - law.g_min) / law.width
        bottom[e], top[e] = (low[i, j] - law.g_min) / law.width, (high[i, j] - law.g_min) / law.width
        sign[e] = np.float32(1.0) if rises else np.float32(-1.0)
        step[e] = law.step * (up[i, j] if rises else down[i, j])
        gamma[e] = gamma_up[i, j] if rises else gamma_down[i, j]
        span[e] = (np.float32(1.0) - law.zero) if rises else law.zero
        halves[e] = first_half(i * g.shape[1] + j, w0)


@kernel
def step_row(number, row, noise, law):
    """Give one pulse to the first cells of a `Pulsed`; noise (number,) are normal numbers."""
    u, step, gamma, sign, span, bottom, top, _ = row
    for e in range(number):
        move = charge_step(u[e], sign[e], step[e], gamma[e], span[e], law)
        scale = move if law.noise_scales > np.float32(0.0) else step[e]
        u[e] = min(max(u[e] + sign[e] * (move + law.cycle_noise * scale * noise[e]), bottom[e]), top[e])


@kernel
def charge_row(i, cells, leak, counts, columns, law, key):
    """Do `charge_steps` for row i: pulse after pulse, and all cells that still get one in one loop that vectorises."""
    w0, w1, middles = key
    found, rank = np.empty((2, counts.size), np.int64)
    more = by_size(counts, found, rank)
    size = more[0]
    rank, noise = rank[:size], np.zeros(size, np.float32)
    u, step, gamma, sign, span, bottom, top = np.empty((7, size), np.float32)
    row = Pulsed(u, step, gamma, sign, span, bottom, top, np.empty(size, np.uint32))
    load_pulsed(i, cells, leak, counts, columns, (found, rank), law, w0, row)
    for k in range(more.size - 1):
        if law.cycle_noise > np.float32(0.0):
            pulse_normals(row.halves[: more[k]], k, w1, middles, noise[: more[k]])
        step_row(more[k], row, noise, law)
    g = cells[0]
    for q in range(size):
        g[i, columns[found[q]]] = law.g_min + law.width * u[rank[q]]


@parallel_kernel
def charge_steps(cells, leak, burst, law, key):
    """Let pulsed cells relax, then apply pulses one by one, in place; cells = (g, up, down, low, high, gamma_up, gamma_down)."""
    pulses, first, rows, lines, _, listed = burst
    for a in prange(rows.size):
        counts, columns = row_of(pulses, first, lines, listed, a)
        charge_row(rows[a], cells, leak, counts, columns, law, key)


@inlined
def level_after(start, n, step, cycle_noise, position, w0, w1, middles):
    """Return the level x of a floating gate after n equal steps, each with noise; it lies in [0, 1].

    A noisy burst that may reach a bound is applied pulse by pulse: noise that is clipped on its way has no closed form.
    """
    x = start + abs(n) * step
    sigma = cycle_noise * math.sqrt(abs(n))
    reach = MARGIN * sigma
    near = min(start, x) - reach < 0.0 or max(start, x) + reach > 1.0
    if sigma > 0.0 and near and abs(n) > 1:
        x = start
        for k in range(abs(n)):  # draw 1 belongs to the programming error
            x += step + cycle_noise * pulse_draw(position, k + 2, w0, w1, middles)
            x = min(max(x, 0.0), 1.0)
    elif sigma > 0.0:
        x += sigma * pulse_draw(position, 0, w0, w1, middles)
    return min(max(x, 0.0), 1.0)


@parallel_kernel
def log_steps(cells, burst, law, key):
    """Move cells whose ln(conductance) is linear in pulses, in place; then draw the programming error again.

    cells = (g, level, up, down).
    """
    g, level, up, down = cells
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
                step = law.step_up * up[i, j] if n > 0 else -law.step_down * down[i, j]
                x = level_after(np.float64(level[i, j]), n, step, law.cycle_noise, position, w0, w1, middles)
                level[i, j] = x
                seen = law.g_min * math.exp(law.logarithm * x)
                if law.error_high > 0.0:
                    sigma = law.error_high * -math.expm1(-seen / law.error_scale)
                    seen = max(seen + sigma * pulse_draw(position, 1, w0, w1, middles), 0.0)
                g[i, j] = seen
