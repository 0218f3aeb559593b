"""The rule by which the numbers of a user's file become values from 0 to 1.

* uint8 stands for 0 to 255: each value is divided by 255. Training images of uint8 that never reach 128 are refused, because
  their full scale is hardly 255.
* Whole numbers of any other type (a column of a table, int64, floats without fractions and above 1) stand for 0 to k, with k the
  largest value of the training images: each value is divided by k. Negative ones are refused.
* Other floats should lie between 0 and 1, and stay as they are.

Images that are tested later are divided by the number of the training images, and may not be above it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hardware_models import files
from hardware_models.check import UsageError

BYTE = 255.0
"""Number that stands for 1 in images of bytes."""
HALF = 128
"""Least largest value of training images of uint8: below, their full scale is hardly 255."""
EXACT = 2**24
"""Whole numbers up to this one are exact in float32."""
KINDS = "biuf"
"""Kinds of numbers, as NumPy names them, that images may have."""


def full_scale(path: Path, name: str, x: np.ndarray) -> float:
    """Return the number that stands for 1 in the training images `x` of any shape, called `name` in the file `path`.

    It is 255 for uint8, the largest value for other whole numbers, and 1 for floats that are left as they are. Raise UsageError
    for images that are no numbers, or of which the full scale cannot be told.
    """
    _numbers(path, name, x)
    if x.dtype == np.uint8:
        if (most := int(x.max())) < HALF:
            seen = "values of 0 and 1 alone" if most == 1 else f"values up to {most} alone"
            raise UsageError(
                f"{path}: {name} is uint8 with {seen}, expected 255 for full; save such images as floats from 0 to 1, or as "
                "int16, of which the largest value is full."
            )
        return BYTE
    if not _whole(x):
        return 1.0
    if (top := float(x.max())) == 0.0 and x.dtype.kind in "iu":
        raise UsageError(f"{path}: {name} is of type {x.dtype} and holds nothing but 0, expected values above 0.")
    return max(1.0, top)


def rows(path: Path, name: str, x: np.ndarray, full: float) -> np.ndarray:
    """Return images `x` of any shape (n, ...) as rows (n, d) of float32 from 0 to 1, where `full` stands for 1.

    Raise UsageError for values below 0 or above `full`, and for fractions beside training images of whole numbers.
    """
    _numbers(path, name, x)
    own = BYTE if x.dtype == np.uint8 and full == 1.0 else full
    low, high = float(x.min()), float(x.max())
    if own == 1.0 or (own == BYTE and not _whole(x)):
        if low < 0.0 or high > 1.0:
            raise UsageError(
                f"{path}: {name} has values from {low:g} to {high:g}, expected floats from 0 to 1, uint8, or whole numbers from "
                "0; divide the images by their full scale, or scale each column by the range that it has in training."
            )
        return np.ascontiguousarray(x.reshape(len(x), -1), dtype=np.float32)
    if own != BYTE and x.dtype.kind == "f" and not np.array_equal(x, np.rint(x)):
        raise UsageError(f"{path}: {name} has fractions, expected whole numbers from 0 to {own:g} as in training.")
    if low < 0.0 or high > own:
        raise UsageError(
            f"{path}: {name} has values from {low:g} to {high:g}, expected whole numbers from 0 to {own:g}, the full scale of "
            "the training images; or divide all images by one full scale, and save them as floats."
        )
    kind = np.dtype(np.float32 if own < EXACT else np.float64)
    values = np.divide(x.reshape(len(x), -1).astype(kind), kind.type(own))
    return np.asarray(values, np.float32)


def note_of(full: float) -> tuple[str, ...]:
    """Return the sentence of a run on its full scale; none where values stay as they are, or are bytes."""
    return () if full in (1.0, BYTE) else (f"whole numbers from 0 to {full:g} are divided by {full:g}",)


def _whole(x: np.ndarray) -> bool:
    """Tell whether images are whole numbers: of such a type, or floats without fractions of which one is above 1."""
    return x.dtype.kind in "iu" or (x.dtype.kind == "f" and float(x.max()) > 1.0 and np.array_equal(x, np.rint(x)))


def _numbers(path: Path, name: str, x: np.ndarray) -> None:
    if x.dtype.kind not in KINDS:
        raise UsageError(f"{path}: {name} is of type {x.dtype}, expected floats from 0 to 1 or whole numbers.")
    if x.ndim not in (2, 3, 4):
        wanted = "(n, d), (n, height, width) or (n, height, width, channels)"
        raise UsageError(f"{path}: {name} has shape {x.shape}, expected {wanted}.")
    if x.size == 0:
        raise UsageError(f"{path}: {name} is empty (shape {x.shape}), expected at least one image and one pixel.")
    if 4 * x.size > files.LARGE:
        most = files.LARGE // 4
        raise UsageError(f"{path}: {name} has {x.size} values, expected at most {most}, which become 2 GiB of float32.")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise UsageError(f"{path}: {name} contains NaN or infinity, expected floats from 0 to 1 or whole numbers.")
