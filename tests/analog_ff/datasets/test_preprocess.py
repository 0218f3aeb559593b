"""Choosing classes and averaging squares of pixels: against loops, and refused where the data do not allow it."""

from __future__ import annotations

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.datasets import load
from analog_ff.datasets.preprocess import cropped, of_classes, pooled
from analog_ff.registry.options import parse_labels
from analog_ff.runs.build import data_of
from hardware_models.check import UsageError


def test_a_pooled_image_has_the_mean_of_each_square() -> None:
    data = load("digits")  # 8 x 8 pixels
    small = pooled(data, 2)
    assert (small.height, small.width) == (4, 4) and small.x_train.dtype == np.float32
    image = data.x_train[7].reshape(8, 8).astype(np.float64)
    means = [[image[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean() for j in range(4)] for i in range(4)]
    assert np.allclose(small.x_train[7].reshape(4, 4), means, atol=1e-7)
    assert np.array_equal(pooled(data, 1).x_test, data.x_test)


def test_only_some_classes_stay() -> None:
    """Their images in their order, with labels that are indices into the classes that stay."""
    data = load("digits")
    some = of_classes(data, ("7", "2", "3"))
    assert some.classes == (2, 3, 7)
    for x, y, whole, labels in (
        (some.x_train, some.y_train, data.x_train, data.y_train),
        (some.x_test, some.y_test, data.x_test, data.y_test),
    ):
        here = [row for row, label in enumerate(labels) if data.classes[label] in (2, 3, 7)]
        assert np.array_equal(x, whole[here]) and [some.classes[k] for k in y] == [
            data.classes[labels[r]] for r in here
        ]


@pytest.mark.parametrize(
    ("labels", "says"),
    [(("2", "x"), "has the label 'x', which no image of digits has"), (("2",), "needs two labels or more")],
)
def test_labels_that_do_not_fit_are_refused(labels: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        of_classes(load("digits"), labels)


def test_windows_of_strings_and_odd_images_are_refused() -> None:
    with pytest.raises(UsageError, match="multiples of 3, digits has 8 x 8"):
        pooled(load("digits"), 3)
    for change in (lambda data: pooled(data, 2), lambda data: of_classes(data, data.classes[:2])):
        with pytest.raises(UsageError, match="windows of strings|characters in a row"):
            change(load("characters"))


def test_a_run_asks_for_both() -> None:
    data = data_of(Config(data="digits", shift=0, crop=6, pool=3, only_classes=("0", "1")))
    assert data.classes == (0, 1) and data.x_train.shape[1] == 4
    assert np.array_equal(data.x_test, pooled(cropped(of_classes(load("digits"), ("0", "1")), 6), 3).x_test)
    with pytest.raises(UsageError, match="--only-classes takes different labels"):
        parse_labels("--only-classes", "1,1")
