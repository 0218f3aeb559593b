"""Comparisons with badcrossbar (github.com/joksas/badcrossbar): currents of a crossbar whose wires have resistance.

Cells of 10 to 100 kOhm, 1 Ohm a segment, voltages up to 0.3 V, one input and ten. badcrossbar solves all nodes by a sparse direct
method, this project by conjugate gradients to a bound of 1e-6 of each current; both calls begin at the arrays. The agreement is
that of the currents, relative to the largest. More sizes, and more programs: `benchmarks/speed/wires.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from comparison import Agreement, Comparison
from crossbar_solvers import badcrossbar

from hardware_models.wires import solve

SIZES, INPUTS, OHM = (64, 128, 256), (1, 10), 1.0


def comparisons() -> Iterator[Comparison]:
    """Yield all comparisons."""
    for n in SIZES:
        for number in INPUTS:
            yield wires(n, number)


def wires(n: int, number: int) -> Comparison:
    """Return the comparison for an n x n array and some inputs."""
    rng = np.random.default_rng(n)
    g, v = rng.uniform(1e-5, 1e-4, (n, n)), rng.uniform(0.0, 0.3, (number, n))
    theirs = badcrossbar(g, v, OHM)

    def agree() -> Agreement:
        there = theirs()
        apart = float(np.abs(solve(g, v, OHM, OHM) - there).max() / there.max())
        return Agreement("currents, relative to the largest", apart, 1e-6)

    operation = f"currents of {n} x {n} cells with wires, inputs: {number}"
    return Comparison("badcrossbar", operation, agree, lambda: solve(g, v, OHM, OHM), theirs, threads=(1,), runs=2)
