"""Check the values that enter at the pins of a chip, once and before a cell or the clock changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hardware_models.check import UsageError, in_range, shown
from hardware_models.user_contract import unmasked

MOST_PULSES = 2**31 - 1
"""Largest number of pulses of one weight in one call; counters of pulses are int32."""
LONGEST = 1e15
"""Longest wait of one call [s]."""


def _array(what: str, values: ArrayLike, kinds: str = "fiub") -> np.ndarray:
    """Return values as an array of real numbers; raise UsageError if they are none."""
    unmasked(what, values)
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):  # lists of unequal lengths, or a user's own class
        raise UsageError(f"{what} should be an array of numbers, got {shown(values)}.") from None
    if array.dtype.kind not in kinds:
        raise UsageError(f"{what} should be an array of real numbers, got one of type {array.dtype}.")
    return array


def _shaped(what: str, array: np.ndarray, shape: tuple[int | str | None, ...]) -> np.ndarray:
    fits = array.ndim == len(shape) and all(
        not isinstance(n, int) or n == m for n, m in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("B" if n is None else str(n) for n in shape)
        raise UsageError(f"{what} should have the shape ({wanted}), got {array.shape}.")
    return array


def _finite(what: str, array: np.ndarray, kind: type[np.float32 | np.float64]) -> np.ndarray:
    with np.errstate(over="ignore"):
        cast: np.ndarray = np.ascontiguousarray(array, kind)
    if not np.isfinite(cast).all():
        wrong = np.atleast_1d(array)[~np.isfinite(cast)].flat[0]  # `cast` of one number has an axis
        raise UsageError(f"{what} should be finite numbers up to {np.finfo(kind).max:.1e}, got {wrong}.")
    return cast


def finite(
    what: str, values: ArrayLike, shape: tuple[int | str | None, ...], kind: type[np.float32 | np.float64] = np.float32
) -> np.ndarray:
    """Return values of a shape (None, or a name: any length) as finite floats; raise UsageError if they are not."""
    return _finite(what, _shaped(what, _array(what, values), shape), kind)


def offsets(what: str, values: ArrayLike, shape: tuple[int, int]) -> np.ndarray:
    """Return finite float32 numbers that broadcast to `shape`: one number, one row, or one number for each value."""
    array = _array(what, values)
    try:
        fits = np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise UsageError(f"{what} should be one number or go with the shape {shape}, got the shape {array.shape}.")
    return _finite(what, np.atleast_1d(array), np.float32)


def pulse_numbers(values: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    """Return signed numbers of pulses as int32; raise UsageError if they are not whole or above `MOST_PULSES`."""
    what = "numbers of pulses"
    array = _shaped(what, _array(what, values, "fiu"), shape)
    if array.dtype.kind == "f" and not (array == np.floor(array)).all():  # NaN is not equal to itself, so it fails too
        raise UsageError(f"{what} should be whole, got {array[array != np.floor(array)].flat[0]}.")
    fits = array.dtype == np.int32
    above = not fits and array.size and array.max() > MOST_PULSES  # no int32 is above
    if above or (array.size and array.min() < -MOST_PULSES):
        far = array.max() if above else array.min()
        raise UsageError(f"{what} should lie in -{MOST_PULSES}..{MOST_PULSES}, got {far}.")
    return np.ascontiguousarray(array, np.int32)


def train(what: str, values: ArrayLike, lines: int) -> np.ndarray:
    """Return a pulse train (slots, lines) of 0 and 1 as bool; raise UsageError for other values."""
    array = _shaped(what, _array(what, values), (None, lines))
    if array.dtype.kind != "b" and not ((array == 0) | (array == 1)).all():
        raise UsageError(f"{what} should hold 0 and 1 alone, got {array[(array != 0) & (array != 1)].flat[0]}.")
    return np.ascontiguousarray(array, bool)


def polarity(sign: int) -> int:
    """Return the sign of a train of pulses, +1 or -1; raise UsageError for any other value."""
    if sign not in (1, -1):
        raise UsageError(f"pulses of a train have the sign 1 or -1, got {shown(sign)}.")
    return int(sign)


def seconds(value: float) -> float:
    """Return a time to wait [s]; raise UsageError if it is negative, not finite, not a number or too long."""
    return in_range("a wait", "its duration", value, 0.0, LONGEST, "s")


def lines(what: str, values: ArrayLike, number: int) -> np.ndarray:
    """Return indices (N,) of different lines as int64; raise UsageError unless they are whole, below `number` and different."""
    array = _shaped(what, _array(what, values, "iu"), (None,))
    if array.size and not (0 <= array.min() and array.max() < number):
        raise UsageError(f"{what} should be numbers from 0 to {number - 1}, got {array.min()} to {array.max()}.")
    if len(np.unique(array)) < array.size:
        raise UsageError(f"{what} should be named once each, got {shown(array.tolist())}.")
    return np.ascontiguousarray(array, np.int64)
