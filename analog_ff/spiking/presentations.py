"""Presentations, which the network is shown one after the other: image, label, and the sign of the learning signal.

A presentation is one row of tables that the network looks up by its clock; no spikes are computed in advance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analog_ff.spiking.config import SpikingConfig
from hardware_models.keys import Key

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Presentations(NamedTuple):
    """A table of k presentations in the order in which they are shown."""

    image: np.ndarray  # (k,) int32 number of the image
    label: np.ndarray  # (k,) int32 class whose label cells fire; -1: none, -2: the class that the network has chosen
    rate: np.ndarray  # (k,) float32 learning rate times +1 (wake) or -1 (sleep); 0: nothing is learned
    trial: (
        np.ndarray
    )  # (k,) int32 1: first label that the network tries for its own negative, 2: a further one, 0: no trial
    down: np.ndarray  # (k,) int32 number of pixels by which the image is shifted down
    right: np.ndarray  # (k,) int32 number of pixels by which the image is shifted to the right

    @classmethod
    def of(cls, image: ArrayLike, label: ArrayLike, rate: ArrayLike, trial: ArrayLike | None = None) -> Presentations:
        """Return a table from its columns; without `trial` no labels are tried."""
        image = np.asarray(image, np.int32)
        tried = np.zeros(len(image), np.int32) if trial is None else np.asarray(trial, np.int32)
        still = np.zeros(len(image), np.int32)
        return cls(image, np.asarray(label, np.int32), np.asarray(rate, np.float32), tried, still, still)

    def __len__(self) -> int:
        return len(self.image)

    def __add__(self, other: Presentations) -> Presentations:  # type: ignore[override]
        return Presentations(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))


def wrong_labels(labels: np.ndarray, classes: int, generator: np.random.Generator) -> np.ndarray:
    """Return a wrong label for each label, uniform over the other classes."""
    return ((labels + generator.integers(1, classes, labels.shape)) % classes).astype(np.int32)


def training(config: SpikingConfig, labels: np.ndarray, classes: int) -> Presentations:
    """Return all presentations of training: each image of an epoch once awake and once asleep.

    Blocks of `block` presentations awake are followed by as many asleep with the same images in the same order; each epoch
    draws a new order and new wrong labels. The learning rate falls linearly to its final share. If the network chooses its own
    negatives, it is first shown the image with `candidates` labels: wrong ones (hard), or any (self).
    """
    per_epoch = min(config.images_per_epoch or len(labels), len(labels))
    parts = []
    for epoch in range(config.epochs):
        generator = Key(config.seed, "spiking").at(epoch).generator()
        order = generator.permutation(len(labels))[:per_epoch]
        for start in range(0, per_epoch, config.block):
            image = order[start : start + config.block]
            awake = Presentations.of(image, labels[image], np.ones(len(image)))
            parts += [awake, _asleep(config, image, labels[image], classes, generator)]
    if not parts:
        return Presentations.of([], [], [])
    image, label, sign, trial = (np.concatenate(column) for column in list(zip(*parts, strict=True))[:4])
    falling = 1.0 - (1.0 - config.final_rate) * np.arange(len(image)) / len(image)
    flips = Key(config.seed, "sign").generator().random(len(image)) < config.sign_noise
    rate = config.learning_rate * falling * np.where(flips, -sign, sign)
    every = shifted(Presentations.of(image, label, rate, trial), config)
    # The learning signal arrives late, so presentations without learning follow the last ones.
    return every + Presentations.of(
        [image[-1]] * config.sign_delay, [-1] * config.sign_delay, [0.0] * config.sign_delay
    )


def shifted(show: Presentations, config: SpikingConfig) -> Presentations:
    """Return presentations with each image shifted at random, by the same shift in wake, sleep and trials of an epoch."""
    if not config.shift or not len(show):
        return show
    epoch = np.arange(len(show)) // (len(show) // config.epochs)
    most = 2 * config.shift + 1
    draws = Key(config.seed, "shift").generator().integers(0, most, (2, config.epochs, show.image.max() + 1))
    down, right = (draws[axis, epoch, show.image].astype(np.int32) - config.shift for axis in (0, 1))
    return Presentations(show.image, show.label, show.rate, show.trial, down, right)


def _asleep(
    config: SpikingConfig, image: np.ndarray, right: np.ndarray, classes: int, generator: np.random.Generator
) -> Presentations:
    """Return the negatives of some images; if the network chooses its own labels, the trials come before each."""
    n = len(image)
    if config.negatives == "random":
        return Presentations.of(image, wrong_labels(right, classes, generator), np.full(n, -1.0))
    tried = min(config.candidates, classes - (config.negatives == "hard"))
    ranks = generator.random((n, classes))
    if config.negatives == "hard":
        ranks[np.arange(n), right] = 2.0
    label = np.hstack([np.argsort(ranks, axis=1)[:, :tried], np.full((n, 1), -2)])
    sign = np.zeros(label.shape)
    sign[:, -1] = -1.0
    trial = np.full(label.shape, 2)
    trial[:, 0], trial[:, -1] = 1, 0
    return Presentations.of(np.repeat(image, tried + 1), label.ravel(), sign.ravel(), trial.ravel())


def testing(images: np.ndarray, classes: int) -> Presentations:
    """Return presentations that show each of the image rows with each label in turn, without learning."""
    n = len(images)
    label = np.tile(np.arange(classes, dtype=np.int32), n)
    return Presentations.of(np.repeat(images, classes), label, np.zeros(n * classes))
