r"""PEPITA: a second pass whose input is modulated by the error, and layers that learn from the difference of the two.

With F a fixed random matrix, a_0 the normalised image and e = p - t the error of the softmax read-out in the first pass,

.. math:: a_0' = a_0 + F e, \qquad d_l = y_l' - y_l, \qquad \Delta W_l \propto x_l'^\top d_l

where primed values are those of the second pass (Dellaferrera, Kreiman, ICML 2022, arXiv:2201.11665; there, too, the weights
fall along (h - h') h'). No array is read backwards and no slope is needed: the same forward computation twice. Only y of
every layer must be kept, from the first pass until the second one reaches the layer.

F e must be seen through the converters and the noise of the reads: F ~ N(0, kappa²) with kappa = `modulation`, in units of a
normalised input, whose mean square is 1. The paper, without hardware, takes 0.05 sqrt(2/n), some 0.0025 for 784 pixels in
[0, 1]; the step of an 8-bit driver at --input-scale 12 is 0.047. Where a_0' is negative, a read takes two phases, counted.

The read-out learns from the first pass, as it does for every learner here; in the paper it is a layer like the others.
"""

from __future__ import annotations

from typing import ClassVar, Unpack

import numpy as np

from analog_ff.learners.local import ArrayKeywords
from analog_ff.learners.supervised import Batch, Change, ErrorDriven, products
from analog_ff.network.base import Network
from analog_ff.objective.readout import one_hot_error
from hardware_models.check import in_range
from hardware_models.events import Events, Tally
from hardware_models.keys import Key


class Pepita(ErrorDriven):
    """Error-driven input modulation; see the module for the equations.

    Parameters
    ----------
    network : Network
        A stack that is shown no labels; its chip may be sealed.
    modulation : float
        kappa, standard deviation of the entries of F [units of x].
    learning_rate, update, update_options, bias_rate
        See `ArrayLearner`; the update must take inputs of both signs.
    classes, seed, readout_layers, readout_rate, readout_decay
        See `Learner`.
    """

    name: ClassVar[str] = "pepita"
    usual_rate: ClassVar[float] = 0.3

    def __init__(self, network: Network, *, modulation: float = 0.05, **shared: Unpack[ArrayKeywords]) -> None:
        super().__init__(network, **shared)
        kappa = in_range(f"learner {self.name}", "--modulation", modulation, 0.0, 100.0, "units of x", low_open=True)
        draws = Key(self.seed, "feedback").child("input").generator().standard_normal((self.classes, network.inputs))
        self.projection = (kappa * draws).astype(np.float32)  # F transposed

    def changes(self, batch: Batch, tally: Tally) -> tuple[list[Change], Tally]:
        """Return x of the modulated pass and the difference of the two passes, and the tally with the modulated pass."""
        error = -one_hot_error(self.softmax.probabilities(batch.features), batch.labels)
        a = self.modulated(batch.images, error, tally)
        changes: list[Change] = []
        for layer, before in enumerate(batch.activities):
            after, a, events = self.stack.through(layer, a, batch.key, "modulated")
            changes.append((after.x, after.y - before.y))
            tally = tally + events
            tally.add(layer, Events({"add.fp32": after.y.size}))
        return changes, tally

    def modulated(self, images: np.ndarray, error: np.ndarray, tally: Tally) -> np.ndarray:
        """Return a_0 + F e (B, n) float32 for the error e = p - t (B, C); digital, counted under the first layer."""
        a = self.stack.enter(self.show(images, None))
        tally.add(0, products(len(images), self.projection.size))
        tally.add(0, Events({"add.fp32": a.size}))
        found: np.ndarray = a + error.astype(np.float32) @ self.projection
        return found
