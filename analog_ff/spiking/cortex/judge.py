r"""Judgement of the runs of a point: means with intervals, losses of paired seeds, verdicts.

The loss of a point is the mean over seeds and images of c(null) - c(point), where c is 1 for an image that is classified
correctly and 0 otherwise; both runs have the same seed and the same images. Its standard error combines the spread over the
S seeds with the spread over the n images,

.. math:: s^2 = \frac{s_\mathrm{seeds}^2}{S} + \frac{s_\mathrm{images}^2}{n}

(the variance of two crossed random factors, in which their interaction is counted twice: an upper bound in the mean;
A. Owen, Ann. Appl. Stat. 1, 386 (2007), doi:10.1214/07-AOAS122). Intervals extend two standard errors on either side. With
one seed the first term is unknown and left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from analog_ff.plain import Facts
from analog_ff.spiking.cortex.base import COST, FAILS, FITS, LARGE_LOSS, OPEN, SLACK, SMALL_LOSS, VERDICTS, Loss, Range

Runs = Mapping[int, Facts]
"""Results of one point by seed."""


class Estimate(NamedTuple):
    """A mean, half the width of its interval (None if unknown), and the number of seeds."""

    mean: float
    half: float | None
    seeds: int


class Judgement(NamedTuple):
    """Outcome of a criterion; `firm` is True if all values in the interval give the same verdict."""

    verdict: str
    firm: bool
    value: Estimate | None


def packed(correct: np.ndarray) -> str:
    """Return an array of booleans as a text of hexadecimal digits."""
    return np.packbits(correct.astype(bool)).tobytes().hex()


def unpacked(text: str, n: int) -> np.ndarray:
    """Return the first n booleans from a text made by `packed`."""
    return np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8))[:n].astype(bool)


def correct(run: Facts, readout: str) -> np.ndarray:
    """Return a mask of the images that a run classifies correctly."""
    return unpacked(run["correct"][readout], run["images"]["infer"])


def error(table: np.ndarray) -> float | None:
    """Return the standard error of the mean of a table (seeds, images); None if the table has one value."""
    seeds, images = table.shape
    variance = table.mean(axis=0).var(ddof=1) / images if images > 1 else 0.0
    if seeds > 1:
        variance += table.mean(axis=1).var(ddof=1) / seeds
    return math.sqrt(variance) if max(seeds, images) > 1 else None


def percentage(table: np.ndarray) -> Estimate:
    """Return the mean of a table (seeds, images) in percent, with its interval."""
    s = error(table)
    return Estimate(100.0 * float(table.mean()), None if s is None else 200.0 * s, len(table))


def accuracy(runs: Runs, readout: str = "energy") -> Estimate | None:
    """Return the accuracy of a point in percent; None without runs."""
    if not runs:
        return None
    return percentage(np.array([correct(r, readout) for r in runs.values()], float))


def loss(null: Runs, runs: Runs, readout: str = "energy") -> Estimate | None:
    """Return the points of accuracy that a point loses against the null, over the seeds that both have."""
    seeds = sorted(set(null) & set(runs))
    if not seeds:
        return None
    return percentage(np.array([correct(null[s], readout).astype(float) - correct(runs[s], readout) for s in seeds]))


def spread(values: Sequence[float | None]) -> Estimate | None:
    """Return the mean of a quantity over the seeds; None if it is missing for a seed."""
    numbers = [v for v in values if v is not None]
    if not numbers or len(numbers) < len(values):
        return None
    half = 2.0 * float(np.std(numbers, ddof=1)) / math.sqrt(len(numbers)) if len(numbers) > 1 else None
    return Estimate(float(np.mean(numbers)), half, len(numbers))


def by_loss(points: float) -> str:
    """Return the verdict on a loss in points of accuracy."""
    return FITS if points <= SMALL_LOSS else COST if points <= LARGE_LOSS else FAILS


def by_range(value: float, low: float, high: float, share: bool = False) -> str:
    """Return the verdict on a quantity with a published range; for a share x, 1 - x must fit as well."""
    if low <= value <= high:
        return FITS
    least, most = low / SLACK, high * SLACK
    if share:
        least, most = max(least, 1.0 - SLACK * (1.0 - low)), min(most, 1.0 - (1.0 - high) / SLACK)
    return COST if least <= value <= most else FAILS


def judge(criterion: Loss | Range, runs: Mapping[str, Runs]) -> Judgement:
    """Return the outcome of a criterion from the runs of the test's points, by label."""
    if isinstance(criterion, Loss):
        value = loss(runs[criterion.null], runs[criterion.point], criterion.readout)
    else:
        value = spread([quantity(r, criterion.quantity) for r in runs[criterion.point].values()])
    if value is None:
        return Judgement(OPEN, False, None)

    def verdict(x: float) -> str:
        if isinstance(criterion, Loss):
            return by_loss(x)
        return by_range(x, criterion.low, criterion.high, criterion.share)

    reached = {verdict(value.mean + k * (value.half or 0.0)) for k in np.linspace(-1.0, 1.0, 41)}
    return Judgement(verdict(value.mean), len(reached) == 1 and value.half is not None, value)


def quantity(run: Facts, name: str) -> float | None:
    """Return a quantity of the firing of layer 1 with the right label."""
    layer = run["firing"][0]
    value = layer["right_label"].get(name, layer.get(name))
    return None if value is None else float(value)


def decides(criterion: Loss | Range) -> bool:
    """Tell whether a criterion counts for the verdict of its test: a range that was only recalled does not."""
    return isinstance(criterion, Loss) or criterion.read != "recalled"


def worst(verdicts: Sequence[str]) -> str:
    """Return the worst of the verdicts; "not measured" as long as one is missing."""
    if not verdicts or OPEN in verdicts:
        return OPEN
    return max(verdicts, key=VERDICTS.index)
