r"""Step tables: the change of a cell by one pulse as a function of the cell's state, measured on any device.

`kinds` cells are fabricated; each is set to every level s of its own range and pulsed once, up and down, many times. With
s = (G - low)/(high - low), the table holds for each kind and polarity the mean mu(s) and the standard deviation sigma(s) of the
step without bounds, so that n pulses on a cell are

.. math:: s' = \mathrm{clip}\bigl(s + |n|\,\mu^\pm(s) + \sqrt{|n|}\,\sigma^\pm(s)\,\xi,\; 0,\; 1\bigr), \qquad \xi \sim N(0, 1)

which is exact for one pulse of a device with normal noise and hard bounds, and accurate for n pulses that move a cell little.
Near a bound the draws are a censored sample. A share f of them ends below an upper bound at the distance b, with the
mean m; for a normal law :math:`f = \Phi((b - \mu)/\sigma)` and :math:`m = \mu - \sigma\,\varphi(z)/f`, so

.. math:: \sigma = \frac{b - m}{z + \varphi(z)/f}, \quad \mu = b - \sigma z, \quad z = \Phi^{-1}(f)

and mirrored for a lower one. If the steps of the device without its write noise (`without`) agree with the measured means, they
replace them: otherwise the error of the measured means would be a constant bias of every step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_models.check import UsageError, positive_int
from hardware_models.devices.base import BaseDevice
from hardware_models.devices.drawn import bounds_of
from hardware_models.devices.state import CellState, remade
from hardware_models.kernels.pulses import split_pairs
from hardware_models.keys import Key

UP, DOWN = 0, 1
AGREES = 6.0
"""Number of standard errors by which a mean over all kinds may differ from the step without noise."""
SECONDS = 1e4
"""Time [s] after which a drifting cell is expected to have changed."""
_FEW = 8  # least number of draws away from a bound from which a censored normal law can be estimated


@dataclass(frozen=True)
class StepTables:
    """Steps of `kinds` cells of a device; states and steps are shares of a cell's own range."""

    device: BaseDevice
    low: np.ndarray  # (kinds,) float64 [S]
    span: np.ndarray  # (kinds,) high - low [S]
    fresh: np.ndarray  # (kinds,) state of a cell that was never pulsed
    mean: np.ndarray  # (kinds, 2, levels) mean step of one pulse, up and down
    deviation: np.ndarray  # (kinds, 2, levels) standard deviation of that step

    @classmethod
    def of(cls, device: BaseDevice, key: Key, kinds: int = 64, levels: int = 65, draws: int = 256) -> StepTables:
        """Measure and return the tables of a device; raise UsageError if tables cannot describe it."""
        positive_int("a step table", "kinds", kinds, 1, 10_000)
        positive_int("a step table", "levels", levels, 3, 10_000)
        positive_int("a step table", "draws", draws, 16, 100_000)
        _refuse_before(device, key)
        cells = device.fabricate((1, kinds), key.child("fabricate"))
        low, high = (np.array(np.broadcast_to(bound, (1, kinds)), np.float64)[0] for bound in bounds_of(device, cells))
        span = np.maximum(high - low, 1e-6 * device.g_range)
        fresh = np.clip((np.asarray(cells.g, np.float64)[0] - low) / span, 0.0, 1.0)
        grid = low + np.linspace(0.0, 1.0, levels)[:, None] * span
        quiet = device.without(write_noise=True)
        mean, deviation = np.empty((kinds, 2, levels)), np.empty((kinds, 2, levels))
        for side, name, sign in ((UP, "up", 1), (DOWN, "down", -1)):
            drawn, hit = _pulsed(device, cells, grid, low, high, draws, sign, key.child(name))
            measured, sigma = _uncensored(drawn / span, hit, grid, low, high, span)
            still, clipped = _pulsed(quiet, cells, grid, low, high, 1, sign, key.child(name))
            expected = _extended(still[:, 0] / span, (clipped != 0)[:, 0], sign)
            free = ~(hit != 0).any(axis=1)
            chosen = expected if _agree(measured, expected, sigma, free, draws) else measured
            mean[:, side], deviation[:, side] = chosen.T, sigma.T
        return cls(device, low, span, fresh, mean, deviation)

    @property
    def kinds(self) -> int:
        """Number of measured cells."""
        return len(self.low)

    @property
    def levels(self) -> int:
        """Number of levels of a table."""
        return self.mean.shape[2]

    def moved(
        self, share: np.ndarray, kind: np.ndarray, pulses: np.ndarray, generator: np.random.Generator
    ) -> np.ndarray:
        """Return the states after signed numbers of pulses, each burst in one step; all arrays have one shape."""
        at = np.clip(share, 0.0, 1.0) * (self.levels - 1)
        first = np.minimum(at.astype(np.int64), self.levels - 2)
        side = np.where(pulses < 0, DOWN, UP)
        here, there = self.mean[kind, side, first], self.mean[kind, side, first + 1]
        mean = here + (at - first) * (there - here)
        deviation = self.deviation[kind, side, (at + 0.5).astype(np.int64)]
        n = np.abs(pulses)
        moved = share + n * mean + np.sqrt(n) * deviation * generator.standard_normal(share.shape)
        return np.where(n > 0, np.clip(moved, 0.0, 1.0), share)

    def conductance(self, share: np.ndarray, kind: np.ndarray) -> np.ndarray:
        """Return the conductances [S] float64 of cells with states `share` and kinds `kind`."""
        return np.asarray(self.low[kind] + self.span[kind] * share)

    def programmed(
        self, counts: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return kind, pulses and state of each device of fresh pairs after signed counts (rows, columns) of pulses.

        Each array is (rows, 2 columns), with G+ and G- alternating; each device has a random kind. Pulses act one by one.
        """
        pulses = np.empty((counts.shape[0], 2 * counts.shape[1]), np.int32)
        split_pairs(np.ascontiguousarray(counts, np.int32), 0, pulses)
        kind = np.asarray(generator.integers(0, self.kinds, pulses.shape))
        share: np.ndarray = self.fresh[kind]
        for given in range(int(np.abs(pulses).max(initial=0))):
            active = np.abs(pulses) > given
            share[active] = self.moved(share[active], kind[active], np.sign(pulses[active]), generator)
        return kind, pulses, share


def _refuse_before(device: BaseDevice, key: Key) -> None:
    """Raise UsageError for a device whose next step does not depend on its conductance alone, or with other pulses."""
    name = f"device {device.name}"
    remedy = "give --chip exact, with --target cython"
    if device.polarities != "both":
        raise UsageError(f"step tables cannot serve {name}, whose pulses have one sign only; {remedy}.")
    if device.access == "passive":
        raise UsageError(f"step tables cannot serve {name}, whose half-selected cells they do not see; {remedy}.")
    shape = (8, 8)
    cells = device.fabricate(shape, key.child("probe"))
    before = {field: np.array(values) for field, values in cells._asdict().items()}
    seen = np.array(device.conductance(cells, 0.0)), np.array(device.conductance(cells, SECONDS))
    later = remade(cells, map(np.array, before.values()))
    device.wait(later, SECONDS, key.child("wait"))
    then = later._asdict()
    moved = any(not np.array_equal(then[field], values, equal_nan=True) for field, values in before.items())
    if device.timed or not np.array_equal(*seen) or not np.array_equal(seen[0], cells.g) or moved:
        raise UsageError(
            f"step tables cannot serve {name}, whose conductance changes with time in its model; {remedy}."
        )
    if np.ndim(device.read_variance(cells, 0.0)) > 0:
        raise UsageError(f"step tables cannot serve {name}, whose read noise depends on the cell; {remedy}.")
    for sign in (1, -1):
        for number in range(3):
            device.pulse(cells, np.full(shape, sign, np.int32), key.child("probe").at(sign * (number + 1)))
        for field, values in cells._asdict().items():
            if field != "g" and not np.array_equal(values, before[field], equal_nan=True):
                raise UsageError(
                    f"step tables cannot serve {name}: pulses move its hidden state '{field}' besides the conductance; "
                    f"{remedy}."
                )


def _pulsed(
    device: BaseDevice,
    cells: CellState,
    grid: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    draws: int,
    sign: int,
    key: Key,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the changes (levels, draws, kinds) [S] by one pulse from each level, and the bound they reached: 1 high, -1 low."""
    levels, kinds = grid.shape
    rows = levels * draws
    fields = {name: np.repeat(np.asarray(values), rows, axis=0) for name, values in cells._asdict().items()}
    start = np.repeat(grid, draws, axis=0).astype(np.float32)
    fields["g"] = np.clip(start, low.astype(np.float32), high.astype(np.float32))
    begin = fields["g"].astype(np.float64)
    state = remade(cells, fields.values())
    device.pulse(state, np.full((rows, kinds), sign, np.int32), key)
    g = state.g.astype(np.float64)
    hit = (g >= high.astype(np.float32)).astype(np.int8) - (g <= low.astype(np.float32)).astype(np.int8)
    return (g - begin).reshape(levels, draws, kinds), hit.reshape(levels, draws, kinds)


def _uncensored(
    moved: np.ndarray, hit: np.ndarray, grid: np.ndarray, low: np.ndarray, high: np.ndarray, span: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation (levels, kinds) of steps without bounds, from draws (levels, draws, kinds) with bounds."""
    from scipy.stats import norm

    mean, deviation = moved.mean(axis=1), moved.std(axis=1, ddof=1)
    free = hit == 0
    share = free.mean(axis=1)
    inside = np.where(free, moved, 0.0).sum(axis=1) / np.maximum(free.sum(axis=1), 1)
    for side, distance in ((1, (high - grid) / span), (-1, (low - grid) / span)):
        # If draws end at both bounds, they tell too little; those at the other bound then count as free.
        told = ((hit == side).any(axis=1)) & (free.sum(axis=1) >= _FEW) & ~((hit == -side).any(axis=1))
        f = np.where(told, share, 0.5)
        z = norm.ppf(f)
        sigma = side * (distance - inside) / (z + norm.pdf(z) / f)
        mean = np.where(told, distance - side * sigma * z, mean)
        deviation = np.where(told, sigma, deviation)
    return mean, np.maximum(deviation, 0.0)


def _extended(step: np.ndarray, clipped: np.ndarray, sign: int) -> np.ndarray:
    """Return steps (levels, kinds) in which those that end at a bound are replaced by a straight line through the free ones."""
    step, clipped = step[::sign].copy(), clipped[::sign]
    for level in range(2, len(step)):
        line = 2.0 * step[level - 1] - step[level - 2]
        # A step that shrinks to zero at the bound does not change its sign there.
        line = np.where(sign * line > 0.0, line, 0.0)
        step[level] = np.where(clipped[level], line, step[level])
    return step[::sign]


def _agree(measured: np.ndarray, expected: np.ndarray, sigma: np.ndarray, free: np.ndarray, draws: int) -> bool:
    """Tell whether measured means agree with the device without noise, at each level over all kinds and over all levels."""
    error = np.maximum(sigma, 1e-7) / np.sqrt(draws)
    z = np.where(free, (measured - expected) / error, 0.0)
    by_level = np.abs(z.sum(axis=1)) / np.sqrt(np.maximum(free.sum(axis=1), 1))
    return bool(by_level.max(initial=0.0) < AGREES and np.abs(z.sum()) / np.sqrt(max(free.sum(), 1)) < AGREES)
