r"""Backpropagation through sigmoid layers that are all on the chip: the multilayer perceptron of the NeuroSim benchmark.

With x_0 the image, layers l = 1 .. L, the last of which has one neuron a class, and t the one-hot label,

.. math:: y_l = \sigma(x_{l-1} W_l), \quad x_l = [y_l \ge 1/2], \quad
          \delta_L = (t - y_L)\,y_L (1 - y_L), \quad \delta_l = (\delta_{l+1} W_{l+1}^\top)\,y_l (1 - y_l), \quad
          \Delta W_l = \eta_l\,x_{l-1}^\top \delta_l

which descends the squared error :math:`\tfrac12 \sum (t - y_L)^2`. A hidden layer drives the next array with one bit, while
its slope and the update of the next layer, :math:`y_{l-1}^\top \delta_l` there, take its many-valued output (a
straight-through estimate); `binary` = False sends y_l itself, and the rule is then the exact gradient. Rates stay
constant over the run. The class is the output neuron with the largest output. There are no biases: the bias rows are
not driven.

The benchmark (Chen, Peng, Yu, IEDM 2017, doi:10.1109/IEDM.2017.8268337; program MLP+NeuroSim V3.0, commit cc13863) has
weights w in [-1, 1], first multiples of 1/3, and rates 0.4 and 0.2. Its converters refer a current to the whole range of
conductance, so that a neuron sees :math:`z = x\,w/2`; its error has the factor 2 of the square's derivative, and it sends the
error back through w. With W = w/2, the weight that acts on z, that is: |W| <= 1/2, first multiples of 1/6, and rates 0.8 and 0.2.

W in the backward pass is looked up in the chip (the oracle), as NeuroSim does; a sealed chip refuses.
"""

from __future__ import annotations

from typing import ClassVar, Unpack

import numpy as np

from analog_ff.learners.base import ALWAYS
from analog_ff.learners.local import ArrayKeywords, ArrayLearner
from analog_ff.learners.oracle import inside
from analog_ff.network.base import Network
from analog_ff.objective.readout import one_hot_error
from analog_ff.objective.schedule import Moment, averaged_over
from hardware_models.check import UsageError
from hardware_models.events import Events, Tally
from hardware_models.keys import Key

OUTPUT_SHARE = 0.25
"""Rate of the output layer over that of the others."""
LEVELS = 3
LARGEST = 0.5
"""Initial weights are LARGEST i/LEVELS with i drawn uniformly from -LEVELS .. LEVELS."""


class SigmoidBackprop(ArrayLearner):
    """Backpropagation of the squared error with the output layer on the chip; see the module for the equations.

    Parameters
    ----------
    network : Network
        A stack that is shown no labels, one neuron a class in its last layer; the chip's neurons are sigmoids.
    classes, seed
        See `Learner`.
    learning_rate, update, update_options
        See `ArrayLearner`.
    binary : bool
        Whether hidden layers send one bit to the next array.

    Raises
    ------
    UsageError
        If the network is shown labels, or its last layer has another number of neurons.
    """

    name: ClassVar[str] = "backprop-sigmoid"
    usual_rate: ClassVar[float] = 0.8
    labelled: ClassVar[bool] = False

    def __init__(self, network: Network, *, binary: bool = True, **shared: Unpack[ArrayKeywords]) -> None:
        super().__init__(network, **shared)
        if network.label_place != "none" or any(len(parts) != 1 for parts in network.parts):
            raise UsageError(f"learner {self.name} trains a stack that is shown no labels: choose --network stack.")
        if network.units[-1] != self.classes:
            raise UsageError(
                f"learner {self.name} needs {self.classes} output neurons, one a class, got {network.units[-1]}."
            )
        self.binary = bool(binary)

    @property
    def readouts(self) -> tuple[str, ...]:
        """The output layer itself is the only read-out."""
        return ("output",)

    def initialise(self) -> Tally:
        """Program multiples of 1/6 in [-1/2, 1/2], bias row 0, once and open loop; beyond the array's range they are clipped."""
        tally = Tally()
        for layer, (inputs, neurons) in enumerate(self.port.shapes):
            rng = Key(self.seed, "weights").child("layer", layer).generator()
            weights = np.zeros((inputs, neurons))
            weights[:-1] = rng.integers(-LEVELS, LEVELS + 1, (inputs - 1, neurons)) * (LARGEST / LEVELS)
            tally.add(layer, self.port.program(layer, weights, key=Key(self.seed, "program").child("layer", layer)))
        return tally

    def through(self, images: np.ndarray, key: Key, name: str) -> tuple[list[np.ndarray], list[np.ndarray], Tally]:
        """Return the inputs (B, inputs) of each array, the outputs (B, neurons) of its neurons, and the events."""
        tally = Tally()
        sent, answers = [], []
        a = np.asarray(images, np.float32)
        for layer in range(len(self.port.shapes)):
            x = np.zeros((len(a), a.shape[1] + 1), np.float32)
            x[:, :-1] = a
            y, events = self.port.observe(layer, x, key=key.child(name, layer))
            tally.add(layer, events)
            sent.append(x)
            answers.append(y)
            a = (y >= 0.5).astype(np.float32) if self.binary else y
        return sent, answers, tally

    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, gain: float, moment: Moment = ALWAYS) -> Tally:
        """Learn from one batch, (B, n) in [0, 1] and (B,); all updates use the weights from before; `gain` is unused."""
        del gain
        if not (moment.positive and moment.negative and moment.layers is None):
            raise UsageError(f"learner {self.name} learns from every batch at once: choose --schedule interleaved.")
        key = Key(self.seed, "train", step)
        sent, answers, tally = self.through(images, key, "forward")
        stored = sum(y.size for y in answers)
        self.meter.hold(stored)
        drives, events = self.backward(answers, labels)
        tally = tally + events
        for x, y in zip(sent[1:], answers, strict=False):
            x[:, :-1] = y  # the update takes the many-valued output, whatever bit the array was driven with
        for layer, (x, d) in enumerate(zip(sent, drives, strict=True)):
            rate = self.learning_rate * (OUTPUT_SHARE if layer + 1 == len(sent) else 1.0)
            tally = tally + self.bring(layer, (x,), (d,), averaged_over(moment, len(images)), rate, key)
        self.meter.release(stored)
        return tally

    def backward(self, answers: list[np.ndarray], labels: np.ndarray) -> tuple[list[np.ndarray], Tally]:
        """Return delta (B, neurons) of every layer and the events of the digital products."""
        tally = Tally()
        error = one_hot_error(answers[-1], labels)
        drives: list[np.ndarray] = []
        for layer in reversed(range(len(answers))):
            y = answers[layer]
            drives.insert(0, error * y * (1.0 - y))
            tally.add(layer, Events({"mac.fp32": 2 * y.size}))
            if layer:
                weights = inside(self.port).weights(layer)[:-1]
                error = drives[0] @ weights.T
                tally.add(layer, Events({"mac.fp32": len(y) * weights.size, "sram.words_read": weights.size}))
        return drives, tally

    def outputs(self, images: np.ndarray, key: Key) -> tuple[np.ndarray, Tally]:
        """Return the outputs of the last layer, (B, classes), and the events; the largest is the answer."""
        _, answers, tally = self.through(images, key, "layer")
        return answers[-1], tally
