"""Start or resume a run and bring it to its result."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analog_ff.runs import cells, checkpoint, results
from analog_ff.runs.build import (
    batches_of,
    data_of,
    frame_of,
    learner_of,
    negatives_of,
    port_of,
    schedule_of,
    wiring_of,
)
from analog_ff.runs.config import Config
from analog_ff.runs.deploy import deploy, deployed_port
from analog_ff.runs.train import Run
from hardware_models.check import RunError, UsageError
from hardware_models.energy.measured import MachineMeter
from hardware_models.kernels.products import one_blas_thread
from hardware_models.port import MissingPinError
from hardware_models.user_faults import guarded


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"the run folder {folder} cannot be made ({error.strerror}); give another --out.") from None


def _finished(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsageError(
            f"{path} cannot be read; remove it, and --resume makes it again from the checkpoint."
        ) from None


@contextmanager
def _prepared(config: Config) -> Iterator[tuple[Run, dict[str, Any], Any]]:
    """Build everything that a run needs and yield (run, device, chip that is written once); the chip is closed after."""
    data = data_of(config)
    negatives = negatives_of(config, data)
    wiring = wiring_of(config, frame_of(config, data, negatives))
    port = port_of(config, wiring.shapes)
    try:
        learner = learner_of(config, port, len(data.classes), wiring, negatives)
        schedule = schedule_of(config, batches_of(config, len(data.x_train), learner))
        target = deployed_port(config, wiring.shapes) if config.program_to else None
        device = port.description if hasattr(port, "description") else port.device.describe()
        conditions = results.conditions(config, device)
        yield (
            Run(config, data, port, learner, schedule, lambda ledger: results.learn_joule(ledger, conditions)),
            device,
            target,
        )
    finally:
        if hasattr(port, "close"):
            port.close()


def examine(config: Config) -> None:
    """Build a run's parts and let them go: UsageError in one sentence for whatever `execute` would refuse."""
    with _prepared(config):
        pass


def execute(
    config: Config, *, resume: bool = False, quiet: bool = False, after_epoch: Callable[[int], None] | None = None
) -> tuple[dict[str, Any], Path]:
    """Return the result of a run and its folder.

    Everything that can be wrong is found before the folder is made: configuration, data, device, chip, learner,
    technology. Raises UsageError (nothing was written) or RunError (the checkpoint is kept).
    """
    folder = config.folder()
    saved = None
    if resume:
        if (folder / "result.json").is_file():
            return _finished(folder / "result.json"), folder
        saved = checkpoint.read(folder)
        if saved[1]["config"] != config.digest():
            raise UsageError(f"{folder} was begun with other options; resume it with those of its config.toml.")
    elif folder.exists():
        raise UsageError(f"the run folder {folder} exists already; give another --out, or --resume to go on with it.")
    with _prepared(config) as (run, device, target):
        if saved is None:
            _make(folder)
            (folder / "config.toml").write_text(config.to_toml(results.versions()), encoding="utf-8")
        else:
            run.restore(*saved)
            run.write_lines(folder)
        meter = MachineMeter()
        # The read-out's small products are NumPy's own: one BLAS thread, so that their bits depend on no machine's cores.
        try:
            with one_blas_thread(), guarded(RunError):
                run.train(folder, quiet=quiet, after_epoch=meter.after_epoch(after_epoch))
                start = time.monotonic()
                errors, tallies = run.test()
        except (OSError, MissingPinError) as error:  # a full disk, a chip whose process ended
            raise RunError(f"{type(error).__name__}: {str(error).rstrip('.')}.") from error
        result = results.collect(run, errors, tallies, device, run.seconds + time.monotonic() - start)
        if (joule := meter.joule()) is not None:  # most users may not read their machine's counters
            result["machine_joule"] = results.plain(joule)
        if target is not None:
            result["deployed"] = results.plain(deploy(run, target))
        cells.write(folder, run.port)
    from analog_ff.runs.plots import learning_curve

    learning_curve(folder, result, run.metrics)
    results.write(folder, result)
    return result, folder
