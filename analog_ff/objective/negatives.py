"""Negatives: images under wrong labels, or whatever else a maker makes; a wrong label is never the true one.

A maker of wrong labels takes (labels (B,), probabilities (B, classes), generator) and returns wrong labels (B,)
int64. How much it draws does not depend on the probabilities, so that a chip and the reference, whose
read-outs differ in the last digits, stay on the same draws.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from analog_ff.objective.labels import check_labels
from analog_ff.objective.makers import NEGATIVES
from hardware_models.check import RunError, UsageError, shown
from hardware_models.events import Tally
from hardware_models.keys import Key
from hardware_models.tables import load_object, lookup
from hardware_models.user_faults import described

SMALLEST = 1e-30
"""Below this sum of the wrong classes' probabilities the wrong labels are drawn uniformly (a choice of this
project): float32 is about to underflow there, and float32 and float64 are to take the same branch."""


def random_wrong(labels: np.ndarray, classes: int, generator: np.random.Generator) -> np.ndarray:
    """Return wrong labels (B,) int64, uniform over the other classes."""
    true = check_labels(labels, len(labels), classes)
    _at_least_two(classes)
    draw = generator.integers(0, classes - 1, size=len(true))
    return draw + (draw >= true)


def hard_wrong(labels: np.ndarray, probabilities: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    r"""Return wrong labels (B,) int64 in proportion to the read-out's belief (Hinton, arXiv:2212.13345, 3.3).

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
    """Return a float64 copy of probabilities; RunError if one is negative or not a finite number."""
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
"""Makers of wrong labels by name: (labels, probabilities, generator) -> wrong labels."""


class Setting(NamedTuple):
    """What a maker may know of the data, and the choices that belong to makers of negatives."""

    pixels: int  # values of an image
    shape: tuple[int, int] | None = None  # height and width, if known
    classes: int = 0
    starts: np.ndarray = np.zeros((0, 0))  # (strings, pixels) first windows of training strings, if there are any
    steps: int = 0  # windows of a string
    blurs: int = 6
    rollout_every: int = 200


class Negatives:
    """What every maker of negatives is; most need no more than to be called."""

    labelled = True  # whether the network is shown labels at all
    least = 1  # images that a batch must have
    needs_belief = False  # whether it asks what the read-out believes

    def __call__(
        self, images: np.ndarray, labels: np.ndarray, believed: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return negative images (B, n) and their labels (B,), or None where the network is shown none.

        `images` (B, n) and `labels` (B,) are the positives; `believed` (B, classes) is what the softmax read-out says
        of them in a pass with the neutral label.
        """
        raise NotImplementedError

    def prepare(self, learner: Any, step: int, key: Key) -> Tally:
        """Do before a batch what needs the learner itself, and return what it cost (phase ``learn``)."""
        del learner, step, key
        return Tally()

    def save(self) -> dict[str, np.ndarray]:
        """Return what a resumed run must know."""
        return {}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Take up what `save` returned."""


class Relabel(Negatives):
    """Negatives that are the same images under wrong labels."""

    def __init__(self, maker: WrongLabels) -> None:
        self._maker = maker
        self.needs_belief = maker is hard_wrong

    def __call__(
        self, images: np.ndarray, labels: np.ndarray, believed: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the images as they are, and wrong labels (B,)."""
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
    """Negatives of a function of the user's own, ``file.py:function(images, labels, generator)``.

    It returns the negative images alone (the network is then shown no labels) or (images, labels); which of the two is
    found by a trial on two blank images. Images keep their shape, labels are whole numbers of known classes.
    """

    def __init__(self, spec: str, pixels: int, classes: int = 0) -> None:
        self._spec, self._function = spec, load_object(spec, "kind of negatives")
        if not callable(self._function):
            raise UsageError(f"negatives '{spec}' should be a function of (images, labels, generator).")
        images, labels = np.zeros((2, pixels), np.float32), np.array([0, 1])
        generator = np.random.Generator(np.random.Philox(0))
        self.labelled = self._made(images, labels, generator, classes or 2**31, UsageError)[1] is not None

    def __call__(
        self, images: np.ndarray, labels: np.ndarray, believed: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return what the user's function makes, checked."""
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
        """Call the user's function; whatever is wrong with it or with what it returns is an error of that kind."""
        owner = f"negatives '{self._spec}'"
        try:
            found = self._function(images.copy(), labels.copy(), generator)
            given, wrong = found if isinstance(found, tuple) and len(found) == 2 else (found, None)
            given = np.asarray(given)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise kind(f"{owner} failed as a function of (images, labels, generator): {described(error)}.") from error
        if given.shape != images.shape or given.dtype.kind not in "fiu":
            got = (
                f"{given.dtype} of shape {given.shape}"
                if isinstance(given, np.ndarray) and given.ndim
                else shown(found)
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

    Images have `pixels` values, of `shape` (height, width) if known; `known` are further fields of `Setting`. UsageError
    if there is no such maker, or if it cannot work with these data.
    """
    if ":" in spec:
        return UserNegatives(spec, pixels, known.get("classes", 0))
    made: Negatives = lookup("kind of negatives", spec, NEGATIVES).of(Setting(pixels, shape, **known))
    return made
