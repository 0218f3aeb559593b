"""Self-contrastive negatives: one product of a sum is the product of a pair; no label is used; runs go on to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.datasets import load
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.hybrid import partners
from analog_ff.objective.negatives import load_negatives
from analog_ff.objective.normalise import rms
from analog_ff.runs.execute import execute
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.keys import Key


def rng(name: str) -> np.random.Generator:
    return Key(0, "test-self-contrastive").child(name).generator()


def test_a_pair_through_the_same_weights_is_the_sum_through_them() -> None:
    """The negative is, up to its length, what W sees of an image and another one; the positive what it sees of one twice."""
    images = rng("images").random((30, 16))
    made, labels = load_negatives("self-contrastive", 16)(images, np.zeros(30, int), np.zeros((30, 2)), rng("draw"))
    other = partners(30, rng("draw"))
    assert labels is None and (other != np.arange(30)).all() and len(set(other)) == 30
    w = rng("weights").standard_normal((16, 5))
    np.testing.assert_allclose(2.0 * made @ w, images @ w + images[other] @ w, rtol=1e-12)
    np.testing.assert_allclose(rms(images + images), rms(images), rtol=1e-12)
    assert made.min() >= 0.0 and made.max() <= 1.0


def test_the_additions_are_counted_and_no_label_reaches_the_layers() -> None:
    """Other labels of the same images leave every cell as it is; each pixel of a negative is one addition."""
    data, chips = load("toy"), []
    for labels in (data.y_train, 1 - data.y_train):
        port = Chip("memristor", ((65, 12), (13, 8)))
        network = Stack(port, [LayerGoodness("sum-of-squares", n) for _, n in port.shapes], label_place="none")
        ours = ForwardForward(network, classes=2, seed=0, negatives=load_negatives("self-contrastive", 64))
        ours.initialise()
        for step in range(3):
            tally = ours.step(data.x_train[:40], labels[:40], step=step, gain=1.0)
        assert tally.layers["shared"]["add.int32"] == 40 * 64
        chips.append(port.save())
    assert all(np.array_equal(chips[0][name], chips[1][name]) for name in chips[0])


def test_it_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    options = {"data": "toy", "layers": (12,), "epochs": 1, "device": "ideal", "negatives": "self-contrastive"}
    for more, said in (({"batch": 1}, "give --batch 2 or more"), ({"readout": "energy"}, "choose --readout softmax")):
        with pytest.raises(UsageError, match=said):
            execute(Config(**{**options, **more, "out": str(tmp_path / "run")}), quiet=True)
    assert not (tmp_path / "run").exists()


NEW = {
    "self-contrastive": {"negatives": "self-contrastive"},
    "collaboration": {"collaboration": 0.5},
    "top-k": {"goodness": "top-k", "winners": 0.2},
}
SCHEMES = {
    "accumulate": {},
    "accumulate-int8": {"update": "accumulate-int8", "write_every": 2},
    "coincidence": {"update": "coincidence", "learning_rate": 0.002},
    "tiki-taka-v2": {"update": "tiki-taka-v2", "fast_device": "gong2018_reram_sb"},
}


class Stopped(Exception):
    """The end of a run that does not end by itself."""


def stop(done: int) -> None:
    raise Stopped


@pytest.mark.parametrize("update", sorted(SCHEMES))
@pytest.mark.parametrize("rule", sorted(NEW))
def test_every_rule_runs_with_every_update_and_goes_on_to_the_bit(rule: str, update: str, tmp_path: Path) -> None:
    """A run that is stopped after its first epoch ends as one that is not."""
    choices = {
        "data": "toy", "device": "memristor", "layers": (10, 8), "epochs": 2, "batch": 50, "images_per_epoch": 150,
        **NEW[rule], **SCHEMES[update],
    }  # fmt: skip
    whole, _ = execute(Config(**choices, out=str(tmp_path / "whole")), quiet=True)
    folder = tmp_path / "part"
    with pytest.raises(Stopped):
        execute(Config(**choices, out=str(folder)), quiet=True, after_epoch=stop)
    part, _ = execute(Config(**choices, out=str(folder)), resume=True, quiet=True)
    same = ("events", "integrals", "test_error_percent_by_readout", "cells", "activity")
    assert all(part[name] == whole[name] for name in same) and part["images"]["learn"] == 300
