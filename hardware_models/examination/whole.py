"""The rest of the examination: directions, statistics of bursts, randomness, threads, compiled kernels, documentation, speed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import fields, is_dataclass

import numpy as np

from hardware_models.devices.adapted import original
from hardware_models.devices.base import SIGNS, BaseDevice, declared
from hardware_models.devices.state import CellState
from hardware_models.examination.cells import QUICK_SHAPE, SAMPLE, copied, has_switches, made, pulses_of, same, switched
from hardware_models.examination.verdict import Failed, Skipped, need
from hardware_models.keys import Key

REFERENCE = "the built-in exponential step"


def direction(device: BaseDevice) -> str:
    """Without noise, up pulses raise and down pulses lower the conductance."""
    quiet = switched(device, write_noise=True)
    state = made(quiet)
    start = state.g.copy()
    moved = []
    for n in (10, -10):
        before = state.g.copy()
        quiet.pulse(state, pulses_of(quiet, n, QUICK_SHAPE), Key(4, "examine"))
        moved.append(float((state.g.astype(np.float64) - before).mean()))
    if device.polarities == "down":
        need(max(moved) <= 0 and min(moved) < 0, f"10 pulses down move the mean by {moved[0]:g} S")
        return f"10 down: {moved[0]:+.3g} S"
    need(moved[0] >= 0 >= moved[1], f"10 pulses up move the mean by {moved[0]:g} S, 10 down by {moved[1]:g} S")
    need(moved[0] > 0 or moved[1] < 0, f"no pulse moves the fresh cell at {float(start.mean()):g} S")
    return f"10 up: {moved[0]:+.3g} S, 10 down: {moved[1]:+.3g} S"


def pulses_add(device: BaseDevice) -> str:
    """Compare n pulses at once with n times one: the same mean and deviation within five standard errors."""
    state = made(device, SAMPLE)
    return "; ".join(_burst_and_singles(device, state, sign * 8) for sign in (1, -1))


def pulses_add_at_bounds(device: BaseDevice) -> str:
    """Do the same where bursts meet a bound: from it, and a way before it, in both directions."""
    n = int(min(max(8.0, float(device.states) / 3.0), 24.0))
    quiet = switched(device, write_noise=True) if has_switches(device) else device
    away = SIGNS[device.polarities]
    shown = []
    for sign in away:
        state = made(device, SAMPLE)
        quiet.pulse(state, pulses_of(device, sign * int(min(3.0 * device.states, 5000.0)), SAMPLE), Key(13, "examine"))
        at = f"at the {'upper' if sign > 0 else 'lower'} bound"
        shown.append(f"{at} {_burst_and_singles(device, state, sign * n, at)}")
        if len(away) > 1:
            _burst_and_singles(device, state, -sign * n, at)
            device.pulse(state, pulses_of(device, -sign * (n // 2), SAMPLE), Key(14, "examine"))
            _burst_and_singles(device, state, sign * n, f"{n // 2} pulses before the {at[7:]}")
    return "; ".join(shown)


def _burst_and_singles(device: BaseDevice, state: CellState, n: int, place: str = "") -> str:
    """Compare |n| pulses at once with as many one by one on two copies of `state`; return what they did."""
    once, often = (copied(state) for _ in range(2))
    start = state.g.astype(np.float64)
    device.pulse(once, pulses_of(device, n, SAMPLE), Key(5, "examine"))
    for i in range(abs(n)):
        device.pulse(often, pulses_of(device, 1 if n > 0 else -1, SAMPLE), Key(6, "examine", i))
    a, b = once.g - start, often.g - start
    size = a.size
    scale = 1e-3 * abs(float(b.mean())) + 1e-6 * float(device.g_max - device.g_min)
    error = np.sqrt((a.var() + b.var()) / size)
    where = f" {place}" if place else ""
    need(
        abs(a.mean() - b.mean()) < 5 * error + scale,
        f"{n} at once move{where} {a.mean():.4g} S, one by one {b.mean():.4g} S",
    )
    kurtosis = max(float(((b - b.mean()) ** 4).mean()) / max(float(b.var()) ** 2, 1e-60), 3.0)
    wide = 5 * np.sqrt((kurtosis - 1) / (2 * size)) * b.std() + 0.02 * b.std() + scale
    need(
        abs(a.std() - b.std()) < wide,
        f"{n} at once scatter{where} by {a.std():.4g} S, one by one by {b.std():.4g} S",
    )
    return f"{n:+d}: {a.mean():.3g} ± {a.std():.2g} S"


def same_seed(device: BaseDevice) -> str:
    """Demand the same bits from the same key."""
    runs = []
    for seed in (0, 0, 1):
        state = made(device, SAMPLE, seed)
        device.pulse(state, pulses_of(device, 3, SAMPLE), Key(seed, "examine/pulse"))
        runs.append(state)
    need(same(runs[0], runs[1]), "the same key gave other numbers the second time")
    random = any(getattr(device, n, 0) for names in device.imperfections().values() for n in names)
    return "same key, same bits" + ("; another key differs" if random and not same(runs[0], runs[2]) else "")


def threads(device: BaseDevice) -> str:
    """Demand the same bits on one thread and on all."""
    import numba

    most, every = numba.get_num_threads(), int(getattr(numba.config, "NUMBA_NUM_THREADS", 1))
    if every == 1:
        raise Skipped("there is one thread only here (one core, or NUMBA_NUM_THREADS=1), and nothing to compare")
    runs = []
    try:
        for number in (1, every):
            numba.set_num_threads(number)
            state = made(device, SAMPLE)
            device.pulse(state, pulses_of(device, 3, SAMPLE), Key(7, "examine"))
            runs.append(state)
    finally:
        numba.set_num_threads(most)
    need(same(*runs), "the result depends on the number of threads")
    return f"1 and {every} threads agree to the bit"


def compiled(device: BaseDevice) -> str:
    """Compare the kernels of the device's own file, compiled, with their Python source."""
    module = sys.modules.get(type(original(device)).__module__)
    kernels = {name: f for name, f in vars(module).items() if hasattr(f, "py_func")} if module else {}
    if not kernels:
        raise Skipped("no compiled kernel in the device's own file")
    runs = []
    for interpreted in (False, True):
        try:
            for name, f in kernels.items():
                setattr(module, name, f.py_func if interpreted else f)
            state = made(device)
            with np.errstate(over="ignore"):
                device.pulse(state, pulses_of(device, 2, QUICK_SHAPE), Key(8, "examine"))
                device.pulse(state, pulses_of(device, -1, QUICK_SHAPE), Key(9, "examine"))
            runs.append(state)
        finally:
            for name, f in kernels.items():
                setattr(module, name, f)
    scale = 1e-5 * float(device.g_max - device.g_min)
    need(np.allclose(runs[0].g, runs[1].g, rtol=1e-5, atol=scale), "compiled and interpreted kernels disagree")
    return f"{', '.join(kernels)}: interpreted as compiled"


def documented(device: BaseDevice) -> str:
    """Every number of the device has a unit and a range, the device a source or the word that it has none."""
    own = original(device)
    if not is_dataclass(own) or isinstance(own, type):
        raise Failed("the device should be a frozen dataclass of its numbers")
    said_of = declared(type(own))
    bare = [f.name for f in fields(own) if isinstance(getattr(own, f.name), float) and not said_of[f.name]]
    need(not bare, f"no unit for {', '.join(bare)}; declare them as x: float = si('S', low, high, default)")
    said = bool(device.source) or bool(type(own).__doc__)
    need(said, "neither a source nor a docstring says where the numbers come from")
    return device.source or "no source; the docstring speaks for it"


def speed(device: BaseDevice) -> str:
    """Time per pulsed cell, against the built-in exponential step of the same noise; a figure, not a verdict."""
    from hardware_models.devices.exponential_step import ExponentialStep

    shape = (256, 256)
    times = []
    usual = ExponentialStep(g_min=1e-6, g_max=1e-5, states=100.0, cycle_noise=0.01, step_spread=0.1)
    both: tuple[BaseDevice, ...] = (device, usual)
    for one in both:
        state = made(one, shape)
        pulses = pulses_of(one, 1, shape)
        one.pulse(state, pulses, Key(11, "examine"))
        best = np.inf
        for i in range(3):
            t0 = time.perf_counter()
            one.pulse(state, pulses, Key(12, "examine", i))
            best = min(best, time.perf_counter() - t0)
        times.append(best)
    cell = times[0] / (shape[0] * shape[1])
    return f"{cell * 1e9:.1f} ns a cell, {times[0] / times[1]:.1f} times {REFERENCE}"


WHOLE: tuple[tuple[str, Callable[[BaseDevice], str]], ...] = (
    ("direction", direction),
    ("n pulses at once = n times one", pulses_add),
    ("n at once = n times one at the bounds", pulses_add_at_bounds),
    ("same seed, same bits", same_seed),
    ("thread independence", threads),
    ("compiled = interpreted", compiled),
    ("units and source", documented),
    ("speed", speed),
)
"""The rest of the examination."""
