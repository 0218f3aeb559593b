r"""Unknown functions, drawn at random for each neuron from the chip's seed.

Monotone: a rectifier with random threshold and random bends,

.. math:: f_j(z) = a_j \sum_k s_{jk} \max(z - t_{jk}, 0), \qquad \sum_{k' \le k} s_{jk'} > 0 \text{ for every } k

Non-monotone: the monotone curve plus a ripple of random amplitude, frequency and phase where the neuron is on,

.. math:: f_j(z) = a_j \max\!\left(0, m_j(z) + r_j \min(m_j(z), 1) \sin(\omega_j z + \varphi_j)\right)

The gain a_j makes E f² = 1/2 for z ~ N(0, 1), as of a rectifier, times a log-normal spread of 10 % (`random-spread`: a
factor of e up or down): a chip's output stage is designed for its converter's range, but code outside the chip does not know
the curve. These curves are invented, without a source; they stand for an unknown function.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import prange

from hardware_models.kernels.compile import parallel_kernel
from hardware_models.keys import Key

BENDS = 6


@parallel_kernel
def _bent(z, threshold, slope, ripple, frequency, phase, gain, y):
    """Write y = f(z) (B, n) float32 by the module's equation; the parameters are (n, BENDS) or (n,)."""
    zero = np.float32(0.0)
    for b in prange(z.shape[0]):
        for j in range(z.shape[1]):
            m = zero
            for k in range(threshold.shape[1]):
                m += slope[j, k] * max(z[b, j] - threshold[j, k], zero)
            if ripple[j] != zero:
                m += ripple[j] * min(m, np.float32(1.0)) * np.sin(frequency[j] * z[b, j] + phase[j])
            y[b, j] = gain[j] * max(m, zero)


class _Box:
    """Neurons of one layer; their parameters are private to the chip."""

    __slots__ = ("__parameters",)

    def __init__(self, parameters: tuple[np.ndarray, ...]) -> None:
        self.__parameters = parameters

    def __call__(self, z: np.ndarray) -> np.ndarray:
        y = np.empty_like(z)
        _bent(z, *self.__parameters, y)  # type: ignore[call-arg]
        return y


@dataclass(frozen=True)
class RandomMonotone:
    """A random monotone curve for each neuron."""

    name: str = "random"
    analog: bool = True
    ripple: float = 0.0
    gain_spread: float = 0.1

    def fabricate(self, neurons: int, key: Key) -> _Box:
        """Return the neurons of one layer with curves drawn from `key`."""
        rng = key.generator()
        threshold = np.sort(rng.uniform(-0.5, 3.0, (neurons, BENDS)), axis=1)
        threshold[:, 0] = rng.uniform(-0.5, 0.5, neurons)
        threshold.sort(axis=1)
        # The slopes between the bends are positive and vary by a factor of about three; bends are differences of slopes.
        slopes = np.exp(rng.normal(0.0, 0.6, (neurons, BENDS)))
        bends = np.diff(slopes, axis=1, prepend=0.0)
        ripple = self.ripple * rng.uniform(0.5, 1.0, neurons)
        frequency, phase = rng.uniform(2.0, 5.0, neurons), rng.uniform(0.0, 2 * np.pi, neurons)
        parts = [threshold, bends, ripple, frequency, phase, np.ones(neurons)]
        parameters = [p.astype(np.float32) for p in parts]
        # The gain follows from Gauss-Hermite quadrature of E f(z)² over z ~ N(0, 1).
        nodes, weights = np.polynomial.hermite_e.hermegauss(64)
        z = np.repeat(nodes.astype(np.float32)[:, None], neurons, axis=1)
        y = np.empty_like(z)
        _bent(z, *parameters, y)  # type: ignore[call-arg]
        power = weights @ y.astype(np.float64) ** 2 / np.sqrt(2 * np.pi)
        gain = np.sqrt(0.5 / power) * np.exp(rng.normal(0.0, self.gain_spread, neurons))
        parameters[-1] = gain.astype(np.float32)
        return _Box(tuple(parameters))


@dataclass(frozen=True)
class RandomNonMonotone(RandomMonotone):
    """A random curve with a ripple for each neuron."""

    name: str = "random-nonmonotone"
    ripple: float = 0.8


@dataclass(frozen=True)
class RandomSpread(RandomMonotone):
    """Random monotone curves with log-normal gains, sigma = 1: gains may differ by an order of magnitude."""

    name: str = "random-spread"
    gain_spread: float = 1.0
