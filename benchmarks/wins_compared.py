"""Forward-Forward against other rules on the same chip: differences with intervals, and verdicts that follow from these alone."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from wins_cases import Case, choices

from analog_ff.comparison.pricing import interval

WINS, LOSES, OPEN = "wins", "loses", "not decided"
ENDS = ("low", "nominal", "high")


class Gap(NamedTuple):
    """A difference or a ratio, Forward-Forward's less or by the other's, with its interval; None for an interval nobody knows."""

    value: float
    low: float | None
    high: float | None
    level: float
    """Value of two equal ones: 0 for a difference, 1 for a ratio."""

    @property
    def verdict(self) -> str:
        """Verdict for Forward-Forward, whose errors and costs should be smaller."""
        if self.low is None or self.high is None or self.equal:
            return OPEN
        return WINS if self.high < self.level else LOSES if self.low > self.level else OPEN

    @property
    def equal(self) -> bool:
        """True for a ratio that is 1 within 1 % throughout."""
        ends = (self.low, self.high)
        return self.level == 1.0 and all(end is not None and abs(end - 1.0) < 0.01 for end in ends)


class Compared(NamedTuple):
    """One of the Forward-Forward family beside another rule, on the same chip, data and size."""

    mine: Case
    other: Case
    seeds: int
    error: Gap
    update: Gap | None
    to_90: Gap | None
    time: Gap | None
    area: Gap | None

    @property
    def screening(self) -> bool:
        """True for a comparison of one seed."""
        return self.seeds < 2

    @property
    def either_sign(self) -> bool:
        """True for neurons whose slopes have either sign."""
        return self.mine.chosen("nonlinearity") in choices()["slopes"]["either_sign"]


def compared(mine: Case, other: Case) -> Compared | None:
    """Return two cases compared seed by seed; None if they share no seed."""
    seeds = sorted(mine.errors.keys() & other.errors.keys())
    if not seeds:
        return None
    found = interval([mine.errors[seed] - other.errors[seed] for seed in seeds])
    error = Gap(found["mean"], found["low"], found["high"], 0.0)
    to_90 = None if mine.to_90 is None or not other.to_90 else mine.to_90 / other.to_90
    time, area = (
        ratio({end: (mine.of_chip(name, end), other.of_chip(name, end)) for end in ENDS})
        for name in ("seconds_per_image", "area_m2")
    )
    update = ratio({end: (mine.energy(end), other.energy(end)) for end in ENDS})
    return Compared(
        mine, other, len(seeds), error, update, None if to_90 is None else Gap(to_90, None, None, 1.0), time, area
    )


def ratio(amounts: Mapping[str, tuple[float | None, float | None]]) -> Gap | None:
    """Return the ratio of two amounts at nominal prices, with the least and the largest at low, nominal and high prices."""
    found = {end: mine / other for end, (mine, other) in amounts.items() if mine is not None and other}
    if len(found) < len(amounts):
        return None
    return Gap(found["nominal"], min(found.values()), max(found.values()), 1.0)


def standing(cases: Iterable[Case]) -> list[Case]:
    """Return one case for each rule of the family, and for each learner beside it, on each chip of each experiment.

    Of the Forward-Forward family it is the one that wins.toml names, else the first of the file: none is chosen by its error.
    Of a learner beside it, it is the one that errs least, whatever its slope and its rate: nothing is won against a bad one.
    """
    kept: dict[tuple[Any, ...], Case] = {}
    for case in cases:
        place = (case.experiment, case.rule if case.ours else case.learner, case.chip)
        if place not in kept or _rather(case, kept[place]):
            kept[place] = case
    return [*kept.values()]


def _rather(case: Case, other: Case) -> bool:
    """Tell whether a case stands for its rule rather than an earlier one."""
    if not case.ours:
        return statistics.fmean(case.errors.values()) < statistics.fmean(other.errors.values())
    named = choices()["stands"].get(case.experiment, [])
    return case.label in named and other.label not in named


def against_others(cases: Iterable[Case]) -> list[Compared]:
    """Return every case of the family beside every competitor on the same chip, in the order of wins.toml."""
    known = [*cases]
    made = [
        compared(mine, other)
        for entry in choices()["competitors"]
        for mine in known if mine.ours
        for other in known
        if other.learner == entry["learner"] and (other.experiment, other.chip) == (mine.experiment, mine.chip)
    ]  # fmt: skip
    return [one for one in made if one is not None]


def among_the_family(cases: Iterable[Case]) -> list[Compared]:
    """Return every other rule of the family beside the first case of plain Forward-Forward on the same chip."""
    first: dict[tuple[Any, ...], Case] = {}
    made = []
    for case in cases:
        if not case.ours:
            continue
        place = (case.experiment, case.chip)
        if place not in first:
            if case.learner == choices()["reference"]:
                first[place] = case
            continue
        made.append(compared(case, first[place]))
    return [one for one in made if one is not None]


def middle(gaps: Iterable[Gap]) -> tuple[float, float, float]:
    """Return the median, the least and the largest value."""
    values = [gap.value for gap in gaps]
    return statistics.median(values), min(values), max(values)
