"""A user's own data set in one ``.npz`` file with four arrays (``numpy.savez``).

* ``x_train`` (n, d), (n, height, width) or (n, height, width, channels) and ``x_test`` (m, likewise): floats from
  0 to 1, uint8 from 0 to 255, or other whole numbers from 0 to their largest value (`analog_ff.datasets.scale`);
* ``y_train`` (n,) and ``y_test`` (m,): integer or string labels, one an image; every test label occurs in
  training.

Labels become 0 .. classes-1 in sorted order, and `classes` keeps the originals. Other arrays in the file are
not read. The validation part is the last 10 % of each class, rounded up, in the order of the file. Arrays of Python
objects (pickles) are refused, because reading them could run code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from analog_ff.datasets.base import Dataset, Source, last_share_of_each_class
from analog_ff.datasets.scale import full_scale, note_of, rows
from hardware_models import files
from hardware_models.check import UsageError, shown

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
NAMES = {name: name for name in ARRAYS}
"""Array of a ``.npz`` file -> its name in messages."""


def read(path: str | Path) -> Source:
    """Return the data set in a ``.npz`` file; raise UsageError, with file and array, if the file is not a data set."""
    with files.reading(path, "a data set"):
        loaded = files.arrays(path, "data file", ARRAYS)
        missing = [name for name in ARRAYS if name not in loaded]
        if missing:
            has = ", ".join(loaded) or "none of them"
            raise UsageError(f"{path} has no {' and no '.join(missing)} (it has {has}); expected {', '.join(ARRAYS)}.")
        return assembled(Path(path), loaded)


def assembled(
    path: Path, arrays: Mapping[str, np.ndarray], *, notes: tuple[str, ...] = (), called: Mapping[str, str] = NAMES
) -> Source:
    """Return the data set of four arrays that a file holds, named as in `ARRAYS`, with further `notes` on them.

    `called`: what messages call each of them.
    """
    full = full_scale(path, called["x_train"], arrays["x_train"])
    x_train, x_test = (rows(path, called[name], arrays[name], full) for name in ("x_train", "x_test"))
    shape, test_shape = arrays["x_train"].shape[1:], arrays["x_test"].shape[1:]
    if shape != test_shape:
        raise UsageError(f"{path}: x_test has images of shape {test_shape}, expected {shape} as in x_train.")
    for images, labels in (("x_train", "y_train"), ("x_test", "y_test")):
        check_labels(path, called[labels], arrays[labels], called[images], len(arrays[images]))
    y_train, y_test, classes = _indices(path, arrays["y_train"], arrays["y_test"], called)
    dataset = Dataset(
        name=path.name,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        classes=classes,
        height=shape[0] if len(shape) > 1 else 1,
        width=shape[1] if len(shape) > 1 else shape[0],
        full=full,
        notes=(*notes, *note_of(full)),
    )
    return Source(dataset, validation=last_share_of_each_class(y_train, 10))


def check_labels(path: Path, name: str, y: np.ndarray, images: str, count: int) -> None:
    """Raise UsageError unless `y` holds `count` labels, whole numbers or texts, one for each image of the array `images`."""
    if y.dtype.kind not in "iuU":
        raise UsageError(f"{path}: {name} is of type {y.dtype}, expected integer or string labels.")
    if y.shape != (count,):
        raise UsageError(f"{path}: {name} has shape {y.shape}, expected ({count},), one label an image of {images}.")


def _indices(
    path: Path, y_train: np.ndarray, y_test: np.ndarray, called: Mapping[str, str]
) -> tuple[np.ndarray, np.ndarray, tuple[int | str, ...]]:
    of_train, of_test = called["y_train"], called["y_test"]
    if (y_train.dtype.kind == "U") != (y_test.dtype.kind == "U"):
        raise UsageError(
            f"{path}: {of_test} is of type {y_test.dtype}, expected labels as in {of_train} ({y_train.dtype})."
        )
    labels, train = np.unique(y_train, return_inverse=True)
    classes = tuple(labels.tolist())
    if len(classes) < 2:
        raise UsageError(f"{path}: {of_train} has the one label {shown(classes[0])}, expected at least two classes.")
    # Python values: comparing int64 with uint64 arrays would go through inexact floats.
    index = {label: i for i, label in enumerate(classes)}
    test_labels, test = np.unique(y_test, return_inverse=True)
    unknown = [label for label in test_labels.tolist() if label not in index]
    if unknown:
        raise UsageError(
            f"{path}: {of_test} has the label {shown(unknown[0])}, expected only labels that occur in {of_train}."
        )
    known = np.array([index[label] for label in test_labels.tolist()], dtype=np.int64)
    return train.astype(np.int64), known[test], classes
