r"""Decisions by paired seeds: differences with their intervals, an order with ties, the place where a curve meets an error.

All seeds are the same in all cases, and a seed names the chip too, so that cases are compared seed by seed. The mean of a
difference d of n seeds has the interval

.. math:: \bar d \pm t_{n-1,\,0.975}\, s_d/\sqrt{n}

A place on a curve has as its interval the places where the two ends of the curve's interval meet the wanted error. Curves are
made monotone first: least squares by pooling neighbours, Barlow et al., Statistical Inference under Order Restrictions, 1972.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from analog_ff.comparison.pricing import interval
from analog_ff.plain import Document

Errors = Sequence[float]
"""Error of a case by seed [%], in the order of the seeds."""
HALF_OF_THE_LOSS = "half of the loss made good"
"""Words for the wanted error where none is given."""


def gain(before: Errors, after: Errors) -> Document:
    """Return the mean error of `before` less that of `after`, seed by seed, with its interval [points]."""
    return interval([b - a for b, a in zip(before, after, strict=True)])


def decided(found: Document) -> bool:
    """Tell whether an interval lies above zero; one seed decides nothing."""
    return found["low"] is not None and found["low"] > 0.0


def ranks(errors: Mapping[str, Errors]) -> dict[str, int]:
    """Return the rank of each case by its mean error, the least first: 1, 2, ... in the order of the errors.

    A case has the rank of the one before it unless the seeds decide that it errs more than the first case of that rank: cases of
    one rank tie.
    """
    order = sorted(errors, key=lambda name: statistics.fmean(errors[name]))
    found: dict[str, int] = {}
    first = None
    for place, name in enumerate(order, 1):
        if first is None or decided(gain(errors[name], errors[first])):
            first, rank = name, place
        found[name] = rank
    return found


class Place(NamedTuple):
    """The share at which a curve meets a wanted error, and the ends of its interval; None where there is none."""

    share: float | None
    surely: float | None  # share at which the upper end of the error's interval meets it: enough for certain
    perhaps: float | None  # share at which the lower end does: more is certainly too much


def meets(shares: Sequence[float], errors: Sequence[Errors], wanted: float) -> Place:
    """Return the largest share of an imperfection with which the error is at most `wanted` [%].

    shares : from 1 downwards, (points,). errors : by seed, (points, seeds).
    """
    found = [interval(e) for e in errors]
    mean = [f["mean"] for f in found]
    low = [f["mean"] if f["low"] is None else f["low"] for f in found]
    high = [f["mean"] if f["high"] is None else f["high"] for f in found]
    return Place(*(_meets(shares, monotone(values), wanted) for values in (mean, high, low)))


def monotone(values: Sequence[float]) -> list[float]:
    """Return the falling sequence nearest to `values` in least squares: neighbours that rise are pooled."""
    pools: list[tuple[float, int]] = []
    for value in values:
        mean, number = value, 1
        while pools and pools[-1][0] < mean:
            before, many = pools.pop()
            mean, number = (before * many + mean * number) / (many + number), many + number
        pools.append((mean, number))
    return [mean for mean, number in pools for _ in range(number)]


def _meets(shares: Sequence[float], values: Sequence[float], wanted: float) -> float | None:
    """Return the largest share at which a falling line through the points is at most `wanted`."""
    if values[0] <= wanted:
        return shares[0]
    for place in range(1, len(shares)):
        if values[place] <= wanted:
            left, right = values[place - 1], values[place]
            return shares[place] + (shares[place - 1] - shares[place]) * (wanted - right) / (left - right)
    return None
