"""One spiking run from beginning to end: data, presentations, network, and what was recorded, as plain arrays."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from analog_ff.datasets import load
from analog_ff.datasets.base import Dataset
from analog_ff.spiking import model as models
from analog_ff.spiking import presentations as plans
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.target import Runs, prepared
from hardware_models.check import UsageError
from hardware_models.keys import Key

STATISTICS = 500
"""Test images whose spike counts are recorded cell by cell, once with the right label and once with a wrong one."""
RASTER = 10
"""Test images of the raster, in the same way."""


class Counts(NamedTuple):
    """Spike counts of single presentations, the right label in even rows, a wrong one in odd rows."""

    counts: tuple[np.ndarray, ...]  # of each layer, (2 images, cells) float32
    raster: tuple[tuple[np.ndarray, np.ndarray], ...]  # of the input and each layer: cells, and times [ms]
    raster_ms: float  # duration of the raster


class Outcome(NamedTuple):
    """What a run leaves behind."""

    scores: np.ndarray  # (layers, images, classes) goodness per cell of each test image with each label
    labels: np.ndarray  # (images,) the right ones
    goodness: np.ndarray  # (layers, presentations) goodness per cell in training
    training: plans.Presentations
    weights: tuple[np.ndarray, ...]  # (inputs, cells) float32 [thresholds]
    spikes: dict[str, tuple[np.ndarray, ...]]  # training, testing: spikes by cell, of the input and each layer
    statistics: Counts
    seconds: dict[str, float]  # wall time of building and of running

    def errors(self) -> dict[str, float]:
        """Return the error in percent by read-out: energy (goodness per cell, summed over layers), and each layer's."""
        right = self.labels
        total = {"energy": self.scores.sum(axis=0)} | {f"layer-{n}": s for n, s in enumerate(self.scores)}
        return {name: 100.0 * float(np.mean(s.argmax(axis=1) != right)) for name, s in total.items()}

    def curve(self, epochs: int) -> list[dict[str, float]]:
        """Return by epoch the mean goodness per cell of each layer, awake and asleep."""
        if not epochs:
            return []
        lines = []
        signs = np.sign(self.training.rate)
        for epoch, part in enumerate(np.array_split(np.arange(len(signs)), epochs)):
            line = {"epoch": float(epoch)}
            for n, g in enumerate(self.goodness):
                for name, sign in (("awake", 1), ("asleep", -1)):
                    chosen = g[part][signs[part] == sign]
                    line[f"goodness_{name}_{n}"] = float(chosen.mean()) if len(chosen) else float("nan")
            lines.append(line)
        return lines


def data_of(config: SpikingConfig) -> Dataset:
    """Return the data set of a run; UsageError if it has no labels to show."""
    data = load(config.data, data_dir=config.data_dir, split=config.split)
    if data.label_place == "none" or len(data.classes) < 2:
        raise UsageError(f"a spiking run needs labelled images of two classes or more; {data.name} has none.")
    return data


def first_weights(config: SpikingConfig, sizes: Sequence[int]) -> list[np.ndarray]:
    """Return the first weights of each layer, N(mean, sd²)/fan-in as configured; never negative under Dale's law."""
    weights = []
    for n, (inputs, cells) in enumerate(itertools.pairwise(sizes)):
        noise = Key(config.seed, "weights").at(n).generator().standard_normal((inputs, cells), dtype=np.float32)
        w = ((config.initial_mean + config.initial * noise) / np.sqrt(inputs)).astype(np.float32)
        weights.append(np.abs(w) if config.dale else w)
    return weights


def simulate(
    config: SpikingConfig,
    data: Dataset | None = None,
    *,
    weights: Sequence[np.ndarray] | None = None,
    quiet: bool = False,
) -> Outcome:
    """Train on the training images, classify the test images, and record single presentations; one run of Brian2.

    Parameters
    ----------
    config : SpikingConfig
    data : Dataset, optional
        Instead of the one that `config` names.
    weights : sequence of (inputs, cells) arrays, optional
        First weights [thresholds]; default: drawn from the seed.
    quiet : bool
        True says nothing while it runs; otherwise progress goes to standard error.

    Raises
    ------
    UsageError
        If weights and layers do not match, a device cannot be had, or there is no compiler.
    RunError
        If the compiled program fails.
    """
    data = data_of(config) if data is None else data
    classes = len(data.classes)
    tested = min(config.test_images or len(data.x_test), len(data.x_test))
    images = models.scaled(np.concatenate([data.x_train, data.x_test]))
    shown = models.Shown(images, classes)
    training = plans.training(config, data.y_train, classes)
    test_rows = len(data.x_train) + np.arange(tested)
    testing = plans.testing(test_rows, classes)
    statistics = _pairs(config, test_rows[:STATISTICS], data.y_test, classes)
    raster = plans.Presentations(*(column[: 2 * RASTER] for column in statistics))
    show = training + testing + statistics + raster
    sizes = models.sizes(config, shown)
    start = time.monotonic()
    with prepared(config.target, config.seed) as b2:
        initial = first_weights(config, sizes) if weights is None else weights
        model = models.build(config, shown, show, initial, learn=len(training) > 0)
        recorded = _Recorded(b2, model)
        runs = Runs(b2, config.target, model.network, quiet=quiet)
        for part, what in (
            (training, "training"),
            (testing, "testing"),
            (statistics, "statistics"),
            (raster, "raster"),
        ):
            recorded.switch(what)
            runs.run(len(part) * model.period, what)
        runs.run(config.step * b2.ms, "end")  # the goodness of a presentation is read in the step after it
        built = time.monotonic()

        def take() -> Outcome:
            goodness = np.array([np.asarray(g.G[0], np.float32)[1 : len(show) + 1] for g in model.recorded])
            goodness /= np.array(sizes[1:], np.float32)[:, None]
            trained, last = len(training), len(training) + len(testing)
            pairs = zip(model.synapses, sizes[:-1], sizes[1:], strict=True)
            return Outcome(
                scores=goodness[:, trained:last].reshape(len(goodness), tested, classes),
                labels=data.y_test[:tested],
                goodness=goodness[:, :trained],
                training=training,
                weights=tuple(np.array(s.w[:], np.float32).reshape(i, j) for s, i, j in pairs),
                spikes={what: recorded.counted(what) for what in ("training", "testing")},
                statistics=Counts(
                    recorded.by_cell(len(statistics)),
                    recorded.raster((len(show) - len(raster)) * config.period_steps * config.step),
                    len(raster) * config.period_steps * config.step,
                ),
                seconds={"build": built - start, "run": time.monotonic() - built}
                | ({} if runs.seconds is None else {"simulated": runs.seconds}),
            )

        # Only the speed of compiling depends on what is named here.
        structure = [getattr(config, f) for f in ("encoder", "goodness", "pool", "eligibility", "online", "device")]
        return runs.finish((sizes, *structure, bool(training.image.size)), take)


class _Recorded:
    """Monitors that work in one part of the run only."""

    def __init__(self, b2: Any, model: models.Model) -> None:
        groups = (model.inputs, *model.layers)
        self._ms = b2.ms
        self._totals = {
            what: [b2.SpikeMonitor(g, record=False, name=f"{what}_{g.name}") for g in groups]
            for what in ("training", "testing")
        }
        self._cells = [
            b2.StateMonitor(
                layer,
                "r",
                record=True,
                clock=model.clock,
                when="start",
                order=models.BEFORE,
                name=f"cells_{layer.name}",
            )
            for layer in model.layers
        ]
        self._spikes = [b2.SpikeMonitor(g, name=f"raster_{g.name}") for g in groups]
        self._parts = {**self._totals, "statistics": self._cells, "raster": [*self._cells, *self._spikes]}
        model.network.add([*self._cells, *self._spikes, *(m for part in self._totals.values() for m in part)])

    def switch(self, what: str) -> None:
        """Let the monitors of one part work, and no others."""
        for monitors in self._parts.values():
            for monitor in monitors:
                monitor.active = False
        for monitor in self._parts[what]:
            monitor.active = True

    def counted(self, what: str) -> tuple[np.ndarray, ...]:
        """Return the spikes of each cell of the input and each layer in a part."""
        return tuple(np.array(m.count[:], np.int64) for m in self._totals[what])

    def by_cell(self, presentations: int) -> tuple[np.ndarray, ...]:
        """Return the counts of each layer by presentation, (presentations, cells)."""
        return tuple(np.asarray(m.r[:], np.float32).T[1 : presentations + 1] for m in self._cells)

    def raster(self, begin: float) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """Return cells and times [ms after `begin`] of the spikes of the input and each layer."""
        return tuple((np.array(m.i[:]), np.asarray(m.t[:] / self._ms) - begin) for m in self._spikes)


def _pairs(config: SpikingConfig, rows: np.ndarray, labels: np.ndarray, classes: int) -> plans.Presentations:
    """Return presentations of each image with its right label, then with a wrong one."""
    right = labels[: len(rows)].astype(np.int32)
    wrong = plans.wrong_labels(right, classes, Key(config.seed, "statistics").generator())
    label = np.column_stack([right, wrong]).ravel()
    return plans.Presentations.of(np.repeat(rows, 2), label, np.zeros(len(label)))
