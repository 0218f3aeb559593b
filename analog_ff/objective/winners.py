r"""Winners of a layer: its k largest outputs, which alone count in a top-k goodness.

With :math:`y_{(1)} \ge y_{(2)} \ge \dots \ge y_{(n)}` the sorted outputs of a layer (or of a region of it) and a share s of them,

.. math:: k = \max(1, \mathrm{round}(s\,n)), \qquad G = \sum_{i=1}^{k} g(y_{(i)}), \qquad
          \frac{\partial G}{\partial y_j} = g'(y_j)\,[\,j \text{ wins}\,]

so that losers have no drive and their columns receive no pulse (top-k goodness: arXiv:2604.13081, whose baseline of all squares
errs far more than Hinton's recipe, so that its gains say little). With s = 1 the goodness is that of all outputs, to the bit. Of
equal outputs at the limit the first ones win, so that there are k winners. In hardware this is a circuit in which k neurons win
(Lazzaro, Ryckebusch, Mahowald, Mead, "Winner-take-all networks of O(N) complexity", Advances in Neural Information Processing
Systems 1, 1989), counted as one comparator an output.

The winners of an untrained layer, whose z are normally distributed with variance 1, hold this part of the sum of squares of a
rectifier, and of the sum of its outputs:

.. math:: 2\,(s + q\,\varphi(q)), \qquad \varphi(q)/\varphi(0), \qquad q = \Phi^{-1}(1 - s) \text{ for } s < \tfrac12,
          \text{ else } 1 \text{ for both}

The threshold of a top-k goodness is this part of the threshold of all outputs, so that an untrained layer is as far below its
threshold for every s.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

WINNERS = 0.1
"""Share of the outputs that win where none is chosen."""
_NORMAL = NormalDist()


def number(share: float, neurons: int) -> int:
    """Return k, the number of winners among so many neurons: at least one."""
    return max(1, round(share * neurons))


def winning(y: np.ndarray, share: float) -> np.ndarray:
    """Return y (B, n) with the outputs of the losers of each row set to 0; y itself if all of them win."""
    neurons = y.shape[1]
    k = number(share, neurons)
    if k >= neurons:
        return y
    limit = np.partition(y, neurons - k, axis=1)[:, neurons - k, None]
    above, equal = y > limit, y == limit
    places = k - above.sum(axis=1, keepdims=True)
    wins = above | (equal & (equal.cumsum(axis=1) <= places))
    return np.where(wins, y, y.dtype.type(0))


def part_of_squares(share: float) -> float:
    """Return the part of an untrained layer's sum of squares that a share of winners holds."""
    if share >= 0.5:
        return 1.0
    q = _NORMAL.inv_cdf(1.0 - share)
    return 2.0 * (share + q * _NORMAL.pdf(q))


def part_of_sum(share: float) -> float:
    """Return the part of an untrained layer's sum of outputs that a share of winners holds."""
    return 1.0 if share >= 0.5 else _NORMAL.pdf(_NORMAL.inv_cdf(1.0 - share)) / _NORMAL.pdf(0.0)
