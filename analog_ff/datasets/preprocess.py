"""Preparation of a data set before learning: choose classes, cut out the middle, average squares, round to black and white."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analog_ff.datasets.base import Dataset
from hardware_models.check import UsageError, shown


def cropped(data: Dataset, side: int) -> Dataset:
    """Return the data set with the middle `side` x `side` pixels of each image; an odd border is wider below and right.

    Raises UsageError if the images have no such middle.
    """
    if min(data.height, data.width) < side or data.sequence is not None:
        size = f"{data.height} x {data.width}" if data.sequence is None else "characters in a row"
        raise UsageError(f"--crop {side} needs images of at least {side} x {side} pixels, {data.name} has {size}.")
    top, left = (data.height - side) // 2, (data.width - side) // 2

    def middle(images: np.ndarray) -> np.ndarray:
        squares = images.reshape(len(images), data.height, data.width, -1)
        return np.ascontiguousarray(squares[:, top : top + side, left : left + side]).reshape(len(images), -1)

    return data._replace(x_train=middle(data.x_train), x_test=middle(data.x_test), height=side, width=side)


def pooled(data: Dataset, side: int) -> Dataset:
    """Return the data set with the mean of each square of `side` x `side` pixels in place of the pixels.

    Raises UsageError if the images cannot be divided into such squares.
    """
    if data.sequence is not None or data.height % side or data.width % side:
        size = f"{data.height} x {data.width}" if data.sequence is None else "characters in a row"
        raise UsageError(
            f"--pool {side} needs images whose height and width are multiples of {side}, {data.name} has {size}."
        )
    height, width = data.height // side, data.width // side

    def means(images: np.ndarray) -> np.ndarray:
        squares = images.reshape(len(images), height, side, width, side, -1)
        return squares.mean(axis=(2, 4), dtype=np.float64).astype(np.float32).reshape(len(images), -1)

    return data._replace(x_train=means(data.x_train), x_test=means(data.x_test), height=height, width=width)


def of_classes(data: Dataset, labels: Sequence[str]) -> Dataset:
    """Return the data set with the images of some classes alone, which are its classes, in the order of the data set.

    Raises UsageError for a label that no class has, for fewer than two labels, and for windows of strings.
    """
    named = {str(label) for label in data.classes}
    for label in labels:
        if label not in named:
            some = shown(", ".join(map(str, data.classes)), 100, quoted=False)
            raise UsageError(
                f"--only-classes has the label {shown(label)}, which no image of {data.name} has ({some})."
            )
    if len(labels) < 2 or data.sequence is not None:
        why = "takes windows of strings apart" if data.sequence is not None else "needs two labels or more"
        raise UsageError(f"--only-classes {why}: leave it out, or give labels such as 0,2 of a data set of images.")
    kept = [number for number, label in enumerate(data.classes) if str(label) in labels]

    def rows(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        here = np.isin(y, kept)
        return x[here], np.searchsorted(kept, y[here]).astype(y.dtype)

    (x_train, y_train), (x_test, y_test) = rows(data.x_train, data.y_train), rows(data.x_test, data.y_test)
    classes = tuple(data.classes[number] for number in kept)
    return data._replace(x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test, classes=classes)


def binarised(data: Dataset, threshold: float) -> Dataset:
    """Return the data set with 1 for each value of at least `threshold` and 0 for the others."""
    return data._replace(
        x_train=(data.x_train >= threshold).astype(np.float32), x_test=(data.x_test >= threshold).astype(np.float32)
    )
