r"""Forward-Forward on a stream of frames, all layers at once, with no activity stored.

At tick t layer l works on the frame that entered l ticks before: with :math:`a_{l-1}` the output that the layer below sent
a tick ago,

.. math:: y_l = f(W_l^T (a_{l-1}, s)), \quad W_l \leftarrow W_l + \eta\,\langle (a_{l-1}, s)\, d_l^T \rangle, \quad
          a_l = rms(y_l)

and a_l waits on the wire until the next tick. The drive d is that of `analog_ff.learners.forward_forward`, with the frame's
sign: a frame is a batch of images (or one image) shown as a positive, as a negative, or with the neutral label. Nothing else
is kept: a layer learns while the frame is there, so one register a wire is all, whatever the depth.

Because nothing flows backwards, a layer sees the same frames in the same order as if each frame went through the whole
network before the next one came: the pipeline costs latency and no accuracy. What differs from the interleaved schedule is
that a positive changes the weights before its negative is read. Learning while pipelining sequential data without storing
the activities is one of the claims of Hinton, arXiv:2212.13345, 1.

The softmax read-out needs all layers' outputs for one image. They are there at once if the video stands still: the neutral
frame is shown for as many ticks as there are layers, and at the last of them every layer works on the same image, which is
when the read-out learns. So a batch takes L + 2 ticks. (Parts of a read-out that learn from moving frames, each correcting
those below, need no still, but ended at 23 instead of 14 % on six memristor layers, in holdout.) Negatives must not use
the read-out's probabilities of an image: these are known only when the frame has reached the last layer.
"""

from __future__ import annotations

from typing import NamedTuple, Unpack

import numpy as np

from analog_ff.learners.base import ALWAYS, _part
from analog_ff.learners.forward_forward import ContrastKeywords, ForwardForward
from analog_ff.network.base import Network
from analog_ff.network.stack import Stack
from analog_ff.objective.negatives import Negatives
from analog_ff.objective.schedule import Moment, averaged_over
from hardware_models.check import UsageError
from hardware_models.events import Tally
from hardware_models.keys import Key

KINDS = ("neutral", "positive", "negative")


class Frame(NamedTuple):
    """The values at the input of a layer, and the few words that travel beside them."""

    values: np.ndarray  # (B, n) float32, sent by the layer below; for the first layer the normalised image
    kind: str  # one of KINDS
    labels: np.ndarray  # (B,) true labels, for the read-out
    step: int  # number of the batch, which names the random draws
    gain: float  # factor on the learning rates
    still: int = 0  # how many ticks a neutral frame has stood before this one
    full: int | None = None  # images of a full batch; None: as many as there are


class Pipelined(ForwardForward):
    """Forward-Forward on a stream; see the module for the equations and `ForwardForward` for the parameters.

    Raises
    ------
    UsageError
        If the network is not a stack, or the negatives ask for the read-out's belief.
    """

    def __init__(
        self, network: Network, *, negatives: Negatives | str = "random", **more: Unpack[ContrastKeywords]
    ) -> None:
        super().__init__(network, negatives=negatives, **more)
        self._stack: Stack
        if not isinstance(network, Stack):
            raise UsageError("schedule pipelined needs layers that stand one above the other: choose --network stack.")
        self._stack = network
        if self._negatives.needs_belief:
            raise UsageError(
                "these negatives ask what the read-out believes of an image, which schedule pipelined knows only when the "
                "image has left the last layer: choose --negatives random."
            )
        self.wires: list[Frame | None] = [None] * (len(network.units) - 1)

    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, gain: float, moment: Moment = ALWAYS) -> Tally:
        """Show one batch, (B, n) in [0, 1] and (B,), as a neutral frame for L ticks, a positive and a negative."""
        if not (moment.positive and moment.negative) or moment.layers is not None:
            raise UsageError("a stream has no phases and no layers that rest: choose --schedule pipelined.")
        unknown = np.full((len(images), self.classes), 1.0 / self.classes)
        made, wrong, tally = self.made_negatives(images, labels, unknown, Key(self.seed, "train", step))
        true = np.asarray(labels)
        full = averaged_over(moment, len(images))
        frame = Frame(self._stack.enter(self.show(images, None)), "neutral", true, step, gain, full=full)
        for still in range(len(self.network.units)):
            tally = tally + self.tick(frame._replace(still=still))
        for kind, pixels, code in (("positive", images, labels), ("negative", made, wrong)):
            tally = tally + self.tick(
                Frame(self._stack.enter(self.show(pixels, code)), kind, true, step, gain, full=full)
            )
        return tally

    def tick(self, frame: Frame | None) -> Tally:
        """Let every layer work on the frame at its input, all at once; `frame` enters the first layer, None if none came."""
        tally = Tally()
        seen: list[np.ndarray] = []
        # From the last layer to the first, so that a register is read before it is written again.
        for layer in reversed(range(len(self.network.units))):
            found = self.wires[layer - 1] if layer else frame
            sent = None
            if found is not None:
                a, sent, events = self._meet(layer, found)
                tally = tally + events
                # The still that entered l ticks ago: the same image at every layer.
                if found.kind == "neutral" and found.still == len(self.wires) - layer and layer in self.readout_layers:
                    seen.insert(0, a)
            if layer < len(self.wires):
                self.wires[layer] = sent
                self.meter.send(layer, 0 if sent is None else sent.values.size)
        if frame is not None and len(seen) == len(self.readout_layers):
            tally.add("readout", self.train_readout(np.concatenate(seen, axis=1), frame.labels, frame.gain, frame.full))
        return tally

    def _meet(self, layer: int, frame: Frame) -> tuple[np.ndarray, Frame, Tally]:
        """Let one layer read a frame and learn from it at once; return its normalised output, the frame sent on, the events."""
        key = Key(self.seed, "train", frame.step)
        name = f"neutral{frame.still}" if frame.still else frame.kind
        activity, sent, tally = self._stack.through(layer, frame.values, key, name, dropout=self.dropout)
        rate = frame.gain * self.learning_rate
        if frame.kind != "neutral":
            images = len(activity.y)
            full = images if frame.full is None else frame.full
            positives = images if frame.kind == "positive" else 0
            tally = tally + self._learn(layer, activity, positives, full, rate, key.child(frame.kind))
        if frame.kind == "negative":
            tally.add(layer, self.decays[layer].after_batch(frame.step, rate, key.child("decay", layer)))
        return activity.normalised, frame._replace(values=sent), tally

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the learner's own state, the frames on the wires included: a stream has no end of an epoch."""
        saved = super().save(copy=copy)
        for layer, frame in enumerate(self.wires):
            if frame is not None:
                saved[f"wire{layer}.values"], saved[f"wire{layer}.labels"] = frame.values.copy(), frame.labels.copy()
                saved[f"wire{layer}.still"], saved[f"wire{layer}.full"] = (
                    np.array(frame.still),
                    np.array(frame.full or len(frame.labels)),
                )
                saved[f"wire{layer}.kind"] = np.array(KINDS.index(frame.kind))
                saved[f"wire{layer}.step"], saved[f"wire{layer}.gain"] = np.array(frame.step), np.array(frame.gain)
        return saved

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        super().restore(saved)
        for layer in range(len(self.wires)):
            wire = _part(saved, f"wire{layer}.")
            self.wires[layer] = None if not wire else Frame(
                np.array(wire["values"]), KINDS[int(wire["kind"])], np.array(wire["labels"]),
                int(wire["step"]), float(wire["gain"]), int(wire["still"]), int(wire["full"]),
            )  # fmt: skip
