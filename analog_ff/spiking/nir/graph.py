r"""Write a trained network as an NIR file, and read an NIR file as a network of NumPy arrays.

NIR (Neuromorphic Intermediate Representation) describes a layer by ``Linear``, y = W x, and ``LIF``,

.. math::
    \tau \dot v = (v_{leak} - v) + R I, \qquad \text{spike at}\ v > v_{thr}, \quad v \leftarrow v_{reset}

in continuous time. A simulator with the clock dt holds I through one step for one spike, so that v jumps by
:math:`w R\,dt/\tau`. Here a spike moves v by w, hence :math:`R = \tau/dt`: **the file is valid for one dt**, which is stored in
the metadata of its graph (``dt`` [s]), with ``reset``, ``order`` and a list of omissions (``notices``). Another clock needs a
scaled R.

A network of L layers is the chain Input -> [Scale] -> [Delay] -> Linear -> LIF -> ... -> Output, and the goodness of a layer
is formed outside, from its spikes. NIR says nothing about the order within a step; here, as in Brian2, it is: decay, threshold,
arrival of spikes, reset. A spike that arrives in step k can therefore cause one in step k + 1 at the earliest.

Source: J. E. Pedersen et al., Nature Communications 15, 8122 (2024), doi:10.1038/s41467-024-52259-9; nir 1.0.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from analog_ff.output import whole_files
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.nir.network import NirLayer, NirNetwork, frozen_gains, spikes
from analog_ff.spiking.nir.refusals import check, notices
from analog_ff.spiking.synapses.base import inhibition
from hardware_models import files, hdf5
from hardware_models.check import UsageError, shown
from hardware_models.user_contract import unmasked

if TYPE_CHECKING:
    import nir

    from analog_ff.spiking.simulation import Outcome

__all__ = ["NirLayer", "NirNetwork", "check", "export", "export_run", "frozen_gains", "load", "spikes"]

ORDER = "decay, threshold, arrival, reset"
KNOWN = ("Input", "Scale", "Delay", "Linear", "LIF", "Output")


def export(
    weights: Sequence[np.ndarray], config: SpikingConfig, path: str | Path, *, gains: Sequence[float] | None = None
) -> list[str]:
    """Write a trained network as an NIR file; return one sentence for each property that the file does not hold.

    Parameters
    ----------
    weights : weights (inputs, cells) [thresholds] of each layer; written as float32, minus the uniform inhibition that comes
        with every spike (Dale's law, subtractive pool).
    config : the configuration of the run.
    path : path of the new file, which must not exist.
    gains : mean gain [1] of the divisive pool in front of each layer except the first, see `frozen_gains`.

    Raises UsageError, before anything is written, if NIR cannot express the network (see `check`).
    """
    path = Path(path)
    check(config, path)
    layers = _checked(weights, config)
    gain = _gains(gains, config)
    import nir

    dt = config.step * 1e-3
    said = notices(config, gain)
    nodes: dict[str, nir.NIRNode] = {"input": nir.Input({"input": np.array([layers[0].shape[0]])})}
    for n, w in enumerate(layers):
        inputs, cells = w.shape
        if n and gain:
            nodes[f"scale_{n}"] = nir.Scale(np.full(inputs, gain[n - 1]))
        if config.delay:
            nodes[f"delay_{n}"] = nir.Delay(np.full(inputs, config.delay * 1e-3))
        nodes[f"synapses_{n}"] = nir.Linear(np.ascontiguousarray(w.T))
        each, tau = np.ones(cells), config.tau * 1e-3
        nodes[f"layer_{n}"] = nir.LIF(
            tau=tau * each, r=tau / dt * each, v_leak=0 * each, v_threshold=each, v_reset=0 * each
        )
    nodes["output"] = nir.Output({"output": np.array([layers[-1].shape[1]])})
    metadata = {
        "program": "analog_ff", "dt": dt, "order": ORDER, "present": config.present * 1e-3, "gap": config.gap * 1e-3,
        "encoder": config.encoder, "peak_rate": config.peak_rate, "label_rate": config.label_rate,
        "label_cells": config.label_cells, "goodness": config.goodness, "saturation": config.saturation,
        "reset": config.reset, "notices": "\n".join(said),
    }  # fmt: skip
    names = list(nodes)
    edges = list(pairwise(names))
    image = io.BytesIO()  # made in memory, because HDF5 can crash while writing to a full disk
    nir.write(image, nir.NIRGraph(nodes, edges, metadata=metadata))
    whole_files.write(path, image.getvalue())
    return said


def export_run(config: SpikingConfig, outcome: Outcome, path: str | Path) -> list[str]:
    """Write the network of a finished run, with pools fixed at their mean gains in the run's raster; see `export`."""
    steps = round(outcome.statistics.raster_ms / config.step)
    rasters = []
    for (cells, times), w in zip(outcome.statistics.raster[1:], outcome.weights, strict=True):
        raster = np.zeros((steps, w.shape[1]), bool)
        raster[np.rint(times / config.step).astype(int), cells] = True
        rasters.append(raster.reshape(-1, config.period_steps, w.shape[1]))
    return export(outcome.weights, config, path, gains=frozen_gains(config, rasters))


def _checked(weights: Sequence[np.ndarray], config: SpikingConfig) -> list[np.ndarray]:
    unmasked("weights", list(weights))
    layers = [np.asarray(w, dtype=np.float32) for w in weights]
    shapes = [w.shape for w in layers]
    fits = len(layers) == len(config.layers) and all(w.ndim == 2 and w.shape[0] for w in layers)
    fits = fits and all(s[1] == cells for s, cells in zip(shapes, config.layers, strict=True))
    if not fits or any(below[1] != above[0] for below, above in pairwise(shapes)):
        raise UsageError(
            f"an NIR file of the layers {config.layers} needs weights (inputs, cells) of each, got {shapes}."
        )
    for n, w in enumerate(layers):
        if not np.isfinite(w).all():
            raise UsageError(f"the weights of layer {n + 1} are not all finite, so that no NIR file was written.")
    taken = [inhibition(config, n, w.shape[0]) for n, w in enumerate(layers)]
    return [w - np.float32(t) if t else w for w, t in zip(layers, taken, strict=True)]


def _gains(gains: Sequence[float] | None, config: SpikingConfig) -> list[float]:
    wanted = len(config.layers) - 1 if config.pool == "divisive" else 0
    given = [float(g) for g in gains or ()]
    if len(given) != wanted or not all(np.isfinite(g) and g > 0 for g in given):
        kind = "one for each divisive pool between layers"
        raise UsageError(f"an NIR file of these layers needs {wanted} positive gains ({kind}), got {given}.")
    return given


def load(path: str | Path, *, dt: float | None = None) -> NirNetwork:
    """Read an NIR file that is a chain of LIF layers.

    Parameters
    ----------
    path : the file.
    dt : clock step [s] for a file that states none, such as those of other programs; a file that states another is refused.

    Raises UsageError if the file cannot be read, holds nodes other than those of `KNOWN`, branches, or has dimensions that do
    not match.
    """
    path = Path(path)
    nodes, edges, metadata = _read(path)
    with files.reading(path, "a network of LIF layers"):
        return _network(path, nodes, edges, metadata, dt)


def _network(
    path: Path, nodes: dict[str, nir.NIRNode], edges: list[tuple[str, str]], metadata: Mapping[str, object],
    dt: float | None,
) -> NirNetwork:  # fmt: skip
    dt = _clock(path, metadata.get("dt", dt), dt)
    reset = metadata.get("reset", "hard")
    if not isinstance(reset, str) or reset not in ("subtract", "hard"):
        raise UsageError(f"{path} asks for the reset {shown(reset)}; known are subtract and hard.")
    chain = _chain(path, nodes, edges)
    cells = _size(path, chain[0], nodes[chain[0]].input_type["input"])
    layers: list[NirLayer] = []
    gain, delay, weights = np.ones(()), 0, None  # `cells` is only trusted once weights of that shape are found
    for name in chain[1:-1]:
        node, kind = nodes[name], type(nodes[name]).__name__
        if (kind == "LIF") == (weights is None):
            raise UsageError(f"{path}: {kind} '{name}' stands where {'Linear' if kind == 'LIF' else 'LIF'} is due.")
        if kind == "Linear":
            weights = _linear(path, name, node.weight, cells)
            gain = np.broadcast_to(gain, (cells,)).copy()
            cells = weights.shape[1]
        elif kind == "Scale":
            gain = gain * _values(path, name, node.scale, cells)
        elif kind == "Delay":
            delay += _steps(path, name, _values(path, name, node.delay, cells).ravel(), dt)
        else:
            assert weights is not None
            layers.append(NirLayer(weights, gain, delay, **_lif(path, name, node, cells)))
            gain, delay, weights = np.ones(()), 0, None
    if weights is not None or not layers or delay or (gain != 1).any():
        raise UsageError(f"{path}: the last node in front of the output must be a LIF.")
    if (last := _size(path, chain[-1], nodes[chain[-1]].output_type["output"])) != cells:
        raise UsageError(f"{path}: the output has {last} cells, the last layer {cells}.")
    return NirNetwork(tuple(layers), dt, reset, metadata)


def _read(path: Path) -> tuple[dict[str, nir.NIRNode], list[tuple[str, str]], dict[str, object]]:
    """Return nodes, edges and metadata of a file, which was read within limits and has only known kinds of nodes."""
    tree = hdf5.tree(path, "NIR file")
    with files.reading(path, "an NIR graph"):
        graph = tree.get("node")
        described = graph.get("nodes") if isinstance(graph, dict) else None
        if not isinstance(graph, dict) or not isinstance(described, dict):
            raise UsageError(f"{path} is an HDF5 file but not an NIR graph: it has no group node/nodes.")
        for name, node in described.items():
            kind = node.get("type") if isinstance(node, dict) else None
            if kind not in KNOWN:
                raise UsageError(f"{path}: node {shown(name)} is a {_word(kind)}; supported are {', '.join(KNOWN)}.")
        edges = graph.get("edges")
        if not isinstance(edges, np.ndarray) or edges.ndim != 2 or edges.shape[1] != 2 or edges.dtype != object:
            raise UsageError(f"{path}: the edges of an NIR graph are pairs of names of nodes, (edges, 2) strings.")
        metadata = graph.get("metadata", {})
        if not isinstance(metadata, dict):
            raise UsageError(f"{path}: the metadata of an NIR graph are a group, got {_word(metadata)}.")
    import nir

    with files.reading(path, "an NIR graph, since it is not a valid one"):
        parts = {"type": "NIRGraph", "nodes": described, "edges": edges, "metadata": metadata, "type_check": False}
        made = nir.dict2NIRNode(parts)
        return made.nodes, list(made.edges), metadata


def _word(value: object) -> str:
    return shown(value, quoted=False) if isinstance(value, str) else shown(value)


def _clock(path: Path, dt: object, asked: float | None) -> float:
    """Return the clock step that the file states, or else the one asked for, which must not be another."""
    step = dt.item() if isinstance(dt, (np.generic, np.ndarray)) and dt.size == 1 else dt
    if not isinstance(step, (int, float)) or isinstance(step, bool) or not 0 < step < 1e9:
        raise UsageError(f"{path} names no clock step above 0 s: say which dt [s] it was made for, got {shown(dt)}.")
    if asked is not None and not abs(asked - step) <= 1e-6 * step:
        raise UsageError(f"{path} was made for dt = {step:g} s, got {shown(asked)}: another clock needs R scaled.")
    return float(step)


def _chain(path: Path, nodes: dict[str, nir.NIRNode], edges: list[tuple[str, str]]) -> list[str]:
    """Return the names of the nodes from the input to the output; raise UsageError if a node is not on this chain."""
    ends = {kind: [n for n, node in nodes.items() if type(node).__name__ == kind] for kind in ("Input", "Output")}
    for kind, found in ends.items():
        if len(found) != 1:
            raise UsageError(f"{path} needs one {kind} node, got {len(found)}.")
    after = dict(edges)
    chain = [ends["Input"][0]]
    while chain[-1] in after and len(chain) <= len(nodes):
        chain.append(after[chain[-1]])
    if sorted(chain) != sorted(nodes) or chain[-1] != ends["Output"][0] or len(edges) != len(nodes) - 1:
        raise UsageError(f"{path}: the nodes are not one chain from the input to the output.")
    return chain


def _size(path: Path, name: str, shape: np.ndarray) -> int:
    shape = np.asarray(shape)
    if shape.shape != (1,) or shape.dtype.kind not in "iu" or not 1 <= shape[0] < 2**31:
        raise UsageError(f"{path}: '{name}' needs the shape of a row of cells, got {shown(shape.tolist())}.")
    return int(shape[0])


def _values(path: Path, name: str, value: np.ndarray, cells: int) -> np.ndarray:
    """Return one value for each cell, from a list of them or one common value."""
    value = _real(path, name, value).astype(np.float64)
    if value.shape not in ((), (cells,)):
        raise UsageError(f"{path}: '{name}' needs values for {cells} cells, got the shape {value.shape}.")
    if not np.isfinite(value).all():
        raise UsageError(f"{path}: '{name}' has values that are not finite.")
    return value


def _real(path: Path, name: str, value: np.ndarray) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise UsageError(f"{path}: '{name}' holds elements of type {array.dtype}; expected real numbers.")
    return array


def _linear(path: Path, name: str, weight: np.ndarray, inputs: int) -> np.ndarray:
    weight = _real(path, name, weight)
    if weight.ndim != 2 or weight.shape[1] != inputs or not weight.shape[0]:
        raise UsageError(f"{path}: '{name}' needs weights (cells, {inputs}), got the shape {weight.shape}.")
    if not (np.abs(weight) <= np.finfo(np.float32).max).all():
        raise UsageError(f"{path}: '{name}' has weights that are not finite.")
    return np.ascontiguousarray(weight.T.astype(np.float32))


def _steps(path: Path, name: str, delay: np.ndarray, dt: float) -> int:
    steps = delay / dt
    if (steps != steps[0]).any():
        raise UsageError(f"{path}: '{name}' has delays that differ between cells; one delay for all is supported.")
    whole = round(float(steps[0]))
    if whole < 0 or abs(steps[0] - whole) > 1e-6:
        raise UsageError(f"{path}: '{name}' needs a delay of whole steps of {dt:g} s, got {delay[0]:g} s.")
    return whole


def _lif(path: Path, name: str, node: nir.LIF, cells: int) -> dict[str, np.ndarray]:
    given = {
        "tau": node.tau, "r": node.r, "v_leak": node.v_leak, "threshold": node.v_threshold, "v_reset": node.v_reset
    }  # fmt: skip
    values = {
        part: np.broadcast_to(_values(path, name, value, cells), (cells,)).copy() for part, value in given.items()
    }
    if (values["tau"] <= 0).any():
        raise UsageError(f"{path}: '{name}' needs time constants above 0 s, got {values['tau'].min():g} s.")
    return values
