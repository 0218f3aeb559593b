"""The columns of ``metrics.csv``: what each of them is, and its unit, for logs that carry them elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple


class Column(NamedTuple):
    """One column of ``metrics.csv``."""

    unit: str  # "1" of a pure number
    meaning: str


ERROR = "_error_percent"
"""End of the names of columns with the error of a read-out."""
COLUMNS: Mapping[str, Column] = {
    "epoch": Column("1", "epochs done"),
    "images": Column("1", "images learned so far"),
    "training_error_percent": Column("%", "error of the softmax read-out on the training images of this epoch"),
    "pulses_per_weight": Column(
        "pulses", "pulses that a weight has received in learning so far, mean over all weights"
    ),
    "learn_joule": Column("J", "energy of learning so far"),
    "goodness_positive": Column("1", "mean goodness of a layer in the last batch of positives"),
    "goodness_negative": Column("1", "mean goodness of a layer in the last batch of negatives"),
    "dimensionality_copies": Column("1", "mean effective dimensionality of the copies of one image, in the last batch"),
    "dimensionality_means": Column(
        "1", "effective dimensionality of the means of all images' copies, in the last batch"
    ),
    "gated_share": Column("1", "share of the images that a layer was kept from so far"),
    "drive_cut_share": Column("1", "share of the drives of a fast array above --drive-limit so far"),
    "fast_clipped_share": Column(
        "1", "share of the readings of a fast array at the end of the converters' range so far"
    ),
    "fast_saturated_share": Column("1", "share of the readings of fast cells at the end of their own range so far"),
    "fast_full_scale": Column("1", "full scale of the converters of fast rows now, as a share of the range"),
    "fast_momentum": Column("1", "share of a fast cell's charge that is left after a batch: mu of the last batch"),
    "sample_rate": Column("1/s", "images that the chip learns in a second"),
    "seconds": Column("s", "time of training and monitoring so far"),
}
"""Name of a column, without the number of a layer behind it -> what it is."""
OWN = Column("unit not said", "measured by the learner of the run")
"""Column that no learner of the project has: a user's learner may measure what it likes."""


def plain_name(name: str) -> str:
    """Return the name of a column without the number of a layer: ``goodness_positive_0`` is ``goodness_positive``."""
    return re.sub(r"_\d+$", "", name)


def column(name: str) -> Column:
    """Return unit and meaning of a column of ``metrics.csv``, also of one that a user's learner measures."""
    plain = plain_name(name)
    if plain not in COLUMNS and plain.endswith(ERROR):
        return Column("%", f"error of the read-out {plain.removesuffix(ERROR)} on the monitored images")
    return COLUMNS.get(plain, OWN)
