"""What comes in at the pins of a chip: checked once, where it enters, before a cell or the clock has moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hardware_models.check import UsageError, in_range, shown

MOST_PULSES = 2**31 - 1
"""Pulses of one weight in one call; counters of pulses are int32."""
LONGEST = 1e15
"""Longest wait of one call [s]."""


def _array(what: str, values: ArrayLike, kinds: str = "fiub") -> np.ndarray:
    """Return values as an array of real numbers."""
    try:
        found = np.asarray(values)
    except (TypeError, ValueError):  # lists of unequal lengths, a user's own class
        raise UsageError(f"{what} should be an array of numbers, got {shown(values)}.") from None
    if found.dtype.kind not in kinds:
        raise UsageError(f"{what} should be an array of real numbers, got one of type {found.dtype}.")
    return found


def _shaped(what: str, found: np.ndarray, shape: tuple[int | None, ...]) -> np.ndarray:
    fits = found.ndim == len(shape) and all(n is None or n == m for n, m in zip(shape, found.shape, strict=True))
    if not fits:
        wanted = ", ".join("B" if n is None else str(n) for n in shape)
        raise UsageError(f"{what} should have the shape ({wanted}), got {found.shape}.")
    return found


def _finite(what: str, found: np.ndarray, kind: type[np.float32 | np.float64]) -> np.ndarray:
    with np.errstate(over="ignore"):
        cast: np.ndarray = np.ascontiguousarray(found, kind)
    if not np.isfinite(cast).all():
        wrong = found[~np.isfinite(cast)].flat[0]
        raise UsageError(f"{what} should be finite numbers up to {np.finfo(kind).max:.1e}, got {wrong}.")
    return cast


def finite(
    what: str, values: ArrayLike, shape: tuple[int | None, ...], kind: type[np.float32 | np.float64] = np.float32
) -> np.ndarray:
    """Return values of a shape (None: any length) as finite floats; UsageError in one sentence if they are not."""
    return _finite(what, _shaped(what, _array(what, values), shape), kind)


def offsets(what: str, values: ArrayLike, shape: tuple[int, int]) -> np.ndarray:
    """Return finite float32 that go with every value of `shape`: one number, a row, or one each."""
    found = _array(what, values)
    try:
        fits = np.broadcast_shapes(found.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise UsageError(f"{what} should be one number or go with the shape {shape}, got the shape {found.shape}.")
    return _finite(what, np.atleast_1d(found), np.float32)


def pulse_numbers(values: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    """Return signed whole numbers of pulses as int32; UsageError if they are not whole, or more than an int32 counts."""
    what = "numbers of pulses"
    found = _shaped(what, _array(what, values, "fiu"), shape)
    if found.dtype.kind == "f" and not (found == np.floor(found)).all():  # NaN is no whole number either
        raise UsageError(f"{what} should be whole, got {found[found != np.floor(found)].flat[0]}.")
    if found.size and (found.max() > MOST_PULSES or found.min() < -MOST_PULSES):
        far = found.max() if found.max() > MOST_PULSES else found.min()
        raise UsageError(f"{what} should lie in -{MOST_PULSES}..{MOST_PULSES}, got {far}.")
    return np.ascontiguousarray(found, np.int32)


def train(what: str, values: ArrayLike, lines: int) -> np.ndarray:
    """Return a pulse train (slots, lines) of 0 and 1 as bool."""
    found = _shaped(what, _array(what, values), (None, lines))
    if found.dtype.kind != "b" and not ((found == 0) | (found == 1)).all():
        raise UsageError(f"{what} should hold 0 and 1 alone, got {found[(found != 0) & (found != 1)].flat[0]}.")
    return found.astype(bool)


def polarity(sign: int) -> int:
    """Return the sign of a train of pulses, +1 or -1."""
    if sign not in (1, -1):
        raise UsageError(f"pulses of a train have the sign 1 or -1, got {shown(sign)}.")
    return int(sign)


def seconds(value: float) -> float:
    """Return a time to wait [s]; UsageError if it is negative, not finite or no number."""
    return in_range("a wait", "its duration", value, 0.0, LONGEST, "s")
