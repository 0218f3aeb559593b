"""MNIST: 60 000 + 10 000 handwritten digits of 28x28 pixels.

Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Proc. IEEE 86, 2278 (1998), doi:10.1109/5.726791. The validation
part is the last 10 000 training images. `analog_ff.datasets.idx_folder` finds or downloads the files.
"""

from __future__ import annotations

from pathlib import Path

from analog_ff.datasets import idx_folder
from analog_ff.datasets.base import Source
from analog_ff.datasets.checksums import CHECKSUMS

MNIST = idx_folder.IdxSet("mnist", "https://ossci-datasets.s3.amazonaws.com/mnist/", CHECKSUMS["mnist"])


def read(data_dir: str | Path | None = None) -> Source:
    """Return MNIST; raise UsageError if its files are missing, are damaged or cannot be downloaded."""
    return idx_folder.read(MNIST, data_dir)


def place() -> Path | None:
    """Return the folder of the files, None if they would be downloaded; raise UsageError if they are incomplete."""
    return idx_folder.place(MNIST)
