"""Compare pulse responses with aihwkit for presets that both have: a two-sample test of distributions after n pulses.

    python benchmarks/peers/aihwkit_pulses.py [--cells 1000] [--json > benchmarks/results/peers/aihwkit_pulses.json]

Both start at weight zero and get n pulses up, or down, one by one. The table shows mean and standard deviation over cells (with
all spread and noise) in units of aihwkit's weight, the Kolmogorov-Smirnov distance D and its p-value. aihwkit draws its
bounds from a normal distribution and its steps from one that is cut at zero, this project from log-normal ones, so that
equal means and deviations with a significant D are expected if the spread is large; the test shows how large D is.

aihwkit (github.com/IBM/aihwkit) is not a dependency; without it the script ends with a message.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import numpy as np
from scipy.stats import ks_2samp

from analog_ff.runs.identity import digest, figures
from hardware_models.keys import Key
from hardware_models.load import load_device

PAIRS = {
    "gong2018_reram_es": "ReRamESPresetDevice",
    "gong2018_reram_sb": "ReRamSBPresetDevice",
    "gong2022_reram_om": "ReRamArrayOMPresetDevice",
    "gong2022_reram_hfo2": "ReRamArrayHfO2PresetDevice",
    "gokmen2016_rpu": "GokmenVlasovPresetDevice",
    "rasch2019_idealized": "IdealizedPresetDevice",
    "li2018_capacitor": "CapacitorPresetDevice",
    "tang2018_ecram": "EcRamPresetDevice",
    "kim2019_ecram": "EcRamMOPresetDevice",
}
COUNTS = (1, 10, 100, 300)


def theirs(name: str, sign: int, cells: int) -> tuple[np.ndarray, float]:
    """Return weights (counts, cells) of an aihwkit preset after different numbers of pulses, and its weight range."""
    from aihwkit.simulator.configs import SingleRPUConfig
    from aihwkit.simulator.presets import devices
    from aihwkit.utils.visualization import compute_pulse_response, get_tile_for_plotting

    device = getattr(devices, name)()
    tile = get_tile_for_plotting(SingleRPUConfig(device=device), cells, w_init=0.0)
    trace = compute_pulse_response(tile, np.full(max(COUNTS), float(sign)))
    return trace[[n - 1 for n in COUNTS], :, 0], float(device.w_max - device.w_min)


def ours(name: str, sign: int, cells: int, width: float) -> np.ndarray:
    """Return weights (counts, cells) of this project's parameter file; weight zero is the state with nominal steps."""
    device: Any = load_device(name)
    key = Key(0, "peers")
    state = device.fabricate((1, cells), key)
    zero = device.g_min + getattr(device, "center", getattr(device, "zero", 0.5)) * device.g_range
    for field in ("g", "hidden"):
        if hasattr(state, field):
            getattr(state, field)[:] = np.clip(zero, state.low, state.high)
    rows = []
    for n in range(1, max(COUNTS) + 1):
        device.pulse(state, np.full((1, cells), sign, np.int32), key.child("pulse").at(n))
        if n in COUNTS:
            rows.append((state.g[0].astype(np.float64) - zero) / device.g_range * width)
    return np.array(rows)


def main() -> None:
    """Compare all pairs of presets and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    try:
        import aihwkit
    except ImportError:
        print("aihwkit is not installed: nothing to compare with (pip install aihwkit).", file=sys.stderr)
        return
    rows: list[dict[str, Any]] = []
    for name, preset in PAIRS.items():
        for sign in (1, -1):
            there, width = theirs(preset, sign, args.cells)
            here = ours(name, sign, args.cells, width)
            for n, a, b in zip(COUNTS, here, there, strict=True):
                test = ks_2samp(a, b, method="asymp")
                figured = digest(figures(load_device(name)))
                rows.append({"device": name, "figures": figured, "pulses": sign * n, "mean": a.mean(), "deviation": a.std(),
                             "aihwkit_mean": b.mean(), "aihwkit_deviation": b.std(), "distance": test.statistic,
                             "p": test.pvalue})  # fmt: skip
    if args.json:
        print(json.dumps({"aihwkit": aihwkit.__version__, "cells": args.cells, "rows": rows}, default=float, indent=1))
        return
    print(f"{'device':22} {'pulses':>6} {'ours':>18} {'aihwkit':>18} {'D':>6} {'p':>8}")
    for r in rows:
        mine, other = (f"{r[p + 'mean']:8.4f} +- {r[p + 'deviation']:.4f}" for p in ("", "aihwkit_"))
        print(f"{r['device']:22} {r['pulses']:6d} {mine:>18} {other:>18} {r['distance']:6.3f} {r['p']:8.2g}")


if __name__ == "__main__":
    main()
