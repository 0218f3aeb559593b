r"""Layer collaboration: the goodness of the other layers, taken as constants, enters a layer's probability.

.. math:: p_l = \sigma\!\left(\frac{s\,(G_l - \theta_l) + \kappa \sum_{j \ne l} E_j}{T}\right), \qquad
          E_j = \sum_r s_r\,(G_{jr} - \theta_{jr})

E_j is what layer j holds for a positive, one number of its own. No derivative of E_j is taken, so a layer still learns from
its own inputs and outputs; what reaches it beside them is one number an image. A layer whose neighbours have settled an image
learns little from it. The sum goes over all other layers, or over those below alone, which need not be waited for (Lorberbom,
Gat, Adi, Schwing, Hazan, AAAI 2024, arXiv:2305.12393, who take kappa = 1). Their probability has one threshold for the whole
sum; here each goodness brings its own, so that the balance of a layer does not move with their number. With kappa = 0 nothing
is exchanged.

Counted for each layer and image: its E (one addition), the sum without it (one), the product with kappa (one multiply-add),
and the addition to its own argument (one).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analog_ff.objective.goodness import LayerGoodness
from hardware_models.check import UsageError, in_range
from hardware_models.events import Events

COLLABORATORS = ("all", "below")
"""Layers whose goodness enters that of a layer: all others, or those below it."""


class Collaboration:
    """Exchange of one number a layer and image.

    Parameters
    ----------
    strength : float
        kappa; 0 exchanges nothing.
    collaborators : a name of `COLLABORATORS`.

    Raises
    ------
    UsageError
        If the strength is out of range or the name unknown.
    """

    def __init__(self, strength: float = 0.0, collaborators: str = "all") -> None:
        self.strength = in_range("a collaboration", "--collaboration", strength, 0.0, 10.0)
        if collaborators not in COLLABORATORS:
            raise UsageError(f"--collaborators is one of {', '.join(COLLABORATORS)}, got '{collaborators}'.")
        self._below = collaborators == "below"

    def __bool__(self) -> bool:
        """Tell whether layers exchange anything."""
        return bool(self.strength)

    def __call__(self, goodness: Sequence[LayerGoodness], outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return kappa sum_j E_j (B,) for each layer, for the outputs y (B, units) of all layers."""
        held = np.stack([one.evidence(y) for one, y in zip(goodness, outputs, strict=True)])
        others = (held.cumsum(axis=0) if self._below else held.sum(axis=0)) - held
        return list(held.dtype.type(self.strength) * others)

    @staticmethod
    def costs(images: int) -> Events:
        """Return the events of one layer for so many images."""
        return Events({"add.fp32": 3 * images, "mac.fp32": images})
