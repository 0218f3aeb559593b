"""A chip with a seed of its own and the network that lives on it, outside a run's folder: taught, asked and tested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from analog_ff.config.config import Config
from analog_ff.datasets.base import Dataset
from analog_ff.mortality.teaching import Lessons
from analog_ff.plain import Document
from analog_ff.runs.ages import as_before
from analog_ff.runs.build import batches_of, schedule_of
from analog_ff.runs.execute import on_the_chip, prepared
from analog_ff.runs.lessons import lessons, teach
from analog_ff.runs.results import phase_joule
from analog_ff.runs.train import Run
from hardware_models.events import Ledger, Tally
from hardware_models.keys import Key


class Specimen:
    """One chip and its network; every event of its life is booked by phase.

    Parameters
    ----------
    run : Run
        A run that was built and not trained; its chip is the specimen's.
    conditions : dict
        The conditions for pricing the run.
    check : function
        It is called between the steps of its life, where it may raise an exception that ends the work.
    """

    def __init__(self, run: Run, conditions: Document, check: Callable[[], None]) -> None:
        self.run, self.config, self._conditions, self.check = run, run.config, conditions, check
        self.learner, self.port = run.learner, run.port
        self._steps = 0

    @property
    def data(self) -> Dataset:
        """The data set of the run."""
        return self.run.data

    def begin(self, write: Callable[[], Tally] | None = None) -> None:
        """Calibrate the chip and program first weights, or let `write` write weights and return the events."""
        self.run.program(write)

    def teach(self, given: Lessons, epochs: int, *, rate: float | None = None) -> None:
        """Teach the network for so many passes over images; answers of a teacher are drawn anew as labels for every pass.

        The rates fall at the end as in a run of so many epochs. Steps are numbered through the life of the chip, so that no
        random draw comes twice.

        rate : factor on all learning rates, which do not fall then.
        """
        config = replace(self.config, epochs=epochs)
        batches = batches_of(config, len(given.images), self.learner)
        schedule = schedule_of(config, batches)
        key = Key(config.seed, "answers", self._steps)
        for epoch in range(epochs):
            labels = given.labels(key.child("epoch", epoch).generator())
            for lesson in lessons(batches, schedule, epoch, epochs, config.seed):
                here = lesson._replace(step=lesson.step + self._steps, gain=lesson.gain if rate is None else rate)
                images = self.run.shifted(given.images[lesson.rows], here.step)
                self.run.images += teach(self.learner, self.run.ledger, images, labels[lesson.rows], here)
                self.check()
        self._steps += epochs * schedule.per_epoch
        self.run.finish()

    @contextmanager
    def as_learned(self) -> Iterator[None]:
        """Give chip and network back at the end of a ``with`` as they are now: clock, cells, counters, steps and energies."""
        run, steps, images, booked = self.run, self._steps, self.run.images, self.run.ledger.save()
        with as_before(self.learner, self.port):
            yield
        self._steps, run.images, run.ledger = steps, images, Ledger.restore(booked)

    def ask(self, images: np.ndarray, key: Key) -> tuple[np.ndarray, float]:
        """Return the network's probabilities (n, classes) for images (n, pixels) in one unlabelled pass, and the energy [J]."""
        ledger = Ledger()
        answers, tally = self.learner.believe(images, key)
        ledger.book("infer", tally)
        return answers, self.priced(ledger, "infer")

    def test(self) -> dict[str, float]:
        """Return the error of each read-out on the test (or validation) images [%]."""
        errors, _ = self.run.test()
        return errors

    def lived(self, *, old: float = 0.0, queries: int = 0, labels: int = 0) -> Document:
        """Test the network, and return its errors [%] with the energy that its life took so far [J], and how it was taught.

        Parameters
        ----------
        old : energy of what another chip did for it [J].
        queries : images that the other chip was asked about.
        labels : images whose true labels it was taught.
        """
        joule = {"old": old, "program": self.joule("program"), "learn": self.joule("learn")}
        return {
            "error_percent_by_readout": self.test(),
            "joule": joule | {"all": sum(joule.values())},
            "queries": queries,
            "labels": labels,
        }

    def joule(self, phase: str) -> float:
        """Return the energy of a phase of the specimen's life so far [J]."""
        return self.priced(self.run.ledger, phase)

    def priced(self, ledger: Ledger, phase: str) -> float:
        """Return the energy of a phase of any ledger [J], at the prices of this chip."""
        return phase_joule(ledger, phase, self._conditions)


@contextmanager
def specimen(config: Config, chip_seed: int, check: Callable[[], None]) -> Iterator[Specimen]:
    """Yield the specimen of a chip seed; its chip is closed after. `check` is called between steps, as `Specimen` says.

    Raises UsageError as `analog_ff.runs.execute.prepared` does, and RunError for whatever goes wrong on the chip.
    """
    with prepared(replace(config, chip_seed=chip_seed)) as parts, on_the_chip(parts.run):
        yield Specimen(parts.run, parts.conditions, check)
