r"""A stack of fully connected layers on a chip.

.. math:: a_0 = rms(u), \quad x_l = (a_l, s), \quad y_l = f(W_l^T x_l), \quad a_{l+1} = rms(y_l)

The last input of every layer is the bias row, driven at full scale s = `input_scale`. A layer's goodness is one analog
measurement, :math:`G_l = \sum_j y_{lj}^2`, which the normaliser of the next layer also uses. With dropout p, a unit's
output is withheld from the next layer with probability p, and the others are divided by 1 - p. Where a box stands between
two layers (`hardware_models.chip.between`), the next layer is driven with what comes out of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np

from analog_ff.network.base import Activity, Box, Frame, Shown, Wiring
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.normalise import rms
from hardware_models.check import UsageError
from hardware_models.events import Events, Tally
from hardware_models.keys import Key
from hardware_models.port import ChipPort

DROPOUT_BITS = 16
"""Number of random bits that decide whether one unit is dropped."""


class FullLayers:
    """Base of networks in which each network layer is one array."""

    port: ChipPort

    def again(self, layer: int, activity: Activity, bias: np.ndarray | float, key: Key) -> tuple[np.ndarray, Tally]:
        """Read a layer again with a bias added to z; return y (B, units) and the events."""
        y, events = self.port.observe(layer, activity.x[0], bias=bias, key=key)
        return y, Tally({str(layer): events})

    def join(self, layer: int, found: Sequence[np.ndarray]) -> np.ndarray:
        """Return the output of the layer's one array unchanged."""
        del layer
        return found[0]

    def split(self, layer: int, d: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return d unchanged, for the layer's one array."""
        del layer
        return (d,)


class Stack(FullLayers):
    """The layers of `port` stacked one above the other; see `analog_ff.network.base.Network` for the attributes.

    boxes : what stands between every two layers, one less than there are layers; default: nothing.
    """

    labelled_place: ClassVar[str] = "pixels"
    first_learned = 0
    feature_iteration = 0
    score_iterations = range(1)

    @staticmethod
    def plan(frame: Frame, layers: Sequence[int], box_place: str = "inside") -> Wiring:
        """Return the plan with fully connected layers; raise UsageError for a box between layers of which there is one."""
        if box_place == "between" and len(layers) < 2:
            raise UsageError("--box-place between needs two layers or more, such as --layers 100,100.")
        inputs = frame.pixels + (frame.classes if frame.label_place == "appended" else 0)
        return Wiring(tuple((n + 1, m) for n, m in pairwise((inputs, *layers))), tuple(layers))

    def __init__(
        self,
        port: ChipPort,
        goodness: Sequence[LayerGoodness],
        *,
        label_place: str = "pixels",
        boxes: Sequence[Box] = (),
    ) -> None:
        if label_place == "top":
            raise UsageError("a stack takes labels among its pixels, not at its top; choose --network recurrent.")
        self.port, self.goodness, self.label_place = port, goodness, label_place
        self.boxes = tuple(boxes)
        self.inputs = port.shapes[0][0] - 1
        self.units = tuple(neurons for _, neurons in port.shapes)
        self.parts = tuple((layer,) for layer in range(len(port.shapes)))

    def forward(
        self, shown: Shown, key: Key, name: str, *, dropout: float = 0.0, iterations: int | None = None
    ) -> Iterator[tuple[list[Activity], Tally]]:
        """Yield the single iteration of a stack; each layer is read with the key child (name, layer)."""
        tally = Tally()
        activities = []
        a = self.enter(shown)
        for layer in range(len(self.units)):
            activity, a, events = self.through(layer, a, key, name, dropout=dropout)
            tally = tally + events
            activities.append(activity)
        yield activities, tally

    def enter(self, shown: Shown) -> np.ndarray:
        """Return the input of the first layer (B, pixels) float32: the shown pixels, normalised."""
        return rms(np.asarray(shown.pixels, np.float32))

    def through(
        self,
        layer: int,
        a: np.ndarray,
        key: Key,
        name: str,
        *,
        dropout: float = 0.0,
        bias: np.ndarray | None = None,
    ) -> tuple[Activity, np.ndarray, Tally]:
        """Read one layer for its input a (B, n); return its activity, the input of the next layer (B, units), the events.

        `bias` (B, units) [units of z] is added to z.
        """
        tally = Tally()
        x = with_bias(a, self.port.datasheet[layer].input_scale)
        y, events = self.port.observe(layer, x, bias=bias, key=key.child(name, layer))
        sent = normalised = self.goodness[layer].normalise(y)
        tally.add(layer, events)
        tally.add(layer, self.goodness[layer].costs(y.size))
        if self.boxes and layer + 1 < len(self.units):
            sent, events = self.boxes[layer](sent, key.child("between").child(name, layer))
            tally.add(layer, events)
        if dropout and layer + 1 < len(self.units):
            sent, events = dropped(sent, dropout, key.child("dropout").child(name, layer))
            tally.add(layer, events)
        return Activity((x,), y, normalised), sent, tally


def with_bias(a: np.ndarray, scale: float) -> np.ndarray:
    """Return activities a (B, n) with the input of the bias row appended, (B, n + 1) float32."""
    x = np.empty((len(a), a.shape[1] + 1), np.float32)
    x[:, :-1] = a
    x[:, -1] = scale
    return x


def dropped(a: np.ndarray, share: float, key: Key) -> tuple[np.ndarray, Events]:
    """Return a (B, n) with a random `share` of its entries set to 0 and the others divided by 1 - share, and the events."""
    draws = key.generator().integers(0, 2**DROPOUT_BITS, a.shape, dtype=np.uint16)
    kept = draws >= np.uint16(min(round(share * 2**DROPOUT_BITS), 2**DROPOUT_BITS - 1))
    return a * kept * np.float32(1.0 / (1.0 - share)), Events({"rng.bits": DROPOUT_BITS * a.size})
