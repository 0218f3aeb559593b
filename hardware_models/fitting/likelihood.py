"""The likelihood of a pulse train under a form: the train in units of its range, and the Kalman filter over it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import declared
from hardware_models.fitting.forms import LIMITS, Form, Free, Hints, model_of
from hardware_models.keys import Key
from hardware_models.pulse_train import PulseTrain

FLOOR = 1e-4
"""Resolution of a reading in units of the range: below it no noise is told from rounding."""
NODES = 129
"""States at which a candidate's mean step is computed."""
NOISE_LIMITS = (math.log(1e-5), math.log(0.5))
"""Between which the logarithms of the noises are searched."""


class TrainData:
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
        self.ends = cell_bounds(self)
        self.margin = min(4.0 * math.hypot(*self.noise()), 0.2)
        near = np.minimum(self.before - self.ends[0, self.cell], self.ends[1, self.cell] - self.before) < self.margin
        self.counted = ~self.first & ~near

    def only(self, keep: np.ndarray) -> TrainData:
        """Return the rows `keep` (whole cycles)."""
        part = object.__new__(TrainData)
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


class Candidate:
    """A form on data: parameters as a vector t, the last two the logarithms of cycle noise and read noise."""

    def __init__(
        self, form: Form, data: TrainData, g_bounds: tuple[float, float], chosen: tuple[int, ...] | None = None
    ):
        self.form, self.data = form, data
        self.model = model_of(form)
        self.g_bounds = g_bounds
        hints = data.hints()
        noise = data.noise()
        start = [f.start(hints) for f in form.free]
        self.start = np.array([*start, math.log(noise[0]), math.log(noise[1])])
        limits = [self.limit(f) for f in form.free] + [NOISE_LIMITS] * 2
        self.limits = np.array(limits).T
        self.chosen = list(range(len(self.start))) if chosen is None else list(chosen)
        self.start = self.clip(self.start)
        self.nodes = np.linspace(-0.08, 1.08, NODES)

    def limit(self, f: Free) -> tuple[float, float]:
        """Return where a searched number may lie: what the model allows, and what makes sense."""
        low, high = LIMITS[f.kind]
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
            out[f.name] = value_of(f, float(x), self.data.low, self.data.range)
            if f.also:
                out[f.also] = out[f.name]
        return out

    def tables(self, t: np.ndarray) -> np.ndarray:
        """Return the mean steps (2, nodes) in units of the data's range, from one pulse on a noiseless population."""
        device = self.model(**self.values(t)).without(write_noise=True, spread=True)
        g = (self.data.low + self.data.range * self.nodes).astype(np.float32)[None]
        out = np.empty((2, NODES))
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
                        out[side, end] = out[side, near[0]] + slope * (np.arange(NODES)[end] - near[0])
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
            middle = np.abs(tables[:, NODES // 2])
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


def value_of(f: Free, t: float, low: float, width: float) -> float:
    """Return a free number in the model's units from what the search moves; `low` and `width` [S] of the train's range."""
    if f.kind == "log":
        return math.exp(t)
    if f.kind == "inverse":
        return 1.0 / t if abs(t) > 1e-6 else 1e6
    if f.kind == "low":
        return max(low + width * t, 0.0)
    return low + width * t if f.kind == "high" else t


def cell_bounds(data: TrainData) -> np.ndarray:
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
