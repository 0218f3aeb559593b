"""The state of every cell after a run, as the bench sees it: ``cells.h5``, which describes itself, and a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analog_ff.output import whole_files
from analog_ff.output.forms import hdf5, panels, picture
from analog_ff.runs import described
from analog_ff.runs.train import Run

if TYPE_CHECKING:
    from hardware_models.crossbar.inspection import Inspection

NAME = "cells.h5"
PICTURED = 8
"""Layers of the chip in the picture at most; the file has all."""
UNITS = {"conductance": "S", "pulses": "1", "at_low": "1", "at_high": "1", "sample": "1", "asymmetry": "1",
         "symmetry_point": "S"}  # fmt: skip


class Pictured(NamedTuple):
    """The histograms of a layer in the picture, of conductance and of pulses received."""

    edges: np.ndarray  # borders of the bins of conductance [uS]
    plus: np.ndarray  # G+ in each
    minus: np.ndarray  # G- in each
    pulses: np.ndarray  # cells that received 0, 1, 2, ... pulses; empty where they were not counted cell by cell
    bounds: tuple[float, float]  # nominal bounds [uS]
    share: float  # of the cells at a bound [1]


def write(folder: Path, run: Run, *, keep: bool = True, picture: bool = True) -> dict[int, Pictured]:
    """Write cells.h5 if `keep`, and cells.png if `picture`, as a whole, layer by layer; return what the picture shows, by layer.

    Nothing is seen of a sealed chip, and without `keep` and `picture` nothing is looked at.
    """
    port = run.port
    if port.sealed or not (keep or picture):
        return {}
    layers = len(port.shapes)
    shown = pictured(layers)
    seen: dict[int, Pictured] = {}

    def fill(file: Any) -> None:
        if file is not None:
            _describe_run(file, run)
        for layer in range(layers):
            look = port.cells(layer)
            if file is not None:
                group = file.create_group(f"layer{layer}")
                _put(group, look)
                _describe(group, described.of_layer(run, layer))
            if layer in shown:
                seen[layer] = _counted(look)

    if keep:
        whole_files.build(folder / NAME, lambda file: hdf5(file, fill))
    else:
        fill(None)
    if picture:
        whole_files.write(folder / "cells.png", _picture(seen))
    return seen


def pictured(layers: int) -> list[int]:
    """Return the numbers of the layers that a picture shows: all of so many, or `PICTURED` of them at equal distances."""
    chosen: list[int] = np.unique(np.linspace(0, layers - 1, min(PICTURED, layers)).round().astype(int)).tolist()
    return chosen


def _put(group: Any, look: Inspection) -> None:
    """Write one layer to its group of cells.h5."""
    group.attrs["note"] = "bit lines alternate: G+ and G- of a weight are neighbours; sample: flat positions"
    for name, unit in UNITS.items():
        values = getattr(look, name)
        packed = {"compression": 1, "shuffle": True} if values.size > 1000 else {}
        group.create_dataset(name, data=values, **packed).attrs["unit"] = unit


def _describe_run(file: Any, run: Run) -> None:
    """Write the description of the whole chip, its device and its digital read-out."""
    file.attrs["schema"] = described.SCHEMA
    file.attrs.update(described.of_run(run))
    file["configuration"] = replace(run.config, out="", data_dir=None).to_toml({})  # places do not belong to the cells
    device = file.create_group("device")
    for name, figure in described.device_figures(run).items():
        device.create_dataset(name, data=_stored(figure["value"])).attrs["unit"] = figure["unit"]
    readout = file.create_group("readout")
    weights = readout.create_dataset("weights", data=run.learner.softmax.weights)
    weights.attrs.update({"unit": "1", "rows": "features", "columns": "classes"})
    _describe(readout, described.of_readout(run))


def _describe(group: Any, found: Mapping[str, described.Quantity]) -> None:
    """Write figures as attributes, each with its unit beside it."""
    for name, (value, unit) in found.items():
        group.attrs[name] = value
        if unit:
            group.attrs[f"{name}{described.UNIT}"] = unit


def _stored(value: object) -> int | float | str:
    """Return a figure as HDF5 stores it: numbers and texts, others as JSON."""
    return value if isinstance(value, int | float | str) else json.dumps(value)


def _counted(look: Inspection) -> Pictured:
    return binned(look.conductance, look.pulses, look.range, float((look.at_low | look.at_high).mean()))


def binned(conductance: np.ndarray, pulses: np.ndarray | None, bounds: tuple[float, float], share: float) -> Pictured:
    """Return the histograms of cells (rows, bit lines): of conductance [S] within its nominal bounds [S], and of pulses received.

    Bit lines of G+ and G- alternate; `share` of the cells are at a bound [1]. None stands for pulses that were not counted.
    """
    plus, minus = conductance[:, 0::2].ravel() * 1e6, conductance[:, 1::2].ravel() * 1e6
    low, high = float(min(plus.min(), minus.min())), float(max(plus.max(), minus.max()))
    edges = np.linspace(low, max(high, low * (1 + 1e-4), 1e-12), 81)  # cells of one conductance need bins, too
    return Pictured(
        edges, np.histogram(plus, edges)[0], np.histogram(minus, edges)[0],
        np.zeros(0, np.int64) if pulses is None else np.bincount(pulses.ravel()),
        (bounds[0] * 1e6, bounds[1] * 1e6), share,
    )  # fmt: skip


def _picture(seen: Mapping[int, Pictured]) -> bytes:
    """Return the histograms of conductance and of pulses received, a row a layer."""
    figure, axes = panels(len(seen), 2, size=(8.5, 2.6 * len(seen)), squeeze=False, share_x="col")
    # One scale for all layers, so that they can be compared: up to what 999 of 1000 cells do not exceed.
    most = max(int(np.searchsorted(one.pulses.cumsum(), 0.999 * one.pulses.sum())) for one in seen.values())
    width = -(-most // 60) or 1  # whole pulses a bin
    for (layer, one), (left, right) in zip(seen.items(), axes, strict=True):
        for counts, name in ((one.plus, "G+"), (one.minus, "G-")):
            left.hist(one.edges[:-1], bins=one.edges, weights=counts, density=True, histtype="step", label=name)
        for bound in one.bounds:
            left.axvline(bound, color="0.6", linestyle=":", linewidth=1)
        left.set(
            ylabel=f"layer {layer}: density [1/uS]",
            title=f"{100.0 * one.share:.1f} % at a bound (dotted: nominal bounds)",
        )
        left.legend()
        received = np.arange(len(one.pulses))
        right.hist(received, bins=np.arange(-0.5, max(most, 1.0) + width, width), weights=one.pulses, color="C2")
        right.set(ylabel="cells", title=f"mean {one.pulses @ received / one.pulses.sum():.1f} pulses a cell")
    axes[-1, 0].set_xlabel("conductance [uS]")
    axes[-1, 1].set_xlabel("pulses received, programming included")
    return picture(figure, dpi=120)
