"""Compare the time of a Forward-Forward epoch on the memristor chip with the same epoch without hardware, in one run.

    python benchmarks/speed/epoch.py [--threads 2] [--steps 40] [--rounds 3] [--peer FOLDER] [--json]

The network is 784-1000-1000-1000 at batch 100, update `accumulate`, with read noise, write noise, device spread and 8-bit
converters; one epoch is 60 000 images. Steps are timed in bursts of `--steps`, in turn with

- `numpy`: the same learning rule in simple float32 NumPy without hardware (Hinton's recipe);
- `products`: only the matrix products of a step (three passes, and one outer product over both passes);
- `peer`: a step of the PyTorch implementation github.com/loeweX/Forward-Forward, if torch is installed and `--peer` names
  a checkout of it; its model and optimiser are unchanged and work on tensors in memory (its own loaders would take more time).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import types
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_PROC_BIND", "true")  # a thread stays on its core

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from analog_ff.datasets import load
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from hardware_models.chip import Chip
from hardware_models.kernels.products import one_blas_thread

WIDTHS = (784, 1000, 1000, 1000)
BATCH, BATCHES, CLASSES, EPOCH = 100, 40, 10, 60_000


def data() -> tuple[np.ndarray, np.ndarray]:
    """Return real digits and labels, because the cost of a write depends on the learned changes."""
    digits = load("mnist-5k", data_dir=None, split="final")
    order = np.random.default_rng(0).permutation(len(digits.x_train))[: BATCHES * BATCH]
    return digits.x_train[order], digits.y_train[order].astype(np.int64)


def ours(tile: int) -> Callable[[int], None]:
    """Return a step of this project."""
    shapes = tuple((n + 1, m) for n, m in pairwise(WIDTHS))
    chip = Chip("memristor", shapes, tile=(tile, tile), input_scale=12.0)
    network = Stack(chip, [LayerGoodness("sum-of-squares", n) for n in WIDTHS[1:]])
    learner = ForwardForward(network, classes=CLASSES, seed=0, update_options={"momentum": 0.98})
    learner.initialise()
    x, y = data()

    def step(number: int) -> None:
        rows = slice(number % BATCHES * BATCH, (number % BATCHES + 1) * BATCH)
        learner.step(x[rows], y[rows], step=number, gain=1.0)

    return step


def plain() -> Callable[[int], None]:
    """Return a step of the same rule in plain NumPy: float32, momentum as an average, hard negatives, peer term."""
    rng = np.random.default_rng(0)
    sizes = list(pairwise(WIDTHS))
    w = [rng.standard_normal((n, m)).astype(np.float32) / np.float32(n**0.5) for n, m in sizes]
    b = [np.zeros(m, np.float32) for _, m in sizes]
    gw, gb = [np.zeros_like(a) for a in w], [np.zeros_like(a) for a in b]
    peer = [np.full(m, 0.5, np.float32) for _, m in sizes]
    v, gv = (np.zeros((sum(WIDTHS[1:]), CLASSES), np.float32) for _ in range(2))
    images, labels = data()

    def rms(a: np.ndarray) -> np.ndarray:
        return a / np.sqrt((a * a).mean(axis=1, keepdims=True) + np.float32(1e-8))

    def look(images: np.ndarray, code: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        a = images.copy()
        a[:, :CLASSES] = code
        found, a = [], rms(a)
        for weights, bias in zip(w, b, strict=True):
            x, y = a, np.maximum(a @ weights + bias, 0)
            found.append((x, y))
            a = rms(y)
        return found

    def step(number: int) -> None:
        rows = slice(number % BATCHES * BATCH, (number % BATCHES + 1) * BATCH)
        u, t = images[rows], np.eye(CLASSES, dtype=np.float32)[labels[rows]]
        h = np.concatenate([rms(y) for _, y in look(u, np.float32(0.1) * np.ones_like(t))], axis=1)
        z = h @ v
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        q = p * (1 - t) + 1e-9 * (1 - t)
        wrong = (q.cumsum(axis=1) < rng.random((BATCH, 1)) * q.sum(axis=1, keepdims=True)).sum(axis=1)
        above, below = look(u, t), look(u, np.eye(CLASSES, dtype=np.float32)[wrong])
        for layer in range(len(w)):
            (x0, y0), (x1, y1) = above[layer], below[layer]
            n = y0.shape[1]
            p0, p1 = (1 / (1 + np.exp(-np.clip((y * y).sum(axis=1) - n, -60, 60)))[:, None] for y in (y0, y1))
            d0, d1 = (1 - p0) * y0 + np.float32(0.03) * (peer[layer].mean() - peer[layer]), -p1 * y1
            peer[layer] = 0.9 * peer[layer] + 0.1 * y0.mean(axis=0)
            gw[layer] = 0.9 * gw[layer] + np.float32(0.1 / BATCH) * (x0.T @ d0 + x1.T @ d1)
            gb[layer] = 0.9 * gb[layer] + np.float32(0.1 / BATCH) * (d0.sum(axis=0) + d1.sum(axis=0))
            w[layer] += np.float32(0.01) * (gw[layer] - np.float32(0.002) * w[layer])
            b[layer] += np.float32(0.01) * gb[layer]
        gv[:] = 0.9 * gv + np.float32(0.1 / BATCH) * (h.T @ (t - p))
        v[:] += np.float32(0.1) * (gv - np.float32(0.003) * v)

    return step


def products() -> Callable[[int], None]:
    """Return a step with only the matrix products, into existing arrays."""
    rng = np.random.default_rng(0)
    sizes = list(pairwise(WIDTHS))
    w = [rng.standard_normal((n + 1, m)).astype(np.float32) for n, m in sizes]
    x = [rng.standard_normal((2 * BATCH, n + 1)).astype(np.float32) for n, _ in sizes]
    xt = [np.ascontiguousarray(a.T) for a in x]
    d = [rng.standard_normal((2 * BATCH, m)).astype(np.float32) for _, m in sizes]
    y = [np.empty((BATCH, m), np.float32) for _, m in sizes]
    g = [np.empty_like(a) for a in w]

    def step(number: int) -> None:
        del number
        for layer in range(len(w)):
            for _ in range(3):
                np.matmul(x[layer][:BATCH], w[layer], out=y[layer])
            np.matmul(xt[layer], d[layer], out=g[layer])

    return step


def peer(folder: Path, threads: int) -> Callable[[int], None]:
    """Return a step of loeweX/Forward-Forward with the settings of its config.yaml."""
    import torch

    torch.set_num_threads(threads)
    sys.modules.setdefault("torchvision", types.ModuleType("torchvision"))  # only the peer's loaders would use it
    sys.path.insert(0, str(folder))
    from src.ff_model import FF_model  # type: ignore[import-not-found]

    settings = types.SimpleNamespace(
        device="cpu",
        input=types.SimpleNamespace(batch_size=BATCH),
        model=types.SimpleNamespace(hidden_dim=WIDTHS[1], num_layers=3, peer_normalization=0.03, momentum=0.9),
    )
    model = FF_model(settings)
    head = {id(p) for p in model.linear_classifier.parameters()}
    body = [p for p in model.parameters() if id(p) not in head]
    optimiser = torch.optim.SGD(
        [
            {"params": body, "lr": 1e-3, "weight_decay": 3e-4, "momentum": 0.9},
            {"params": model.linear_classifier.parameters(), "lr": 1e-2, "weight_decay": 3e-3, "momentum": 0.9},
        ]
    )
    images, labels = data()
    x, y = torch.from_numpy(images), torch.from_numpy(labels)

    def step(number: int) -> None:
        rows = slice(number % BATCHES * BATCH, (number % BATCHES + 1) * BATCH)
        shown = [x[rows].clone() for _ in range(3)]
        shown[0][:, :CLASSES] = torch.nn.functional.one_hot(y[rows], CLASSES)
        shown[1][:, :CLASSES] = torch.nn.functional.one_hot(
            (y[rows] + torch.randint(1, CLASSES, (BATCH,))) % CLASSES, CLASSES
        )
        shown[2][:, :CLASSES] = 1 / CLASSES
        inputs = dict(zip(("pos_images", "neg_images", "neutral_sample"), shown, strict=True))
        optimiser.zero_grad()
        model(inputs, {"class_labels": y[rows]})["Loss"].backward()
        optimiser.step()

    return step


def main() -> None:
    """Time all kinds of steps in turn and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tile", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--peer", type=Path, help="checkout of github.com/loeweX/Forward-Forward")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    numba.set_num_threads(min(args.threads, numba.config.NUMBA_NUM_THREADS))
    cases: dict[str, Any] = {f"memristor, tile {tile}": ours(tile) for tile in args.tile}
    cases |= {"numpy": plain(), "products": products()}
    if args.peer is not None:
        try:
            cases["peer"] = peer(args.peer, args.threads)
        except ImportError as error:
            print(f"peer left out: {error}.", file=sys.stderr)
    times: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(args.rounds + 1):  # the first round is for warming up
        for name, step in cases.items():
            time.sleep(0.2)  # threads of a BLAS keep spinning for a while after a call
            with one_blas_thread() if name.startswith("memristor") else threadpool_limits(args.threads, "blas"):
                t0 = time.perf_counter()
                for number in range(args.steps):
                    step(number)
                if turn:
                    times[name].append((time.perf_counter() - t0) / args.steps)
    epoch = {name: float(np.median(found)) * EPOCH / BATCH for name, found in times.items()}
    rows = {
        name: {"epoch_seconds": seconds}
        | {f"ratio_to_{other}": seconds / epoch[other] for other in epoch if other != name}
        for name, seconds in epoch.items()
    }
    if args.json:
        print(json.dumps({"threads": args.threads, "steps": args.steps, "rounds": args.rounds, "cases": rows}))
        return
    for name, row in rows.items():
        others = ", ".join(
            f"{row[f'ratio_to_{o}']:.2f} x {o}" for o in ("numpy", "products", "peer") if f"ratio_to_{o}" in row
        )
        print(f"{name:>22}: {row['epoch_seconds']:6.1f} s an epoch of {EPOCH} images ({others})")


if __name__ == "__main__":
    main()
