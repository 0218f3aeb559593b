"""What is kept of one run of a cortex test."""

from __future__ import annotations

import time

import numpy as np

from analog_ff.datasets.base import Dataset
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.cortex.judge import packed
from analog_ff.spiking.documents import Document
from analog_ff.spiking.execute import collect
from analog_ff.spiking.simulation import Outcome, simulate

BURST_MS = 8.0
"""Intervals up to this make a burst, as in DeBusk et al. 1997."""
EDGES = np.linspace(-3.0, 3.0, 25)
"""Edges of the histogram of log10 of the cells' mean rates [Hz]."""
ELSEWHERE = ("data_dir", "out")
"""Where data and results lay is the machine's business."""


def measure(config: SpikingConfig, data: Dataset) -> Document:
    """Run one configuration and return its result: that of a spiking run, and what the tests need besides.

    correct: by read-out, which images were classified correctly, bit by bit; firing[n].burst_spike_share: see
    `burst_spikes`; firing[n].log10_rates: cells in each bin of `EDGES`, by mean rate, right label.
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
    """Return by read-out which images are classified correctly: energy (all layers), and each layer by itself."""
    scores = {"energy": outcome.scores.sum(axis=0)} | {f"layer-{n}": s for n, s in enumerate(outcome.scores)}
    return {name: s.argmax(axis=1) == outcome.labels for name, s in scores.items()}


def burst_spikes(cells: np.ndarray, times: np.ndarray, period_ms: float) -> float | None:
    """Return the share of spikes with a neighbour of the same cell within `BURST_MS`; None without spikes.

    Of a raster of presentations with the right label and a wrong one in turn: the former count, each by itself.
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
