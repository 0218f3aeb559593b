"""Order of a fit: fit every form to all cells, choose one on held-out cycles, then find the population's figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from hardware_models import files
from hardware_models.check import UsageError, counted, shown
from hardware_models.fitting.assumed import Given, stands, with_stands
from hardware_models.fitting.data import TrainData
from hardware_models.fitting.forms import FORMS, Form, model_of
from hardware_models.fitting.likelihood import Candidate
from hardware_models.fitting.population import population
from hardware_models.fitting.pulse_train import NOTHING, PulseTrain, read_pulse_train
from hardware_models.fitting.result import Fit, Progress, Score, short_name

FEWEST_COUNTED = 5
"""Least number of steps of each polarity, away from the bounds, that a fit needs."""


def fit_file(
    path: str | Path | Iterable[str | Path], *, one_cycle: bool = False, columns: Mapping[str, str] | str = NOTHING,
    keep_outliers: bool = False, amplitude: str = "", each_file: str = "", given: Given = Given(),  # noqa: B008  # frozen
    progress: Progress | None = None,
) -> Fit:  # fmt: skip
    """Return the device fitted to the pulse train in a table, or in several tables together.

    The options are those of `hardware_models.fitting.pulse_train.read_pulse_train`; `given` holds what the files do not say.
    Raises UsageError, which names the line of the table, if the train cannot be read or fitted.
    """
    train = read_pulse_train(
        path,
        one_cycle=one_cycle,
        columns=columns,
        keep_outliers=keep_outliers,
        amplitude=amplitude,
        each_file=each_file,
    )
    return fit(train, given=given, progress=progress)


def fit(
    train: PulseTrain, *, forms: Mapping[str, Form] = FORMS, given: Given = Given(),  # noqa: B008  # frozen
    progress: Progress | None = None,
) -> Fit:  # fmt: skip
    """Return the device fitted to a pulse train.

    Parameters
    ----------
    train : PulseTrain
        Pulse train as returned by `hardware_models.fitting.pulse_train.read_pulse_train`.
    forms : mapping
        Forms to try, by name.
    given : Given
        Conditions of the measurement that the train does not hold.
    progress : function of (share done in [0, 1], name of the current step)
        Function that is called several times during the fit.

    Raises
    ------
    UsageError
        If the conductance never changes, too few steps lie away from the bounds, or no form describes the data.
    """
    from threadpoolctl import threadpool_limits

    # One BLAS thread gives the same bits everywhere, and small products do not wait for other threads.
    with threadpool_limits(1, user_api="blas"), files.reading(train.path, "a pulse train of a device"):
        return _fit(train, forms, given, progress or (lambda share, what: None))


def _fit(train: PulseTrain, forms: Mapping[str, Form], given: Given, say: Progress) -> Fit:
    notices = list(train.notices)
    data, where = TrainData(train), shown(train.path, 200, quoted=False)
    for sign, word in ((1, "up"), (-1, "down")):
        if (n := int((data.counted & (data.polarity == sign)).sum())) < FEWEST_COUNTED:
            raise UsageError(
                f"{where}: {counted(n, 'step')} {word} {'begins' if n == 1 else 'begin'} farther than {data.margin:.2g} of the "
                f"range from the bounds of the cell; at least {FEWEST_COUNTED} are needed, that is, smaller steps or less noise."
            )
    usable = {name: form for name, form in forms.items() if model_of(form) is not None}
    usable = {name: form for name, form in usable.items() if form.instead not in usable}
    edges = tuple(max(float(data.low + data.range * np.mean(side)), 0.0) for side in data.ends)
    pooled: dict[str, tuple[Candidate, np.ndarray]] = {}
    held: dict[str, np.ndarray] = {}
    for i, (name, form) in enumerate(usable.items()):
        say(0.75 * i / len(usable), f"fitting {name}")
        try:
            pooled[name] = _pooled(form, data, edges)
            held[name] = _held_out(*pooled[name], train)
        except (UsageError, np.linalg.LinAlgError) as error:
            notices.append(f"{name} cannot describe these data and was left out ({str(error).rstrip('.')})")
    if not held:
        raise UsageError(f"{where}: no form describes these data: {'; '.join(notices)}.")
    usable = {name: form for name, form in usable.items() if name in held}
    scores, best, told_apart = _choose(held, usable, data)
    notices += told_apart
    candidate, t = pooled[best]
    say(0.75, f"{best}: cell by cell")
    parameters, values, more = population(candidate, t, lambda x: say(0.75 + 0.24 * x, "cell by cell"))
    notices += more
    goodness, residuals = _goodness(candidate, t)
    size = f"{counted(len(train.cells), 'cell')}, {counted(train.cycles, 'cycle')}, {counted(train.steps, 'step')}"
    source = f"fitted to {short_name(train.path)}: {size}"
    first = f"{best} was chosen among {', '.join(usable)}" if len(usable) > 1 else f"{best} is the only form tried"
    used, steps = (int(goodness[name]) for name in ("counted_steps", "all_steps"))
    notices.insert(
        0, f"{first}; of the mean square of the steps it explains {_percent(goodness['explained_of_all'])} over all {steps}, "
        f"{_percent(goodness['explained'])} over the {used} that begin farther than {data.margin:.2g} of the range from "
        "the cells' bounds",
    )  # fmt: skip
    name = short_name(str(Path(train.path).with_suffix(""))) or "fitted"
    found = stands(train, given, short_name(train.path))
    device = with_stands(candidate.model(name=name, source=source, assumptions=tuple(notices), **values), found)
    say(1.0, "done")
    return Fit(device, best, tuple(scores), tuple(parameters), MappingProxyType(goodness), tuple(notices), train,
               residuals, tuple(found))  # fmt: skip


def _percent(share: float) -> str:
    """Return a share as a percentage rounded down, so that a share below 1 never reads as 100 %."""
    digits = 0 if share < 0.99 else 2
    return f"{math.floor(100 * share * 10**digits) / 10**digits:.{digits}f} %"


def _pooled(form: Form, data: TrainData, edges: tuple[float, ...]) -> tuple[Candidate, np.ndarray]:
    """Fit a form to all cells at once, then again with a factor for each cell."""
    low, high = edges
    pooled_data = data.only(np.ones(data.u.size, bool))
    if form.hard:
        pooled_data.bounds = data.ends
    candidate = Candidate(form, pooled_data, (low, high))
    # A part of the cycles is enough for the way to the optimum; all of them decide the last step.
    some_cycles = pooled_data.only(pooled_data.cycle % max(1, pooled_data.u.size // 8000) == 0)
    walker = Candidate(form, some_cycles, (low, high))
    t, _ = walker.maximise(walker.start(), 40)
    candidate.data.factors = candidate.cell_factors(t)
    t, _ = candidate.maximise(t, 40)
    return candidate, t


def _folds(train: PulseTrain, data: TrainData) -> np.ndarray:
    """Return the number of each row's fold (at most four): folds are cycles, else cells, else stretches."""
    if train.cycles >= 2:
        return train.cycle % min(4, train.cycles)
    if data.cells >= 2:
        return train.cell % min(4, data.cells)
    return _stretches(data) % 4


def _stretches(data: TrainData) -> np.ndarray:
    """Return the number of each row's stretch: the up pulses are cut into 8 stretches, the down pulses into 8 more.

    Every fourth stretch together makes a fold that holds pulses of both polarities from all states.
    """
    out = np.empty(data.u.size, np.int64)
    for side, rows in enumerate((data.polarity >= 0, data.polarity < 0)):
        out[rows] = 8 * side + np.arange(rows.sum()) * 8 // max(int(rows.sum()), 1)
    return out


def _held_out(candidate: Candidate, t: np.ndarray, train: PulseTrain) -> np.ndarray:
    """Return the log-likelihood (n,) of each row under a fit without the row's fold."""
    data = candidate.data
    folds = _folds(train, data)
    out = np.zeros(data.u.size)
    for fold in np.unique(folds):
        training, test = data.only(folds != fold), data.only(folds == fold)
        learner = Candidate(candidate.form, training, candidate.g_bounds)
        training.factors = learner.cell_factors(t)
        seen, _ = learner.maximise(t, 2)
        test.factors = training.factors
        out[folds == fold] = Candidate(candidate.form, test, candidate.g_bounds).likelihoods(seen)
    return out


def _choose(
    held: dict[str, np.ndarray], forms: Mapping[str, Form], data: TrainData
) -> tuple[list[Score], str, list[str]]:
    """Return the scores of all forms, the name of the chosen form, and notices about the choice."""
    units = data.cell if data.cells >= 5 else data.unit
    if units.max() == 0:
        units = _stretches(data)
    number = int(units.max()) + 1
    steps = int(data.counted.sum())
    total = {name: float(row.sum()) / steps for name, row in held.items()}
    top = max(total, key=lambda name: total[name])
    scores = []
    for name, row in held.items():
        difference = np.bincount(units, held[top] - row, number)
        error = math.sqrt(number * float(np.var(difference, ddof=1))) / steps
        scores.append(Score(name, len(forms[name].free), total[name], total[top] - total[name], error))
    near = [s for s in scores if s.form == top or s.behind < s.behind_error]
    best = min(near, key=lambda s: (s.free, s.behind)).form
    notices = []
    if len(near) > 1:
        others = ", ".join(s.form for s in near if s.form != best)
        notices.append(
            f"the data cannot tell {best} from {others}: the difference on held-out cycles is below its standard error"
        )
    return sorted(scores, key=lambda s: s.behind), best, notices


def _goodness(candidate: Candidate, t: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
    """Return figures of how well the form describes the steps, and the standardised residuals (2, counted steps).

    Steps close to a cell's bounds are followed but not counted, because a cell that stops there is not Gaussian.
    `explained_of_all` and `curve_rms` include these steps; all other figures are of the counted steps alone.
    """
    from scipy.stats import kstest

    d = candidate.data
    e, s = candidate.filtered(t)
    counted, steps = d.counted, d.u - d.before
    z = e / np.sqrt(s)
    apart = candidate.followed(t)[d.stepped]
    pair = np.flatnonzero(counted & counted[d.base])
    goodness = {
        "counted_steps": int(counted.sum()),
        "all_steps": int(d.stepped.sum()),
        # Explained share of the mean square of the steps; below 0 if the form is worse than predicting no step.
        "explained": float(1.0 - np.mean(e[counted] ** 2) / np.mean(steps[counted] ** 2)),
        "explained_of_all": float(1.0 - np.mean(e[d.stepped] ** 2) / np.mean(steps[d.stepped] ** 2)),
        "curve_rms": float(np.sqrt(np.mean(apart**2))),  # [units of the range], open loop from each first reading
        "residual_deviation": float(np.std(z[counted])),  # 1 if the model's noise is right
        "residual_correlation": float(np.mean(z[pair] * z[d.base[pair]])) if pair.size else 0.0,
        "residual_normality": float(kstest(z[counted][:5000], "norm").pvalue),
        "log_likelihood_per_step": float(candidate.likelihoods(t).sum() / counted.sum()),
    }
    return goodness, np.array([(d.low + d.range * d.before)[counted], z[counted]])
