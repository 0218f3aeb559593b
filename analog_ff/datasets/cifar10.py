"""CIFAR-10: 50 000 + 10 000 colour photographs of 32x32 pixels in ten classes, from the files of its binary version.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", technical report, University of Toronto (2009). Each
of the files ``data_batch_1.bin`` .. ``data_batch_5.bin`` and ``test_batch.bin`` holds records of one label byte and 3072
pixel bytes, first the 1024 red ones row by row, then green, then blue (https://www.cs.toronto.edu/~kriz/cifar.html). The
user provides the files; nothing is downloaded. They are searched in ``cifar-10``, in ``cifar-10-batches-bin`` and in the folder
itself, under ``data_dir`` or else under the environment variable ``ANALOG_FF_DATA``. The validation part is the last 10 000
training images. Labels are shown beside the image, which has no black border for them.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from analog_ff.datasets.base import Dataset, Source, from_bytes
from analog_ff.datasets.idx_folder import VARIABLE
from hardware_models import files
from hardware_models.check import UsageError
from hardware_models.files import home

TRAINING = tuple(f"data_batch_{n}.bin" for n in range(1, 6))
TEST = "test_batch.bin"
FOLDERS = ("cifar-10", "cifar-10-batches-bin", ".")
SIDE, CHANNELS, VALIDATION = 32, 3, 10_000
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
RECORD = 1 + SIDE * SIDE * CHANNELS


def read(data_dir: str | Path | None = None) -> Source:
    """Return CIFAR-10; raise UsageError if a file is missing or does not consist of records with labels 0 to 9."""
    folder = _folder(data_dir)
    parts = [_records(folder / file) for file in TRAINING]
    pixels = np.concatenate([p for p, _ in parts])
    labels = np.concatenate([y for _, y in parts])
    test_pixels, test_labels = _records(folder / TEST)
    dataset = Dataset(
        name="cifar-10",
        x_train=from_bytes(pixels),
        y_train=labels,
        x_test=from_bytes(test_pixels),
        y_test=test_labels,
        classes=CLASSES,
        height=SIDE,
        width=SIDE,
    )
    return Source(dataset, validation=np.arange(len(labels)) >= len(labels) - VALIDATION)


def place() -> Path | None:
    """Return the folder of the files, None if there is none; raise UsageError if it lacks some of them."""
    root = home(os.environ.get(VARIABLE) or ".")
    some = any((root / name / file).is_file() for name in FOLDERS for file in (*TRAINING, TEST))
    return _folder(None) if os.environ.get(VARIABLE) and some else None


def _folder(data_dir: str | Path | None) -> Path:
    named = data_dir if data_dir is not None else os.environ.get(VARIABLE)
    wanted = f"{TRAINING[0]} to {TRAINING[-1]} and {TEST} (the binary version)"
    if named is None:
        raise UsageError(
            f"cifar-10 is not downloaded: put {wanted} in DIR/{FOLDERS[0]} and give --data-dir DIR (or set {VARIABLE}=DIR)."
        )
    root = home(named)
    for folder in (root / name for name in FOLDERS):
        missing = [file for file in (*TRAINING, TEST) if not (folder / file).is_file()]
        if not missing:
            return folder
        if len(missing) <= len(TRAINING):  # an incomplete data set is a failed copy, so no other folder is tried
            raise UsageError(f"{folder} lacks {' and '.join(missing)}; expected {wanted} there.")
    raise UsageError(f"{root} has no cifar-10: expected {wanted} in {root / FOLDERS[0]} or in {root}.")


def _records(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels (n, 32, 32, 3) uint8 and the labels (n,) int64 of one file."""
    raw = files.contents(path, "data file", most=files.LARGE // 4)  # its pixels become float32
    if not raw or len(raw) % RECORD:
        raise UsageError(
            f"{path} has {len(raw)} bytes; expected a multiple of {RECORD}, one label and 3072 pixels an image."
        )
    records = np.frombuffer(raw, np.uint8).reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= len(CLASSES):
        raise UsageError(f"{path} has a label {labels.max()}; expected labels from 0 to {len(CLASSES) - 1}.")
    return records[:, 1:].reshape(-1, CHANNELS, SIDE, SIDE).transpose(0, 2, 3, 1), labels
