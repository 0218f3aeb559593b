"""A pulse train in units of its own range: what of it counts, and what it shows before any fit."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from hardware_models.check import UsageError, shown
from hardware_models.fitting.forms import Hints
from hardware_models.pulse_train import PulseTrain


class TrainData:
    """A train in units of its own range, some of its cycles left out if asked."""

    def __init__(self, train: PulseTrain) -> None:
        self.low, self.high = float(np.nanmin(train.g)), float(np.nanmax(train.g))
        self.range = self.high - self.low
        # A range that is lost in the digits of a float32, in which devices compute, is none.
        if not self.range > 1e-5 * self.high:
            raise UsageError(
                f"{shown(train.path, 200, quoted=False)}: the conductance never changes, so there is nothing to fit."
            )
        self.u = (train.g - self.low) / self.range
        self.polarity = train.polarity.astype(np.int8)
        self.first, self.cell = train.first.copy(), train.cell.astype(np.int64)
        self.stepped = train.stepped  # readings before and after the pulse are known
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
        self.counted = self.stepped & ~near

    def only(self, keep: np.ndarray) -> TrainData:
        """Return the rows `keep` (whole cycles)."""
        part = object.__new__(TrainData)
        vars(part).update({k: v for k, v in vars(self).items() if k != "before"})
        for name in ("u", "polarity", "first", "cell", "unit", "cycle", "stepped", "counted"):
            setattr(part, name, getattr(self, name)[keep])
        # Where rows were left out, the filter starts afresh.
        gap = np.diff(np.flatnonzero(keep), prepend=-2) > 1
        part.first = part.first | gap
        part.stepped = part.stepped & ~part.first
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
            own = (self.polarity == sign) & self.stepped & (self.before > 0.08) & (self.before < 0.92)
            if own.sum() < 5:
                own = (self.polarity == sign) & self.stepped
            x, y = self.before[own], (self.u - self.before)[own]
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
            own = (self.polarity == sign) & self.stepped
            # Where the states do not suffice for a parabola, the least of all that fit equally well is taken.
            powers, step = np.vander(self.before[own] - 0.5, 3), (self.u - self.before)[own]
            residual[own] = step - powers @ np.linalg.lstsq(powers, step, rcond=None)[0]
        pair = self.stepped[1:] & self.stepped[:-1]
        together = float(np.mean((residual[1:] * residual[:-1])[pair])) if pair.any() else 0.0
        read2 = min(max(-together, 1e-7), 0.2)
        cycle2 = max(float(np.mean(residual[self.stepped] ** 2)) - 2 * read2, 0.02 * read2, 1e-7)
        return math.sqrt(cycle2), math.sqrt(read2)


def cell_bounds(data: TrainData) -> np.ndarray:
    """Return lowest and highest state of each cell (2, cells), the part that read noise adds to extremes taken off."""
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
