"""Negatives: images under wrong labels, or other images that a maker produces; a wrong label is never the true one.

A maker of wrong labels takes (labels (B,), probabilities (B, classes), generator) and returns wrong labels (B,)
int64. The number of its draws does not depend on the probabilities: a chip and the reference, whose read-outs differ in
the last digits, therefore use the same draws.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np

from analog_ff.objective.labels import check_labels
from analog_ff.objective.makers import NEGATIVES
from hardware_models.check import RunError, UsageError, shown
from hardware_models.events import Events, Tally
from hardware_models.keys import Key
from hardware_models.tables import load_object, lookup
from hardware_models.user_contract import no_global_draws, unmasked
from hardware_models.user_faults import described

SMALLEST = 1e-30
"""Sum of the wrong classes' probabilities below which wrong labels are drawn uniformly (a choice of this project): near the
underflow of float32, float32 and float64 must take the same branch."""


def random_wrong(labels: np.ndarray, classes: int, generator: np.random.Generator) -> np.ndarray:
    """Return wrong labels (B,) int64, uniform over the other classes."""
    true = check_labels(labels, len(labels), classes)
    _at_least_two(classes)
    draw = generator.integers(0, classes - 1, size=len(true))
    return draw + (draw >= true)


def hard_wrong(labels: np.ndarray, probabilities: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    r"""Return wrong labels (B,) int64 with probabilities proportional to those of the read-out (Hinton, arXiv:2212.13345, 3.3).

    .. math:: P(k) = \frac{p_k\,[k \ne t]}{\sum_{j \ne t} p_j}

    by the inverse of the cumulated distribution at one uniform number per image, always in float64.
    Errors: RunError if a probability is negative or not a finite number.
    """
    images, classes = probabilities.shape
    true = check_labels(labels, images, classes)
    _at_least_two(classes)
    weight = checked_belief(probabilities)
    rows = np.arange(images)
    weight[rows, true] = 0.0
    weight[weight.sum(axis=1) < SMALLEST] = 1.0
    weight[rows, true] = 0.0
    cumulated = weight.cumsum(axis=1)
    # u < 1 keeps the target below the total; the true class is an interval of no length and cannot be hit.
    target = generator.random(images) * cumulated[:, -1]
    return (cumulated <= target[:, None]).sum(axis=1)


def checked_belief(probabilities: np.ndarray) -> np.ndarray:
    """Return a float64 copy of probabilities; raise RunError if one is negative or not finite."""
    weight = np.array(probabilities, dtype=np.float64)
    if not np.all(np.isfinite(weight)) or np.any(weight < 0.0):
        raise RunError(
            "the negatives met class probabilities that are negative or not numbers, "
            "so the read-out has diverged; lower the learning rate."
        )
    return weight


def _uniform(labels: np.ndarray, probabilities: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return random_wrong(labels, probabilities.shape[1], generator)


def _at_least_two(classes: int) -> None:
    if classes < 2:
        raise UsageError(f"wrong labels need at least 2 classes, got {classes}.")


WrongLabels = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]

WRONG_LABELS: MappingProxyType[str, WrongLabels] = MappingProxyType({"hard": hard_wrong, "random": _uniform})
"""Makers of wrong labels by name; each is a function (labels, probabilities, generator) -> wrong labels."""


class Setting(NamedTuple):
    """Facts about the data and options that a maker of negatives may use."""

    pixels: int  # number of values of an image
    shape: tuple[int, int] | None = None  # height and width, if known
    classes: int = 0
    starts: np.ndarray = np.zeros((0, 0))  # (strings, pixels) first windows of training strings; empty without strings
    steps: int = 0  # number of windows of a string
    blurs: int = 6
    rollout_every: int = 200


class Believer(Protocol):
    """Whoever can say what follows a window."""

    def believe(self, images: np.ndarray, key: Key) -> tuple[np.ndarray, Tally]:
        """Return P (B, classes) for windows (B, n), and the events."""
        ...


class Negatives:
    """Base class of all makers of negatives; most makers only override the call."""

    labelled = True  # False if the network is shown no labels
    least = 1  # least number of images in a batch
    needs_belief = False  # True if the call uses `believed`

    def __call__(
        self, images: np.ndarray, labels: np.ndarray, believed: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return negative images (B, n) and their labels (B,); the labels are None if the network is shown none.

        `images` (B, n) and `labels` (B,) are the positives; `believed` (B, classes) holds the probabilities of the softmax
        read-out for them, from a pass with the neutral label.
        """
        raise NotImplementedError

    def prepare(self, learner: Believer, step: int, key: Key) -> Tally:
        """Do the work before a batch that needs the learner itself, and return its events (phase ``learn``)."""
        del learner, step, key
        return Tally()

    def costs(self, images: int) -> Events:
        """Return the events of making so many negatives; by default they come from outside the chip and cost nothing there."""
        del images
        return Events()

    def save(self) -> dict[str, np.ndarray]:
        """Return the state as arrays, for a run that is resumed."""
        return {}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""


class Relabel(Negatives):
    """Maker that keeps the images and gives them wrong labels."""

    def __init__(self, maker: WrongLabels) -> None:
        self._maker = maker
        self.needs_belief = maker is hard_wrong

    def __call__(
        self, images: np.ndarray, labels: np.ndarray, believed: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the unchanged images and wrong labels (B,)."""
        return images, self._maker(labels, believed, generator)


class HardNegatives(Relabel):
    """Wrong labels in proportion to the read-out's belief."""

    @classmethod
    def of(cls, setting: Setting) -> Negatives:
        """Return the maker for these data."""
        del setting
        return cls(hard_wrong)


class RandomNegatives(Relabel):
    """Wrong labels, each with the same probability."""

    @classmethod
    def of(cls, setting: Setting) -> Negatives:
        """Return the maker for these data."""
        del setting
        return cls(_uniform)


class UserNegatives(Negatives):
    """Maker that calls a user's own function, ``file.py:function(images, labels, generator)``.

    The function returns only negative images (the network is then shown no labels) or (images, labels); a trial on two blank
    images finds out which. Images keep their shape, labels are whole numbers of known classes.
    """

    def __init__(self, spec: str, pixels: int, classes: int = 0) -> None:
        self._spec, self._function = spec, load_object(spec, "kind of negatives")
        if not callable(self._function):
            raise UsageError(f"negatives '{spec}' should be a function of (images, labels, generator).")
        images, labels = np.zeros((2, pixels), np.float32), np.array([0, 1])
        with no_global_draws(f"negatives '{spec}'"):
            generator = np.random.Generator(np.random.Philox(0))
            self.labelled = self._made(images, labels, generator, classes or 2**31, UsageError)[1] is not None

    def __call__(
        self, images: np.ndarray, labels: np.ndarray, believed: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the checked images and labels of the user's function."""
        made, wrong = self._made(images, labels, generator, believed.shape[1], RunError)
        if (wrong is not None) != self.labelled:
            raise RunError(f"negatives '{self._spec}' returned labels once and none another time.")
        return made, wrong

    def _made(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        generator: np.random.Generator,
        classes: int,
        kind: type[UsageError] | type[RunError],
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the result of the user's function; raise an error of class `kind` if it fails or its result is wrong."""
        owner = f"negatives '{self._spec}'"
        try:
            result = self._function(images.copy(), labels.copy(), generator)
            given, wrong = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
            unmasked(f"the result of {owner}", [given, wrong], kind)
            given = np.asarray(given)
        except (UsageError, RunError):
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise kind(f"{owner} failed as a function of (images, labels, generator): {described(error)}.") from error
        if given.shape != images.shape or given.dtype.kind not in "fiu":
            got = (
                f"{given.dtype} of shape {given.shape}"
                if isinstance(given, np.ndarray) and given.ndim
                else shown(result)
            )
            raise kind(f"{owner} should return real images of shape {images.shape}, it returned {got}.")
        with np.errstate(over="ignore"):
            made = given.astype(np.float32)
        if not np.isfinite(made).all():
            raise kind(f"{owner} returned images with NaN or infinity, it should return finite numbers.")
        if wrong is None:
            return made, None
        try:
            return made, check_labels(wrong, len(labels), classes)
        except Exception as error:
            said = str(error) if isinstance(error, UsageError) else f"{described(error)}."
            raise kind(f"{owner} returned no labels of these images: {said}") from error


def load_negatives(spec: str, pixels: int, shape: tuple[int, int] | None = None, **known: Any) -> Negatives:
    """Return the maker of negatives that `spec` names.

    Images have `pixels` values, in the `shape` (height, width) if known; `known` holds further fields of `Setting`. Raises
    UsageError if there is no such maker, or if it cannot work with these data.
    """
    if ":" in spec:
        return UserNegatives(spec, pixels, known.get("classes", 0))
    made: Negatives = lookup("kind of negatives", spec, NEGATIVES).of(Setting(pixels, shape, **known))
    return made
