"""A user's own function ``file.py:function`` as the nonlinearity; it maps (B, neurons) float32 to the same shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hardware_models.check import RunError, UsageError, shown
from hardware_models.keys import Key
from hardware_models.user_contract import no_global_draws, unmasked
from hardware_models.user_faults import described


@dataclass(frozen=True)
class UserFunction:
    """A user's function; it is tried on one z twice before a run starts, and every result is checked."""

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    analog: bool = True

    def _call(self, z: np.ndarray, error: type[Exception]) -> np.ndarray:
        try:
            y = self.function(z)
        except KeyboardInterrupt:
            raise
        except BaseException as cause:
            raise error(f"the nonlinearity {self.name} failed: {described(cause)}.") from cause
        unmasked(f"the result of the nonlinearity {self.name}", y, error)
        if not isinstance(y, np.ndarray) or y.shape != z.shape:
            got = f"shape {y.shape}" if isinstance(y, np.ndarray) else shown(y)
            raise error(f"the nonlinearity {self.name} should return an array of shape {z.shape}, it returned {got}.")
        if y.dtype.kind not in "fiu":  # a conversion to float32 would silently drop an imaginary part
            raise error(f"the nonlinearity {self.name} should return real numbers, it returned {y.dtype}.")
        with np.errstate(over="ignore"):
            y = np.ascontiguousarray(y, np.float32)
        if not np.isfinite(y).all():
            raise error(f"the nonlinearity {self.name} returned NaN or infinity, it should return finite numbers.")
        return y

    def fabricate(self, neurons: int, key: Key):
        """Return the function after trying it on a range of z; raise UsageError if it fails, before a run starts."""
        del key
        if not callable(self.function):
            raise UsageError(f"the nonlinearity {self.name} is not a function.")
        z = np.linspace(-8.0, 8.0, 65, dtype=np.float32)[:, None].repeat(neurons, axis=1)
        with no_global_draws(f"the nonlinearity {self.name}"):
            first, again = self._call(z.copy(), UsageError), self._call(z.copy(), UsageError)
            self._call(z[:1], UsageError)
        if first.tobytes() != again.tobytes():
            raise UsageError(
                f"the nonlinearity {self.name} returned two results for one z: it should be a function of z alone, without draws "
                "and without memory, so that a run repeats."
            )
        return lambda values: self._call(values, RunError)
