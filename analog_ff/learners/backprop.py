r"""Backpropagation on the same chip, the learner that Forward-Forward is compared with.

The network is the one that Forward-Forward trains, without labels in its input: x_l = (a_l, s), y_l = f(x_l W_l),
a_{l+1} = rms(y_l), and a softmax read-out V on the read-out layers. With t the one-hot label, the cross-entropy is climbed
down:

.. math:: e_l = (t - p) V_l^\top + \delta_{l+1} W_{l+1}^\top, \quad
          \epsilon_l = \frac{e_l - a_l\,\overline{a_l e_l}}{\mathrm{rms}(y_l)}, \quad
          \delta_l = \epsilon_l \odot f'(z_l), \quad \Delta W_l \propto x_l^\top \delta_l

where the bar is the mean over the units and the second step goes back through the normaliser. The update scheme applies the
outer product to the array, as for every learner (Rumelhart, Hinton, Williams 1986, doi:10.1038/323533a0).

`Backprop` knows the chip's weights and slopes at every step: a perfect model, which a real chip does not offer. It asks the
oracle, and a sealed chip refuses. Its backward products are digital and counted as such.
"""

from __future__ import annotations

from typing import ClassVar, Unpack

import numpy as np

from analog_ff.learners.oracle import inside
from analog_ff.learners.output_slopes import OutputSlopes, SlopeKeywords
from analog_ff.learners.supervised import Batch, Change, ErrorDriven
from analog_ff.network.base import Activity, Network
from analog_ff.objective.readout import one_hot_error
from hardware_models.events import Events, Tally
from hardware_models.keys import Key


class Backprop(ErrorDriven):
    """Backpropagation with a perfect model of the chip; see the module for the equations.

    Parameters
    ----------
    network : Network
        A stack that is shown no labels.
    classes, seed, readout_layers, readout_rate, readout_decay
        See `Learner`.
    learning_rate, update, update_options, bias_rate
        See `ArrayLearner`.
    """

    name: ClassVar[str] = "backprop"
    usual_rate: ClassVar[float] = 0.1

    def changes(self, batch: Batch, tally: Tally) -> tuple[list[Change], Tally]:
        """Return x and delta of every layer, and the tally with the backward pass."""
        error = one_hot_error(self.softmax.probabilities(batch.features), batch.labels)
        drives, events = self.backward(batch.activities, error, batch.key)
        return [(activity.x, d) for activity, d in zip(batch.activities, drives, strict=True)], tally + events

    def backward(self, activities: list[Activity], error: np.ndarray, key: Key) -> tuple[list[np.ndarray], Tally]:
        """Return delta (B, neurons) of every layer for the output error t - p (B, C), and the events of the backward pass."""
        tally = Tally()
        top = self.output_errors(error, tally)
        drives: list[np.ndarray] = []
        above: np.ndarray | None = None
        for layer in reversed(range(len(activities))):
            activity = activities[layer]
            e = np.zeros_like(activity.y)
            for part in (top[layer], above):
                e = e if part is None else e + part
            delta = self.through_normaliser(activity, e) * self.slope(layer, activity, key, tally)
            drives.insert(0, np.ascontiguousarray(delta, np.float32))
            if layer:
                above = self.send_back(layer, drives[0], key, tally)
                above = self.through_box(layer - 1, activities[layer - 1], activity.x[0][:, :-1], above, tally)
        return drives, tally

    def through_box(self, layer: int, activity: Activity, x: np.ndarray, above: np.ndarray, tally: Tally) -> np.ndarray:
        """Return the error at a layer's normalised outputs, for that at x (B, units), which they became on the way up.

        Where a box stands on the way, it is multiplied by the box's true slope dx_j/da_j.
        """
        del x
        if not self.stack.boxes:
            return above
        tally.add(layer, Events({"mac.fp32": above.size}))
        return above * self.stack.boxes[layer].slope(activity.normalised)

    def slope(self, layer: int, activity: Activity, key: Key, tally: Tally) -> np.ndarray:
        """Return f'(z) (B, neurons) from the chip's own weights and curves; a digital product."""
        del key
        weights = inside(self.port).weights(layer)
        z = activity.x[0] @ weights
        tally.add(layer, Events({"mac.fp32": z.shape[0] * weights.size, "sram.words_read": weights.size}))
        return inside(self.port).slope(layer, z)

    def send_back(self, layer: int, delta: np.ndarray, key: Key, tally: Tally) -> np.ndarray:
        """Return delta W^T (B, inputs without the bias) from the chip's own weights; a digital product."""
        del key
        weights = inside(self.port).weights(layer)[:-1]
        tally.add(layer, Events({"mac.fp32": len(delta) * weights.size, "sram.words_read": weights.size}))
        return delta @ weights.T


class NominalBackprop(OutputSlopes, Backprop):
    """Backpropagation with the nominal model on the real chip ("hardware in the loop").

    Forward passes are the chip's own; errors go back through the array itself, read from its columns (pin "transposed", with
    its noise and converters). The slope is by default that of a rectifier, whatever the neurons really do: right where the
    neurons are rectifiers. Measured slopes (`slope`) are right for all neurons. It works on a sealed chip.
    """

    name: ClassVar[str] = "backprop-nominal"
    reads_back: ClassVar[bool] = True

    def through_box(self, layer: int, activity: Activity, x: np.ndarray, above: np.ndarray, tally: Tally) -> np.ndarray:
        """Return the error at a layer's outputs: nominally a box is a wire, unless its curve is learned (`--slope curve`)."""
        slope, events = self._slope.behind(layer, activity.normalised, x)
        tally.add(layer, events)
        return above if slope is None else above * slope

    def send_back(self, layer: int, delta: np.ndarray, key: Key, tally: Tally) -> np.ndarray:
        """Return delta W^T (B, inputs without the bias), read from the columns of the array itself."""
        back, events = self.port.observe_transposed(layer, delta, key=key.child("backward", layer))
        tally.add(layer, events)
        return back[:, :-1]


class FeedbackAlignment(NominalBackprop):
    r"""Direct feedback alignment: the output's error reaches every layer through a fixed random matrix.

    .. math:: e_l = (t - p) B_l, \qquad B_l \sim N(0, 1/C)

    No array is read backwards (Nøkland 2016, arXiv:1609.01596). The slope is that of a rectifier unless it is measured.
    """

    name: ClassVar[str] = "feedback-alignment"
    reads_back: ClassVar[bool] = False

    def __init__(self, network: Network, **options: Unpack[SlopeKeywords]) -> None:
        super().__init__(network, **options)
        self._feedback = [
            Key(self.seed, "feedback").child("layer", layer).generator().standard_normal((self.classes, units))
            / np.sqrt(self.classes)
            for layer, units in enumerate(network.units)
        ]

    def backward(self, activities: list[Activity], error: np.ndarray, key: Key) -> tuple[list[np.ndarray], Tally]:
        """Return delta (B, neurons) of every layer and the events; the products with the fixed matrices B are digital."""
        tally = Tally()
        drives = []
        for layer, activity in enumerate(activities):
            b = self._feedback[layer].astype(np.float32)
            tally.add(layer, Events({"mac.fp32": len(error) * b.size, "sram.words_read": b.size}))
            delta = self.through_normaliser(activity, error @ b) * self.slope(layer, activity, key, tally)
            drives.append(np.ascontiguousarray(delta, np.float32))
        return drives, tally
