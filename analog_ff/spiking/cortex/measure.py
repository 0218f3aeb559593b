"""Run one point of a cortex test, and keep its result with the quantities that the tests need."""

from __future__ import annotations

import time

import numpy as np

from analog_ff.datasets.base import Dataset
from analog_ff.plain import Document
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.cortex.judge import packed
from analog_ff.spiking.execute import collect
from analog_ff.spiking.simulation import Outcome, simulate

BURST_MS = 8.0
"""Largest interval within a burst [ms], as in DeBusk et al. 1997."""
EDGES = np.linspace(-3.0, 3.0, 25)
"""Edges of the histogram of log10 of the cells' mean rates [Hz]."""
ELSEWHERE = ("data_dir", "out")
"""Options that are not stored, because they only hold folders of this machine."""


def measure(config: SpikingConfig, data: Dataset) -> Document:
    """Run one configuration and return the result of a spiking run with further entries for the tests.

    These are correct: for each read-out, one bit for each image that is set if it was classified correctly;
    firing[n].burst_spike_share: see `burst_spikes`; firing[n].log10_rates: histogram of the cells' mean rates with the right
    label, with the bins of `EDGES`.
    """
    start = time.monotonic()
    outcome = simulate(config, data, quiet=True)
    result = collect(config, outcome, time.monotonic() - start, config.technology)
    result["config"] = {k: v for k, v in result["config"].items() if k not in ELSEWHERE}
    result["correct"] = {name: packed(right) for name, right in answers(outcome).items()}
    seen = outcome.statistics
    period = config.period_steps * config.step
    for layer, counts, raster in zip(result["firing"], seen.counts, seen.raster[1:], strict=True):
        layer["burst_spike_share"] = burst_spikes(*raster, period)
        means = counts[::2].mean(axis=0) * 1e3 / config.present
        layer["log10_rates"] = np.histogram(np.log10(means[means > 0]), EDGES)[0].tolist()
    return result


def answers(outcome: Outcome) -> dict[str, np.ndarray]:
    """Return a mask of correctly classified images for each read-out: energy (all layers), and each layer by itself."""
    scores = {"energy": outcome.scores.sum(axis=0)} | {f"layer-{n}": s for n, s in enumerate(outcome.scores)}
    return {name: s.argmax(axis=1) == outcome.labels for name, s in scores.items()}


def burst_spikes(cells: np.ndarray, times: np.ndarray, period_ms: float) -> float | None:
    """Return the share of spikes with a neighbour of the same cell within `BURST_MS`; None without spikes.

    The raster has presentations with the right label and a wrong one in turn; only those with the right label count.
    """
    shown = np.floor(np.asarray(times) / period_ms + 1e-9).astype(np.int64)
    right = shown % 2 == 0
    i, t, k = np.asarray(cells)[right], np.asarray(times, float)[right], shown[right]
    if not i.size:
        return None
    order = np.lexsort((t, k, i))
    i, t, k = i[order], t[order], k[order]
    close = (np.diff(i) == 0) & (np.diff(k) == 0) & (np.diff(t) <= BURST_MS + 1e-6)
    return float((np.append(close, False) | np.insert(close, 0, False)).mean())
