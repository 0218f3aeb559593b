r"""Self-contrastive negatives: an image with another image through the same weights, against an image with itself.

.. math:: z^+ = W^\top(u + u) = 2\,W^\top u, \qquad z^- = W^\top(u + u'), \qquad u' \text{ another image of the batch}

(SCFF: Chen, Liu, Laydevant, Grollier, Nature Communications 2025, arXiv:2409.11593; no label is used). Both halves of a pair
meet the same weights, so one read of the array with the sum at its rows is enough. A network here removes the length of what it
is shown: the positive is then the image as it is, and the negative the mean of two images. The published code divides by the
length of the pair before adding, so that a negative is also shorter than a positive, and has two thresholds; here the direction
alone tells them apart, against the one threshold of the layer. Labels teach the digital read-out only.
"""

from __future__ import annotations

import numpy as np

from analog_ff.objective.hybrid import partners
from analog_ff.objective.negatives import Negatives, Setting
from hardware_models.events import Events


class SelfContrastive(Negatives):
    """Maker of means of two different images of a batch, for a network without labels.

    Parameters
    ----------
    pixels : number of values of an image, each of which is one counted addition.
    """

    labelled = False
    least = 2

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels

    @classmethod
    def of(cls, setting: Setting) -> SelfContrastive:
        """Return the maker for a data set."""
        return cls(setting.pixels)

    def __call__(
        self, images: np.ndarray, labels: np.ndarray, believed: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, None]:
        """Return the mean of each image and another one of the batch, and None for the labels."""
        return (images + images[partners(len(images), generator)]) * images.dtype.type(0.5), None

    def costs(self, images: int) -> Events:
        """Return the additions of the pixels of so many pairs."""
        return Events({"add.int32": images * self._pixels})
