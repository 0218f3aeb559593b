"""A finished run as its folder holds it: result.json and cells.h5, every part checked before it is used.

Only true counts may be priced. Types, names, signs and sizes are checked, and so is the agreement of a run's own
numbers: the layers add up to the phases, the read-outs to phase infer. Entries that an account does not use are not looked
at, so that runs of other versions can be priced.
"""

from __future__ import annotations

import math
import os.path
import re
from collections.abc import Callable, Collection
from dataclasses import fields
from pathlib import Path

import numpy as np

from analog_ff.config.choices import of_type
from analog_ff.config.config import Config
from analog_ff.plain import Document, Facts
from analog_ff.runs import line_groups
from analog_ff.runs.stored import CONFIG
from hardware_models import figures, files, hdf5
from hardware_models.check import UsageError, in_range, positive_int, shown
from hardware_models.energy.circuit import QUOTED
from hardware_models.events import COUNTS, FAMILIES, INTEGRALS, PHASES, is_count
from hardware_models.tables import closest

NEEDED = ("events", "integrals", "device", "images", "config")
CONFIGURED = ("device", "data", "layers", "epochs", "seed", "technology")
"""Choices that every account names."""
ON_A_CHIP = ("learner", "update", "tile", "partial_sums", "adc", "dac")
"""Further choices that the account of a run of `simulate` names; a spiking run has an encoder instead."""
DEVICE = (("g_min", 0.0, 1.0, "S"), ("g_max", 0.0, 1.0, "S"), ("v_read", 0.0, 20.0, "V"), ("t_read", 0.0, 1.0, "s"),
          ("v_up", 0.0, 50.0, "V"), ("v_down", 0.0, 50.0, "V"))  # fmt: skip
"""Figures of the device: name, least, most, unit."""
CAME_LATER = ("write.further", "further.write")
"""Counts that came with further arrays: a result of an earlier version has them in no phase, and none of them happened."""
MOST_EVENTS = 2**63 - 1
MOST_INTEGRAL = 1e30
MOST_SIZE = 1e15
MOST_GATE = 1e-9
ROUNDING = 1e-6
"""By how much sums of integrals may differ, relative to the sum."""
Parts = Facts


def read_run(place: str) -> Document:
    """Return the result of a run: `place` is its folder, or a result file; shapes are taken from cells.h5 if need be.

    Raise UsageError in one sentence where there is no result that can be priced.
    """
    where = shown(place, 200, quoted=False)
    path = os.path.expanduser(place)
    folder = os.path.isdir(path)
    file = os.path.join(path, "result.json") if folder else path
    if folder and not os.path.isfile(file):
        begun = os.path.isfile(os.path.join(path, CONFIG))
        right = "finish the run with --resume" if begun else "expected the folder of a finished run, or its result.json"
        raise UsageError(f"run {where} holds no result.json; {right}.")
    what = f"{where}/result.json" if folder else where
    result = files.json_object(files.contents(file, "run"), what, "the result of a run")
    with files.reading(what, "the result of a run"):
        check(result, what)
    cells = Path(path) / "cells.h5"
    if "shapes" not in result:
        result["shapes"] = _shapes(cells) if folder and cells.is_file() else None
    return result


def _shapes(file: Path) -> list[list[int]]:
    """Return (inputs, neurons) of each layer of an older run, from the cells that the bench saw."""
    cells = hdf5.tree(file, "file of cells")
    found = []
    for layer in range(sum(name.startswith("layer") for name in cells)):
        group = cells.get(f"layer{layer}")
        seen = group.get("conductance") if isinstance(group, dict) else None
        if not isinstance(seen, np.ndarray) or seen.ndim != 2 or seen.shape[1] % 2:
            place = f"{shown(str(file), 200, quoted=False)}: 'layer{layer}/conductance'"
            raise UsageError(f"{place} should be an array (inputs, bit lines) with two bit lines a neuron.")
        found.append([int(seen.shape[0]), int(seen.shape[1]) // 2])
    _check_shapes(found, str(file))
    return found


def check(result: Document, where: str) -> None:
    """Raise UsageError unless a result holds, in its right form, all that an account of its energy takes from it."""
    if "presentations" in result and "events" not in result:
        raise UsageError(
            f"{where} is a spiking run whose synapses are numbers, which counts no events: run it with --device to price it."
        )
    for name in NEEDED:
        if name not in result:
            raise UsageError(f"{where} is not the result of a run: it has no '{name}'{closest(name, result)}.")
    if "schema" in result:
        figures.schema(result, where)
    _check_config(_table(result["config"], f"{where}: 'config'"), where)
    _check_device(_table(result["device"], f"{where}: 'device'"), where)
    images = figures.parts(result["images"], f"{where}: 'images'", ("learn", "infer"))
    for name, number in images.items():
        positive_int(f"{where}: 'images'", name, number, 0, MOST_EVENTS)
    whole = {"events": _by_phase(result, "events", where, _check_counts)}
    whole["integrals"] = _by_phase(result, "integrals", where, _check_amounts)
    for name, one in (("events", _check_counts), ("integrals", _check_amounts)):
        _check_layers(result, name, whole[name], where, one)
    _check_readouts(result, where)
    if result.get("shapes") is not None:
        _check_shapes(result["shapes"], where)
        config = result["config"]
        neurons = [shape[1] for shape in result["shapes"]][: len(config["layers"])]
        if config.get("network", "stack") == "stack" and neurons != list(config["layers"]):
            raise UsageError(
                f"{where}: 'shapes' should have the neurons {shown(config['layers'])} of the configured layers, got {neurons}."
            )
    _check_circuit(result.get("energy"), where)
    _check_deployed(result.get("deployed"), where)
    _check_cells(result.get("cells"), where)
    if (groups := result.get("line_groups")) is not None:
        line_groups.check(groups, where, len(result.get("shapes") or ()))


def _table(value: object, place: str, known: Collection[str] | None = None) -> Document:
    if not isinstance(value, dict):
        raise UsageError(f"{place} should be an object {{...}}, got {shown(value)}.")
    for name in value if known is not None else ():
        if name not in (known or ()):
            raise UsageError(f"{place} has an unknown entry {shown(name)}{closest(name, known or ())}.")
    return value


def _check_config(config: Parts, where: str) -> None:
    spiking = "encoder" in config
    # Other options of a spiking run may have the name of one of `simulate`, such as --pool, and another meaning.
    types = {f.name: str(f.type) for f in fields(Config) if not spiking or f.name in CONFIGURED}
    for name in (*CONFIGURED, *(() if spiking else ON_A_CHIP)):
        if name not in config:
            raise UsageError(f"{where}: 'config' lacks its {name}{closest(name, set(config) - set(types))}.")
    for name, value in config.items():
        if name in types:
            of_type(types[name], value, f"{where}: 'config'", name)
    for size, least in zip(config.get("tile", ()), (1, 2), strict=False):
        positive_int(f"{where}: 'config'", "tile", size, least, 1_000_000)
    positive_int(f"{where}: 'config'", "columns_per_adc", config.get("columns_per_adc", 1), 1, MOST_EVENTS)


def _check_device(device: Parts, where: str) -> None:
    place = f"{where}: 'device'"
    for name, low, high, unit in DEVICE:
        if name not in device:
            raise UsageError(f"{place} lacks its {name}{closest(name, device)}.")
        in_range(place, name, device[name], low, high, unit)
    in_range(place, "c_gate", device.get("c_gate", 0.0), 0.0, MOST_GATE, "F")
    if device["g_min"] > device["g_max"]:
        raise UsageError(f"{place} has g_min above g_max.")
    if not isinstance(device.get("access", ""), str):
        raise UsageError(f"{place} needs a text as its access, got {shown(device['access'])}.")
    if device.get("wear") is not None:
        wear = _table(device["wear"], f"{place}.wear")
        if wear.get("endurance") is not None:
            in_range(f"{place}.wear", "endurance", wear["endurance"], 1.0, 1e15, "pulses")


def _check_circuit(energy: object, where: str) -> None:
    """Check the sizes of the shared parts that a result keeps; earlier versions kept none."""
    kept = _table(energy, f"{where}: 'energy'").get("circuit") if energy is not None else None
    if kept is None:
        return
    place, quoted = f"{where}: 'energy.circuit'", QUOTED._asdict()
    for name, size in _table(kept, place, quoted).items():
        of_type(type(quoted[name]).__name__, size, place, name)
        # Numbers of cells, columns, lanes and words are divided by.
        in_range(place, name, float(size), 1.0 if type(quoted[name]) is int else 0.0, MOST_SIZE)


def _check_counts(counts: object, place: str) -> None:
    for name, count in _table(counts, place).items():
        if not is_count(name):
            raise UsageError(f"{place} has a count {shown(name)}, which is the name of no event.")
        family, _, suffix = name.partition(".")
        if family in FAMILIES[:2] and not re.fullmatch(r"[0-9]{1,2}", suffix):
            raise UsageError(f"{place} has a count {shown(name)}, which should end in a number of bits.")
        positive_int(place, shown(name), count, 0, MOST_EVENTS)


def _check_amounts(integrals: object, place: str) -> None:
    for name, amount in _table(integrals, place, INTEGRALS).items():
        parts = figures.parts(amount, f"{place[:-1]}.{name}'", ("value", "unit"))
        if parts["unit"] != INTEGRALS[name]:
            raise UsageError(f"{place}: '{name}' should be in {INTEGRALS[name]}, got {shown(parts['unit'])}.")
        in_range(place, f"'{name}'", parts["value"], 0.0, MOST_INTEGRAL, INTEGRALS[name])


def _check_deployed(deployed: object, where: str) -> None:
    """Check device, events and integrals of a chip that was written once; earlier versions booked none of its writing."""
    written = _table(deployed, f"{where}: 'deployed'") if deployed is not None else {}
    if "events" not in written:
        return
    place = f"{where}: 'deployed'"
    _check_device(_table(written.get("device"), f"{place}: 'device'"), place)
    for name, check_one in (("events", _check_counts), ("integrals", _check_amounts)):
        _by_phase(written, name, place, check_one, ("program",))


def _by_phase(
    result: Parts, name: str, where: str, check_one: Callable[[object, str], None], known: Collection[str] = PHASES
) -> Parts:
    """Return the totals by phase; check that all phases are there, and in each of them all names, counted or not."""
    phases = figures.parts(result.get(name), f"{where}: '{name}'", known)
    earlier = not any(later in parts for parts in phases.values() if isinstance(parts, dict) for later in CAME_LATER)
    for phase, parts in phases.items():
        place = f"{where}: '{name}.{phase}'"
        check_one(parts, place)
        for needed in COUNTS if name == "events" else INTEGRALS:
            if needed not in parts and not (earlier and needed in CAME_LATER):
                raise UsageError(f"{place} lacks '{needed}'{closest(needed, parts)}.")
    return phases


def _check_layers(result: Parts, name: str, whole: Parts, where: str, check_one: Callable[[object, str], None]) -> None:
    """Check the counts by layer, and that they add up to the totals."""
    by_layer = f"{name}_by_layer"
    if by_layer not in result:
        return
    phases = _table(result[by_layer], f"{where}: '{by_layer}'", PHASES)
    if set(phases) != set(whole):
        raise UsageError(f"{where}: '{by_layer}' should have the phases of '{name}'.")
    for phase, layers in phases.items():
        place = f"{where}: '{by_layer}.{phase}'"
        for layer, parts in _table(layers, place).items():
            check_one(parts, f"{place[:-1]}.{shown(layer, quoted=False)}'")
        _check_sums([_plain(parts) for parts in layers.values()], _plain(whole[phase]), place, f"'{name}.{phase}'")


def _check_readouts(result: Parts, where: str) -> None:
    """Check the counts of the read-outs, and that they add up to phase infer; an image is read once for each of them."""
    names = ("events_by_readout", "integrals_by_readout")
    found = [_table(result[name], f"{where}: '{name}'") for name in names if name in result]
    if not found:
        return
    if len(found) == 1 or set(found[0]) != set(found[1]):
        raise UsageError(f"{where}: '{names[0]}' and '{names[1]}' should have the same read-outs.")
    counts, integrals = found
    for readout in counts:
        label = shown(readout, quoted=False)
        _check_counts(counts[readout], f"{where}: '{names[0]}.{label}'")
        place = f"{where}: '{names[1]}.{label}'"
        for name, value in _table(integrals[readout], place, INTEGRALS).items():
            in_range(place, f"'{name}'", value, 0.0, MOST_INTEGRAL, INTEGRALS[name])
    if not counts:
        return
    for name, by, kind in ((names[0], counts, "events"), (names[1], integrals, "integrals")):
        whole = _plain(result[kind].get("infer", {}))
        _check_sums(list(by.values()), whole, f"{where}: '{name}'", f"'{kind}.infer'")
    if result["images"]["infer"] % len(counts):
        raise UsageError(f"{where}: 'images' needs as many images of infer for each of its {len(counts)} read-outs.")


def _plain(parts: Parts) -> dict[str, float]:
    return {name: amount["value"] if isinstance(amount, dict) else amount for name, amount in parts.items()}


def _check_sums(pieces: list[dict[str, float]], whole: Parts, place: str, of: str) -> None:
    for name in dict.fromkeys((*whole, *(name for piece in pieces for name in piece))):
        values = [piece.get(name, 0) for piece in pieces]
        total = whole.get(name, 0)
        exact = all(isinstance(value, int) for value in (*values, total))
        same = sum(values) == total if exact else math.isclose(math.fsum(values), total, rel_tol=ROUNDING)
        if not same:
            raise UsageError(f"{place} should add up to {of}, but {shown(name)} does not.")


def _check_shapes(shapes: object, where: str) -> None:
    if not isinstance(shapes, list) or not 0 < len(shapes) <= 1000:
        raise UsageError(f"{where}: 'shapes' should be a list of [inputs, neurons], one a layer, got {shown(shapes)}.")
    for shape in shapes:
        if not isinstance(shape, list) or len(shape) != 2:
            raise UsageError(f"{where}: 'shapes' should hold [inputs, neurons] of each layer, got {shown(shape)}.")
        for number in shape:
            positive_int(f"{where}: 'shapes'", "inputs and neurons", number, 1, 10**9)


def _check_cells(cells: object, where: str) -> None:
    """Check the pulses of the cell that received most; a sealed chip gives no such number."""
    looked = _table(cells, f"{where}: 'cells'").get("layers") if cells is not None else None
    if looked is None:
        return
    place = f"{where}: 'cells.layers'"
    if not isinstance(looked, list):
        raise UsageError(f"{place} should be a list, got {shown(looked)}.")
    for layer in looked:
        if "pulses_max" in _table(layer, place):
            positive_int(place, "pulses_max", layer["pulses_max"], 0, MOST_EVENTS)
