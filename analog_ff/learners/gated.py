"""Base class of the local learners whose drives have factors: a gate and a quantiser on the factors, and peers beside them.

A factor c says how much an image (or a region, or a group of neurons) still has to learn; the drive is c times a slope. What has
been learned has a small c, and the gate sets it to zero (`analog_ff.objective.gate`): an image whose factors are all zero
changes nothing, and is left out of the update before it is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Unpack

import numpy as np

from analog_ff.learners.local import LocalKeywords, LocalLearner
from analog_ff.network.base import Network
from analog_ff.objective.gate import Gate
from hardware_models.events import Events, Tally
from hardware_models.keys import Key


class GatedKeywords(LocalKeywords, total=False):
    """Keyword arguments of every learner whose drives have factors; see `GatedLearner`."""

    gate: float
    drive_bits: int | None
    drive_rounding: str


class Push(NamedTuple):
    """The peer term of a batch as an outer product of its own, one entry for each array of a layer."""

    means: Sequence[np.ndarray]  # mean inputs of the images that teach
    terms: Sequence[np.ndarray]  # peer term times their number


class GatedLearner(LocalLearner):
    """A learner whose drives are factors times slopes.

    Parameters
    ----------
    network, and those of `LocalLearner`
        See there.
    skip_silent
        See `Learner`. With it the peer term, the same for all images of a batch, is applied by one outer product of the
        summed inputs with the term: the same change of the weights at one product a batch.
    gate, drive_bits, drive_rounding
        See `analog_ff.objective.gate`; a gated image changes no weight, not even by its peer term.
    """

    def __init__(
        self,
        network: Network,
        *,
        gate: float = 0.0,
        drive_bits: int | None = None,
        drive_rounding: str = "stochastic",
        **shared: Unpack[LocalKeywords],
    ) -> None:
        super().__init__(network, **shared)
        self._gate = Gate(gate, drive_bits, drive_rounding)
        # Images that met the gate of each layer, and those of them that changed nothing.
        self._met = np.zeros((len(network.units), 2), np.int64)

    def gated(self, layer: int, c: np.ndarray, key: Key) -> tuple[np.ndarray, np.ndarray, Events]:
        """Return the factors c (B, R) of a layer behind the gate, a mask (B,) of the images that teach, and the gate's events."""
        if not self._gate:
            return c, np.ones(len(c), bool), Events()
        kept, events = self._gate(c, key)
        taught: np.ndarray = (kept != 0).any(axis=1)
        self._met[layer] += (len(c), len(c) - int(taught.sum()))
        return kept, taught, events

    def push_to_peers(
        self, layer: int, x: Sequence[np.ndarray], d: np.ndarray, y: np.ndarray, taught: np.ndarray
    ) -> tuple[Push | None, Tally]:
        """Add the peer term of the first rows of a batch to their drives in place, or return it apart, with the events.

        x : inputs of each array of the layer; d : (B, units) drives; y : (b, units) outputs of the first b rows; taught : (b,)
        mask of those that teach.
        """
        if not self.peer:
            return None, Tally()
        term = self.peer_term(layer, y)
        if not self._peers_apart:
            d[: len(y)] += term * taught[:, None] if self._gate else term
            return None, Tally()
        return self._together(layer, x, len(d), np.flatnonzero(taught), term) if taught.any() else (None, Tally())

    def bring_taught(
        self, layer: int, x: Sequence[np.ndarray], d: np.ndarray, full: int, rate: float, key: Key, push: Push | None
    ) -> Tally:
        """Apply x^T d to a layer's arrays, without the rows that a gate has left no drive, and with the peers' push.

        A full batch has `full` images.
        """
        drives = self.network.split(layer, d)
        if self._gate:
            used = [part.any(axis=1) for part in drives]
            x = tuple(part[rows] for part, rows in zip(x, used, strict=True))
            drives = tuple(part[rows] for part, rows in zip(drives, used, strict=True))
        if push is not None:
            x = tuple(np.concatenate(pair) for pair in zip(x, push.means, strict=True))
            drives = tuple(np.concatenate(pair) for pair in zip(drives, push.terms, strict=True))
        return self.bring(layer, x, drives, full, rate, key)

    @property
    def _peers_apart(self) -> bool:
        """True if the peer term, which makes every drive dense, is worth an outer product of its own."""
        return self.skip_silent and self.updates[0].averages

    def _together(
        self, layer: int, x: Sequence[np.ndarray], images: int, taught: np.ndarray, term: np.ndarray
    ) -> tuple[Push, Tally]:
        """Return the images' mean inputs to each array, the peer term times their number, and the events of forming both."""
        means, tally = [], Tally()
        terms = self.network.split(layer, term[None] * np.float32(len(taught)))
        for part, rows, asked in zip(self.network.parts[layer], x, terms, strict=True):
            of_images = rows.reshape(images, -1, rows.shape[1])[taught]
            means.append(of_images.mean(axis=0))
            counts = {"add.fp32": int(np.count_nonzero(of_images)), "mac.fp32": means[-1].size + asked.size}
            tally.add(part, Events(counts))
        return Push(means, terms), tally

    @property
    def measured(self) -> Mapping[str, float]:
        """Numbers noted after each epoch: those of the updates, and the share of images that each gate kept from learning."""
        gated = {f"gated_share_{layer}": share for layer, share in enumerate(self.gated_share or ())}
        return {**super().measured, **gated}

    @property
    def gated_share(self) -> list[float] | None:
        """Share of the images shown that the gate of each layer kept from learning; None without a gate."""
        return [int(gated) / max(1, int(met)) for met, gated in self._met] if self._gate else None

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the learner's own state, and how many images the gates met."""
        return super().save(copy=copy) | ({"gate.met": self._met.copy()} if self._gate else {})

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        super().restore(saved)
        if self._gate:
            self._met = np.array(saved["gate.met"])
