r"""Weights of N pairs that are read in parallel and written in turn: which pair gets the next burst, and which of its cells.

The pairs of a weight add their currents, so that the weight is their mean,

.. math:: W = \frac{1}{N} \sum_{p=1}^{N} \frac{G^+_p - G^-_p}{G_{unit,1}}, \qquad \Delta W = \frac{\Delta W_1}{N}

and one pulse moves it by 1/N of what it moves a weight of one pair (index 1). For the same change of W it takes N times as many
pulses, each of which adds a variance of (c Delta W_1/N)² for a relative noise c of a pulse: in all 1/N of that of one pair.

One counter for the whole array chooses the pair. It is a value of the controller, no state of a weight, so that it costs no
memory. This is the multi-memristive synapse of I. Boybat et al., Nature Communications 9, 2514 (2018),
doi:10.1038/s41467-018-04933-y, whose devices stand without partners; here the devices of a weight are pairs. Bursts, trains that
raise and trains that lower weights have a counter each: where calls of both signs alternate, one counter in all would send
one sign to the same pairs for ever.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hardware_models.check import positive_int

MOST = 64
"""Largest number of pairs of a weight."""
BURST, UP, DOWN = 0, 1, 2
"""Kinds of calls that have a counter each."""


class Turn(NamedTuple):
    """Cells whose turn it is."""

    pair: int
    parity: int  # which cell of the pair is first, see `hardware_models.kernels.pulses.split_pairs`


class Turns:
    """The counters of an array whose weights have so many pairs each."""

    def __init__(self, pairs: int) -> None:
        self.pairs = positive_int("a weight", "pairs of cells", pairs, 1, MOST)
        self._counters = np.zeros(3, np.int64)
        self.parities = np.zeros(self.pairs, np.int64)

    def next(self, kind: int) -> Turn:
        """Return the pair that gets the next call of a kind; its other cell is first when it has its next turn."""
        pair = int(self._counters[kind]) % self.pairs
        self._counters[kind] += 1
        return Turn(pair, self._alternate(pair))

    def whole(self) -> int:
        """Return the parity of a burst on all pairs of every weight, which takes no pair's turn."""
        parity = int(self.parities[0])
        self.turn_over()
        return parity

    def turn_over(self) -> None:
        """Turn over which cell of every pair is first."""
        self.parities ^= 1

    def _alternate(self, pair: int) -> int:
        self.parities[pair] ^= 1
        return int(self.parities[pair]) ^ 1

    def to_one(self, counts: np.ndarray, pair: int) -> np.ndarray:
        """Return values of every weight (..., columns) as those of every pair, (..., N columns): on one pair, else zeros."""
        if self.pairs == 1:
            return counts
        given = np.zeros((*counts.shape[:-1], counts.shape[-1] * self.pairs), counts.dtype)
        given[..., pair :: self.pairs] = counts
        return given

    def to_all(self, counts: np.ndarray) -> np.ndarray:
        r"""Return signed pulses of every weight (rows, columns) int32, shared out among its pairs, (rows, N columns).

        Pair p of weight i, j gets :math:`\lfloor (n + (p + i + j) \bmod N)/N \rfloor`; over the pairs this adds up to n.
        """
        if self.pairs == 1:
            return counts
        place = np.add.outer(
            np.add.outer(np.arange(counts.shape[0]), np.arange(counts.shape[1])), np.arange(self.pairs)
        )
        shared = (counts[:, :, None].astype(np.int64) + place % self.pairs) // self.pairs
        return shared.astype(np.int32).reshape(counts.shape[0], -1)

    def save(self) -> dict[str, np.ndarray]:
        """Return the state as arrays; with one pair its parity is all of it, and an array of its own is not needed."""
        return {} if self.pairs == 1 else {"turns": np.concatenate((self._counters, self.parities))}

    def restore(self, saved: dict[str, np.ndarray], parity: int) -> None:
        """Restore what `save` returned, or for one pair its parity."""
        if self.pairs == 1:
            self.parities[0] = parity
            return
        self._counters[:], self.parities[:] = np.split(saved["turns"], [3])
