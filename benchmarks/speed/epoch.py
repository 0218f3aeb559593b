"""Compare the time of a Forward-Forward epoch on the memristor chip with the same epoch without hardware, in one run.

    python benchmarks/speed/epoch.py [--threads 2] [--steps 40] [--rounds 3] [--peer FOLDER] [--json]

The network is 784-1000-1000-1000 at batch 100, update `accumulate`, with read noise, write noise, device spread and 8-bit
converters; one epoch is 60 000 images. Bursts of `--steps` steps are timed (wall time; processor time with one thread), in turn
with

- `numpy`: the same learning rule in simple float32 NumPy without hardware (Hinton's recipe);
- `products`: only the matrix products of a step (three passes, and one outer product over both passes);
- `main job`: the main job's own settings and network, 784-500-500 (`simulate --device memristor`: int8 average, gate, wires, line
  groups), with `numpy` and `products` of these widths beside it;
- `peer`: a step of the PyTorch implementation github.com/loeweX/Forward-Forward, if torch is installed and `--peer` names
  a checkout of it; its model and optimiser are unchanged and work on tensors in memory (its own loaders would take more time).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from steps import BATCH, EPOCH, Step, in_turn, main_job, ours, peer, plain, products
from timing import Turn, machine, positive, ratio, taking_turns, thread_count, warn

OTHERS = ("numpy", "products", "peer")
MAIN = "main job"


def beside(name: str, other: str) -> str:
    """Return the case of the kind `other` with the widths of a case."""
    return f"{other}, {MAIN}" if name.endswith(MAIN) else other


def cases(args: argparse.Namespace) -> dict[str, Turn]:
    """Return the kinds of steps, by name."""
    steps: dict[str, Step] = {f"memristor, tile {tile}": ours(tile) for tile in args.tile}
    steps |= {"numpy": plain(), "products": products()}
    steps[MAIN], widths = main_job()
    steps |= {beside(MAIN, "numpy"): plain(widths), beside(MAIN, "products"): products(widths)}
    if args.peer is not None:
        try:
            steps["peer"] = peer(args.peer, args.threads)
        except ImportError as error:
            print(f"peer left out: {error}.", file=sys.stderr)
    return {name: Turn(in_turn(step, args.steps), free=name.startswith(OTHERS)) for name, step in steps.items()}


def main() -> None:
    """Time all kinds of steps in turn and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=thread_count, default=2)
    parser.add_argument("--steps", type=positive, default=40)
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--tile", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--peer", type=Path, help="checkout of github.com/loeweX/Forward-Forward")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    warn([args.threads])
    found = taking_turns(cases(args), args.threads, args.rounds + 1, runs=1, warm=0)
    times = {name: each[1:] / args.steps for name, each in found.items()}  # the first round is for warming up
    rows: dict[str, dict[str, float]] = {}
    for name, each in times.items():
        rows[name] = {"epoch_seconds": float(np.median(each)) * EPOCH / BATCH}
        for other in times.keys() - {name}:
            one = ratio(each, times[other])
            rows[name] |= {
                f"ratio_to_{other}": one.median,
                f"least_to_{other}": one.least,
                f"most_to_{other}": one.most,
            }
    if args.json:
        said = {"threads": args.threads, "steps": args.steps, "rounds": args.rounds, "machine": machine()}
        print(json.dumps({**said, "cases": rows}))
        return
    for name, row in rows.items():
        compared = [beside(name, other) for other in OTHERS]
        others = ", ".join(f"{row[f'ratio_to_{o}']:.2f} x {o}" for o in compared if f"ratio_to_{o}" in row)
        print(f"{name:>22}: {row['epoch_seconds']:6.1f} s an epoch of {EPOCH} images ({others})")


if __name__ == "__main__":
    main()
