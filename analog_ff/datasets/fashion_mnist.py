"""Fashion-MNIST: 60 000 + 10 000 photographs of clothes of 28x28 pixels, in files like those of MNIST.

Source: H. Xiao, K. Rasul, R. Vollgraf, arXiv:1708.07747 (2017). The validation part is the last 10 000 training images.
`analog_ff.datasets.idx_folder` finds or downloads the files.
"""

from __future__ import annotations

from pathlib import Path

from analog_ff.datasets import idx_folder
from analog_ff.datasets.base import Source
from analog_ff.datasets.checksums import CHECKSUMS

# This is the authors' own site; it has no https, so the checksum of the contents protects the download.
FASHION_MNIST = idx_folder.IdxSet(
    "fashion-mnist",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    CHECKSUMS["fashion-mnist"],
)


def read(data_dir: str | Path | None = None) -> Source:
    """Return Fashion-MNIST; raise UsageError if its files are missing, are damaged or cannot be downloaded."""
    return idx_folder.read(FASHION_MNIST, data_dir)


def place() -> Path | None:
    """Return the folder of the files, None if they would be downloaded; raise UsageError if they are incomplete."""
    return idx_folder.place(FASHION_MNIST)
