"""The label never covers what an image says: over the first inputs where all training images are 0, beside them elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.datasets import load
from analog_ff.datasets.base import Dataset
from analog_ff.datasets.preprocess import binarised, cropped
from analog_ff.runs.build import frame_of, negatives_of, wiring_of
from analog_ff.runs.execute import execute


def dataset(x_train: np.ndarray, x_test: np.ndarray | None = None, classes: int = 3) -> Dataset:
    """Return vectors as a data set of so many classes."""
    rows = np.asarray(x_train, np.float32)
    labels = np.arange(len(rows)) % classes
    tested = rows if x_test is None else np.asarray(x_test, np.float32)
    names = tuple(range(classes))
    return Dataset("vectors", rows, labels, tested, np.arange(len(tested)) % classes, names, 1, rows.shape[1])


def inputs_of(data: Dataset, **choices) -> int:
    """Return the word lines of the first layer without the bias row's."""
    config = Config(layers=(5,), **choices)
    return wiring_of(config, frame_of(config, data, negatives_of(config, data))).shapes[0][0] - 1


def test_the_label_takes_the_first_inputs_only_if_every_training_image_spares_them() -> None:
    """One value of one image in the first C inputs is enough; the input behind them is not asked, nor is a test image."""
    images = np.zeros((6, 5), np.float32)
    images[:, 3:] = 0.5
    assert (dataset(images).label_place, inputs_of(dataset(images))) == ("pixels", 5)
    seldom = images.copy()
    seldom[4, 2] = 1.0 / 255.0
    assert (dataset(seldom).label_place, inputs_of(dataset(seldom))) == ("appended", 5 + 3)
    assert dataset(images, seldom).label_place == "pixels"
    assert dataset(np.zeros((6, 2))).label_place == "appended"  # fewer inputs than classes: no room over them


def test_images_decide_as_they_are_cropped_binarised_and_split() -> None:
    """A crop brings ink to the first pixels, a threshold takes faint ink away."""
    digits = load("mnist-5k")
    assert digits.label_place == load("mnist-5k", split="holdout").label_place == "pixels"
    assert cropped(digits, 20).label_place == "appended"
    images = np.full((6, 5), 0.2, np.float32)
    images[:, 3:] = 0.9
    assert dataset(images).label_place == "appended" and binarised(dataset(images), 0.5).label_place == "pixels"


@pytest.mark.parametrize("name", ["digits", "toy", "characters"])
def test_built_in_data_whose_first_values_matter_keep_them(name: str) -> None:
    data = load(name)
    assert inputs_of(data) == data.x_train.shape[1] + len(data.classes)
    assert inputs_of(data, learner="backprop", readout="softmax") == data.x_train.shape[1]  # shown no labels


def vectors(path: Path, features: int) -> None:
    """Write two clouds apart along the first axis; a line between them misjudges 1 %."""
    generator = np.random.Generator(np.random.Philox(0))
    y = np.arange(1000) % 2
    x = 0.5 + 0.07 * generator.standard_normal((1000, features))
    x[:, 0] += np.where(y == 1, 0.16, -0.16)  # 2.3 deviations from the line
    x = np.clip(x, 0.0, 1.0).astype(np.float32)
    np.savez(path, x_train=x[:800], y_train=y[:800], x_test=x[800:], y_test=y[800:])


def test_two_features_of_a_user_are_learned(tmp_path: Path) -> None:
    """With the label of two classes over them nothing would be left to learn from, and half of all answers were wrong."""
    vectors(tmp_path / "two.npz", 2)
    config = Config(
        data=str(tmp_path / "two.npz"), device="ideal", layers=(20,), epochs=6, batch=20, learning_rate=0.05,
        momentum=0.9, readout_rate=2.0, out=str(tmp_path / "run"),
    )  # fmt: skip
    result, _ = execute(config, quiet=True)
    errors = result["test_error_percent_by_readout"]
    assert max(errors.values()) <= 3.0, errors  # 200 images, of which a line misjudges 1 % in the mean
