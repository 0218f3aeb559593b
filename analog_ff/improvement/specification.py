r"""The specification of a figure: the worst value that a wanted error, or a wanted loss, still allows.

One figure alone is searched by bisection along its ladder: the error rises with it, so that each value tried halves what is left,
and seven values do for a factor of a million. Three searches share their runs: where the mean of the paired loss

.. math:: \ell(x) = E(x) - E(best)

meets the limit, where the upper end of its interval does (so bad is surely good enough), and where the lower end does (worse is
surely too bad). A value at which the interval of three seeds is on one side of the limit takes no more of them; near the limit
all seeds judge. For several figures together there is no order to bisect along, see `joint_search`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from analog_ff.comparison.pricing import interval
from analog_ff.config.config import Config
from analog_ff.improvement.bench import Bench
from analog_ff.improvement.intervals import Errors, monotone
from analog_ff.improvement.joint_search import FEW_SEEDS, Limit, search
from analog_ff.improvement.rungs import Ladder
from analog_ff.improvement.study import minutes
from analog_ff.plain import Document
from analog_ff.sweeps.search import load_optuna
from hardware_models.check import counted

EACH = 5
"""Values of a figure beside those of one bisection: the best one, and those for the two ends of the interval."""


class Walk:
    """The search along one ladder."""

    def __init__(self, config: Config, ladder: Ladder, bench: Bench, limit: Limit) -> None:
        self.config, self.ladder, self.bench, self.limit = config, ladder, bench, limit
        self.tried: dict[int, Errors] = {}

    def found(self, rung: int) -> Document:
        """Return mean and interval of what is limited at a rung; a value that is not near the limit takes a few seeds alone."""
        value = self.ladder.values[rung]
        name = f"{self.ladder.name} {self.ladder.text(value)}"
        best = self._errors(0, "the best", self.bench)
        if rung not in self.tried:
            errors = self._errors(rung, name, self.bench.with_seeds(self.bench.seeds[:FEW_SEEDS]))
            few = self.limit.of(errors, best[: len(errors)])
            if few["low"] is None or few["low"] <= self.limit.value <= few["high"]:
                errors = self._errors(rung, name, self.bench)
            self.tried[rung] = errors
        errors = self.tried[rung]
        return self.limit.of(errors, best[: len(errors)])

    def _errors(self, rung: int, name: str, bench: Bench) -> Errors:
        if rung == 0 and rung in self.tried:
            return self.tried[0]
        found = bench.errors({name: self.ladder.at(self.config, self.ladder.values[rung])})[name]
        if rung == 0:
            self.tried[0] = found
        return found

    def last(self, end: str, low: int, high: int) -> int:
        """Return the last rung from `low`, which holds, at which an end of the interval is within the limit; below `high`."""
        while high - low > 1:
            middle = (low + high) // 2
            if _end(self.found(middle), end) <= self.limit.value:
                low = middle
            else:
                high = middle
        return low

    def carry_out(self) -> Document:
        """Return the worst value that is allowed, with the values that surely are and surely are not."""
        number = len(self.ladder.values)
        if not self.limit.is_loss and self.found(0)["mean"] > self.limit.value:
            return self._document(None, None, None)
        middle = self.last("mean", 0, number)
        surely = self.last("high", 0, middle + 1) if _end(self.found(0), "high") <= self.limit.value else None
        perhaps = self.last("low", middle, number)
        return self._document(middle, surely, perhaps)

    def _document(self, middle: int | None, surely: int | None, perhaps: int | None) -> Document:
        def said(rung: int | None) -> float | None:
            return None if rung is None else self.ladder.values[rung]

        last = len(self.ladder.values) - 1
        return {
            "name": self.ladder.name, "unit": self.ladder.unit,
            "allowed": middle is not None,
            "rung": middle,
            "value": self._between(middle), "value_tried": said(middle),
            "text": _text(self.ladder, self._between(middle), middle),
            "surely": said(surely), "surely_text": _text(self.ladder, said(surely), surely),
            "too_bad": said(perhaps + 1) if perhaps is not None and perhaps < last else None,
            "too_bad_text": "" if perhaps is None or perhaps == last else self.ladder.text(self.ladder.values[perhaps + 1]),
            "at_the_end": middle == last,
            "tried": [
                {"rung": rung, "value": self.ladder.values[rung], "text": self.ladder.text(self.ladder.values[rung]),
                 **{f"error_{k}": v for k, v in interval(list(errors)).items()}, "limited": self.found(rung),
                 "errors_percent": list(errors)}
                for rung, errors in sorted(self.tried.items())
            ],
        }  # fmt: skip

    def _between(self, middle: int | None) -> float | None:
        """Return the value at which the monotone line through what was tried meets the limit, on a logarithmic scale."""
        if middle is None:
            return None
        here = self.ladder.values[middle]
        if self.ladder.whole or not here or middle + 1 not in self.tried:
            return here
        rungs = sorted(self.tried)
        line = dict(zip(rungs, [-v for v in monotone([-self.found(r)["mean"] for r in rungs])], strict=True))
        low, high = line[middle], line[middle + 1]
        beyond = self.ladder.values[middle + 1]
        if high <= low or beyond is None:
            return here
        share = min(max((self.limit.value - low) / (high - low), 0.0), 1.0)
        return math.exp((1.0 - share) * math.log(here) + share * math.log(beyond))


def _end(found: Document, end: str) -> float:
    value = found[end]
    return float(found["mean"] if value is None else value)


def _text(ladder: Ladder, value: float | None, rung: int | None) -> str:
    return "" if rung is None else ladder.text(value)


def specify(
    config: Config, ladders: Sequence[Ladder], bench: Bench, limit: Limit, trials: int, say: Callable[[str], None]
) -> Document:
    """Return the document of a specification: each figure alone, and together if there are trials for that."""
    if trials:
        load_optuna("--trials")  # before anything runs
    alone = []
    for ladder in ladders:
        say(f"the worst {ladder.name} for {limit}")
        alone.append(Walk(config, ladder, bench, limit).carry_out())
    together = None
    if trials and all(found["allowed"] for found in alone):
        say(f"all of them together: {counted(trials, 'trial')} of {counted(min(FEW_SEEDS, len(bench.seeds)), 'seed')}")
        together = search(config, ladders, [found["rung"] for found in alone], bench, limit, trials)
    return {
        "schema": 1, "config": config.as_dict(), "seeds": [config.seed + seed for seed in bench.seeds],
        "limit": limit.value, "limit_is_loss": limit.is_loss, "limit_text": str(limit),
        "alone": alone, "together": together, "runs": bench.runs, "seconds_of_a_run": bench.seconds(),
    }  # fmt: skip


def cost(config: Config, ladders: Sequence[Ladder], bench: Bench, trials: int) -> str:
    """Return in one line what a specification costs, by the time of its first runs, which are run now if they are not stored."""
    seconds, at_once = bench.timed(config), bench.crew.at_once
    values = sum(EACH + math.ceil(math.log2(len(ladder.values))) for ladder in ladders)
    runs = values * len(bench.seeds) + (trials + 1) * min(FEW_SEEDS, len(bench.seeds)) * bool(trials)
    more = f" and {counted(trials, 'trial')}" if trials else ""
    return (
        f"about {values} values of {counted(len(bench.seeds), 'seed')}{more}: {runs} runs of about "
        f"{seconds:.0f} s, {at_once} at once: {minutes(runs, seconds, at_once):.0f} min"
    )
