"""Conductances from a file for the cells of a run's chip: another tool's, or those of an earlier ``cells.h5``.

An entry for each layer of the chip, in siemens, (2, inputs, neurons) with G+ and G-, or (inputs, 2 neurons) with G+ and G- of a
weight side by side; the bias row is the last input. Where weights have several pairs of cells (`pairs`), those of a neuron stand
side by side, and it counts as so many neurons here.

* ``.npz``: arrays ``layer0``, ``layer1``, ... or ``layer0.conductance``, ...;
* ``.h5``: data sets ``layer0/conductance``, ... as in ``cells.h5``, or ``layer0``, ...

Other entries are not read.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analog_ff.plain import Document
from hardware_models import files, hdf5
from hardware_models.check import UsageError, counted, shown
from hardware_models.port import ChipBench

WHAT = "file of conductances"
HDF5 = (".h5", ".hdf5")
ENTRY = "conductance"
MOST = 0.5
"""Share of clipped cells of a layer above which the file is hardly one for this chip."""


def put(port: ChipBench, path: str) -> Document:
    """Set every cell of a chip to the conductances of a file.

    Return {"clipped_share", "faulty_share"}, of each layer: cells that took their own bound instead, cells with a fault. Raise
    UsageError, with file, layer and cell, if the file does not fit the chip or its device, and for a sealed chip.
    """
    if port.sealed:
        raise UsageError("--conductances does not go with a sealed chip, whose cells cannot be set one by one.")
    where = shown(path, 200, quoted=False)
    found = _arrays(path, len(port.shapes))
    clipped, faulty = [], []
    for layer in range(len(port.shapes)):
        taken = port.take(layer, found[layer], f"{where}, layer {layer}")
        clipped.append(taken.clipped / found[layer].size)
        faulty.append(taken.faulty / found[layer].size)
    return {"clipped_share": clipped, "faulty_share": faulty}


def note(found: Document, path: str) -> str:
    """Return a sentence on cells that have not taken the conductances of a file."""
    shares = "; ".join(
        f"layer {layer}: {100.0 * clipped:.3g} % of the cells took their own bound, {100.0 * faulty:.3g} % are faulty"
        for layer, (clipped, faulty) in enumerate(zip(found["clipped_share"], found["faulty_share"], strict=True))
    )
    doubt = ""
    if max(found["clipped_share"]) > MOST:
        doubt = "; so many cells at a bound suggest that the file is not in siemens, or of a device with another range"
    return f"conductances of {path}: {shares}{doubt}"


def _arrays(path: str, layers: int) -> list[np.ndarray]:
    if path.lower().endswith(HDF5):
        tree: Mapping[str, object] = hdf5.tree(path, WHAT)
        entries = {name: item.get(ENTRY) if isinstance(item, dict) else item for name, item in tree.items()}
    elif path.lower().endswith(".npz"):
        names = [f"layer{n}{tail}" for n in range(layers) for tail in ("", f".{ENTRY}")]
        held = files.arrays(path, WHAT, names)
        if twice := next((name for name in held if f"{name}.{ENTRY}" in held), None):
            raise UsageError(
                f"{WHAT} {shown(path, 200, quoted=False)} has both {twice} and {twice}.{ENTRY}; leave one of them out."
            )
        entries = {name.removesuffix(f".{ENTRY}"): array for name, array in held.items()}
    else:
        raise UsageError(f"conductances come from a .npz or .h5 file, got {shown(path, 200)}.")
    found = [entries.get(f"layer{n}") for n in range(layers)]
    arrays = [array for array in found if isinstance(array, np.ndarray)]
    if len(arrays) < layers:
        missing = next(n for n, array in enumerate(found) if not isinstance(array, np.ndarray))
        tail = f"layer{missing}/{ENTRY}" if path.lower().endswith(HDF5) else f"layer{missing}"
        raise UsageError(
            f"{WHAT} {shown(path, 200, quoted=False)} has no {tail}; this chip has {counted(layers, 'layer')}, "
            "each with its array [S]."
        )
    return arrays
