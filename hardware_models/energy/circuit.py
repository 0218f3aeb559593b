"""The circuit around the cells, as far as prices depend on it: what is drawn once and serves many events."""

from __future__ import annotations

from typing import NamedTuple

KIBIBYTE = 1024.0


class Circuit(NamedTuple):
    """Sizes of the chip's shared parts; the defaults are those for which the prices of a technology file are quoted."""

    memory_bytes: float = 32 * KIBIBYTE  # capacity of the digital memory, all that learning keeps from batch to batch


QUOTED = Circuit()
"""The circuit for which the prices of a technology file are quoted."""
