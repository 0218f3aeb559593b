r"""Hybrid images: negatives with real short-range structure and wrong long-range structure.

.. math:: u^- = m \odot A + (1 - m) \odot B, \qquad m = [\,K^n b > \tfrac12\,], \quad b_{ij} \in \{0, 1\}

A is an image of the batch, B another one, b random bits, and K one blur with (1/4, 1/2, 1/4) along both axes (Hinton,
arXiv:2212.13345, 3.2, who does not say how often he blurs). More blurs make larger patches: the standard deviation of the
kernel after n of them is sqrt(n/2) pixels. Labels are not used, so A and B are sometimes of the same class.
"""

from __future__ import annotations

import numpy as np

from analog_ff.objective.negatives import Negatives, Setting
from hardware_models.check import UsageError, positive_int


def blur(fields: np.ndarray, times: int) -> np.ndarray:
    """Return fields (B, height, width) blurred `times` times along both axes, in float64.

    A pixel at an edge counts as its own neighbour beyond the edge, so that the sum of a field never changes.
    """
    fields = np.asarray(fields, np.float64)
    for _ in range(times):
        for axis in (1, 2):
            along = np.moveaxis(fields, axis, 0)
            padded = np.concatenate((along[:1], along, along[-1:]))
            fields = np.moveaxis(0.25 * padded[:-2] + 0.5 * along + 0.25 * padded[2:], 0, axis)
    return fields


def masks(count: int, height: int, width: int, blurs: int, generator: np.random.Generator) -> np.ndarray:
    """Return masks (count, height, width) bool; a mask and its inverse are equally likely, so half of all pixels are on."""
    bits = generator.integers(0, 2, (count, height, width)).astype(bool)
    soft = blur(bits, blurs)
    # A pixel that is blurred to exactly one half keeps its bit; sums of quarters are exact, so the comparison is reliable.
    return np.where(soft == 0.5, bits, soft > 0.5)


def partners(count: int, generator: np.random.Generator) -> np.ndarray:
    """Return the index of another image of the batch for each image (count,), by a random cycle through all of them."""
    cycle = generator.permutation(count)
    partner = np.empty(count, np.int64)
    partner[cycle] = np.roll(cycle, -1)
    return partner


class Hybrid(Negatives):
    """Maker of hybrids of the images of a batch, for a network without labels.

    Parameters
    ----------
    shape : (height, width) of an image [pixels].
    blurs : n, number of blurs of the random bits.

    Raises
    ------
    UsageError
        If the images are vectors, whose values have no neighbours.
    """

    labelled = False
    least = 2

    def __init__(self, shape: tuple[int, int] | None, blurs: int = 6) -> None:
        if shape is None or min(shape) < 2:
            raise UsageError(
                "hybrid negatives need images of known height and width, not vectors: choose --negatives hard."
            )
        self._shape, self._blurs = shape, positive_int("hybrid negatives", "--blurs", blurs, 0, 100)

    @classmethod
    def of(cls, setting: Setting) -> Hybrid:
        """Return the maker of hybrids for a data set."""
        return cls(setting.shape, setting.blurs)

    def __call__(
        self, images: np.ndarray, labels: np.ndarray, believed: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, None]:
        """Return one hybrid for each image A, and None for the labels."""
        chosen = masks(len(images), *self._shape, self._blurs, generator).reshape(len(images), -1, 1)
        pixels = images.reshape(len(images), chosen.shape[1], -1)  # one mask value for all channels of a pixel
        mixed = np.where(chosen, pixels, pixels[partners(len(images), generator)])
        return mixed.reshape(images.shape), None
