"""A sweep: what is common to its runs, what is varied, and the points that follow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from analog_ff.plain import Document, Facts
from analog_ff.registry.options import flag
from analog_ff.sweeps import designs
from analog_ff.sweeps.designs import Axis, Value
from analog_ff.sweeps.points import COMMANDS, Point, named, resolved
from hardware_models.check import UsageError

SAME = "same as seed"
"""Seed of a chip: each seed of the experiment has a chip of its own, so that two configurations are paired seed by seed."""
SEEDS = ("seed", "chip-seed")


@dataclass(frozen=True)
class Samples:
    """Sampled values of several options together, "random" or "sobol"."""

    kind: str
    axes: Mapping[str, Axis]
    samples: int
    seed: int

    def rows(self) -> list[dict[str, Value]]:
        """Return the samples, the same each time."""
        make = designs.sobol if self.kind == "sobol" else designs.random
        return make(self.axes, self.samples, self.seed)


@dataclass(frozen=True)
class Search:
    """A search for the values with the best objective; its trials are asked for `batch` by `batch`."""

    axes: Mapping[str, Axis]
    trials: int
    objective: str = "error"
    direction: str = "minimize"
    sampler: str = "tpe"
    batch: int = 8
    seed: int = 0


@dataclass(frozen=True)
class Sweep:
    """The description of a sweep; `where` names its file in messages."""

    where: str
    title: str
    command: str
    seeds: tuple[int, ...]
    chip_seed: int | str
    options: Document
    grid: Mapping[str, tuple[Value, ...]]
    samples: tuple[Samples, ...]
    search: Search | None
    text: str = ""  # of its file

    @property
    def size(self) -> int:
        """Number of points, without those of a search that are not known yet."""
        cells = math.prod(map(len, self.grid.values())) * math.prod(s.samples for s in self.samples)
        return len(self.seeds) * (self.search.trials if self.search is not None else cells)

    def points(self) -> list[Point]:
        """Return the points of grid and samples, all combinations of them with each seed; none for a search."""
        if self.search is not None:
            return []
        grid = designs.crossed(*([{name: value} for value in values] for name, values in self.grid.items()))
        rows = designs.crossed(grid, *(s.rows() for s in self.samples))
        return [point for row in rows for point in self.points_of(row)]

    def points_of(self, row: Facts) -> list[Point]:
        """Return the points of one choice of values, one for each seed.

        Raises UsageError, with the place in the file, for values that do not go together.
        """
        found = []
        for seed in self.seeds:
            factors = {**row, "seed": seed}
            if "chip_seed" in COMMANDS[self.command].__dataclass_fields__ and "chip-seed" not in row:
                factors["chip-seed"] = seed if self.chip_seed == SAME else self.chip_seed
            try:
                found.append(Point(resolved(self.command, {**self.options, **factors}), factors))
            except UsageError as error:
                raise UsageError(f"{self.where}, {self._place(row, str(error))}: {error}") from None
        return found

    def _place(self, row: Facts, sentence: str) -> str:
        """Return the place in the file of the values that a sentence complains about: one option, or the whole point."""
        words = {word.strip(".,:;()") for word in sentence.split()}
        blamed = [name for name in row if flag(name) in words]
        if len(blamed) == 1:
            (name,) = blamed
            tables = {"grid": self.grid, **{s.kind: s.axes for s in self.samples}}
            place = next((kind for kind, names in tables.items() if name in names), "search")
            return f"[{place}] '{name}', value {row[name]}"
        return f"point {named(row)}" if row else "[options]"
