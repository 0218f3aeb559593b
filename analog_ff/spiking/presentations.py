"""What the network is shown, one presentation after the other: image, label, and the sign of the learning signal.

A presentation is one row of three tables that the network looks up by its clock: nothing is encoded in advance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analog_ff.spiking.config import SpikingConfig
from hardware_models.keys import Key


class Presentations(NamedTuple):
    """What is shown, in order; k presentations."""

    image: np.ndarray  # (k,) int32 row of the images
    label: np.ndarray  # (k,) int32 class whose cells fire, -1: none
    rate: np.ndarray  # (k,) float32 learning rate times +1 (wake) or -1 (sleep); 0: nothing is learned

    def __len__(self) -> int:
        return len(self.image)

    def __add__(self, other: Presentations) -> Presentations:  # type: ignore[override]
        return Presentations(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))


def wrong_labels(labels: np.ndarray, classes: int, generator: np.random.Generator) -> np.ndarray:
    """Return for each label one of the other classes, all equally likely."""
    return ((labels + generator.integers(1, classes, labels.shape)) % classes).astype(np.int32)


def training(config: SpikingConfig, labels: np.ndarray, classes: int) -> Presentations:
    """Return all presentations of training: each image of an epoch once awake and once asleep.

    Blocks of `block` presentations awake are followed by as many asleep with the same images in the same order; an epoch
    draws a new order and new wrong labels. The learning rate falls linearly to its final share.
    """
    per_epoch = min(config.images_per_epoch or len(labels), len(labels))
    parts = []
    for epoch in range(config.epochs):
        generator = Key(config.seed, "spiking").at(epoch).generator()
        order = generator.permutation(len(labels))[:per_epoch].astype(np.int32)
        wrong = wrong_labels(labels[order], classes, generator)
        starts = range(0, per_epoch, config.block)
        image = [part for s in starts for part in (order[s : s + config.block],) * 2]
        label = [part for s in starts for part in (labels[order[s : s + config.block]], wrong[s : s + config.block])]
        sign = [np.full(len(part), 1 - 2 * (n % 2)) for n, part in enumerate(image)]
        parts.append((np.concatenate(image), np.concatenate(label), np.concatenate(sign)))
    if not parts:
        return Presentations(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))
    image, label, sign = (np.concatenate(column) for column in zip(*parts, strict=True))
    falling = 1.0 - (1.0 - config.final_rate) * np.arange(len(image)) / max(len(image), 1)
    flips = Key(config.seed, "sign").generator().random(len(image)) < config.sign_noise
    rate = config.learning_rate * falling * np.where(flips, -sign, sign)
    return Presentations(image.astype(np.int32), label.astype(np.int32), rate.astype(np.float32))


def testing(images: np.ndarray, classes: int) -> Presentations:
    """Return presentations that show each of the image rows with each label in turn, without learning."""
    n = len(images)
    label = np.tile(np.arange(classes, dtype=np.int32), n)
    return Presentations(np.repeat(images.astype(np.int32), classes), label, np.zeros(n * classes, np.float32))
