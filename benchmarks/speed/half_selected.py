"""Speed of a burst on a passive array, as a ratio to a pass over all cells in the same run.

    python benchmarks/speed/half_selected.py [--write]

One pulse goes to a share of the weights of an n x n array of memristors without selectors. "all cells": every cell gets its
(mostly zero) pulses, and the half-selected cells are summed over the full array in float64 in each burst, the method before
running sums; "running sums": the present method. Both run in turn, with the processor time of one thread; the median
ratio is printed. With --write the table is stored in benchmarks/results/speed/half_selected.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from timing import kept, now, set_threads

from hardware_models.crossbar import Crossbar
from hardware_models.crossbar.write_costs import priced
from hardware_models.kernels.pulses import add_sizes, split_pairs, write_sums
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.tiles import Tiling

RESULT = Path(__file__).resolve().parents[1] / "results" / "speed" / "half_selected.json"
SIZES, SHARES = (256, 1024, 2048), (0.0001, 0.001, 0.01, 0.04)


def half_over_all(device: Any, tiling: Tiling, mean: np.ndarray, pulses: np.ndarray) -> tuple[int, np.ndarray]:
    """Return the number of half-selected cells and their sum of conductance by polarity [S], from each cell's mean [S]."""
    number, found = 0, np.zeros(2)
    for top, bottom in tiling.row_cuts:
        for left in range(0, tiling.bit_lines, tiling.tile_columns):
            place = np.s_[top:bottom, left : left + tiling.tile_columns]
            g = mean[place]
            for p, polarity in enumerate((1, -1)):
                n = np.maximum(polarity * pulses[place].astype(np.int64), 0)
                slots = n.max(axis=1)
                number += int(slots.sum()) * g.shape[1] + int(n.sum()) * g.shape[0] - 2 * int(n.sum())
                found[p] += slots @ g.sum(axis=1) + n.sum(axis=0) @ g.sum(axis=0) - 2.0 * (n * g).sum()
    return number, found


def over_all(bar: Crossbar, counts: np.ndarray, key: Key) -> float:
    """Apply a burst in the way without running sums; return the half-selected cells' V²Gt [J]."""
    pulses = np.empty((bar.shape[0], 2 * bar.shape[1]), np.int32)
    split_pairs(counts, bar._parity, pulses)
    bar._parity ^= 1
    before = bar.state.g.copy()
    bar.device.pulse(bar.state, pulses, key.child("pulse"))
    sums, slots = write_sums(before, bar.state.g, pulses, bar.tiling.tile_columns)
    half = half_over_all(bar.device, bar.tiling, 0.5 * (before.astype(np.float64) + bar.state.g), pulses)
    events = priced(bar.device, bar.tiling, sums, slots, half)
    add_sizes(bar.received, pulses)
    bar.cells.look()
    return events.integrals["half.v2gt"]


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the processor time of a call [s] and its result."""
    start = now(threads=1)
    found = call()
    return now(threads=1) - start, found


def main() -> None:
    """Measure and print the table; with --write store it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep the table in benchmarks/results/speed")
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    set_threads(1)
    device: Any = replace(load_device("memristor"), access="passive")  # type: ignore[type-var]
    rows = []
    for n in SIZES:
        slow, fast = (Crossbar(device, (n, n), key=Key(0, "speed")) for _ in range(2))
        for share in SHARES:
            rng = np.random.default_rng(0)
            times, apart = [], 0.0
            for k in range(2 + given.rounds):
                counts = np.where(rng.random((n, n)) < share, rng.choice([-1, 1], (n, n)), 0).astype(np.int32)
                key = Key(0, "burst", k)
                one, joule = seconds(lambda bar=slow, c=counts, key=key: over_all(bar, c, key))  # type: ignore[misc]
                other, events = seconds(lambda bar=fast, c=counts, key=key: bar.pulse(c, key=key))  # type: ignore[misc]
                apart = max(apart, abs(events.integrals["half.v2gt"] / joule - 1.0) if joule else 0.0)
                if k >= 2:
                    times.append((one, other))
            assert np.array_equal(slow.state.g, fast.state.g)
            table = np.array(times)
            ratio = float(np.median(table[:, 0] / table[:, 1]))
            a, b = np.median(table, axis=0) * 1e3
            rows.append({"n": n, "share": share, "all_cells_ms": a, "running_sums_ms": b, "ratio": ratio,
                         "energy_apart": apart})  # fmt: skip
            print(
                f"{n:5d} x {n:<5d} {100 * share:6.2f} % of the weights: {a:8.2f} ms over all cells, {b:7.3f} ms from running "
                f"sums, {ratio:6.1f} times; energies apart by {apart:.1e}"
            )
    if given.write:
        kept(RESULT, {"threads": 1, "device": device.name, "rows": rows})


if __name__ == "__main__":
    main()
