r"""Base classes of the learners that change the arrays: update schemes, and the parts of a rule local to a layer.

`ArrayLearner` applies outer products x^T d to the chip's arrays at a learning rate. `LocalLearner` adds the parts of a local
rule: the slope inside a layer, the peer term :math:`\lambda(\bar m - m)`, weight decay and dropout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Unpack

import numpy as np

from analog_ff.learners.base import Learner, LearnerKeywords, _part
from analog_ff.learners.final_weights import Last
from analog_ff.learners.options import FINAL_WEIGHTS, SLOPES
from analog_ff.learners.slopes import Slope
from analog_ff.network.base import Network
from analog_ff.objective.normalise import PeerNorm
from analog_ff.updates import UPDATES
from analog_ff.updates.base import Update
from analog_ff.updates.consolidation import Record
from analog_ff.updates.decay import Decay
from hardware_models.check import RunError, in_range
from hardware_models.events import Tally
from hardware_models.keys import Key
from hardware_models.tables import lookup

LATEST = 10
"""Batches by which the chip may be behind the images that come."""


class ArrayKeywords(LearnerKeywords, total=False):
    """Keyword arguments of every learner that changes the arrays; see `ArrayLearner`."""

    learning_rate: float | None
    update: str
    update_options: Mapping[str, object] | None
    bias_rate: float | None
    final_weights: str
    final_weights_options: Mapping[str, object] | None
    consolidation: Mapping[str, float] | None


class LocalKeywords(ArrayKeywords, total=False):
    """Keyword arguments of every learner with rules local to a layer; see `LocalLearner`."""

    peer: float
    slope: str
    slope_options: Mapping[str, object] | None
    dropout: float
    weight_decay: float
    decay_every: int


class ArrayLearner(Learner):
    """A learner that changes the arrays.

    Parameters
    ----------
    network, classes, seed, readout_layers, label_strength, readout_rate, readout_decay
        See `Learner`.
    learning_rate : float, optional
        eta; default `usual_rate`.
    update : str
        Name of the update scheme; `update_options` go to it.
    skip_silent : bool
        See `Learner`; the update schemes have it too.
    bias_rate : float, optional
        Factor on the bias row's update; default 1/s², so that the bias learns as if its input were 1.
    final_weights : str
        Name of the weights that the network ends with; `final_weights_options` go to them.
    consolidation : dict, optional
        ``share`` and ``every`` of `analog_ff.updates.consolidation.Record`; default: the network is not consolidated.
    """

    usual_rate: ClassVar[float] = 0.01

    def __init__(
        self,
        network: Network,
        *,
        learning_rate: float | None = None,
        update: str = "accumulate",
        update_options: Mapping[str, object] | None = None,
        bias_rate: float | None = None,
        final_weights: str = "last",
        final_weights_options: Mapping[str, object] | None = None,
        consolidation: Mapping[str, float] | None = None,
        **shared: Unpack[LearnerKeywords],
    ) -> None:
        super().__init__(network, **shared)
        rate = self.usual_rate if learning_rate is None else learning_rate
        self.learning_rate = in_range(self.name, "learning_rate", rate, 0.0, 100.0)
        scheme = lookup("update", update, UPDATES)
        port = self.port
        options = {**(update_options or {}), "skip_silent": self.skip_silent}
        self.updates: list[Update] = [scheme(port, part, **options) for part in range(len(port.shapes))]
        if consolidation is not None:
            share, every = float(consolidation["share"]), int(consolidation["every"])
            for part, own in enumerate(self.updates):
                own.record = Record(port, part, share=share, every=every)
        self._late = 0.0
        self._bias_rates = [
            1.0 / sheet.input_scale**2 if bias_rate is None else float(bias_rate) for sheet in port.datasheet
        ]
        final = lookup("final weights", final_weights, FINAL_WEIGHTS)
        averaged = self.softmax if "softmax" in self.readouts else None
        self.final: Last = final(port, averaged, **(final_weights_options or {}))

    def bring(
        self, layer: int, x: Sequence[np.ndarray], d: Sequence[np.ndarray], images: int, rate: float, key: Key
    ) -> Tally:
        """Apply the weight change rate * x^T d / images to every array of a layer; x and d hold one entry per array."""
        tally = Tally()
        for place, part in enumerate(self.network.parts[layer]):
            update = self.updates[part]
            held = update.waiting
            here = key.child("update", part)
            tally.add(part, update.apply(x[place], d[place], images, rate, self._bias_rates[part], here))
            # Activities that wait for the next write are stored for learning.
            self.meter.hold(max(0, update.waiting - held))
            self.meter.release(max(0, held - update.waiting))
        return tally

    def pace(self, tally: Tally, images: int, step: int) -> Tally:
        """Wait until the images of a batch have taken the time that the updates ask for.

        Images that come while the chip is busy for longer wait in a buffer, and later batches make up for it. Raises RunError
        where the chip is late by `LATEST` batches.
        """
        seconds = images * max(update.seconds_per_image for update in self.updates)
        if not seconds:
            return Tally()
        busy = tally.total().integrals.get("time", 0.0) + self._late
        self._late = max(0.0, busy - seconds)
        if self._late > LATEST * seconds:
            raise RunError(
                f"the chip is {self._late:.3g} s late: the images of a batch come in {seconds:.3g} s, and batches keep it busy "
                "for longer; give a larger --leak-time, a smaller --momentum or a lower --sample-rate."
            )
        return Tally({"shared": self.port.wait(max(0.0, seconds - busy), key=Key(self.seed, "pace", step))})

    def remember(self, step: int) -> Tally:
        """Let the final weights see those after a batch, and return the events."""
        return self.final.after_batch(Key(self.seed, "final", step))

    def finish(self) -> Tally:
        """Write the final weights unless they are those of the last update, and return the events, of phase ``program``."""
        return self.final.finish(Key(self.seed, "final"))

    def consolidate(self, step: int) -> Tally:
        """Hold the weights of each array to its record after a batch of the last epochs; `step` names the random draws."""
        tally, key = Tally(), Key(self.seed, "consolidate", step)
        for part, update in enumerate(self.updates):
            if update.record is not None:
                tally.add(part, update.record.after_batch(key.child("array", part)))
        return tally

    @property
    def measured(self) -> Mapping[str, float]:
        """Numbers of the update of each array, by name and array."""
        return {f"{name}_{part}": n for part, update in enumerate(self.updates) for name, n in update.measured.items()}

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the learner's own state: read-out and memories."""
        saved = super().save(copy=copy)
        for part, update in enumerate(self.updates):
            saved |= {f"update{part}.{name}": value for name, value in update.save(copy=copy).items()}
            kept = {} if update.record is None else update.record.save(copy=copy)
            saved |= {f"record{part}.{name}": value for name, value in kept.items()}
        saved |= {f"final.{name}": value for name, value in self.final.save(copy=copy).items()}
        return saved | ({"pace.late": np.array(self._late)} if self._late else {})

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        super().restore(saved)
        for part, update in enumerate(self.updates):
            update.restore(_part(saved, f"update{part}."))
            if update.record is not None:
                update.record.restore(_part(saved, f"record{part}."))
            self.meter.hold(update.waiting)
        self.final.restore(_part(saved, "final."))
        self._late = float(saved.get("pace.late", 0.0))


class LocalLearner(ArrayLearner):
    """A learner whose layers each learn from their own inputs and outputs alone.

    Parameters
    ----------
    network, learning_rate, update, update_options, bias_rate, and those of `Learner`
        See `ArrayLearner`.
    peer : float
        lambda.
    slope : str
        Name of the slope inside the layers; `slope_options` go to it.
    dropout : float
        Share of a hidden layer's outputs that a training pass keeps from the next layer [1].
    weight_decay, decay_every : float, int
        See `analog_ff.updates.decay`; 0: the weights are never read.
    """

    def __init__(
        self,
        network: Network,
        *,
        peer: float = 0.03,
        slope: str = "dropped",
        slope_options: Mapping[str, object] | None = None,
        dropout: float = 0.0,
        weight_decay: float = 0.0,
        decay_every: int = 100,
        **shared: Unpack[ArrayKeywords],
    ) -> None:
        super().__init__(network, **shared)
        self.peer = in_range(self.name, "peer", peer, 0.0, 10.0)
        self.dropout = in_range(self.name, "dropout", dropout, 0.0, 0.9)
        self.slope: Slope = lookup("slope", slope, SLOPES)(network, **(slope_options or {}))
        port = self.port
        self.decays = [Decay(port, part, strength=weight_decay, every=decay_every) for part in range(len(port.shapes))]
        self.peers = [PeerNorm(units, strength=self.peer) for units in network.units]

    def among_peers(self, layer: int, d: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the drive d (B, units) plus the peer term of the running mean so far, then update that mean with y."""
        return d + self.peer_term(layer, y) if self.peer else d

    def peer_term(self, layer: int, y: np.ndarray) -> np.ndarray:
        """Return the peer term (units,) computed from the running mean so far, then update that mean with y (B, units)."""
        term = self.peers[layer].term(y)
        self.peers[layer].update(y)
        return term

    def decay(self, step: int, rate: float, key: Key) -> Tally:
        """Count a batch at `rate`, and apply the weight decay if it is due."""
        tally = Tally()
        for part, decay in enumerate(self.decays):
            tally.add(part, decay.after_batch(step, rate, key.child("decay", part)))
        return tally

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the learner's own state: read-out, memories, decays, running means."""
        saved = super().save(copy=copy)
        for part, decay in enumerate(self.decays):
            saved |= {f"decay{part}.{name}": value for name, value in decay.save().items()}
        saved |= {f"slope.{name}": value for name, value in self.slope.save().items()}
        return saved | {f"peer{layer}.mean": np.array(peer.mean) for layer, peer in enumerate(self.peers)}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        super().restore(saved)
        for part, decay in enumerate(self.decays):
            decay.restore(_part(saved, f"decay{part}."))
        self.slope.restore(_part(saved, "slope."))
        for layer, peer in enumerate(self.peers):
            peer.mean = np.array(saved[f"peer{layer}.mean"])
