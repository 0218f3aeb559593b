"""Randomness as a pure function of a key and a position.

A `Key` names a stream of random numbers by (seed, purpose, step). It has no state that advances: the same
key gives the same numbers in any process, for any number of threads, and drawing for one purpose never shifts
the draws for another. Kernels use the key's integers and index draws by absolute position
(`hardware_models.kernels.random`); NumPy code uses a Philox generator (Salmon et al., SC 2011,
doi:10.1145/2063384.2063405).
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Key:
    """Name of a stream of random numbers: (seed, purpose, step)."""

    seed: int
    purpose: str = ""
    step: int = 0

    def child(self, purpose: str, index: int | None = None) -> Key:
        """Return the key of a sub-purpose, such as ``key.child("read", layer)``."""
        part = purpose if index is None else f"{purpose}.{int(index)}"
        return Key(self.seed, f"{self.purpose}/{part}", self.step)

    def at(self, step: int) -> Key:
        """Return the key of the same seed and purpose at another step."""
        return Key(self.seed, self.purpose, int(step))

    def _digest(self) -> bytes:
        # A cryptographic hash makes streams of neighbouring seeds, purposes and steps unrelated.
        text = f"{int(self.seed)}|{self.purpose}|{int(self.step)}"
        return hashlib.blake2b(text.encode(), digest_size=16).digest()

    @property
    def words(self) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32]:
        """Four 32-bit words for the kernels' counter-based generator."""
        a, b, c, d = np.frombuffer(self._digest(), dtype="<u4")
        return a, b, c, d

    def generator(self) -> np.random.Generator:
        """Return a new Philox generator of this stream; every call gives the same stream from its beginning."""
        return np.random.Generator(np.random.Philox(key=np.frombuffer(self._digest(), dtype="<u8")))

    def bits(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return uint16 numbers of 16 random bits, those of ``generator().integers(0, 2**16, shape, np.uint16)``, sooner."""
        number = math.prod(shape)
        words = self.generator().bit_generator.random_raw(-(-number // 4))
        return words.astype("<u8", copy=False).view("<u2")[:number].reshape(shape)
