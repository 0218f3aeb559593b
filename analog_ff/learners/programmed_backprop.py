r"""Backpropagation off the chip in float32, and the finished weights written to it once, with verification.

The network is trained as its own nominal model, y = max(x W, 0), in a digital computer; backward as in
`analog_ff.learners.backprop`, with the slope [y > 0]. The update is that of the digital accumulator without pulses,

.. math:: m \leftarrow \mu m + (1 - \mu) g, \qquad W \leftarrow \mathrm{clip}(W + \eta m, \pm W_{max})

with the bias row of g times 1/s². Every operation is counted as `hardware_models.energy.digital` counts it, a multiply-add each
and words of 32 bits in SRAM; the bias is one more input. When training is over, `finish` writes the weights by
`analog_ff.learners.write_verify`, phase ``program``; before, the chip is not touched and errors are those of the model. From then
on the network is the chip, with its noise and whatever curve its neurons really have, and the digital read-out as it was trained.
Only pins are needed: a sealed chip will do. `--program-to` writes to a chip of another device instead, without verification.
"""

from __future__ import annotations

from typing import ClassVar, Unpack

import numpy as np

from analog_ff.learners.base import ALWAYS, LearnerKeywords
from analog_ff.learners.supervised import Supervised
from analog_ff.learners.write_verify import write_verified
from analog_ff.network.base import Activity, Network
from analog_ff.network.stack import with_bias
from analog_ff.objective.normalise import rms
from analog_ff.objective.readout import one_hot_error
from analog_ff.objective.schedule import Moment
from hardware_models.check import in_range, positive_int
from hardware_models.energy.digital import layer_training
from hardware_models.events import Events, Tally
from hardware_models.kernels.products import matmul
from hardware_models.keys import Key

NORMALISER_MACS = 5
"""Multiply-adds of the normaliser for one output: forward a square and a product, backward two products and a quotient."""


class ProgrammedBackprop(Supervised):
    """Off-chip training, then one verified write; see the module for the equations.

    Parameters
    ----------
    network : Network
        A stack that is shown no labels; its chip may be sealed.
    learning_rate, momentum : float
        eta, mu.
    verify_rounds, verify_reads, verify_tolerance
        See `write_verified`.
    classes, seed, readout_layers, readout_rate, readout_decay
        See `Learner`.
    """

    name: ClassVar[str] = "backprop-programmed"
    in_situ: ClassVar[bool] = False
    takes_cells: ClassVar[bool] = False

    def __init__(
        self,
        network: Network,
        *,
        learning_rate: float = 0.1,
        momentum: float = 0.98,
        verify_rounds: int = 20,
        verify_reads: int = 1,
        verify_tolerance: float = 0.1,
        **shared: Unpack[LearnerKeywords],
    ) -> None:
        super().__init__(network, **shared)
        owner = f"learner {self.name}"
        self.learning_rate = in_range(owner, "learning_rate", learning_rate, 0.0, 100.0)
        self.momentum = in_range(owner, "momentum", momentum, 0.0, 0.9999)
        self._verify = {
            "rounds": positive_int(owner, "--verify-rounds", verify_rounds, 0, 1000),
            "reads": positive_int(owner, "--verify-reads", verify_reads, 1, 1000),
            "tolerance": in_range(owner, "--verify-tolerance", verify_tolerance, 0.0, 1.0, "W_max"),
        }
        self.weights = [np.zeros(shape, np.float32) for shape in self.port.shapes]
        self.memory = [np.zeros(shape, np.float32) for shape in self.port.shapes]
        self.written = False

    def initialise(self) -> Tally:
        """Draw W ~ N(0, 1/fan_in), bias row 0, in the digital memory; the chip stays as it was fabricated."""
        for layer, (inputs, neurons) in enumerate(self.port.shapes):
            draws = Key(self.seed, "weights").child("layer", layer).generator()
            first = draws.standard_normal((inputs - 1, neurons)) / np.sqrt(inputs - 1)
            self.weights[layer][:-1] = first
            self._clip(layer)
        return Tally()

    def finish(self) -> Tally:
        """Write the weights to the chip, which is the network from now on."""
        tally = Tally()
        for layer, weights in enumerate(self.weights):
            key = Key(self.seed, "program").child("layer", layer)
            tally.add(layer, write_verified(self.port, layer, weights, key=key, **self._verify))  # type: ignore[arg-type]
        self.written = True
        return tally

    def look(
        self, images: np.ndarray, labels: np.ndarray | None, key: Key, name: str, *, dropout: float = 0.0
    ) -> tuple[list[Activity], Tally]:
        """Return the activities of the chip once it is written, of its digital model before."""
        if self.written:
            return super().look(images, labels, key, name, dropout=dropout)
        activities, tally = self.model(images), Tally()
        for layer, activity in enumerate(activities):
            weights, y = self.weights[layer].size, activity.y
            read, stored = weights + activity.x[0].size, y.size
            macs = len(y) * weights + 2 * y.size
            tally.add(layer, Events({"mac.fp32": macs, "sram.words_read": read, "sram.words_written": stored}))
        return activities, tally

    def model(self, images: np.ndarray) -> list[Activity]:
        """Return the activities of the nominal model: rectifiers, no noise, no converters."""
        activities = []
        a = rms(np.asarray(images, np.float32))
        for layer, weights in enumerate(self.weights):
            x = with_bias(a, self.port.datasheet[layer].input_scale)
            y = np.maximum(matmul(x, weights), np.float32(0.0))
            a = self.network.goodness[layer].normalise(y)
            activities.append(Activity((x,), y, a))
        return activities

    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, gain: float, moment: Moment = ALWAYS) -> Tally:
        """Learn from one batch, (B, n) in [0, 1] and (B,); all updates use the weights from before the update."""
        del step  # nothing is drawn
        full = self.all_at_once(moment, len(images))
        tally = Tally()
        activities = self.model(images)
        stored = sum(activity.y.size for activity in activities)
        self.meter.hold(stored)
        features = self.features(activities)
        drives = self.backward(activities, one_hot_error(self.softmax.probabilities(features), labels), tally)
        for layer, (activity, d) in enumerate(zip(activities, drives, strict=True)):
            self.update(layer, activity.x[0], d, full, gain * self.learning_rate)
            count = layer_training(*self.port.shapes[layer], len(images), first=layer == 0, optimiser="momentum")
            tally.add(layer, count.events() + Events({"mac.fp32": NORMALISER_MACS * activity.y.size}))
        tally.add("readout", self.train_readout(features, labels, gain, full))
        self.meter.release(stored)
        return tally

    def backward(self, activities: list[Activity], error: np.ndarray, tally: Tally) -> list[np.ndarray]:
        """Return delta (B, neurons) float32 of every layer for the output error t - p (B, C)."""
        top = self.output_errors(error, tally)
        drives: list[np.ndarray] = []
        above: np.ndarray | None = None
        for layer in reversed(range(len(activities))):
            activity = activities[layer]
            e = np.zeros_like(activity.y)
            for part in (top[layer], above):
                e = e if part is None else e + part
            delta = np.ascontiguousarray(self.through_normaliser(activity, e) * (activity.y > 0), np.float32)
            drives.insert(0, delta)
            if layer:
                above = matmul(delta, np.ascontiguousarray(self.weights[layer][:-1].T))
        return drives

    def update(self, layer: int, x: np.ndarray, d: np.ndarray, images: int, rate: float) -> None:
        """Update memory and weights in place with x^T d / images, for x (b, inputs) and d (b, neurons)."""
        fresh = matmul(np.ascontiguousarray(x.T), d) / np.float32(images)
        fresh[-1] /= np.float32(self.port.datasheet[layer].input_scale ** 2)
        memory = self.memory[layer]
        memory *= np.float32(self.momentum)
        memory += np.float32(1.0 - self.momentum) * fresh
        self.weights[layer] += np.float32(rate) * memory
        self._clip(layer)

    def _clip(self, layer: int) -> None:
        limit = np.float32(self.port.datasheet[layer].weight_limit)
        np.clip(self.weights[layer], -limit, limit, out=self.weights[layer])

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the learner's own state: read-out, weights, averages, and whether the chip is written."""
        saved = super().save(copy=copy) | {"written": np.array(self.written)}
        for layer, (weights, memory) in enumerate(zip(self.weights, self.memory, strict=True)):
            large = {f"weights{layer}": weights, f"memory{layer}": memory}
            saved |= {name: array.copy() for name, array in large.items()} if copy else large
        return saved

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        super().restore(saved)
        self.written = bool(saved["written"])
        for layer in range(len(self.weights)):
            self.weights[layer][:] = saved[f"weights{layer}"]
            self.memory[layer][:] = saved[f"memory{layer}"]
