"""Reading NIR files: unsupported nodes, dimensions that do not match, other files; one sentence each."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest

from analog_ff.spiking.nir.graph import load
from analog_ff.spiking.nir.network import spikes
from hardware_models import hdf5
from hardware_models.check import UsageError


def lif(cells: int, tau: float = 0.02) -> nir.LIF:
    one = np.ones(cells)
    return nir.LIF(tau=tau * one, r=20 * one, v_leak=0 * one, v_threshold=one, v_reset=0 * one)


def graph(path: Path, *nodes: Any, edges: Any = None, dt: float | None = 1e-3) -> Path:
    """Write a chain from 3 inputs over the nodes to 2 outputs."""
    named = {"in": nir.Input({"input": np.array([3])})} | {f"n{i}": node for i, node in enumerate(nodes)}
    named["out"] = nir.Output({"output": np.array([2])})
    names = list(named)
    edges = edges or list(zip(names[:-1], names[1:], strict=True))
    metadata = {} if dt is None else {"dt": dt}
    nir.write(path, nir.NIRGraph(named, edges, metadata=metadata, type_check=False))
    return path


W = np.ones((2, 3), np.float32)
UNSUPPORTED = {
    "node 'n1' is a CubaLIF": [
        nir.Linear(W),
        nir.CubaLIF(*(np.ones(2) for _ in range(5)), v_reset=np.zeros(2)),
    ],
    "node 'n0' is a Affine": [nir.Affine(W, np.ones(2)), lif(2)],
    r"'n0' needs weights \(cells, 3\)": [nir.Linear(np.ones((2, 4), np.float32)), lif(2)],
    "'n1' needs values for 2 cells": [nir.Linear(W), lif(4)],
    "'n0' needs values for 3 cells": [nir.Scale(np.ones(2)), nir.Linear(W), lif(2)],
    "output has 2 cells, the last layer 1": [nir.Linear(W[:1]), lif(1)],
    "LIF 'n0' stands where Linear is due": [lif(3), nir.Linear(W)],
    "Linear 'n1' stands where LIF is due": [nir.Linear(W), nir.Linear(np.ones((2, 2), np.float32)), lif(2)],
    "last node in front of the output": [nir.Linear(W)],
    "delays that differ": [nir.Delay(np.array([0, 1e-3, 2e-3])), nir.Linear(W), lif(2)],
    "whole steps": [nir.Delay(np.full(3, 1.5e-3)), nir.Linear(W), lif(2)],
    "time constants above 0 s": [nir.Linear(W), lif(2, tau=-0.02)],
    "not finite": [nir.Linear(W * np.float32(np.nan)), lif(2)],
}


@pytest.mark.parametrize("sentence", UNSUPPORTED)
def test_files_that_do_not_fit_are_refused(tmp_path: Path, sentence: str) -> None:
    """Unsupported nodes, dimensions that do not match, and parts out of order."""
    with pytest.raises(UsageError, match=sentence):
        load(graph(tmp_path / "x.nir", *UNSUPPORTED[sentence]))


def test_files_that_are_no_chain_or_no_nir_are_refused(tmp_path: Path) -> None:
    nodes = [nir.Linear(W), lif(2)]
    back = [("in", "n0"), ("n0", "n1"), ("n1", "n0"), ("n1", "out")]
    for edges in (back, [("in", "n0"), ("n0", "out")], [("in", "n0"), ("n0", "n1"), ("n1", "out"), ("in", "out")]):
        with pytest.raises(UsageError, match="not one chain"):
            load(graph(tmp_path / "branch.nir", *nodes, edges=edges))
    with pytest.raises(UsageError, match="one Input node, got 2"):
        load(graph(tmp_path / "two.nir", nir.Input({"input": np.array([3])}), *nodes))
    with pytest.raises(UsageError, match="no regular file"):
        load(tmp_path)
    (tmp_path / "text.nir").write_text("weights")
    with pytest.raises(UsageError, match="not an HDF5 file"):
        load(tmp_path / "text.nir")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["weights"] = W
    with pytest.raises(UsageError, match="not an NIR graph"):
        load(tmp_path / "other.h5")
    with h5py.File(graph(tmp_path / "short.nir", *nodes), "r+") as file:
        del file["node/nodes/n1/tau"]
    with pytest.raises(UsageError, match="not a valid one"):
        load(tmp_path / "short.nir")


def changed(path: Path, change: Callable[[h5py.File], object]) -> Path:
    """Write a good file and change it."""
    with h5py.File(graph(path, nir.Linear(W), lif(2)), "r+") as file:
        change(file)
    return path


def put(name: str, value: Any, **options: Any) -> Callable[[h5py.File], object]:
    """Replace an object of a file, or make one."""

    def change(file: h5py.File) -> None:
        if name in file:
            del file[name]
        if isinstance(value, h5py.SoftLink | h5py.ExternalLink):
            file[name] = value
        else:
            file.create_dataset(name, data=value, **options)

    return change


def nested(file: h5py.File) -> None:
    file.create_group("/".join(["node/metadata"] + ["deep"] * 40))


def into_itself(file: h5py.File) -> None:
    file["node/nodes/in/again"] = file["node"]


def bomb(file: h5py.File) -> None:
    """A chunk of 48 bytes that unpacks to 100 MB."""
    del file["node/nodes/n0/weight"]
    made = file.create_dataset("node/nodes/n0/weight", (2, 3), "f8", chunks=(2, 3), compression="gzip")
    made.id.write_direct_chunk((0, 0), zlib.compress(bytes(100_000_000), 9))


HOSTILE = {
    "n0/here is a link to another place": put("node/nodes/n0/here", h5py.SoftLink("/node")),
    "n0/weight is a link to another place": put("node/nodes/n0/weight", h5py.ExternalLink("/etc/passwd", "/")),
    "another name, too": into_itself,
    "in more than 16 groups": nested,
    "unpacks to more than its 48 bytes": bomb,
    "was never written": put("node/nodes/n0/weight", None, shape=(1000, 2000), dtype="f8", chunks=(1000, 2000)),
    "more than the .* that are left": put("node/extra", None, shape=(10**6, 10**6), dtype="f8", chunks=(10, 10)),
    "elements of type": put("node/nodes/n0/weight", np.zeros(3, "i4,f8")),
    "weight holds nothing": put("node/nodes/n0/weight", h5py.Empty("f8")),
    "expected real numbers": put("node/nodes/n1/tau", np.ones(2, complex)),
    "'n0' has weights that are not finite": put("node/nodes/n0/weight", np.full((2, 3), 1e300)),
    "needs the shape of a row of cells": put("node/nodes/in/shape", np.array([2.5])),
    r"'n0' needs weights \(cells, 2147483647\)": put("node/nodes/in/shape", np.array([2**31 - 1])),
    "names no clock step": put("node/metadata/dt", np.ones(1000)),
    "asks for the reset": put("node/metadata/reset", np.ones(1000)),
    "node 'n0' is a .*7.*; supported are": put("node/nodes/n0/type", 7),
    "edges of an NIR graph are pairs": put("node/edges", np.zeros((3, 2))),
    "not an NIR graph": put("node/nodes", 1.0),
    "metadata of an NIR graph": put("node/metadata", 1.0),
}


@pytest.mark.parametrize("sentence", HOSTILE)
def test_hostile_files_are_refused_in_little_memory(tmp_path: Path, sentence: str) -> None:
    path = changed(tmp_path / "x.nir", HOSTILE[sentence])
    tracemalloc.start()
    with pytest.raises(UsageError, match=sentence) as caught:
        load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(path) in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 600
    assert peak < 20e6


@pytest.mark.parametrize(
    ("kind", "options"),
    [("f8", {}), (">f4", {"compression": "gzip", "shuffle": True}), ("i2", {"chunks": (2, 2)})],
)
def test_arrays_however_they_are_stored(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    """Contiguous, in chunks that overhang the edge, packed with every filter that is read here."""
    values = np.arange(35).reshape(5, 7).astype(kind)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("a/values", data=values, **options)
        file.create_dataset("words", data=["été", "b"])
        file["word"] = "reset"
    found = hdf5.tree(tmp_path / "x.h5", "file")
    assert found["a"]["values"].dtype == values.dtype and np.array_equal(found["a"]["values"], values)
    assert found["words"].tolist() == ["été", "b"] and found["word"] == "reset"


def test_a_file_of_another_program(tmp_path: Path) -> None:
    """Without metadata the step has to be given and the reset is NIR's own; R scales what a spike does."""
    path = graph(tmp_path / "x.nir", nir.Linear(W), lif(2), dt=None)
    with pytest.raises(UsageError, match="names no clock step"):
        load(path)
    network = load(path, dt=0.5e-3)
    with pytest.raises(UsageError, match=r"was made for dt = 0.0005 s, got 0.0001"):
        load(graph(tmp_path / "y.nir", nir.Linear(W), lif(2), dt=0.5e-3), dt=0.1e-3)
    assert network.reset == "hard"
    pulse = np.zeros((4, 3), bool)
    pulse[0, :2] = True  # two spikes of weight 1, each moving v by 20 * 0.5/20 = 0.5; decay below the threshold
    assert not spikes(network, pulse)[0].any()
    pulse[0] = True
    assert spikes(network, pulse)[0].sum(axis=0).tolist() == [1, 1]
    with pytest.raises(UsageError, match=r"needs input spikes \(..., steps, 3\)"):
        spikes(network, np.zeros((4, 5)))
