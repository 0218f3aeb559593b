"""MNIST: 60 000 + 10 000 handwritten digits of 28x28 pixels.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Proc. IEEE 86, 2278 (1998), doi:10.1109/5.726791. Validation part:
the last 10 000 training images. Where the files come from: `analog_ff.datasets.idx_folder`.
"""

from __future__ import annotations

from pathlib import Path

from analog_ff.datasets import idx_folder
from analog_ff.datasets.base import Source
from analog_ff.datasets.checksums import CHECKSUMS

MNIST = idx_folder.IdxSet("mnist", "https://ossci-datasets.s3.amazonaws.com/mnist/", CHECKSUMS["mnist"])


def read(data_dir: str | Path | None = None) -> Source:
    """Return MNIST; UsageError if its files are missing, damaged or not to be downloaded."""
    return idx_folder.read(MNIST, data_dir)
