"""Solve a stored crossbar circuit with badcrossbar or CrossSim, and print times and currents as JSON.

    PYTHON benchmarks/peers/crossbar_solvers.py badcrossbar CIRCUIT.npz --repeats 3
    PYTHON benchmarks/peers/crossbar_solvers.py crosssim CIRCUIT.npz --checkout FOLDER --error 1e-3 --type float32

`benchmarks/speed/wires.py` calls this with the interpreter in which badcrossbar is installed (``pip install badcrossbar==1.1.0``,
which needs ``apt-get install libcairo2-dev pkg-config``). FOLDER is a checkout of github.com/sandialabs/cross-sim. CIRCUIT.npz
holds ``conductance`` (rows, columns) [S], ``voltage`` (inputs, rows) [V], and ``r``, the resistance of every segment [Ohm].
Neither program becomes part of this project. Times are processor seconds, in the threads that OMP_NUM_THREADS allows.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable

import numpy as np

LARGEST_TIGHT = 128
"""Largest number of rows at which CrossSim is asked for more than its default tolerance."""
LONG = 5.0
"""Processor time after which a circuit is not solved once more [s]."""


def badcrossbar(g: np.ndarray, v: np.ndarray, r: float) -> Callable[[], np.ndarray]:
    """Return a call that solves all inputs by badcrossbar's sparse direct solver."""
    import badcrossbar

    logging.disable(logging.CRITICAL)
    ohm = np.divide(1.0, g, out=np.full(g.shape, np.inf), where=g > 0.0)

    def solve() -> np.ndarray:
        found = badcrossbar.compute(v.T, ohm, r_i=r, node_voltages=False, all_currents=False)
        return np.asarray(found.currents.output)

    return solve


def crosssim(g: np.ndarray, v: np.ndarray, r: float, error: float, kind: str) -> Callable[[], np.ndarray]:
    """Return a call that solves one input after the other by the solver of CrossSim that drives as this project does."""
    from simulator import CrossSimParameters
    from simulator.backend import ComputeBackend
    from simulator.circuits.array import NoninterleavedInputSourceArray

    ComputeBackend(use_gpu=False)
    scale = float(g.max())
    params = CrossSimParameters()
    params.xbar.array.parasitics.enable = True
    params.xbar.device.Rmin = 1.0 / scale
    params.xbar.array.parasitics.Rp_row = params.xbar.array.parasitics.Rp_col = r
    params.simulation.Verr_th_mvm = error
    params.simulation.Niters_max_parasitics = 100 if error >= 1e-4 else 2000
    params.simulation.hide_convergence_msg = True
    array = NoninterleavedInputSourceArray(params)
    matrix, inputs = (g.T / scale).astype(kind), v.astype(kind)
    array.iterative_solve(
        matrix, inputs[0]
    )  # looks for a relaxation that converges, and keeps it: no part of the times

    def solve() -> np.ndarray:
        return np.stack([array.iterative_solve(matrix, one) for one in inputs]).astype(float) * scale

    return solve


def main() -> None:
    """Solve the circuit `--repeats` times, or as often as fits into `LONG`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", choices=("badcrossbar", "crosssim"))
    parser.add_argument("circuit")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--checkout")
    parser.add_argument("--error", type=float, default=1e-3)
    parser.add_argument("--type", default="float32")
    given = parser.parse_args()
    with np.load(given.circuit) as file:
        g, v, r = file["conductance"], file["voltage"], float(file["r"])
    if given.program == "badcrossbar":
        call = badcrossbar(g, v, r)
    else:
        if given.error < 1e-4 and len(g) > LARGEST_TIGHT:
            sys.exit("not run: it looks for a relaxation that converges for minutes")
        sys.path.insert(0, given.checkout)
        call = crosssim(g, v, r, given.error, given.type)
    times: list[float] = []
    while not times or (len(times) < given.repeats and sum(times) < LONG):
        start = time.process_time()
        currents = call()
        times.append(time.process_time() - start)
    print(json.dumps({"seconds": times, "currents": currents.tolist()}))


if __name__ == "__main__":
    main()
