"""Run an exported NIR file in snnTorch and compare it with this project's own reading of the file.

    python benchmarks/peers/nir_snntorch.py RUN_OR_FILE [RUN_OR_FILE ...] [--data mnist-5k] [--images 1000]
        [--json > benchmarks/results/peers/nir_snntorch.json]

RUN_OR_FILE is an NIR file written by `analog_ff spiking --export`, or a run folder that holds one (then the accuracy in the
run's result is shown as well). Every test image is shown with each label; the class is the label with the largest
goodness, the sum over layers of the mean squared spike count, computed here from the spikes. The same file is read in three ways
for the same input spikes:

- ours: `analog_ff.spiking.nir.network.spikes`, order and decay as in training;
- snnTorch, as imported: `snntorch.import_nir.import_from_nir`. Its clock is fixed at 0.1 ms, hence tau is scaled to it
  (R dt/tau stays); it resets to zero, decays by 1 - dt/tau instead of exp(-dt/tau), and looks at the threshold after the
  arrival of spikes;
- snnTorch, matched: the reset of the file, the exact decay, and weights times that decay, which moves the arrival behind the
  threshold; a cell that is above the threshold even after its reset may spike in the next step, where snnTorch would subtract
  the threshold once more before its comparison. For the subtractive reset this is the same network, one step earlier in each
  layer, and the share of presentations that agree in every spike tells how well the two programs agree. For the hard reset it
  is another network: in this project a reset also removes the input of its step.

snnTorch has no Scale: a fixed gain is multiplied into the weights after it. snntorch and nirtorch (which need PyTorch, CPU)
are not dependencies; without them the script ends with a message.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from analog_ff.datasets import load as load_data
from analog_ff.runs.model import MODEL
from analog_ff.spiking.encoded import encoded
from analog_ff.spiking.model import scaled
from analog_ff.spiking.nir.graph import load
from analog_ff.spiking.nir.network import NirNetwork, spikes
from hardware_models.check import UsageError

CLOCK = 1e-4
"""Clock step of snnTorch's import [s]; it cannot be set."""
CHUNK = 40
"""Number of images that are run at a time."""


def presentations(network: NirNetwork, images: np.ndarray, classes: int, generator: np.random.Generator) -> np.ndarray:
    """Return input spikes (images, classes, steps, inputs) of each image with each label, by the settings in the file."""
    said = network.metadata
    step, copies, width = network.dt, int(said["label_cells"]), images.shape[1]
    p = np.zeros((len(images), classes, width + classes * copies), np.float32)
    p[..., :width] = images[:, None, :] * float(said["peak_rate"]) * step
    p[..., width:] = np.repeat(np.eye(classes, dtype=np.float32), copies, axis=1) * float(said["label_rate"]) * step
    return encoded(str(said["encoder"]), p, round(float(said["present"]) / step), generator)


def goodness(network: NirNetwork, rasters: list[np.ndarray]) -> np.ndarray:
    """Return the goodness per cell, summed over layers, of rasters (..., steps, cells)."""
    saturation = float(network.metadata["saturation"])
    phi = {"squared": np.square, "linear": lambda r: r, "saturating": lambda r: r**2 / (1 + r / saturation)}
    form = phi[str(network.metadata["goodness"])]
    return np.sum([form(raster.sum(axis=-2, dtype=np.float64)).mean(axis=-1) for raster in rasters], axis=0)


class Peer:
    """The network of an NIR file in snnTorch."""

    def __init__(self, path: Path, network: NirNetwork, *, matched: bool) -> None:
        import nir
        import snntorch
        import torch
        from snntorch.import_nir import import_from_nir

        graph = nir.read(path)
        gain: Any = None
        for name in [first for first, _ in graph.edges] + ["output"]:
            node = graph.nodes[name]
            if isinstance(node, nir.Delay):
                raise UsageError("snnTorch's import knows no Delay: give a network without transmission delay.")
            if isinstance(node, nir.Scale):
                gain = node.scale
            elif isinstance(node, nir.Linear):
                decay = np.exp(-network.dt / network.layers[0].tau[0]) if matched else 1.0
                node.weight = (node.weight * (1.0 if gain is None else gain) * decay).astype(np.float32)
                gain = None
            elif isinstance(node, nir.LIF):
                node.tau, node.r = node.tau * CLOCK / network.dt, node.r
        scales = {n for n, node in graph.nodes.items() if isinstance(node, nir.Scale)}
        for name in scales:
            (before,), (after,) = [a for a, b in graph.edges if b == name], [b for a, b in graph.edges if a == name]
            graph.edges = [e for e in graph.edges if name not in e] + [(before, after)]
            del graph.nodes[name]
        with contextlib.redirect_stdout(io.StringIO()):
            self.net = import_from_nir(graph)
        self.torch, self.raster = torch, []
        self.cells = [m for m in self.net.modules() if isinstance(m, snntorch.Leaky)]
        if len(self.cells) != len(network.layers):
            raise UsageError(f"snnTorch read {len(self.cells)} layers, the file has {len(network.layers)}.")
        for cell, layer in zip(self.cells, network.layers, strict=True):
            if matched:
                cell.beta = torch.tensor(np.exp(-network.dt / layer.tau), dtype=torch.float32)
                if network.reset == "subtract":
                    cell.reset_mechanism, cell.state_function = "subtract", cell._base_sub
                    cell.mem_reset = torch.zeros_like
            cell.register_forward_hook(lambda cell, given, out: self.raster.append(out))

    def spikes(self, shown: np.ndarray) -> list[np.ndarray]:
        """Return the spikes (presentations, steps, cells) of each layer for input spikes (presentations, steps, inputs)."""
        torch, count = self.torch, len(self.cells)
        self.raster, state = [], None
        with torch.no_grad():
            for cell in self.cells:
                cell.mem = torch.zeros(0)
            for k in range(shown.shape[1]):
                _, state = self.net(torch.from_numpy(shown[:, k].astype(np.float32)), state)
            by_layer = [torch.stack(self.raster[n::count], dim=1).numpy() > 0 for n in range(count)]
        return by_layer


def compare(path: Path, data: Any, images: int, seed: int) -> dict[str, Any]:
    """Return the accuracies of all readings of one file."""
    folder = path if path.is_dir() else None
    file = next(iter(sorted(path.glob("*.nir"))), path) if folder else path
    network = load(file)
    classes = len(data.classes)
    pixels = scaled(np.concatenate([data.x_train, data.x_test]), len(data.x_train))[len(data.x_train) :]
    rows = np.linspace(0, len(pixels) - 1, min(images, len(pixels))).astype(
        int
    )  # spread, in case they are sorted by class
    pixels, labels = pixels[rows], data.y_test[rows]
    peers = {
        "snntorch_imported": Peer(file, network, matched=False),
        "snntorch_matched": Peer(file, network, matched=True),
    }
    scores: dict[str, list[np.ndarray]] = {name: [] for name in ("ours", *peers)}
    counts = dict.fromkeys(scores, 0)
    same = shown_in_all = 0
    generator = np.random.default_rng(seed)
    for start in range(0, len(pixels), CHUNK):
        shown = presentations(network, pixels[start : start + CHUNK], classes, generator)
        flat = shown.reshape(-1, *shown.shape[2:])
        found = {name: peer.spikes(flat) for name, peer in peers.items()} | {"ours": spikes(network, flat, np.float32)}
        for name, rasters in found.items():
            scores[name].append(goodness(network, rasters).reshape(-1, classes))
            counts[name] += sum(int(r.sum()) for r in rasters)
        # snnTorch's spikes are one step earlier in each layer: our last steps and its first ones have no counterpart.
        pairs = enumerate(zip(found["ours"], found["snntorch_matched"], strict=True), start=1)
        equal = [(ours[:, n:] == theirs[:, :-n]).all(axis=(1, 2)) for n, (ours, theirs) in pairs]
        same, shown_in_all = same + int(np.all(equal, axis=0).sum()), shown_in_all + len(flat)
    row: dict[str, Any] = {
        "file": path.name, "layers": [layer.weights.shape[1] for layer in network.layers], "reset": network.reset,
        "images": len(pixels), "presentations": shown_in_all,
    }  # fmt: skip
    if folder and (folder / "result.json").is_file():
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        row["run_accuracy_percent"] = 100.0 - float(result["test_error_percent"])
    for name, parts in scores.items():
        chosen = np.concatenate(parts).argmax(axis=1)
        row[f"{name}_accuracy_percent"] = 100.0 * float(np.mean(chosen == labels))
        row[f"{name}_spikes_per_presentation"] = counts[name] / shown_in_all
    row["matched_presentations_spike_for_spike_percent"] = 100.0 * same / shown_in_all
    return row


def main() -> None:
    """Compare all files and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--data", default="mnist-5k")
    parser.add_argument("--data-dir")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the phases of the encoder")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    try:
        import nirtorch
        import snntorch
        import torch
    except ImportError:
        print("snntorch and nirtorch are not installed: nothing to compare with (pip install snntorch nirtorch).",
              file=sys.stderr)  # fmt: skip
        return
    torch.set_num_threads(1)
    try:
        data = load_data(args.data, data_dir=args.data_dir)
        rows = [compare(path, data, args.images, args.seed) for path in args.files]
    except UsageError as error:
        sys.exit(str(error))
    if args.json:
        from importlib.metadata import version

        names = ("snntorch", "nirtorch", "nir", "torch")
        versions = {name: version(name) for name in names}
        del nirtorch, snntorch
        print(
            json.dumps(
                {"versions": versions, "model": MODEL, "data": args.data, "seed": args.seed, "rows": rows}, indent=1
            )
        )
        return
    for row in rows:
        print(f"{row['file']}: layers {row['layers']}, reset {row['reset']}, {row['images']} images")
        for key, value in row.items():
            if key.endswith(("percent", "presentation")):
                print(f"  {key.replace('_', ' '):<55}{value:8.2f}")


if __name__ == "__main__":
    main()
