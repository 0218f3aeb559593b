"""Random shifts of training images."""

from __future__ import annotations

import numpy as np

from analog_ff.datasets.augment import shift
from hardware_models.keys import Key


def test_every_image_is_moved_whole() -> None:
    """Each image equals one of the nine shifts of itself, all nine occur, and the draw repeats."""
    images = np.random.default_rng(0).random((300, 5 * 4)).astype(np.float32)
    moved = shift(images, 5, 4, 1, Key(0, "shift"))
    assert np.array_equal(moved, shift(images, 5, 4, 1, Key(0, "shift")))
    seen = set()
    for image, out in zip(images.reshape(-1, 5, 4), moved.reshape(-1, 5, 4), strict=True):
        wide = np.pad(image, 1)
        matches = [
            (dy, dx) for dy in range(3) for dx in range(3) if np.array_equal(wide[dy : dy + 5, dx : dx + 4], out)
        ]
        assert len(matches) == 1
        seen.add(matches[0])
    assert len(seen) == 9


def test_no_pixels_no_shift() -> None:
    """Zero pixels return the images untouched."""
    images = np.ones((2, 6), np.float32)
    assert shift(images, 2, 3, 0, Key(0, "shift")) is images


def test_vectors_are_not_shifted() -> None:
    """Data without neighbours lose nothing."""
    images = np.ones((5, 6), np.float32)
    assert shift(images, 1, 6, 1, Key(0, "shift")) is images
