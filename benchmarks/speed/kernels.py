"""Speed of reads and pulses, as ratios to numpy.matmul of the same shape in the same run.

    python benchmarks/speed/kernels.py [--threads 2] [--json]

The script prints, for each shape and batch, the time of a complete read (8-bit DAC, 8-bit ADC, read noise) divided by the time
of numpy.matmul in float32 with the same threads, once with noise that is the same for all cells and once with noise that
depends on each cell's conductance; then the number of cells pulsed per second and core, and the time of one coincidence update.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
from operations import SLOTS, TURNS, inputs, memristor, moved, trained
from timing import burst, pair, positive, set_threads, thread_count

from hardware_models.chip import Chip
from hardware_models.crossbar import Crossbar
from hardware_models.keys import Key


def reads(threads: int, sizes: list[int], batches: list[int], tile: int, rounds: int) -> list[dict[str, Any]]:
    """Time reads against products."""
    rows = []
    for n in sizes:
        chips = {
            "common": Chip(memristor(), ((n, n),), tile=(tile, tile)),
            "per cell": Chip(memristor(read_noise=0.0, read_noise_relative=0.01), ((n, n),), tile=(tile, tile)),
        }
        for batch in batches:
            x = inputs(batch, n)
            w = np.random.default_rng(1).standard_normal((n, n)).astype(np.float32)
            out = np.empty((batch, n), np.float32)
            for noise, chip in chips.items():
                key = Key(0, "speed")
                ours, theirs, ratio = pair(
                    lambda chip=chip, x=x, key=key: chip.observe(0, x, key=key),  # type: ignore[misc]
                    lambda x=x, w=w, out=out: np.matmul(x, w, out=out),  # type: ignore[misc]
                    threads,
                    rounds,
                )
                rows.append({"n": n, "batch": batch, "tile": tile, "noise": noise, "read_ms": ours * 1e3,
                             "matmul_ms": theirs * 1e3, "ratio": ratio.median})  # fmt: skip
    return rows


def pulses(threads: int, n: int = 1024) -> dict[str, float]:
    """Time dense pulsing, one pulse a cell, with cycle-to-cycle noise and spread on."""
    set_threads(threads)
    rate = 2 * n * 2 * n / burst(moved(n), threads, runs=15)
    return {"cells_per_second": rate, "cells_per_second_per_core": rate / threads}


def coincidences(threads: int) -> list[dict[str, float]]:
    """Time one sample's coincidence update against the number of active rows and columns."""
    bar = Crossbar(memristor(), (1024, 1024), key=Key(0, "speed"))
    rows = []
    for active in (8, 32, 128, 512, 1024):
        train = np.zeros((SLOTS, 1024))
        train[:, :active] = 1
        seconds = burst(trained(bar.fire, train), threads) / TURNS
        rows.append({"active": active, "milliseconds": seconds * 1e3})
    return rows


def main() -> None:
    """Run all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=thread_count, default=2)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32, 100, 256, 1000])
    parser.add_argument("--tile", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--rounds", type=positive, default=9)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    result = {
        "threads": args.threads,
        "reads": [
            row for tile in args.tile for row in reads(args.threads, args.sizes, args.batches, tile, args.rounds)
        ],
        "pulses": pulses(args.threads),
        "coincidence": coincidences(args.threads),
    }
    if args.json:
        print(json.dumps(result))
        return
    print(f"{'n':>5} {'batch':>5} {'tile':>5} {'noise':>9} {'read ms':>9} {'matmul ms':>9} {'ratio':>6}")
    for r in result["reads"]:
        times = f"{r['read_ms']:9.3f} {r['matmul_ms']:9.3f} {r['ratio']:6.2f}"
        print(f"{r['n']:5d} {r['batch']:5d} {r['tile']:5d} {r['noise']:>9} {times}")
    print(f"dense pulsing: {result['pulses']['cells_per_second_per_core'] / 1e6:.0f} million cells a second a core")
    for r in result["coincidence"]:
        print(f"coincidence, {r['active']:4d} rows x {r['active']:4d} columns: {r['milliseconds']:.3f} ms")


if __name__ == "__main__":
    main()
