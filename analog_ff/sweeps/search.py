"""A search for the best values with Optuna; the client asks for trials in batches and tells their objective.

A batch is asked for before any of its results is told, so the trials depend on the file alone, not on the number of workers or on
which of them is faster. A search that was stopped asks for the same trials again and finds their results in the store.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from analog_ff.comparison.pricing import interval
from analog_ff.plain import Document
from analog_ff.sweeps.designs import DIGITS, Axis, Value
from analog_ff.sweeps.groups import Group
from analog_ff.sweeps.measures import measure
from analog_ff.sweeps.points import Point
from analog_ff.sweeps.store import Store
from analog_ff.sweeps.sweep import Search, Sweep
from hardware_models.check import UsageError

if TYPE_CHECKING:
    from optuna.trial import Trial

Run = Callable[[Sequence[Point]], None]
"""Runs points until each of them is done or has failed."""


def check(sweep: Sweep, search: Search) -> None:
    """Raise UsageError for a search whose judge would be the test set, whose objective is unknown, or without Optuna.

    The first trials are checked like the points of any sweep.
    """
    measure(search.objective)
    first = sweep.points_of({name: axis.at(0.5) for name, axis in search.axes.items()})[0].config
    if first.as_dict().get("split") == "final":
        raise UsageError(
            f'{sweep.where}: a search would choose on the test set; give [options] split = "holdout", and test the outcome '
            "once."
        )
    load_optuna("a [search]")


def search(sweep: Sweep, wanted: Search, store: Store, run: Run) -> list[Point]:
    """Carry out the trials of a search, each with all seeds of the sweep, and return their points."""
    optuna = load_optuna("a [search]")
    objective, points = measure(wanted.objective), dict[str, Point]()
    samplers = {
        "tpe": lambda: optuna.samplers.TPESampler(seed=wanted.seed % 2**32, constant_liar=True),
        "random": lambda: optuna.samplers.RandomSampler(seed=wanted.seed % 2**32),
    }
    study = optuna.create_study(direction=wanted.direction, sampler=samplers[wanted.sampler]())
    for begun in range(0, wanted.trials, wanted.batch):
        trials = [study.ask() for _ in range(min(wanted.batch, wanted.trials - begun))]
        asked = [
            sweep.points_of({name: _value(trial, name, axis) for name, axis in wanted.axes.items()}) for trial in trials
        ]
        points |= {point.key: point for of_trial in asked for point in of_trial}
        run([*points.values()])
        for trial, of_trial in zip(trials, asked, strict=True):
            found = [objective.of(result) for point in of_trial if (result := store.result(point.key)) is not None]
            values = [value for value in found if value is not None]
            if len(values) == len(of_trial):
                study.tell(trial, statistics.fmean(values))
            else:  # a run has failed, or has no such number
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
    return [*points.values()]


def _value(trial: Trial, name: str, axis: Axis) -> Value:
    """Return the value of an option in a trial."""
    if axis.choices:
        return axis.choices[trial.suggest_categorical(name, range(len(axis.choices)))]
    if axis.whole:
        return trial.suggest_int(name, int(axis.low), int(axis.high), log=axis.log)
    value = float(f"{trial.suggest_float(name, axis.low, axis.high, log=axis.log):.{DIGITS}g}")
    return min(max(value, axis.low), axis.high)


def best(found: Sequence[Group], wanted: Search) -> Document | None:
    """Return factors, objective and its interval of the best trial of those whose runs are all done; None if there is none."""
    objective = measure(wanted.objective)
    known = [(group.factors, group.values(objective)) for group in found]
    seeds = max((len(group.points) for group in found), default=0)
    rows = [{"factors": dict(factors), **interval(values)} for factors, values in known if len(values) == seeds]
    sign = 1.0 if wanted.direction == "minimize" else -1.0
    return min(rows, key=lambda row: sign * row["mean"], default=None)


def load_optuna(asked: str) -> Any:  # its functions are typed, but the module is imported only when a search needs it
    """Return the module optuna; raise UsageError, which names what asked for it, if it is not installed."""
    try:
        import optuna
    except ImportError:
        raise UsageError(f"{asked} needs Optuna: pip install 'analog-ff[search]'.") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
