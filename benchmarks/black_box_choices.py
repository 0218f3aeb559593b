"""Values that `benchmarks/black_boxes.py` tries in each box outside of this project, and the choice among them.

Every rule is tuned in every box on the validation part of the training images, with two seeds, and a slow one
with one seed. The candidate with the least mean error by the softmax read-out is then tested with fresh seeds, once.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping
from typing import Any, NamedTuple

FROZEN = "frozen layers"
DROPPED = "Forward-Forward"
DITHERED = "Forward-Forward, dither"
SOFTMAX = "local softmax, dither"
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
READOUT_RATES = (0.03, 0.1, 0.3, 1.0, 3.0)
DITHERS = (0.1, 0.3, 1.0)
TUNED, TESTED = "holdout", "final"
SEEDS = (9, 10)
"""Seeds of the tuning, each with a chip of its own."""
SLOW = "circuits in ngspice"
"""Box that is tuned with the first of these seeds alone, on `FEWER` values."""
FEWER = {"learning_rate": (0.01, 0.03, 0.1, 0.3), "readout_rate": (0.1, 0.3, 1.0, 3.0)}
Values = Mapping[str, float]
"""Values of the options that are tuned."""


class Rule(NamedTuple):
    """A rule, and the values that are tried for it."""

    options: Mapping[str, str]
    tried: Mapping[str, tuple[float, ...]]

    def candidates(self, box: str) -> list[dict[str, float]]:
        """Return every combination of the values that are tried in a box."""
        tried = {name: FEWER.get(name, values) if box == SLOW else values for name, values in self.tried.items()}
        return [dict(zip(tried, values, strict=True)) for values in itertools.product(*tried.values())]


RULES: Mapping[str, Rule] = {
    FROZEN: Rule({"learner": "random-features"}, {"readout_rate": READOUT_RATES}),
    DROPPED: Rule({"learner": "forward-forward"}, {"learning_rate": RATES}),
    DITHERED: Rule(
        {"learner": "forward-forward", "slope": "dither-one-sided"}, {"learning_rate": RATES, "dither": DITHERS}
    ),
    SOFTMAX: Rule(
        {"learner": "local-softmax", "slope": "dither-one-sided"}, {"learning_rate": RATES, "dither": DITHERS[1:2]}
    ),
}
"""The first one comes first in every box, because the rate that it chooses for the read-out is that of all rules of the box."""
LEARNING = (DROPPED, DITHERED)
"""Rules of which the validation part chooses one a box for the answer of the page."""


class Point(NamedTuple):
    """One run of the study."""

    box: str
    rule: str
    split: str
    seed: int
    values: Values

    def name(self) -> str:
        """Return the key under which the run is stored."""
        values = ", ".join(f"{name} {value:g}" for name, value in self.values.items())
        return f"{self.box}; {self.rule}; {values}; {self.split}, seed {self.seed}"


class Choice(NamedTuple):
    """The values that the validation part has chosen for a rule in a box."""

    values: Values
    error: float
    """Mean validation error by the softmax read-out [%]."""


def tuning(box: str, rule: str, shared: Values) -> list[list[Point]]:
    """Return the runs of the tuning by candidate."""
    seeds = SEEDS[:1] if box == SLOW else SEEDS
    candidates = RULES[rule].candidates(box)
    return [[Point(box, rule, TUNED, seed, {**values, **shared}) for seed in seeds] for values in candidates]


def tuned(found: Mapping[str, Any], box: str, rule: str) -> Choice | None:
    """Return the values of a rule with the least validation error in a box; None while a run of the tuning is missing."""
    shared = readout(found, box, rule)
    if shared is None:
        return None
    choices = []
    for points in tuning(box, rule, shared):
        if any(point.name() not in found["runs"] for point in points):
            return None
        mean = statistics.fmean(error(found["runs"][point.name()]) for point in points)
        choices.append(Choice(points[0].values, mean))
    return min(choices, key=lambda choice: choice.error)


def readout(found: Mapping[str, Any], box: str, rule: str) -> Values | None:
    """Return the rate of the read-out, with which frozen layers err least on the validation part; frozen layers try their own."""
    if rule == FROZEN:
        return {}
    best = tuned(found, box, FROZEN)
    return None if best is None else best.values


def missing(found: Mapping[str, Any], box: str, rule: str, seeds: list[int]) -> list[Point]:
    """Return the runs of a rule in a box that are still to be made: those of the tuning, then those of the test."""
    shared = readout(found, box, rule)
    if shared is None:
        return missing(found, box, FROZEN, seeds)
    best = tuned(found, box, rule)
    if best is None:
        points = [point for candidate in tuning(box, rule, shared) for point in candidate]
    else:
        points = [Point(box, rule, TESTED, seed, best.values) for seed in seeds]
    return [point for point in points if point.name() not in found["runs"]]


def error(run: Mapping[str, Any]) -> float:
    """Return the error of a stored run by the softmax read-out [%]."""
    return float(run["errors"]["softmax"])


def errors_of(found: Mapping[str, Any], box: str, rule: str) -> dict[int, float]:
    """Return the test error [%] of the chosen candidate of a rule in a box, by seed."""
    best = tuned(found, box, rule)
    if best is None:
        return {}
    chosen = [
        run for run in found["runs"].values()
        if (run["box"], run["rule"], run["split"]) == (box, rule, TESTED) and run["values"] == best.values
    ]  # fmt: skip
    return {run["seed"]: error(run) for run in chosen}


def answered(found: Mapping[str, Any], box: str) -> str | None:
    """Return the rule of Forward-Forward that errs least on the validation part of a box; None before one is tuned and tested."""
    choices = {rule: best for rule in LEARNING if (best := tuned(found, box, rule)) and errors_of(found, box, rule)}
    return min(choices, key=lambda rule: choices[rule].error, default=None)
