"""The record of a run in its folder: the choices that it was begun with, and its result if it is finished."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from analog_ff.config.choices import Choices
from analog_ff.output import folders, whole_files
from analog_ff.plain import Document, Facts
from analog_ff.registry.options import flag
from hardware_models.check import UsageError, shown
from hardware_models.files import LARGE, contents, json_object, reading, text

CONFIG = "config.toml"
RESULT = "result.json"
METRICS = "metrics.csv"
OF_A_RUN = ("checkpoint.h5", "checkpoint.previous.h5", "fabricated.h5", METRICS)
"""Other files by which the folder of a run is known."""
SCHEMA = 1
C = TypeVar("C", bound=Choices)


def asked_for(kind: type[C], options: Facts, folder: Path) -> C | None:
    """Return the choices of a run that is resumed: its own; None for an empty folder, whose run was never described.

    The options given may repeat them, name other places of its files, or ask for more epochs. Raise UsageError for any other
    option, and where there is no run.
    """
    begun = begun_with(kind, folder)
    if begun is None:
        return None
    for name, value in options.items():
        own = getattr(begun, name)
        longer = name == "epochs" and value > own
        if name not in ("out", "data_dir") and value != own and not longer:
            raise UsageError(f"{folder} was begun with {_option(kind, name)} {_said(own)}, not {_said(value)}.")
    places = {name: options[name] for name in ("data_dir", "epochs") if name in options}
    return replace(begun, **{"out": str(folder), **places})


def begun_with(kind: type[C], folder: Path) -> C | None:
    """Return the choices that a folder's run was begun with; None for an empty folder, whose run was killed before it wrote."""
    if folders.has(folder, CONFIG):
        return kind.from_toml(folder / CONFIG)
    if any((folder / name).is_file() for name in (RESULT, *OF_A_RUN)):
        raise UsageError(
            f"{folder} lacks its {CONFIG}, which says with which options its run was begun; put it back, or start the run anew "
            "in another folder."
        )
    if not folder.is_dir() or whole_files.holds_anything(folder):
        raise UsageError(f"there is no run to resume in {folder}; name its folder with --out.")
    return None


def finished(config: Choices, folder: Path) -> Document | None:
    """Return the result that a run's folder holds; None if there is none yet, or one of fewer epochs.

    Raise UsageError if there is one that cannot be read, or that of a run with other options.
    """
    path = folder / RESULT
    if not folders.has(folder, RESULT):
        return None
    try:
        result = json_object(contents(path, "result", most=LARGE), path, "the result of a run")
        if result.get("schema") != SCHEMA or not isinstance(result.get("config"), dict):
            raise UsageError(f"{path} should be the result of a run, with schema = {SCHEMA}")
    except UsageError as error:
        sentence = str(error).rstrip(".")
        raise UsageError(f"{sentence}; remove it, and --resume makes it again from the checkpoint.") from None
    own = json.loads(json.dumps(config.as_dict()))
    other = {name for name in own if result["config"].get(name, own[name]) != own[name]} - set(config.not_in_hash)
    if not other:
        return result
    before = result["config"].get("epochs")
    if other == {"epochs"} and type(before) is int and before < own["epochs"]:
        return None
    name = min(other)
    was, now = (_said(choices.get(name)) for choices in (result["config"], own))
    raise begun_otherwise(folder, f" ({_option(type(config), name)} {was}, not {now})")


def lines_of(path: Path) -> list[dict[str, float]]:
    """Return the lines of a table of numbers such as metrics.csv; raise UsageError, with line and column, for another file."""
    written = text(contents(path, "table"), path)
    where = shown(str(path), 200, quoted=False)
    with reading(path, "a table of numbers"):
        rows = [row for row in csv.reader(io.StringIO(written, newline=""), strict=True) if row]
    if len(rows) < 2:
        raise UsageError(
            f"{where} should be a table of numbers, but it has no line below its names; put the run's own file back."
        )
    found = []
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(rows[0]):
            raise UsageError(
                f"{where}, line {number} should have {len(rows[0])} values, one a column, but it has {len(row)}."
            )
        found.append(
            {
                name: _number(value, f"{where}, line {number}, column {name}")
                for name, value in zip(rows[0], row, strict=True)
            }
        )
    return found


def epochs_of(folder: Path, *needed: str) -> list[dict[str, float]]:
    """Return the lines of metrics.csv, one an epoch.

    Raise UsageError where the epochs are not those of a run in their order, or a column of `needed` lacks a finite number.
    """
    lines = lines_of(folder / METRICS)
    where = shown(str(folder / METRICS), 200, quoted=False)
    for name in ("epoch", *needed):
        if name not in lines[0]:
            raise UsageError(f"{where} lacks the column '{name}', which the run wrote; put the run's own file back.")
        if not all(math.isfinite(line[name]) for line in lines):
            raise UsageError(f"{where} should have a finite number in each line of the column '{name}'.")
    epochs = [line["epoch"] for line in lines]
    if epochs != [epochs[0] + n for n in range(len(epochs))] or epochs[0] not in (0.0, 1.0):
        raise UsageError(f"{where} should have the epochs in their order in its column 'epoch', one a line.")
    return lines


def _number(value: str, where: str) -> float:
    """Return a value as a number, which may be "nan" where a run had nothing to measure; raise UsageError for another text."""
    try:
        number = float(value)
    except ValueError:
        number = math.inf
    if math.isinf(number):
        raise UsageError(f"{where} should be a number, got {shown(value)}.")
    return number


def _option(kind: type[Choices], name: str) -> str:
    """Return the name on the command line of a field of choices."""
    repeated: str = kind.__dataclass_fields__[name].metadata.get("repeated", "")
    return repeated or flag(name)


def _said(value: object) -> str:
    """Return a value as the command line takes it: lists with commas, and the word none for nothing."""
    if isinstance(value, tuple | list):
        value = ",".join(map(str, value))
    return "none" if value is None or value == "" else shown(value, quoted=False)


def begun_otherwise(folder: Path, which: str = "") -> UsageError:
    """Return the error of a run that is resumed, or loaded, with options that are not its own; `which` names one of them."""
    return UsageError(
        f"{folder} was begun with other options{which}; use those of its {CONFIG}, as the run wrote that file."
    )
