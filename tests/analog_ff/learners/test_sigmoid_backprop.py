"""The NeuroSim benchmark's learner and what it needs: gradient, rounding to whole pulses, images cut and black and white."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.datasets import load
from analog_ff.datasets.preprocess import binarised, cropped
from analog_ff.learners import LEARNERS
from analog_ff.learners.sigmoid_backprop import SigmoidBackprop
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.schedule import Moment
from analog_ff.runs.execute import execute
from analog_ff.updates.accumulate import Accumulate
from hardware_models.check import RunError, UsageError
from hardware_models.chip import Chip
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.port import SealedChipError

LAYERS = ((13, 9), (10, 7), (8, 4))
RECIPE = {**LEARNERS["backprop-sigmoid"].recipe, "learner": "backprop-sigmoid"}


def made(chip, **more) -> SigmoidBackprop:
    network = Stack(chip, [LayerGoodness("sum-of-squares", n) for _, n in chip.shapes], label_place="none")
    learner = SigmoidBackprop(network, classes=4, seed=2, **more)
    learner.initialise()
    return learner


def chip_of(device: str = "ideal", **more) -> Chip:
    return Chip(device, LAYERS, nonlinearity="sigmoid", weight_range=8.0, input_scale=1.0, **more)


def batch() -> tuple[np.ndarray, np.ndarray]:
    rng = Key(1, "images").generator()
    return rng.random((6, 12)).astype(np.float32), rng.integers(0, 4, 6)


def squared_error(weights, images, labels) -> float:
    """Return the squared error in float64: a slow twin of the network that sends y itself."""
    a = images.astype(np.float64)
    for w in weights:
        a = 1 / (1 + np.exp(-a @ w[:-1]))
    return 0.5 * float(((np.eye(4)[labels] - a) ** 2).sum())


def test_the_drive_is_the_gradient() -> None:
    """x^T delta is minus the numerical derivative of the squared error, for weights of all three layers."""
    chip = chip_of(dac=None, adc=None)
    learner = made(chip, binary=False)
    images, labels = batch()
    sent, answers, _ = learner.through(images, Key(0, "t"), "forward")
    drives, _ = learner.backward(answers, labels)
    weights = [chip.oracle.weights(layer).astype(np.float64) for layer in range(3)]
    h = 1e-6
    for layer in range(3):
        asked = sent[layer].T.astype(np.float64) @ drives[layer]
        assert np.abs(asked).max() > 0.01 and not asked[-1].any()  # nothing drives the bias row
        for place in np.ndindex(*weights[layer].shape):
            moved = []
            for sign in (1, -1):
                changed = [w.copy() for w in weights]
                changed[layer][place] += sign * h
                moved.append(squared_error(changed, images, labels))
            assert asked[place] == pytest.approx((moved[1] - moved[0]) / (2 * h), rel=1e-3, abs=1e-4)


def test_hidden_layers_send_one_bit_and_the_output_learns_at_half_the_rate(monkeypatch) -> None:
    """The next array sees 0 or 1, slope and update the many-valued output; eta, eta, eta/4 whatever the gain is."""
    learner = made(chip_of())
    images, labels = batch()
    sent, answers, _ = learner.through(images, Key(0, "t"), "forward")
    for x, y in zip(sent[1:], answers, strict=False):
        assert np.array_equal(x[:, :-1], y >= 0.5) and 0 < x.mean() < 1
    assert len(np.unique(answers[0])) > 2
    rates, taken = [], []

    def note(update, x, d, images, rate, *more) -> Events:
        rates.append(rate)
        taken.append(x.copy())
        return Events()

    monkeypatch.setattr(Accumulate, "apply", note)
    learner.step(images, labels, step=0, gain=0.1)
    assert rates == [0.8, 0.8, 0.2]
    _, answers, _ = made(chip_of()).through(images, Key(2, "train", 0), "forward")
    for x, y in zip(taken[1:], answers, strict=False):
        assert np.array_equal(x[:, :-1], y) and not x[:, -1].any()


def test_initial_weights_are_sixths() -> None:
    weights = made(chip_of()).port.oracle.weights(0)
    assert np.allclose(weights[:-1] * 6, np.rint(weights[:-1] * 6), atol=0.01) and not weights[-1].any()
    assert set(np.rint(weights[:-1] * 6).astype(int).ravel()) == set(range(-3, 4))


def test_truncation_loses_what_is_below_one_pulse() -> None:
    """n = trunc(eta g/Delta W) towards zero, for both signs."""
    chip = Chip("memristor", ((3, 4),))
    update = Accumulate(chip, 0, momentum=0.0, rounding="truncate")
    x = np.array([[1.0, 1.0, 0.0]], np.float32)
    d = np.array([[0.99, -0.99, 2.5, -2.5]], np.float32) * chip.datasheet[0].weight_step
    events = update.apply(x, d, 1, 1.0, 1.0, Key(0, "t"))
    assert np.array_equal(update._counts, [[0, 0, 2, -2]] * 2 + [[0] * 4])
    assert events["rng.bits"] == 0 and events["write.selected"] == 8
    with pytest.raises(UsageError, match="truncate"):
        Accumulate(chip, 0, rounding="down")


def test_the_middle_of_an_image() -> None:
    data = load("digits")  # 8 x 8
    squares = data.x_train.reshape(-1, 8, 8)
    for side, first in ((4, 2), (5, 1), (8, 0)):
        cut = cropped(data, side)
        kept = squares[:, first : first + side, first : first + side]
        assert np.array_equal(cut.x_train, kept.reshape(len(squares), -1))
        assert (cut.height, cut.width) == (side, side) and cut.x_test.shape == (len(data.x_test), side * side)
    with pytest.raises(UsageError, match="--crop 9 needs"):
        cropped(data, 9)


def test_black_and_white() -> None:
    data = binarised(load("digits"), 0.5)
    assert np.array_equal(data.x_train, load("digits").x_train >= 0.5)
    assert set(np.unique(data.x_test)) == {0.0, 1.0} and data.x_train.dtype == np.float32


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"nonlinearity": "relu"}, "choose --nonlinearity sigmoid"),
        ({"readout": "softmax"}, "choose --readout output"),
        ({"readout_rate": 0.3}, "leave --readout-rate out"),
        ({"sealed": True}, "choose --learner backprop-nominal"),
        ({"network": "recurrent"}, "choose --network stack"),
        ({"learner": "backprop"}, "choose --readout softmax"),
        ({"crop": 0}, "--crop"),
        ({"binarise": 1.5}, "--binarise"),
        ({"images_per_epoch": 0}, "--images-per-epoch"),
    ],
)
def test_choices_that_do_not_go_together(choices: dict, says: str) -> None:
    """Each is refused in one sentence that names what would do."""
    with pytest.raises(UsageError, match=says) as caught:
        Config(**{**RECIPE, **choices})
    assert "\n" not in str(caught.value)


def test_what_it_cannot_train_is_refused() -> None:
    network = Stack(chip_of(), [LayerGoodness("sum-of-squares", n) for _, n in LAYERS], label_place="none")
    with pytest.raises(UsageError, match="one a class, got 4"):
        SigmoidBackprop(network, classes=5, seed=0)
    with pytest.raises(UsageError, match="--schedule interleaved"):
        made(chip_of()).step(*batch(), step=0, gain=1.0, moment=Moment(0, 0, negative=False))
    with pytest.raises(SealedChipError):
        made(chip_of(sealed=True)).step(*batch(), step=0, gain=1.0)


def test_too_many_images_are_refused_before_anything_is_written(tmp_path) -> None:
    config = Config(**{**RECIPE, "data": "digits", "images_per_epoch": 10**6, "out": str(tmp_path / "run")})
    with pytest.raises(UsageError, match="--images-per-epoch is at most"):
        execute(config, quiet=True)
    assert not (tmp_path / "run").exists()


def run_of(tmp_path, name: str, device: str = "memristor", images: int = 100) -> Config:
    return Config(**{
        **RECIPE, "device": device, "data": "digits", "crop": 6, "binarise": 0.5, "images_per_epoch": images, "epochs": 3,
        "layers": (40,), "out": str(tmp_path / name), "split": "holdout", "weight_range": 6.0,
    })  # fmt: skip


@pytest.mark.slow
def test_a_run_learns_and_resumes_bit_for_bit(tmp_path) -> None:
    """It beats guessing by far with the images of an epoch counted; interrupted and resumed it ends the same."""
    result, folder = execute(run_of(tmp_path, "ideal", "ideal", 400), quiet=True)
    assert result["validation_error_percent_by_readout"].keys() == {"output"}
    assert result["validation_error_percent"] < 50 and result["images"]["learn"] == 3 * 400

    whole, _ = execute(run_of(tmp_path, "whole"), quiet=True)
    config = run_of(tmp_path, "halves")

    def stop(epoch: int) -> None:
        if epoch == 2:
            raise OSError("stopped")

    with pytest.raises(RunError):
        execute(config, quiet=True, after_epoch=stop)
    again, _ = execute(config, resume=True, quiet=True)
    for entry in ("events", "validation_error_percent_by_readout", "images"):
        assert json.dumps(again[entry]) == json.dumps(whole[entry])
