r"""A recurrent network: every layer sees the layers above and below it, and the label is fixed at the top.

With the image at the bottom, :math:`a_0 = rms(u)`, the label's code at the top, :math:`a_{L+1}`, and iterations t,

.. math:: x_l(t) = (a_{l-1}(t-1), a_{l+1}(t-1), s), \quad y_l(t) = f(W_l^T x_l(t)), \quad
          h_l(t) = \delta\,h_l(t-1) + (1-\delta)\,y_l(t), \quad a_l(t) = rms(h_l(t))

for all layers at once. Iteration 0 is one bottom-up pass: a layer sees the layer below in the same pass and zeros from above
(also instead of the label), and h = y. Iterations 1, 2, ... follow. The image stays the same: a static image as a
boring video (Hinton, arXiv:2212.13345, 3.4, who takes delta = 0.3, 8 iterations, and the goodness of iterations 3 to 5).

Goodness and learning are those of y(t), the new response, with the inputs x(t) that caused it: the outer product is then the
gradient of the measured goodness at this iteration alone; no error is carried back through time. The neighbours see the
damped state h. The label does not reach iteration 0, so nothing is learned there, and the softmax read-out uses its activities.
The label code is not normalised: `label_strength` is in units of a normalised activity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from analog_ff.network.base import Activity, Frame, Shown, Wiring
from analog_ff.network.stack import FullLayers, dropped
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.normalise import rms
from hardware_models.check import UsageError, in_range, positive_int
from hardware_models.events import Events, Tally
from hardware_models.keys import Key
from hardware_models.port import ChipPort

SCORED = (3, 5)
"""First and last iteration whose goodness the energy read-out averages, limited by the number of iterations."""


class Recurrent(FullLayers):
    """The layers of `port` as a recurrent network; see `analog_ff.network.base.Network` for the attributes.

    Parameters
    ----------
    port, goodness : the chip, with (below, above, bias) as the inputs of each layer; each layer's goodness.
    classes : inputs of the topmost layer that carry the label.
    label_place : "top", the only place that this network has.
    iterations : number of iterations after the bottom-up pass.
    damping : delta, the share of the old state that stays, from 0 (no damping) to 1 (the state never changes) [1].
    """

    labelled_place: ClassVar[str] = "top"
    first_learned = 1
    feature_iteration = 0

    @staticmethod
    def plan(frame: Frame, layers: Sequence[int], *, iterations: int = 8, damping: float = 0.3) -> Wiring:
        """Return the plan with layers that see both neighbours."""
        if frame.label_place != "top":
            raise UsageError(
                "a recurrent network is shown its label at the top, and these negatives have none; choose --negatives hard, "
                "or --network stack."
            )
        sizes = (frame.pixels, *layers, frame.classes)
        shapes = tuple((sizes[i] + sizes[i + 2] + 1, sizes[i + 1]) for i in range(len(layers)))
        return Wiring(
            shapes, tuple(layers), options={"classes": frame.classes, "iterations": iterations, "damping": damping}
        )

    def __init__(
        self,
        port: ChipPort,
        goodness: Sequence[LayerGoodness],
        *,
        classes: int,
        label_place: str = "top",
        iterations: int = 8,
        damping: float = 0.3,
    ) -> None:
        if label_place != "top":
            raise UsageError(f"a recurrent network is shown its label at the top, not at '{label_place}'.")
        self.port, self.goodness, self.label_place = port, goodness, label_place
        self.iterations = positive_int("a recurrent network", "iterations", iterations, 1, 1000)
        self.damping = in_range("a recurrent network", "damping", damping, 0.0, 1.0)
        self.units = tuple(neurons for _, neurons in port.shapes)
        self.parts = tuple((layer,) for layer in range(len(port.shapes)))
        first, last = (min(number, self.iterations) for number in SCORED)
        self.score_iterations = range(first, last + 1)
        self.inputs = port.shapes[0][0] - 1 - (*self.units, classes)[1]

    def forward(
        self, shown: Shown, key: Key, name: str, *, dropout: float = 0.0, iterations: int | None = None
    ) -> Iterator[tuple[list[Activity], Tally]]:
        """Yield the bottom-up pass and then the iterations; `iterations` counts the bottom-up pass too.

        Reads of the bottom-up pass have the keys (name, layer); iteration t has them below ("iteration", t).
        """
        assert shown.label is not None
        bottom, top = rms(np.asarray(shown.pixels, np.float32)), np.asarray(shown.label, np.float32)
        sizes = (*self.units, top.shape[1])
        sent = [bottom, *(np.zeros((len(bottom), size), np.float32) for size in sizes)]
        activities, tally = [], Tally()
        for layer in range(len(self.units)):
            x, y = self._respond(layer, sent, key.child(name, layer), tally)
            activities.append(Activity((x,), y, self.goodness[layer].normalise(y)))
            sent[layer + 1] = self._send(layer, activities[layer], dropout, key.child(name, layer), tally)
        states = [activity.y for activity in activities]
        yield activities, tally
        sent[-1] = top
        keep, take = np.float32(self.damping), np.float32(1.0 - self.damping)
        for iteration in range(1, self.iterations + 1 if iterations is None else iterations):
            here, activities, tally = key.child("iteration", iteration), [], Tally()
            for layer in range(len(self.units)):
                x, y = self._respond(layer, sent, here.child(name, layer), tally)
                states[layer] = keep * states[layer] + take * y
                # The length of the damped state is a further measurement besides the goodness of the response.
                tally.add(layer, Events({"mac.fp32": 2 * y.size, "goodness": y.size}))
                activities.append(Activity((x,), y, self.goodness[layer].normalise(states[layer])))
            for layer, activity in enumerate(activities):
                sent[layer + 1] = self._send(layer, activity, dropout, here.child(name, layer), tally)
            yield activities, tally

    def _respond(self, layer: int, sent: list[np.ndarray], key: Key, tally: Tally) -> tuple[np.ndarray, np.ndarray]:
        """Read one layer with the activities of its neighbours; return its inputs and outputs."""
        below, above = sent[layer], sent[layer + 2]
        bias = np.full((len(below), 1), self.port.datasheet[layer].input_scale, np.float32)
        x = np.concatenate((below, above, bias), axis=1)
        y, events = self.port.observe(layer, x, key=key)
        tally.add(layer, events + self.goodness[layer].costs(y.size))
        return x, y

    def _send(self, layer: int, activity: Activity, dropout: float, key: Key, tally: Tally) -> np.ndarray:
        """Return the activity of a layer that its neighbours see (normalised, with dropout)."""
        if not dropout:
            return activity.normalised
        a, events = dropped(activity.normalised, dropout, key.child("dropout"))
        tally.add(layer, events)
        return a
