"""Masks, global draws and arguments: a user's own class or function must leave them alone, because no result shows it.

A mask of ``numpy.ma`` is dropped without a word by every conversion to a plain array. The global random states (``numpy.random``,
``random``) are decided by no seed of a run and kept in no checkpoint, so that a run which draws from them neither repeats nor
resumes. Pulses are counted from the array that a device is handed, so it must still hold them after the call.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from hardware_models.check import RunError, UsageError

OWN = ("hardware_models", "analog_ff")
"""Packages of this project: everything else is a user's."""
Errors = type[Exception]


def is_users(kind: type) -> bool:
    """Tell whether a class is defined outside this project."""
    return kind.__module__.partition(".")[0] not in OWN


def unmasked(what: str, values: object, error: Errors = UsageError) -> None:
    """Raise `error` if `values` are a masked array, or a list or tuple with one in it: the mask would be lost."""
    inside = values if isinstance(values, list | tuple) else ()
    if isinstance(values, np.ma.MaskedArray) or any(isinstance(part, np.ma.MaskedArray) for part in inside):
        raise error(
            f"{what} should be a plain array, got a masked one (numpy.ma), whose mask would be lost; fill it first (`filled`)."
        )


class GlobalDraws:
    """The global random states as they were at construction, to find out whether anybody has drawn from them since."""

    def __init__(self) -> None:
        self._numpy, self._python = _numpy_state(), random.getstate()

    def refuse(self, who: str, error: Errors = UsageError) -> None:
        """Raise `error` if somebody has drawn from a global random state, or has set it, since the construction."""
        moved = [
            name
            for name, same in (
                ("numpy.random", _numpy_state() == self._numpy),
                ("the module random", random.getstate() == self._python),
            )
            if not same
        ]
        if moved:
            raise error(
                f"{who} uses the global state of {' and of '.join(moved)}, which no seed of a run decides and no checkpoint "
                "keeps: the run would neither repeat nor resume. Draw from the key or the generator that your code is handed."
            )


@contextmanager
def no_global_draws(who: str, error: Errors = UsageError) -> Iterator[None]:
    """Raise `error` if the code inside the ``with`` draws from a global random state."""
    before = GlobalDraws()
    yield
    before.refuse(who, error)


@contextmanager
def left_alone(who: str, **arguments: np.ndarray) -> Iterator[None]:
    """Raise RunError if the code inside the ``with`` changes one of the arrays that it is handed."""
    before = {name: array.copy() for name, array in arguments.items()}
    yield
    for name, array in arguments.items():
        if not np.array_equal(array, before[name]):
            raise RunError(
                f"{who} has changed its argument `{name}`, from which the events of the run are counted: work on a copy of it."
            )


def _numpy_state() -> tuple[object, ...]:
    kind, words, *rest = np.random.get_state()  # noqa: NPY002  (the state that a user may draw from)
    return (kind, np.asarray(words).tobytes(), *rest)
