"""Laws of single cells beside the simulation: pulses, their noise, time and wear. `validation_figures` runs these checks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from analog_ff.output.forms import panels
from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.devices.power_drift import PowerDrift
from hardware_models.devices.retention import Retention
from hardware_models.devices.wear import Wear
from hardware_models.keys import Key
from hardware_models.load import load_device

KEY = Key(0, "validation")
SIZE = (7.2, 2.9)
ERRORS = 5.0
"""Standard errors that a statistic may be off: by chance one normal number in 1.7 million is further away."""


class Check(NamedTuple):
    """A law beside the simulation."""

    name: str
    """Picture, as docs/img/validation_NAME.png."""
    what: str
    deviation: float
    """Largest deviation, in the unit that `what` says."""
    allowed: float
    why: str
    """Reason for the allowed deviation."""
    figure: Any


def quiet(name: str = "memristor") -> Any:
    """Return a published device without noise and spread."""
    return load_device(name).without(read_noise=True, write_noise=True, spread=True)


def beside(axes: Any, title: str, x: str, y: str, **scales: str) -> None:
    """Name an axes and its directions."""
    axes.set_title(title, fontsize="medium")
    axes.set(xlabel=x, ylabel=y, **scales)


def curve(u0: float, n: np.ndarray, a: float, states: float) -> np.ndarray:
    """Return the state after n pulses from u0 by the closed form of `devices/exponential_step.py`, in float64."""
    b = 1.0 / -math.expm1(-1.0 / a)
    return u0 + (b - u0) * -np.expm1(-n / (a * states))


def staircase() -> Check:
    """Return the staircase of single pulses beside NeuroSim's closed form."""
    figure, (left, right) = panels(1, 2, size=SIZE)
    worst, most = 0.0, 0
    for number, name in enumerate(("memristor", "jo2010_ag_asi")):
        device = quiet(name)
        up, down = round(device.states), round(device.states_down)
        state = device.fabricate((1, 1), KEY)
        state.g[:] = device.g_min
        seen = [float(state.g[0, 0])]
        for n in range(up + down):
            device.pulse(state, np.full((1, 1), 1 if n < up else -1, np.int32), KEY.at(n))
            seen.append(float(state.g[0, 0]))
        rising = curve(0.0, np.arange(up + 1), device.a_up, up)
        law = np.append(rising, curve(1.0, -np.arange(1, down + 1), device.a_down, down))
        u = (np.array(seen) - device.g_min) / device.g_range
        left.plot(np.arange(u.size)[::6], u[::6], "o", ms=3, color=f"C{number}", label=name)
        left.plot(law, lw=1, color="black", label="closed form" if number else None)
        right.plot(1e6 * (u - law), lw=1, color=f"C{number}", label=name)
        worst, most = max(worst, float(np.abs(u - law).max())), max(most, up + down)
    beside(left, "pulses one by one, up and down", "pulse", "u = (G - G_min)/(G_max - G_min)")
    beside(right, "simulated less closed form", "pulse", "difference of u [1e-6]")
    left.legend(fontsize="x-small", loc="lower center")
    return Check("staircase", "staircase of pulses, share of the range", worst, most * 1.2e-7,
                 f"{most} pulses in float32, each rounded by 2^-23 at most", figure)  # fmt: skip


def pulse_noise() -> Check:
    """Return the spread of bursts on a bent curve beside the sum of the faded noise of their pulses."""
    figure, axes = panels(size=(4.6, 2.9))
    cells, sigma, worst = 20_000, 0.002, 0.0
    for number, a in enumerate((0.2, 0.5, 1e6)):
        device = ExponentialStep(g_min=1e-6, g_max=1e-5, states=128.0, a_up=a, cycle_noise=sigma)
        counts = np.array([1, 2, 4, 8, 16, 32])
        deviations = []
        for n in counts:
            state = device.fabricate((1, cells), KEY)
            state.g[:] = device.g_min + 0.3 * device.g_range
            device.pulse(state, np.full((1, cells), n, np.int32), KEY.at(int(n)))
            deviations.append(state.g.std(dtype=np.float64) / device.g_range)
        q = math.exp(-1.0 / (128.0 * a))
        law = sigma * np.sqrt(np.array([sum(q ** (2 * k) for k in range(n)) for n in counts]))
        axes.plot(counts, deviations, "o", ms=4, color=f"C{number}", label=f"A/P = {a:g}")
        axes.plot(counts, law, lw=1, color="black")
        worst = max(worst, float(np.abs(np.array(deviations) / law - 1.0).max()))
    beside(axes, "noise of n pulses at once", "n", "standard deviation of u", xscale="log", yscale="log")
    axes.legend(fontsize="small")
    return Check("pulse_noise", "deviation of a burst, share of itself", worst, ERRORS / math.sqrt(2 * cells),
                 f"{ERRORS:g} standard errors of the deviation of {cells} cells", figure)  # fmt: skip


def time_laws() -> Check:
    """Return drift and relaxation of cells beside their closed forms."""
    figure, axes = panels(size=(4.6, 2.9))
    ages = np.logspace(0, 7, 15)
    start, worst = 5.5e-6, 0.0
    cases: list[tuple[str, Any, Callable[[np.ndarray], np.ndarray]]] = [
        ("power law, nu = 0.05", PowerDrift.around(quiet(), nu=0.05), lambda t: np.maximum(t, 1.0) ** -0.05),
        ("power law, nu = -0.02", PowerDrift.around(quiet(), nu=-0.02), lambda t: np.maximum(t, 1.0) ** 0.02),
        ("relaxation, 1e5 s", Retention.around(quiet(), tau=1e5, rest=0.0),
         lambda t: (1e-6 + (start - 1e-6) * np.exp(-t / 1e5)) / start),
    ]  # fmt: skip
    for number, (label, device, law) in enumerate(cases):
        state = device.fabricate((1, 1), KEY)
        state.g[:] = start
        seen = np.array([float(device.conductance(state, float(t))[0, 0]) for t in ages]) / start
        axes.plot(ages, seen, "o", ms=4, color=f"C{number}", label=label)
        dense = np.logspace(0, 7, 200)
        axes.plot(dense, law(dense), lw=1, color="black")
        worst = max(worst, float(np.abs(seen / law(ages) - 1.0).max()))
    beside(axes, "what a read sees, over what was written", "time since the write [s]", "G(t)/G", xscale="log")
    axes.legend(fontsize="small")
    return Check("time", "conductance after a time, share of itself", worst, 2e-6,
                 "exponential, power and product in float32, a few roundings of 6e-8 each", figure)  # fmt: skip


def wear() -> Check:
    """Return the share of worn cells beside the log-normal distribution of their lives."""
    figure, axes = panels(size=(4.6, 2.9))
    cells, worst = 10_000, 0.0
    pulses = np.array([50, 100, 200, 400, 800, 1600])
    for number, spread in enumerate((0.3, 0.8)):
        device: Any = Wear.around(quiet(), endurance=300.0, endurance_spread=spread)
        state = device.fabricate((1, cells), KEY)
        shares = []
        for n in np.diff(pulses, prepend=0):
            device.pulse(state, np.full((1, cells), n, np.int32), KEY)
            shares.append(float(np.mean(state.pulsed >= state.lifetime)))
        dense = np.geomspace(50, 1600, 101)  # every twentieth of them is one of `pulses`
        law = np.array([0.5 * math.erfc(-math.log(n / 300.0) / (spread * math.sqrt(2))) for n in dense])
        axes.plot(pulses, shares, "o", ms=4, color=f"C{number}", label=f"spread {spread:g}")
        axes.plot(dense, law, lw=1, color="black")
        worst = max(worst, float(np.abs(np.array(shares) - law[::20]).max()))
    beside(axes, "cells of 300 pulses in the median", "pulses received", "share worn", xscale="log")
    axes.legend(fontsize="small")
    return Check("wear", "share of worn cells", worst, ERRORS * 0.5 / math.sqrt(cells),
                 f"{ERRORS:g} standard errors of a share of {cells} cells, at most", figure)  # fmt: skip
