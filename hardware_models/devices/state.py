"""The cells of one array for code that does not know the device: arrays by name, of which `g` is always there."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol, TypeVar

import numpy as np


class CellState(Protocol):
    """A NamedTuple of arrays (rows, columns) with a field ``g`` [S]; a device's `fabricate` makes it.

    Some fields have a meaning beyond their device, where a state has them: `low` and `high` are the bounds of each cell [S],
    `hidden` is what pulses act on while g is what a read sees [S], `pulsed` and `lifetime` count pulses, and `fault` holds
    the conductance of a faulty cell [S] and NaN for a sound one. Ask for them with `field`.
    """

    def __init__(self, *arrays: np.ndarray) -> None: ...

    @property
    def g(self) -> np.ndarray:
        """Conductance as the device stores it [S], float32."""
        ...

    @property
    def _fields(self) -> tuple[str, ...]: ...

    def _asdict(self) -> Mapping[str, np.ndarray]: ...

    def __iter__(self) -> Iterator[np.ndarray]: ...


S = TypeVar("S", bound=CellState)


def field(state: CellState, name: str) -> np.ndarray | None:
    """Return a field that not every state has; None where there is none."""
    return state._asdict().get(name)


def held(state: CellState) -> np.ndarray:
    """Return the conductance that pulses act on [S]: the hidden level under write noise where there is one, else g."""
    hidden = field(state, "hidden")
    return state.g if hidden is None else hidden


def remade(state: S, arrays: Iterable[np.ndarray]) -> S:
    """Return a state of the same kind of other arrays, one a field."""
    return type(state)(*arrays)


@contextmanager
def in_one_row(state: Iterable[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """Return a context in which each array (rows, columns) is one row (1, rows columns), so that a flat position is a column.

    What is written to the rows is in the arrays at the end. A user's device may fabricate arrays that do not lie in memory row
    by row: they are copied, and copied back.
    """
    arrays = list(state)
    rows = [array.reshape(1, -1) for array in arrays]
    yield rows
    for array, row in zip(arrays, rows, strict=True):
        if array.flags.writeable and not np.may_share_memory(array, row):
            array[...] = row.reshape(array.shape)


def alike(state: Iterable[np.ndarray]) -> bool:
    """Tell whether all arrays are float32, can be written, and lie in memory row by row, as kernels of whole states need."""
    return all(a.dtype == np.float32 and a.flags.c_contiguous and a.flags.writeable for a in state)


def extended(state: CellState, **more: np.ndarray) -> CellState:
    """Return a state with more arrays behind those of `state`; `inside` returns the first ones again."""
    made: CellState = _extended(type(state), tuple(more))(*state, *more.values())
    return made


def inside(state: CellState) -> CellState:
    """Return the state that `extended` was given; it shares the arrays."""
    inner = _INNER[type(state)]
    made: CellState = inner(*tuple(state)[: len(inner._fields)])
    return made


# Types that are made while the program runs have no static names.
_INNER: dict[type, Any] = {}


@cache
def _extended(inner: Any, own: tuple[str, ...]) -> Any:
    made: Any = namedtuple(f"{inner.__name__}With_{'_'.join(own)}", (*inner._fields, *own))  # type: ignore[misc]
    _INNER[made] = inner
    return made
