"""Images that a trained network is to name: a data set's test part, arrays of a file, or the rows of a table.

* a name of `analog_ff.datasets.DATASETS`: its test images;
* a ``.npz`` file: ``x`` with or without labels ``y``, or else ``x_test`` with or without ``y_test``;
* a table: its rows, or those of ``split`` = ``test`` if it has a column `split`; with or without a column of labels.

Numbers become values from 0 to 1 by the full scale of the data on which the network was trained.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from analog_ff.datasets import DATASETS, FILES, is_table, load
from analog_ff.datasets.base import Dataset
from analog_ff.datasets.files import check_labels
from analog_ff.datasets.scale import rows
from analog_ff.datasets.tables import columns_of
from hardware_models import files
from hardware_models.check import UsageError, shown
from hardware_models.tables import closest


class Images(NamedTuple):
    """Images without a training set: those of `data` are its test images, its labels there are not used."""

    data: Dataset
    labels: np.ndarray | None  # (n,) in the spelling of the source
    notes: tuple[str, ...] = ()


def read(
    name: str,
    *,
    like: Dataset,
    data_dir: str | Path | None = None,
    label_column: str | None = None,
    usual: str | None = None,
) -> Images:
    """Return the images that `name` stands for, with the full scale and the columns of the data set `like`.

    The labels of a table stand in `label_column` or, if that is not named, in the column `usual` where there is one.
    Raise UsageError in one sentence for a file that holds no such images.
    """
    if label_column is not None and not is_table(name):
        raise UsageError(f"--label-column belongs to a table (.csv or .parquet), {shown(name)} is none: leave it out.")
    if name in DATASETS:
        data = load(name, data_dir=data_dir)
        return Images(data, np.array(data.classes)[data.y_test])
    path = Path(name)
    notes: tuple[str, ...] = ()
    if is_table(name):
        table = columns_of(name, label_column, like.columns, usual)
        chosen = np.ones(len(table.values), bool) if table.parts is None else table.parts == "test"
        if not chosen.any():
            raise UsageError(f"{name}: no row has 'test' in its column split; leave the column out to take all rows.")
        x, labels, notes = table.values[chosen], table.labels, table.notes
        labels = None if labels is None else labels[chosen]
    else:
        x, labels = _arrays(path, name)
    with files.reading(name, "images"):
        pixels = rows(path, "x", x, like.full)
    if labels is not None:
        check_labels(path, "y", labels, "x", len(pixels))
    height, width = (x.shape[1], x.shape[2]) if x.ndim > 2 else (1, x.shape[1])
    data = like._replace(
        name=path.name, x_train=pixels[:0], y_train=like.y_train[:0], x_test=pixels, y_test=np.zeros(len(pixels), np.int64),
        height=height, width=width, sequence=None,
    )  # fmt: skip
    return Images(data, labels, notes)


def _arrays(path: Path, name: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Return images and labels of a ``.npz`` file."""
    if path.name == name and not name.lower().endswith(".npz"):
        raise UsageError(
            f"no data set {shown(name)}{closest(name, DATASETS)} (known: {', '.join(sorted(DATASETS))}, or the path "
            f"of a {FILES})."
        )
    held = files.arrays(name, "data file", ("x", "y", "x_test", "y_test"))
    for images, labels in (("x", "y"), ("x_test", "y_test")):
        if images in held:
            return held[images], held.get(labels)
    raise UsageError(
        f"{name} has no array x and no x_test; expected images (n, d) or (n, height, width) under one of them."
    )


def indices(labels: np.ndarray, classes: tuple[int | str, ...], where: str) -> np.ndarray:
    """Return the index in `classes` of each label (n,) int64; raise UsageError for a label that is none of them."""
    known: dict[int | str, int] = {label: i for i, label in enumerate(classes)}
    named, place = np.unique(labels, return_inverse=True)
    for label in named.tolist():
        if label not in known:
            some = shown(", ".join(map(str, classes)), 100, quoted=False)
            raise UsageError(f"{where} has the label {shown(label)}, which is no class of the run ({some}).")
    return np.array([known[label] for label in named.tolist()], np.int64)[place]
