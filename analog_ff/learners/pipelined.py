r"""Forward-Forward on a stream of frames, all layers at once, with no activity stored.

At tick t layer l works on the frame that entered l ticks before: with :math:`a_{l-1}` what the layer below sent a tick ago,

.. math:: y_l = f(W_l^T (a_{l-1}, s)), \quad W_l \leftarrow W_l + \eta\,\langle (a_{l-1}, s)\, d_l^T \rangle, \quad
          a_l = rms(y_l)

and a_l waits on the wire until the next tick. The drive d is that of `analog_ff.learners.forward_forward`, with the frame's
sign: a frame is a batch of images (or one image) shown as a positive, as a negative, or with the neutral label, and its sign
and true labels travel with it. Nothing else is kept: a layer learns while the frame is there, so one register a wire is
all, whatever the depth. Every image makes three frames, neutral, positive, negative.

Because nothing flows backwards, a layer sees the same frames in the same order as if each frame went through the whole
network before the next one came: the pipeline costs latency and no accuracy. What differs from the interleaved schedule is
that a positive changes the weights before its negative is read. Learning while pipelining sequential data without storing
the activities is one of the claims of Hinton, arXiv:2212.13345, 1.

The softmax read-out has a part at each layer, which learns from the neutral frame (or, without labels, the positive) that is
there, and from what the parts below have said of it: the sum of the logits so far travels with the frame, one number a class
(`analog_ff.objective.readout.LayerwiseReadout`). Negatives must not ask what the read-out believes of an
image: it says so only when the frame has left the last layer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from analog_ff.learners.base import _part
from analog_ff.learners.forward_forward import ALWAYS, ForwardForward
from analog_ff.network.base import Network
from analog_ff.network.stack import Stack
from analog_ff.objective.readout import LayerwiseReadout
from analog_ff.objective.schedule import Moment
from hardware_models.check import UsageError
from hardware_models.events import Tally
from hardware_models.keys import Key

KINDS = ("neutral", "positive", "negative")


class Frame(NamedTuple):
    """What a layer finds at its input, and the few words that travel beside it."""

    values: np.ndarray  # (B, n) float32, sent by the layer below; for the first layer the normalised image
    kind: str  # one of KINDS
    labels: np.ndarray  # (B,) true labels, for the read-out
    step: int  # number of the batch, which names the random draws
    gain: float  # factor on the learning rates
    logits: np.ndarray  # (B, C) float32, what the read-out's parts below have said so far; (B, 0) if it does not ask


class Pipelined(ForwardForward):
    """Forward-Forward on a stream; see the module for the equations and `ForwardForward` for the parameters.

    Raises
    ------
    UsageError
        If the network is not a stack, or the negatives ask for the read-out's belief.
    """

    def __init__(self, network: Network, *, negatives: Any = "random", **more: Any) -> None:
        super().__init__(network, negatives=negatives, **more)
        self._stack: Stack
        self._read: str = "neutral" if self._negatives.labelled else "positive"
        if not isinstance(network, Stack):
            raise UsageError("schedule pipelined needs layers that stand one above the other: choose --network stack.")
        self._stack = network
        if getattr(self._negatives, "needs_belief", False):
            raise UsageError(
                "hard negatives ask what the read-out believes of an image, which schedule pipelined learns only when the "
                "image has left the last layer: choose --negatives random."
            )
        joint = self.softmax
        widths = [network.units[layer] for layer in self.readout_layers]
        self.softmax = LayerwiseReadout(widths, self.classes, joint.rate, joint.decay)
        self.wires: list[Frame | None] = [None] * (len(network.units) - 1)

    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, gain: float, moment: Moment = ALWAYS) -> Tally:
        """Show one batch, (B, n) in [0, 1] and (B,), as three frames (two without labels), a tick each."""
        if not (moment.positive and moment.negative) or moment.layers is not None:
            raise UsageError("a stream has no phases and no layers that rest: choose --schedule pipelined.")
        unknown = np.full((len(images), self.classes), 1.0 / self.classes)
        key = Key(self.seed, "train", step).child("negatives")
        made, wrong = self._negatives(images, labels, unknown, key.generator())
        tally = Tally()
        shown = [("positive", images, labels), ("negative", made, wrong)]
        if self._negatives.labelled:
            shown.insert(0, ("neutral", images, None))
        for kind, pixels, code in shown:
            values = self._stack.enter(self.show(pixels, code))
            asked = self.classes if kind == self._read else 0
            logits = np.zeros((len(values), asked), np.float32)
            tally = tally + self.tick(Frame(values, kind, np.asarray(labels), step, gain, logits))
        return tally

    def tick(self, frame: Frame | None) -> Tally:
        """Let every layer work on the frame at its input, all at once; `frame` is the first layer's, None: none came."""
        tally = Tally()
        # From the last layer to the first, so that a register is read before it is written again.
        for layer in reversed(range(len(self.network.units))):
            found = self.wires[layer - 1] if layer else frame
            sent, events = (None, Tally()) if found is None else self._meet(layer, found)
            tally = tally + events
            if layer < len(self.wires):
                self.wires[layer] = sent
                self.meter.send(layer, 0 if sent is None else sent.values.size + sent.logits.size)
        return tally

    def _meet(self, layer: int, frame: Frame) -> tuple[Frame, Tally]:
        """Let one layer read a frame, learn from it at once, and send it on."""
        key = Key(self.seed, "train", frame.step)
        activity, sent, tally = self._stack.through(layer, frame.values, key, frame.kind, dropout=self.dropout)
        rate = frame.gain * self.learning_rate
        if frame.kind != "neutral":
            positive = frame.kind == "positive"
            above, below = (activity, None) if positive else (None, activity)
            tally = tally + self._learn(layer, above, below, len(activity.y), rate, key.child(frame.kind))
        if frame.kind == "negative":
            tally.add(layer, self.decays[layer].after_batch(frame.step, rate, key.child("decay", layer)))
        logits = frame.logits
        if frame.kind == self._read and layer in self.readout_layers:
            part, h = self.softmax.parts[self.readout_layers.index(layer)], activity.normalised
            logits = logits + part.logits(h)
            part.step(h, frame.labels, frame.gain, frame.logits)
            tally.add("readout", self.readout_events(h))
        return frame._replace(values=sent, logits=logits), tally

    def save(self) -> dict[str, np.ndarray]:
        """Return the learner's own state, the frames on the wires included: a stream has no end of an epoch."""
        saved = super().save()
        for layer, frame in enumerate(self.wires):
            if frame is not None:
                saved[f"wire{layer}.values"], saved[f"wire{layer}.labels"] = frame.values.copy(), frame.labels.copy()
                saved[f"wire{layer}.logits"] = frame.logits.copy()
                saved[f"wire{layer}.kind"] = np.array(KINDS.index(frame.kind))
                saved[f"wire{layer}.step"], saved[f"wire{layer}.gain"] = np.array(frame.step), np.array(frame.gain)
        return saved

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Take up a state that `save` returned."""
        super().restore(saved)
        for layer in range(len(self.wires)):
            wire = _part(saved, f"wire{layer}.")
            self.wires[layer] = None if not wire else Frame(
                np.array(wire["values"]), KINDS[int(wire["kind"])], np.array(wire["labels"]),
                int(wire["step"]), float(wire["gain"]), np.array(wire["logits"]),
            )  # fmt: skip
