r"""The measured device: the whole distribution of steps against state, as measured.

.. math:: g' = \mathrm{clip}\bigl(g + f\,F^{-1}_\pm(U \mid g)\bigr), \qquad U \sim \mathrm{uniform}[0, 1[

with F the measured distribution of the change of conductance by one pulse [S] at the state g, for each polarity, and f
a log-normal factor of each cell. The table gives F^-1 at `levels` [S] and `probabilities` [1], both increasing; between
them it is interpolated along both axes. The kernel loops over the pulses. The form of the lookup tables of CrossSim 2.0
(Bennett et al., "Device-aware inference operations in SONOS nonvolatile memory arrays", IRPS 2020, and the CrossSim manual,
github.com/sandialabs/cross-sim). Cycle-to-cycle noise is part of the table.

A file is a NumPy archive (.npz) with the arrays levels (L,) [S], probabilities (Q,) from 0 to 1, up (L, Q) and down (L, Q)
[S], the changes of g (those of `down` mostly negative).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from hardware_models import files
from hardware_models.check import UsageError
from hardware_models.devices.pulsed import Cells, PulsedDevice, Words
from hardware_models.kernels import shaped_steps as kernels
from hardware_models.kernels.bursts import Burst
from hardware_models.keys import Key

ARRAYS = ("levels", "probabilities", "up", "down")


class MeasuredState(NamedTuple):
    """State of an array of measured cells, all (rows, columns) float32."""

    g: np.ndarray  # conductance [S]
    low: np.ndarray  # lower bound [S]
    high: np.ndarray  # upper bound [S]
    factor_up: np.ndarray  # the cell's step in units of the table's, up [1]
    factor_down: np.ndarray  # down [1]


def _absent() -> np.ndarray:
    return np.empty(0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured(PulsedDevice):
    """Device with a measured distribution of steps; see the module. Give the four arrays, or the `file` that holds them.

    Bounds default to the first and last level, `states` to the range over the median up step in the middle of the table.
    """

    name: str = "measured"
    g_min: float = -1.0
    g_max: float = -1.0
    states: float = 0.0
    file: str = ""
    levels: np.ndarray = field(default_factory=_absent, repr=False)
    probabilities: np.ndarray = field(default_factory=_absent, repr=False)
    up: np.ndarray = field(default_factory=_absent, repr=False)
    down: np.ndarray = field(default_factory=_absent, repr=False)

    def __post_init__(self) -> None:
        """Read and check the table; fill in the bounds and the nominal number of pulses."""
        if self.file:
            self._read()
        for name in ARRAYS:
            given = getattr(self, name)
            if given is None or np.size(given) == 0:
                raise UsageError(f"device {self.name} needs the array '{name}' or a file that holds it.")
            numbers = np.asarray(given)
            if numbers.dtype.kind not in "iuf":
                raise UsageError(f"device {self.name} needs the array '{name}' of real numbers, got {numbers.dtype}.")
            object.__setattr__(self, name, np.ascontiguousarray(numbers, np.float64))
        size = (self.levels.size, self.probabilities.size)
        grids = (self.levels, self.probabilities)
        if min(size) < 2 or any(g.ndim != 1 or not (np.diff(g) > 0).all() for g in grids):
            raise UsageError(f"device {self.name} needs at least two levels and two probabilities, both increasing.")
        if self.probabilities[0] != 0.0 or self.probabilities[-1] != 1.0:
            raise UsageError(f"device {self.name} needs probabilities from 0 to 1.")
        for name in ("up", "down"):
            table = getattr(self, name)
            if table.shape != size or not np.isfinite(table).all() or (np.diff(table, axis=1) < 0).any():
                raise UsageError(f"device {self.name} needs '{name}' as {size} finite numbers rising along each row.")
        if self.g_min < 0.0:
            object.__setattr__(self, "g_min", float(self.levels[0]))
        if self.g_max < 0.0:
            object.__setattr__(self, "g_max", float(self.levels[-1]))
        if self.states == 0.0:
            step = abs(self.median_step(0.5 * (self.g_min + self.g_max), "up"))
            object.__setattr__(self, "states", max(1.0, self.g_range / step) if step > 0 else 1.0)
        super().__post_init__()

    def _read(self) -> None:
        found = files.arrays(self.file, "table of pulses", ARRAYS)
        missing = [name for name in ARRAYS if name not in found]
        if missing:
            raise UsageError(f"{self.file} lacks the array '{missing[0]}' (needed: {', '.join(ARRAYS)}).")
        for name, array in found.items():
            object.__setattr__(self, name, array)

    def noise_of_finer_steps(self) -> None:
        """Return None: steps and their noise stand in the table."""
        return None

    def median_step(self, g: float, polarity: str) -> float:
        """Return the median change of g by one pulse at the state g [S]."""
        medians = [np.interp(0.5, self.probabilities, row) for row in getattr(self, polarity)]
        return float(np.interp(g, self.levels, medians))

    def cells(self, shape: tuple[int, int], key: Key) -> MeasuredState:
        """Draw each cell's bounds and factors."""
        low, high = self.bounds(shape, key)
        common = self.factor(shape, key, "step", self.step_spread)
        balance = self.factor(shape, key, "balance", self.balance_spread)
        g = np.clip(self.fresh_conductance(shape, key), low, high)
        return MeasuredState(g, low, high, common * balance, common / balance)

    def move(self, cells: Cells, where: Burst, words: Words) -> None:
        """Draw each pulse's step from the table."""
        tables = self.levels, self.probabilities, np.stack((self.up, self.down))
        kernels.table_steps(cells, where, kernels.StepTable(*(t.astype(np.float32) for t in tables)), words)

    def describe(self) -> dict[str, object]:
        """Return the numbers as plain values; the table as its shape and SHA-256."""
        digest = hashlib.sha256(b"".join(getattr(self, name).tobytes() for name in ARRAYS)).hexdigest()
        plain = {name: value for name, value in super().describe().items() if name not in ARRAYS}
        return plain | {"table_shape": list(self.up.shape), "table_sha256": digest}
