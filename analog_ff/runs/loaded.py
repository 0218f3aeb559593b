"""A finished run, loaded again: its chip with every cell as training left it, its network, its read-outs, its measurements.

The run is built as `execute` builds it, and restored as ``--resume`` restores it: from its last checkpoint.
"""

from __future__ import annotations

import io
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from analog_ff.config.config import Config
from analog_ff.datasets.base import Dataset
from analog_ff.learners.base import Learner
from analog_ff.network.base import Network
from analog_ff.output import folders
from analog_ff.plain import Document
from analog_ff.runs import checkpoint
from analog_ff.runs.chip_parts import interconnect_of
from analog_ff.runs.conductances import put
from analog_ff.runs.execute import Parts, prepared
from analog_ff.runs.later import ages_of_the_answer
from analog_ff.runs.results import phase_joule, plain
from analog_ff.runs.resume import take_up
from analog_ff.runs.stored import CONFIG, METRICS, begun_with, finished
from analog_ff.runs.train import Run
from hardware_models.check import RunError, UsageError, shown
from hardware_models.events import Ledger, Tally
from hardware_models.files import LARGE, contents, home, reading, text
from hardware_models.kernels.products import one_blas_thread
from hardware_models.keys import Key
from hardware_models.pins import finite
from hardware_models.places import in_place, placed
from hardware_models.port import ChipBench
from hardware_models.user_faults import guarded

if TYPE_CHECKING:
    from pandas import DataFrame


class Answers(NamedTuple):
    """The answers of one or more read-outs to images."""

    labels: dict[str, np.ndarray]  # (n,) labels in the spelling of the data, by read-out
    joule_per_image: dict[str, float]  # by the circuit and the technology of the run [J]


@dataclass(frozen=True, eq=False, repr=False)
class LoadedRun:
    """A finished run whose chip, network and read-outs are as training left them; `load_run` returns it.

    The chip goes on living: reads let its clock run, `chip.wait` ages its cells, and writes change them. A later call of
    `load_run` begins again at the checkpoint. Close it, or use it in a ``with``, if the chip is in a process of its own.
    """

    folder: Path
    config: Config
    result: Document  # the contents of result.json
    parts: Parts  # what `analog_ff.runs.execute.prepared` built
    _closing: ExitStack

    def __repr__(self) -> str:
        layers = ", ".join(map(str, self.config.layers))
        return (
            f"<LoadedRun of {self.config.learner} on {self.chip!r}, data {self.data.name}, layers {layers}, "
            f"read-outs {', '.join(self.readouts)}, in {self.folder}>"
        )

    @property
    def run(self) -> Run:
        """The run behind it, with its ledger and its schedule."""
        return self.parts.run

    @property
    def chip(self) -> ChipBench:
        """The chip behind its pins; `chip.oracle` looks inside unless it is sealed."""
        return self.run.port

    @property
    def learner(self) -> Learner:
        """The learner with its digital read-out."""
        return self.run.learner

    @property
    def network(self) -> Network:
        """The wiring of the chip."""
        return self.run.learner.network

    @property
    def data(self) -> Dataset:
        """The data set of the run, cut and blackened as the run asked for it."""
        return self.run.data

    @property
    def classes(self) -> tuple[int | str, ...]:
        """The labels, in the spelling of the data."""
        return self.data.classes

    @property
    def readouts(self) -> tuple[str, ...]:
        """Names of the read-outs that `predict` takes."""
        return self.learner.readouts

    @property
    def metrics(self) -> DataFrame:
        """The table of metrics.csv, one line an epoch. Raise UsageError without pandas."""
        try:
            import pandas
        except ImportError:
            raise UsageError("metrics are a data frame of pandas: pip install 'analog-ff[tables]'.") from None
        place = self.folder / METRICS
        with reading(place, "the metrics of a run"):
            return pandas.read_csv(io.StringIO(text(contents(place, "metrics", most=LARGE), place)))

    def predict(self, x: ArrayLike, *, readout: str | None = None) -> np.ndarray:
        """Return the labels (n,) of images, in the spelling of the data.

        Parameters
        ----------
        x : images (n, d) or (n, height, width, ...) from 0 to 1, in the form of `data.x_test`.
        readout : a name of `readouts`; default: the read-out of the headline.

        The noise of reads is drawn from the key of the run's own test. So the answers to the test images are those of the run,
        bit for bit, for the first read-out that is asked, and for every read-out of a chip that no read changes. Where
        reads count (cells or neurons with a law of time, wires that are followed between exact solutions), `tested`
        gives the answers of all read-outs in the order of the run's test.

        Raises
        ------
        UsageError : if the images have another shape or are not finite, or there is no such read-out.
        """
        name = self.config.readout if readout is None else readout
        return self.answers(x, (name,)).labels[name]

    def answers(self, x: ArrayLike, readouts: tuple[str, ...] | None = None) -> Answers:
        """Return the labels and the energy an image of several read-outs, all by default; see `predict`."""
        images = self._images(x)
        labels, joule = {}, {}
        for name in self.readouts if readouts is None else readouts:
            with one_blas_thread(), guarded(RunError):
                predicted, tally = self.learner.predict(images, readouts=(name,), key=self._key)
            labels[name] = np.array(self.classes)[predicted[name]]
            joule[name] = self._joule(tally) / max(1, len(images))
        return Answers(labels, joule)

    def goodness(self, x: ArrayLike, labels: ArrayLike | None = None) -> np.ndarray:
        """Return the goodness of images shown with labels, summed over the read-out layers, float64 [units of z²].

        x : images as for `predict`; labels : one an image, in the spelling of the data: the result is (n,). Without labels every
        image is shown with every label: the result is (n, classes), in the order of `classes`. Of layers whose positives are
        to have a low goodness, the negative is returned. UsageError for a network that is shown no labels.
        """
        if "energy" not in self.readouts:
            raise UsageError("a network that is shown no labels has no goodness of a label.")
        images = self._images(x)
        with one_blas_thread(), guarded(RunError):
            if labels is None:
                return self.learner.scores(images, "energy", self._key)[0]
            from analog_ff.datasets.images import indices

            wanted = indices(np.asarray(labels), self.classes, "goodness")
            return self.learner.agreement(images, wanted, self._key)[0]

    def tested(self) -> dict[str, np.ndarray]:
        """Return the labels of the run's own test again, by read-out, in the spelling of the data.

        A second chip is built and restored for it, so that nothing that was done with this one counts.
        """
        with in_place(), prepared(self.config) as parts:
            _restored(parts.run, self.folder)
            with one_blas_thread(), guarded(RunError):
                parts.run.test()
        return {name: np.array(self.classes)[found] for name, found in parts.run.answers.items()}

    def aged(self, ages: str, data: Dataset | None = None, *, conductances: str | None = None) -> Document:
        """Return the entry ``ages`` that ``simulate --ages`` writes: errors and goodness now and at later ages.

        Parameters
        ----------
        ages : rising, such as ``1h,1d,30d``, counted from the end of the run's test. With ``--program-to`` they are those of the
            chip that is written.
        data : a data set with other test images and their labels in place of those of the run.
        conductances : a file that the cells of the run's own chip take first.

        A second chip is built and restored for it, and tested as the run was, so that nothing that was done with this one counts.

        Raises
        ------
        UsageError : for a text that is no list of ages, or a file that does not fit the chip.
        """
        if not isinstance(ages, str):
            raise UsageError(f"ages are a text such as '1h,1d', got {shown(ages)}.")
        config = replace(self.config, ages=ages)
        with in_place(), prepared(self.config) as parts:
            run = parts.run
            _restored(run, self.folder)
            if conductances is not None:
                put(run.port, conductances)
            run.config = config
            with one_blas_thread(), guarded(RunError):
                run.test()
                run.data = run.data if data is None else data
                return plain(ages_of_the_answer(run, parts.target, parts.conditions))

    @property
    def _key(self) -> Key:
        return Key(self.config.seed, "test")

    def _images(self, x: ArrayLike) -> np.ndarray:
        given = np.asarray(x)
        rows = given.reshape(len(given), -1) if given.ndim > 2 else given
        if not rows.size:
            raise UsageError(f"images should be at least one, got an array of shape {given.shape}.")
        return finite("images", rows, (None, self.data.x_test.shape[1]))

    def _joule(self, tally: Tally) -> float:
        ledger = Ledger()
        ledger.book("infer", tally)
        return phase_joule(ledger, "infer", self.parts.conditions)

    def close(self) -> None:
        """End what the chip needs, such as its process."""
        self._closing.close()

    def __enter__(self) -> LoadedRun:
        return self

    def __exit__(self, *what: object) -> None:
        self.close()


def load_run(folder: str | Path, *, data_dir: str | Path | None = None) -> LoadedRun:
    """Return the finished run in a folder, with its chip as training left it.

    Parameters
    ----------
    folder : the run's folder, with its checkpoint (``--keep last`` or ``all``).
    data_dir : folder of the data sets, if it is another one than the run had.

    Raises
    ------
    UsageError : if there is no run, if it is not finished or has kept no checkpoint, or if a file that it reads has changed.
    """
    with in_place(), ExitStack() as closing:
        place = placed(home(folder, "run"))
        if not folders.has(place, CONFIG):
            named = shown(str(folder), 200, quoted=not str(folder))
            raise UsageError(
                f"there is no run in {named}: it holds no {CONFIG}; expected the folder of a finished run."
            )
        config = begun_with(Config, place)
        if config is None:  # it went away in between
            raise UsageError(f"there is no run in {folder}.")
        config = replace(config, out=str(place), data_dir=config.data_dir if data_dir is None else str(data_dir))
        if (result := finished(config, place)) is None:
            raise UsageError(f"the run in {folder} is not finished: finish it with --resume --out {folder}.")
        if not any(folders.has(place, name) for name in (checkpoint.NAME, checkpoint.PREVIOUS)):
            raise _without_checkpoint(folder)
        parts = closing.enter_context(prepared(config))
        _restored(parts.run, place)
        if config.wires == "test":
            parts.run.port.lay_wires(interconnect_of(config))
        return LoadedRun(place, config, result, parts, closing.pop_all())


def _restored(run: Run, folder: Path) -> None:
    """Restore a freshly built run from the last checkpoint of a folder, and do what comes between it and the test."""
    if not take_up(run, folder):
        raise _without_checkpoint(folder)
    with one_blas_thread(), guarded(RunError):
        run.finish()


def _without_checkpoint(folder: str | Path) -> UsageError:
    return UsageError(
        f"the run in {folder} has kept no {checkpoint.NAME}, from which its chip is restored: carry it out again with --keep "
        "last in another folder."
    )
