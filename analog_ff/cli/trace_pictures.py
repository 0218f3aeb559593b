"""Pictures of fits to traces: readings with the law and the band of the cells' spread, residuals, numbers against state."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analog_ff.cli.device_pictures import figure_of, save, scale, title_of

if TYPE_CHECKING:
    from hardware_models.fitting.trace_result import TraceFit

SHOWN = 40
"""Largest number of traces in the picture of the readings."""
QUANTILES = (0.025, 0.975)
CELLS = 400
"""Simulated cells behind the band."""


def draw_traces(result: TraceFit, path: Path) -> None:
    """Draw the fit to traces, and that of the writes beside it, to `path`."""
    parts = [part for part in (result.base, result) if part is not None]
    figure, axes = figure_of(2 * len(parts), 2)
    for part, rows in zip(parts, np.split(axes, len(parts)), strict=True):
        (retention if part.kind == "retention" else writes)(part, rows.ravel())
    save(figure, path)


def retention(result: TraceFit, axes: Any) -> None:
    """Draw readings with the law, the band of the spread, residuals against time, and the cells' numbers against state."""
    from scipy.stats import norm

    traces, curves = result.traces, result.curves
    factor, unit = scale(float(traces.g.max()))
    readings, band, residuals, numbers = axes
    least = float(traces.time[traces.time > 0].min())
    time = np.maximum(traces.time, 0.5 * least)
    for index in range(min(SHOWN, len(traces.names))):
        rows = traces.trace == index
        colour = f"C{index % 10}"
        readings.plot(time[rows], factor * traces.g[rows], ".", color=colour, ms=3)
        readings.plot(time[rows], factor * curves.expected[rows], color=colour, lw=0.8)
    readings.set(xscale="log", xlabel="time since the write [s]", ylabel=f"conductance [{unit}]",
                 title=f"{title_of(Path(traces.path).name)}: readings and {result.law}")  # fmt: skip
    relative = traces.g / curves.held[traces.trace, 0]
    for index in range(min(SHOWN, len(traces.names))):
        rows = traces.trace == index
        band.plot(time[rows], relative[rows], color="C0", alpha=0.3, lw=0.7)
    times, shares = simulated(result)
    low, middle, high = (np.quantile(shares, q, axis=1) for q in (QUANTILES[0], 0.5, QUANTILES[1]))
    band.fill_between(times, low, high, color="C1", alpha=0.3, label="95 % of simulated cells")
    band.plot(times, middle, color="black", label="median of simulated cells")
    band.set(
        xscale="log",
        xlabel="time since the write [s]",
        ylabel="share of the conductance written",
        title="band of the spread",
    )
    band.legend()
    residuals.plot(time, curves.residual, ".", ms=2, alpha=0.4)
    residuals.axhline(0, color="black", lw=0.7)
    for side in norm.ppf(QUANTILES):
        residuals.axhline(side, color="black", lw=0.5, ls="--")
    residuals.set(
        xscale="log",
        xlabel="time since the write [s]",
        ylabel="residual [standard deviations]",
        title="residuals against time",
    )
    known = np.isfinite(curves.held[:, 2])
    state, number, error = curves.held[known].T
    if result.law == "exponential":
        numbers.errorbar(factor * state, np.exp(number), yerr=np.exp(number) * error, fmt=".", ms=4, lw=0.7)
        numbers.set(yscale="log", ylabel="time constant [s]")
    else:
        numbers.errorbar(factor * state, number, yerr=error, fmt=".", ms=4, lw=0.7)
        numbers.set(ylabel="drift exponent [1]" if result.law == "power" else "no law")
    numbers.set(xlabel=f"conductance written [{unit}]", title="each trace, with its standard error")


def simulated(result: TraceFit) -> tuple[np.ndarray, np.ndarray]:
    """Return times [s] and the shares (times, cells) of what was written, of cells of the fitted device in the traces' states."""
    from hardware_models.keys import Key

    traces, device, key = result.traces, result.device, Key(0, "plot")
    states = np.resize(result.curves.held[:, 0], CELLS)
    state = device.fabricate((1, CELLS), key)
    state.g[:] = states.astype(np.float32)
    times = np.geomspace(float(traces.time[traces.time > 0].min()), float(traces.time.max()), 60)
    noise = device.read_variance(state, 0.0)
    spread = np.sqrt(np.broadcast_to(noise, (1, CELLS)))[0] * key.child("read").generator().standard_normal((60, CELLS))
    g = np.array([np.array(device.conductance(state, float(time)))[0] for time in times])
    return times, (g + spread) / states


def writes(result: TraceFit, axes: Any) -> None:
    """Draw the errors of the writes with the law's mean and band, residuals, and the pulses that the writes needed."""
    target, off, mean, sigma, pulses = result.curves.held.T
    factor, unit = scale(float(target.max()))
    errors, ways, normal, counts = axes
    order = np.argsort(target)
    errors.plot(factor * target, factor * off, ".", ms=3, alpha=0.5, label="writes")
    errors.plot(factor * target[order], factor * mean[order], color="black", label="mean of the law")
    band = (factor * (mean + s * 1.96 * sigma)[order] for s in (-1, 1))
    errors.fill_between(factor * target[order], *band, color="C1", alpha=0.3, label="95 % of the law")
    errors.set(xlabel=f"target [{unit}]", ylabel=f"left minus target [{unit}]", title="error of the writes")
    errors.legend()
    traces = result.traces
    for index in range(min(SHOWN, len(traces.names))):
        rows = traces.trace == index
        ways.plot(np.arange(1, rows.sum() + 1), factor * traces.g[rows], lw=0.7, alpha=0.6)
    ways.set(xlabel="pulse of the write", ylabel=f"conductance [{unit}]", title="readings of the first writes")
    normal_law(normal, result.curves.residual)
    counts.hist(pulses, bins=np.arange(0.5, pulses.max() + 1.5), color="C0")
    counts.set(
        xlabel="pulses of a write",
        ylabel="number of writes",
        title=f"pulses of a write, {pulses.mean():.3g} in the mean",
    )


def normal_law(axes: Any, residual: np.ndarray) -> None:
    """Draw residuals against the quantiles of the normal law."""
    from scipy.stats import norm

    ordered = np.sort(residual)
    axes.plot(norm.ppf((np.arange(ordered.size) + 0.5) / ordered.size), ordered, ".", ms=2)
    axes.plot([-4, 4], [-4, 4], color="black", lw=0.7)
    axes.set(
        xlabel="normal quantile", ylabel="residual [standard deviations]", title="residuals against the normal law"
    )
