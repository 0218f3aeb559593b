"""The loop: batch -> learner.step -> Events. The other parts of a run have files of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analog_ff.config.config import Config
from analog_ff.datasets.augment import shift
from analog_ff.datasets.base import Dataset
from analog_ff.learners.base import Learner
from analog_ff.objective.schedule import Schedule
from analog_ff.output import whole_files
from analog_ff.output.forms import table
from analog_ff.plain import Document
from analog_ff.runs import checkpoint
from analog_ff.runs.ages import tested
from analog_ff.runs.build import batches_of, calibrated
from analog_ff.runs.calibrate import calibrate
from analog_ff.runs.chip_parts import interconnect_of
from analog_ff.runs.fabricated import Fabricated
from analog_ff.runs.interrupt import Interruptible
from analog_ff.runs.lessons import Lesson, lessons, teach
from analog_ff.runs.origin import Origin
from analog_ff.runs.progress import Progress
from analog_ff.runs.stored import METRICS
from hardware_models import opened
from hardware_models.check import RunError
from hardware_models.events import Ledger, Tally
from hardware_models.keys import Key
from hardware_models.port import ChipBench
from hardware_models.user_contract import GlobalDraws

MONITORED = 500
"""Images of the training set looked at after each epoch of a final run."""


class Run:
    """One run: its parts, its counts and its measurements so far."""

    def __init__(
        self,
        config: Config,
        data: Dataset,
        port: ChipBench,
        learner: Learner,
        schedule: Schedule,
        priced: Callable[[Ledger], float],
        origin: Origin,
    ) -> None:
        self.config, self.data, self.port, self.learner, self.schedule = config, data, port, learner, schedule
        self._priced, self.origin = priced, origin
        self.fabricated = Fabricated()
        self.programmed = False
        self.ledger = Ledger()
        self.metrics: list[Document] = []
        self.without_wires: Document = {}
        """Errors of the test before the wires were laid, with ``--wires test``."""
        self.answers: dict[str, np.ndarray] = {}
        """Labels of the last test, as indices of classes, by read-out."""
        self.scores: dict[str, np.ndarray] = {}
        """Scores (n, classes) of the last test, by read-out."""
        self.taken: Document = {}
        """Shares of the cells that have not taken the conductances of ``--conductances``; empty without that option."""
        self.counted: list[dict[str, int | float]] = []
        self._batches = batches_of(config, len(data.x_train), learner)
        self.epoch = 0
        self.images = 0
        self.seconds = 0.0
        if config.split == "holdout":
            self._watch = (data.x_test, data.y_test)
        else:
            some = Key(config.seed, "monitor").generator().permutation(len(data.x_train))[:MONITORED]
            self._watch = (data.x_train[some], data.y_train[some])

    def train(self, folder: Path, *, quiet: bool = False, after_epoch: Callable[[int], None] | None = None) -> None:
        """Program the chip unless that is done, and train to the last epoch, with a checkpoint after each of these."""
        config = self.config
        steps = self.schedule.per_epoch
        with Progress(steps * config.epochs, steps * self.epoch, quiet=quiet) as progress:
            if not self.programmed:
                self.fabricated.note(self.arrays())
                self.program()
                self._save(folder)
            progress.begin()
            with Interruptible() as interruption:
                for epoch in range(self.epoch, config.epochs):
                    self._epoch(epoch, progress, interruption)
                    self._save(folder)
                    if after_epoch is not None:
                        after_epoch(self.epoch)
        self.finish()

    def _epoch(self, epoch: int, progress: Progress, interruption: Interruptible) -> None:
        """Teach all batches of an epoch, look at the errors and note the line of the epoch."""
        config = self.config
        draws = GlobalDraws() if opened.expected() else None  # nothing of this project draws from them
        start, before = time.monotonic(), self.learner.answered
        for lesson in lessons(self._batches, self.schedule, epoch, config.epochs, config.seed, config.consolidate):
            self._teach(lesson)
            progress.advance(f"epoch {epoch + 1}/{config.epochs}")
            interruption.check()
        if draws is not None:
            draws.refuse(f"code of yours in epoch {epoch + 1}", RunError)
        self.epoch = epoch + 1
        errors = self._monitor()
        self.seconds += time.monotonic() - start
        self._note(errors, before)

    def program(self, write: Callable[[], Tally] | None = None) -> None:
        """Calibrate the converters, program the first weights, and search for the groups of the lines.

        write : writes the weights and returns the events; by default the learner draws and programs first weights.
        """
        self.ledger.book("program", calibrated(self.config, self.learner))
        if not self.taken:
            self.ledger.book("program", (write or self.learner.initialise)())
        if self.config.line_groups == "auto":
            self.ledger.book("program", calibrate(self.learner, self.port, self.data.x_train, self.config.seed))
        self.programmed = True

    def finish(self) -> None:
        """Do the learner's last work after the last epoch.

        No checkpoint comes after this: a run that is resumed or loaded does it again, from the same keys.
        """
        self.ledger.book("program", self.learner.finish())

    def _teach(self, lesson: Lesson) -> None:
        images = self.shifted(self.data.x_train[lesson.rows], lesson.step)
        self.images += teach(self.learner, self.ledger, images, self.data.y_train[lesson.rows], lesson)

    def shifted(self, images: np.ndarray, step: int) -> np.ndarray:
        """Return training images (B, n) as the run shows them in a step: moved by up to `--shift` pixels."""
        config, data = self.config, self.data
        if not config.shift:
            return images
        return shift(images, data.height, data.width, config.shift, Key(config.seed, "shift", step))

    def _monitor(self) -> dict[str, float]:
        images, labels = self._watch
        key = Key(self.config.seed, "monitor", self.epoch)
        predicted, tally = self.learner.predict(images, key=key)
        self.ledger.book("monitor", tally)
        return {name: 100.0 * float(np.mean(answer != labels)) for name, answer in predicted.items()}

    def test(self) -> tuple[dict[str, float], dict[str, Tally]]:
        """Return the error [%] of each read-out on the test (or validation) set, and each read-out's events.

        With ``--wires test`` the network is tested without wires first, and then through them.
        """
        if self.config.wires == "test":
            errors, _ = self._tested("monitor")
            self.without_wires = {"error_percent_without_by_readout": errors}
            self.port.lay_wires(interconnect_of(self.config))
        return self._tested("infer")

    def _tested(self, phase: str) -> tuple[dict[str, float], dict[str, Tally]]:
        errors, tallies, self.answers, self.scores = tested(self.learner, self.data, self.test_key)
        for tally in tallies.values():
            self.ledger.book(phase, tally)
        return errors, tallies

    @property
    def test_key(self) -> Key:
        """Key of the noise of every test."""
        return Key(self.config.seed, "test")

    def _note(self, errors: dict[str, float], before: tuple[int, int]) -> None:
        learn = self.ledger.phase("learn").total()
        goodness = self.learner.mean_goodness
        weights = sum(n * m for n, m in self.port.shapes)
        line: Document = {"epoch": self.epoch}
        line |= {f"{name}_error_percent": error for name, error in errors.items()}
        wrong, answered = (now - then for now, then in zip(self.learner.answered, before, strict=True))
        if self.learner.answered[1]:
            line["training_error_percent"] = 100.0 * wrong / answered if answered else float("nan")
        line["pulses_per_weight"] = learn["write.selected"] / weights
        line["learn_joule"] = self._priced(self.ledger)
        line["images"] = self.images
        for layer, (positive, negative) in enumerate(goodness):
            line[f"goodness_positive_{layer}"], line[f"goodness_negative_{layer}"] = positive, negative
        line |= self.learner.measured
        line["seconds"] = round(self.seconds, 3)
        self.metrics.append(line)
        # The counts of learning so far, so that the whole curve can be priced anew.
        self.counted.append({"epoch": self.epoch, "images": self.images, **learn.counts, **learn.integrals})

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the state of chip and learner: the arrays themselves where that is possible, which change with the run."""
        arrays = {f"chip/{k}": np.asarray(v) for k, v in self.port.save(copy=False).items()}
        return arrays | {f"learner/{k}": np.asarray(v) for k, v in self.learner.save(copy=False).items()}

    def facts(self) -> Document:
        """Return everything else that a checkpoint keeps, as plain values."""
        return {
            "config": self.config.digest(),
            "epochs": self.config.epochs,
            "epoch": self.epoch,
            "images": self.images,
            "seconds": self.seconds,
            "metrics": self.metrics,
            "counted": self.counted,
            "ledger": self.ledger.save(),
            **self.origin.facts(),
        }

    def _save(self, folder: Path) -> None:
        arrays = self.arrays()
        left_out = self.fabricated.unchanged(arrays)
        self.fabricated.store(folder, arrays)
        changed = {name: array for name, array in arrays.items() if name not in left_out}
        checkpoint.write(folder, changed, self.facts() | {"fabricated": left_out})
        self.write_lines(folder)

    def write_lines(self, folder: Path) -> None:
        """Write metrics.csv and events.csv, a line an epoch."""
        if self.metrics:
            whole_files.write(folder / METRICS, table(self.metrics))
            whole_files.write(folder / "events.csv", table(self.counted))

    def restore(self, arrays: dict[str, np.ndarray], facts: Document) -> None:
        """Restore the arrays and the facts of a checkpoint; every checkpoint is written after the chip is programmed."""
        self.port.restore({k[5:]: v for k, v in arrays.items() if k.startswith("chip/")})
        self.learner.restore({k[8:]: v for k, v in arrays.items() if k.startswith("learner/")})
        self.programmed = True
        self.epoch, self.images, self.seconds = facts["epoch"], facts["images"], facts["seconds"]
        self.metrics, self.counted = facts["metrics"], facts["counted"]
        self.ledger = Ledger.restore(facts["ledger"])
