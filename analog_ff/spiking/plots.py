"""Pictures of a spiking run: raster, histograms of goodness and of rates, weight maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analog_ff.output import whole_files
from analog_ff.output.forms import panels, picture
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.simulation import Outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAPS = 40
"""Number of cells of the first layer whose weights are drawn."""


def draw(folder: Path, config: SpikingConfig, outcome: Outcome, image: tuple[int, int]) -> list[str]:
    """Write raster.png, goodness.png, rates.png and, for images, weights.png; return their names."""
    drawn = {
        "raster.png": _raster(config, outcome),
        "goodness.png": _goodness(outcome),
        "rates.png": _rates(config, outcome),
    }
    if min(image) > 1:
        drawn["weights.png"] = _weights(outcome, image)
    for name, figure in drawn.items():
        whole_files.write(folder / name, picture(figure, dpi=120))
    return list(drawn)


def _raster(config: SpikingConfig, outcome: Outcome) -> Figure:
    seen = outcome.statistics
    period = config.period_steps * config.step
    names = ["input", *(f"layer {n + 1}" for n in range(len(config.layers)))]
    figure, axes = panels(len(names), 1, size=(9, 2.4 * len(names) + 0.8), share_x=True, squeeze=False)
    for axis, (cells, times), name in zip(axes[:, 0], seen.raster, names, strict=True):
        axis.plot(times, cells, "|", color="0.15", markersize=2, markeredgewidth=0.6)
        for start in np.arange(0.0, seen.raster_ms, 2 * period):
            axis.axvspan(start, start + config.present, color="C2", alpha=0.15, lw=0)
            axis.axvspan(start + period, start + period + config.present, color="C3", alpha=0.12, lw=0)
        axis.set(ylabel=f"{name}, cell", xlim=(0, seen.raster_ms))
    axes[0, 0].set_title("spikes after training: right label (green) and wrong label (red) of one image after another")
    axes[-1, 0].set_xlabel("time [ms]")
    return figure


def _goodness(outcome: Outcome) -> Figure:
    layers = len(outcome.scores)
    figure, axes = panels(1, layers, size=(4.8 * layers, 3.6), squeeze=False)
    chosen = np.arange(len(outcome.labels))
    for n, axis in enumerate(axes[0]):
        scores = outcome.scores[n]
        right = scores[chosen, outcome.labels]
        others = np.delete(scores, outcome.labels + scores.shape[1] * chosen).ravel()
        bins = np.linspace(0, max(np.percentile(right, 99.5), 1e-6) if right.size else 1, 50)
        axis.hist(right, bins, density=True, alpha=0.6, color="C2", label="right label")
        axis.hist(others, bins, density=True, alpha=0.5, color="C3", label="other labels")
        axis.set(xlabel="goodness per cell [spikes²]", ylabel="density", title=f"layer {n + 1}, images not trained on")
        axis.set_yscale("log")
        axis.legend()
    return figure


def _rates(config: SpikingConfig, outcome: Outcome) -> Figure:
    figure, axis = panels(size=(5.6, 3.8))
    for n, counts in enumerate(outcome.statistics.counts):
        rates = counts[::2].mean(axis=0) * 1e3 / config.present
        positive = rates[rates > 0]
        silent = 100 * float((rates == 0).mean())
        if positive.size:
            label = f"layer {n + 1}, {silent:.0f} % of cells silent"
            axis.hist(np.log10(positive), 30, histtype="step", color=f"C{n}", lw=1.6, label=label)
    axis.set(xlabel="log10 of the mean rate [Hz], right label", ylabel="cells")
    if axis.get_legend_handles_labels()[1]:
        axis.legend()
    return figure


def _weights(outcome: Outcome, image: tuple[int, int]) -> Figure:
    pixels = image[0] * image[1]
    most = np.argsort(-outcome.statistics.counts[0].sum(axis=0), kind="stable")[:MAPS]
    columns = min(8, len(most))
    rows = -(-len(most) // columns)
    figure, axes = panels(rows, columns, size=(1.1 * columns, 1.1 * rows + 0.6), squeeze=False)
    maps = outcome.weights[0][:pixels, most].T.reshape(-1, *image)
    limit = float(np.percentile(np.abs(maps), 99)) or 1.0
    for axis in axes.ravel():
        axis.axis("off")
    for axis, weights in zip(axes.ravel(), maps, strict=False):
        drawn = axis.imshow(weights, cmap="RdBu_r", vmin=-limit, vmax=limit)
    figure.colorbar(drawn, ax=axes, shrink=0.6, label="weight [thresholds]")
    figure.suptitle("first layer: weights of the most active cells")
    return figure
