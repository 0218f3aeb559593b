"""A pulse train in units of its own range: the steps that count for a fit, and rough figures for its start."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from hardware_models.check import UsageError, shown
from hardware_models.fitting.forms import Hints
from hardware_models.fitting.pulse_train import PulseTrain


class TrainData:
    """A pulse train in units of its own range; `only` makes one with some of the rows."""

    def __init__(self, train: PulseTrain) -> None:
        self.low, self.high = float(np.nanmin(train.g)), float(np.nanmax(train.g))
        self.range = self.high - self.low
        # Devices compute in float32: a range below its resolution counts as no change at all.
        if not self.range > 1e-5 * self.high:
            raise UsageError(
                f"{shown(train.path, 200, quoted=False)}: the conductance never changes, so there is nothing to fit."
            )
        self.u = (train.g - self.low) / self.range
        self.polarity = train.polarity.astype(np.int8)
        self.first, self.cell = train.first.copy(), train.cell.astype(np.int64)
        self.stepped = train.stepped  # a step leads here from the reading before, by one or more pulses
        self.cells = len(train.cells)
        changes = (np.diff(train.cell, prepend=-1) != 0) | (np.diff(train.cycle, prepend=-1) != 0)
        self.unit = np.cumsum(changes) - 1  # number of the (cell, cycle)
        self.cycle = train.cycle
        self.factors = np.ones((2, self.cells))
        self.bounds = np.array([[-1e3], [1e3]]) * np.ones((1, self.cells))
        # Steps that begin within a few deviations of a cell's bounds are not Gaussian: the filter follows them, but the
        # likelihood leaves them out. The choice depends only on the reading before the step, so it causes no bias.
        self.ends = cell_bounds(self)
        self.margin = min(4.0 * math.hypot(*self.noise()), 0.2)
        near = np.minimum(self.before - self.ends[0, self.cell], self.ends[1, self.cell] - self.before) < self.margin
        self.counted = self.stepped & ~near

    def only(self, keep: np.ndarray) -> TrainData:
        """Return the data of the rows in which `keep` (n,) is True; these rows should be complete cycles."""
        kept = object.__new__(TrainData)
        vars(kept).update({k: v for k, v in vars(self).items() if k not in ("base", "before", "pulses", "pure")})
        for name in ("u", "polarity", "first", "cell", "unit", "cycle", "stepped", "counted"):
            setattr(kept, name, getattr(self, name)[keep])
        # After rows that were left out, the filter starts again, with the next reading.
        begins = kept.first | (np.diff(np.flatnonzero(keep), prepend=-2) > 1)
        known = np.isfinite(kept.u)
        earlier = np.cumsum(known) - known
        kept.first = earlier == earlier[np.maximum.accumulate(np.where(begins, np.arange(kept.u.size), 0))]
        kept.stepped = kept.stepped & ~kept.first
        kept.counted = kept.counted & ~kept.first
        return kept

    @cached_property
    def base(self) -> np.ndarray:
        """Row of the reading before each step."""
        here = np.arange(self.u.size)
        last = np.maximum.accumulate(np.where(np.isfinite(self.u) | self.first, here, 0))
        return np.concatenate(([0], last[:-1]))

    @cached_property
    def before(self) -> np.ndarray:
        """State before each step, by the reading before it."""
        return self.u[self.base]

    @cached_property
    def pulses(self) -> np.ndarray:
        """Number of pulses of each step."""
        return np.maximum(np.arange(self.u.size) - self.base, 1)

    @cached_property
    def pure(self) -> np.ndarray:
        """True for steps whose pulses are all of one polarity."""
        turns = np.cumsum(np.diff(self.polarity, prepend=0) != 0)
        return turns == turns[np.minimum(self.base + 1, np.arange(self.u.size))]

    def led(self, nodes: np.ndarray, table: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the change to which a table of mean steps at `nodes` leads in the pulses of the steps `rows` (k,)."""
        x, left = self.before[rows], self.pulses[rows]
        out = np.interp(x, nodes, table)
        for number in range(1, int(left.max(initial=1))):
            more = left > number
            out[more] += np.interp(x[more] + out[more], nodes, table)
        return out

    @property
    def _middle(self) -> np.ndarray:
        """State in the middle of each step of several pulses, before each step of one pulse."""
        return np.where(self.pulses > 1, 0.5 * (self.u + self.before), self.before)

    def hints(self) -> Hints:
        """Return starting values from a straight line through the steps of each polarity."""
        middle, curvature, zero = [], [], []
        for sign in (1, -1):
            rows = (self.polarity == sign) & self.stepped & self.pure & (self.before > 0.08) & (self.before < 0.92)
            if rows.sum() < 5:
                rows = (self.polarity == sign) & self.stepped
            x, y = self._middle[rows], ((self.u - self.before) / self.pulses)[rows]
            spread = float(np.mean((x - x.mean()) ** 2))
            slope = float(np.mean((x - x.mean()) * y)) / spread if spread > 1e-12 else 0.0
            level = float(y.mean()) - slope * float(x.mean())
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
            rows = (self.polarity == sign) & self.stepped
            # With too few different states for a parabola, `lstsq` takes the smallest coefficients that fit.
            powers, n = np.vander(self._middle[rows] - 0.5, 3), self.pulses[rows]
            step = (self.u - self.before)[rows] / n
            residual[rows] = (step - powers @ np.linalg.lstsq(powers, step, rcond=None)[0]) * n
        pair = self.stepped & self.stepped[self.base]
        together = float(np.mean((residual * residual[self.base])[pair])) if pair.any() else 0.0
        read2 = min(max(-together, 1e-7), 0.2)
        cycle2 = float(np.mean(residual[self.stepped] ** 2)) - 2 * read2
        cycle2 = max(cycle2 / float(np.mean(self.pulses[self.stepped])), 0.02 * read2, 1e-7)
        return math.sqrt(cycle2), math.sqrt(read2)


def cell_bounds(data: TrainData) -> np.ndarray:
    """Return the lowest and highest state of each cell (2, cells), corrected for the read noise in extreme readings."""
    from scipy.stats import norm

    read = data.noise()[1]
    read = read if read > 3e-3 else 0.0
    out = np.empty((2, data.cells))
    for c in range(data.cells):
        u = data.u[(data.cell == c) & np.isfinite(data.u)]
        for side, end, sign in ((0, u.min(), 1), (1, u.max(), -1)):
            near = int((np.abs(u - end) < 2.5 * read).sum()) if read else 0
            out[side, c] = end + sign * (read * norm.ppf(1 - 0.375 / (near + 0.25)) if near > 1 else 0.0)
    return out
