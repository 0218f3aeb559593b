"""The teaching of a learner, lesson by lesson with every event booked, for a run of the command and for the classifier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from analog_ff.learners.base import Learner
from analog_ff.objective.schedule import Moment, Schedule, gain
from analog_ff.runs.batches import Batches
from hardware_models.events import Ledger


class Lesson(NamedTuple):
    """One step of training."""

    step: int  # its number in the run, which names the random draws
    gain: float  # factor on all learning rates
    moment: Moment
    rows: np.ndarray | slice  # the training images of its batch
    consolidates: bool = False  # belongs to the last epochs, in which a network may be consolidated


def lessons(
    batches: Batches, schedule: Schedule, epoch: int, epochs: int, seed: int, consolidate: int = 0
) -> Iterator[Lesson]:
    """Yield the lessons of one epoch of a run of so many epochs, of which the last ones consolidate the network."""
    first, strength = epoch * schedule.per_epoch, gain(epoch, epochs)
    for number, (moment, rows) in enumerate(batches.of_epoch(schedule, epoch, seed)):
        yield Lesson(first + number, strength, moment, rows, epoch >= epochs - consolidate)


def teach(learner: Learner, ledger: Ledger, images: np.ndarray, labels: np.ndarray, lesson: Lesson) -> int:
    """Let a learner learn from the images (B, n) and labels (B,) of a lesson, and book the events.

    Return the number of images that it was shown: a positive and its negative are one image, and a lesson without positives
    shows none that is new.
    """
    tally = learner.step(images, labels, step=lesson.step, gain=lesson.gain, moment=lesson.moment)
    tally = tally + learner.remember(lesson.step)
    ledger.book("learn", tally)
    if lesson.consolidates:
        corrected = learner.consolidate(lesson.step)
        ledger.book("learn", corrected)
        tally = tally + corrected  # its reads and pulses keep the chip busy too
    ledger.book("learn", learner.pace(tally, len(images), lesson.step))
    return len(images) if lesson.moment.positive else 0
