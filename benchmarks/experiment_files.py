"""Read one file of benchmarks/experiments, and refuse a file that is not an experiment."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hardware_models import files
from hardware_models.check import UsageError, shown
from hardware_models.tables import closest

PLACE = re.compile(r"\{([^{}]+)\}")
"""Quote of a row's error in an answer: the row's label, then optionally | and a read-out other than the headline's."""
LONGEST = 200
"""Largest number of characters of a label or a name, and of rows, seeds or values of one option."""


TAKEN = {
    "out": "the folder of a run", "resume": "whether a run goes on", "json": "the form of the answer",
    "data-dir": "the folder of data", "seed": "the seed, of the entry 'seeds'",
    "chip-seed": "the seed of the chip, of the entry 'seeds'",
}  # fmt: skip
"""Options that no file can set, because the program that runs the points sets them itself -> what it sets by them."""


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _label(value: Any) -> bool:
    return _text(value) and len(value) <= LONGEST and "|" not in value and "\n" not in value


def _seeds(value: Any) -> bool:
    return _list(value, lambda n: type(n) is int and 0 <= n < 2**63) and len(set(value)) == len(value)


def _list(value: Any, holds: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and 0 < len(value) <= LONGEST and all(holds(v) for v in value)


def _choice(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)


def _options(value: Any) -> bool:
    return isinstance(value, dict) and all(_label(name) and _choice(v) for name, v in value.items())


def _grid(value: Any) -> bool:
    return isinstance(value, dict) and all(_label(name) and _list(values, _choice) for name, values in value.items())


def _pairs(value: Any) -> bool:
    return _list(value, lambda pair: isinstance(pair, list) and len(pair) == 2 and all(_label(p) for p in pair))


def _held(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and all(k in HELD and _seeds([v]) for k, v in value.items())


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


HELD = ("seed", "chip-seed")
ENTRIES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "title": (_label, "a line of text"),
    "answer": (lambda v: _text(v) and "\n" not in v, "a sentence on one line"),
    "note": (_text, "text"),
    "command": (lambda v: v in ("simulate", "spiking"), "simulate or spiking"),
    "seeds": (_seeds, "a list of different whole numbers of at least 0"),
    "options": (_options, "a table of options of the command"),
    "grid": (_grid, "a table of option -> list of values"),
    "tuned_by": (_label, "the name of an experiment with a grid"),
    "paired": (_pairs, "a list of pairs of labels"),
    "to_accuracy": (lambda v: v in ("80", "90", "95"), '"80", "90" or "95"'),
    **dict.fromkeys(
        ("activity", "compared", "fitted", "inspected", "learning_ratio", "reads_counted"), (_flag, "true or false")
    ),
    "rows": (lambda v: _list(v, lambda row: isinstance(row, dict)), "at least one table [[rows]]"),
}
"""Entry of an experiment -> (function that tells whether a value is right, description of right values)."""
ROW: dict[str, tuple[Callable[[Any], bool], str]] = {
    "label": ENTRIES["title"],
    "seeds": ENTRIES["seeds"],
    "grid": ENTRIES["grid"],
    "published": (_choice, "a number or a text"),
    "untuned": ENTRIES["inspected"],
    "held": (_held, "one of seed and chip-seed with its number"),
}
"""Entry of a row that is not an option of the run -> rule as in `ENTRIES`; `published` is a published result of the task, `held`
is the seed that stays while the other takes the values of `seeds`."""


def read(path: Path) -> dict[str, Any]:
    """Return an experiment's table; raise UsageError, with file and entry, if it is not an experiment."""
    table = files.toml(files.contents(path, "experiment file"), path)
    for name in ("title", "rows"):
        if name not in table:
            raise UsageError(f"{path} lacks the entry '{name}', {ENTRIES[name][1]}.")
    for name, value in table.items():
        if name not in ENTRIES:
            near = closest(name, ENTRIES)
            raise UsageError(
                f"{path} has the unknown entry {shown(name)}{near} (options of the runs go below [options])."
            )
        _check(f"{path}: '{name}'", value, ENTRIES[name])
    labels = set()
    for number, row in enumerate(table["rows"], 1):
        place = f"{path}, row {number}"
        if "label" not in row:
            raise UsageError(f"{place} lacks its label.")
        for name, value in row.items():
            if name in ROW:
                _check(f"{place}: '{name}'", value, ROW[name])
            elif not _label(name) or not _choice(value):
                raise UsageError(f"{place}: {shown(name)} needs a text, a number or true/false, got {shown(value)}.")
        if row["label"] in labels:
            raise UsageError(f"{place} has the label {shown(row['label'])} of an earlier row; give it another.")
        labels.add(row["label"])
    _check_not_taken(path, table)
    _check_answer(path, table.get("answer", ""), labels)
    for pair in table.get("paired", []):
        for label in pair:
            if label not in labels:
                raise UsageError(
                    f"{path}: 'paired' names the row {shown(label)}{closest(label, labels)}, which is not there."
                )
    return table


def _check_not_taken(path: Path, table: dict[str, Any]) -> None:
    """Raise UsageError if the file gives an option that would be ignored, because the runs get it from elsewhere."""
    places = {"'options'": table.get("options", {}), "'grid'": table.get("grid", {})}
    for number, row in enumerate(table["rows"], 1):
        places |= {f"row {number}": row, f"row {number}, 'grid'": row.get("grid", {})}
    for place, options in places.items():
        for name in options:
            if (taken := name.replace("_", "-")) in TAKEN:
                raise UsageError(
                    f"{path}: {place} cannot give {shown(name)}: benchmarks/run.py sets {TAKEN[taken]}; leave it out."
                )


def _check_answer(path: Path, answer: str, labels: set[str]) -> None:
    """Raise UsageError if an answer quotes the error of a missing row, by {label} or {label|read-out}."""
    for place in PLACE.findall(answer):
        label = place.partition("|")[0]
        if label not in labels:
            near = closest(label, labels)
            raise UsageError(f"{path}: 'answer' names the row {shown(label)}{near}, which is not there.")


def _check(place: str, value: Any, rule: tuple[Callable[[Any], bool], str]) -> None:
    holds, right = rule
    if not holds(value):
        raise UsageError(f"{place} should be {right}, got {shown(value)}.")
