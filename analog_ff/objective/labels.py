"""The label as part of the image: a one-hot code in its first pixels (Hinton, arXiv:2212.13345, 3.3)."""

from __future__ import annotations

import numpy as np

from hardware_models.check import UsageError
from hardware_models.user_contract import unmasked


def embed(images: np.ndarray, labels: np.ndarray | None, classes: int, strength: float = 1.0) -> np.ndarray:
    r"""Return a copy of the images that carries the labels.

    .. math:: u'_k = s\,\delta_{k,\mathrm{label}} \quad\text{or, without a label,}\quad u'_k = s / C,
              \qquad k < C; \qquad u'_k = u_k \text{ otherwise}

    The code of the neutral label has the same sum as that of a true label.

    Parameters
    ----------
    images : (B, n) floating point, n >= classes [1].
    labels : (B,) whole numbers in [0, classes), or None for the neutral label.
    classes : C.
    strength : s [1].

    Returns
    -------
    (B, n) in the dtype of `images`.

    Raises
    ------
    UsageError
        If the images are not floating point or too small, or the labels do not fit.
    """
    if images.ndim != 2 or not np.issubdtype(images.dtype, np.floating):
        raise UsageError(
            f"embed needs floating-point images of shape (B, n), got {images.dtype} of shape {images.shape}."
        )
    if images.shape[1] < classes:
        raise UsageError(
            f"images of {images.shape[1]} pixels have no room for {classes} label inputs; "
            f"they need at least {classes} pixels."
        )
    shown = images.copy()
    if labels is None:
        shown[:, :classes] = strength / classes
        return shown
    rows = np.arange(len(images))
    checked = check_labels(labels, len(images), classes)
    shown[:, :classes] = 0.0
    shown[rows, checked] = strength
    return shown


PLACES = ("pixels", "appended", "top", "none")
"""Places of the labels in a network: over the first pixels, as inputs beside the pixels, at its top, or nowhere."""


def code(labels: np.ndarray | None, images: int, classes: int, strength: float = 1.0) -> np.ndarray:
    """Return label codes (images, classes) float32: one-hot times `strength`, or strength/C for the neutral label."""
    if labels is None:
        return np.full((images, classes), strength / classes, np.float32)
    one_hot = np.zeros((images, classes), np.float32)
    one_hot[np.arange(images), check_labels(labels, images, classes)] = strength
    return one_hot


def check_labels(labels: np.ndarray, images: int, classes: int) -> np.ndarray:
    """Return the labels (images,) as int64; raise UsageError if they are not whole numbers in [0, classes)."""
    unmasked("labels", labels)
    array = np.asarray(labels)
    if array.shape != (images,) or not np.issubdtype(array.dtype, np.integer):
        raise UsageError(f"labels are {images} whole numbers, one per image, got {array.dtype} of shape {array.shape}.")
    # Without this check a label of -1 would silently set the last pixel of the image.
    if array.size and (array.min() < 0 or array.max() >= classes):
        raise UsageError(f"labels lie in 0..{classes - 1} for {classes} classes, got {array.min()}..{array.max()}.")
    return array.astype(np.int64)
