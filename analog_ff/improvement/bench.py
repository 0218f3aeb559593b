"""Runs of many cases with the same seeds, each once: their errors come from the store where they are there already."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from analog_ff.config.config import Config
from analog_ff.improvement.intervals import Errors
from analog_ff.plain import Document
from analog_ff.runs.first_use import cores
from analog_ff.runs.origin import of_several
from analog_ff.sweeps.execute import run_points
from analog_ff.sweeps.measures import error
from analog_ff.sweeps.points import Point
from analog_ff.sweeps.store import Store
from hardware_models.check import CommandError


class Crew(NamedTuple):
    """The processes that carry out the runs, see `analog_ff.sweeps.execute.run_points`."""

    workers: int | None = None
    threads: int | None = None
    scheduler: str | None = None

    @property
    def at_once(self) -> int:
        """Runs at the same time on this machine; a cluster's number is not known."""
        return self.workers or cores()


class Bench:
    """The place where cases are run: every case with every seed, a chip of the same seed with each."""

    def __init__(
        self,
        opened: Callable[[], Store],
        seeds: Sequence[int],
        crew: Crew,
        say: Callable[[str], None],
        *,
        keep: str = "none",
    ) -> None:
        self._opened, self.seeds, self.crew, self._say, self._keep = opened, tuple(seeds), crew, say, keep
        self._keys: set[str] = set()

    @cached_property
    def store(self) -> Store:
        """Store of the runs; it is opened, and made, when it is first needed."""
        return self._opened()

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *error: object) -> None:
        if "store" in vars(self):  # it was opened
            self.store.close()

    @property
    def runs(self) -> int:
        """Number of different runs that were asked for so far."""
        return len(self._keys)

    def errors(self, cases: Mapping[str, Config]) -> dict[str, Errors]:
        """Return the errors of cases by their name [%], one a seed; raise CommandError with the reason if a run failed."""
        found = self.results(cases)
        return {name: [_error(name, result) for result in results] for name, results in found.items()}

    def results(self, cases: Mapping[str, Config]) -> dict[str, list[Document]]:
        """Return the results of cases by their name, one a seed; raise CommandError with the reason if a run failed."""
        points = {name: [self._point(config, seed) for seed in self.seeds] for name, config in cases.items()}
        different = {point.key: point for several in points.values() for point in several}
        self._keys.update(different)
        if different:
            run_points(
                list(different.values()), self.store, workers=self.crew.workers, threads=self.crew.threads,
                scheduler=self.crew.scheduler, keep=self._keep, again=True, say=self._say,
            )  # fmt: skip
        return {name: [self._result(name, point) for point in several] for name, several in points.items()}

    def origin(self) -> Document:
        """Return the versions and the files that the runs asked for so far come from, see `analog_ff.runs.origin.of_several`."""
        return of_several(point.result for point in self.store.points(self._keys) if point.result is not None)

    def timed(self, config: Config) -> float:
        """Return the duration of a run of a case [s]: the shorter one of the first two seeds, run one after the other.

        The first run on a machine compiles its loops. Runs that are in the store are not run again.
        """
        lasted = []
        for seed in self.seeds[:2]:
            self.with_seeds([seed]).results({"first run": config})
            lasted.append(self.seconds([self._point(config, seed).key]))
        return min(lasted)

    def seconds(self, keys: Sequence[str] | None = None) -> float:
        """Return the median duration of the runs of the store [s]."""
        lasted = [p.seconds for p in self.store.points(keys) if p.seconds is not None]
        return statistics.median(lasted) if lasted else 0.0

    def with_seeds(self, seeds: Sequence[int]) -> Bench:
        """Return a bench on the same store with other seeds; both count the same runs."""
        other = Bench(lambda: self.store, seeds, self.crew, self._say, keep=self._keep)
        other._keys = self._keys
        return other

    def _point(self, config: Config, seed: int) -> Point:
        own = replace(config, seed=config.seed + seed, chip_seed=config.chip_seed + seed, out="")
        return Point(own, {"figures": ", ".join(own.figures), "seed": own.seed})

    def _result(self, name: str, point: Point) -> Document:
        if (result := self.store.result(point.key)) is None:
            reason = self.store.reasons().get(point.key, "it has no result.")
            raise CommandError(f"the run '{name}' with seed {point.factors['seed']} failed: {reason}")
        return result


def _error(name: str, result: Document) -> float:
    if (found := error(result)) is None:
        raise CommandError(f"the run '{name}' has no error.")
    return found
