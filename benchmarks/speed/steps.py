"""Training steps of Forward-Forward to time: this project's, the same rule without hardware, and a step of another program."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any  # the objects of PyTorch have no types here

import numpy as np

from analog_ff.config.config import Config, recommended
from analog_ff.datasets import load
from analog_ff.learners.base import Learner
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.runs.build import data_of, frame_of, negatives_of, port_of, wiring_of
from analog_ff.runs.build import learner_of as learner_of_run
from analog_ff.runs.calibrate import calibrate
from hardware_models.chip import Chip

Step = Callable[[int], None]
"""A training step, by its number."""
WIDTHS = (784, 1000, 1000, 1000)
BATCH, BATCHES, CLASSES, EPOCH = 100, 40, 10, 60_000
PIXELS = 784


def data(inputs: int = PIXELS) -> tuple[np.ndarray, np.ndarray]:
    """Return real digits and labels, because the cost of a write depends on the learned changes; else random images."""
    digits = load("mnist-5k", data_dir=None, split="final")
    order = np.random.default_rng(0).permutation(len(digits.x_train))[: BATCHES * BATCH]
    labels = digits.y_train[order].astype(np.int64)
    if inputs == PIXELS:
        return digits.x_train[order], labels
    images = np.random.default_rng(1).random((10 * BATCH, inputs), np.float32)
    return np.where(images < 0.8, np.float32(0.0), images), labels[: len(images)]


def learner_of(tile: int, widths: tuple[int, ...]) -> ForwardForward:
    """Return Forward-Forward on a memristor chip of some widths."""
    shapes = tuple((n + 1, m) for n, m in pairwise(widths))
    chip = Chip("memristor", shapes, tile=(tile, tile), input_scale=12.0)
    network = Stack(chip, [LayerGoodness("sum-of-squares", n) for n in widths[1:]])
    learner = ForwardForward(network, classes=CLASSES, seed=0, update_options={"momentum": 0.98})
    learner.initialise()
    return learner


def ours(tile: int, widths: tuple[int, ...] = WIDTHS, batch: int = BATCH) -> Step:
    """Return a step of this project."""
    return step_of(learner_of(tile, widths), widths[0], batch)


def step_of(learner: Learner, pixels: int, batch: int) -> Step:
    """Return a step of a learner on real digits, or on random images of other sizes."""
    x, y = data(pixels)
    batches = len(x) // batch

    def step(number: int) -> None:
        rows = slice(number % batches * batch, (number % batches + 1) * batch)
        learner.step(x[rows], y[rows], step=number, gain=1.0)

    return step


def in_turn(step: Step, steps: int) -> Callable[[], None]:
    """Return a call that makes `steps` steps, always the same."""

    def call() -> None:
        for number in range(steps):
            step(number)

    return call


def main_job() -> tuple[Step, tuple[int, ...]]:
    """Return a step of the main job (`simulate --device memristor`), on its own chip, and the widths of its network.

    The initial weights are programmed and the groups of lines found before, as in a run; only the shifts of images are left out.
    """
    config = Config(**recommended({"device": "memristor"}))
    found = data_of(config)
    negatives = negatives_of(config, found)
    wiring = wiring_of(config, frame_of(config, found, negatives))
    learner = learner_of_run(config, port_of(config, wiring.shapes), len(found.classes), wiring, negatives)
    learner.initialise()
    calibrate(learner, learner.port, found.x_train, config.seed)
    return step_of(learner, PIXELS, config.batch), (PIXELS, *config.layers)


def plain(widths: tuple[int, ...] = WIDTHS) -> Step:
    """Return a step of the same rule in plain NumPy: float32, momentum as an average, hard negatives, peer term."""
    rng = np.random.default_rng(0)
    sizes = list(pairwise(widths))
    w = [rng.standard_normal((n, m)).astype(np.float32) / np.float32(n**0.5) for n, m in sizes]
    b = [np.zeros(m, np.float32) for _, m in sizes]
    gw, gb = [np.zeros_like(a) for a in w], [np.zeros_like(a) for a in b]
    peer = [np.full(m, 0.5, np.float32) for _, m in sizes]
    v, gv = (np.zeros((sum(widths[1:]), CLASSES), np.float32) for _ in range(2))
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


def products(widths: tuple[int, ...] = WIDTHS) -> Step:
    """Return a step with only the matrix products, into existing arrays."""
    rng = np.random.default_rng(0)
    sizes = list(pairwise(widths))
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


def peer_model(folder: Path) -> Any:
    """Return the network of a checkout of loeweX/Forward-Forward with the settings of its config.yaml."""
    sys.modules.setdefault("torchvision", types.ModuleType("torchvision"))  # only the peer's loaders would use it
    sys.path.insert(0, str(folder))
    from src.ff_model import FF_model  # type: ignore[import-not-found]

    settings = types.SimpleNamespace(
        device="cpu",
        input=types.SimpleNamespace(batch_size=BATCH),
        model=types.SimpleNamespace(hidden_dim=WIDTHS[1], num_layers=3, peer_normalization=0.03, momentum=0.9),
    )
    return FF_model(settings)


def peer(folder: Path, threads: int) -> Step:
    """Return a step of loeweX/Forward-Forward with the settings of its config.yaml."""
    import torch

    torch.set_num_threads(threads)
    model = peer_model(folder)
    head = {id(p) for p in model.linear_classifier.parameters()}
    body = [p for p in model.parameters() if id(p) not in head]
    optimiser = torch.optim.SGD(
        [
            {"params": body, "lr": 1e-3, "weight_decay": 3e-4, "momentum": 0.9},
            {"params": model.linear_classifier.parameters(), "lr": 1e-2, "weight_decay": 3e-3, "momentum": 0.9},
        ]
    )
    images, labels = data()

    def step(number: int) -> None:
        rows = slice(number % BATCHES * BATCH, (number % BATCHES + 1) * BATCH)
        optimiser.zero_grad()
        model(*peer_batch(images[rows], labels[rows]))["Loss"].backward()
        optimiser.step()

    return step


def peer_batch(images: np.ndarray, labels: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a batch as the peer takes it: images with their label, a wrong one and none, and the labels."""
    import torch

    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    shown = [x.clone() for _ in range(3)]
    shown[0][:, :CLASSES] = torch.nn.functional.one_hot(y, CLASSES)
    shown[1][:, :CLASSES] = torch.nn.functional.one_hot((y + torch.randint(1, CLASSES, y.shape)) % CLASSES, CLASSES)
    shown[2][:, :CLASSES] = 1 / CLASSES
    return dict(zip(("pos_images", "neg_images", "neutral_sample"), shown, strict=True)), {"class_labels": y}
