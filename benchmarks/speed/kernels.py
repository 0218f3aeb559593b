"""Speed of reads and pulses, as ratios to numpy.matmul of the same shape in the same run.

    python benchmarks/speed/kernels.py [--threads 2] [--json]

The script prints, for each shape and batch, the time of a complete read (8-bit DAC, 8-bit ADC, read noise) divided by the time
of numpy.matmul in float32 with the same threads, once with noise that is the same for all cells and once with noise that
depends on each cell's conductance; then the number of cells pulsed per second and core, and the time of one coincidence update.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

# Threads stay on their cores; otherwise the measurement would depend on how the operating system places them.
os.environ.setdefault("OMP_PROC_BIND", "true")

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from hardware_models.chip import Chip
from hardware_models.crossbar import Crossbar
from hardware_models.kernels.products import one_blas_thread
from hardware_models.keys import Key
from hardware_models.load import load_device


def burst(call: Callable[[], Any], runs: int = 7) -> float:
    """Return the median time of `runs` successive calls [s], after a pause and three calls for warming up."""
    # Threads of a BLAS keep spinning for tens of milliseconds after a call and would slow the next measurement.
    time.sleep(0.15)
    times = []
    for i in range(3 + runs):
        t0 = time.perf_counter()
        call()
        if i >= 3:
            times.append(time.perf_counter() - t0)
    return float(np.median(times))


def pair(ours: Callable[[], Any], theirs: Callable[[], Any], threads: int, rounds: int) -> tuple[float, float, float]:
    """Time both functions in turn; return their median times [s] and the median of the ratios ours/theirs.

    `ours` runs as in a training run, where every BLAS is held to one thread; `theirs` runs with `threads` threads.
    """
    table = np.empty((rounds, 2))
    for row in table:
        with one_blas_thread():
            row[0] = burst(ours)
        with threadpool_limits(threads, user_api="blas"):
            row[1] = burst(theirs)
    return float(np.median(table[:, 0])), float(np.median(table[:, 1])), float(np.median(table[:, 0] / table[:, 1]))


def reads(threads: int, sizes: list[int], batches: list[int], tile: int, rounds: int) -> list[dict[str, Any]]:
    """Time reads against products."""
    rows = []
    device: Any = load_device("memristor")
    for n in sizes:
        cells = replace(device, read_noise=0.0, read_noise_relative=0.01)
        chips = {
            "common": Chip(device, ((n, n),), tile=(tile, tile)),
            "per cell": Chip(cells, ((n, n),), tile=(tile, tile)),
        }
        for batch in batches:
            x = np.random.default_rng(0).uniform(0, 4, (batch, n)).astype(np.float32)
            w = np.random.default_rng(1).standard_normal((n, n)).astype(np.float32)
            out = np.empty((batch, n), np.float32)
            for noise, chip in chips.items():
                key = Key(0, "speed")
                ours, theirs, ratio = pair(
                    lambda chip=chip, x=x, key=key: chip.observe(0, x, key=key),
                    lambda x=x, w=w, out=out: np.matmul(x, w, out=out),
                    threads,
                    rounds,
                )
                rows.append({"n": n, "batch": batch, "tile": tile, "noise": noise, "read_ms": ours * 1e3,
                             "matmul_ms": theirs * 1e3, "ratio": ratio})  # fmt: skip
    return rows


def pulses(threads: int, n: int = 1024) -> dict[str, float]:
    """Time dense pulsing, one pulse a cell, with cycle-to-cycle noise and spread on."""
    device: Any = load_device("memristor")
    state = device.fabricate((n, 2 * n), Key(0, "speed"))
    up = np.ones((n, 2 * n), np.int32)
    down = -up
    key = Key(0, "pulses")

    def twice() -> None:
        device.pulse(state, up, key)
        device.pulse(state, down, key)

    twice()
    times = []
    for _ in range(15):
        t0 = time.perf_counter()
        twice()
        times.append(time.perf_counter() - t0)
    rate = 2 * state.g.size / float(np.median(times))
    return {"cells_per_second": rate, "cells_per_second_per_core": rate / threads}


def coincidences() -> list[dict[str, float]]:
    """Time one sample's coincidence update against the number of active rows and columns."""
    bar = Crossbar(load_device("memristor"), (1024, 1024), key=Key(0, "speed"))
    rows = []
    for active in (8, 32, 128, 512, 1024):
        r, c = np.zeros((10, 1024)), np.zeros((10, 1024))
        r[:, :active] = c[:, :active] = 1
        bar.fire(r, c, 1)
        times = []
        for k in range(21):
            # Two calls go up and two down; the devices of the pairs take turns, so every cell stays near its state.
            sign = 1 if k // 2 % 2 else -1
            t0 = time.perf_counter()
            bar.fire(r, c, sign)
            times.append(time.perf_counter() - t0)
        rows.append({"active": active, "milliseconds": float(np.median(times)) * 1e3})
    return rows


def main() -> None:
    """Run all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32, 100, 256, 1000])
    parser.add_argument("--tile", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    numba.set_num_threads(min(args.threads, numba.config.NUMBA_NUM_THREADS))
    result = {
        "threads": args.threads,
        "reads": [
            row for tile in args.tile for row in reads(args.threads, args.sizes, args.batches, tile, args.rounds)
        ],
        "pulses": pulses(args.threads),
        "coincidence": coincidences(),
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
