"""Forms that can be fitted to a pulse train: models, their free numbers, and the start of the search."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from hardware_models.devices import MODELS
from hardware_models.tables import lookup, resolve

LIMITS = {"log": (-14.0, 16.0), "inverse": (-30.0, 30.0), "plain": (-1e3, 1e3), "low": (-3.0, 0.4), "high": (0.6, 4.0)}


@dataclass(frozen=True)
class Hints:
    """Starting values from the steps before any fit; each pair holds (up, down)."""

    middle: tuple[float, float]  # mean step in the middle of the range, in units of the range
    curvature: tuple[float, float]  # 1/a of the exponential-step curve
    zero: tuple[float, float]  # state at which the straight line through the steps vanishes


@dataclass(frozen=True)
class Free:
    """One free number of a model: the transformation under which it is searched, and the start of the search.

    `kind` is "log" (a positive number, searched by its logarithm), "inverse" (searched as 1/value, which may pass through 0),
    "plain", or "low" or "high" (conductance of a bound, searched in units of the measured range above the lowest reading).
    """

    name: str
    kind: str
    start: Callable[[Hints], float]
    also: str = ""  # another number of the model that is always equal to this one
    beyond: bool = False  # for a bound: no reading may lie beyond it, because no cell can pass it


@dataclass(frozen=True)
class Form:
    """A model and its free numbers: one line of `FORMS`."""

    model: str  # a name of MODELS, or "package.module:Class"
    free: tuple[Free, ...]
    steps: tuple[str, ...]  # free numbers, of kind log, that scale the steps up and down
    fixed: Mapping[str, float] = field(default_factory=dict)
    noise: str = "cycle_noise"
    noise_follows: str = "range"  # "step": the noise scales with a cell's step in mid-range; "state": with every step
    instead: str = ""  # form that replaces this one if its model exists

    @property
    def hard(self) -> bool:
        """True if the bounds are the cells' measured ends, False if they are free numbers of the fit."""
        return not any(f.kind in ("low", "high") for f in self.free)


def _states(side: int) -> Callable[[Hints], float]:
    def start(h: Hints) -> float:
        kappa, step = h.curvature[side], max(abs(h.middle[side]), 1e-6)
        height = kappa * (0.5 / math.tanh(0.5 * kappa)) if abs(kappa) > 1e-3 else 1.0
        return math.log(max(height / step, 2.0))

    return start


def _bounded(low: bool, beyond: bool = False) -> Free:
    """Return a bound as a free number; with `beyond` its search begins at the measured ends."""
    if low:
        return Free("g_min", "low", lambda h: 0.0 if beyond else min(max(h.zero[1], -1.0), 0.2), beyond=beyond)
    return Free("g_max", "high", lambda h: 1.0 if beyond else min(max(h.zero[0], 0.8), 2.0), beyond=beyond)


_UP, _DOWN = Free("states", "log", _states(0)), Free("states_down", "log", _states(1))


def _bend(side: int, low: float, high: float) -> Callable[[Hints], float]:
    """Return a start: the share by which steps shrink from the middle of the range to the bound, clipped to [low, high]."""

    def start(h: Hints) -> float:
        way = (h.zero[0] - 0.5) if side == 0 else (0.5 - h.zero[1])
        return min(max(0.5 / way if abs(way) > 1e-9 else high, low), high)

    return start


def _logarithm(start: Callable[[Hints], float]) -> Callable[[Hints], float]:
    return lambda h: math.log(start(h))


_LINEAR = (Free("gamma_up", "plain", _bend(0, 0.02, 0.98)), Free("gamma_down", "plain", _bend(1, 0.02, 0.98)))
_POWER = (Free("gamma_up", "log", _logarithm(_bend(0, 0.05, 5.0))),
          Free("gamma_down", "log", _logarithm(_bend(1, 0.05, 5.0))))  # fmt: skip
_ACTIVITY = (
    Free("amplitude_up", "plain", lambda h: -1.0),
    Free("gamma_up", "plain", lambda h: 4.0 * _bend(0, 0.05, 2.0)(h)),
    Free("amplitude_down", "plain", lambda h: -1.0),
    Free("gamma_down", "plain", lambda h: 4.0 * _bend(1, 0.05, 2.0)(h)),
)

FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "straight": Form("exponential_step", (_UP, _DOWN), ("states", "states_down"), {"a_up": 1e6, "a_down": 1e6},
                         instead="constant_step"),
        "constant_step": Form("constant_step", (_UP, _DOWN), ("states", "states_down"), noise_follows="step"),
        "exponential_step": Form(
            "exponential_step",
            (_UP, _DOWN, Free("a_up", "inverse", lambda h: h.curvature[0]),
             Free("a_down", "inverse", lambda h: h.curvature[1])),
            ("states", "states_down"),
        ),
        "linear_step": Form("linear_step", (_UP, _DOWN, *_LINEAR), ("states", "states_down"), noise_follows="step"),
        "soft_bounds": Form(
            "soft_bounds", (_UP, _DOWN, _bounded(True), _bounded(False)), ("states", "states_down"), noise_follows="step"
        ),
        "power_step": Form(
            "power_step", (_UP, _DOWN, *_POWER, _bounded(True, True), _bounded(False, True)), ("states", "states_down"),
            noise_follows="state",
        ),
        "exponential_activity": Form(
            "exponential_activity", (_UP, _DOWN, *_ACTIVITY), ("states", "states_down"), {"a": -0.5, "b": 0.0},
            noise_follows="state",
        ),
    }
)  # fmt: skip
"""Forms that are tried on a pulse train. A form is skipped if its model does not exist or lacks one of its numbers."""


def model_of(form: Form) -> Any:
    """Return the class of a form's model, or None if there is no such model or it lacks one of the form's numbers."""
    if ":" not in form.model and form.model not in MODELS:
        return None
    model = resolve(form.model) if ":" in form.model else lookup("device model", form.model, MODELS)
    known = {f.name for f in fields(model)}
    wanted = {f.name for f in form.free} | {f.also for f in form.free if f.also} | set(form.fixed) | {form.noise}
    return model if wanted <= known else None
