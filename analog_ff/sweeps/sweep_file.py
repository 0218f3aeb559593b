"""Read the file of a sweep, FILE.toml, and refuse one that asks for something else than a sweep."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path

from analog_ff.plain import Document, Facts
from analog_ff.sweeps.designs import Axis, Value
from analog_ff.sweeps.points import COMMANDS, FIGURES, choice
from analog_ff.sweeps.sweep import SAME, Samples, Search, Sweep
from hardware_models import files
from hardware_models.check import UsageError, shown
from hardware_models.tables import closest

KEPT = "sweep.toml"
"""Name under which the folder of a sweep keeps its file."""
MOST = 100_000
"""Most values of an axis, and most points of a sweep."""
OF_THE_SWEEP = {
    "out": "the folder of each run", "resume": "that runs go on", "json": "the form of the answer",
    "keep": "by --keep what stays", "threads": "by --threads the threads of a worker", "seed": "the seeds, of the entry 'seeds'",
}  # fmt: skip
"""Options that no file gives, because the sweep sets them -> what it sets."""


def read(path: str | Path) -> Sweep:
    """Return the sweep that a file describes; raise UsageError, with the place in the file, if it describes none."""
    where = shown(str(path), 200, quoted=False)
    written = files.text(files.contents(path, "sweep file"), where)
    table = files.toml(written, where, "the file of a sweep")
    for name in table:
        if name not in ENTRIES:
            near = closest(name, ENTRIES)
            raise UsageError(
                f"{where} has the unknown entry {shown(name)}{near} (options of the runs go below [options])."
            )
    for name, (holds, right) in ENTRIES.items():
        if name in table and not holds(table[name]):
            raise UsageError(f"{where}: '{name}' should be {right}, got {shown(table[name])}.")
    command = table.get("command", "simulate")
    options = {
        name: _option(f"{where}, [options] {shown(name)}", command, name, value)
        for name, value in _flat(table.get("options", {})).items()
    }
    grid = {
        name: _values(f"{where}, [grid] {shown(name)}", command, name, values)
        for name, values in _flat(table.get("grid", {})).items()
    }
    samples = tuple(
        _samples(f"{where}, [{kind}]", command, kind, table[kind]) for kind in ("random", "sobol") if kind in table
    )
    search = _search(f"{where}, [search]", command, table["search"]) if "search" in table else None
    sweep = Sweep(
        where, str(table.get("title", Path(path).stem)), command, tuple(table.get("seeds", [0])), table.get("chip-seed", SAME),
        options, grid, samples, search, written,
    )  # fmt: skip
    _check_once(where, sweep)
    return sweep


def _whole(low: int, high: int = MOST) -> Callable[[object], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _seeds(value: object) -> bool:
    if not isinstance(value, list) or not 0 < len(value) <= MOST:
        return False
    return all(map(_whole(0, 2**63 - 1), value)) and len(set(value)) == len(value)


def _table(value: object) -> bool:
    return isinstance(value, dict)


Rules = Mapping[str, tuple[Callable[[object], bool], str]]
"""Name of an entry -> (function that tells whether a value is right, description of right values)."""
ENTRIES: Rules = {
    "title": (lambda v: isinstance(v, str) and 0 < len(v) <= 200 and v.isprintable(), "a line of text"),
    "command": (lambda v: v in COMMANDS, " or ".join(COMMANDS)),
    "seeds": (_seeds, "a list of different whole numbers of at least 0"),
    "chip-seed": (lambda v: v == SAME or _whole(0, 2**63 - 1)(v), f'"{SAME}" or a whole number of at least 0'),
    **dict.fromkeys(("options", "grid", "random", "sobol", "search"), (_table, "a table")),
}
_SEED = (_whole(0, 2**63 - 1), "a whole number of at least 0")
SAMPLED: Rules = {"samples": (_whole(1), f"a whole number from 1 to {MOST}"), "seed": _SEED}
SEARCHED: Rules = {
    "trials": (_whole(1), f"a whole number from 1 to {MOST}"),
    "objective": (lambda v: isinstance(v, str) and bool(v), "the name of a measure, such as error"),
    "direction": (lambda v: v in ("minimize", "maximize"), "minimize or maximize"),
    "sampler": (lambda v: v in ("tpe", "random"), "tpe or random"),
    "batch": (_whole(1, 10_000), "a whole number from 1 to 10000"),
    "seed": _SEED,
}
NEEDED = ("samples", "trials")
"""Entries of such a table that have no default."""


def _entries(where: str, table: Facts, rules: Rules) -> None:
    for name, (holds, right) in rules.items():
        if name in NEEDED and name not in table:
            raise UsageError(f"{where} lacks '{name}', {right}.")
        if name in table and not holds(table[name]):
            raise UsageError(f"{where}: '{name}' should be {right}, got {shown(table[name])}.")


def _samples(where: str, command: str, kind: str, table: Facts) -> Samples:
    _entries(where, table, SAMPLED)
    samples = table["samples"]
    if kind == "sobol" and samples.bit_count() != 1:
        near = 2 ** round(math.log2(samples))
        raise UsageError(f"{where}: 'samples' should be a power of two, such as {near}, got {samples}.")
    return Samples(kind, _axes(where, command, table, SAMPLED), samples, table.get("seed", 0))


def _search(where: str, command: str, table: Facts) -> Search:
    _entries(where, table, SEARCHED)
    given = {name: table[name] for name in SEARCHED if name in table}
    return Search(_axes(where, command, table, SEARCHED), **given)


def _flat(table: Facts) -> Document:
    """Return a table with ``figures.NAME``, which TOML reads as a table within the table, as entries of their own."""
    found: Document = {}
    for name, value in table.items():
        if name == FIGURES and isinstance(value, dict):
            found |= {f"{FIGURES}.{figure}": one for figure, one in value.items()}
        else:
            found[name] = value
    return found


def _option(where: str, command: str, name: str, value: object) -> Value:
    """Return the value of an option in the form in which it is kept; raise UsageError if the option or the value is wrong."""
    dashed = name.replace("_", "-")
    if dashed in OF_THE_SWEEP:
        raise UsageError(f"{where}: the sweep itself sets {OF_THE_SWEEP[dashed]}; leave it out.")
    if isinstance(value, list) and all(isinstance(part, int) for part in value):
        value = ",".join(map(str, value))  # [500, 500] is what the command line writes as 500,500
    if not isinstance(value, bool | int | float | str):
        raise UsageError(f"{where} should be a number, a text, true or false, got {shown(value)}.")
    try:
        choice(command, name, value)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    return value


def _values(where: str, command: str, name: str, values: object) -> tuple[Value, ...]:
    if not isinstance(values, list) or not 0 < len(values) <= MOST:
        raise UsageError(f"{where} should be a list of values, such as [1, 2], got {shown(values)}.")
    found = tuple(_option(f"{where}, value {shown(value)}", command, name, value) for value in values)
    if len({*map(repr, found)}) < len(found):
        raise UsageError(f"{where} names a value twice; leave one of them out.")
    return found


def _axes(where: str, command: str, table: Facts, rules: Rules) -> dict[str, Axis]:
    axes = {
        name: _axis(f"{where} {shown(name)}", command, name, given)
        for name, given in _flat({n: v for n, v in table.items() if n not in rules}).items()
    }
    if not axes:
        raise UsageError(
            f"{where} names no option to choose, such as learning-rate = {{low = 0.001, high = 0.1, log = true}}."
        )
    return axes


def _axis(where: str, command: str, name: str, given: object) -> Axis:
    """Return the axis of {low, high, log, int} or {choices}; both ends must be values that the option takes."""
    form = "{low = 0.001, high = 0.1, log = true}, {low = 2, high = 8, int = true} or {choices = [1, 2]}"
    if not isinstance(given, dict) or not (given.keys() == {"choices"} or {"low", "high"} <= given.keys() <= {*LIMITS}):
        raise UsageError(f"{where} should be a table such as {form}, got {shown(given)}.")
    if "choices" in given:
        return Axis(choices=_values(where, command, name, given["choices"]))
    whole_option = any(
        f.name == name.replace("-", "_") and str(f.type).startswith("int") for f in fields(COMMANDS[command])
    )
    low, high, log, whole = (given.get(key, default) for key, default in {**LIMITS, "int": whole_option}.items())
    numbers = all(isinstance(n, int | float) and not isinstance(n, bool) and math.isfinite(n) for n in (low, high))
    if not numbers or not low < high or not (isinstance(log, bool) and isinstance(whole, bool)):
        raise UsageError(
            f"{where} should have numbers low < high, and true or false for log and int, got {shown(given)}."
        )
    if log and low <= 0:
        raise UsageError(f"{where} is logarithmic, so 'low' should be above 0, got {low:g}.")
    if whole and (low != int(low) or high != int(high)):
        raise UsageError(f"{where} takes whole numbers, so 'low' and 'high' should be whole, got {low:g} and {high:g}.")
    for end in (int(low), int(high)) if whole else (low, high):
        _option(where, command, name, end)
    return Axis(low, high, log, whole)


LIMITS: Facts = {"low": None, "high": None, "log": False, "int": False}


def _check_once(where: str, sweep: Sweep) -> None:
    """Refuse an option in two places, a search beside samples, and more points than anybody runs."""
    seen: dict[str, str] = {}
    tables = {"options": sweep.options, "grid": sweep.grid, **{s.kind: s.axes for s in sweep.samples}}
    tables |= {"search": sweep.search.axes} if sweep.search is not None else {}
    for place, names in tables.items():
        for name in names:
            other = seen.setdefault(name.replace("_", "-"), place)
            if other != place:
                raise UsageError(f"{where} gives {shown(name)} in [{other}] and in [{place}]; leave one of them out.")
    if sweep.search is not None and (sweep.grid or sweep.samples):
        raise UsageError(f"{where} has a [search] beside [grid], [random] or [sobol]; make two files of it.")
    if sweep.size > MOST:
        raise UsageError(f"{where} asks for {sweep.size} points, more than {MOST}; make its tables smaller.")
