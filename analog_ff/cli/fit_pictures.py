"""Picture of a fit to a pulse train: data, fit and simulated cycles over each other, residuals, step against state."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analog_ff.cli.device_pictures import figure_of, mean_step, save, scale, title_of

if TYPE_CHECKING:
    from hardware_models.fitting import Fit
    from hardware_models.fitting.pulse_train import PulseTrain
    from hardware_models.fitting.trace_result import TraceFit

CYCLES = 60
"""Largest number of measured cycles in the picture."""
SIMULATED, TWINS = 5, 6
"""Measured cycles that are simulated, each on so many cells."""

MANY = 2000
"""Single steps above which each is a smaller point."""
MEASURED: Mapping[str, Any] = {"color": "C0", "lw": 3.0, "solid_capstyle": "butt", "zorder": 1.0}
TWIN: Mapping[str, Any] = {"color": "C1", "lw": 0.8, "ls": (0, (4, 3)), "zorder": 2.0}
FITTED: Mapping[str, Any] = {"color": "black", "lw": 1.0, "zorder": 3.0}
"""Lines of the cycles: measured, of simulated cells, and of the fit without noise."""


def draw_fit(fit: Fit, path: Path, aged: TraceFit | None = None) -> None:
    """Draw measured, fitted and simulated cycles, steps and residuals, and the retention if there is one, to `path`."""
    figure, axes = figure_of(2 if aged is None else 4, 2)
    cycles, steps, against, quantiles = axes[:2].ravel()
    draw_cycles(fit, cycles)
    draw_steps(fit, steps)
    factor, unit = scale(float(np.nanmax(fit.train.g)))
    before, residual = fit.residuals
    against.plot(factor * before, residual, ".", ms=1 if len(residual) > MANY else 3, alpha=0.4)
    against.set(
        xlabel=f"conductance before [{unit}]", ylabel="residual [standard deviations]", title="residuals against state"
    )
    from analog_ff.cli.trace_pictures import normal_law, retention

    normal_law(quantiles, residual)
    if aged is not None:
        retention(aged, axes[2:].ravel())
    save(figure, path)


def draw_cycles(fit: Fit, axes: Any) -> None:
    """Draw the measured cycles, cycles of simulated cells from the same first readings, and the fit without noise.

    Thick measured lines lie below thin broken ones of simulated cells, so that both are seen where they have the same values.
    """
    train = fit.train
    factor, unit = scale(float(np.nanmax(train.g)))
    begins = np.append(np.flatnonzero(train.first), len(train.g))
    spans = list(itertools.pairwise(begins))
    for span in spans[:CYCLES]:
        rows = np.arange(*span)
        rows = rows[np.isfinite(train.g[rows])]
        axes.plot(rows - span[0], factor * train.g[rows], alpha=0.3, **MEASURED)
    # The first cycle of a cell often begins elsewhere than the others, so the choice begins with the second.
    chosen = np.unique(np.linspace(min(1, len(spans) - 1), len(spans) - 1, SIMULATED).astype(int))
    for number in chosen.tolist():
        begin, end = spans[number]
        twins, fitted = simulated(fit.device, train, begin, end, number)
        axes.plot(factor * twins, alpha=0.7, **TWIN)
        axes.plot(factor * fitted, **FITTED)
    for label, style in (("measured", MEASURED), ("simulated cells", TWIN), ("fit, without noise", FITTED)):
        axes.plot([], [], label=label, **style)
    axes.legend()
    axes.set(xlabel="pulse of the cycle", ylabel=f"conductance [{unit}]", title=title_of(Path(train.path).name))


def simulated(device: Any, train: PulseTrain, begin: int, end: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return readings (rows, cells) [S] of simulated cells under the pulses of one measured cycle, and those without noise."""
    from hardware_models.keys import Key

    out = []
    for one, cells in ((device, TWINS), (device.without(write_noise=True, spread=True, read_noise=True), 1)):
        key = Key(number, "plot")
        state = one.fabricate((1, cells), key)
        state.g[:] = np.float32(train.g[begin])
        readings = []
        for row in range(begin, end):
            at = key.child("pulse").at(row - begin)
            if train.polarity[row]:
                one.pulse(state, np.full((1, cells), train.polarity[row], np.int32), at)
            deviation = np.sqrt(np.broadcast_to(one.read_variance(state, 0.0), (1, cells)))[0]
            noise = deviation * at.child("read").generator().standard_normal(cells)
            readings.append(np.array(one.conductance(state, 0.0))[0] + noise)
        out.append(np.array(readings, np.float64))
    return out[0], out[1]


def draw_steps(fit: Fit, axes: Any) -> None:
    """Draw the mean step of a pulse against the state before it, measured and fitted, and single steps behind them."""
    train = fit.train
    factor, unit = scale(float(np.nanmax(train.g)))
    rows = np.flatnonzero(train.stepped)
    base = train.base[rows]
    moved, where, sign = (train.g[rows] - train.g[base]) / (rows - base), train.g[base], train.polarity[rows]
    size = 1 if len(rows) > MANY else 3
    for label, colour, s in (("up", "C0", 1), ("down", "C3", -1)):
        own = sign == s
        axes.plot(factor * where[own][:4000], factor * moved[own][:4000], ".", color=colour, ms=size, alpha=0.15)
        place = np.digitize(where[own], np.linspace(where.min(), where.max(), 16))
        mean = [(where[own][place == k].mean(), moved[own][place == k].mean()) for k in np.unique(place)]
        axes.plot(*(factor * np.array(mean).T), "o", color=colour, label=f"{label}, measured mean")
        line = mean_step(fit.device, s)
        axes.plot(*(factor * x for x in line), color=colour, label=f"{label}, {fit.form}")
    axes.set(xlabel=f"conductance before [{unit}]", ylabel=f"step of a pulse [{unit}]", title="step against state")
    axes.legend()
