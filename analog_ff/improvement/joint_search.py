"""Several figures together as bad as a limit allows: a search with Optuna, because there is no order to bisect along.

The answer is one of many that trade one figure for another. A trial takes a few seeds, and all seeds judge the best
trials. The sampler's seed is that of the run: a search that was stopped asks for the same trials, whose runs are
stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from analog_ff.comparison.pricing import interval
from analog_ff.config.config import Config
from analog_ff.improvement.bench import Bench
from analog_ff.improvement.intervals import Errors
from analog_ff.improvement.rungs import Ladder
from analog_ff.plain import Document
from analog_ff.sweeps.search import load_optuna

FEW_SEEDS = 3
"""Seeds of a trial of a search for several figures."""
JUDGED = 3
"""Best trials of that search which all seeds judge."""


class Limit(NamedTuple):
    """An upper limit of the error [%], or of the loss against the figure at its best [points]."""

    value: float
    is_loss: bool

    def of(self, errors: Errors, best: Errors) -> Document:
        """Return mean and interval of what is limited: the loss seed by seed, or the error."""
        return interval([e - b for e, b in zip(errors, best, strict=True)] if self.is_loss else list(errors))

    def __str__(self) -> str:
        return f"a loss of {self.value:g} points" if self.is_loss else f"an error of {self.value:g} %"


def search(
    config: Config, ladders: Sequence[Ladder], ends: Sequence[int], bench: Bench, limit: Limit, trials: int
) -> Document | None:
    """Return the trial that leaves the figures together as bad as possible within the limit; None if no trial keeps it.

    What is maximised is the mean share of the way from the best value to the worst allowed alone, in steps of the ladders; a
    trial beyond the limit counts as less than none, by the points beyond it.
    """
    optuna = load_optuna("--trials")
    few = bench.with_seeds(bench.seeds[:FEW_SEEDS])
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=config.seed % 2**32))
    for share in (0.5, 0.75):
        study.enqueue_trial({ladder.name: int(share * end) for ladder, end in zip(ladders, ends, strict=True)})
    tried: dict[tuple[int, ...], tuple[float, float]] = {}
    for _ in range(trials):
        trial = study.ask()
        rungs = tuple(trial.suggest_int(ladder.name, 0, end) for ladder, end in zip(ladders, ends, strict=True))
        found = limit.of(*_pair(config, ladders, rungs, few))
        reached = sum(rung / max(end, 1) for rung, end in zip(rungs, ends, strict=True)) / len(ends)
        over = found["mean"] - limit.value
        study.tell(trial, reached if over <= 0.0 else -over)
        tried[rungs] = reached, over
    within = sorted((rungs for rungs, (_, over) in tried.items() if over <= 0.0), key=lambda r: -tried[r][0])
    for rungs in within[:JUDGED]:
        errors, best = _pair(config, ladders, rungs, bench)
        found = limit.of(errors, best)
        if found["mean"] <= limit.value:
            values = {ladder.name: ladder.values[rung] for ladder, rung in zip(ladders, rungs, strict=True)}
            texts = {ladder.name: ladder.text(values[ladder.name]) for ladder in ladders}
            return {
                "values": values, "texts": texts, "limited": found, "share": tried[rungs][0], "trials": trials,
                "errors_percent": list(errors), **{f"error_{k}": v for k, v in interval(list(errors)).items()},
            }  # fmt: skip
    return None


def _pair(config: Config, ladders: Sequence[Ladder], rungs: Sequence[int], bench: Bench) -> tuple[Errors, Errors]:
    """Return the errors with all figures at rungs, and with all of them at their best."""
    runs: dict[str, Config] = {}
    for name, places in (("together", rungs), ("best", [0] * len(rungs))):
        run = config
        for ladder, rung in zip(ladders, places, strict=True):
            run = ladder.at(run, ladder.values[rung])
        runs[name] = run
    found: Mapping[str, Errors] = bench.errors(runs)
    return found["together"], found["best"]
