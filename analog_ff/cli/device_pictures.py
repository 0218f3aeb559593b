"""Pictures of a device: the effect of pulses, reads and time on 32 cells."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from analog_ff.output import whole_files
from analog_ff.output.forms import panels, picture
from hardware_models.devices.ageing import has_law_of_time, written_over_the_range
from hardware_models.devices.state import field
from hardware_models.keys import Key

CELLS = 32
READ_AFTER = 1.0
"""Age at which a cell's read noise is shown, where the noise depends on the time since the write [s]."""
_UNITS = ((1e-9, 1e9, "nS"), (1e-6, 1e6, "uS"), (1e-3, 1e3, "mS"))


def scale(g: float) -> tuple[float, str]:
    """Return a factor and a unit that suit a conductance of size g."""
    return next(((factor, unit) for most, factor, unit in _UNITS if g < 1000 * most), (1.0, "S"))


def pulse_response(device: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return G (1 + 2 n, cells) [S] over n pulses up and n down, and the numbers of pulses at which G was read.

    Cells that wear out are shown as they are before.
    """
    key = Key(0, "plot")
    state = device.fabricate((1, CELLS), key)
    if (lifetime := field(state, "lifetime")) is not None:
        lifetime[:] = np.iinfo(lifetime.dtype).max
    # From the bottom, over the whole range: at most 100 looks each way, however many states there are.
    looks = int(min(100, max(10, device.states)))
    stride = max(1, int(np.ceil(device.states / looks)))
    device.pulse(state, np.full((1, CELLS), -4 * looks * stride, np.int32), key.child("down"))
    g = [np.array(device.conductance(state, 0.0)[0])]
    for i in range(2 * looks):
        sign = 1 if i < looks else -1
        device.pulse(state, np.full((1, CELLS), sign * stride, np.int32), key.child("pulse", i))
        g.append(np.array(device.conductance(state, 0.0)[0]))
    return np.array(g, np.float64), stride * np.arange(2 * looks + 1)


def mean_step(device: Any, sign: int) -> tuple[np.ndarray, np.ndarray]:
    """Return states [S] and the step [S] that one pulse makes from each, noise and spread switched off."""
    quiet = device.without(write_noise=True, spread=True)
    grid = np.linspace(device.g_min, device.g_max, 64, dtype=np.float32)[None]
    state = quiet.fabricate(grid.shape, Key(0, "plot"))
    state.g[:] = grid
    quiet.pulse(state, np.full(grid.shape, sign, np.int32), Key(0, "plot"))
    return grid[0], (state.g - grid)[0]


def draw_device(device: Any, path: Path) -> None:
    """Draw pulse response with spread, step against state, read noise, and drift, to `path`."""
    figure, axes = figure_of(2, 2)
    g, pulses = pulse_response(device)
    factor, unit = scale(float(g.max()))
    response, steps, noise, drift = axes.ravel()
    response.plot(pulses, factor * g, color="C0", alpha=0.2, lw=0.7)
    response.plot(pulses, factor * g.mean(axis=1), color="black", label=f"mean of {CELLS} cells")
    response.set(xlabel="pulse, up and then down", ylabel=f"conductance [{unit}]", title=title_of(device.name))
    response.legend()
    half, stride = len(pulses) // 2, int(pulses[1])
    for label, colour, part in (("up", "C0", slice(0, half)), ("down", "C3", slice(half, None))):
        before, step = g[:-1][part], np.diff(g, axis=0)[part] / stride
        steps.plot(factor * before.ravel(), factor * step.ravel(), ".", color=colour, ms=2, alpha=0.3)
        sign = 1 if label == "up" else -1
        steps.plot(*(factor * line for line in mean_step(device, sign)), color=colour, label=f"{label}, without noise")
    steps.set(xlabel=f"conductance before [{unit}]", ylabel=f"step of one pulse [{unit}]", title="step against state")
    steps.legend()
    state = device.fabricate((1, CELLS), Key(0, "plot"))
    grid = np.linspace(device.g_min, device.g_max, CELLS, dtype=np.float32)
    state.g[:] = grid
    deviation, title = read_noise_of(device, state)
    noise.plot(factor * grid, factor * deviation)
    noise.set(
        xlabel=f"conductance written [{unit}]", ylabel=f"deviation of one read [{unit}]", title=title, ylim=(0, None)
    )
    times, drifted = drift_of(device)
    drift.plot(times, factor * drifted, color="C0", alpha=0.3, lw=0.7)
    drift.set(xscale="log", xlabel="time since the write [s]", ylabel=f"conductance [{unit}]",
              title="drift" if has_law_of_time(device) else "no law of time")  # fmt: skip
    save(figure, path)


def read_noise_of(device: Any, state: Any) -> tuple[np.ndarray, str]:
    """Return the deviation of one read [S] of the cells of `state`, (1, cells) written at 0 s, and the picture's title.

    A device whose reads depend on the time is read `READ_AFTER` the write: at the write itself its noise has hardly begun.
    """
    variance = device.read_variance(state, READ_AFTER if device.timed else 0.0)
    deviation = np.sqrt(np.broadcast_to(variance, state.g.shape))[0]
    return deviation, f"read noise {READ_AFTER:g} s after the write" if device.timed else "read noise"


def drift_of(device: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return times [s] and G (times, cells) [S] of cells that were written all over the range and are not touched again."""
    key = Key(0, "plot")
    state = written_over_the_range(device, (1, CELLS), key)
    times = np.geomspace(1e-3, 1e6, 28)
    g, now = [], 0.0
    for i, time in enumerate(times):
        device.wait(state, time - now, key.child("wait", i))
        now = float(time)
        g.append(np.array(device.conductance(state, now)[0]))
    return times, np.array(g, np.float64)


def title_of(name: str) -> str:
    """Return a user's name as it stands: a dollar sign begins no formula."""
    return name.replace("$", r"\$")


def figure_of(rows: int, columns: int) -> tuple[Any, Any]:
    """Return a figure and its axes (rows, columns), with a grid in each."""
    figure, axes = panels(rows, columns, size=(5 * columns, 3.75 * rows))
    for one in axes.ravel():
        one.grid(alpha=0.3)
    return figure, axes


def save(figure: Any, path: Path) -> None:
    """Write a figure to `path` in the form of its ending."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)  # a name may have any letters
        drawn = picture(figure, 110, path.suffix[1:].lower())
    whole_files.create(path, drawn)
