r"""Layer-local softmax: every layer has a read-out of its own, and learns from that read-out's error alone.

.. math:: p_l = \mathrm{softmax}(a_l V_l), \qquad e_l = (t - p_l) V_l^\top, \qquad
          \epsilon_l = \frac{e_l - a_l\,\overline{a_l e_l}}{\mathrm{rms}(y_l)}, \qquad
          d_l = \epsilon_l \odot f'(z_l), \qquad \Delta W_l \propto x_l^\top d_l

with a_l = rms(y_l) and the bar the mean over the units: the gradient of each layer's own log p, backwards through its own
normaliser and the neurons. Their slope is by default that of a rectifier, [y_l > 0]; a dither measures it where the neurons are
unknown (`analog_ff.learners.slopes`). Nothing comes back from the layers above, no array is read backwards and no activity
outlives the read of the next layer. The local read-outs are digital: trained by their own regression (Nøkland, Eidnes 2019,
arXiv:1901.06656; Mono-Forward, arXiv:2501.09238) or fixed at N(0, 1/m) (Mostafa, Ramesh, Cauwenberghs, Frontiers in
Neuroscience 12:608, 2018, doi:10.3389/fnins.2018.00608). The class is read from the softmax read-out that every learner here has.
"""

from __future__ import annotations

from typing import ClassVar, Unpack

import numpy as np

from analog_ff.learners.base import _part
from analog_ff.learners.options import LOCAL_READOUTS
from analog_ff.learners.output_slopes import OutputSlopes, SlopeKeywords
from analog_ff.learners.supervised import Batch, Change, products
from analog_ff.network.base import Activity, Network
from analog_ff.objective.readout import one_hot_error
from hardware_models.check import UsageError
from hardware_models.events import Tally
from hardware_models.keys import Key


class LocalSoftmax(OutputSlopes):
    """Softmax regression in every layer; see the module for the equations.

    Parameters
    ----------
    network : Network
        A stack that is shown no labels; its chip may be sealed.
    local_readout : a name of `LOCAL_READOUTS`.
    readout_rate, readout_decay : float
        Of all read-outs, the local ones included.
    learning_rate, update, update_options, bias_rate
        See `ArrayLearner`.
    slope, slope_options
        See `OutputSlopes`.
    classes, seed, readout_layers
        See `Learner`.
    """

    name: ClassVar[str] = "local-softmax"
    usual_rate: ClassVar[float] = 0.3

    def __init__(
        self,
        network: Network,
        *,
        local_readout: str = "trained",
        **shared: Unpack[SlopeKeywords],
    ) -> None:
        super().__init__(network, **shared)
        if local_readout not in LOCAL_READOUTS:
            raise UsageError(f"a local read-out is {' or '.join(LOCAL_READOUTS)}, got {local_readout!r}.")
        self.trained = local_readout == "trained"
        self.local = [
            type(self.softmax)(units, self.classes, self.softmax.rate, self.softmax.decay) for units in network.units
        ]
        if not self.trained:
            for layer, readout in enumerate(self.local):
                draws = Key(self.seed, "feedback").child("local", layer).generator()
                shape = readout.weights.shape
                readout.weights[:] = draws.standard_normal(shape) / np.sqrt(shape[0])

    def changes(self, batch: Batch, tally: Tally) -> tuple[list[Change], Tally]:
        """Return x and d of every layer, and the tally with the products of the local read-outs."""
        drives = [self.drive(layer, one, batch.labels, batch.key, tally) for layer, one in enumerate(batch.activities)]
        return [(activity.x, d) for activity, d in zip(batch.activities, drives, strict=True)], tally

    def train_readouts(self, batch: Batch, tally: Tally) -> None:
        """Train the local read-outs, unless they are fixed, and that of the network."""
        for layer, (activity, readout) in enumerate(zip(batch.activities, self.local, strict=True)):
            if self.trained:
                learned = self.train_readout(activity.normalised, batch.labels, batch.gain, batch.full, readout)
                tally.add(layer, learned)
        super().train_readouts(batch, tally)

    def stored(self, batch: Batch) -> int:
        """Return the number of values kept for the read-out: a layer has written its array before the next one is read."""
        return batch.features.size

    def drive(self, layer: int, activity: Activity, labels: np.ndarray, key: Key, tally: Tally) -> np.ndarray:
        """Return d (B, neurons) float32 of one layer; digital products and the reads of a measured slope, counted there.

        The read-out's forward product is counted here where it is fixed, and with its training otherwise.
        """
        readout = self.local[layer]
        error = one_hot_error(readout.probabilities(activity.normalised), labels)
        for _ in range(1 if self.trained else 2):
            tally.add(layer, products(len(labels), readout.weights.size, readout.product))
        delta = self.through_normaliser(activity, readout.back(error))
        delta = delta * self.slope(layer, activity, key, tally)
        return np.ascontiguousarray(delta, np.float32)

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the learner's own state, the local read-outs included."""
        saved = super().save(copy=copy)
        for layer, readout in enumerate(self.local):
            saved |= {f"local{layer}.{name}": value for name, value in readout.save().items()}
        return saved

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        super().restore(saved)
        for layer, readout in enumerate(self.local):
            readout.restore(_part(saved, f"local{layer}."))
