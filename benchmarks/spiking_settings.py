"""Compare settings of the spiking network on images that are not used to test any result.

    python benchmarks/spiking_settings.py [--seeds 2] [--only WORD] [--data-dir DIR]   run the missing points
    python benchmarks/run.py --tables                                                  write the table into docs/results.md

The 500 images of mnist-5k's validation part can only tell settings apart that differ by two points. These runs therefore learn
from 4000 images of MNIST's training set and are judged on 5000 others of it, none of which is in mnist-5k. Each point
is one run, and its result is one line of benchmarks/results/spiking_settings.jsonl; a stored point is not run again.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import store  # noqa: E402
from identity import older  # noqa: E402

from analog_ff.datasets import load  # noqa: E402
from analog_ff.datasets.base import Dataset  # noqa: E402
from analog_ff.runs.model import MODEL  # noqa: E402
from analog_ff.spiking.config import SpikingConfig  # noqa: E402
from analog_ff.spiking.simulation import simulate  # noqa: E402

STORED = "spiking_settings"
LEARNED, JUDGED = 4000, 5000
ONE = {"layers": (500,), "epochs": 20}
SLOW = {
    "layers": (500,), "epochs": 10, "present": 120.0, "peak_rate": 100.0, "label_rate": 200.0, "initial": 1.5,
    "learning_rate": 1.5e-4, "adaptation": 0.3, "refractory": 3.0,
}  # fmt: skip
SETTINGS: dict[str, dict[str, Any]] = {
    "one layer of 500, 20 epochs": ONE,
    "one layer, hard negatives": {**ONE, "negatives": "hard"},
    "one layer of 1000": {**ONE, "layers": (1000,)},
    "one layer, shifts by up to 2 pixels": {**ONE, "shift": 2},
    "one layer, eta to 0": {**ONE, "final_rate": 0.0},
    "one layer, threshold 8": {**ONE, "theta": 8.0},
    "one layer, 20 cells a label": {**ONE, "label_cells": 20},
    "one layer, first weights 1.5": {**ONE, "initial": 1.5},
    "one layer, 40 epochs": {**ONE, "epochs": 40},
    "one layer, 40 epochs, threshold 8, eta to 0": {**ONE, "epochs": 40, "theta": 8.0, "final_rate": 0.0},
    "physiological, 10 epochs": SLOW,
    "physiological, 20 epochs": {**SLOW, "epochs": 20},
    "physiological, adaptation .4, 20 epochs": {**SLOW, "epochs": 20, "adaptation": 0.4},
}


def tuning_set(data_dir: str | None) -> Dataset:
    """Return the images for learning and for judging, from MNIST's training set and not from mnist-5k."""
    whole, small = load("mnist", data_dir=data_dir), load("mnist-5k")
    known = {x.tobytes() for part in (small.x_train, small.x_test) for x in _bytes(part)}
    free = np.flatnonzero([x.tobytes() not in known for x in _bytes(whole.x_train)])
    order = np.random.default_rng(5).permutation(free)
    learned, judged = order[:LEARNED], order[LEARNED : LEARNED + JUDGED]
    return whole._replace(
        name="mnist, tuning", x_train=whole.x_train[learned], y_train=whole.y_train[learned],
        x_test=whole.x_train[judged], y_test=whole.y_train[judged],
    )  # fmt: skip


def _bytes(images: np.ndarray) -> np.ndarray:
    flat = images.reshape(len(images), -1)
    return np.rint(flat * (255.0 / flat.max())).astype(np.uint8)


def current(settings: dict[str, Any], seed: int) -> bool:
    """Tell whether a point is stored and comes from the current model."""
    point = store.point(STORED, {**settings, "seed": seed})
    return point is not None and not older(point, "spiking", settings)


def run(name: str, settings: dict[str, Any], seed: int, data: Dataset) -> None:
    """Run one point and store its result."""
    outcome = simulate(SpikingConfig(**settings, data="mnist", seed=seed, chip_seed=seed), data=data, quiet=True)
    counts = [c[::2] for c in outcome.statistics.counts]  # right label, image by image
    present = SpikingConfig(**settings).present * 1e-3
    point = {
        "label": name, "options": {**settings, "seed": seed}, "model": MODEL, "error_percent": outcome.errors(),
        "mean_rate_hertz": [float(c.mean()) / present for c in counts],
        "active_rate_hertz": [float(c[c > 0].mean()) / present for c in counts],
        "share_silent": [float((c.sum(axis=0) == 0).mean()) for c in counts],
    }  # fmt: skip
    store.keep(STORED, point)


def table() -> list[str]:
    """Return the lines of the table with all settings that were run."""
    found: dict[str, list[dict[str, Any]]] = {}
    for point in store.points(STORED).values():
        found.setdefault(point["label"], []).append(point)
    if not found:
        return []
    lines = ["## Settings of the spiking network", "", "`python benchmarks/spiking_settings.py`", "",
             f"{LEARNED} images of MNIST's training set learned, {JUDGED} others of it judged, none of them in mnist-5k.", "",
             "| setting | seeds | error [%] | rate of all cells [Hz] | of active ones [Hz] | cells that never fire |",
             "|---|---:|---:|---:|---:|---:|"]  # fmt: skip
    notes: set[str] = set()
    for name in (n for n in SETTINGS if n in found):
        points = found[name]
        notes |= {note for p in points if (note := older(p, "spiking"))}
        errors = [p["error_percent"]["energy"] for p in points]
        spread = f" ± {statistics.stdev(errors):.1f}" if len(errors) > 1 else ""
        mean, active, silent = (
            statistics.mean(p[key][0] for p in points)
            for key in ("mean_rate_hertz", "active_rate_hertz", "share_silent")
        )
        lines.append(
            f"| {name} | {len(points)} | {statistics.mean(errors):.1f}{spread} | {mean:.1f} | {active:.0f} | {silent:.0%} |"
        )
    return [*lines, "", *(line for note in sorted(notes) for line in (f"Measured {note}.", ""))]


def main() -> None:
    """Run the missing points and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", default="", help="settings whose name has this in it")
    parser.add_argument("--data-dir", help="folder of the data sets")
    args = parser.parse_args()
    data = tuning_set(args.data_dir)
    for seed in range(args.seeds):
        for name, settings in SETTINGS.items():
            if args.only in name and not current(settings, seed):
                print(f"{name}, seed {seed} ...", file=sys.stderr, flush=True)
                run(name, settings, seed, data)
    print("\n".join(table()))


if __name__ == "__main__":
    main()
