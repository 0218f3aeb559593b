"""Random shifts of training images: each image moves by up to `pixels` along each axis, and zeros fill the border.

Training with shifts is no longer permutation-invariant, because it tells the network which pixels are neighbours; a published
result should state it.
"""

from __future__ import annotations

import numpy as np

from hardware_models.keys import Key


def shift(images: np.ndarray, height: int, width: int, pixels: int, key: Key) -> np.ndarray:
    """Return images (B, height width channels) each shifted by (dy, dx) drawn uniformly from -pixels ... pixels.

    Vectors (height or width 1) have no neighbouring pixels and are returned unchanged.
    """
    if pixels == 0 or height == 1 or width == 1:
        return images
    moves = key.generator().integers(-pixels, pixels + 1, (len(images), 2))
    channels = images.shape[1] // (height * width)
    padded = np.zeros((len(images), height + 2 * pixels, width + 2 * pixels, channels), images.dtype)
    padded[:, pixels : pixels + height, pixels : pixels + width] = images.reshape(-1, height, width, channels)
    rows = np.arange(height)[None, :] + (pixels - moves[:, :1])
    columns = np.arange(width)[None, :] + (pixels - moves[:, 1:])
    which = np.arange(len(images))[:, None, None]
    return padded[which, rows[:, :, None], columns[:, None, :]].reshape(images.shape)
