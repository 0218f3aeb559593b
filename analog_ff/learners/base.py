"""Base class of every learner with a read-out: initial weights, passes, read-outs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Required, TypedDict

import numpy as np

from analog_ff.learners.meter import ActivityMeter
from analog_ff.learners.options import READOUTS
from analog_ff.network.base import Activity, Network, Shown
from analog_ff.objective.labels import PLACES, code, embed
from analog_ff.objective.readout import READOUT_FORMATS, READOUT_LAYERS, SoftmaxReadout
from analog_ff.objective.schedule import Moment
from hardware_models.check import UsageError, in_range, positive_int
from hardware_models.events import Events, Tally
from hardware_models.keys import Key
from hardware_models.tables import lookup

ALWAYS = Moment(0, 0)
"""Both passes, all layers."""
CHUNK = 1000
"""Images per pass of an evaluation; bounds the memory, and fixes the noise drawn for each image."""


class LearnerKeywords(TypedDict, total=False):
    """Keyword arguments of every learner with a read-out; see `Learner`."""

    classes: Required[int]
    seed: Required[int]
    readout_layers: str
    label_strength: float
    readout_rate: float
    readout_decay: float
    readout_format: str
    goodness_weight: float | None
    skip_silent: bool


class Learner(ABC):
    """A network with a softmax read-out and, where it is shown labels, an energy read-out.

    The energy read-out makes one pass per label and takes the label of the best goodness (the largest, or the smallest
    where positives are to have a low one), summed over the read-out layers. The softmax read-out makes one pass with
    the neutral label (or, in a network without labels, just one pass); it is a digital softmax regression on the
    normalised activities of the read-out layers, counted under layer ``readout``. Their formulae, and that of the two together,
    stand in `analog_ff.learners.readouts`.

    Parameters
    ----------
    network : Network
        The wiring of a chip; its `label_place` says where labels are shown.
    classes, seed : int
        Number of labels; the seed of weights and of every draw.
    readout_layers : "all", "all-but-first" or "last".
    label_strength : float
        Label input, a white pixel being 1.
    readout_rate, readout_decay : float
        See `SoftmaxReadout`.
    readout_format : a name of `READOUT_FORMATS`, the numbers in which the read-out multiplies.
    goodness_weight : float, optional
        w of the two read-outs together, which a learner without it does not have [1/(units of the goodness)].
    skip_silent : bool
        Whether digital products skip factors that are zero; it changes what is counted, not what is computed.
    """

    name: ClassVar[str]
    labelled: ClassVar[bool] = True  # whether the network is shown labels; the negatives may say otherwise
    in_situ: ClassVar[bool] = True  # whether the arrays are written while it learns
    takes_cells: ClassVar[bool] = True  # whether it learns from the cells as they are, and not from weights of its own
    reads_back: ClassVar[bool] = False  # whether it reads arrays backwards (pin "transposed")
    least: int = 1  # images that a batch must have

    def __init__(
        self,
        network: Network,
        *,
        classes: int,
        seed: int,
        readout_layers: str = "all",
        label_strength: float = 1.0,
        readout_rate: float = 0.1,
        readout_decay: float = 0.003,
        readout_format: str = "fp32",
        goodness_weight: float | None = None,
        skip_silent: bool = False,
    ) -> None:
        self.network, self.port = network, network.port
        self.skip_silent = skip_silent
        self.classes = positive_int("a learner", "classes", classes, 2)
        self.seed = seed
        self.label_strength = in_range("a learner", "label_strength", label_strength, 0.0, 100.0, low_open=True)
        if network.label_place not in PLACES:
            raise UsageError(f"labels are taken at {', '.join(PLACES)}, got {network.label_place!r}.")
        if network.label_place == "pixels" and network.inputs < classes:
            raise UsageError(
                f"images of {network.inputs} pixels have no room for {classes} label inputs; "
                f"they need at least {classes} pixels."
            )
        if readout_layers not in READOUT_LAYERS:
            raise UsageError(f"the read-out layers are one of {', '.join(READOUT_LAYERS)}, got {readout_layers!r}.")
        first = {"all": 0, "all-but-first": 1, "last": len(network.units) - 1}[readout_layers]
        if first >= len(network.units):
            raise UsageError("read-out layers 'all-but-first' need at least two layers; choose 'all'.")
        self.readout_layers = range(first, len(network.units))
        features = sum(network.units[layer] for layer in self.readout_layers)
        if readout_format not in READOUT_FORMATS:
            raise UsageError(f"a read-out computes in {' or '.join(READOUT_FORMATS)}, got {readout_format!r}.")
        self._weight = None
        if goodness_weight is not None:
            self._weight = in_range("a learner", "goodness_weight", goodness_weight, 0.0, 1e6)
        made = READOUT_FORMATS[readout_format]
        self.softmax: SoftmaxReadout = made(features, self.classes, rate=readout_rate, decay=readout_decay)
        self.meter = ActivityMeter()
        self.answered = (0, 0)
        """Training images that the softmax read-out answered before it learned from them: wrongly, and in all."""

    @property
    def readouts(self) -> tuple[str, ...]:
        """The read-outs that this learner has: a network without labels has no goodness of a label, so no energy read-out."""
        if self.network.label_place == "none":
            return ("softmax",)
        return ("energy", "softmax") if self._weight is None else ("energy", "softmax", "both")

    @property
    def goodness_weight(self) -> float:
        """Weight w of the goodness in the two read-outs together; raise UsageError for a learner without it."""
        if self._weight is None:
            raise UsageError("this learner was made without the read-out 'both'.")
        return self._weight

    @property
    def scored_neurons(self) -> int:
        """Outputs of neurons that the energy read-out sums over, those of every counted iteration."""
        return sum(self.network.units[layer] for layer in self.readout_layers) * len(self.network.score_iterations)

    def initialise(self) -> Tally:
        """Program W ~ N(0, 1/fan_in), bias row 0, once and open loop; return the events of phase ``program``."""
        tally = Tally()
        for layer, (inputs, neurons) in enumerate(self.port.shapes):
            rng = Key(self.seed, "weights").child("layer", layer).generator()
            weights = np.zeros((inputs, neurons))
            weights[:-1] = rng.standard_normal((inputs - 1, neurons)) / np.sqrt(inputs - 1)
            tally.add(layer, self.port.program(layer, weights, key=Key(self.seed, "program").child("layer", layer)))
        return tally

    def pace(self, tally: Tally, images: int, step: int) -> Tally:
        """Wait until `images` images have taken their time, of which the events of `tally` have taken some; return the events.

        Without an update that asks for a pace there is no wait. `step` names the random draws.
        """
        del tally, images, step
        return Tally()

    def remember(self, step: int) -> Tally:
        """Do what comes after the batch of that number, and return its events; by default there is none."""
        del step
        return Tally()

    def consolidate(self, step: int) -> Tally:
        """Do what a batch of the last epochs asks for in a network that is consolidated, and return the events.

        Without such a network there is nothing to do. `step` names the random draws.
        """
        del step
        return Tally()

    @abstractmethod
    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, gain: float, moment: Moment = ALWAYS) -> Tally:
        """Learn from one batch, (B, n) in [0, 1] and (B,), and return the events.

        `step` is the number of the batch, which names the random draws; `gain` multiplies all learning rates; `moment` says
        which passes the batch is shown in and which layers learn.
        """

    @property
    def mean_goodness(self) -> Sequence[tuple[float, float]]:
        """Mean goodness of the last positives and negatives, layer by layer; empty without negatives."""
        return ()

    @property
    def measured(self) -> Mapping[str, float]:
        """Further numbers that a run notes after each epoch, by name."""
        return {}

    @property
    def gated_share(self) -> list[float] | None:
        """Share of images that a gate kept from learning, layer by layer; None without a gate."""
        return None

    def show(self, images: np.ndarray, labels: np.ndarray | None) -> Shown:
        """Return images (B, n) with labels (B,), or the neutral label, where the network takes them."""
        place = self.network.label_place
        images = np.asarray(images, np.float32)
        if place == "none":
            return Shown(images)
        if place == "pixels":
            return Shown(embed(images, labels, self.classes, strength=self.label_strength))
        codes = code(labels, len(images), self.classes, self.label_strength)
        return Shown(np.concatenate((codes, images), axis=1)) if place == "appended" else Shown(images, codes)

    def look(
        self, images: np.ndarray, labels: np.ndarray | None, key: Key, name: str, *, dropout: float = 0.0
    ) -> tuple[list[Activity], Tally]:
        """Run one forward pass and return its layer activities and the events; `labels` None shows the neutral label."""
        tally = Tally()
        last = self.network.feature_iteration
        activities: list[Activity] = []
        passes = self.network.forward(self.show(images, labels), key, name, dropout=dropout, iterations=last + 1)
        for activities, events in passes:  # noqa: B007
            tally = tally + events
        return activities, tally

    def features(self, activities: list[Activity]) -> np.ndarray:
        """Return the softmax read-out's inputs, (B, features) float32."""
        return np.concatenate([activities[layer].normalised for layer in self.readout_layers], axis=1)

    def finish(self) -> Tally:
        """Do the last work after training and return its events, of phase ``program``; by default there is none."""
        return Tally()

    def train_readout(
        self,
        features: np.ndarray,
        labels: np.ndarray,
        gain: float,
        full: int | None = None,
        readout: SoftmaxReadout | None = None,
        p: np.ndarray | None = None,
    ) -> Events:
        """Make one step of a digital softmax regression, by default that of the network, and count it.

        p : its probabilities of these features, if they are known.
        """
        chosen = self.softmax if readout is None else readout
        p = chosen.probabilities(features) if p is None else p
        chosen.step(features, labels, gain, full, p)
        if readout is None:
            wrong, answered = self.answered
            self.answered = wrong + int(np.count_nonzero(p.argmax(axis=1) != labels)), answered + len(labels)
        batch, size = features.shape
        words = size * self.classes
        # Forward and outer product, the average and the update; weights and average are read and written once.
        counts = {"mac.fp32": 3 * words, "add.fp32": batch * self.classes}
        counts |= {"sram.words_read": 2 * words, "sram.words_written": 2 * words}
        return Events(counts) + self.product_events(features, 2)

    def product_events(self, features: np.ndarray, times: int = 1) -> Events:
        """Return `times` the multiply-adds of features (B, F) with the read-out's weights, in its own format, as events."""
        return Events({self.softmax.product: times * self.products(features)})

    def products(self, features: np.ndarray) -> int:
        """Return the multiply-adds of features (B, F) with the read-out's weights."""
        return (int(np.count_nonzero(features != 0.0)) if self.skip_silent else features.size) * self.classes

    def predict(
        self, images: np.ndarray, *, readouts: Sequence[str] | None = None, key: Key
    ) -> tuple[dict[str, np.ndarray], Tally]:
        """Return the predicted labels (B,) of each read-out asked for (default all), and the events.

        A read-out that takes the scores of others which are asked before it makes no passes of its own.
        """
        scores, tally = self.scored(images, readouts=readouts, key=key)
        return {name: found.argmax(axis=1) for name, found in scores.items()}, tally

    def scored(
        self, images: np.ndarray, *, readouts: Sequence[str] | None = None, key: Key
    ) -> tuple[dict[str, np.ndarray], Tally]:
        """Return the score of each label, (B, classes), by each read-out asked for (default all), and the events."""
        tally = Tally()
        readouts = self.readouts if readouts is None else readouts
        found: dict[str, list[np.ndarray]] = {name: [] for name in readouts}
        for start in range(0, len(images), CHUNK):
            part = images[start : start + CHUNK]
            chunk_key = key.child("chunk", start // CHUNK)
            known: dict[str, np.ndarray] = {}
            for name in readouts:
                known[name], events = self.scores(part, name, chunk_key, known)
                found[name].append(known[name])
                tally = tally + events
        return {name: np.concatenate(parts) for name, parts in found.items()}, tally

    def scores(
        self, images: np.ndarray, readout: str, key: Key, known: Mapping[str, np.ndarray] = {}
    ) -> tuple[np.ndarray, Tally]:
        """Return the score of each label, (B, classes), and the events; the best score is the read-out's answer.

        `known` are scores of the same images by other read-outs, which are not made again.
        """
        if readout not in self.readouts:
            raise UsageError(f"no read-out '{readout}' (known here: {', '.join(self.readouts)}).")
        found: tuple[np.ndarray, Tally] = lookup("read-out", readout, READOUTS)(self, images, key, known)
        return found

    def outputs(self, images: np.ndarray, key: Key) -> tuple[np.ndarray, Tally]:
        """Return the outputs (B, classes) of an output layer on the chip, and the events; raise UsageError if there is none."""
        raise UsageError(f"learner {self.name} has no output layer on the chip.")

    def agreement(self, images: np.ndarray, labels: np.ndarray, key: Key) -> tuple[np.ndarray, Tally]:
        """Return the goodness s G (B,) of each image with its label, summed over the read-out layers, and the events."""
        tally = Tally()
        total = np.zeros(len(images))
        counted = self.network.score_iterations
        passes = self.network.forward(self.show(images, labels), key, "layer", iterations=counted.stop)
        for iteration, (activities, events) in enumerate(passes):
            tally = tally + events
            if iteration in counted:
                for layer in self.readout_layers:
                    total += self.network.goodness[layer].score(activities[layer].y)
        return total, tally

    def believe(self, images: np.ndarray, key: Key) -> tuple[np.ndarray, Tally]:
        """Return the softmax read-out's probabilities (B, classes) in a pass with the neutral label, and the events."""
        features, tally = self.neutral(images, key)
        return self.softmax.probabilities(features), tally

    def neutral(self, images: np.ndarray, key: Key) -> tuple[np.ndarray, Tally]:
        """Return the softmax read-out's inputs in a pass with the neutral label, and the events, its product included."""
        activities, tally = self.look(images, None, key.child("neutral"), "layer")
        features = self.features(activities)
        words = features.shape[1] * self.classes
        tally.add("readout", self.product_events(features) + Events({"sram.words_read": words}))
        return features, tally

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the learner's own state; the chip saves its own.

        Without `copy` large arrays may be those of the learner, which change with it.
        """
        del copy
        saved = {f"softmax.{name}": value for name, value in self.softmax.save().items()}
        return saved | {f"meter.{name}": value for name, value in self.meter.save().items()}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        self.softmax.restore(_part(saved, "softmax."))
        self.meter.restore(_part(saved, "meter."))


def _part(saved: dict[str, np.ndarray], start: str) -> dict[str, np.ndarray]:
    return {name[len(start) :]: value for name, value in saved.items() if name.startswith(start)}
