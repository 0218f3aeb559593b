"""What every network is: network layers that hold arrays of the chip, and passes that leave activities.

A network layer is what has one goodness; it may hold several arrays (one for each local field) or use one array for many
positions (a convolution). A pass yields the activities of all network layers, iteration by iteration: a stack has one
iteration, a recurrent network several. Learners see nothing else of a network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from analog_ff.objective.goodness import LayerGoodness
from hardware_models.events import Tally
from hardware_models.keys import Key
from hardware_models.port import ChipPort


class Shown(NamedTuple):
    """What one pass is shown."""

    pixels: np.ndarray  # (B, n) float32, labels among them where the network takes them there
    label: np.ndarray | None = None  # (B, C) float32 code of the label for a network that takes it elsewhere


class Activity(NamedTuple):
    """What one iteration of a pass leaves at one network layer."""

    x: tuple[np.ndarray, ...]  # inputs of each of its arrays, (B, inputs) or (B positions, inputs), bias included
    y: np.ndarray  # (B, units) outputs
    normalised: np.ndarray  # (B, units) outputs without their length, before any dropout


class Frame(NamedTuple):
    """What a network is made for: the images, and the labels and where they are shown."""

    pixels: int  # values of one image
    height: int
    width: int
    classes: int
    label_place: str  # a name of `analog_ff.objective.labels.PLACES`

    @property
    def channels(self) -> int:
        """Values of one pixel."""
        return self.pixels // (self.height * self.width)


class Wiring(NamedTuple):
    """What a network asks of a chip; made from the images and the choices alone, before there is a chip."""

    shapes: tuple[tuple[int, int], ...]  # (inputs, neurons) of each of the chip's layers, bias row included
    units: tuple[int, ...]  # of each network layer
    positions: tuple[int, ...] = ()  # of each network layer on the image; empty where a layer has none
    options: Mapping[str, Any] = {}  # for the network's constructor


class Network(Protocol):
    """The wiring between the layers of a chip."""

    labelled_place: ClassVar[str]  # where it takes labels, if it is shown any
    port: ChipPort
    inputs: int  # values of one image as it is shown
    units: tuple[int, ...]  # of each network layer
    parts: tuple[tuple[int, ...], ...]  # the chip's layers that each network layer holds
    goodness: Sequence[LayerGoodness]  # of each network layer; it also normalises
    label_place: str  # where it takes labels: a name of `analog_ff.objective.labels.PLACES`
    first_learned: int  # the first iteration that learns; before it positives and negatives cannot differ
    feature_iteration: int  # the iteration whose activities the softmax read-out reads
    score_iterations: range  # the iterations whose goodness the energy read-out averages

    @staticmethod
    def plan(frame: Frame, layers: Sequence[int], **options: Any) -> Wiring:
        """Return what the network asks of a chip; UsageError in one sentence if it cannot be made for such images."""
        ...

    def forward(
        self, shown: Shown, key: Key, name: str, *, dropout: float = 0.0, iterations: int | None = None
    ) -> Iterator[tuple[list[Activity], Tally]]:
        """Yield the activities of all network layers and the events, iteration by iteration.

        Each read has its own key, below (name, layer). `dropout` is the share of units whose output is kept from the next
        layer (the others are raised to keep the sum); `iterations` stops earlier. What is learned between two iterations
        counts in the next.
        """
        ...

    def again(self, layer: int, activity: Activity, bias: np.ndarray | float, key: Key) -> tuple[np.ndarray, Tally]:
        """Read a network layer once more for the same inputs, with `bias` (units of z) on its neurons; y (B, units).

        `bias` is one number, one per unit, or (B, units).
        """
        ...

    def join(self, layer: int, found: Sequence[np.ndarray]) -> np.ndarray:
        """Return what each array of a network layer gave, in the rows of `Activity.x`, as (B, units)."""
        ...

    def split(self, layer: int, d: np.ndarray) -> tuple[np.ndarray, ...]:
        """Cut d (B, units) into what belongs to each array, in the rows of `Activity.x`."""
        ...
