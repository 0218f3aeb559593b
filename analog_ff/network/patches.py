r"""Layers that see patches of the map below them: the common part of networks with local fields and of convolutions.

A map is height x width positions with some channels each, laid out (row, column, channel). A layer has a grid of positions
on the map below, `stride` apart; position p sees a square of `patch` x `patch` with all channels, whole squares only
("valid": what is left at the right and lower edge is not seen). With the image u, and where labels are appended their code v,

.. math:: (v_0, a_0) = rms((v, u)), \quad x_{lp} = (a_l[\text{patch } p], \sqrt{k/n}\,v_0, s), \quad
          y_{lp} = f(W^T x_{lp}), \quad a_{l+1} = rms(y_l)

with k values in a patch and n in the image with its code, so that the label has the same share of the power in a patch as in
the full image. The channels of all positions lie side by side in y_l (B, positions channels), the map of the next layer. The
goodness is that of all positions together; with as many regions as positions each position has its own goodness.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from analog_ff.network.base import Activity, Frame, Shown, Wiring
from analog_ff.network.stack import dropped
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.normalise import rms
from hardware_models.check import UsageError, positive_int
from hardware_models.events import Tally
from hardware_models.keys import Key
from hardware_models.port import ChipPort


class Patches(NamedTuple):
    """The grid of one layer on the map below it."""

    rows: int
    columns: int
    indices: np.ndarray  # (positions, patch² channels), indices into the map of the values that each position sees

    @property
    def positions(self) -> int:
        """Number of positions."""
        return self.rows * self.columns


def patches(height: int, width: int, channels: int, patch: int, stride: int) -> Patches:
    """Return the grid of squares with `patch` pixels a side, in steps of `stride`, on a map height x width x channels."""
    index_map = np.arange(height * width * channels).reshape(height, width, channels)
    tops, lefts = range(0, height - patch + 1, stride), range(0, width - patch + 1, stride)
    indices = np.stack([index_map[top : top + patch, left : left + patch].ravel() for top in tops for left in lefts])
    return Patches(len(tops), len(lefts), indices)


def grids(frame: Frame, layers: Sequence[int], patch: Sequence[int], stride: Sequence[int]) -> tuple[Patches, ...]:
    """Return the grid of every layer; the last entries of `patch` and `stride` are used for all further layers.

    Raises UsageError if the images have no height and width, or a patch is larger than the map below it.
    """
    if frame.height == 1 or frame.width == 1:
        raise UsageError("patches need images of known height and width, these are vectors; choose --network stack.")
    height, width, channels = frame.height, frame.width, frame.channels
    of_layers = []
    for layer, neurons in enumerate(layers):
        size = positive_int("--patch", "every patch", patch[min(layer, len(patch) - 1)], 1, 10_000)
        step = positive_int("--stride", "every stride", stride[min(layer, len(stride) - 1)], 1, 10_000)
        if size > min(height, width):
            below = "the image" if layer == 0 else f"the map of layer {layer - 1}"
            raise UsageError(
                f"--patch {size} of layer {layer} is larger than {below}, {height} x {width}; "
                f"choose at most {min(height, width)} there, or fewer layers."
            )
        of_layers.append(patches(height, width, channels, size, step))
        height, width, channels = of_layers[-1].rows, of_layers[-1].columns, neurons
    return tuple(of_layers)


class PatchNetwork(ABC):
    """Layers of patches on the arrays of `port`; subclasses assign positions to arrays.

    Parameters
    ----------
    port, goodness : the chip, built by the result of `plan`; the goodness of each layer.
    grids : the grid of each layer.
    classes : width of the label's code beside every patch; used where labels are appended.
    label_place : "appended" or "none".
    """

    labelled_place: ClassVar[str] = "appended"
    first_learned = 0
    feature_iteration = 0
    score_iterations = range(1)

    def __init__(
        self,
        port: ChipPort,
        goodness: Sequence[LayerGoodness],
        *,
        grids: Sequence[Patches],
        pixels: int,
        classes: int,
        label_place: str = "none",
    ) -> None:
        check_place(label_place)
        self.port, self.goodness, self.label_place, self.grids = port, goodness, label_place, tuple(grids)
        self._codes = classes if label_place == "appended" else 0
        self.inputs = pixels + self._codes
        self.parts = self._parts()
        self.units = tuple(
            grid.positions * port.shapes[parts[0]][1] for grid, parts in zip(self.grids, self.parts, strict=True)
        )

    def forward(
        self, shown: Shown, key: Key, name: str, *, dropout: float = 0.0, iterations: int | None = None
    ) -> Iterator[tuple[list[Activity], Tally]]:
        """Yield the single iteration; each array is read with the key child (name, array)."""
        tally, activities = Tally(), []
        normalised = rms(np.asarray(shown.pixels, np.float32))
        codes, a = normalised[:, : self._codes], normalised[:, self._codes :]
        for layer, grid in enumerate(self.grids):
            scale = self.port.datasheet[self.parts[layer][0]].input_scale
            share = np.float32(np.sqrt(grid.indices.shape[1] / normalised.shape[1]))
            x = self._arranged(beside(a[:, grid.indices], codes * share, scale))
            y, events = self._observed(layer, x, None, key, name)
            tally = tally + events
            for part, piece in zip(self.parts[layer], self._cut(layer, y), strict=True):
                tally.add(part, self.goodness[layer].costs(piece.size))
            a = self.goodness[layer].normalise(y)
            activities.append(Activity(x, y, a))
            if dropout and layer + 1 < len(self.units):
                a, counted = dropped(a, dropout, key.child("dropout").child(name, layer))
                tally.add(self.parts[layer][0], counted)
        yield activities, tally

    def again(self, layer: int, activity: Activity, bias: np.ndarray | float, key: Key) -> tuple[np.ndarray, Tally]:
        """Read a layer again with a bias added to z; return y (B, units) and the events."""
        return self._observed(layer, activity.x, bias, key, "again")

    def split(self, layer: int, d: np.ndarray) -> tuple[np.ndarray, ...]:
        """Cut d (B, units) into one part for each array, with the rows and columns of that array."""
        return self._cut(layer, d)

    def _observed(
        self, layer: int, x: tuple[np.ndarray, ...], bias: np.ndarray | float | None, key: Key, name: str
    ) -> tuple[np.ndarray, Tally]:
        """Read every array of a layer and return y (B, units)."""
        tally, outputs = Tally(), []
        biases: tuple[np.ndarray | None, ...] = (None,) * len(x)
        if bias is not None:
            units = self.units[layer]
            batch = len(x[0]) * len(x) // self.grids[layer].positions
            biases = self._cut(layer, np.broadcast_to(np.asarray(bias, np.float32), (batch, units)))
        for part, inputs, offset in zip(self.parts[layer], x, biases, strict=True):
            y, events = self.port.observe(part, inputs, bias=offset, key=key.child(name, part))
            tally.add(part, events)
            outputs.append(y)
        return self.join(layer, outputs), tally

    @abstractmethod
    def _parts(self) -> tuple[tuple[int, ...], ...]:
        """Return the numbers of the chip's layers that form each network layer."""

    @abstractmethod
    def _arranged(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return inputs (B, positions, n) as the input rows of each array."""

    @abstractmethod
    def join(self, layer: int, found: Sequence[np.ndarray]) -> np.ndarray:
        """Return the outputs of a layer's arrays as y (B, positions channels)."""

    @abstractmethod
    def _cut(self, layer: int, values: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return values (B, positions channels) as the rows and columns of each array: the inverse of `join`."""


def check_place(label_place: str) -> None:
    """Raise UsageError for a place of labels that a network of patches does not have."""
    if label_place not in ("appended", "none"):
        raise UsageError(
            f"patches take labels appended to their inputs or none at all, not at '{label_place}'; choose --network stack."
        )


def beside(values: np.ndarray, codes: np.ndarray, scale: float) -> np.ndarray:
    """Return patches (B, positions, k) float32 with the codes (B, C) and the input of the bias row appended to each."""
    batch, positions, size = values.shape
    x = np.empty((batch, positions, size + codes.shape[1] + 1), np.float32)
    x[..., :size] = values
    x[..., size:-1] = codes[:, None, :]
    x[..., -1] = scale
    return x


def lines(grid: Patches, frame: Frame) -> int:
    """Return the number of word lines for a patch: its values, an appended label code, the bias."""
    return grid.indices.shape[1] + (frame.classes if frame.label_place == "appended" else 0) + 1


def wiring(
    frame: Frame, layers: Sequence[int], found: tuple[Patches, ...], shapes: tuple[tuple[int, int], ...]
) -> Wiring:
    """Return the plan of a network of patches from the shapes of its arrays."""
    positions = tuple(grid.positions for grid in found)
    units = tuple(number * neurons for number, neurons in zip(positions, layers, strict=True))
    options = {"grids": found, "pixels": frame.pixels, "classes": frame.classes}
    return Wiring(shapes, units, positions, options)
