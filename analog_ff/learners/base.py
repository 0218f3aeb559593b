"""What every supervised learner with label inputs shares: initial weights, passes, the two read-outs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analog_ff.network.stack import Activity, Stack
from analog_ff.objective.goodness import GOODNESS
from analog_ff.objective.labels import embed
from analog_ff.objective.readout import SoftmaxReadout
from hardware_models.check import UsageError, in_range, positive_int
from hardware_models.events import Events, Tally
from hardware_models.keys import Key
from hardware_models.port import ChipPort
from hardware_models.tables import lookup

READOUTS = ("energy", "softmax")
READOUT_LAYERS = ("all", "all-but-first")
CHUNK = 1000
"""Images per pass of an evaluation; bounds the memory, and fixes which noise an image meets."""


class LabelLearner:
    """A network whose first `classes` inputs carry the label, with an energy and a softmax read-out.

    The energy read-out makes one pass per label and takes the label of the best goodness (the largest, or the smallest
    where positives are to have a low one), summed over the read-out layers. The softmax read-out makes one pass with
    the neutral label; it is a digital float32 softmax regression on the normalised activities of the read-out layers,
    counted under layer ``readout``.
    """

    def __init__(
        self,
        port: ChipPort,
        *,
        classes: int,
        seed: int,
        readout_layers: str = "all",
        goodness: str = "sum-of-squares",
        label_strength: float = 1.0,
        readout_rate: float = 0.1,
        readout_decay: float = 0.003,
    ) -> None:
        self.port = port
        self.goodness = lookup("goodness", goodness, GOODNESS)
        self.classes = positive_int("a learner", "classes", classes, 2)
        self.seed = seed
        self.label_strength = in_range("a learner", "label_strength", label_strength, 0.0, 100.0, low_open=True)
        if port.shapes[0][0] - 1 < classes:
            raise UsageError(
                f"images of {port.shapes[0][0] - 1} pixels have no room for {classes} label inputs; "
                f"they need at least {classes} pixels."
            )
        if readout_layers not in READOUT_LAYERS:
            raise UsageError(f"the read-out layers are one of {', '.join(READOUT_LAYERS)}, got {readout_layers!r}.")
        first = 1 if readout_layers == "all-but-first" else 0
        if first >= len(port.shapes):
            raise UsageError("read-out layers 'all-but-first' need at least two layers; choose 'all'.")
        self.readout_layers = range(first, len(port.shapes))
        features = sum(port.shapes[layer][1] for layer in self.readout_layers)
        self.stack = Stack(port)
        self.softmax = SoftmaxReadout(features, self.classes, rate=readout_rate, decay=readout_decay)

    def initialise(self) -> Tally:
        """Program W ~ N(0, 1/fan_in), bias row 0, once and open loop; returns the events of phase ``program``."""
        tally = Tally()
        for layer, (inputs, neurons) in enumerate(self.port.shapes):
            rng = Key(self.seed, "weights").child("layer", layer).generator()
            weights = np.zeros((inputs, neurons))
            weights[:-1] = rng.standard_normal((inputs - 1, neurons)) / np.sqrt(inputs - 1)
            tally.add(layer, self.port.program(layer, weights, key=Key(self.seed, "program").child("layer", layer)))
        return tally

    def passes(
        self, images: np.ndarray, labels: np.ndarray | None, key: Key, name: str
    ) -> tuple[list[Activity], Tally]:
        """Return the activities of one pass with these labels (None: the neutral label)."""
        shown = embed(images, labels, self.classes, strength=self.label_strength)
        return self.stack.forward(shown, key, name)

    def features(self, activities: list[Activity]) -> np.ndarray:
        """Return the softmax read-out's inputs, (B, features) float32."""
        return np.concatenate([activities[layer].normalised for layer in self.readout_layers], axis=1)

    def train_readout(self, features: np.ndarray, labels: np.ndarray, gain: float) -> Events:
        """Make one step of the digital softmax regression and count it."""
        self.softmax.step(features, labels, gain)
        batch, size = features.shape
        words = size * self.classes
        # Forward and outer product, the average and the update; weights and average are read and written once.
        counts = {"mac.fp32": 2 * batch * words + 3 * words, "add.fp32": batch * self.classes}
        return Events(counts | {"sram.words_read": 2 * words, "sram.words_written": 2 * words})

    def predict(
        self, images: np.ndarray, *, readouts: Sequence[str] = READOUTS, key: Key
    ) -> tuple[dict[str, np.ndarray], Tally]:
        """Return the predicted labels (B,) of each read-out asked for, and the events."""
        tally = Tally()
        predicted: dict[str, list[np.ndarray]] = {name: [] for name in readouts}
        for start in range(0, len(images), CHUNK):
            part = images[start : start + CHUNK]
            chunk_key = key.child("chunk", start // CHUNK)
            for name in readouts:
                if name not in READOUTS:
                    raise UsageError(f"no read-out '{name}' (known: {', '.join(READOUTS)}).")
                answer, events = (self._by_energy if name == "energy" else self._by_softmax)(part, chunk_key)
                predicted[name].append(answer)
                tally = tally + events
        return {name: np.concatenate(parts) for name, parts in predicted.items()}, tally

    def _by_energy(self, images: np.ndarray, key: Key) -> tuple[np.ndarray, Tally]:
        tally = Tally()
        scores = np.zeros((len(images), self.classes))
        for label in range(self.classes):
            activities, events = self.passes(images, np.full(len(images), label), key.child("label", label), "layer")
            tally = tally + events
            for layer in self.readout_layers:
                scores[:, label] += self.goodness.sign * self.goodness.value(activities[layer].y)
        return scores.argmax(axis=1), tally

    def _by_softmax(self, images: np.ndarray, key: Key) -> tuple[np.ndarray, Tally]:
        activities, tally = self.passes(images, None, key.child("neutral"), "layer")
        features = self.features(activities)
        words = features.shape[1] * self.classes
        tally.add("readout", Events({"mac.fp32": len(images) * words, "sram.words_read": words}))
        return self.softmax.probabilities(features).argmax(axis=1), tally

    def save(self) -> dict[str, np.ndarray]:
        """Return the learner's own state; the chip saves its own."""
        return {f"softmax.{name}": value for name, value in self.softmax.save().items()}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Take up a state that `save` returned."""
        self.softmax.restore(_part(saved, "softmax."))


def _part(saved: dict[str, np.ndarray], start: str) -> dict[str, np.ndarray]:
    return {name[len(start) :]: value for name, value in saved.items() if name.startswith(start)}
