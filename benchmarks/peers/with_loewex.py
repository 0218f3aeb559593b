"""Comparison with loeweX/Forward-Forward (PyTorch): a training step of 784-1000-1000-1000 at batch 100 on real digits.

The other program has no hardware: the step of this project on the memristor, with noise, converters, spread and counted events,
is held against a step in float32 without any. Both make three passes, and form the outer products of the same rule. The
agreement is that of this rule: on the other program's weights, with its peer term off, the outer product x^T d / B of this
project's goodness against the gradient of its loss, by the largest relative distance of a layer. Different are the negatives
(likely wrong labels here, random ones there), the read-out, and the optimiser.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from comparison import Agreement, Comparison
from steps import BATCH, data, in_turn, ours, peer, peer_batch, peer_model

from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.normalise import rms

TILE, STEPS = 1024, 10


def comparisons() -> Iterator[Comparison]:
    """Yield the comparison; the checkout is the first folder of the search path that holds its model."""
    folder = next((Path(place) for place in sys.path if (Path(place) / "src" / "ff_model.py").exists()), None)
    if folder is None:
        raise ImportError("its checkout has no src/ff_model.py")
    theirs = peer(folder, torch.get_num_threads())
    operation = f"{STEPS} training steps, 784-1000-1000-1000, batch {BATCH}, memristor against no hardware"
    calls = in_turn(ours(TILE), STEPS), in_turn(theirs, STEPS)
    yield Comparison("loeweX", operation, lambda: same_rule(folder), *calls, runs=1)


def same_rule(folder: Path) -> Agreement:
    """Return the largest relative distance of the changes that both rules ask of a layer's weights."""
    model = peer_model(folder)
    model.opt.model.peer_normalization = 0.0
    images, labels = data()
    shown, truth = peer_batch(images[:BATCH], labels[:BATCH])
    model(shown, truth)["Loss"].backward()
    passes = {True: rms(shown["pos_images"].numpy()), False: rms(shown["neg_images"].numpy())}
    apart = 0.0
    for layer in model.model:
        weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        goodness, wanted = LayerGoodness("sum-of-squares", len(weight)), np.zeros_like(weight)
        for positive, x in passes.items():
            y = np.maximum(x @ weight.T + bias, 0.0)
            wanted += goodness.drive(y, y, positive=positive).T @ x / BATCH
            passes[positive] = rms(y)
        asked = -layer.weight.grad.numpy()
        apart = max(apart, float(np.linalg.norm(wanted - asked) / np.linalg.norm(asked)))
    return Agreement("relative distance of the wanted changes", apart, 1e-3)
