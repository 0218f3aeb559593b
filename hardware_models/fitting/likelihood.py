"""The likelihood of a pulse train under a form: the Kalman filter over it, and the search for the most likely numbers."""

from __future__ import annotations

import math

import numpy as np

from hardware_models.devices.base import Said, declared
from hardware_models.fitting.data import TrainData
from hardware_models.fitting.forms import LIMITS, Form, Free, model_of
from hardware_models.keys import Key

FLOOR = 1e-4
"""Resolution of a reading in units of the range; smaller noise cannot be distinguished from rounding."""
NODES = 513
"""Number of states at which a candidate's mean step is computed."""
NOISE_LIMITS = (math.log(1e-5), math.log(0.5))
"""Lower and upper limit of the logarithms of the noises in the search."""


class Candidate:
    """A form and the data it is fitted to. The vector t holds its free numbers, then ln(cycle noise) and ln(read noise)."""

    def __init__(
        self, form: Form, data: TrainData, g_bounds: tuple[float, float], chosen: tuple[int, ...] | None = None
    ):
        self.form, self.data = form, data
        self.model = model_of(form)
        self.g_bounds = g_bounds
        limits = [self.limit(f) for f in form.free] + [NOISE_LIMITS] * 2
        self.limits = np.array(limits).T
        self.chosen = list(range(len(limits))) if chosen is None else list(chosen)
        self.nodes = np.linspace(-0.08, 1.08, NODES)
        self.node_width = float(self.nodes[1] - self.nodes[0])

    def start(self) -> np.ndarray:
        """Return the vector t at the start of the search, from rough figures of the data."""
        hints = self.data.hints()
        return self.clip(np.array([*(f.start(hints) for f in self.form.free), *np.log(self.data.noise())]))

    def limit(self, f: Free) -> tuple[float, float]:
        """Return the lower and upper limit of a searched number: the model's own range within that of `LIMITS`."""
        low, high = LIMITS[f.kind]
        if f.kind == "low":
            low = max(low, -self.data.low / self.data.range)  # the conductance of a bound is not negative
            return low, max(low, float(self.data.ends[0].max())) if f.beyond else high
        if f.kind == "high":
            return min(high, float(self.data.ends[1].min())) if f.beyond else low, high
        said = declared(self.model).get(f.name, Said())
        if "low" in said and f.kind == "plain":
            return max(low, said["low"]), min(high, said["high"])
        if "low" in said and f.kind == "log":
            return max(low, math.log(max(said["low"], 1e-6))), min(high, math.log(said["high"]) - 1e-12)
        return low, high

    def clip(self, t: np.ndarray) -> np.ndarray:
        """Return the vector t clipped to the limits of its numbers."""
        return np.clip(t, *self.limits)

    def values(self, t: np.ndarray) -> dict[str, float]:
        """Return the parameters of the model, by name, for the vector t."""
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
                # The filter itself stops the cells at their bounds, so the curve continues beyond them on a straight line.
                inner = (g[0] > device.g_min) & (g[0] < device.g_max)
                interior = np.flatnonzero(
                    inner & (state.g[0] > 1.001 * device.g_min) & (state.g[0] < 0.999 * device.g_max)
                )
                if interior.size > 8:
                    for end, near in (
                        (slice(None, interior[0]), interior[:2]),
                        (slice(interior[-1] + 1, None), interior[-2:]),
                    ):
                        slope = (out[side, near[1]] - out[side, near[0]]) / (near[1] - near[0])
                        out[side, end] = out[side, near[0]] + slope * (np.arange(NODES)[end] - near[0])
        return out

    def filtered(self, t: np.ndarray) -> np.ndarray:
        """Return the innovations and their variances (2, n); they are 0 and 1 if no reading can be compared."""
        from hardware_models.kernels.trains import Curve, Noise, Population, Train, filter_steps

        d = self.data
        out = np.empty((2, d.u.size))
        tables = self.tables(t)
        sigma = np.full((2, d.cells), math.exp(t[-2]))
        if self.form.noise_follows != "range":
            # The noise scales with the step: it is smaller for smaller down steps and for slow cells.
            middle = np.abs(tables[:, NODES // 2])
            sigma[1] *= middle[1] / max(middle[0], 1e-12)
            sigma *= d.factors
        steady = 0.0 if self.form.noise_follows == "state" else 1.0
        train, curve = Train(d.u, d.polarity, d.first, d.cell), Curve(tables, float(self.nodes[0]), self.node_width)
        noise = Noise(sigma, steady, math.exp(t[-1]), FLOOR)
        filter_steps(train, curve, Population(d.factors, d.bounds), noise, out)
        return out

    def followed(self, t: np.ndarray) -> np.ndarray:
        """Return the difference (n,) of each reading from the noiseless curve that begins at its cycle's first reading."""
        from hardware_models.kernels.trains import Curve, Population, Train, follow_steps

        d = self.data
        out = np.empty(d.u.size)
        curve = Curve(self.tables(t), float(self.nodes[0]), self.node_width)
        follow_steps(Train(d.u, d.polarity, d.first, d.cell), curve, Population(d.factors, d.bounds), out)
        return out

    def likelihoods(self, t: np.ndarray) -> np.ndarray:
        """Return the log-likelihood (n,) of each step; 0 for steps that do not count, such as first readings."""
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
        counted = self.data.counted
        e, s = self.filtered(t)[:, counted]
        de, ds = np.zeros((len(self.chosen), e.size)), np.zeros((len(self.chosen), e.size))
        for row, i in enumerate(self.chosen):
            h = 0.01
            up, down = t.copy(), t.copy()
            up[i], down[i] = np.clip((t[i] + h, t[i] - h), *self.limits[:, i])
            width = up[i] - down[i]
            if width == 0.0:  # the limits leave this number a single value
                continue
            (e1, s1), (e0, s0) = self.filtered(up)[:, counted], self.filtered(down)[:, counted]
            de[row], ds[row] = (e1 - e0) / width, (s1 - s0) / width
        seen = 1.0 / s
        gradient = -(de @ (e * seen)) - 0.5 * (ds @ (seen * (1.0 - e * e * seen)))
        return gradient, (de * seen) @ de.T + 0.5 * (ds * seen * seen) @ ds.T

    def cell_factors(self, t: np.ndarray) -> np.ndarray:
        """Return each cell's factor on its steps (2, cells), by least squares in the middle of the range; mean 1."""
        d = self.data
        tables = self.tables(t)
        out = np.ones((2, d.cells))
        inside = (d.before > 0.1) & (d.before < 0.9) & d.stepped & d.pure
        for side, sign in enumerate((1, -1)):
            rows = np.flatnonzero(inside & (d.polarity == sign))
            mean = d.led(self.nodes, tables[side], rows)
            top = np.bincount(d.cell[rows], mean * (d.u - d.before)[rows], d.cells)
            bottom = np.bincount(d.cell[rows], mean * mean, d.cells)
            out[side] = np.clip(np.divide(top, bottom, out=np.ones(d.cells), where=bottom > 0), 0.2, 5.0)
            out[side] /= np.exp(np.mean(np.log(out[side])))
        return out


def value_of(f: Free, t: float, low: float, width: float) -> float:
    """Return a free number in the model's units from its searched value t; `low` and `width` [S] give the train's range."""
    if f.kind == "log":
        return math.exp(t)
    if f.kind == "inverse":
        return 1.0 / t if abs(t) > 1e-6 else 1e6
    return max(low + width * t, 0.0) if f.kind in ("low", "high") else t
