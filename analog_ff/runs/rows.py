r"""Rows of features on a chip, instead of images: their encoding as drives, and their reads.

A row of n features drives the first layer as

.. math:: u = (s\,e_k,\; z/\sqrt{n},\; 1), \qquad z_i = \mathrm{clip}\!\left(\frac{f_i - \mu_i}{\sigma_i}, -8, 8\right)

with mu and sigma of the training rows (kept digitally), e_k the label's one-hot code (neutral: 1/C) beside the features, not
over them, and s = `label_strength`. Features so have a mean square length of 1 whatever their number. The network normalises
the length of u away, and with it would go the length of z: without the constant input a single feature would be its sign.
Signed features take two phases of a read, one for each polarity; both are counted.

Rows are predicted as a chip reads them, one after another. The noise of a row's reads is keyed by the row's content,

.. math:: key = (seed, \text{predict}, updates)/\mathrm{blake2b}(u)

so that a row reads the same in any batch, at any place of it, and as often as it is asked for. `simulate` draws
fresh noise in every read; here a repeated question must have one answer. On a device that changes with time the chip's clock
moves with every read all the same, and a later reading is that of an older chip.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields

import numpy as np
from sklearn.preprocessing import StandardScaler

from analog_ff.config.config import Config
from analog_ff.network.base import Frame
from analog_ff.objective.negatives import load_negatives
from analog_ff.plain import Document, Facts
from analog_ff.runs import results
from analog_ff.runs.build import learner_of, port_of, wiring_of
from analog_ff.runs.lessons import Lesson, teach
from hardware_models.events import Ledger, Tally
from hardware_models.keys import Key

FARTHEST = 8.0
"""Standard deviations at which a feature's driver saturates."""


@dataclass
class Rows:
    """A chip, its learner and its counts; the chip is fresh, its weights not yet programmed.

    Parameters
    ----------
    config : Config
        All choices; the network takes appended labels.
    features, classes : int
        n, C.
    scaler, ledger, images, updates
        Parts that a saved state restores; fresh by default.
    """

    config: Config
    features: int
    classes: int
    scaler: StandardScaler = field(default_factory=StandardScaler)
    ledger: Ledger = field(default_factory=Ledger)
    images: dict[str, int] = field(default_factory=lambda: {"learn": 0, "infer": 0})
    updates: int = 0

    def __post_init__(self) -> None:
        inputs = self.features + 1
        negatives = load_negatives(self.config.negatives, inputs)
        place = "appended" if negatives.labelled else "none"
        wiring = wiring_of(self.config, Frame(inputs, 1, inputs, self.classes, place))
        self.port = port_of(self.config, wiring.shapes)
        self.learner = learner_of(self.config, self.port, self.classes, wiring, negatives)
        self.conditions = results.conditions(self.config, self.port.description, wiring.shapes, self.classes)

    def encode(self, x: np.ndarray) -> np.ndarray:
        """Return the features' drive and the constant input, (B, n + 1) float32, for x (B, n)."""
        u = np.ones((len(x), self.features + 1), np.float32)
        z = np.clip(self.scaler.transform(x), -FARTHEST, FARTHEST) / np.sqrt(self.features)
        u[:, :-1] = z
        u += np.float32(0.0)  # a negative zero becomes zero: the bytes name the row's noise
        return u

    def learn(self, images: np.ndarray, labels: np.ndarray, lesson: Lesson) -> None:
        """Make one update from the lesson's rows of encoded images (n, features + 1) and labels (n,)."""
        self.images["learn"] += teach(self.learner, self.ledger, images[lesson.rows], labels[lesson.rows], lesson)
        self.updates += 1

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Return the scores (B, classes) float64 of rows x (B, n), read one after another."""
        key = Key(self.config.seed, "predict", self.updates)
        scores, tally = np.empty((len(x), self.classes)), Tally()
        labels = np.arange(self.classes)
        for row, u in enumerate(self.encode(x)):
            here = key.child(hashlib.blake2b(u.tobytes(), digest_size=16).hexdigest())
            if self.config.readout == "energy":  # the same row under every label
                scores[row], events = self.learner.agreement(np.repeat(u[None], self.classes, axis=0), labels, here)
            else:
                found, events = self.learner.scores(u[None], self.config.readout, here)
                scores[row] = found[0]
            tally = tally + events
        self.ledger.book("infer", tally)
        self.images["infer"] += len(x)
        return scores

    def save(self) -> Document:
        """Return choices and state as plain values and arrays, without a chip."""
        kept = {f.name: getattr(self, f.name) for f in fields(self)}
        kept |= {"ledger": self.ledger.save(), "images": dict(self.images)}
        return {"kept": kept, "chip": self.port.save(), "learner": self.learner.save()}

    @classmethod
    def restore(cls, saved: Facts) -> Rows:
        """Build the chip again and restore a state returned by `save`."""
        parts = cls(**(saved["kept"] | {"ledger": Ledger.restore(saved["kept"]["ledger"])}))
        parts.port.restore(saved["chip"])
        parts.learner.restore(saved["learner"])
        return parts
