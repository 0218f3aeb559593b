"""The ways from one chip to the next: copied, copied and tuned, taught by the other's answers, taught anew, or nothing at all.

Beside them stands the way without a first chip: weights that a digital computer has learned, written to each chip.

Every path begins with a fresh chip and ends with a test on it. Its cost is what it takes on both chips: reading the weights of
the first one, writing and verifying them, answering queries, learning. The first chip is after each path as it was before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from analog_ff.config.config import Config
from analog_ff.learners.write_verify import read_back, write_verified
from analog_ff.mortality.specimen import Specimen, specimen
from analog_ff.mortality.teaching import QUERIES, Lessons, asked, labelled, sharpened
from analog_ff.plain import Document
from hardware_models.events import Ledger, Tally
from hardware_models.keys import Key
from hardware_models.tables import lookup


class Verify(NamedTuple):
    """The care with which weights are copied; see `analog_ff.learners.write_verify`."""

    rounds: int = 20
    reads: int = 4
    tolerance: float = 0.05


class Halves(NamedTuple):
    """Training images in two parts that share none: those of the first chip, and those that the next one is taught with."""

    first: Lessons
    second: Lessons


def halves(chip: Specimen) -> Halves:
    """Return the training images of a specimen's data in two equal parts, each with as many images of a class as the other."""
    data = chip.data
    order = Key(chip.config.seed, "halves").generator().permutation(len(data.y_train))
    order = order[np.argsort(data.y_train[order], kind="stable")]  # by class; in a class at random
    both = [np.sort(order[side::2]) for side in (0, 1)]
    mixed = [
        Key(chip.config.seed, "order of a half", side).generator().permutation(rows) for side, rows in enumerate(both)
    ]
    first, second = (labelled(data.x_train[rows], data.y_train[rows], len(data.classes)) for rows in mixed)
    return Halves(first, second)


def epochs_for(config_epochs: int, images: int, shown: int) -> int:
    """Return the passes over `shown` images with which a chip sees as many as in `config_epochs` passes over `images`."""
    return max(1, round(config_epochs * images / shown))


class Path:
    """One pair of chips: a grown one, and the seed of the next."""

    def __init__(self, old: Specimen, parts: Halves, chip_seed: int, verify: Verify) -> None:
        self.old, self.parts, self.chip_seed, self.verify = old, parts, chip_seed, verify
        self._key = Key(old.config.seed, "mortal", chip_seed)

    def _next(self) -> AbstractContextManager[Specimen]:
        """Return the next chip, whose first weights and noise are its own."""
        config = self.old.config
        own = replace(config, seed=config.seed + 1_000_000 * (1 + self.chip_seed))
        return specimen(own, self.chip_seed, self.old.check)

    def nothing(self) -> Document:
        """Return the end with first weights of the next chip's own and the read-out of the old one."""
        with self._next() as new:
            new.begin()
            new.learner.softmax.restore(self.old.learner.softmax.save())
            return new.lived()

    def anew(self, images: int) -> Document:
        """Return the end of a chip that learns from labels alone, of so many images that the old one has not seen."""
        with self._next() as new:
            new.begin()
            self._teach(new, Lessons(*(part[:images] for part in self.parts.second)))
            return new.lived(labels=images)

    def written(self, digital: Config) -> Document:
        """Return the end of a chip with weights that a digital computer learned from the first one's images.

        `digital` is a run of a learner off the chip, which writes its weights with verification when it has learned. The weights
        are the same for every chip of a seed: the energy of phase ``learn`` is spent once.
        """
        config = replace(digital, seed=self.old.config.seed)
        with specimen(config, self.chip_seed, self.old.check) as new:
            new.begin()
            new.teach(self.parts.first, config.epochs)
            return new.lived(labels=len(self.parts.first.images))

    def copied(self, tuned_with: int = 0, epochs: int = 0) -> Document:
        """Return the end of a chip with the old one's weights, which may learn on from them with labelled images.

        The weights are read back through the pins, averaged over reads, and written with verification; the digital read-out
        is copied as it is.
        """
        with self._next() as new:
            joule = self._copy(new)
            if epochs:
                new.teach(Lessons(*(part[:tuned_with] for part in self.parts.second)), epochs)
            return new.lived(old=joule, labels=min(tuned_with, len(self.parts.second.images)) if epochs else 0)

    def _copy(self, new: Specimen) -> float:
        """Write the weights of the old chip to the new one; return the energy of reading them [J]."""
        reading = Ledger()
        new.begin(lambda: self._written(new, reading))
        new.learner.restore(self.old.learner.save())
        return new.priced(reading, "infer")

    def _written(self, new: Specimen, reading: Ledger) -> Tally:
        """Read the weights of the old chip, which is booked in `reading`, write them to the new one, and return these events."""
        tally = Tally()
        for layer in range(len(self.old.port.shapes)):
            key = self._key.child("copy", layer)
            weights, events = read_back(self.old.port, layer, self.verify.reads, key.child("read"))
            reading.book("infer", events, layer)
            written = write_verified(new.port, layer, weights, key=key, **self.verify._asdict())
            tally.add(layer, written)
            self.old.check()
        return tally

    def distilled(self, queries: int, kind: str = "images", known: float = 0.0, sharpness: float = 1.0) -> Document:
        """Return the end of a chip that learns from the old one's answers.

        Parameters
        ----------
        queries : images shown to the old chip, each in one pass; more than there are: all of them again, with another noise.
        kind : a name of `QUERIES`.
        known : weight of the true label beside the answer, from 0 (no labels) to 1.
        sharpness : exponent of the probabilities before labels are drawn from them.
        """
        with self.taught(queries, kind, known, sharpness) as (_, end):
            return end

    @contextmanager
    def taught(
        self, queries: int, kind: str = "images", known: float = 0.0, sharpness: float = 1.0
    ) -> Iterator[tuple[Specimen, Document]]:
        """Yield the next chip after it has learned from the old one's answers, with the end of the path; see `distilled`."""
        with self._next() as new:
            new.begin()
            given, joule = self._answered(queries, kind, known, sharpness)
            self._teach(new, given)
            with new.as_learned():
                end = new.lived(old=joule, queries=queries, labels=queries if known else 0)
            yield new, end

    def _answered(self, queries: int, kind: str, known: float, sharpness: float) -> tuple[Lessons, float]:
        maker = lookup("kind of queries", kind, QUERIES)
        key = self._key.child("queries").child(kind)
        shown = asked(maker(self.parts.second.images, key.child("images").generator()), queries)
        answers, joule = self.old.ask(shown, key.child("asked", queries))
        answers = sharpened(answers, sharpness)
        if known:
            answers = (1.0 - known) * answers + known * asked(self.parts.second.answers, queries)
        return Lessons(shown, answers), joule

    def _teach(self, new: Specimen, given: Lessons) -> None:
        new.teach(given, epochs_for(new.config.epochs, len(self.parts.first.images), len(given.images)))
