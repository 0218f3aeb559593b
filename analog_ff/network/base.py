"""Contract of all networks: network layers that hold arrays of the chip, and passes that produce activities.

A network layer has one goodness; it may hold several arrays (one for each local field) or use one array for many
positions (a convolution). A pass yields the activities of all network layers, iteration by iteration: a stack has one
iteration, a recurrent network several. Learners use nothing else of a network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from analog_ff.objective.goodness import LayerGoodness
from analog_ff.plain import Facts
from hardware_models.events import Events, Tally
from hardware_models.keys import Key
from hardware_models.port import ChipPort


class Shown(NamedTuple):
    """Input of one pass: pixels, and a label code if the network takes it separately."""

    pixels: np.ndarray  # (B, n) float32, including the labels if the network takes them there
    label: np.ndarray | None = None  # (B, C) float32 label code, for a network that takes it at another place


class Activity(NamedTuple):
    """Inputs and outputs of one network layer in one iteration of a pass."""

    x: tuple[np.ndarray, ...]  # inputs of each array of the layer, (B, inputs) or (B positions, inputs), bias included
    y: np.ndarray  # (B, units) outputs
    normalised: np.ndarray  # (B, units) outputs scaled to a fixed length, before any dropout


class Frame(NamedTuple):
    """Data for which a network is made: the shape of images, the number of classes, and the place of the labels."""

    pixels: int  # number of values of one image
    height: int
    width: int
    classes: int
    label_place: str  # a name of `analog_ff.objective.labels.PLACES`

    @property
    def channels(self) -> int:
        """Number of values of one pixel."""
        return self.pixels // (self.height * self.width)


class Wiring(NamedTuple):
    """Plan of the chip that a network needs, made from the images and options before the chip exists."""

    shapes: tuple[tuple[int, int], ...]  # (inputs, neurons) of each of the chip's layers, bias row included
    units: tuple[int, ...]  # number of units of each network layer
    positions: tuple[int, ...] = ()  # number of positions of each network layer on the image; empty without positions
    options: Facts = {}  # keyword arguments of the network's constructor


class Box(Protocol):
    """A part between two layers of a chip, where the way is more than a wire; see `hardware_models.chip.between`."""

    def __call__(self, a: np.ndarray, key: Key) -> tuple[np.ndarray, Events]:
        """Return the input of the next layer for the normalised outputs of a layer, both (B, units), and the events."""
        ...

    def slope(self, a: np.ndarray) -> np.ndarray:
        """Return the slope of each line at a (B, units): a look inside, for a perfect model alone."""
        ...


class Network(Protocol):
    """The wiring between the layers of a chip."""

    labelled_place: ClassVar[str]  # place of the labels for data with labels
    port: ChipPort
    inputs: int  # number of values of one image as it is shown
    units: tuple[int, ...]  # number of units of each network layer
    parts: tuple[tuple[int, ...], ...]  # numbers of the chip's layers that form each network layer
    goodness: Sequence[LayerGoodness]  # of each network layer; it also normalises the layer
    label_place: str  # place of the labels: a name of `analog_ff.objective.labels.PLACES`
    first_learned: int  # the first iteration that learns; before it positives and negatives cannot differ
    feature_iteration: int  # the iteration whose activities the softmax read-out reads
    score_iterations: range  # the iterations whose goodness the energy read-out averages

    @staticmethod
    def plan(frame: Frame, layers: Sequence[int], **options: Any) -> Wiring:
        """Return the plan of the chip that the network needs; raise UsageError if the images or options do not allow it."""
        ...

    def forward(
        self, shown: Shown, key: Key, name: str, *, dropout: float = 0.0, iterations: int | None = None
    ) -> Iterator[tuple[list[Activity], Tally]]:
        """Yield the activities of all network layers and the events, iteration by iteration.

        Each read has its own key, a child of (name, layer). `dropout` is the share of units whose output is withheld from the
        next layer (the outputs of the others are increased to keep the mean sum); `iterations` ends the pass earlier. A weight
        change between two iterations takes effect in the next one.
        """
        ...

    def again(self, layer: int, activity: Activity, bias: np.ndarray | float, key: Key) -> tuple[np.ndarray, Tally]:
        """Read a network layer again for the same inputs, with `bias` added to z; return y (B, units) and the events.

        `bias` [units of z] is one number, one number per unit, or (B, units).
        """
        ...

    def join(self, layer: int, found: Sequence[np.ndarray]) -> np.ndarray:
        """Return the outputs of a network layer's arrays, which are in the rows of `Activity.x`, as one array (B, units)."""
        ...

    def split(self, layer: int, d: np.ndarray) -> tuple[np.ndarray, ...]:
        """Cut d (B, units) into one part for each array of a network layer, in the rows of `Activity.x`."""
        ...
