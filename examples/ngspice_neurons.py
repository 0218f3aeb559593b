"""Serve neurons that are circuits in ngspice: every pass of a batch is one DC analysis of all circuits of a layer.

Each neuron is a differential pair of bipolar transistors with a tail current, an emitter resistor, an offset and an area of its
own. The input z drives one base at 50 mV a unit; the collector current, 1 mA a unit, is y. The learner is told none of this.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np

from hardware_models import Key, serve_neurons

VOLT, AMPERE, MOST = 0.05, 1e-3, 400  # of one unit of z and of y; points of one analysis


def pair(layer: int, j: int) -> str:
    """Return the lines of the circuit of one neuron, whose input is a source that steps through the points of a batch."""
    rng = Key(layer, "circuit", j).generator()
    tail, offset = rng.lognormal(np.log(2e-3), 0.3), rng.uniform(0.0, 0.08)
    emitter, area = rng.lognormal(np.log(30.0), 0.4), rng.lognormal(0.0, 0.3)
    return (
        f"Vc{j} 5 c{j} 0\nQa{j} c{j} i{j} a{j} npn {area:.4f}\nQb{j} 5 o{j} b{j} npn\nVo{j} o{j} 0 {offset:.5f}\n"
        f"Ra{j} a{j} t{j} {emitter:.3f}\nRb{j} b{j} t{j} {emitter:.3f}\nIt{j} t{j} 4 {tail:.6g}\n"
    )


def analysed(z: np.ndarray, layer: int) -> np.ndarray:
    """Return y (B, neurons) from one run of ngspice."""
    points = range(len(z))
    steps = [
        f"Bi{j} i{j} 0 V=pwl(V(k),{','.join(f'{k},{VOLT * z[k, j]:.7g}' for k in points)})" for j in range(z.shape[1])
    ]
    with tempfile.TemporaryDirectory() as folder:
        deck, raw = Path(folder, "layer.cir"), Path(folder, "layer.raw")
        deck.write_text(
            "a layer of neurons\n.model npn npn(is=1e-16 bf=100 vaf=50)\nVp 5 0 2\nVn 4 0 -2\nVk k 0 0\n"
            + "".join(pair(layer, j) for j in range(z.shape[1]))
            + "\n".join(steps).replace(",", ",\n+ ")
            + f"\n.dc Vk 0 {len(z) - 1} 1\n.save {' '.join(f'i(Vc{j})' for j in range(z.shape[1]))}\n.end\n"
        )
        done = subprocess.run(["ngspice", "-b", "-r", raw, deck], capture_output=True, text=True)
        if done.returncode or not raw.exists():
            raise RuntimeError(f"ngspice has failed: {done.stderr[-300:]}")
        found = np.frombuffer(raw.read_bytes().partition(b"Binary:\n")[2]).reshape(len(z), -1)
    return found[:, -z.shape[1] :] / AMPERE


def neurons(z: np.ndarray, layer: int) -> np.ndarray:
    """Return y (B, neurons) float32 of a layer's circuits."""
    z = np.append(z, z[-1:], axis=0)  # an analysis has at least two points
    parts = [analysed(z[first : first + MOST + 1], layer) for first in range(0, len(z) - 1, MOST)]
    return np.concatenate([part[: MOST if len(part) > MOST else None] for part in parts])[: len(z) - 1].astype(
        np.float32
    )


if __name__ == "__main__":
    serve_neurons(neurons)
