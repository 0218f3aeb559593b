"""The quick part, a few milliseconds: figures, shapes, bounds, zero pulses, windows and shared state."""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Callable

import numpy as np

from hardware_models.check import shown
from hardware_models.devices.base import BaseDevice
from hardware_models.devices.state import field, held
from hardware_models.examination.cells import QUICK_SHAPE, arrays, copied, made, pulsed_level, pulses_of, same, switched
from hardware_models.examination.verdict import Failed, need
from hardware_models.keys import Key
from hardware_models.user_contract import GlobalDraws, unmasked


def figures(device: BaseDevice) -> str:
    """Demand real, finite figures on the data sheet, a conductance range, and a description that JSON can hold."""
    for name in ("g_min", "g_max", "g_range", "states", "v_read", "t_read", "v_up", "t_up", "v_down", "t_down"):
        value = getattr(device, name)
        real = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
        need(real, f"{name} should be a finite real number, got {shown(value)}")
        need(value >= 0, f"{name} should be at least 0, got {shown(value)}")
    need(device.g_min < device.g_max, f"g_min = {device.g_min:g} S should lie below g_max = {device.g_max:g} S")
    need(device.states >= 1, f"states should be at least 1, got {device.states:g}")
    described_as = device.describe()
    need(isinstance(described_as, dict), f"describe should return a dictionary, got {shown(described_as)}")
    json.dumps(described_as)
    return f"{device.g_min:g} to {device.g_max:g} S in {device.states:g} states"


def shapes(device: BaseDevice) -> str:
    """State a NamedTuple of arrays of the shape asked for, g float32; reads give finite conductances."""
    state = made(device)
    need(hasattr(state, "_fields"), f"fabricate should return a NamedTuple, got {type(state).__name__}")
    need("g" in state._fields, "the state has no field g [S]")
    need(isinstance(state.g, np.ndarray) and state.g.dtype == np.float32, "state.g should be a float32 array")
    unmasked("state", list(state), Failed)
    for name, a in arrays(state).items():
        need(a.shape[:2] == QUICK_SHAPE, f"state.{name} has shape {a.shape} instead of {QUICK_SHAPE}")
    asked = pulses_of(device, 1, QUICK_SHAPE)
    pulse: Callable[..., object] = device.pulse  # what a user's own returns is not known
    returned = pulse(state, asked, Key(0, "examine"))
    need(returned is None, "pulse should change the state in place and return None")
    kept = np.array_equal(asked, pulses_of(device, 1, QUICK_SHAPE))
    need(kept, "pulse should leave its argument `pulses` as it is: the pulses are counted from it")
    seen, variances = device.conductance(state, 0.0), device.read_variance(state, 0.0)
    unmasked("conductance", seen, Failed)
    unmasked("read_variance", variances, Failed)
    for what, g in (("state.g", state.g), ("conductance", np.asarray(seen))):
        need(g.shape == QUICK_SHAPE, f"{what} has shape {g.shape} instead of {QUICK_SHAPE}")
        need(g.dtype == np.float32, f"{what} should be float32, got {g.dtype}")
        need(bool(np.isfinite(g).all()) and bool((g >= 0).all()), f"{what} should be finite and at least 0")
    variance = np.asarray(variances)
    need(variance.dtype.kind in "fiu", f"read_variance should be real numbers, got {variance.dtype}")
    need(
        variance.shape in ((), QUICK_SHAPE),
        f"read_variance has shape {variance.shape}, not one number or {QUICK_SHAPE}",
    )
    need(bool((variance >= 0).all() and np.isfinite(variance).all()), "read_variance should be finite and at least 0")
    return f"state of {', '.join(state._fields)}"


def waiting(device: BaseDevice) -> str:
    """Let a second pass: the state keeps its form, and every cell stays finite and not negative."""
    state = made(device)
    before = {name: (a.shape, a.dtype) for name, a in arrays(state).items()}
    wait: Callable[..., object] = device.wait
    need(wait(state, 1.0, Key(13, "examine")) is None, "wait should change the state in place and return None")
    need(before == {name: (a.shape, a.dtype) for name, a in arrays(state).items()}, "wait changes the state's form")
    g = np.asarray(device.conductance(state, 1.0))
    need(
        g.shape == QUICK_SHAPE and g.dtype == np.float32, f"after a second conductance is {g.dtype} of shape {g.shape}"
    )
    need(bool((np.isfinite(g) & (g >= 0)).all()), f"after a second the conductance is {g.min():g} S somewhere")
    return "a second passes"


def bounds_kept(device: BaseDevice) -> str:
    """Thousands of pulses either way leave every cell finite, not negative, and within the device's bounds."""
    state = made(device)
    for n in (5000, -5000, 5000):
        device.pulse(state, pulses_of(device, n, QUICK_SHAPE), Key(abs(n), "examine"))
        need(bool(np.isfinite(state.g).all() and (state.g >= 0).all()), f"{n} pulses lead to {state.g.min():g} S")
        for end, sign in (("low", -1), ("high", 1)):
            bound = field(state, end)
            if isinstance(bound, np.ndarray) and bound.shape == state.g.shape:
                now = held(state)  # what a read sees may lie beyond: write noise
                need(
                    bool((sign * (now - bound) <= 1e-6 * device.g_max).all()),
                    f"{n} pulses lead beyond a cell's own {end} bound",
                )
    alike = switched(device, spread=True)
    state = made(alike)
    # Programming error lands beside the level that was meant.
    slack = 1e-4 * float(alike.g_max - alike.g_min) + 6.0 * float(getattr(alike, "error_high", 0.0))
    for n in (5000, -5000):
        alike.pulse(state, pulses_of(alike, n, QUICK_SHAPE), Key(abs(n), "examine"))
        now = pulsed_level(state)
        low, high = float(now.min()), float(now.max())
        inside = alike.g_min - slack <= low and high <= alike.g_max + slack
        need(inside, f"{n} pulses lead to [{low:g}, {high:g}] S, outside [{alike.g_min:g}, {alike.g_max:g}] S")
    return f"within [{device.g_min:g}, {device.g_max:g}] S, but for the spread of the cells"


def zero_pulses(device: BaseDevice) -> str:
    """No pulse, no change: bit for bit, even of a noisy device."""
    state = made(device)
    device.pulse(state, pulses_of(device, 3, QUICK_SHAPE), Key(1, "examine"))
    before = copied(state)
    device.pulse(state, pulses_of(device, 0, QUICK_SHAPE), Key(2, "examine"))
    need(same(before, state), "zero pulses change the state")
    return "bit for bit"


def window(device: BaseDevice) -> str:
    """Check that a window touches its cells and no other; without noise it does what the whole array would."""
    place = (np.array([0, 2]), np.array([1, 3]))
    part = pulses_of(device, 2, (2, 2))
    state, before = made(device), made(device)
    device.pulse(state, part, Key(3, "examine"), place)
    outside = np.ones(QUICK_SHAPE, bool)
    outside[np.ix_(*place)] = False
    need(np.array_equal(state.g[outside], before.g[outside]), "a windowed pulse changes cells outside its window")
    quiet = switched(device, write_noise=True)
    a, b, full = made(quiet), made(quiet), pulses_of(quiet, 0, QUICK_SHAPE)
    full[np.ix_(*place)] = part
    quiet.pulse(a, part, Key(3, "examine"), place)
    quiet.pulse(b, full, Key(3, "examine"))
    need(np.allclose(a.g, b.g, rtol=1e-5, atol=0), "a windowed pulse moves cells otherwise than the whole array's")
    return "only the window's cells move"


def no_shared_state(device: BaseDevice) -> str:
    """Two arrays of one device are apart."""
    first, second = made(device), made(device)
    for name, a in arrays(first).items():
        need(not np.shares_memory(a, arrays(second)[name]), f"two arrays share the memory of state.{name}")
    before = copied(second)
    device.pulse(first, pulses_of(device, 5, QUICK_SHAPE), Key(10, "examine"))
    need(same(before, second), "pulsing one array changes another")
    return "two arrays are apart"


def draws(device: BaseDevice) -> str:
    """Demand that all chance comes from the key: the same key gives the same bits, and no global random state moves."""
    before, runs = GlobalDraws(), []
    for _ in range(2):
        state = made(device)
        device.pulse(state, pulses_of(device, 3, QUICK_SHAPE), Key(11, "examine"))
        device.wait(state, 1.0, Key(12, "examine"))
        runs.append((state, np.array(device.conductance(state, 1.0)), np.array(device.read_variance(state, 1.0))))
    before.refuse("the device", Failed)
    alike = same(runs[0][0], runs[1][0]) and all(
        np.array_equal(a, b) for a, b in zip(runs[0][1:], runs[1][1:], strict=True)
    )
    need(alike, "the same key gave other numbers the second time: draw from the key alone")
    return "the same key, the same bits; no global state"


QUICK: tuple[tuple[str, Callable[[BaseDevice], str]], ...] = (
    ("shapes and types", shapes),
    ("figures", figures),
    ("waiting", waiting),
    ("bounds kept", bounds_kept),
    ("zero pulses change nothing", zero_pulses),
    ("window", window),
    ("no shared state", no_shared_state),
    ("draws from the key alone", draws),
)
"""Checks that every device passes when it is loaded."""
