r"""From a measured pulse train to a device: which model, which numbers, and how well the data know them.

Each form in `FORMS` is a model with its free numbers. The mean step of a candidate is computed by pulsing a noiseless
population set to a grid of states once, so that any model can be fitted; the likelihood of the train then follows from
a Kalman filter (`hardware_models.kernels.trains`) that separates the noise of a pulse, which stays in the cell, from the
noise of a reading, which does not, and knows that a cell stops at its bounds.

1. Every form is fitted to all cells at once, each cell with a factor of its own on its steps, by Fisher scoring.
2. The form is chosen by the likelihood of cycles that were held out. A difference below its standard error is called
   none, and the form with fewer free numbers is taken.
3. The chosen form is fitted to each cell alone. A number of the device is the mean over the cells (of the logarithm
   where the number is positive), its 95 % interval is Student's t of that mean: it holds the spread of the cells that
   were measured as well as the noise. Cell-to-cell spread is the variance between the cells less that of the estimates.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices import MODELS
from hardware_models.devices.base import declared
from hardware_models.keys import Key
from hardware_models.pulse_train import PulseTrain, read_pulse_train
from hardware_models.tables import lookup, resolve

Progress = Callable[[float, str], None]
FLOOR = 1e-4
"""Resolution of a reading in units of the range: below it no noise is told from rounding."""
_NODES = 129
_LIMITS = {"log": (-14.0, 16.0), "inverse": (-30.0, 30.0), "plain": (-1e3, 1e3), "low": (-3.0, 0.4), "high": (0.6, 4.0)}
_NOISE_LIMITS = (math.log(1e-5), math.log(0.5))


# --- what can be fitted ---


@dataclass(frozen=True)
class Hints:
    """What the steps show before any fit, polarity up first: starting values."""

    middle: tuple[float, float]  # mean step in the middle of the range, in units of the range
    curvature: tuple[float, float]  # 1/a of the exponential-step curve
    zero: tuple[float, float]  # state at which the straight line through the steps vanishes


@dataclass(frozen=True)
class Free:
    """One free number of a model: how it is searched, and where the search begins.

    kind: "log" (positive), "inverse" (searched as 1/value, through 0), "plain", "low" and "high" (conductance of a
    bound, searched in units of the measured range above the lowest reading).
    """

    name: str
    kind: str
    start: Callable[[Hints], float]
    also: str = ""  # another number of the model that is always equal to this one


@dataclass(frozen=True)
class Form:
    """A model and its free numbers: one line of `FORMS`."""

    model: str  # a name of MODELS, or "package.module:Class"
    free: tuple[Free, ...]
    steps: tuple[str, ...]  # free numbers, of kind log, that scale the steps up and down
    fixed: Mapping[str, Any] = field(default_factory=dict)
    noise: str = "cycle_noise"
    noise_follows: str = "range"  # "step": the noise scales with a cell's step in mid-range; "state": with every step
    instead: str = ""  # a form that makes this one superfluous where its model exists

    @property
    def hard(self) -> bool:
        """The bounds are where the cell stops, read off the data; otherwise they are free numbers."""
        return not any(f.kind in ("low", "high") for f in self.free)


def _states(side: int) -> Callable[[Hints], float]:
    def start(h: Hints) -> float:
        kappa, step = h.curvature[side], max(abs(h.middle[side]), 1e-6)
        height = kappa * (0.5 / math.tanh(0.5 * kappa)) if abs(kappa) > 1e-3 else 1.0
        return math.log(max(height / step, 2.0))

    return start


def _bounded(low: bool) -> Free:
    if low:
        return Free("g_min", "low", lambda h: min(max(h.zero[1], -1.0), 0.2))
    return Free("g_max", "high", lambda h: min(max(h.zero[0], 0.8), 2.0))


_UP, _DOWN = Free("states", "log", _states(0)), Free("states_down", "log", _states(1))


def _bend(side: int, low: float, high: float) -> Callable[[Hints], float]:
    """Return the share of the middle step that is lost from there to the bound, kept in [low, high]."""

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
        "power_step": Form("power_step", (_UP, _DOWN, *_POWER), ("states", "states_down"), noise_follows="state"),
        "exponential_activity": Form(
            "exponential_activity", (_UP, _DOWN, *_ACTIVITY), ("states", "states_down"), {"a": -0.5, "b": 0.0},
            noise_follows="state",
        ),
    }
)  # fmt: skip
"""What is tried on a pulse train. A form whose model, or one of whose numbers, does not exist here is passed over."""


def model_of(form: Form) -> Any:
    """Return the class of a form's model, or None where there is none with all the form's numbers."""
    if ":" not in form.model and form.model not in MODELS:
        return None
    model = resolve(form.model) if ":" in form.model else lookup("device model", form.model, MODELS)
    known = {f.name for f in fields(model)}
    wanted = {f.name for f in form.free} | {f.also for f in form.free if f.also} | set(form.fixed) | {form.noise}
    return model if wanted <= known else None


# --- what comes out ---


@dataclass(frozen=True)
class Parameter:
    """A number of the fitted device with its 95 % interval, SI units."""

    name: str
    value: float
    low: float
    high: float
    unit: str


@dataclass(frozen=True)
class Score:
    """One form on the held-out cycles, in units of log-likelihood per step."""

    form: str
    free: int
    held_out: float
    behind: float  # how far behind the best
    behind_error: float  # standard error of that


@dataclass(frozen=True)
class Fit:
    """A fitted device, and what is known about it."""

    device: Any
    form: str
    scores: tuple[Score, ...]
    parameters: tuple[Parameter, ...]
    goodness: Mapping[str, float]
    notices: tuple[str, ...]
    train: PulseTrain
    residuals: np.ndarray  # (2, steps): state before the step [S], standardised innovation [1]

    def describe(self) -> dict[str, Any]:
        """Return everything but the residuals as plain values."""
        return {
            "device": self.device.describe(),
            "form": self.form,
            "models": [vars(s) for s in self.scores],
            "parameters": [vars(p) for p in self.parameters],
            "goodness": dict(self.goodness),
            "notices": list(self.notices),
            "data": {
                "file": self.train.path,
                "cells": len(self.train.cells),
                "cycles": self.train.cycles,
                "steps": self.train.steps,
            },
        }

    def toml(self) -> str:
        """Return the device as a parameter file, low and high the 95 % intervals."""
        train, device = self.train, self.device
        model = next((n for n, path in MODELS.items() if path.endswith(f":{type(device).__name__}")), None)
        if model is None:
            raise UsageError(f"{type(device).__name__} is no model of this library and has no parameter file.")
        quoted = json.dumps
        file = f"fitted to {Path(train.path).name}"
        lines = [
            f"model = {quoted(model)}",
            f"name = {quoted(device.name)}",
            "",
            "[source]",
            f"citation = {quoted(device.source)}",
        ]

        def entry(name: str, value: float, low: float, high: float, unit: str, kind: str, source: str) -> None:
            numbers = [f"{part} = {float(x)!r}" for part, x in (("value", value), ("low", low), ("high", high))]
            lines.extend(["", f"[{name}]", numbers[0], f'unit = "{unit}"', *numbers[1:], f'kind = "{kind}"',
                          f"source = {quoted(source)}"])  # fmt: skip

        for p in self.parameters:
            entry(p.name, p.value, p.low, p.high, p.unit, "fitted", f"{file}; low and high are the 95 % interval")
        for what, pair, unit in (("v", train.voltage, "V"), ("t", train.width, "s")):
            for side, value in zip(("up", "down"), pair or (), strict=False):
                entry(f"{what}_{side}", value, value, value, unit, "measured", f"{Path(train.path).name}, every row")
        return "\n".join(lines) + "\n"


# --- the likelihood ---


class _Data:
    """A train in units of its own range, some of its cycles left out if asked."""

    def __init__(self, train: PulseTrain) -> None:
        self.low, self.high = float(train.g.min()), float(train.g.max())
        self.range = self.high - self.low
        if not self.range > 0:
            raise UsageError(f"{train.path}: the conductance never changes, so there is nothing to fit.")
        self.u = (train.g - self.low) / self.range
        self.polarity = train.polarity.astype(np.int8)
        self.first, self.cell = train.first.copy(), train.cell.astype(np.int64)
        self.cells = len(train.cells)
        self.unit = np.cumsum(train.first) - 1  # number of the (cell, cycle)
        self.cycle = train.cycle
        self.factors = np.ones((2, self.cells))
        self.bounds = np.array([[-1e3], [1e3]]) * np.ones((1, self.cells))
        # What a cell does within a few deviations of its bounds is no Gaussian step: the filter follows it, but the
        # likelihood leaves it out. What is left out depends on the reading before the step alone, hence no bias.
        self.ends = _cell_bounds(self)
        self.margin = min(4.0 * math.hypot(*self.noise()), 0.2)
        near = np.minimum(self.before - self.ends[0, self.cell], self.ends[1, self.cell] - self.before) < self.margin
        self.counted = ~self.first & ~near

    def only(self, keep: np.ndarray) -> _Data:
        """Return the rows `keep` (whole cycles)."""
        part = object.__new__(_Data)
        vars(part).update({k: v for k, v in vars(self).items() if k != "before"})
        for name in ("u", "polarity", "first", "cell", "unit", "cycle", "counted"):
            setattr(part, name, getattr(self, name)[keep])
        # Where rows were left out, the filter starts afresh.
        gap = np.diff(np.flatnonzero(keep), prepend=-2) > 1
        part.first = part.first | gap
        part.counted = part.counted & ~part.first
        return part

    @cached_property
    def before(self) -> np.ndarray:
        """State before each step."""
        return np.concatenate((self.u[:1], self.u[:-1]))

    def hints(self) -> Hints:
        """Return straight lines through the steps of each polarity."""
        middle, curvature, zero = [], [], []
        for sign in (1, -1):
            own = (self.polarity == sign) & ~self.first & (self.before > 0.08) & (self.before < 0.92)
            if own.sum() < 5:
                own = (self.polarity == sign) & ~self.first
            x, y = self.before[own], (self.u - self.before)[own]
            slope, level = np.polyfit(x, y, 1) if np.ptp(x) > 0 else (0.0, float(y.mean()))
            slope = float(np.clip(slope, -0.9, 0.9))
            middle.append(float(level + slope / 2))
            # step = (B - u)(1 - e^{-+1/A}), B = 1/(1 - e^-kappa)
            b = -level / slope if abs(slope) > 1e-9 else math.copysign(1e9, -slope)
            zero.append(float(b))
            inside = 1.0 - 1.0 / b if abs(b) > 1e-9 else 1e9
            curvature.append(float(np.clip(-math.log(inside), -4, 4)) if inside > 0 else math.copysign(4.0, b))
        return Hints(tuple(middle), tuple(curvature), tuple(zero))  # type: ignore[arg-type]

    def noise(self) -> tuple[float, float]:
        """Return rough cycle noise and read noise from the steps' scatter and its correlation from step to step."""
        residual = np.zeros_like(self.u)
        for sign in (1, -1):
            own = (self.polarity == sign) & ~self.first
            coefficients = np.polyfit(self.before[own], (self.u - self.before)[own], 2)
            residual[own] = (self.u - self.before)[own] - np.polyval(coefficients, self.before[own])
        pair = ~self.first[1:] & ~self.first[:-1]
        together = float(np.mean((residual[1:] * residual[:-1])[pair])) if pair.any() else 0.0
        read2 = min(max(-together, 1e-7), 0.2)
        cycle2 = max(float(np.mean(residual[~self.first] ** 2)) - 2 * read2, 0.02 * read2, 1e-7)
        return math.sqrt(cycle2), math.sqrt(read2)


class _Candidate:
    """A form on data: parameters as a vector t, the last two the logarithms of cycle noise and read noise."""

    def __init__(self, form: Form, data: _Data, g_bounds: tuple[float, float], chosen: tuple[int, ...] | None = None):
        self.form, self.data = form, data
        self.model = model_of(form)
        self.g_bounds = g_bounds
        hints = data.hints()
        noise = data.noise()
        start = [f.start(hints) for f in form.free]
        self.start = np.array([*start, math.log(noise[0]), math.log(noise[1])])
        limits = [self.limit(f) for f in form.free] + [_NOISE_LIMITS] * 2
        self.limits = np.array(limits).T
        self.chosen = list(range(len(self.start))) if chosen is None else list(chosen)
        self.start = self.clip(self.start)
        self.nodes = np.linspace(-0.08, 1.08, _NODES)

    def limit(self, f: Free) -> tuple[float, float]:
        """Return where a searched number may lie: what the model allows, and what makes sense."""
        low, high = _LIMITS[f.kind]
        said: Mapping[str, Any] = declared(self.model).get(f.name, {})
        if "low" in said and f.kind == "plain":
            return max(low, said["low"]), min(high, said["high"])
        if "low" in said and f.kind == "log":
            return max(low, math.log(max(said["low"], 1e-6))), min(high, math.log(said["high"]))
        return low, high

    def clip(self, t: np.ndarray) -> np.ndarray:
        """Keep parameters where they mean something."""
        return np.clip(t, *self.limits)

    def values(self, t: np.ndarray) -> dict[str, float]:
        """Return the numbers of the model."""
        out: dict[str, float] = {"g_min": self.g_bounds[0], "g_max": self.g_bounds[1], **self.form.fixed}
        for f, x in zip(self.form.free, t, strict=False):
            out[f.name] = _value(f, float(x), self.data.low, self.data.range)
            if f.also:
                out[f.also] = out[f.name]
        return out

    def tables(self, t: np.ndarray) -> np.ndarray:
        """Return the mean steps (2, nodes) in units of the data's range, from one pulse on a noiseless population."""
        device = self.model(**self.values(t)).without(write_noise=True, spread=True)
        g = (self.data.low + self.data.range * self.nodes).astype(np.float32)[None]
        out = np.empty((2, _NODES))
        key = Key(0, "fit")
        for side, sign in enumerate((1, -1)):
            state = device.fabricate(g.shape, key)
            state.g[:] = g
            device.pulse(state, np.full(g.shape, sign, np.int32), key)
            out[side] = (state.g[0].astype(np.float64) - g[0]) / self.data.range
            if self.form.hard:
                # The filter stops the cells; here the curve goes on beyond the bounds, on a straight line.
                inner = (g[0] > device.g_min) & (g[0] < device.g_max)
                own = np.flatnonzero(inner & (state.g[0] > 1.001 * device.g_min) & (state.g[0] < 0.999 * device.g_max))
                if own.size > 8:
                    for end, near in ((slice(None, own[0]), own[:2]), (slice(own[-1] + 1, None), own[-2:])):
                        slope = (out[side, near[1]] - out[side, near[0]]) / (near[1] - near[0])
                        out[side, end] = out[side, near[0]] + slope * (np.arange(_NODES)[end] - near[0])
        return out

    def filtered(self, t: np.ndarray, *, blind: bool = False) -> np.ndarray:
        """Return innovations and variances (2, n); blind: the curve is followed without looking at the readings."""
        from hardware_models.kernels.trains import filter_steps

        d = self.data
        out = np.empty((2, d.u.size))
        one, read = (1e-6, 1e6) if blind else (math.exp(t[-2]), math.exp(t[-1]))
        tables = self.tables(t)
        sigma = np.full((2, d.cells), one)
        if self.form.noise_follows != "range":
            # In units of the up step: down pulses and slow cells are quieter in proportion.
            middle = np.abs(tables[:, _NODES // 2])
            sigma[1] *= middle[1] / max(middle[0], 1e-12)
            sigma *= d.factors
        steady = 0.0 if self.form.noise_follows == "state" else 1.0
        width = float(self.nodes[1] - self.nodes[0])
        filter_steps(d.u, d.polarity, d.first, d.cell, tables, float(self.nodes[0]), width,
                     d.factors, d.bounds, sigma, steady, read, FLOOR, out)  # fmt: skip
        return out

    def likelihoods(self, t: np.ndarray) -> np.ndarray:
        """Return the log-likelihood of each step, 0 for first readings."""
        e, s = self.filtered(t)
        return np.where(self.data.counted, -0.5 * (np.log(2 * np.pi * s) + e * e / s), 0.0)

    def maximise(self, t: np.ndarray, rounds: int = 25) -> tuple[np.ndarray, np.ndarray]:
        """Return the most likely parameters near t and their covariance, by damped Fisher scoring."""
        t = self.clip(t)
        best = self.likelihoods(t).sum()
        damping, n = 1e-3, len(self.chosen)
        information = np.eye(n)
        for _ in range(rounds):
            gradient, information = self.score(t)
            gained = False
            for _ in range(8):
                scale = np.diag(np.diag(information)) + 1e-6 * np.eye(n)
                move = np.linalg.solve(information + damping * scale, gradient)
                trial = t.copy()
                trial[self.chosen] += np.clip(move, -1.0, 1.0)
                trial = self.clip(trial)
                value = self.likelihoods(trial).sum()
                if value > best:
                    gained = True
                    break
                damping *= 5.0
            if not gained:
                break
            done = value - best < 0.05
            t, best, damping = trial, value, max(damping / 5.0, 1e-6)
            if done:
                break
        return t, np.linalg.inv(information + 1e-9 * np.eye(n))

    def score(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return gradient and Fisher information of the chosen parameters."""
        own = self.data.counted
        e, s = self.filtered(t)[:, own]
        de, ds = np.empty((len(self.chosen), e.size)), np.empty((len(self.chosen), e.size))
        for row, i in enumerate(self.chosen):
            h = 0.01
            up, down = t.copy(), t.copy()
            up[i], down[i] = np.clip((t[i] + h, t[i] - h), *self.limits[:, i])
            width = up[i] - down[i]
            (e1, s1), (e0, s0) = self.filtered(up)[:, own], self.filtered(down)[:, own]
            de[row], ds[row] = (e1 - e0) / width, (s1 - s0) / width
        seen = 1.0 / s
        gradient = -(de @ (e * seen)) - 0.5 * (ds @ (seen * (1.0 - e * e * seen)))
        return gradient, (de * seen) @ de.T + 0.5 * (ds * seen * seen) @ ds.T

    def cell_factors(self, t: np.ndarray) -> np.ndarray:
        """Return each cell's factor on its steps (2, cells), by least squares in the middle of the range; mean 1."""
        d = self.data
        tables = self.tables(t)
        out = np.ones((2, d.cells))
        inside = (d.before > 0.1) & (d.before < 0.9) & ~d.first
        for side, sign in enumerate((1, -1)):
            mean = np.interp(d.before, self.nodes, tables[side])
            own = np.flatnonzero(inside & (d.polarity == sign))
            top = np.bincount(d.cell[own], (mean * (d.u - d.before))[own], d.cells)
            bottom = np.bincount(d.cell[own], (mean * mean)[own], d.cells)
            out[side] = np.clip(np.divide(top, bottom, out=np.ones(d.cells), where=bottom > 0), 0.2, 5.0)
            out[side] /= np.exp(np.mean(np.log(out[side])))
        return out


def _value(f: Free, t: float, low: float, width: float) -> float:
    if f.kind == "log":
        return math.exp(t)
    if f.kind == "inverse":
        return 1.0 / t if abs(t) > 1e-6 else 1e6
    if f.kind == "low":
        return max(low + width * t, 0.0)
    return low + width * t if f.kind == "high" else t


# --- the fit ---


def fit_file(path: str | Path, *, one_cycle: bool = False, progress: Progress | None = None) -> Fit:
    """Return the device fitted to the pulse train in a CSV file; UsageError names the line of a fault."""
    return fit(read_pulse_train(path, one_cycle=one_cycle), progress=progress)


def fit(train: PulseTrain, *, forms: Mapping[str, Form] = FORMS, progress: Progress | None = None) -> Fit:
    """Return the device fitted to a pulse train.

    Parameters
    ----------
    train : PulseTrain
        What `hardware_models.pulse_train.read_pulse_train` returns.
    forms : mapping
        The forms to try.
    progress : function of (share done, what is being done)
        Called now and then.
    """
    from threadpoolctl import threadpool_limits

    # One BLAS thread: the same bits everywhere, and no threads that wait for each other over small products.
    with threadpool_limits(1, user_api="blas"):
        return _fit(train, forms, progress or (lambda share, what: None))


def _fit(train: PulseTrain, forms: Mapping[str, Form], say: Progress) -> Fit:
    notices = list(train.notices)
    data = _Data(train)
    usable = {name: form for name, form in forms.items() if model_of(form) is not None}
    usable = {name: form for name, form in usable.items() if form.instead not in usable}
    edges = tuple(float(data.low + data.range * np.mean(side)) for side in data.ends)
    pooled: dict[str, tuple[_Candidate, np.ndarray]] = {}
    held: dict[str, np.ndarray] = {}
    for i, (name, form) in enumerate(usable.items()):
        say(0.75 * i / len(usable), f"fitting {name}")
        try:
            pooled[name] = _pooled(form, data, edges)
            held[name] = _held_out(*pooled[name], train)
        except (UsageError, np.linalg.LinAlgError) as error:
            notices.append(f"{name} cannot describe these data and was left out ({str(error).rstrip('.')})")
    if not held:
        raise UsageError(f"{train.path}: no form describes these data: {'; '.join(notices)}.")
    usable = {name: form for name, form in usable.items() if name in held}
    scores, best, told_apart = _choose(held, usable, data)
    notices += told_apart
    candidate, t = pooled[best]
    say(0.75, f"{best}: cell by cell")
    parameters, values, more = _population(candidate, t, lambda x: say(0.75 + 0.24 * x, "cell by cell"))
    notices += more
    goodness, residuals = _goodness(candidate, t)
    source = f"fitted to {Path(train.path).name}: {len(train.cells)} cells, {train.cycles} cycles, {train.steps} steps"
    pulse = {}
    for what, pair in (("v", train.voltage), ("t", train.width)):
        if pair is not None:
            pulse[f"{what}_up"], pulse[f"{what}_down"] = pair
        else:
            kind = "voltage" if what == "v" else "width"
            notices.append(f"the file gives no pulse {kind}, so writes are priced as free")
    first = f"{best} was chosen among {', '.join(usable)}" if len(usable) > 1 else f"{best} is the only form tried"
    notices.insert(0, f"{first}; it explains {100 * goodness['explained']:.0f} % of the variance of the steps")
    device = candidate.model(name=Path(train.path).stem or "fitted", source=source, assumptions=tuple(notices),
                             **values, **pulse)  # fmt: skip
    say(1.0, "done")
    return Fit(device, best, tuple(scores), tuple(parameters), MappingProxyType(goodness), tuple(notices), train,
               residuals)  # fmt: skip


def _cell_bounds(data: _Data) -> np.ndarray:
    """Return lowest and highest state of each cell (2, cells), the part that read noise adds to extremes taken off."""
    from scipy.stats import norm

    read = data.noise()[1]
    read = read if read > 3e-3 else 0.0
    out = np.empty((2, data.cells))
    for c in range(data.cells):
        u = data.u[data.cell == c]
        for side, end, sign in ((0, u.min(), 1), (1, u.max(), -1)):
            near = int((np.abs(u - end) < 2.5 * read).sum()) if read else 0
            out[side, c] = end + sign * (read * norm.ppf(1 - 0.375 / (near + 0.25)) if near > 1 else 0.0)
    return out


def _pooled(form: Form, data: _Data, edges: tuple[float, ...]) -> tuple[_Candidate, np.ndarray]:
    """Fit a form to all cells at once, then again with a factor for each cell."""
    low, high = edges
    own = data.only(np.ones(data.u.size, bool))
    if form.hard:
        own.bounds = data.ends
    candidate = _Candidate(form, own, (low, high))
    # The way to the optimum is walked on a part of the cycles.
    part = own.only(own.cycle % max(1, own.u.size // 8000) == 0)
    walker = _Candidate(form, part, (low, high))
    t, _ = walker.maximise(walker.start, 15)
    candidate.data.factors = candidate.cell_factors(t)
    t, _ = candidate.maximise(t, 12)
    return candidate, t


def _folds(train: PulseTrain, data: _Data) -> np.ndarray:
    """Return which of four parts is held out with each row: whole cycles, else whole cells, else stretches."""
    if train.cycles >= 2:
        return train.cycle % min(4, train.cycles)
    if data.cells >= 2:
        return train.cell % min(4, data.cells)
    return np.arange(data.u.size) * 4 // data.u.size


def _held_out(candidate: _Candidate, t: np.ndarray, train: PulseTrain) -> np.ndarray:
    """Return the log-likelihood of each row, from a fit that did not see the row's cycle."""
    whole = candidate.data
    folds = _folds(train, whole)
    out = np.zeros(whole.u.size)
    for fold in np.unique(folds):
        part, test = whole.only(folds != fold), whole.only(folds == fold)
        learner = _Candidate(candidate.form, part, candidate.g_bounds)
        part.factors = learner.cell_factors(t)
        seen, _ = learner.maximise(t, 2)
        test.factors = part.factors
        out[folds == fold] = _Candidate(candidate.form, test, candidate.g_bounds).likelihoods(seen)
    return out


def _choose(held: dict[str, np.ndarray], forms: Mapping[str, Form], data: _Data) -> tuple[list[Score], str, list[str]]:
    """Return the table of forms, the form to take, and what has to be said about the choice."""
    units = data.cell if data.cells >= 5 else data.unit
    number = int(units.max()) + 1
    steps = int(data.counted.sum())
    total = {name: float(row.sum()) / steps for name, row in held.items()}
    top = max(total, key=lambda name: total[name])
    scores = []
    for name, row in held.items():
        difference = np.bincount(units, held[top] - row, number)
        error = math.sqrt(number * float(np.var(difference, ddof=1))) / steps if number > 1 else math.inf
        scores.append(Score(name, len(forms[name].free), total[name], total[top] - total[name], error))
    near = [s for s in scores if s.form == top or s.behind < s.behind_error]
    best = min(near, key=lambda s: (s.free, s.behind)).form
    notices = []
    if len(near) > 1:
        others = ", ".join(s.form for s in near if s.form != best)
        notices.append(
            f"the data cannot tell {best} from {others}: the difference on held-out cycles is below its standard error"
        )
    return sorted(scores, key=lambda s: s.behind), best, notices


def _goodness(candidate: _Candidate, t: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
    """Return how well the steps are described, and the residuals."""
    from scipy.stats import kstest

    d = candidate.data
    e, s = candidate.filtered(t)
    own = d.counted
    z = e / np.sqrt(s)
    steps = (d.u - d.before)[own]
    blind = candidate.filtered(t, blind=True)[0][own]
    pair = own[1:] & own[:-1]
    goodness = {
        "explained": float(max(0.0, 1.0 - np.mean(e[own] ** 2) / np.mean(steps**2))),
        "curve_rms": float(np.sqrt(np.mean(blind**2))),  # open loop from each cycle's first reading, units of the range
        "residual_deviation": float(np.std(z[own])),  # 1 where the noise is what the model says
        "residual_correlation": float(np.mean(z[1:][pair] * z[:-1][pair])) if pair.any() else 0.0,
        "residual_normality": float(kstest(z[own][:5000], "norm").pvalue),
        "log_likelihood_per_step": float(candidate.likelihoods(t).sum() / own.sum()),
    }
    return goodness, np.array([(d.low + d.range * d.before)[own], z[own]])


def _population(
    candidate: _Candidate, t: np.ndarray, say: Callable[[float], None]
) -> tuple[list[Parameter], dict[str, float], list[str]]:
    """Return the device's numbers with their intervals, from fits of each cell alone."""
    from scipy.stats import t as student

    form, data = candidate.form, candidate.data
    notices: list[str] = []
    by_cell = data.cells >= 3
    groups = data.cell if by_cell else data.unit
    number = int(groups.max()) + 1
    if not by_cell:
        notices.append(
            f"{data.cells} cell{'s' if data.cells > 1 else ''}: too few for the spread from cell to cell, which is left "
            "at 0; the intervals describe these cells alone"
        )
    estimates, variances, steps, step_variances = [], [], [], []
    silent, most = _silent(candidate, t)
    chosen = None
    if silent:
        # A read noise that cannot be seen in all cells together would only take from the cycle noise in each.
        t = np.concatenate((t[:-1], [_NOISE_LIMITS[0]]))
        chosen = tuple(range(len(t) - 1))
    scaled = [i for i, f in enumerate(form.free) if f.name in form.steps]
    if number < 3:
        pooled = _Candidate(form, data, candidate.g_bounds, chosen)
        t, covariance = pooled.maximise(t)
        estimates, variances = [t], [_padded(covariance, silent)]
    else:
        for group in range(number):
            own = data.only(groups == group)
            own.factors = np.ones((2, data.cells))
            alone = _Candidate(form, own, candidate.g_bounds, chosen)
            found, covariance = alone.maximise(t, 15)
            estimates.append(found)
            variances.append(_padded(covariance, silent))
            say((group + 1) / (number + 1))
    table, table_variance = np.array(estimates), np.array(variances)
    mean = table.mean(axis=0)
    if by_cell and scaled:
        for group in range(number):
            own = data.only(groups == group)
            own.factors = np.ones((2, data.cells))
            alone = _Candidate(form, own, candidate.g_bounds, (*scaled, len(mean) - 2))
            found, covariance = alone.maximise(mean, 6)
            steps.append(found[scaled])
            step_variances.append(np.diag(covariance)[: len(scaled)])
    if len(table) > 1:
        error = np.sqrt(np.maximum(table.var(axis=0, ddof=1), 0.25 * table_variance.mean(axis=0)) / len(table))
        wide = student.ppf(0.975, len(table) - 1) * error
    else:
        wide = 1.96 * np.sqrt(table_variance[0])
    wide = np.minimum(wide, np.ptp(candidate.limits, axis=0))
    units = {name: said.get("unit", "1") for name, said in declared(candidate.model).items()}
    values = {name: x for name, x in candidate.values(mean).items() if name not in ("g_min", "g_max")}
    parameters = []
    for f, middle, half in zip(form.free, mean, wide, strict=False):
        if f.kind in ("low", "high"):
            continue  # with the bounds, below
        value = _value(f, float(middle), data.low, data.range)
        limits = candidate.limit(f)
        ends = (float(np.clip(middle + s * half, *limits)) for s in (-1, 1))
        sides = sorted(_value(f, x, data.low, data.range) for x in ends)
        if f.kind == "inverse" and abs(middle) <= half:
            sides = [-1e6, 1e6]
            notices.append(f"{f.name} may be infinite, of either sign: that curve is straight within its error")
        for name in (f.name, f.also) if f.also else (f.name,):
            values[name] = value
            parameters.append(Parameter(name, value, min(sides[0], value), max(sides[1], value), units[name]))
    bounds = _bounds(candidate, t, table, table_variance, wide, units, by_cell, notices)
    values |= {p.name: p.value for p in bounds}
    width = (values["g_max"] - values["g_min"]) / data.range
    # The noises are in units of the range, which is known no better than its ends.
    of_range = math.hypot(*((p.high - p.low) / 2 for p in bounds[:2])) / (values["g_max"] - values["g_min"])
    noise = _noises(form, mean, np.hypot(wide, of_range), width, values, units, silent, most, math.exp(t[-1]))
    spread = _spread(np.array(steps), np.array(step_variances), units) if steps else []
    parameters = [*bounds, *parameters, *noise, *spread]
    values |= {p.name: p.value for p in parameters}
    for p in parameters:
        if p.name in form.steps and p.high > 1.5 * p.low:
            notices.append(f"too few data for {p.name}: its 95 % interval is [{p.low:.3g}, {p.high:.3g}]")
    return parameters, values, notices


def _bounds(
    candidate: _Candidate, t: np.ndarray, table: np.ndarray, table_variance: np.ndarray, wide: np.ndarray,
    units: dict[str, str], by_cell: bool, notices: list[str],
) -> list[Parameter]:  # fmt: skip
    """Return g_min, g_max and the spread of the cells' bounds."""
    from scipy.stats import t as student

    form, data = candidate.form, candidate.data
    out: list[Parameter] = []
    if form.hard:
        ends = data.ends
        points, noise = ends, np.full((2, 1), (0.0625 * data.margin) ** 2)  # extremes of noisy cells vary a little
        half = np.zeros(2)
        if ends.shape[1] > 1:
            error = ends.std(axis=1, ddof=1) / math.sqrt(ends.shape[1])
            half = student.ppf(0.975, ends.shape[1] - 1) * error
        if not _stopped(candidate, t):
            notices.append("the cells did not stop at the ends of the train: g_min and g_max are what was measured")
    else:
        place = [next(i for i, f in enumerate(form.free) if f.kind == kind) for kind in ("low", "high")]
        points, noise, half = table[:, place].T, table_variance[:, place].T, wide[place]
    for name, mean, h in zip(("g_min", "g_max"), points.mean(axis=1), half, strict=True):
        low, value, high = (max(data.low + data.range * (mean + s * h), 0.0) for s in (-1, 0, 1))
        out.append(Parameter(name, value, low, high, "S"))
    width = (out[1].value - out[0].value) / data.range
    if by_cell and "bound_spread" in units:
        out.append(_deviation("bound_spread", points / width, noise / width**2, 0.3))
    elif by_cell and "low_spread" in units:
        # Log-normal spread of the distance from the middle of the range.
        for row, name in enumerate(("low_spread", "high_spread")):
            half_range = 0.5 * width
            out.append(_deviation(name, points[row : row + 1] / half_range, noise[row : row + 1] / half_range**2, 1.0))
    return out


def _silent(candidate: _Candidate, t: np.ndarray) -> tuple[bool, float]:
    """Tell whether the read noise cannot be told from none, and the most that it may be, in units of the data's range."""
    quiet = t.copy()
    quiet[-1] = _NOISE_LIMITS[0]
    others = _Candidate(candidate.form, candidate.data, candidate.g_bounds, tuple(range(len(t) - 1)))
    quiet, _ = others.maximise(quiet, 6)
    best = others.likelihoods(quiet).sum()
    silent = candidate.likelihoods(t).sum() - best <= 2.0
    for read in np.geomspace(FLOOR, 0.3, 40):
        # What the read noise takes, the cycle noise gives: the variance of a step stays what it is.
        trial = quiet.copy()
        trial[-1] = math.log(read)
        trial[-2] = 0.5 * math.log(max(math.exp(2 * quiet[-2]) - 2 * read**2, 1e-9))
        if others.likelihoods(trial).sum() < best - 3.0:
            break
    return silent, float(read)


def _padded(covariance: np.ndarray, silent: bool) -> np.ndarray:
    """Return the variances, 0 for a read noise that was not searched."""
    return np.append(np.diag(covariance), 0.0) if silent else np.diag(covariance)


def _stopped(candidate: _Candidate, t: np.ndarray) -> bool:
    """Tell whether steps beside both bounds are much smaller than the curve without bounds would have them."""
    d, tables = candidate.data, candidate.tables(t)
    share = []
    for side, sign, gap in ((0, 1, d.ends[1, d.cell] - d.before), (1, -1, d.before - d.ends[0, d.cell])):
        own = ~d.first & (d.polarity == sign) & (gap < 0.5 * d.margin)
        wanted = float(np.interp(d.before[own], candidate.nodes, tables[side]).sum())
        share.append(float((d.u - d.before)[own].sum()) / wanted if own.sum() > 4 and wanted else 1.0)
    return max(share) < 0.6


def _deviation(name: str, points: np.ndarray, variance: np.ndarray, most: float) -> Parameter:
    """Return the spread behind estimates (kinds, cells) with their own variances, with its 95 % interval."""
    from scipy.stats import chi2

    freedom = points.shape[0] * (points.shape[1] - 1)
    total, own = float(points.var(axis=1, ddof=1).mean()), float(variance.mean())
    sides = [total * freedom / chi2.ppf(q, freedom) for q in (0.975, 0.025)]
    low, high, value = (min(math.sqrt(max(x - own, 0.0)), most) for x in (*sides, total))
    return Parameter(name, value, low, high, "1")


def _spread(steps: np.ndarray, variances: np.ndarray, units: dict[str, str]) -> list[Parameter]:
    """Return the spread of the steps from the cells' own (cells, polarities)."""
    if "step_spread" not in units:
        return []
    if "balance_spread" not in units or steps.shape[1] != 2:
        return [_deviation("step_spread", steps.T, variances.T, 2.0)]
    # A common part, and a part that up and down have with opposite signs.
    both, own = [(steps[:, :1] + s * steps[:, 1:]) / 2 for s in (1, -1)], variances.mean(axis=1, keepdims=True) / 2
    names = (("step_spread", 2.0), ("balance_spread", 1.0))
    return [_deviation(name, x.T, own.T, most) for (name, most), x in zip(names, both, strict=True)]


def _noises(
    form: Form, mean: np.ndarray, wide: np.ndarray, width: float, values: dict[str, float], units: dict[str, str],
    silent: bool, most: float, pooled: float,
) -> list[Parameter]:  # fmt: skip
    """Return cycle noise and read noise in the model's own units."""
    out = []
    for name, i in ((form.noise, len(mean) - 2), ("read_noise", len(mean) - 1)):
        scale = 1.0 / width
        low, value, high = (min(math.exp(min(mean[i] + s * wide[i], 0.0)) * scale, 1.0) for s in (-1, 0, 1))
        if name == "read_noise" and silent:
            low, value, high = 0.0, 0.0, min(most * scale, 1.0)
        elif name == "read_noise" and wide[i] > 1.5:
            # Too little for one cell alone: the figure of all together, which may be 0.
            low, value, high = 0.0, pooled * scale, min(max(most, 2 * pooled) * scale, 1.0)
        out.append(Parameter(name, value, low, high, units[name]))
    return out


def synthetic(device: Any, *, cells: int, cycles: int, pulses: int, seed: int = 0, read: bool = True) -> PulseTrain:
    """Return the train that a laboratory would measure on `device`: each cycle `pulses` up, then `pulses` down.

    The first row of a cycle is a reading before its first pulse. Used by the tests, and to plan a measurement.
    """
    key = Key(seed, "synthetic")
    state = device.fabricate((1, cells), key)
    time = 0.0
    rows = []
    for k in range(cycles):
        for n in range(2 * pulses + 1):
            sign = 0 if n == 0 else (1 if n <= pulses else -1)
            at = key.child("pulse", k).at(n)
            device.pulse(state, np.full((1, cells), sign, np.int32), at)
            g = device.conductance(state, time)[0].astype(np.float64)
            if read:
                variance = np.broadcast_to(device.read_variance(state, time), (1, cells))[0]
                g = g + np.sqrt(variance) * at.child("read").generator().standard_normal(cells)
            rows.append((np.full(cells, k), np.full(cells, sign), np.maximum(g, 0.0)))
    cycle, polarity, g = (np.array([r[i] for r in rows]).T.ravel() for i in range(3))
    cell = np.repeat(np.arange(cells), len(rows))
    v, w = (device.v_up, device.v_down), (device.t_up, device.t_down)
    return PulseTrain(
        f"{device.name}.csv", tuple(f"c{c}" for c in range(cells)), cell, cycle, polarity, polarity == 0, g,
        np.arange(len(g)) + 2, v if min(v) > 0 else None, w if min(w) > 0 else None,
    )  # fmt: skip


def write_pulse_train(train: PulseTrain, path: str | Path) -> None:
    """Write a train as the CSV file that `read_pulse_train` reads, in microsiemens."""
    volts = train.voltage or (1.0, 1.0)
    number = np.arange(len(train.g)) - np.maximum.accumulate(np.where(train.first, np.arange(len(train.g)), 0))
    lines = ["cell,cycle,pulse,voltage [V],conductance [uS]"]
    for i in range(len(train.g)):
        sign = int(train.polarity[i])
        v = 0.0 if sign == 0 else (volts[0] if sign > 0 else -volts[1])
        lines.append(f"{train.cells[train.cell[i]]},{train.cycle[i]},{number[i]},{v:g},{train.g[i] * 1e6:.7g}")
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
