"""The examination finds each fault that it says it looks for, and passes what has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.devices import MODELS, PUBLISHED
from hardware_models.devices.base import BaseDevice, gathered, si
from hardware_models.examination import examine
from hardware_models.load import load_device
from hardware_models.testing import QUICK, WHOLE, examine_device


class State(NamedTuple):
    """g and a number of the cell."""

    g: np.ndarray
    speed: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Good(BaseDevice):
    """A linear device with noise; the tests break it in one place each."""

    name: str = "good"
    g_min: float = si("S", 0.0, 1.0, 1e-6)
    g_max: float = si("S", 0.0, 1.0, 1e-5)
    states: float = si("1", 1.0, 1e9, 100.0)
    noise: float = si("1", 0.0, 1.0, 0.01)

    def imperfections(self) -> dict[str, list[str]]:
        return super().imperfections() | {"write_noise": ["noise"]}

    def fabricate(self, shape: Any, key: Any) -> Any:
        return State(self.fresh_conductance(shape, key), np.ones(shape, np.float32))

    def change(self, n: np.ndarray, key: Any) -> np.ndarray:
        return n / self.states + self.noise * np.sqrt(np.abs(n)) * key.generator().standard_normal(n.shape)

    def pulse(self, state: Any, pulses: Any, key: Any, window: Any = None) -> Any:
        if window is not None:
            return gathered(self.pulse, state, pulses, key, window)
        moved = state.g + self.g_range * state.speed * self.change(pulses, key)
        most = int(np.abs(pulses).max(initial=0))
        reach = self.g_range * most * (1 / self.states + 5 * self.noise)
        if most > 1 and ((state.g < self.g_min + reach) | (state.g > self.g_max - reach)).any():
            return self.walk(state, pulses, key, most)
        state.g[:] = np.clip(moved, self.g_min, self.g_max)
        return None

    def walk(self, state: Any, pulses: Any, key: Any, most: int) -> None:
        # After pulses for four times the range every cell has long been at its bound: more change nothing of its law.
        for k in range(min(most, int(4 * self.states))):
            now = np.where(np.abs(pulses) > k, np.sign(pulses), 0)
            moved = state.g + self.g_range * state.speed * self.change(now, key.child("walk", k))
            state.g[:] = np.clip(moved, self.g_min, self.g_max)


def test_good_and_built_in_devices_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every model that needs no more than its name, every published device, and one of our own."""
    number = len(QUICK) + len(WHOLE)
    for device in (Good(), "memristor", "ideal"):
        report = examine_device(device)
        report.raise_if_failed()
        assert report.passed and len(report.checks) == number
    assert len(MODELS) >= 2 and len(PUBLISHED) >= 2
    # Of how fast a model is, which gives no verdict, three devices are enough.
    monkeypatch.setattr(examine, "WHOLE", tuple(check for check in WHOLE if check[0] != "speed"))
    for name in PUBLISHED:
        examine_device(load_device(name)).raise_if_failed()


class Wide(Good):
    def fabricate(self, shape, key):
        return State(np.zeros((1, 1), np.float32), np.ones(shape, np.float32))


class Double(Good):
    def fabricate(self, shape, key):
        return State(self.fresh_conductance(shape, key).astype(np.float64), np.ones(shape, np.float32))


class NoState(Good):
    def fabricate(self, shape, key):
        return self.fresh_conductance(shape, key)


class Unbounded(Good):
    def pulse(self, state, pulses, key, window=None):
        if window is not None:
            return gathered(self.pulse, state, pulses, key, window)
        state.g[:] = np.maximum(state.g + self.g_range * self.change(pulses, key), 0)


class Restless(Good):
    def change(self, n, key):
        return n / self.states + self.noise * key.generator().standard_normal(n.shape)


class NoWindow(Good):
    def pulse(self, state, pulses, key):
        return Good.pulse(self, state, pulses, key)


class Backwards(Good):
    def change(self, n, key):
        return -super().change(n, key)


class LinearNoise(Good):
    def change(self, n, key):
        return n / self.states + self.noise * n * key.generator().standard_normal(n.shape)


class Impatient(Good):
    def change(self, n, key):
        return np.sign(n) * np.sqrt(np.abs(n)) / self.states


class Moody(Good):
    def change(self, n, key):
        return n / self.states + self.noise * np.sqrt(np.abs(n)) * np.random.default_rng().standard_normal(n.shape)


class Threaded(Good):
    def change(self, n, key):
        return n * numba.get_num_threads() / self.states


SHARED = np.ones((512, 512), np.float32)


class Shared(Good):
    def fabricate(self, shape, key):
        return State(self.fresh_conductance(shape, key), SHARED[: shape[0], : shape[1]])


@dataclass(frozen=True, kw_only=True)
class Bare(Good):
    """Has a number of unknown unit."""

    tau: float = 3.0


@numba.njit
def kernel(u):
    return u


class Greedy(Good):
    """Takes what it was asked for out of the order: whoever counts pulses afterwards finds none."""

    def pulse(self, state, pulses, key, window=None):
        super().pulse(state, pulses, key, window)
        pulses[:] = 0


class Stopped(Good):
    def walk(self, state, pulses, key, most):
        moved = state.g + self.g_range * state.speed * self.change(pulses, key)
        state.g[:] = np.clip(moved, self.g_min, self.g_max)


class Unlike(Good):
    def change(self, n, key):
        return n / self.states * (1.0 if hasattr(kernel, "py_func") else 2.0)


@pytest.mark.parametrize(
    ("broken", "check", "words"),
    [
        (Greedy, "shapes and types", "leave its argument"),
        (Wide, "shapes and types", "shape"),
        (Double, "shapes and types", "float32"),
        (NoState, "shapes and types", "NamedTuple"),
        (Unbounded, "bounds kept", "outside"),
        (Restless, "zero pulses change nothing", "change"),
        (NoWindow, "window", "TypeError"),
        (Backwards, "direction", "pulses up"),
        (LinearNoise, "n pulses at once = n times one", "scatter"),
        (Impatient, "n pulses at once = n times one", "move"),
        (Stopped, "n at once = n times one at the bounds", "bound"),
        (Moody, "same seed, same bits", "other numbers"),
        (Shared, "no shared state", "share the memory"),
        (Bare, "units and source", "no unit for tau"),
        (Unlike, "compiled = interpreted", "disagree"),
    ],
)
def test_each_fault_is_found(broken: Any, check: str, words: str) -> None:
    """By the check that is for it, in a sentence."""
    report = examine_device(broken())
    failed = {c.name: c.detail for c in report.failures}
    assert check in failed and words in failed[check], failed
    with pytest.raises(UsageError, match="fails its examination"):
        report.raise_if_failed()


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="needs two threads")
def test_thread_dependence_is_found() -> None:
    """A device whose pulses depend on the number of threads."""
    assert "thread independence" in {c.name for c in examine_device(Threaded()).failures}


def test_loading_makes_the_quick_examination(tmp_path: Any) -> None:
    """A class that breaks its bounds is refused by name before any training."""
    (tmp_path / "mine.py").write_text(
        "import numpy as np\nfrom hardware_models.devices.ideal import Ideal\n"
        "class Loose(Ideal):\n"
        "    def pulse(self, state, pulses, key, window=None):\n"
        "        place = ... if window is None else np.ix_(*window)\n"
        "        state.g[place] += pulses * np.float32(1e-6)\n"
        "class Thin:\n    name = 'thin'\n    def fabricate(self): pass\n    def pulse(self): pass\n"
    )
    with pytest.raises(UsageError, match="fails its examination: bounds kept"):
        load_device(f"{tmp_path}/mine.py:Loose")
    with pytest.raises(UsageError, match=r"lacks g_min, g_max.* derive it from"):
        load_device(f"{tmp_path}/mine.py:Thin")
