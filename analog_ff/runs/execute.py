"""Start or resume a run and carry it to its result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from analog_ff.config.config import Config
from analog_ff.learners.base import Learner
from analog_ff.output import folders, whole_files
from analog_ff.output.messages import tell
from analog_ff.plain import Document
from analog_ff.runs import cells, checkpoint, fabricated, logs, looks, results
from analog_ff.runs.build import (
    batches_of,
    data_of,
    device_of,
    frame_of,
    learner_of,
    negatives_of,
    port_of,
    schedule_of,
    wiring_of,
)
from analog_ff.runs.conductances import put
from analog_ff.runs.deploy import deploy
from analog_ff.runs.further_arrays import further_described
from analog_ff.runs.later import ages_of_the_run
from analog_ff.runs.origin import Origin, note_arrays, versions
from analog_ff.runs.read_time import noted
from analog_ff.runs.resume import take_up
from analog_ff.runs.run_device import loaded_device
from analog_ff.runs.stored import CONFIG, begun_otherwise, begun_with
from analog_ff.runs.train import Run
from hardware_models import opened, user_code
from hardware_models.check import DeviceRangeError, RunError, UsageError, counted
from hardware_models.energy.measured import MachineMeter
from hardware_models.files import LARGE, contents, record
from hardware_models.kernels.products import one_blas_thread
from hardware_models.nonlinearities.base import MEASURED
from hardware_models.nonlinearities.recorded import LOOKUP, WHAT
from hardware_models.places import in_place, placed
from hardware_models.port import ChipBench, MissingPinError
from hardware_models.protocol.links import is_link, note_program
from hardware_models.tables import entry
from hardware_models.user_faults import guarded


@dataclass(frozen=True)
class Parts:
    """Everything that a run needs."""

    run: Run
    device: Document  # its description
    target: Any  # the same learner on the chip that is written once, if any
    conditions: Document  # the technology, voltages and times that pricing needs
    noise: tuple[Document, Document]  # Johnson noise and the time of a read: of its chip, of that of the target
    further: Document  # descriptions of the devices of its further arrays, by array


KEEP: dict[str, tuple[str, ...]] = {
    "none": (checkpoint.NAME, checkpoint.PREVIOUS, fabricated.NAME, cells.NAME),
    "last": (checkpoint.PREVIOUS, fabricated.NAME),
    "all": (),
}
"""Choice of ``--keep`` -> files of a run that are removed at its end."""


class End(NamedTuple):
    """The wishes of a caller for the way of a run and for its end."""

    quiet: bool
    removed: tuple[str, ...]
    pictures: bool
    after_epoch: Callable[[int], None] | None
    log: type[logs.Log] | None


@contextmanager
def prepared(config: Config, *, images: int | None = None) -> Iterator[Parts]:
    """Build everything that a run needs, and note every file that is read for it; the chip is closed after.

    With `images` only so many of the training set and of the test set are used.
    """
    with ExitStack() as closing:
        folder = placed(config.folder())
        with record() as inputs, opened.into(inputs, folder), guarded(UsageError):
            data = data_of(config).first(images)
            note_arrays(data)
            negatives = negatives_of(config, data)
            wiring = wiring_of(config, frame_of(config, data, negatives))
            port = port_of(config, wiring.shapes)
            closing.callback(port.close)
            if config.port == "process":  # these are read in the chip's process
                _note_of_the_chip(config.fault_map, config.nonlinearity)
            learner = learner_of(config, port, len(data.classes), wiring, negatives)
            taken = _given(config, port, learner)
            schedule = schedule_of(config, batches_of(config, len(data.x_train), learner))
            target = None
            if config.program_to:
                chip = port_of(config, wiring.shapes, written_once=True)
                closing.callback(chip.close)
                target = learner_of(config, chip, len(data.classes), wiring, negatives)
            device = port.description
            noise = _noted(config), _noted(config, written_once=True) if config.program_to else {}
            conditions = results.conditions(config, device, wiring.shapes, len(data.classes))
            further = further_described(config)
        origin = Origin(dict(sorted(inputs.items())), versions())
        closing.enter_context(opened.into(origin.inputs, folder))
        run = Run(config, data, port, learner, schedule, lambda ledger: results.learn_joule(ledger, conditions), origin)
        run.taken = taken
        yield Parts(run, device, target, conditions, noise, further)


def _given(config: Config, port: ChipBench, learner: Learner) -> Document:
    """Set the cells of a chip to the conductances that a run was given, and return the cells that did not take them."""
    if config.conductances is None:
        return {}
    if not learner.takes_cells:
        raise UsageError(
            f"learner {config.learner} writes weights of its own to the chip: leave --conductances out, or choose another "
            "learner."
        )
    return put(port, str(placed(Path(config.conductances).expanduser())))


def _noted(config: Config, *, written_once: bool = False) -> Document:
    """Return the entry of a result on Johnson noise, which a run without it does not have."""
    if not config.johnson_noise:
        return {}
    own = loaded_device(config, written_once=written_once).t_read
    return {"johnson_noise": noted(device_of(config, written_once=written_once), config, own)}


def _note_of_the_chip(fault_map: str | None, nonlinearity: str) -> None:
    if fault_map:
        contents(fault_map, "fault map", most=LARGE)
    if is_link(nonlinearity):
        note_program(nonlinearity)
    elif nonlinearity.startswith(LOOKUP):
        contents(nonlinearity.removeprefix(LOOKUP), WHAT, most=LARGE)
    elif nonlinearity.startswith(MEASURED):
        contents(nonlinearity.removeprefix(MEASURED), "measured transfer")
    elif ":" in nonlinearity:
        user_code.note_of(nonlinearity, "nonlinearity")


def examine(config: Config) -> None:
    """Check a configuration without running it; raise the UsageError that `execute` would raise."""
    with in_place(), prepared(config):
        pass


def execute(
    config: Config,
    *,
    resume: bool = False,
    quiet: bool = False,
    keep: str = "last",
    pictures: bool = True,
    after_epoch: Callable[[int], None] | None = None,
    log: str | None = None,
) -> tuple[Document, Path]:
    """Return the result of a run and its folder.

    Everything that can be wrong is found before the folder is made: configuration, data, device, chip, learner,
    technology. From the moment on in which the folder exists, the run can be resumed and ends with the same bits.

    Parameters
    ----------
    config : all choices. With more epochs than those of a finished run that is resumed, the run is extended.
    resume : go on with the run in the folder, or return its result if it is finished.
    quiet : show no progress.
    keep : a name of `KEEP`, what stays of checkpoints and cells once the result is written; until then nothing is removed.
    pictures : whether pictures are drawn, and what a report shows beside the result is noted; a caller that removes the folder
        has no use for them.
    after_epoch : called with the number of epochs after each.
    log : a name of `analog_ff.runs.logs.LOGS`, a log beside ``metrics.csv``; a run that is resumed continues the one that it has.

    Raises
    ------
    UsageError : nothing was written. RunError : the run cannot go on, its last checkpoint is kept.
    """
    with in_place():
        folder = config.folder()
        end = End(quiet, entry("choice of --keep", keep, KEEP), pictures, after_epoch, logs.wanted(log))
        return _executed(config, placed(folder), resume, end), folder


def _executed(config: Config, folder: Path, resume: bool, end: End) -> Document:
    if not resume:
        folders.must_be_new(folder)
        with prepared(config) as parts, folders.made(folder, {CONFIG: _written(parts)}):
            return _carry_out(parts, folder, end)
    if (result := logs.finished(config, folder, end.log)) is not None:
        return result
    begun = begun_with(Config, folder)
    with folders.held(folder):
        if (result := logs.finished(config, folder, end.log)) is not None:  # by the process that held it
            return result
        # More epochs are asked of a finished run: `take_up` knows whether it is one.
        if begun is not None and replace(begun, epochs=config.epochs).digest() != config.digest():
            raise begun_otherwise(folder)
        whole_files.sweep(folder)
        with prepared(config) as parts:
            if not take_up(parts.run, folder) and begun is not None and begun.epochs != config.epochs:
                raise UsageError(
                    f"{folder} holds no {checkpoint.NAME} to extend the run from (--keep none removes it); begin a run of "
                    f"{counted(config.epochs, 'epoch')} in another folder."
                )
            if begun is None:
                tell(f"nothing was kept of the run in {folder}; it begins with the options given.")
            if begun is None or begun.epochs != config.epochs:
                whole_files.write(folder / CONFIG, _written(parts))
            parts.run.write_lines(folder)
            return _carry_out(parts, folder, end)


def _written(parts: Parts) -> str:
    return parts.run.config.to_toml(parts.run.origin.versions)


@contextmanager
def _cells_asked_first(port: Any) -> Iterator[None]:
    """Replace an error in the ``with`` by a DeviceRangeError if cells hold no conductances: no other advice would help."""
    try:
        yield
    except (UsageError, RunError) as error:
        try:
            port.save()
        except DeviceRangeError as reason:
            raise reason from error
        except Exception:  # a chip that no longer answers knows no better reason
            raise error from None
        raise


@contextmanager
def on_the_chip(run: Run) -> Iterator[None]:
    """Work with a run's chip in the ``with``: what goes wrong on it, or in a user's code, becomes one sentence.

    The read-out's small products are NumPy's own: with one BLAS thread their bits depend on no machine's cores.
    """
    try:
        with one_blas_thread(), guarded(RunError), _cells_asked_first(run.port):
            yield
    except (OSError, MissingPinError) as error:  # a chip whose process ended
        raise RunError(f"{type(error).__name__}: {str(error).rstrip('.')}.") from error


def _carry_out(parts: Parts, folder: Path, end: End) -> Document:
    """Train the remaining epochs, test, and leave cells, pictures and, last of all, the result in the folder."""
    run = parts.run
    meter = MachineMeter()
    with logs.logged(end.log, folder, run, end.after_epoch) as then, on_the_chip(run):
        run.train(folder, quiet=end.quiet, after_epoch=meter.after_epoch(then))
        start = time.monotonic()
        errors, tallies = run.test()
    wall = run.seconds + time.monotonic() - start
    result = results.collect(run, errors, tallies, parts.device, parts.conditions, wall, parts.further)
    result |= results.plain(parts.noise[0])
    if (joule := meter.joule()) is not None:  # most users may not read their machine's counters
        result["machine_joule"] = results.plain(joule)
    with on_the_chip(run):
        result |= results.plain(ages_of_the_run(run, parts.conditions))
        if parts.target is not None:
            result["deployed"] = results.plain(deploy(run, parts.target, parts.conditions) | parts.noise[1])
    seen = cells.write(folder, run, keep=cells.NAME not in end.removed, picture=end.pictures)
    if end.pictures:
        _draw(run, result, folder)
        looks.write(folder, run, seen)
    # The last checkpoint is there until the result is: a run that is stopped here goes on from it.
    _remove(folder, [name for name in end.removed if name != checkpoint.NAME])
    results.write(folder, result)
    _remove(folder, end.removed)
    return result


def _draw(run: Run, result: Document, folder: Path) -> None:
    """Draw the learning curve, and the ages of the chip if the run asks for them."""
    from analog_ff.runs import plots

    plots.learning_curve(folder, result, run.metrics)
    if (ages := result.get("ages") or result.get("deployed", {}).get("ages")) is not None:
        title = f"{run.config.program_to or run.config.device}, {run.config.data}"
        plots.ages_of_a_chip(folder / plots.AGES, ages, title, "test" if run.config.split == "final" else "validation")


def _remove(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        (folder / name).unlink(missing_ok=True)
