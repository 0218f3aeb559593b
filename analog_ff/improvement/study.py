"""A study of a device: each figure alone at its best, then curves of those that matter, then a few together.

Every part asks the bench for errors; what was run before comes from the store. So a study that was stopped goes on, and one with
a wanted error, more figures or more seeds runs what is new alone.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from analog_ff.comparison.pricing import interval
from analog_ff.config.config import Config
from analog_ff.improvement.axes import Axis, changed
from analog_ff.improvement.bench import Bench
from analog_ff.improvement.intervals import HALF_OF_THE_LOSS, Errors, decided, gain, meets, ranks
from analog_ff.plain import Document
from hardware_models.check import counted

HALF = 0.5
"""Share of an imperfection that is left where figures are halved together."""
WORTH = 0.25
"""A figure whose gain no interval decides has a curve if its gain is so much of the largest one, at least."""

Case = tuple[tuple[Axis, float], ...]
"""Axes with the shares that are left of their imperfections; () is the run as given."""


@dataclass(frozen=True)
class Wishes:
    """The wishes of the user of a study."""

    target: float | None = None  # wanted error [%]; None: half of the loss is made good
    curves: int = 4  # figures that have a curve, at most
    together: int = 3  # figures of which pairs, and all of them, are tried together
    confirm: int = 0  # seeds not used before with which the order is looked at again


class Study:
    """The cases of a study with their errors."""

    def __init__(self, config: Config, axes: Sequence[Axis], bench: Bench, wishes: Wishes) -> None:
        self.config, self.axes, self.bench, self.wishes = config, list(axes), bench, wishes
        self.errors: dict[Case, Errors] = {}

    # --- what there is to run ---

    def screening(self) -> list[Case]:
        """Return the first cases: as given, each figure alone at its best, all at their best."""
        alone: list[Case] = [((axis, axis.best),) for axis in self.axes]
        return [(), *alone, self.whole()]

    def whole(self) -> Case:
        """Return the case with all figures at their best."""
        return tuple((axis, axis.best) for axis in self.axes)

    def most(self) -> int:
        """Return the largest number of runs that the parts behind the screening can take."""
        curves = sorted((len(axis.shares) for axis in self.axes), reverse=True)[: self.wishes.curves]
        few = min(self.wishes.together, len(self.axes))
        pairs = few * (few - 1) // 2
        confirmed = (len(self.screening()) + max(few - 1, 0)) * self.wishes.confirm
        return (sum(curves) + 2 * pairs + 2 * (few > 2)) * len(self.bench.seeds) + confirmed

    def curves(self) -> list[Case]:
        """Return the points between of the figures that matter."""
        return [((axis, share),) for axis in self.mattering() for share in axis.shares]

    def mattering(self) -> list[Axis]:
        """Return the figures that matter, by falling gain: the seeds decide it, or their gain is not far from the largest."""
        found = [(axis, gain(self.errors[()], self.errors[((axis, axis.best),)])) for axis in self.order()]
        largest = found[0][1]["mean"] if found else 0.0
        kept = [a for a, g in found if g["mean"] > 0.0 and (decided(g) or g["mean"] >= WORTH * largest)]
        return kept[: self.wishes.curves]

    def order(self) -> list[Axis]:
        """Return the figures by their gain, the largest first."""
        return sorted(self.axes, key=lambda axis: statistics.fmean(self.errors[((axis, axis.best),)]))

    def groups(self) -> list[Case]:
        """Return pairs of the first figures, and the first of them together: halved, and at their best."""
        first = self.mattering()[: self.wishes.together]
        several = [*combinations(first, 2), *([tuple(first)] if len(first) > 2 else [])]
        found: list[Case] = []
        for axes in several:
            if all(axis.shares for axis in axes):
                found.append(tuple((axis, HALF) for axis in axes))
            found.append(tuple((axis, axis.best) for axis in axes))
        return found

    def path(self) -> list[Case]:
        """Return the cases on the way: as given, the first figure at its best, the first two, ..., all of them."""
        first = self.mattering()[: self.wishes.together]
        steps: list[Case] = [tuple((axis, axis.best) for axis in first[:n]) for n in range(len(first) + 1)]
        return [*steps, self.whole()]

    def cost(self) -> str:
        """Return in one line what the study costs, by the time of its first runs, which are run now if they are not stored."""
        seconds, at_once = self.bench.timed(self.config), self.bench.crew.at_once
        first = len({sorted_case(case) for case in self.screening()}) * len(self.bench.seeds)
        said = f"screening: {first} runs of about {seconds:.0f} s, {at_once} at once: {minutes(first, seconds, at_once):.0f} min"
        if not (most := self.most()):
            return said
        return (
            f"{said}; then curves, figures together and other seeds: at most {most} runs, "
            f"{minutes(most, seconds, at_once):.0f} min"
        )

    # --- running ---

    def run(self, cases: Iterable[Case], bench: Bench | None = None) -> dict[Case, Errors]:
        """Return the errors of cases, with the seeds of the study or of another bench."""
        wanted = list(dict.fromkeys(map(sorted_case, cases)))
        configs = {self.name(case): changed(self.config, dict(case)) for case in wanted}
        found = (bench or self.bench).errors(configs)
        return {case: found[self.name(case)] for case in wanted}

    def carry_out(self, say: Callable[[str], None]) -> Document:
        """Run all parts and return the document of the answer."""
        self.errors |= self.run(self.screening())
        for title, cases in (("curves of the figures that matter", self.curves()), ("figures together", self.groups())):
            if cases:
                say(f"{title}: {counted(len(cases), 'case')} of {counted(len(self.bench.seeds), 'run')}")
                self.errors |= self.run([*cases])
        say("the way through the first figures")
        self.errors |= self.run(self.path())
        confirmation = self._confirmation(say)  # its runs count too
        return self.document() | {"confirmation": confirmation}

    def _confirmation(self, say: Callable[[str], None]) -> Document | None:
        """Return the gains and the order with seeds that were not used before; None if none are wished for."""
        used = len(self.bench.seeds)
        if not self.wishes.confirm:
            return None
        say(f"the order with {self.wishes.confirm} other seeds")
        seeds = range(self.bench.seeds[-1] + 1, self.bench.seeds[-1] + 1 + self.wishes.confirm)
        bench = self.bench.with_seeds(seeds)
        found = self.run([*self.screening(), *self.path()], bench)
        alone = {axis.name: found[((axis, axis.best),)] for axis in self.order()}
        pairs = self._decided_pairs()
        same = [(a, b) for a, b in pairs if statistics.fmean(alone[a]) < statistics.fmean(alone[b])]
        again = [(a, b) for a, b in pairs if decided(gain(alone[b], alone[a]))]
        return {
            "seeds": [self.config.seed + seed for seed in seeds],
            "seeds_of_the_study": used,
            "gains": {name: gain(found[()], errors) for name, errors in alone.items()},
            "errors": {name: list(errors) for name, errors in alone.items()},
            "order": sorted(alone, key=lambda name: statistics.fmean(alone[name])),
            "decided_pairs": [list(pair) for pair in pairs],
            "pairs_in_the_same_order": len(same),
            "pairs_decided_again": len(again),
            "path": [self._told(case, found[sorted_case(case)], found[()]) for case in self.path()],
        }

    def _decided_pairs(self) -> list[tuple[str, str]]:
        """Return the pairs of figures of which the seeds decide that the first one gains more."""
        alone = {axis.name: self.errors[((axis, axis.best),)] for axis in self.order()}
        return [(a, b) for a, b in combinations(alone, 2) if decided(gain(alone[b], alone[a]))]

    # --- the answer ---

    def target(self) -> tuple[float, str]:
        """Return the wanted error [%] and where it comes from."""
        if self.wishes.target is not None:
            return self.wishes.target, "--target-error"
        ends = [statistics.fmean(self.errors[sorted_case(case)]) for case in ((), self.whole())]
        return statistics.fmean(ends), HALF_OF_THE_LOSS

    def document(self) -> Document:
        """Return the answer as plain values."""
        given, whole = self.errors[()], self.errors[sorted_case(self.whole())]
        alone = {axis.name: self.errors[((axis, axis.best),)] for axis in self.order()}
        rank = ranks(alone)
        wanted, origin = self.target()
        return {
            "schema": 1,
            "config": self.config.as_dict(),
            "seeds": [self.config.seed + seed for seed in self.bench.seeds],
            "target_error_percent": wanted,
            "target_from": origin,
            "as_given": {**interval(list(given)), "errors_percent": list(given)},
            "all_best": {**interval(list(whole)), "errors_percent": list(whole), "gain": gain(given, whole)},
            "figures": [self._figure(axis, rank[axis.name], wanted) for axis in self.order()],
            "together": [self._told(c, self.errors[sorted_case(c)], given) | self._sum(c) for c in self.groups()],
            "path": [self._told(case, self.errors[sorted_case(case)], given) for case in self.path()],
            "runs": self.bench.runs,
            "seconds_of_a_run": self.bench.seconds(),
        }

    def _figure(self, axis: Axis, rank: int, wanted: float) -> Document:
        given, best = self.errors[()], self.errors[((axis, axis.best),)]
        shares = [1.0, *(s for s in axis.shares if ((axis, s),) in self.errors), axis.best]
        errors = [given, *(self.errors[((axis, s),)] for s in shares[1:])]
        found = gain(given, best)
        return {
            "name": axis.name, "label": axis.label, "unit": axis.unit, "rank": rank,
            "as_given": axis.text(1.0), "best": axis.text(axis.best),
            "gain": found, "gain_decided": decided(found),
            "curve": [
                {"share": s, "value": axis.value(s), "text": axis.text(s), **interval(list(e)), "errors_percent": list(e)}
                for s, e in zip(shares, errors, strict=True)
            ],
            "needed": self._needed(axis, shares, errors, wanted),
        }  # fmt: skip

    def _needed(self, axis: Axis, shares: Sequence[float], errors: Sequence[Errors], wanted: float) -> Document:
        """Return the value that a figure must reach alone for the wanted error, with its interval; or that none suffices."""
        place = meets(shares, errors, wanted)
        best = interval(list(errors[-1]))
        alone = place.share is not None
        sure = best["low"] is not None and (best["low"] > wanted if not alone else best["high"] <= wanted)
        whole = all(share in shares for share in axis.shares)
        return {
            "suffices": alone,
            "decided": sure,
            "share": place.share,
            "from_curve": whole,
            **{
                name: None if share is None else axis.value(axis.reached(share))
                for name, share in (("value", place.share), ("surely", place.surely), ("perhaps", place.perhaps))
            },
        }

    def _told(self, case: Case, errors: Errors, given: Errors) -> Document:
        return {
            "shares": {axis.name: share for axis, share in case},
            "values": {axis.name: axis.text(share) for axis, share in case},
            **interval(list(errors)),
            "errors_percent": list(errors),
            "gain": gain(given, errors),
        }

    def _sum(self, case: Case) -> Document:
        """Return the gain of figures together less the sum of the gains of each alone at the same share [points]."""
        alone = [self.errors.get(((axis, share),)) for axis, share in case]
        together, given = self.errors[sorted_case(case)], self.errors[()]
        parts = [errors for errors in alone if errors is not None]
        if len(parts) < len(alone):
            return {"more_than_sum": None}
        more = [
            g - t - sum(g - part[k] for part in parts) for k, (g, t) in enumerate(zip(given, together, strict=True))
        ]
        return {"more_than_sum": interval(more)}

    def name(self, case: Case) -> str:
        """Return the name of a case for messages: it tells every case of a study from the others."""
        return ", ".join(f"{axis.name} {axis.text(share)} ({share:g})" for axis, share in case) or "as given"


def sorted_case(case: Case) -> Case:
    """Return a case with its axes in one order, so that it is known whatever the order in which it was put together."""
    return tuple(sorted(case, key=lambda pair: pair[0].name))


def minutes(runs: int, seconds: float, at_once: int) -> float:
    """Return the time that runs of so many seconds take, so many at once [min]."""
    return -(-runs // at_once) * seconds / 60.0
