"""Data sets by name or by file, all in one form: rows of pixels in [0, 1] and labels 0 .. classes-1.

Each data set is one file with one function; the table below names them. A data set's module is imported when the data set is
first loaded.
"""

from __future__ import annotations

from pathlib import Path

from analog_ff.datasets.base import Dataset, Source, hold_out
from hardware_models.check import UsageError
from hardware_models.tables import Row, closest, resolve

__all__ = ["DATASETS", "SPLITS", "Dataset", "load"]

DATASETS = {
    "mnist-5k": Row("analog_ff.datasets.mnist_5k:read", "5000 digits that come with it"),
    "mnist": Row("analog_ff.datasets.mnist:read", "needs its files"),
    "fashion-mnist": Row("analog_ff.datasets.fashion_mnist:read", "needs its files"),
    "cifar-10": Row("analog_ff.datasets.cifar10:read", "needs its files"),
    "digits": Row("analog_ff.datasets.digits:read", "8x8 pixels"),
    "toy": Row("analog_ff.datasets.toy:read", "generated"),
    "characters": Row("analog_ff.datasets.characters:read", "strings of letters"),
}
"""Name -> function(data_dir) -> Source."""

PLACES = {
    "mnist-5k": "analog_ff.datasets.mnist_5k:place",
    "mnist": "analog_ff.datasets.mnist:place",
    "fashion-mnist": "analog_ff.datasets.fashion_mnist:place",
    "cifar-10": "analog_ff.datasets.cifar10:place",
}
"""Data set that is read from files -> function() -> the folder of its files, None if `load` would not find them there."""

SPLITS = ("final", "holdout")


FILES = ".npz, .csv or .parquet file"
"""Files of a user's own data, for messages."""
TABLES = (".csv", ".tsv", ".parquet")
"""Endings of the files that are read as tables."""


def is_table(name: str | Path) -> bool:
    """Tell whether a file is read as a table, by its ending."""
    return str(name).lower().endswith(TABLES)


def load(
    name: str | Path, *, data_dir: str | Path | None = None, split: str = "final", label_column: str | None = None
) -> Dataset:
    """Return the data set of that name, or of that ``.npz``, ``.csv``, ``.tsv`` or ``.parquet`` file.

    Parameters
    ----------
    name : a name of the table `DATASETS`, or the path of a ``.npz`` file (see `analog_ff.datasets.files`) or of a table (see
        `analog_ff.datasets.tables`). A name with one of their endings or with a folder separator is a path.
    data_dir : folder of the files of mnist and fashion-mnist (see `analog_ff.datasets.idx_folder`) or of cifar-10. The
        other data sets come with the dependencies, are generated, or are a file themselves, and ignore it.
    split : ``"final"`` trains on the complete training set and tests on the test set; ``"holdout"`` takes the
        validation part out of the training set and returns it as the test set, without the true test set.
    label_column : the column of the labels in a table; default: the one called label, class, target or y.

    Raises
    ------
    UsageError : for an unknown name or split, and for missing or damaged files.
    """
    if split not in SPLITS:
        raise UsageError(f"no split '{split}'{closest(split, SPLITS)} (known: {', '.join(SPLITS)}).")
    text = str(name)
    if label_column is not None and not is_table(text):
        raise UsageError(
            f"--label-column belongs to a table (.csv or .parquet), data set '{text}' is none: leave it out."
        )
    if text in DATASETS:
        source: Source = resolve(DATASETS[text].place)(data_dir)
    elif is_table(text):
        source = resolve("analog_ff.datasets.tables:read")(text, label_column)
    elif text.lower().endswith(".npz") or Path(text).name != text:
        source = resolve("analog_ff.datasets.files:read")(text)
    else:
        known = ", ".join(sorted(DATASETS))
        raise UsageError(f"no data set '{text}'{closest(text, DATASETS)} (known: {known}, or the path of a {FILES}).")
    return hold_out(source) if split == "holdout" else source.dataset
