r"""A random monotone curve whose gain and offset wander with the chip's clock.

.. math:: f_j(z, t) = e^{\sigma_g u_j(t)}\, m_j\!\left(z + \sigma_o v_j(t)\right), \qquad
          u(t + \Delta) = e^{-\Delta/\tau} u(t) + \sqrt{1 - e^{-2\Delta/\tau}}\; \xi, \quad \xi \sim N(0, 1)

with m_j of `black_box.RandomMonotone`, and u, v of each neuron independent stationary Ornstein-Uhlenbeck processes of
variance one and correlation exp(-\|t - t'\|/tau) (G. E. Uhlenbeck and L. S. Ornstein, Phys. Rev. 36 (1930) 823,
doi:10.1103/PhysRev.36.823). The step from t to t + Delta is exact: the distribution does not depend on how the time is
split. The exponential keeps every gain positive, so that a curve stays monotone.

The law is invented, without a source; it stands for periphery whose temperature and supply change. sigma_g = 10 %,
sigma_o = 0.1 in units of z. tau = 1 ms, the time scale of learning on the chip's clock: the memristor chip
of ``simulate --epochs 2 --layers 64`` counts 1.1 ms of programming and 0.77 ms an epoch of learning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hardware_models.check import UsageError, counted, in_range
from hardware_models.kernels.compile import kernel
from hardware_models.kernels.random import gaussian
from hardware_models.keys import Key
from hardware_models.nonlinearities.black_box import RandomMonotone


@kernel
def _wander(state, keep, kick, w0, w1):
    """Replace each x of `state` (2, n) float64 by keep x + kick xi, with xi a standard normal number."""
    for i in range(state.shape[0]):
        for j in range(state.shape[1]):
            draw = gaussian(np.uint32(i * state.shape[1] + j), w0, w1)
            state[i, j] = keep * state[i, j] + kick * np.float64(draw)


class _Drift:
    """Neurons of one layer with their random processes u and v, and the time of these values."""

    __slots__ = ("__count", "__curve", "__key", "__model", "__time", "__wander")

    def __init__(self, model: Drifting, curve: Callable[[np.ndarray], np.ndarray], neurons: int, key: Key) -> None:
        self.__model, self.__curve, self.__key = model, curve, key
        # float64 is needed: a read takes 1e-5 of tau, and float32 would lose the decay of such a step by rounding.
        self.__wander = np.zeros((2, neurons))
        self.__time, self.__count = 0.0, 0
        self.__step(0.0, 1.0)  # draws from the stationary distribution

    def __step(self, keep: float, kick: float) -> None:
        # The count selects the draws, so a restored chip repeats them and no other draws are shifted.
        w0, w1, _, _ = self.__key.at(self.__count).words
        _wander(self.__wander, keep, kick, w0, w1)
        self.__count += 1

    def __call__(self, z: np.ndarray) -> np.ndarray:
        u, v = self.__wander
        shifted = np.asarray(z, np.float32) + (self.__model.offset * v).astype(np.float32)
        return self.__curve(shifted) * np.exp(self.__model.gain * u).astype(np.float32)

    def advance(self, time: float) -> None:
        """Advance gain and offset to `time` [s]; raise UsageError if `time` lies in the past."""
        share = (time - self.__time) / self.__model.tau
        if share < 0.0:
            raise UsageError(f"neurons at {self.__time:g} s cannot go back to {time:g} s; restore a saved state.")
        if share > 0.0:
            self.__step(math.exp(-share), math.sqrt(-math.expm1(-2.0 * share)))
            self.__time = time

    def save(self) -> dict[str, np.ndarray]:
        """Return u and v (2, n) float64, their time [s] and the number of draws so far."""
        return {"wander": self.__wander.copy(), "time": np.array(self.__time), "count": np.array(self.__count)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Restore a state returned by `save`; raise UsageError if it belongs to another number of neurons."""
        wander = np.array(state["wander"], np.float64)
        if wander.shape != self.__wander.shape:
            raise UsageError(
                f"the saved state is of {counted(wander[0].size, 'neuron')}, this layer has {self.__wander[0].size}."
            )
        self.__wander, self.__time, self.__count = wander, float(state["time"]), int(state["count"])


@dataclass(frozen=True)
class Drifting:
    """Random monotone curves whose gain and offset drift with time.

    Parameters
    ----------
    gain : float
        sigma_g, standard deviation of the logarithm of the gain.
    offset : float
        sigma_o, standard deviation of the offset [units of z].
    tau : float
        Time constant of gain and offset [s].

    Raises
    ------
    UsageError
        If one of them is out of range.
    """

    name: str = "drifting"
    analog: bool = True
    gain: float = 0.1
    offset: float = 0.1
    tau: float = 1e-3

    def __post_init__(self) -> None:
        """Raise UsageError for a parameter outside its range."""
        owner = f"the nonlinearity {self.name}"
        in_range(owner, "gain", self.gain, 0.0, 2.0)
        in_range(owner, "offset", self.offset, 0.0, 1e3)
        in_range(owner, "tau", self.tau, 0.0, 1e15, "s", low_open=True)

    def fabricate(self, neurons: int, key: Key) -> _Drift:
        """Return the neurons of one layer, with curves and first values of u and v drawn from `key`."""
        curve = RandomMonotone().fabricate(neurons, key.child("curve"))
        return _Drift(self, curve, neurons, key.child("drift"))


@dataclass(frozen=True)
class DriftingHard(Drifting):
    """Curves that drift five times as far: sigma_g = 0.5 and sigma_o = 0.5 in units of z."""

    name: str = "drifting-hard"
    gain: float = 0.5
    offset: float = 0.5
