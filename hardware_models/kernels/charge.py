"""Loops over cells that store charge: electrochemical cells and capacitors, and floating gates."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.bursts import MARGIN, row_of
from hardware_models.kernels.compile import inlined, parallel_kernel
from hardware_models.kernels.random import pulse_draw


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


@inlined
def charge_step(u, sign, step, gamma, span, law):
    """Return the mean step of an electrochemical cell or a capacitor at the state u, in units of the range, never reversed."""
    return step * max(np.float32(0.0), np.float32(1.0) - gamma * sign * (u - law.zero) / span)


@parallel_kernel
def charge_steps(cells, burst, law, key):
    """Apply pulses one by one, in place; cells = (g, up, down, low, high, gamma_up, gamma_down)."""
    g, up, down, low, high, gamma_up, gamma_down = cells
    pulses, first, rows, lines, _, listed = burst
    w0, w1, middles = key
    for a in prange(rows.size):
        i = rows[a]
        counts, columns = row_of(pulses, first, lines, listed, a)
        for b in range(columns.size):
            n = counts[b]
            if n != 0:
                j = columns[b]
                u = (g[i, j] - law.g_min) / law.width
                bottom, top = (low[i, j] - law.g_min) / law.width, (high[i, j] - law.g_min) / law.width
                sign = np.float32(1.0) if n > 0 else np.float32(-1.0)
                step = law.step * (up[i, j] if n > 0 else down[i, j])
                gamma = gamma_up[i, j] if n > 0 else gamma_down[i, j]
                span = (np.float32(1.0) - law.zero) if n > 0 else law.zero
                for k in range(abs(n)):
                    move = charge_step(u, sign, step, gamma, span, law)
                    noise = np.float32(0.0)
                    if law.cycle_noise > np.float32(0.0):
                        scale = move if law.noise_scales > np.float32(0.0) else step
                        noise = law.cycle_noise * scale * pulse_draw(i * g.shape[1] + j, k, w0, w1, middles)
                    u = min(max(u + sign * (move + noise), bottom), top)
                g[i, j] = law.g_min + law.width * u


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
