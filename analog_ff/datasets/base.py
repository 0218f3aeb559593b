"""Common form of all data sets, and the rules that separate a validation or test part."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hardware_models.check import UsageError


class Dataset(NamedTuple):
    """Images and labels, n for training and m for the test; an image has d = height * width * channels values.

    The channels of a pixel lie side by side. Labels are indices into `classes`, which holds the labels in the spelling of
    the source. Images that are given as vectors of d values have height 1.
    """

    name: str
    x_train: np.ndarray  # (n, d) float32 in [0, 1]
    y_train: np.ndarray  # (n,) int64 in 0 .. len(classes)-1
    x_test: np.ndarray  # (m, d) float32 in [0, 1]
    y_test: np.ndarray  # (m,) int64
    classes: tuple[int | str, ...]
    height: int
    width: int
    sequence: np.ndarray | None = (
        None  # (n,) number of the string of each training window; windows of a string in order
    )
    full: float = 255.0  # number of the source that stands for 1, by which further images are divided
    notes: tuple[str, ...] = ()  # sentences on how the source was read, for the result of a run
    columns: tuple[str, ...] = ()  # names of the d values, where the source is a table

    @property
    def label_place(self) -> str:
        """Place of the labels in a network that takes them among its inputs, a name of `analog_ff.objective.labels.PLACES`.

        The labels go over the first C inputs if these are 0 in every training image, and otherwise beside the image, because a
        code written over values would hide them. Only the rows in `x_train` decide, after cropping and binarising and without
        a held-out part: test images are not used.
        """
        first = self.x_train[:, : len(self.classes)]
        return "appended" if first.shape[1] < len(self.classes) or first.any() else "pixels"

    def first(self, images: int | None) -> Dataset:
        """Return the data set with its first `images` images for training and for the test; None: all of them."""
        if images is None:
            return self
        cut = slice(images)
        return self._replace(
            x_train=self.x_train[cut], y_train=self.y_train[cut], x_test=self.x_test[cut], y_test=self.y_test[cut],
            sequence=None if self.sequence is None else self.sequence[cut],
        )  # fmt: skip


class Source(NamedTuple):
    """A complete data set, and the mask of its training rows that form the validation part."""

    dataset: Dataset
    validation: np.ndarray  # (n,) bool


def hold_out(source: Source) -> Dataset:
    """Return the data set with the validation part of the training set instead of the test set.

    Raises UsageError if a class would be left without a training image.
    """
    data, held = source
    lost = np.setdiff1d(data.y_train, data.y_train[~held])
    if lost.size:
        label = data.classes[int(lost[0])]
        raise UsageError(
            f"the holdout split of {data.name} leaves no training image of class {label!r}: give a larger "
            "training set or use the split 'final'."
        )
    return data._replace(
        x_train=data.x_train[~held],
        y_train=data.y_train[~held],
        x_test=data.x_train[held],
        y_test=data.y_train[held],
        sequence=None if data.sequence is None else data.sequence[~held],
    )


def first_windows(data: Dataset) -> tuple[np.ndarray, int]:
    """Return the first window of each training string (strings, d), and the number of windows of a string.

    For data without strings the results are an array (0, d) and 0.
    """
    if data.sequence is None:
        return data.x_train[:0], 0
    first = np.flatnonzero(np.diff(data.sequence, prepend=data.sequence[0] - 1))
    return data.x_train[first], len(data.sequence) // len(first)


def last_of_each_class(labels: np.ndarray, count: int) -> np.ndarray:
    """Return a mask (n,) of the last `count` rows of each class, for labels (n,) in the order of the rows."""
    return _last(labels, lambda size: count)


def last_share_of_each_class(labels: np.ndarray, one_in: int) -> np.ndarray:
    """Return a mask (n,) of the last 1/one_in of each class, rounded up, for labels (n,) in the order of the rows."""
    return _last(labels, lambda size: -(-size // one_in))


def _last(labels, number):
    marked = np.zeros(labels.shape, dtype=bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        marked[rows[max(rows.size - number(rows.size), 0) :]] = True
    return marked


def from_bytes(pixels: np.ndarray) -> np.ndarray:
    """Return uint8 pixels of any shape (n, ...) as rows (n, d) of float32, x = pixel / 255."""
    rows = pixels.reshape(pixels.shape[0], -1).astype(np.float32)
    rows /= np.float32(255.0)
    return rows
