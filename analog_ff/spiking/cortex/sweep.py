"""Run the points of the cortex tests one by one; a finished point is never run again.

The result of a run is points/<name>.json in the folder of the tests, named after the options that differ from the defaults.
It is used only if all its options are the present ones and no rule that affects it has changed since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from analog_ff.datasets.base import Dataset
from analog_ff.output import whole_files
from analog_ff.plain import Document
from analog_ff.runs.model import MODEL, changes_since
from analog_ff.spiking.config import NOT_IN_HASH, SpikingConfig
from analog_ff.spiking.cortex.base import Change, Point, Test
from analog_ff.spiking.cortex.judge import Runs
from hardware_models import files

TUNING_SEED = 1000
"""Number added to the first seed to compare the alternatives of a grid, so that judged runs do not take part."""


def place(folder: Path, config: SpikingConfig) -> Path:
    """Return the file of a run."""
    choices = config.as_dict()
    default = {f.name: list(f.default) if isinstance(f.default, tuple) else f.default for f in fields(SpikingConfig)}
    changed = {k: v for k, v in choices.items() if k not in NOT_IN_HASH and (v != default[k] or k == "seed")}
    name = hashlib.sha256(json.dumps(changed, sort_keys=True).encode()).hexdigest()[:16]
    return folder / "points" / f"{name}.json"


def stored(folder: Path, config: SpikingConfig) -> Document | None:
    """Return the stored result of a run; None if it is missing or was made with other options."""
    file = place(folder, config)
    if not file.is_file():
        return None
    result = files.json_object(files.contents(file, "point of the tests", most=files.LARGE), file)
    with files.reading(file, "a point of the tests; remove it, and it is made again"):
        today, then = config.as_dict(), result["config"]
        same = all(today[k] == v for k, v in then.items() if k in today and k not in NOT_IN_HASH)
        changed = changes_since(result.get("model", 1), "spiking", today)
    return result if same and not changed else None


class Sweep:
    """The runs of the tests in one folder, with one base configuration and seeds that count up from the base's own."""

    def __init__(self, folder: Path, base: SpikingConfig, seeds: int) -> None:
        self.folder, self.base = folder, base
        self.seeds = range(base.seed, base.seed + seeds)

    def run(
        self,
        tests: Sequence[Test],
        data: Dataset,
        measure: Callable[[SpikingConfig, Dataset], Document],
        say: Callable[[str], None],
    ) -> None:
        """Run the missing points: all of them with the first seed, then with the others."""

        def ensure(config: SpikingConfig, what: str) -> None:
            if stored(self.folder, config) is not None:
                return
            say(f"{what}, seed {config.seed} ...")
            text = json.dumps({"model": MODEL, **measure(config, data)}, separators=(",", ":")) + "\n"
            file = place(self.folder, config)
            file.parent.mkdir(parents=True, exist_ok=True)
            whole_files.write(file, text)

        # The seeds of one point run one after the other, because they share compiled code.
        for seeds in (self.seeds[:1], self.seeds[1:]):
            for test in tests:
                for point in test.points:
                    what = f"{test.key} {test.title}: {point.label}"
                    for n, choice in enumerate(point.grid):
                        ensure(self._tuning(point, choice), f"{what}, choice {n + 1} of {len(point.grid)}")
                    chosen = self.chosen(point)
                    assert chosen is not None
                    for seed in seeds:
                        ensure(point.configuration(self.base, seed, chosen), what)

    def _tuning(self, point: Point, choice: Mapping[str, Change]) -> SpikingConfig:
        return point.configuration(self.base, self.seeds.start + TUNING_SEED, choice)

    def chosen(self, point: Point) -> Mapping[str, Change] | None:
        """Return the alternative of a point's grid with the least error; None as long as a run is missing."""
        if not point.grid:
            return {}
        errors = []
        for choice in point.grid:
            result = stored(self.folder, self._tuning(point, choice))
            if result is None:
                return None
            errors.append(result["validation_error_percent"])
        return point.grid[errors.index(min(errors))]

    def runs(self, point: Point) -> Runs:
        """Return the stored results of a point, by seed."""
        choice = self.chosen(point)
        if choice is None:
            return {}
        results = {s: stored(self.folder, point.configuration(self.base, s, choice)) for s in self.seeds}
        return {s: r for s, r in results.items() if r is not None}
