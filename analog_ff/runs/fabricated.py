"""The arrays of a run that are still as its chip was fabricated: checkpoints leave them out.

They come from the chip's seed, so that a run that is built again has them. Processors and versions of NumPy may differ in the
last bits of what they fabricate: ``fabricated.h5`` has the arrays once, for a run that goes on elsewhere before it is finished.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from analog_ff.runs import checkpoint
from hardware_models.check import UsageError

NAME = "fabricated.h5"
LEAST = 2**12
"""Least bytes of an array that may be left out [B]."""


class Fabricated:
    """Digests of the arrays of a freshly built run, by name."""

    def __init__(self) -> None:
        self._digests: dict[str, str] = {}

    def note(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Note the arrays of a run that was just built."""
        self._digests = {name: digest(array) for name, array in arrays.items() if array.nbytes >= LEAST}

    def unchanged(self, arrays: Mapping[str, np.ndarray]) -> dict[str, str]:
        """Return name and SHA-256 of the arrays that have not changed at any call so far."""
        kept = {name: known for name, known in self._digests.items() if name in arrays}
        self._digests = {name: known for name, known in kept.items() if digest(arrays[name]) == known}
        return dict(self._digests)

    def store(self, folder: Path, arrays: Mapping[str, np.ndarray]) -> None:
        """Write the unchanged arrays to the folder of a run, unless they are there."""
        if self._digests and not (folder / NAME).is_file():
            checkpoint.write(folder, {name: arrays[name] for name in self._digests}, {}, name=NAME, previous=None)

    def restore(
        self, left_out: Mapping[str, str], own: Mapping[str, np.ndarray], folder: Path
    ) -> dict[str, np.ndarray]:
        """Return the arrays that a checkpoint left out: those of the run as it is built here, or else those of ``fabricated.h5``.

        left_out : name and SHA-256 of each; own : arrays of the run as it is built here. Raise UsageError if neither are right.
        """
        found = {name: own[name] for name, known in left_out.items() if name in own and digest(own[name]) == known}
        missing = left_out.keys() - found.keys()
        if missing:
            stored = _stored(folder)
            found |= {
                name: stored[name] for name in missing if name in stored and digest(stored[name]) == left_out[name]
            }
        if len(found) < len(left_out):
            raise UsageError(
                f"the chip of the run in {folder} cannot be fabricated again: processor or versions differ from those in its "
                f"config.toml, and there is no sound {NAME}; go on where it was begun, or start the run anew in another folder."
            )
        self._digests = dict(left_out)
        return found


def _stored(folder: Path) -> dict[str, np.ndarray]:
    try:
        return checkpoint.read(folder, NAME)[0]
    except UsageError:
        return {}


def digest(array: np.ndarray) -> str:
    """Return the SHA-256 of the type, the shape and the bytes of an array."""
    found = hashlib.sha256(f"{array.dtype.str} {array.shape}".encode())
    found.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return found.hexdigest()
