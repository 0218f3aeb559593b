"""The examination that every device sits, built-in or yours: ``examine_device(MyDevice()).raise_if_failed()``.

Each check has a name, a verdict and a sentence. `load_device` makes every device pass the quick part; the whole is for
a pytest of your own and for ``python -m analog_ff devices examine``.
"""

from __future__ import annotations

import json
import math
import numbers
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hardware_models.check import UsageError, shown
from hardware_models.devices.adapted import Adapted, adapted, original
from hardware_models.devices.base import SIGNS, BaseDevice, Device
from hardware_models.devices.state import CellState, field, held, remade
from hardware_models.keys import Key
from hardware_models.user_faults import described

QUICK_SHAPE = (3, 4)
SAMPLE = (32, 64)
REFERENCE = "the built-in exponential step"


@dataclass(frozen=True)
class Check:
    """One verdict: passed is None where a check does not apply."""

    name: str
    passed: bool | None
    detail: str


@dataclass(frozen=True)
class Examination:
    """All verdicts on one device."""

    device: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """No check failed."""
        return not self.failures

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(c for c in self.checks if c.passed is False)

    def raise_if_failed(self) -> None:
        """Raise UsageError in one sentence that names every failure."""
        if self.failures:
            said = "; ".join(f"{c.name}: {c.detail.rstrip('.')}" for c in self.failures)
            raise UsageError(f"device '{self.device}' fails its examination: {said}.")

    def describe(self) -> dict[str, object]:
        """Return the verdicts as plain values."""
        return {"device": self.device, "passed": self.passed, "checks": [vars(c) for c in self.checks]}


class _Failed(Exception):
    """A check's sentence."""


class _Skipped(Exception):
    """Why a check does not apply."""


def examine_device(device_or_spec: str | Device, *, quick: bool = False) -> Examination:
    """Return the examination of a device, or of what `load_device` makes of a string.

    Parameters
    ----------
    device_or_spec : Device or str
        The device, or its name, file or class as in ``--device``.
    quick : bool
        Only shapes, bounds, zero pulses, windows and shared state, a few milliseconds.
    """
    if isinstance(device_or_spec, str):
        from hardware_models.devices.load import load_device

        device = load_device(device_or_spec)
    else:
        try:
            device = adapted(device_or_spec)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a property of a user's own class
            return Examination(type(device_or_spec).__name__, (Check(QUICK[0][0], False, described(error)),))
    checks = QUICK if quick else (*QUICK, *WHOLE)
    done = []
    for name, check in checks:
        try:
            with np.errstate(all="ignore"):  # numbers that overflow are found by the checks, in words
                done.append(Check(name, True, check(device) or "as it should be"))
        except _Skipped as reason:
            done.append(Check(name, None, str(reason)))
        except _Failed as failure:
            done.append(Check(name, False, str(failure)))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever a user's own class does
            done.append(Check(name, False, described(error)))
        if done[-1].passed is False and name == QUICK[0][0]:
            break
    return Examination(_name(device), tuple(done))


def _name(device: BaseDevice) -> str:
    try:
        return shown(str(device.name), quoted=False)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return type(original(device)).__name__


def _need(condition: bool, sentence: str) -> None:
    if not condition:
        raise _Failed(sentence)


def _pulses(device: BaseDevice, n: int, shape: tuple[int, int]) -> np.ndarray:
    """Return n pulses a cell, or as many downwards for a device that knows no others."""
    return np.full(shape, -abs(n) if device.polarities == "down" else n, np.int32)


def _held(state: CellState) -> np.ndarray:
    """Return what the pulses act on; what a read sees may lie beside it: write noise, programming noise."""
    named = state._asdict()
    return next((named[name] for name in ("hidden", "target") if name in named), state.g)


def _made(device: BaseDevice, shape: tuple[int, int] = QUICK_SHAPE, seed: int = 0) -> CellState:
    return device.fabricate(shape, Key(seed, "examine"))


def _arrays(state: CellState) -> dict[str, np.ndarray]:
    return {name: a for name, a in zip(state._fields, state, strict=True) if isinstance(a, np.ndarray)}


def _copy(state: CellState) -> CellState:
    return remade(state, (np.array(a, copy=True) for a in state))


def _same(a: CellState, b: CellState) -> bool:
    return all(
        np.array_equal(x, y, equal_nan=True) for x, y in zip(_arrays(a).values(), _arrays(b).values(), strict=True)
    )


def _has_switches(device: BaseDevice) -> bool:
    return not isinstance(device, Adapted) or device.switches


def _switched(device: BaseDevice, *, write_noise: bool = False, spread: bool = False) -> BaseDevice:
    if not _has_switches(device):
        raise _Skipped("the device has no switches (without)")
    return device.without(write_noise=write_noise, spread=spread)


# --- the quick part ---


def figures(device: BaseDevice) -> str:
    """Demand real, finite figures on the data sheet, a conductance range, and a description that JSON can hold."""
    for name in ("g_min", "g_max", "g_range", "states", "v_read", "t_read", "v_up", "t_up", "v_down", "t_down"):
        value = getattr(device, name)
        real = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
        _need(real, f"{name} should be a finite real number, got {shown(value)}")
        _need(value >= 0, f"{name} should be at least 0, got {shown(value)}")
    _need(device.g_min < device.g_max, f"g_min = {device.g_min:g} S should lie below g_max = {device.g_max:g} S")
    _need(device.states >= 1, f"states should be at least 1, got {device.states:g}")
    described_as = device.describe()
    _need(isinstance(described_as, dict), f"describe should return a dictionary, got {shown(described_as)}")
    json.dumps(described_as)
    return f"{device.g_min:g} to {device.g_max:g} S in {device.states:g} states"


def shapes(device: BaseDevice) -> str:
    """State a NamedTuple of arrays of the shape asked for, g float32; reads give finite conductances."""
    state = _made(device)
    _need(hasattr(state, "_fields"), f"fabricate should return a NamedTuple, got {type(state).__name__}")
    _need("g" in state._fields, "the state has no field g [S]")
    _need(isinstance(state.g, np.ndarray) and state.g.dtype == np.float32, "state.g should be a float32 array")
    for name, a in _arrays(state).items():
        _need(a.shape[:2] == QUICK_SHAPE, f"state.{name} has shape {a.shape} instead of {QUICK_SHAPE}")
    asked = _pulses(device, 1, QUICK_SHAPE)
    pulse: Callable[..., object] = device.pulse  # what a user's own returns is not known
    returned = pulse(state, asked, Key(0, "examine"))
    _need(returned is None, "pulse should change the state in place and return None")
    kept = np.array_equal(asked, _pulses(device, 1, QUICK_SHAPE))
    _need(kept, "pulse should leave its argument `pulses` as it is: the pulses are counted from it")
    for what, g in (("state.g", state.g), ("conductance", np.asarray(device.conductance(state, 0.0)))):
        _need(g.shape == QUICK_SHAPE, f"{what} has shape {g.shape} instead of {QUICK_SHAPE}")
        _need(g.dtype == np.float32, f"{what} should be float32, got {g.dtype}")
        _need(bool(np.isfinite(g).all()) and bool((g >= 0).all()), f"{what} should be finite and at least 0")
    variance = np.asarray(device.read_variance(state, 0.0))
    _need(variance.dtype.kind in "fiu", f"read_variance should be real numbers, got {variance.dtype}")
    _need(
        variance.shape in ((), QUICK_SHAPE),
        f"read_variance has shape {variance.shape}, not one number or {QUICK_SHAPE}",
    )
    _need(bool((variance >= 0).all() and np.isfinite(variance).all()), "read_variance should be finite and at least 0")
    return f"state of {', '.join(state._fields)}"


def bounds_kept(device: BaseDevice) -> str:
    """Thousands of pulses either way leave every cell finite, not negative, and within the device's bounds."""
    state = _made(device)
    for n in (5000, -5000, 5000):
        device.pulse(state, _pulses(device, n, QUICK_SHAPE), Key(abs(n), "examine"))
        _need(bool(np.isfinite(state.g).all() and (state.g >= 0).all()), f"{n} pulses lead to {state.g.min():g} S")
        for end, sign in (("low", -1), ("high", 1)):
            bound = field(state, end)
            if isinstance(bound, np.ndarray) and bound.shape == state.g.shape:
                now = held(state)  # what a read sees may lie beyond: write noise
                _need(
                    bool((sign * (now - bound) <= 1e-6 * device.g_max).all()),
                    f"{n} pulses lead beyond a cell's own {end} bound",
                )
    alike = _switched(device, spread=True)
    state = _made(alike)
    # Programming error lands beside the level that was meant.
    slack = 1e-4 * float(alike.g_max - alike.g_min) + 6.0 * float(getattr(alike, "error_high", 0.0))
    for n in (5000, -5000):
        alike.pulse(state, _pulses(alike, n, QUICK_SHAPE), Key(abs(n), "examine"))
        now = _held(state)
        low, high = float(now.min()), float(now.max())
        inside = alike.g_min - slack <= low and high <= alike.g_max + slack
        _need(inside, f"{n} pulses lead to [{low:g}, {high:g}] S, outside [{alike.g_min:g}, {alike.g_max:g}] S")
    return f"within [{device.g_min:g}, {device.g_max:g}] S, but for the spread of the cells"


def zero_pulses(device: BaseDevice) -> str:
    """No pulse, no change: bit for bit, even of a noisy device."""
    state = _made(device)
    device.pulse(state, _pulses(device, 3, QUICK_SHAPE), Key(1, "examine"))
    before = _copy(state)
    device.pulse(state, _pulses(device, 0, QUICK_SHAPE), Key(2, "examine"))
    _need(_same(before, state), "zero pulses change the state")
    return "bit for bit"


def window(device: BaseDevice) -> str:
    """Check that a window touches its cells and no other; without noise it does what the whole array would."""
    place = (np.array([0, 2]), np.array([1, 3]))
    part = _pulses(device, 2, (2, 2))
    state, before = _made(device), _made(device)
    device.pulse(state, part, Key(3, "examine"), place)
    outside = np.ones(QUICK_SHAPE, bool)
    outside[np.ix_(*place)] = False
    _need(np.array_equal(state.g[outside], before.g[outside]), "a windowed pulse changes cells outside its window")
    quiet = _switched(device, write_noise=True)
    a, b, full = _made(quiet), _made(quiet), _pulses(quiet, 0, QUICK_SHAPE)
    full[np.ix_(*place)] = part
    quiet.pulse(a, part, Key(3, "examine"), place)
    quiet.pulse(b, full, Key(3, "examine"))
    _need(np.allclose(a.g, b.g, rtol=1e-5, atol=0), "a windowed pulse moves cells otherwise than the whole array's")
    return "only the window's cells move"


# --- the whole ---


def direction(device: BaseDevice) -> str:
    """Without noise, up pulses raise and down pulses lower the conductance."""
    quiet = _switched(device, write_noise=True)
    state = _made(quiet)
    start = state.g.copy()
    moved = []
    for n in (10, -10):
        before = state.g.copy()
        quiet.pulse(state, _pulses(quiet, n, QUICK_SHAPE), Key(4, "examine"))
        moved.append(float((state.g.astype(np.float64) - before).mean()))
    if device.polarities == "down":
        _need(max(moved) <= 0 and min(moved) < 0, f"10 pulses down move the mean by {moved[0]:g} S")
        return f"10 down: {moved[0]:+.3g} S"
    _need(moved[0] >= 0 >= moved[1], f"10 pulses up move the mean by {moved[0]:g} S, 10 down by {moved[1]:g} S")
    _need(moved[0] > 0 or moved[1] < 0, f"no pulse moves the fresh cell at {float(start.mean()):g} S")
    return f"10 up: {moved[0]:+.3g} S, 10 down: {moved[1]:+.3g} S"


def pulses_add(device: BaseDevice) -> str:
    """Compare n pulses at once with n times one: the same mean and deviation within five standard errors."""
    state = _made(device, SAMPLE)
    return "; ".join(_burst_and_singles(device, state, sign * 8) for sign in (1, -1))


def pulses_add_at_bounds(device: BaseDevice) -> str:
    """Do the same where bursts meet a bound: from it, and a way before it, in both directions."""
    n = int(min(max(8.0, float(device.states) / 3.0), 24.0))
    quiet = _switched(device, write_noise=True) if _has_switches(device) else device
    away = SIGNS[device.polarities]
    shown = []
    for sign in away:
        state = _made(device, SAMPLE)
        quiet.pulse(state, _pulses(device, sign * int(min(3.0 * device.states, 5000.0)), SAMPLE), Key(13, "examine"))
        at = f"at the {'upper' if sign > 0 else 'lower'} bound"
        shown.append(f"{at} {_burst_and_singles(device, state, sign * n, at)}")
        if len(away) > 1:
            _burst_and_singles(device, state, -sign * n, at)
            device.pulse(state, _pulses(device, -sign * (n // 2), SAMPLE), Key(14, "examine"))
            _burst_and_singles(device, state, sign * n, f"{n // 2} pulses before the {at[7:]}")
    return "; ".join(shown)


def _burst_and_singles(device: BaseDevice, state: CellState, n: int, place: str = "") -> str:
    """Compare |n| pulses at once with as many one by one on two copies of `state`; return what they did."""
    once, often = (_copy(state) for _ in range(2))
    start = state.g.astype(np.float64)
    device.pulse(once, _pulses(device, n, SAMPLE), Key(5, "examine"))
    for i in range(abs(n)):
        device.pulse(often, _pulses(device, 1 if n > 0 else -1, SAMPLE), Key(6, "examine", i))
    a, b = once.g - start, often.g - start
    size = a.size
    scale = 1e-3 * abs(float(b.mean())) + 1e-6 * float(device.g_max - device.g_min)
    error = np.sqrt((a.var() + b.var()) / size)
    where = f" {place}" if place else ""
    _need(
        abs(a.mean() - b.mean()) < 5 * error + scale,
        f"{n} at once move{where} {a.mean():.4g} S, one by one {b.mean():.4g} S",
    )
    kurtosis = max(float(((b - b.mean()) ** 4).mean()) / max(float(b.var()) ** 2, 1e-60), 3.0)
    wide = 5 * np.sqrt((kurtosis - 1) / (2 * size)) * b.std() + 0.02 * b.std() + scale
    _need(
        abs(a.std() - b.std()) < wide,
        f"{n} at once scatter{where} by {a.std():.4g} S, one by one by {b.std():.4g} S",
    )
    return f"{n:+d}: {a.mean():.3g} ± {a.std():.2g} S"


def same_seed(device: BaseDevice) -> str:
    """Demand the same bits from the same key."""
    runs = []
    for seed in (0, 0, 1):
        state = _made(device, SAMPLE, seed)
        device.pulse(state, _pulses(device, 3, SAMPLE), Key(seed, "examine/pulse"))
        runs.append(state)
    _need(_same(runs[0], runs[1]), "the same key gave other numbers the second time")
    random = any(getattr(device, n, 0) for names in device.imperfections().values() for n in names)
    return "same key, same bits" + ("; another key differs" if random and not _same(runs[0], runs[2]) else "")


def threads(device: BaseDevice) -> str:
    """Demand the same bits on one thread and on all."""
    import numba

    most = numba.get_num_threads()
    runs = []
    try:
        for number in (1, int(getattr(numba.config, "NUMBA_NUM_THREADS", 1))):
            numba.set_num_threads(number)
            state = _made(device, SAMPLE)
            device.pulse(state, _pulses(device, 3, SAMPLE), Key(7, "examine"))
            runs.append(state)
    finally:
        numba.set_num_threads(most)
    _need(_same(*runs), "the result depends on the number of threads")
    return f"1 and {int(getattr(numba.config, 'NUMBA_NUM_THREADS', 1))} threads agree to the bit"


def compiled(device: BaseDevice) -> str:
    """Compare the kernels of the device's own file, compiled, with their Python source."""
    import sys

    module = sys.modules.get(type(original(device)).__module__)
    kernels = {name: f for name, f in vars(module).items() if hasattr(f, "py_func")} if module else {}
    if not kernels:
        raise _Skipped("no compiled kernel in the device's own file")
    runs = []
    for interpreted in (False, True):
        try:
            for name, f in kernels.items():
                setattr(module, name, f.py_func if interpreted else f)
            state = _made(device)
            with np.errstate(over="ignore"):
                device.pulse(state, _pulses(device, 2, QUICK_SHAPE), Key(8, "examine"))
                device.pulse(state, _pulses(device, -1, QUICK_SHAPE), Key(9, "examine"))
            runs.append(state)
        finally:
            for name, f in kernels.items():
                setattr(module, name, f)
    scale = 1e-5 * float(device.g_max - device.g_min)
    _need(np.allclose(runs[0].g, runs[1].g, rtol=1e-5, atol=scale), "compiled and interpreted kernels disagree")
    return f"{', '.join(kernels)}: interpreted as compiled"


def no_shared_state(device: BaseDevice) -> str:
    """Two arrays of one device are apart."""
    first, second = _made(device), _made(device)
    for name, a in _arrays(first).items():
        _need(not np.shares_memory(a, _arrays(second)[name]), f"two arrays share the memory of state.{name}")
    before = _copy(second)
    device.pulse(first, _pulses(device, 5, QUICK_SHAPE), Key(10, "examine"))
    _need(_same(before, second), "pulsing one array changes another")
    return "two arrays are apart"


def documented(device: BaseDevice) -> str:
    """Every number of the device has a unit and a range, the device a source or the word that it has none."""
    from dataclasses import fields, is_dataclass

    from hardware_models.devices.base import declared

    own = original(device)
    if not is_dataclass(own) or isinstance(own, type):
        raise _Failed("the device should be a frozen dataclass of its numbers")
    said_of = declared(type(own))
    bare = [f.name for f in fields(own) if isinstance(getattr(own, f.name), float) and not said_of[f.name]]
    _need(not bare, f"no unit for {', '.join(bare)}; declare them as x: float = si('S', low, high, default)")
    said = bool(device.source) or bool(type(own).__doc__)
    _need(said, "neither a source nor a docstring says where the numbers come from")
    return device.source or "no source; the docstring speaks for it"


def speed(device: BaseDevice) -> str:
    """Time per pulsed cell, against the built-in exponential step of the same noise; a figure, not a verdict."""
    from hardware_models.devices.exponential_step import ExponentialStep

    shape = (256, 256)
    times = []
    usual = ExponentialStep(g_min=1e-6, g_max=1e-5, states=100.0, cycle_noise=0.01, step_spread=0.1)
    both: tuple[BaseDevice, ...] = (device, usual)
    for one in both:
        state = _made(one, shape)
        pulses = _pulses(one, 1, shape)
        one.pulse(state, pulses, Key(11, "examine"))
        best = np.inf
        for i in range(3):
            t0 = time.perf_counter()
            one.pulse(state, pulses, Key(12, "examine", i))
            best = min(best, time.perf_counter() - t0)
        times.append(best)
    cell = times[0] / (shape[0] * shape[1])
    return f"{cell * 1e9:.1f} ns a cell, {times[0] / times[1]:.1f} times {REFERENCE}"


def waiting(device: BaseDevice) -> str:
    """Let a second pass: the state keeps its form, and every cell stays finite and not negative."""
    state = _made(device)
    before = {name: (a.shape, a.dtype) for name, a in _arrays(state).items()}
    wait: Callable[..., object] = device.wait
    _need(wait(state, 1.0, Key(13, "examine")) is None, "wait should change the state in place and return None")
    _need(before == {name: (a.shape, a.dtype) for name, a in _arrays(state).items()}, "wait changes the state's form")
    g = np.asarray(device.conductance(state, 1.0))
    _need(
        g.shape == QUICK_SHAPE and g.dtype == np.float32, f"after a second conductance is {g.dtype} of shape {g.shape}"
    )
    _need(bool((np.isfinite(g) & (g >= 0)).all()), f"after a second the conductance is {g.min():g} S somewhere")
    return "a second passes"


QUICK: tuple[tuple[str, Callable[[BaseDevice], str]], ...] = (
    ("shapes and types", shapes),
    ("figures", figures),
    ("waiting", waiting),
    ("bounds kept", bounds_kept),
    ("zero pulses change nothing", zero_pulses),
    ("window", window),
    ("no shared state", no_shared_state),
)
"""What every device passes when it is loaded."""
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
