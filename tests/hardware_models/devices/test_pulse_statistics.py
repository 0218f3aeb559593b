"""Every model with noise: n pulses at once against n pulses one by one, for 1, 2, 10 and 1000 pulses.

The one-by-one run is the slow twin: whatever closed form or loop a model has for n pulses, the distribution after them
must be that of n calls with one pulse each, bounds included.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from hardware_models.devices import MODELS
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.tables import lookup

KEY = Key(5, "statistics")
SHAPE = (48, 64)
RANGE: dict[str, Any] = {"g_min": 1e-6, "g_max": 1e-5}
NOISY: dict[str, dict[str, Any]] = {
    "exponential_step": RANGE | {"states": 200.0, "a_up": 0.4, "a_down": -0.8, "cycle_noise": 0.01},
    "constant_step": RANGE | {"states": 200.0, "cycle_noise": 0.01},
    "linear_step": RANGE | {"states": 200.0, "gamma_up": 0.6, "gamma_down": 0.3, "cycle_noise": 0.01},
    "linear_step multiplicative": RANGE | {"states": 200.0, "gamma_up": 0.6, "cycle_noise": 0.01,
                                           "noise": "multiplicative"},
    "soft_bounds": RANGE | {"states": 200.0, "cycle_noise": 0.01},
    "soft_bounds with write noise": RANGE | {"states": 200.0, "cycle_noise": 0.01, "write_noise": 0.02},
    "exponential_activity": RANGE | {"states": 200.0, "cycle_noise": 0.01, "noise_added": 0.002, "noise_slope": 0.01},
    "power_step": RANGE | {"states": 200.0, "gamma_up": 1.5, "gamma_down": 0.7, "cycle_noise": 0.01},
    "one_sided": RANGE | {"states": 200.0, "cycle_noise": 0.01},
    "ferroelectric": RANGE | {"states": 200.0, "cycle_noise": 0.01},
    "capacitor": RANGE | {"states": 200.0, "cycle_noise": 2.0},
    "electrochemical": RANGE | {"states": 200.0, "cycle_noise": 2.0, "gamma_up": 0.5},
    "magnetic": RANGE | {"states": 16.0, "junctions": 16.0, "probability_up": 0.05, "probability_down": 0.1},
    "phase_change": RANGE | {"states": 200.0, "amplitude": 2.0, "gamma": 2.0, "cycle_noise": 0.5},
    "floating_gate": RANGE | {"states": 200.0, "cycle_noise": 0.01},
    "programmed": RANGE | {"states": 200.0, "error_0": 2e-7, "shift_1": -1e-6},
}  # fmt: skip


def made(name: str) -> Any:
    """Return the noisy device of a line of `NOISY`."""
    return lookup("device model", name.split()[0], MODELS)(**NOISY[name])


def after(device: Any, n: int, calls: int, key: Key, start: float | None = None) -> np.ndarray:
    """Return what a read sees after `calls` times n pulses from the share `start` of the range, in units of the range."""
    state = device.fabricate(SHAPE, KEY)
    if start is not None:
        g = device.g_min + device.g_range * start
        places = {"g": g, "hidden": g, "target": g, "switched": round(start * getattr(device, "junctions", 0.0)),
                  "level": math.log(g / device.g_min) / math.log(device.g_max / device.g_min)}  # fmt: skip
        for name in set(places) & set(state._fields):
            getattr(state, name)[:] = places[name]
    for k in range(calls):
        device.pulse(state, np.full(SHAPE, n, np.int32), key.at(k))
    return (state.g.astype(np.float64).ravel() - device.g_min) / device.g_range


@pytest.mark.parametrize("n", [1, 2, 10, 1000])
@pytest.mark.parametrize("name", NOISY)
def test_n_pulses_at_once_are_n_pulses(name: str, n: int) -> None:
    """Mean and variance within 4.5 standard errors of the difference, and the same distribution (Kolmogorov-Smirnov)."""
    device = made(name)
    polarities = getattr(device, "polarities", "both")
    for sign in {"both": (1, -1), "up": (1,), "down": (-1,)}[polarities]:
        alike(after(device, sign * n, 1, KEY.child("once")), after(device, sign, n, KEY.child("often")))


def alike(once: np.ndarray, often: np.ndarray) -> None:
    """Demand the same mean, variance and distribution of two samples of one size."""
    size = once.size
    error = np.sqrt((once.var() + often.var()) / size)
    assert abs(once.mean() - often.mean()) < 4.5 * error + 1e-5, (once.mean(), often.mean())
    fourth = float(np.mean((often - often.mean()) ** 4))
    error = np.sqrt(2.0 * max(fourth - often.var() ** 2, 0.0) / size)
    assert abs(once.var() - often.var()) < 4.5 * error + 1e-9, (once.std(), often.std())
    # Discrete or clipped values make the test conservative, never liberal; ties below float32's grid are rounded off.
    assert stats.ks_2samp(np.round(once, 5), np.round(often, 5), method="asymp").pvalue > 1e-5


@pytest.mark.parametrize("start", [0.1, 0.9])
@pytest.mark.parametrize("name", NOISY)
def test_bursts_that_meet_a_bound_are_pulses_one_by_one(name: str, start: float) -> None:
    """40 pulses from a tenth of the range before a bound, towards it and away from it."""
    device = made(name)
    for sign in {"both": (1, -1), "up": (1,), "down": (-1,)}[getattr(device, "polarities", "both")]:
        once = after(device, sign * 40, 1, KEY.child("once"), start)
        alike(once, after(device, sign, 40, KEY.child("often"), start))


def test_forty_pulses_of_charge_trap_memory_from_nine_tenths() -> None:
    """The level is that of a walk stopped at each step, which noise stopped once, at the end, is not: the test tells them."""
    device: Any = made("floating_gate")
    for sign, start in ((1, 0.9), (-1, 0.1)):
        state = device.fabricate((200, 200), KEY)
        state.level[:] = start
        device.pulse(state, np.full((200, 200), sign * 40, np.int32), KEY)
        walk = np.full(40_000, start)
        rng = np.random.default_rng(3)
        for _ in range(40):
            walk = np.clip(walk + sign / 200.0 + 0.01 * rng.standard_normal(walk.size), 0.0, 1.0)
        alike(state.level.ravel(), walk)
        once = np.clip(start + sign * 40 / 200.0 + 0.01 * math.sqrt(40) * rng.standard_normal(walk.size), 0.0, 1.0)
        with pytest.raises(AssertionError):
            alike(once, walk)


def test_every_trainable_model_is_looked_at() -> None:
    """A model that is added must be added here; what has no noise of its own, or a table of it, is named."""
    looked = {name.split()[0] for name in NOISY}
    assert set(MODELS) - looked == {"ideal", "piecewise", "measured"}


@pytest.mark.parametrize("n", [1, 2, 10])
def test_published_floating_gate(n: int) -> None:
    """The pulsed SONOS device has programming error as well; the same law."""
    device: Any = load_device("agrawal2022_sonos_pulsed")
    for sign in (1, -1):
        once, often = after(device, sign * n, 1, KEY), after(device, sign, n, KEY.child("often"))
        assert abs(once.mean() - often.mean()) < 4.5 * np.sqrt((once.var() + often.var()) / once.size) + 1e-4
        assert once.std() == pytest.approx(often.std(), rel=4.5 / np.sqrt(once.size))
