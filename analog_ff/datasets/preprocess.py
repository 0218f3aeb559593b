"""Preparation of all images of a data set before learning: cut out the middle, round to black and white."""

from __future__ import annotations

import numpy as np

from analog_ff.datasets.base import Dataset
from hardware_models.check import UsageError


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


def binarised(data: Dataset, threshold: float) -> Dataset:
    """Return the data set with 1 for each value of at least `threshold` and 0 for the others."""
    return data._replace(
        x_train=(data.x_train >= threshold).astype(np.float32), x_test=(data.x_test >= threshold).astype(np.float32)
    )
