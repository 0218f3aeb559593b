"""Answers of a finished run to images: its own test images, another data set's, or those of a user's file."""

from __future__ import annotations

import numpy as np

from analog_ff.datasets.base import Dataset
from analog_ff.datasets.images import Images, indices, read
from analog_ff.output.forms import table
from analog_ff.plain import Document
from analog_ff.runs.build import cut
from analog_ff.runs.loaded import LoadedRun
from hardware_models.check import UsageError, shown

SCHEMA = 1
ALL = "all"
"""Stands for every read-out of a run."""


def readouts_of(loaded: LoadedRun, wanted: str | None) -> tuple[str, ...]:
    """Return the read-outs that are asked for: by default that of the headline, or `ALL`."""
    if wanted == ALL:
        return loaded.readouts
    name = loaded.config.readout if wanted is None else wanted
    if name not in loaded.readouts:
        raise UsageError(f"the run has no read-out {shown(name)}: choose {', '.join((*loaded.readouts, ALL))}.")
    return (name,)


def images_of(loaded: LoadedRun, name: str | None, label_column: str | None = None) -> Images:
    """Return the images that are named, cut and blackened as those of the run; by default the images of its own test."""
    if name is None:
        if label_column is not None:
            raise UsageError("--label-column belongs to a table of --data: give one, or leave the option out.")
        data = loaded.data
        return Images(data, np.array(data.classes)[data.y_test])
    config = loaded.config
    usual = config.label_column
    found = read(name, like=loaded.data, data_dir=config.data_dir, label_column=label_column, usual=usual)
    images = found._replace(data=cut(config, found.data))
    own, given = loaded.data.x_test.shape[1], images.data.x_test.shape[1]
    if own != given:
        raise UsageError(
            f"the images of {name} have {given} values each, those of the run in {loaded.folder} have {own}: give images of its "
            "form."
        )
    return images


def labelled(loaded: LoadedRun, images: Images) -> Dataset:
    """Return the data set of a run with other test images and their labels; raise UsageError for images without labels."""
    if images.labels is None:
        raise UsageError(f"--ages needs labels for the errors at each age, {images.data.name} has none.")
    truth = indices(images.labels, loaded.classes, images.data.name)
    return loaded.data._replace(x_test=images.data.x_test, y_test=truth)


def inferred(loaded: LoadedRun, images: Images, readouts: tuple[str, ...]) -> tuple[Document, str]:
    """Return the result of an inference as plain values, and the table of its predictions as CSV.

    The result has the error of each read-out if the images have labels. UsageError for a label that is no class of the run.
    """
    truth = None if images.labels is None else indices(images.labels, loaded.classes, images.data.name)
    found = loaded.answers(images.data.x_test, readouts)
    errors = None
    if truth is not None:
        right = np.array(loaded.classes)[truth]
        errors = {name: 100.0 * float(np.mean(labels != right)) for name, labels in found.labels.items()}
    result: Document = {
        "schema": SCHEMA,
        "run": str(loaded.folder),
        "data": images.data.name,
        "images": len(images.data.x_test),
        "error_percent_by_readout": errors,
        "joule_per_image_by_readout": found.joule_per_image,
        "notes": list(images.notes),
        "predictions": {name: labels.tolist() for name, labels in found.labels.items()},
    }
    columns = found.labels if images.labels is None else {"label": images.labels, **found.labels}
    lines = zip(*(values.tolist() for values in columns.values()), strict=True)
    return result, table([{"row": row, **dict(zip(columns, line, strict=True))} for row, line in enumerate(lines, 1)])
