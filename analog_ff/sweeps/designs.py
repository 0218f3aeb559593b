"""Places of the points of a sweep: every combination of a grid, random samples, Sobol's sequence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

DIGITS = 6
"""Significant digits of a sampled value: what a table shows is what is run."""
Value = bool | int | float | str


class Axis(NamedTuple):
    """The values that one option may take: from `low` to `high`, evenly or evenly in their logarithm, or one of `choices`."""

    low: float = 0.0
    high: float = 1.0
    log: bool = False
    whole: bool = False
    choices: tuple[Value, ...] = ()

    def at(self, share: float) -> Value:
        """Return the value that lies at a share in [0, 1[ of the way; whole numbers and choices are equally likely."""
        if self.choices:
            return self.choices[int(share * len(self.choices))]
        low, high = (self.low - 0.5, self.high + 0.5) if self.whole else (self.low, self.high)
        if self.log:
            value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        else:
            value = low + share * (high - low)
        if self.whole:
            return min(max(round(value), int(self.low)), int(self.high))
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)


def random(axes: Mapping[str, Axis], samples: int, seed: int) -> list[dict[str, Value]]:
    """Return independent samples, each value drawn evenly from its axis; the same for the same seed."""
    return _values(axes, np.random.Generator(np.random.Philox(seed)).random((samples, len(axes))))


def sobol(axes: Mapping[str, Axis], samples: int, seed: int) -> list[dict[str, Value]]:
    """Return samples of Sobol's sequence, scrambled; `samples` is a power of two.

    A power of two of them lies evenly in every direction: n samples have one in each of the n equal parts of every axis, so that
    a mean over them converges faster than over random samples. I. M. Sobol', USSR Comput. Math. Math. Phys. 7 (1967) 86,
    doi:10.1016/0041-5553(67)90144-9; scrambled by a linear matrix and a shift, J. Matousek, J. Complexity 14 (1998) 527,
    doi:10.1006/jcom.1998.0489.
    """
    from scipy.stats import qmc

    sequence = qmc.Sobol(len(axes), scramble=True, seed=np.random.Generator(np.random.Philox(seed)))
    return _values(axes, sequence.random_base2(samples.bit_length() - 1))


def _values(axes: Mapping[str, Axis], shares: np.ndarray) -> list[dict[str, Value]]:
    return [{name: axis.at(share) for (name, axis), share in zip(axes.items(), row, strict=True)} for row in shares]


def crossed(*tables: Sequence[Mapping[str, Value]]) -> list[dict[str, Value]]:
    """Return every combination of one row of each table, the last table's rows varying fastest."""
    found: list[dict[str, Value]] = [{}]
    for table in tables:
        found = [{**row, **other} for row in found for other in table]
    return found
