r"""Operations a joule of inference, beside those of published macros and chips.

.. math:: \eta = \frac{2\,N_{weights}}{E}, \qquad N_{weights} = N_{cells}/2N

A multiply-add of a weight, which is one pair of cells or N, is two operations, as the sources count. E is all of an image's
inference, the digital read-out included.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Peer(NamedTuple):
    """A published figure: operations a joule, what it stands for, and its source."""

    per_joule: float
    what: str
    doi: str


PUBLISHED: Mapping[str, Peer] = MappingProxyType(
    {
        "NeuRRAM": Peer(6.44e12, "measured, 8 bits in and 10 out, 130 nm", "10.1038/s41586-022-04992-8"),
        "PUMA": Peer(0.837e12, "simulated, 16 bits, 32 nm", "10.1145/3297858.3304049"),
        "ISAAC": Peer(0.627e12, "simulated, 16 bits, 32 nm", "10.1109/ISCA.2016.12"),
    }
)
"""Published operations a joule by name."""


def operations_per_joule(counts: Mapping[str, int], joule: float, pairs: int = 1) -> float | None:
    """Return two operations a weight read, over the energy [J] of the same inference; None if nothing was read or it was free.

    pairs : pairs of cells of a weight.
    """
    operations = counts.get("reads.cells", 0) / pairs
    return operations / joule if operations and joule else None
