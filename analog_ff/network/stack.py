r"""A stack of fully connected layers on a chip.

.. math:: a_0 = rms(u), \quad x_l = (a_l, s), \quad y_l = f(W_l^T x_l), \quad a_{l+1} = rms(y_l)

The last input of every layer is the bias row, driven at full scale s = `input_scale`. A layer's goodness is one analog
measurement, :math:`G_l = \sum_j y_{lj}^2`, that also serves the normaliser of the next layer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analog_ff.objective.normalise import rms
from hardware_models.events import Events, Tally
from hardware_models.keys import Key
from hardware_models.port import ChipPort


class Activity(NamedTuple):
    """What one pass leaves at one layer."""

    x: np.ndarray  # (B, inputs) inputs, bias included
    y: np.ndarray  # (B, neurons) outputs
    normalised: np.ndarray  # (B, neurons) rms(y)


class Stack:
    """The layers of `port`, one above the other."""

    def __init__(self, port: ChipPort) -> None:
        self.port = port

    def forward(self, images: np.ndarray, key: Key, name: str) -> tuple[list[Activity], Tally]:
        """Return the activity of every layer for inputs (B, n), each layer read with the key child (name, layer)."""
        tally = Tally()
        activities = []
        a = rms(np.asarray(images, np.float32))
        for layer, sheet in enumerate(self.port.datasheet):
            x = np.empty((len(a), sheet.inputs), np.float32)
            x[:, :-1] = a
            x[:, -1] = sheet.input_scale
            y, events = self.port.observe(layer, x, key=key.child(name, layer))
            a = rms(y)
            tally.add(layer, events)
            tally.add(layer, Events({"goodness": y.size, "normalise": y.size}))
            activities.append(Activity(x, y, a))
        return activities, tally
