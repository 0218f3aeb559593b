"""One spiking run from beginning to end: data, presentations, network, and the recorded results as plain arrays."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analog_ff.datasets import load
from analog_ff.datasets.base import Dataset
from analog_ff.spiking import model as models
from analog_ff.spiking import presentations as plans
from analog_ff.spiking.brian import Brian
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.synapses.base import Hardware
from analog_ff.spiking.synapses.choose import synapses_of
from analog_ff.spiking.target import Runs, prepared
from hardware_models.check import UsageError
from hardware_models.keys import Key
from hardware_models.user_contract import unmasked

STATISTICS = 500
"""Number of test images whose spikes are counted for each cell, once with the right label and once with a wrong one."""
RASTER = 10
"""Number of test images in the raster, each once with the right label and once with a wrong one."""


class Counts(NamedTuple):
    """Spike counts of single presentations, with the right label in even rows and a wrong one in odd rows."""

    counts: tuple[np.ndarray, ...]  # counts (2 images, cells) float32 of each layer
    raster: tuple[tuple[np.ndarray, np.ndarray], ...]  # cells and times [ms] of spikes of the input and of each layer
    raster_ms: float  # duration of the raster


class Outcome(NamedTuple):
    """Results of a run as arrays."""

    scores: np.ndarray  # (layers, images, classes) goodness per cell of each test image with each label
    labels: np.ndarray  # (images,) right labels
    goodness: np.ndarray  # (layers, presentations) goodness per cell in training
    training: plans.Presentations
    weights: tuple[np.ndarray, ...]  # (inputs, cells) float32 [thresholds]
    spikes: dict[str, tuple[np.ndarray, ...]]  # "training", "testing": spikes of each cell, of the input and each layer
    statistics: Counts
    hardware: Hardware | None  # None if synapses are numbers
    seconds: dict[str, float]  # wall time of building and of running; "core": time of the compiled program

    def totals(self) -> dict[str, np.ndarray]:
        """Return the scores (images, classes) of each read-out: energy (goodness per cell, summed over layers), each layer."""
        return {"energy": self.scores.sum(axis=0)} | {f"layer-{n}": s for n, s in enumerate(self.scores)}

    def errors(self) -> dict[str, float]:
        """Return the error [%] of each read-out."""
        return {name: 100.0 * float(np.mean(s.argmax(axis=1) != self.labels)) for name, s in self.totals().items()}

    def curve(self, epochs: int) -> list[dict[str, float]]:
        """Return, for each epoch, the mean goodness per cell of each layer, awake and asleep."""
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
    """Return the data set of a run; raise UsageError if it has no labels, or no shape for shifts."""
    data = load(config.data, data_dir=config.data_dir, split=config.split)
    pixels = data.x_train.shape[1]
    if config.shift and pixels != (data.height or 1) * (data.width or 1):
        raise UsageError(
            f"--shift needs images of one channel with known height and width; give --shift 0 for {data.name}."
        )
    if (data.height or 1) == 1 and config.shift:
        data = data._replace(height=1, width=pixels)
    if len(data.classes) < 2:
        raise UsageError(f"a spiking run needs labelled images of two classes or more; {data.name} has none.")
    return data


def first_weights(config: SpikingConfig, sizes: Sequence[int]) -> list[np.ndarray]:
    """Return the first weights of each layer, drawn from the configured normal law; never negative under Dale's law."""
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
        Data set to use instead of the one in `config`.
    weights : sequence of (inputs, cells) arrays, optional
        First weights [thresholds]; by default they are drawn from the seed.
    quiet : bool
        True shows no progress; False shows it on standard error.

    Raises
    ------
    UsageError
        If weights and layers do not match, a device cannot be loaded, or there is no compiler.
    RunError
        If the compiled program fails.
    """
    data = data_of(config) if data is None else data
    classes = len(data.classes)
    tested = min(config.test_images or len(data.x_test), len(data.x_test))
    # The scale and the largest intensity of the input come from the training images alone.
    images = models.scaled(np.concatenate([data.x_train, data.x_test]), len(data.x_train))
    shown = models.Shown(images, classes, data.width or 1, len(data.x_train))
    training = plans.training(config, data.y_train, classes)
    test_rows = len(data.x_train) + np.arange(tested)
    testing = plans.testing(test_rows, classes)
    statistics = _pairs(config, test_rows[:STATISTICS], data.y_test, classes)
    show = training + testing + statistics
    sizes = models.sizes(config, shown)
    start = time.monotonic()
    with prepared(config.target, config.seed) as b2:
        unmasked("weights", list(weights or ()))
        initial = first_weights(config, sizes) if weights is None else weights
        made_of = synapses_of(config)
        model = models.build(config, shown, show, initial, learn=len(training) > 0, plasticity=made_of)
        recorded = _Recorded(b2, model, len(training), len(training) + len(testing))
        runs = Runs(b2, config.target, model.network, quiet=quiet)
        # Each run of Brian2 compiles its own code, so there are only two: one that counts, and one that records spikes.
        runs.run((len(training) + len(testing)) * model.period, "training and testing")
        recorded.start()
        # The goodness of a presentation is recorded in the step after it.
        runs.run(len(statistics) * model.period + config.step * b2.ms, "statistics")
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
                spikes=recorded.counted(),
                hardware=made_of.hardware([("learn", trained), ("infer", len(testing)), ("monitor", len(statistics))]),
                statistics=recorded.seen(config, len(statistics)),
                seconds={"build": built - start, "run": time.monotonic() - built}
                | ({} if runs.seconds is None else {"core": runs.seconds}),
            )

        return runs.finish((sizes, structure(config), len(training) > 0), take)


def structure(config: SpikingConfig) -> tuple[object, ...]:
    """Return the settings that change the generated code. Two runs with equal settings share the compiled program."""
    kinds = (config.encoder, config.goodness, config.pool, config.eligibility, config.third_factor, config.reset)
    parts = (config.refractory, config.adaptation, config.noise, config.delay, config.delay_spread, config.gap)
    choice = config.negatives != "random"
    return (
        *kinds,
        *map(bool, parts),
        bool(config.shift),
        config.online,
        config.dale,
        choice,
        config.device,
        config.chip,
    )


class _Recorded:
    """Counters and monitors of spikes: spikes of each cell in training and test, and each single spike after the test."""

    def __init__(self, b2: Brian, model: models.Model, trained: int, tested: int) -> None:
        groups = (model.inputs, *model.layers)
        self._b2, self._begin = b2, tested * model.period
        # One clock ticks once at the end of training and another at the end of the test, to store the counts so far.
        self._until = {}
        for what, last in (("training", trained), ("testing", tested)):
            clock = b2.Clock(max(last or tested, 1) * model.period, name=f"{what}_clock")
            self._until[what] = [
                b2.StateMonitor(g, "fired", record=True, clock=clock, when="start", order=models.BEFORE,
                                name=f"{what}_{g.name}")
                for g in groups
            ]  # fmt: skip
        self._trained = trained
        self._spikes = [b2.SpikeMonitor(g, name=f"raster_{g.name}") for g in groups]
        for monitor in self._spikes:
            monitor.active = False
        model.network.add([*self._spikes, *(m for monitors in self._until.values() for m in monitors)])

    def start(self) -> None:
        """Start to record each single spike."""
        for monitor in self._spikes:
            monitor.active = True

    def counted(self) -> dict[str, tuple[np.ndarray, ...]]:
        """Return the number of spikes of each cell, of the input and each layer, in "training" and in "testing"."""
        until = {
            what: tuple(np.array(m.fired[:], np.int64)[:, 1] for m in monitors)
            for what, monitors in self._until.items()
        }
        training = until["training"] if self._trained else tuple(np.zeros_like(n) for n in until["testing"])
        return {
            "training": training,
            "testing": tuple(last - first for first, last in zip(training, until["testing"], strict=True)),
        }

    def seen(self, config: SpikingConfig, presentations: int) -> Counts:
        """Return the spike counts of each layer in each recorded presentation, and the raster of the first ones."""
        period = config.period_steps * config.step
        counts, raster = [], []
        drawn = min(2 * RASTER, presentations) * period
        for monitor in self._spikes:
            cells = np.array(monitor.i[:])
            times = np.asarray((monitor.t[:] - self._begin) / self._b2.ms, np.float64)
            shown = np.floor((times + 0.5 * config.step) / period).astype(int)
            inside = shown < presentations  # one more step follows the last presentation
            number = np.zeros((presentations, len(monitor.source)), np.float32)
            np.add.at(number, (shown[inside], cells[inside]), 1.0)
            counts.append(number)
            first = times < drawn - 0.5 * config.step
            raster.append((cells[first], times[first]))
        return Counts(tuple(counts[1:]), tuple(raster), drawn)


def _pairs(config: SpikingConfig, rows: np.ndarray, labels: np.ndarray, classes: int) -> plans.Presentations:
    """Return presentations of each image with its right label, then with a wrong one."""
    right = labels[: len(rows)].astype(np.int32)
    wrong = plans.wrong_labels(right, classes, Key(config.seed, "statistics").generator())
    label = np.column_stack([right, wrong]).ravel()
    return plans.Presentations.of(np.repeat(rows, 2), label, np.zeros(len(label)))
