"""Two classes of generated noisy stripes, 8x8 pixels: small enough for tests that learn.

Class 0 has horizontal and class 1 vertical stripes of period 4 (two rows bright, two dark) at one of 4 phases
phi:

    x = clip(0.5 + contrast * s((i + phi) mod 4) + noise * N(0, 1), 0, 1),   s = +1, +1, -1, -1,

where i is the row (class 0) or the column (class 1).

Averaged over the phases, every pixel has the same mean in both classes, so no linear read-out of the pixels can tell
the classes apart: a layer must learn features. Contrast and noise are choices of this project, not data.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from analog_ff.datasets.base import Dataset, Source, last_of_each_class, last_share_of_each_class
from hardware_models.keys import Key

SIDE = 8
TRAIN = 400
TEST = 100
CONTRAST = 0.2  # share of full scale [1]
NOISE = 0.35  # standard deviation before clipping [1]


def read(data_dir: str | Path | None = None) -> Source:
    """Return 400 + 100 images, half of them of each class, the same on every call; `data_dir` is ignored."""
    labels = np.arange(TRAIN + TEST, dtype=np.int64) % 2
    pixels = _images(labels, Key(0, "toy"))
    test = last_of_each_class(labels, TEST // 2)
    dataset = Dataset(
        name="toy",
        x_train=pixels[~test],
        y_train=labels[~test],
        x_test=pixels[test],
        y_test=labels[test],
        classes=(0, 1),
        height=SIDE,
        width=SIDE,
    )
    return Source(dataset, validation=last_share_of_each_class(dataset.y_train, 10))


def _images(labels: np.ndarray, key: Key) -> np.ndarray:
    """Return one random image for each label (n,): (n, 64) float32, in steps of 1/255 like the other data sets."""
    phase = key.child("phase").generator().integers(4, size=labels.size)
    noise = key.child("noise").generator().standard_normal((labels.size, SIDE, SIDE))
    wave = np.where((np.arange(SIDE) + phase[:, None]) % 4 < 2, 1.0, -1.0)
    across = np.where((labels == 0)[:, None, None], wave[:, :, None], wave[:, None, :])
    images = np.clip(0.5 + CONTRAST * across + NOISE * noise, 0.0, 1.0)
    # Steps of 1/255 also remove the last bit, in which mathematical libraries differ.
    return (np.rint(images * 255.0) / 255.0).reshape(labels.size, -1).astype(np.float32)
