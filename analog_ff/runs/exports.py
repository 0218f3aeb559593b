"""The cells of a finished run for other programs: netlists of SPICE, tables of CSV, arrays of NumPy.

Each form comes with ``description.json`` (`analog_ff.runs.described`).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from analog_ff.output import folders, whole_files
from analog_ff.output.forms import document
from analog_ff.runs import described
from analog_ff.runs.loaded import LoadedRun
from hardware_models.check import UsageError
from hardware_models.tables import entry
from hardware_models.tiles import Tiling
from hardware_models.wires import Wires
from hardware_models.wires.spice import subcircuit, testbench

DESCRIPTION = "description.json"
CELLS = "cells.npz"


def export(loaded: LoadedRun, folder: Path, form: str) -> list[str]:
    """Write the cells of a loaded run to a new folder, and return the names of the files.

    Raises
    ------
    UsageError : if there is no such form, the folder exists, or the chip is sealed. RunError : if a file cannot be written.
    """
    written = entry("form of --format", form, FORMS)
    if loaded.chip.sealed:
        raise UsageError(f"the chip of the run in {loaded.folder} is sealed: its cells cannot be looked at.")
    files = {DESCRIPTION: document(described.as_document(loaded.run)).encode(), **dict(written(loaded))}
    with folders.made(folder, {}):
        for name, data in files.items():
            whole_files.write(folder / name, data)
    return list(files)


def _spice(loaded: LoadedRun) -> Iterator[tuple[str, bytes]]:
    """Yield for each tile its netlist, a netlist that reads it once, and the currents of that read."""
    for layer, (rows, columns) in enumerate(loaded.chip.shapes):
        g = _lines(loaded, layer)
        figures = {name: one.value for name, one in described.of_layer(loaded.run, layer).items()}
        r_word, r_bit, r_access = (float(figures[name]) for name in ("r_word", "r_bit", "r_access"))
        tiling = Tiling.of_weights(rows, columns, loaded.config.tile, loaded.config.pairs)
        for m, (top, bottom) in enumerate(tiling.row_cuts):
            for n, (left, right) in enumerate(tiling.column_cuts):
                name = f"layer{layer}_tile_{m}_{n}"
                tile = Wires(g[top:bottom, left:right], r_word, r_bit, access_resistance=r_access)
                about = (
                    f"{loaded.config.device}, layer {layer}: rows {top} to {bottom - 1}, bit lines {left} to {right - 1}\n"
                    f"bit lines alternate, G+ then G-; {_law(loaded)} / {figures['g_unit']!r} S"
                )
                text = subcircuit(name, tile.conductance, tile.circuit, access_resistance=r_access, about=about)
                yield f"{name}.cir", text.encode()
                v = np.full(bottom - top, float(figures["read_voltage"]))
                title = f"{name}: every word line at {v[0]:g} V"
                yield f"{name}_read.cir", testbench(name, f"{name}.cir", v, right - left, title=title).encode()
                currents = tile.solve(v[np.newaxis])[0]
                head = ("bit_line", "current_ampere")
                yield f"{name}_read.csv", _table(head, zip(range(right - left), currents.tolist(), strict=True))


def _csv(loaded: LoadedRun) -> Iterator[tuple[str, bytes]]:
    """Yield the conductances and the weights of each layer, a line a word line, and the weights of the read-out."""
    for layer, (_, columns) in enumerate(loaded.chip.shapes):
        several = loaded.config.pairs > 1
        pairs = [f"{j}_{p}" if several else f"{j}" for j in range(columns) for p in range(loaded.config.pairs)]
        names = [f"{side}{pair}_siemens" for pair in pairs for side in ("plus", "minus")]
        yield f"layer{layer}_conductance.csv", _table(names, _lines(loaded, layer).tolist())
        weights = _weights(loaded, layer)
        yield f"layer{layer}_weights.csv", _table([f"neuron{j}" for j in range(columns)], weights.tolist())
    yield "readout_weights.csv", _table([str(c) for c in loaded.classes], loaded.learner.softmax.weights.tolist())


def _npz(loaded: LoadedRun) -> Iterator[tuple[str, bytes]]:
    """Yield one file of arrays, which ``--conductances`` takes."""
    arrays: dict[str, np.ndarray] = {}
    for layer in range(len(loaded.chip.shapes)):
        arrays[f"layer{layer}.conductance"] = loaded.chip.oracle.conductances(layer)
        arrays[f"layer{layer}.weights"] = _weights(loaded, layer)
        arrays[f"layer{layer}.g_unit"] = np.array(described.of_layer(loaded.run, layer)["g_unit"].value)
    arrays["readout.weights"] = loaded.learner.softmax.weights
    arrays["classes"] = np.array(loaded.classes)
    arrays["description"] = np.array(json.dumps(described.as_document(loaded.run)))
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    yield CELLS, file.getvalue()


FORMS: Mapping[str, Callable[[LoadedRun], Iterator[tuple[str, bytes]]]] = {"spice": _spice, "csv": _csv, "npz": _npz}
"""Forms of ``--format`` -> a function that yields names and contents of files."""


def _lines(loaded: LoadedRun, layer: int) -> np.ndarray:
    """Return the conductances of the cells (inputs, bit lines) float64 [S], G+ and G- side by side."""
    plus, minus = loaded.chip.oracle.conductances(layer).astype(np.float64)
    return np.stack((plus, minus), axis=2).reshape(len(plus), -1)


def _weights(loaded: LoadedRun, layer: int) -> np.ndarray:
    """Return the weights that the cells of a layer hold, without wires and transistors, (inputs, neurons) float64."""
    plus, minus = loaded.chip.oracle.conductances(layer).astype(np.float64)
    of_weight = (plus - minus).reshape(len(plus), -1, loaded.config.pairs).sum(axis=2)
    found: np.ndarray = of_weight / float(described.of_layer(loaded.run, layer)["g_unit"].value)
    return found


def _law(loaded: LoadedRun) -> str:
    """Return the law from a weight's cells to its weight, before the division by g_unit, as text."""
    pairs = loaded.config.pairs
    return "W = (G+ - G-)" if pairs == 1 else f"W = (sum of G+ - G- over the {pairs} neighbouring pairs of a weight)"


def _table(head: list[str] | tuple[str, ...], lines: object) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(lines)  # type: ignore[arg-type]
    return text.getvalue().encode()
