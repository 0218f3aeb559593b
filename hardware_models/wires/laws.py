"""Laws I(G, V) of cells that are not linear; G is the conductance at small voltages where nothing else is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from hardware_models.check import UsageError, in_range, shown
from hardware_models.user_contract import is_users, unmasked


@runtime_checkable
class Law(Protocol):
    """The current of each cell, which must not fall as its voltage rises."""

    def current(self, g: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return I(G, V) [A] for conductances `g` [S] and voltages `v` [V] of one shape."""
        ...

    def slope(self, g: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return dI/dV >= 0 [S]."""
        ...


@dataclass(frozen=True)
class Sinh:
    """Hopping or tunnelling cell, I = G v0 sinh(V/v0) (Mott and Gurney, Electronic Processes in Ionic Crystals, 1940)."""

    v0: float  # voltage at which the current leaves the straight line [V]

    def __post_init__(self) -> None:
        in_range("Sinh", "v0", self.v0, 1e-3, 1e3, "V")

    def current(self, g: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return I = G v0 sinh(V/v0) [A]."""
        return np.asarray(g * self.v0 * np.sinh(v / self.v0))

    def slope(self, g: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return dI/dV = G cosh(V/v0) [S]."""
        return np.asarray(g * np.cosh(v / self.v0))


@dataclass(frozen=True)
class Polynomial:
    """Cell with I = sum_k c_k(G) V^k, k = 1, 2, ..., whose coefficients c_k(G) = sum_m c_km G^m depend on the conductance.

    ``coefficients[k - 1][m]`` is c_km, m = 0, 1, ... [A/(V^k S^m)]; ``((0.0, 1.0),)`` is the linear cell. The polynomial must not
    fall between the voltages that occur.
    """

    coefficients: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        try:
            rows = tuple(tuple(row) for row in self.coefficients)
        except TypeError:
            raise UsageError(
                f"Polynomial needs one row of coefficients for each power of V, such as ((0.0, 1.0),), got "
                f"{shown(self.coefficients)}."
            ) from None
        object.__setattr__(self, "coefficients", rows)
        if not rows or not all(rows):
            raise UsageError("Polynomial needs at least one coefficient for each power of V, got none.")
        for row in rows:
            for c in row:
                in_range("Polynomial", "a coefficient", c, -1e30, 1e30)

    def _powers(self, g: np.ndarray) -> list[np.ndarray]:
        return [np.polynomial.polynomial.polyval(g, row) for row in self.coefficients]

    def current(self, g: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return I = sum_k c_k(G) V^k [A]."""
        found = np.zeros(np.broadcast_shapes(g.shape, v.shape))
        for c in reversed(self._powers(g)):
            found = (found + c) * v
        return found

    def slope(self, g: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return dI/dV = sum_k k c_k(G) V^(k-1) [S]."""
        found = np.zeros(np.broadcast_shapes(g.shape, v.shape))
        for k, c in reversed(list(enumerate(self._powers(g), 1))):
            found = found * v + k * c
        return found


@dataclass(frozen=True)
class Selector:
    """Cell behind a threshold selector: a leak below the threshold voltage, the cell's conductance above it.

    .. math:: dI/dV = G (l + (1 - l) / (1 + e^{-(|V| - V_t)/w})),  I(0) = 0
    """

    threshold: float  # V_t [V]
    width: float = 0.01  # w, width of the switching [V]
    leak: float = 1e-3  # l, conductance below the threshold over the cell's

    def __post_init__(self) -> None:
        in_range("Selector", "threshold", self.threshold, 0.0, 1e3, "V")
        in_range("Selector", "width", self.width, 1e-6, 1e3, "V")
        in_range("Selector", "leak", self.leak, 0.0, 1.0)

    def current(self, g: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the integral of the slope from 0 to V [A]."""
        on = np.logaddexp(0.0, (np.abs(v) - self.threshold) / self.width) - np.logaddexp(
            0.0, -self.threshold / self.width
        )
        return np.asarray(g * (self.leak * v + (1.0 - self.leak) * self.width * np.sign(v) * on))

    def slope(self, g: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return dI/dV [S]."""
        on = 0.5 + 0.5 * np.tanh(0.5 * (np.abs(v) - self.threshold) / self.width)
        return np.asarray(g * (self.leak + (1.0 - self.leak) * on))


@dataclass(frozen=True)
class InSeries:
    """A law behind a resistance: I = f(V - R I), solved cell by cell."""

    law: Law
    resistance: np.ndarray  # R of each cell [Ohm]

    def _inner(self, g: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the voltage u across the law itself, u + R f(u) = V, by Newton's method held inside its bracket."""
        low, high = np.minimum(v, 0.0), np.maximum(v, 0.0)
        u = np.array(v, np.float64)
        for _ in range(200):
            excess = u + self.resistance * self.law.current(g, u) - v
            if not (np.abs(excess) > 4.0 * np.finfo(np.float64).eps * np.abs(v)).any():
                break
            low, high = np.where(excess < 0.0, u, low), np.where(excess > 0.0, u, high)
            step = u - excess / (1.0 + self.resistance * self.law.slope(g, u))
            u = np.where((step > low) & (step < high), step, 0.5 * (low + high))
        return u

    def current(self, g: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return I of law and resistance in series [A]."""
        return self.law.current(g, self._inner(g, v))

    def slope(self, g: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return dI/dV = f'/(1 + R f') [S]."""
        own = self.law.slope(g, self._inner(g, v))
        return np.asarray(own / (1.0 + self.resistance * own))


@dataclass(frozen=True)
class Checked:
    """A user's own law, whose results are held against the contract of `Law`; it is handed copies, which it may change."""

    law: Law

    def _real(self, method: str, values: object, shape: tuple[int, ...]) -> np.ndarray:
        what = f"{method} of the law {type(self.law).__name__}"
        unmasked(f"the result of {what}", values)
        found = np.asarray(values)
        if found.dtype.kind not in "fiu" or found.shape not in (shape, ()) or np.isnan(found).any():
            raise UsageError(f"{what} should return {shape} real numbers, it returned {shown(values)}.")
        return np.broadcast_to(found, shape)

    def current(self, g: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the law's I(G, V) [A]; raise UsageError if it is no real number for each cell."""
        return self._real("current", self.law.current(g.copy(), v.copy()), v.shape)

    def slope(self, g: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the law's dI/dV [S]; raise UsageError if it is no real number for each cell."""
        return self._real("slope", self.law.slope(g.copy(), v.copy()), v.shape)


def checked(law: Law) -> Law:
    """Return a law that keeps its contract, or says where it does not; raise UsageError for what is no law."""
    if isinstance(law, type) or not isinstance(law, Law):
        raise UsageError(
            f"a law is an object with the methods current(g, v) and slope(g, v), such as Sinh(v0=0.2), got {shown(law)}."
        )
    return Checked(law) if is_users(type(law)) else law
