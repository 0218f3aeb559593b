"""The 1797 handwritten digits of 8x8 pixels inside scikit-learn.

A pixel counts 0 to 16 ink points and is divided by 16. The last 20 % of each class (rounded up) are the test
set, the last 10 % of the rest of each class the validation part. Source: E. Alpaydin, C. Kaynak, UCI
repository (1998), doi:10.24432/C50P49.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from analog_ff.datasets.base import Dataset, Source, last_share_of_each_class


def read(data_dir: str | Path | None = None) -> Source:
    """Return the digits from the installed package; `data_dir` is ignored."""
    from sklearn.datasets import load_digits  # imported here: it takes a second

    bundle = load_digits()
    pixels = (bundle.data / 16.0).astype(np.float32)
    labels = bundle.target.astype(np.int64)
    test = last_share_of_each_class(labels, 5)
    dataset = Dataset(
        name="digits",
        x_train=pixels[~test],
        y_train=labels[~test],
        x_test=pixels[test],
        y_test=labels[test],
        classes=tuple(range(10)),
        height=8,
        width=8,
        full=16.0,
    )
    return Source(dataset, validation=last_share_of_each_class(dataset.y_train, 10))
