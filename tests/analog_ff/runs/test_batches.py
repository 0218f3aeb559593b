"""Batches: every row is shown once an epoch, and a short last batch brings its share of a full one, for every learner."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.datasets import load
from analog_ff.objective.schedule import SCHEDULES, Moment
from analog_ff.runs.batches import Batches
from analog_ff.runs.build import frame_of, learner_of, negatives_of, port_of, wiring_of
from analog_ff.runs.execute import execute
from hardware_models.check import UsageError
from hardware_models.keys import Key
from hardware_models.tables import lookup


@pytest.mark.parametrize(
    ("rows", "size", "shown", "least", "sizes"),
    [(199, 100, None, 1, [100, 99]), (200, 100, None, 1, [100, 100]), (50, 100, None, 1, [50]),
     (300, 100, 150, 1, [100, 50]), (300, 100, 30, 1, [30]), (201, 100, None, 1, [100, 100, 1]),
     (201, 100, None, 2, [100, 101]), (3, 2, None, 2, [3]), (5, 1, None, 1, [1] * 5)],
)  # fmt: skip
@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_every_row_is_shown_once_an_epoch(
    name: str, rows: int, size: int, shown: int | None, least: int, sizes: list[int]
) -> None:
    """In the order of the epoch's key, cut where batches are full; one of too few joins the batch before it."""
    batches, epochs = Batches(rows, size, shown=shown, least=least), 2
    schedule = lookup("schedule", name, SCHEDULES)(epochs, batches.number, 1)
    found = [pair for epoch in range(epochs) for pair in batches.of_epoch(schedule, epoch, 7)]
    assert {moment.full for moment, _ in found} == {min(size, shown or rows, rows)}
    for epoch in range(epochs):
        order = Key(7, "order", epoch).generator().permutation(rows)[: shown or rows]
        for kind in ("positive", "negative"):
            cut = [chosen for moment, chosen in found if moment.epoch == epoch and getattr(moment, kind)]
            assert [len(chosen) for chosen in cut] == sizes
            assert np.array_equal(np.concatenate(cut), order)


# --- the share of a short batch ---

CASES: dict[str, dict] = {
    "forward-forward": {},
    "int8 words": {"update": "accumulate-int8"},
    "silent products": {"skip_silent": True},
    "hybrid": {"negatives": "hybrid"},
    "recurrent": {"network": "recurrent", "iterations": 4, "learning_rate": 1e-4},
    "convolution": {"network": "convolution", "patch": (3,), "stride": (2,)},
    "node slope": {"slope": "node-perturbation"},
    "pipelined": {"schedule": "pipelined", "negatives": "random", "learning_rate": 1e-4},
    "dimensionality": {"learner": "dimensionality"},
    "competitive": {"learner": "competitive", "readout": "competition"},
    **{name: {"learner": name} for name in (
        "backprop", "backprop-nominal", "feedback-alignment", "pepita", "local-softmax", "node-perturbation",
        "weight-perturbation", "backprop-programmed", "random-features")},
    "backprop-sigmoid": {"learner": "backprop-sigmoid", "nonlinearity": "sigmoid", "readout": "output"},
}  # fmt: skip

COARSE = {"int8 words": 0.2, "recurrent": 0.03, "pipelined": 0.03}
"""Largest deviation by case, else 1e-3: words of 8 bits are rounded, and what is learned on the way counts at once."""


def learner(more: dict):
    """Return a learner on an ideal chip whose averages remember nothing, after a first step, and its port."""
    read = {"readout_decay": 0.0} if more.get("readout") != "output" else {}
    momentum = {} if more.get("learner") in ("weight-perturbation", "random-features") else {"momentum": 0.0}
    choices = {"data": "toy", "device": "ideal", "layers": (12, 10), "shift": 0, "dac": None, "adc": None}
    config = Config(**(choices | read | momentum | more))
    data = load("toy")
    negatives = negatives_of(config, data)
    wiring = wiring_of(config, frame_of(config, data, negatives))
    port = port_of(config, wiring.shapes)
    made = learner_of(config, port, 2, wiring, negatives)
    made.initialise()
    made.step(data.x_train[:30], data.y_train[:30], step=0, gain=1.0)
    for readout in (made.softmax, *getattr(made, "local", [])):
        readout.smoothed[:] = 0.0
    return made, port, data


def weights(made, port) -> list[np.ndarray]:
    """Return all weights: of the chip, of its digital model, of the read-outs."""
    found = [port.oracle.weights(layer).astype(np.float64) for layer in range(len(port.shapes))]
    found += [w.astype(np.float64) for w in getattr(made, "weights", [])]
    found += [w.weights.astype(np.float64) for w in (made.softmax, *getattr(made, "local", []))]
    return found


@pytest.mark.parametrize("name", list(CASES))
def test_a_short_batch_brings_its_share_of_a_full_one(name: str) -> None:
    """12 images of a batch of 30 change every weight by 12/30 of what they would as a batch of their own."""
    made, port, data = learner(CASES[name])
    state, before = (port.save(), made.save()), weights(made, port)
    rows, moved = slice(100, 112), {}
    for full in (None, 30):
        port.restore(state[0])
        made.restore(state[1])
        made.step(data.x_train[rows], data.y_train[rows], step=1, gain=1.0, moment=Moment(0, 1, full=full))
        moved[full] = [now - then for now, then in zip(weights(made, port), before, strict=True)]
    coarse = COARSE.get(name, 1e-3)
    changed = 0
    for own, share in zip(moved[None], moved[30], strict=True):
        size = np.abs(own).max()
        changed += size > 0
        np.testing.assert_allclose(share, 0.4 * own, atol=coarse * size + 1e-6)
    assert changed >= (1 if name == "random-features" else 2), [np.abs(w).max() for w in moved[None]]


# --- runs ---


def test_a_run_shows_every_row(tmp_path: Path) -> None:
    """199 rows at batch 100: 398 images in two epochs, and the last 99 change the chip."""
    toy = load("toy")
    file = tmp_path / "rows.npz"
    np.savez(file, x_train=toy.x_train[:199], y_train=toy.y_train[:199], x_test=toy.x_test, y_test=toy.y_test)
    choices = {"data": str(file), "device": "ideal", "layers": (6,), "batch": 100, "shift": 0}
    result, folder = execute(Config(**choices, epochs=2, out=str(tmp_path / "all")), quiet=True)
    assert result["images"]["learn"] == 2 * 199
    lines = (folder / "metrics.csv").read_text().splitlines()
    assert [int(float(line.split(",")[lines[0].split(",").index("images")])) for line in lines[1:]] == [199, 398]


def test_hybrids_of_a_last_single_image_join_the_batch_before(tmp_path: Path) -> None:
    """A hybrid is made of two images: 101 at batch 100 are one batch of 101; an epoch of one image is refused."""
    choices = {"data": "toy", "device": "ideal", "layers": (6,), "batch": 100, "negatives": "hybrid", "epochs": 1}
    result, _ = execute(Config(**choices, images_per_epoch=101, out=str(tmp_path / "run")), quiet=True)
    assert result["images"]["learn"] == 101
    with pytest.raises(UsageError, match="--batch 2 or more"):
        execute(Config(**choices, images_per_epoch=1, out=str(tmp_path / "none")), quiet=True)
