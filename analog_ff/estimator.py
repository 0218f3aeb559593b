"""Forward-Forward on a simulated chip as a scikit-learn classifier; `analog_ff.runs.rows` drives the chip with rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from analog_ff.config.classifier import NOT_SETTINGS as NOT_SETTINGS
from analog_ff.config.classifier import config_of
from analog_ff.config.config import Config
from analog_ff.objective.schedule import Moment
from analog_ff.plain import Document, Facts
from analog_ff.runs import results
from analog_ff.runs.batches import Batches
from analog_ff.runs.build import calibrated, schedule_of
from analog_ff.runs.first_use import compiling_ahead
from analog_ff.runs.lessons import Lesson, lessons
from analog_ff.runs.rows import Rows
from hardware_models.check import UsageError, positive_int
from hardware_models.energy import report
from hardware_models.kernels.products import one_blas_thread
from hardware_models.user_contract import unmasked

UPDATES = 1000
"""With `epochs` None, as many epochs as make at least so many updates: few rows need many epochs, many rows few."""
FEATURES = ("n_features_in_", "feature_names_in_")
"""Attributes that scikit-learn sets from the rows before it checks them."""


class ForwardForwardClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A network that learns by Forward-Forward on a simulated analog chip, every event counted and priced.

    Parameters
    ----------
    device : str or Device, default "memristor"
        A device as `hardware_models.load_device` takes it: a name, a parameter file, ``file.py:Class``.
    hidden : tuple of int, default (500, 500)
        Neurons of the hidden layers.
    epochs : int, optional
        Passes over the training rows; default: as many as make at least 1000 updates.
    random_state : int, RandomState or None, default 0
        Initial weights, order of the rows and all noise; an int is ``--seed`` of `analog_ff.simulate`.
    batch : int, default 100
        Rows per update; all, if there are fewer. A last batch of fewer rows counts by its share.
    learning_rate : float, optional
        eta; default: the device's recipe in `analog_ff.config.config`.
    label_strength : float, default 1.0
        s, the label input, in units of the features' typical length.
    readout : "softmax", "energy", "both", or another read-out that the learner has, such as "competition"
        One pass under the neutral label and a digital softmax regression, one pass per label and the best goodness, or the
        two of them, their log probabilities added (`analog_ff.learners.readouts`).
    technology : str, default "cmos-32nm"
        Energy prices, a name or a .toml file.
    chip_seed : int, default 0
        The physical chip; every `fit` takes it fresh.
    settings : dict, optional
        Further choices of a run by their name in `analog_ff.config.config.Config`, such as ``{"adc": 6, "sealed": True}``.

    Attributes
    ----------
    classes_, n_features_in_, feature_names_in_
        As everywhere in scikit-learn.
    n_iter_ : int
        Epochs that the last `fit` made, or calls of `partial_fit`.
    chip_ : Chip
        The chip; its `inspect` and `clipped_share` tell of its cells and converters.
    events_ : dict
        {phase: {event: int}}; phases are program, learn, monitor (never used here) and infer (all rows predicted so far).
    energy_ : dict
        The priced events, as ``energy`` of a run's result.json; see `hardware_models.energy.report`.

    Raises
    ------
    UsageError
        A ValueError in one sentence, for a choice that is wrong or does not go with another.

    Notes
    -----
    Energy scores become probabilities by a softmax of goodness, with which the layers are trained as log odds; they are not
    calibrated but overconfident, since the layers' votes are not independent.
    G. Hinton, arXiv:2212.13345.
    """

    def __init__(
        self,
        device: Any = "memristor",
        hidden: Sequence[int] = (500, 500),
        epochs: int | None = None,
        random_state: Any = 0,
        *,
        batch: int = 100,
        learning_rate: float | None = None,
        label_strength: float = 1.0,
        readout: str = "softmax",
        technology: str = "cmos-32nm",
        chip_seed: int = 0,
        settings: Facts | None = None,
    ) -> None:
        self.device = device
        self.hidden = hidden
        self.epochs = epochs
        self.random_state = random_state
        self.batch = batch
        self.learning_rate = learning_rate
        self.label_strength = label_strength
        self.readout = readout
        self.technology = technology
        self.chip_seed = chip_seed
        self.settings = settings

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train a fresh chip on rows X (n, features) with labels y (n,) of any type."""
        with self._kept_if_refused():
            return self._fit(X, y)

    def _fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        _refuse_masks(X, y)
        x, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        classes, codes = np.unique(labels, return_inverse=True)
        batches = Batches(len(x), positive_int("the classifier", "batch", self.batch))
        epochs = -(-UPDATES // batches.number) if self.epochs is None else self.epochs
        config = self._config(epochs)
        with compiling_ahead(config):
            parts = self._fresh(config, classes, x.shape[1])
            schedule = schedule_of(config, batches)
            parts.scaler.fit(x)
            images = parts.encode(x)
            with one_blas_thread():
                for epoch in range(epochs):
                    for lesson in lessons(batches, schedule, epoch, epochs, config.seed, config.consolidate):
                        parts.learn(images, codes, lesson)
        # Assigned only now: a fit that fails or is interrupted leaves the earlier model in place.
        self.classes_, self.n_iter_, self._parts = classes, epochs, parts
        return self

    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> Self:
        """Go on learning on the same chip: one pass over the rows in the order given, at the full rate.

        The first call makes the chip and needs `classes`, all labels that will ever come, unless `fit` came before. Mean and
        deviation of the features run on with the rows.
        """
        first = not hasattr(self, "_parts")
        _refuse_masks(X, y)
        x, labels = validate_data(self, X, y, dtype=np.float64, reset=first)
        check_classification_targets(labels)
        if first and classes is None:
            raise UsageError("the first call of partial_fit needs classes, all labels that will ever come.")
        known = self.classes_ if classes is None else np.unique(np.asarray(classes))
        if not first and not np.array_equal(known, self.classes_):
            raise UsageError(f"the labels were {self.classes_}, and cannot become {known} on the same chip.")
        unknown = np.setdiff1d(labels, known)
        if unknown.size:
            raise UsageError(f"partial_fit met labels that are not among the classes {known}: {unknown}.")
        config = self._config(1) if first else self._parts.config
        if first and config.consolidate:
            raise UsageError(
                "consolidate belongs to the last epochs of fit, and partial_fit has no last one: leave it out."
            )
        with compiling_ahead(config):
            parts = self._fresh(config, known, x.shape[1]) if first else self._parts
            codes = np.searchsorted(known, labels)
            batches = Batches(len(x), config.batch)
            parts.scaler.partial_fit(x)
            images = parts.encode(x)
            with one_blas_thread():
                for number in range(batches.number):
                    moment = Moment(0, number, full=batches.size)
                    parts.learn(images, codes, Lesson(parts.updates, 1.0, moment, batches.rows(number)))
        # Assigned only now: a refused first call leaves nothing behind, and may be made again with other classes.
        self.classes_, self._parts, self.n_iter_ = known, parts, 1 if first else self.n_iter_ + 1
        return self

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Return the labels' scores (n, classes), those of the read-out; of two classes the second's less the first's, (n,)."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the softmax of the scores, (n, classes)."""
        probabilities: np.ndarray = softmax(self._scores(X), axis=1)
        return probabilities

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the label of the best score for each row."""
        scores = self._scores(X)
        labels: np.ndarray = self.classes_[scores.argmax(axis=1)]
        return labels

    @property
    def chip_(self) -> Any:
        """The chip that was trained."""
        return self._fitted().port

    @property
    def events_(self) -> dict[str, dict[str, int]]:
        """Counted events, {phase: {event: int}}."""
        events: dict[str, dict[str, int]] = self._fitted().ledger.as_dict()["events"]
        return events

    @property
    def energy_(self) -> Document:
        """Energy of the counted events [J], with the grounds of the prices."""
        parts = self._fitted()
        counted = parts.ledger.as_dict()
        priced = report(
            counted["events"],
            counted["integrals"],
            images=parts.images,
            readouts={parts.config.readout: parts.ledger.phase("infer").total()},
            **parts.conditions,
        )
        plain: Document = results.plain(priced)
        return plain

    def _fitted(self) -> Rows:
        check_is_fitted(self)
        parts: Rows = self._parts
        return parts

    def _scores(self, X: ArrayLike) -> np.ndarray:
        parts = self._fitted()
        _refuse_masks(X)
        x = validate_data(self, X, dtype=np.float64, reset=False)
        with one_blas_thread():
            return parts.scores(x)

    def _config(self, epochs: Any) -> Config:
        return config_of(self.get_params(deep=False), epochs)

    def _fresh(self, config: Config, classes: np.ndarray, features: int) -> Rows:
        """Return a fresh chip and its learner, the initial weights programmed."""
        if len(classes) < 2:
            raise UsageError(f"a classifier needs at least two classes, got 1 class: {classes}.")
        parts = Rows(config, features, len(classes))
        with one_blas_thread():
            parts.ledger.book("program", calibrated(parts.config, parts.learner))
            parts.ledger.book("program", parts.learner.initialise())
        return parts

    @contextmanager
    def _kept_if_refused(self) -> Iterator[None]:
        """Restore the number and names of the features if a fit fails: they belong to the model that is still there."""
        known = {name: value for name, value in self.__dict__.items() if name in FEATURES}
        try:
            yield
        except BaseException:
            for name in FEATURES:
                self.__dict__.pop(name, None)
            self.__dict__.update(known)
            raise

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_parts")

    def __getstate__(self) -> Document:
        state: Document = super().__getstate__()
        # The chip's state, not the chip: a pickle holds arrays and plain values, also when they are mapped read-only.
        return state | ({"_parts": self._parts.save()} if "_parts" in state else {})

    def __setstate__(self, state: Document) -> None:
        saved = state.get("_parts")
        super().__setstate__(state if saved is None else state | {"_parts": Rows.restore(saved)})


def _refuse_masks(rows: object, labels: object = None) -> None:
    unmasked("X", rows)
    unmasked("y", labels)
