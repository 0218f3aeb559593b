"""The place where a run goes on: its last checkpoint, the one before if that is damaged, or the beginning."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from analog_ff.objective.schedule import gain
from analog_ff.output.messages import tell
from analog_ff.plain import Document, Facts
from analog_ff.runs import checkpoint
from analog_ff.runs.checkpoint import DamagedError
from analog_ff.runs.train import Run
from hardware_models.check import UsageError, counted
from hardware_models.events import Ledger

MOST = 2**63 - 1
"""Largest count of anything."""


def take_up(run: Run, folder: Path) -> bool:
    """Restore the state that a folder keeps in a freshly built run; return False if no checkpoint was written yet.

    Raises
    ------
    UsageError : the checkpoint is of other options, or a file that the run reads has changed since; both checkpoints are
        damaged, or the only one is.
    """
    faults: list[str] = []
    for name in (checkpoint.NAME, checkpoint.PREVIOUS):  # a kill between two renames leaves the second alone
        if not (folder / name).is_file():
            continue
        try:
            arrays, facts = checkpoint.read(folder, name)
            _restore(run, arrays, facts, folder / name)
        except DamagedError as error:
            faults.append(str(error).rstrip("."))
            continue
        if faults:
            tell(f"warning: {faults[0]}; the run goes on from {name}, written after epoch {run.epoch}.")
        return True
    if faults:
        others = faults[1:] or ["there is no earlier checkpoint"]
        raise UsageError(f"{'; '.join([faults[0], *others])}: start the run anew in another folder.")
    return False


def _restore(run: Run, arrays: dict[str, np.ndarray], facts: Document, path: Path) -> None:
    with checkpoint.sound(path, "a checkpoint of this run"):
        _check_facts(facts, run)
    reached = _reached(run, facts, path)
    run.origin.check_model(facts["versions"], path.parent)
    run.origin.check_inputs(facts["inputs_sha256"], path.parent, facts["versions"])
    with checkpoint.sound(path, "a checkpoint of this run"):
        own = run.arrays()
        left_out = facts.get("fabricated", {})  # earlier checkpoints have every array
        _texts("fabricated", left_out)
    arrays |= run.fabricated.restore(left_out, own, path.parent)
    with checkpoint.sound(path, "a checkpoint of this run"):
        _check_arrays(own, arrays)
        run.restore(arrays, facts)
        # The restored arrays must equal the kept ones bit for bit: an array that no part restores, or one that was converted to
        # another type, is found here.
        again = run.arrays()
        if set(again) != set(arrays) or any(_differ(again[name], arrays[name]) for name in arrays):
            raise ValueError("its arrays are not those of this run")
    run.origin.go_on_from(facts, path.parent)
    if reached is not None:
        _extend(run, reached)


def _reached(run: Run, facts: Facts, path: Path) -> int | None:
    """Return the epochs of a finished run that this one extends, None if it is the same run; refuse any other."""
    config, epochs = run.config, facts["epochs"]
    if facts["config"] != replace(config, epochs=epochs).digest() or epochs > config.epochs:
        if (path.parent / checkpoint.NAME).exists() and path.name == checkpoint.PREVIOUS:  # the last one is damaged
            raise DamagedError(f"{path} is of a run with other options")
        raise UsageError(f"{path.parent} was begun with other options; resume it with those of its config.toml.")
    if epochs == config.epochs:
        return None
    if facts["epoch"] != epochs:
        # The last checkpoint of a run says that it is not finished; the one before it is never that of the last epoch.
        kind = UsageError if path.name == checkpoint.NAME else DamagedError
        raise kind(
            f"{path.parent} was begun with --epochs {epochs}, not {config.epochs}, and ends in {path.name} after "
            f"{facts['epoch']}: finish it with --resume alone; a finished run can be extended."
        )
    if config.schedule == "greedy":
        raise UsageError(
            f"{path.parent} was trained greedily: each of its layers has had its turn in {counted(epochs, 'epoch')}, and more "
            "would train layers under finished ones; begin a run of more epochs in another folder."
        )
    return int(epochs)


def _extend(run: Run, before: int) -> None:
    """Note that the run is extended, and tell the user the gain of the added epochs."""
    epochs = run.config.epochs
    first, last = gain(before, epochs), gain(epochs - 1, epochs)
    earlier = run.origin.extended_from
    run.origin.extended_from = {"epochs": before, "gain": [first, last]} | (
        {} if earlier is None else {"extended_from": earlier}
    )
    tell(
        f"epochs {before + 1} to {epochs} are added to a run of {before}: their gain is that of the same epochs of a run of "
        f"{epochs}, {first:.3g} falling to {last:.3g}; the result is not that of a run begun with --epochs {epochs}."
    )


def _check_arrays(fresh: Mapping[str, np.ndarray], kept: Mapping[str, np.ndarray]) -> None:
    """Compare the set, the types and the shapes of kept arrays with those that the run would save before its first step.

    The chip's are the same at any time. A learner's array that is empty at first may have grown, and a learner may hold
    more arrays later: such arrays are compared after they are restored.
    """
    for name, array in fresh.items():
        if name not in kept:
            raise ValueError(f"it lacks the array {name}")
        got = kept[name]
        grown = name.startswith("learner/") and array.size == 0
        if got.dtype != array.dtype or (got.shape != array.shape and not grown):
            raise ValueError(f"{name} is {got.dtype} {got.shape}, not {array.dtype} {array.shape}")
    foreign = [name for name in kept if name not in fresh and not name.startswith("learner/")]
    if foreign:
        raise ValueError(f"it has an array {foreign[0]}, which this run has not")


def _differ(a: Any, b: np.ndarray) -> bool:
    a = np.asarray(a)
    return a.dtype != b.dtype or a.shape != b.shape or not np.array_equal(_as_bytes(a), _as_bytes(b))


def _as_bytes(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _check_facts(facts: Any, run: Run) -> None:
    """Raise ValueError or TypeError unless the facts have the form that `Run.facts` writes."""
    epochs, epoch = facts["epochs"], facts["epoch"]
    _whole("epochs", epochs, 1, 10**6)
    _whole("epoch", epoch, 0, epochs)
    _whole("images", facts["images"], 0, MOST)
    _number("seconds", facts["seconds"])
    needed = {"epoch", "learn_joule", *(f"{name}_error_percent" for name in run.learner.readouts)}
    _lines("metrics", facts["metrics"], epoch, needed)
    _lines("counted", facts["counted"], epoch, {"epoch", "images"})
    ledger = facts["ledger"]
    for layers in ledger.values():
        for parts in layers.values():
            for count in parts["counts"].values():
                _whole("a count", count, 0, MOST)
            for integral in parts["integrals"].values():
                _number("an integral", integral)
    if Ledger.restore(ledger).save() != ledger:
        raise ValueError("its ledger is not one of a run")
    if not isinstance(facts["config"], str):
        raise ValueError("config is no text")
    for name in ("inputs_sha256", "versions"):
        _texts(name, facts[name])
    for versions in facts["earlier_versions"]:
        _texts("earlier_versions", versions)
    if not isinstance(facts["extended_from"], dict | None):
        raise ValueError("extended_from is no table")


def _whole(name: str, value: Any, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name} is not a whole number from {least} to {most}")


def _number(name: str, value: Any, finite: Callable[[float], bool] = math.isfinite) -> None:
    if type(value) not in (int, float) or not finite(float(value)):
        raise ValueError(f"{name} is no finite number")


def _lines(name: str, lines: Any, epochs: int, needed: set[str]) -> None:
    """Check a list of one line of numbers an epoch; a number may be infinite or none at all (NaN)."""
    if not isinstance(lines, list) or [line["epoch"] for line in lines] != list(range(1, epochs + 1)):
        raise ValueError(f"{name} is not a line an epoch")
    for line in lines:
        if needed - set(line):
            raise ValueError(f"{name} lacks {min(needed - set(line))}")
        for value in line.values():
            _number(f"a value in {name}", value, finite=lambda number: True)


def _texts(name: str, table: Any) -> None:
    if not isinstance(table, dict) or not all(isinstance(text, str) for text in table.values()):
        raise ValueError(f"{name} is no table of texts")
