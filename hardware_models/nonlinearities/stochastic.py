r"""Neurons that draw: noise inside an unknown curve, and neurons that switch at random.

Noisy: random monotone curves m_j (`black_box.RandomMonotone`) with fresh noise at their input in every read,

.. math:: y_j = m_j(z_j + \sigma \xi), \qquad \xi \sim N(0, 1)

Switching: each neuron is off or on, and on with a probability that rises with z,

.. math:: y_j \in \{0, 1\}, \qquad P(y_j = 1) = \frac{1}{1 + e^{-(z_j - t_j)/T_j}}

as of a magnetic tunnel junction of low barrier, whose state follows its current at random (K. Y. Camsari, R. Faria, B. M. Sutton
and S. Datta, Phys. Rev. X 7 (2017) 031014, doi:10.1103/PhysRevX.7.031014). E y² = 1/2 for z ~ N(0, 1) where t = 0, as of a
rectifier. The figures are assumptions: sigma = 1/2 in units of z; t_j ~ N(0, 1/4²), T_j of the median 1/2 with a log-normal
spread of 30 %.

What is drawn is a function of the key of a read and of the place in its batch, like the noise of the cells: a repeated read with
another key draws anew, and nothing has to be kept for a run that goes on. Called without a key, the neurons answer without their
noise: m_j(z), and the probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_models.check import in_range
from hardware_models.keys import Key
from hardware_models.nonlinearities.base import Neurons
from hardware_models.nonlinearities.black_box import RandomMonotone


class _Shaken:
    """Neurons of one layer with noise at the input of their curves."""

    __slots__ = ("__curve", "__sigma")

    def __init__(self, curve: Neurons, sigma: float) -> None:
        self.__curve, self.__sigma = curve, np.float32(sigma)

    def __call__(self, z: np.ndarray) -> np.ndarray:
        return self.__curve(z)

    def drawn(self, z: np.ndarray, key: Key) -> np.ndarray:
        """Return y (B, n) with noise drawn from `key`."""
        return self.__curve(z + self.__sigma * key.generator().standard_normal(z.shape, np.float32))


@dataclass(frozen=True)
class Noisy:
    """Random monotone curves with noise inside the neuron.

    Parameters
    ----------
    sigma : float
        Standard deviation of the noise [units of z].

    Raises
    ------
    UsageError
        If it is out of range.
    """

    name: str = "noisy"
    analog: bool = True
    sigma: float = 0.5

    def __post_init__(self) -> None:
        """Refuse a noise that no neuron has."""
        in_range(f"the nonlinearity {self.name}", "sigma", self.sigma, 0.0, 1e3, "units of z")

    def fabricate(self, neurons: int, key: Key) -> _Shaken:
        """Return the neurons of one layer with curves drawn from `key`."""
        return _Shaken(RandomMonotone().fabricate(neurons, key), self.sigma)


class _Switches:
    """Neurons of one layer that are on or off; thresholds and temperatures are private to the chip."""

    __slots__ = ("__temperature", "__threshold")

    def __init__(self, threshold: np.ndarray, temperature: np.ndarray) -> None:
        self.__threshold, self.__temperature = threshold, temperature

    def __call__(self, z: np.ndarray) -> np.ndarray:
        # The logistic as a hyperbolic tangent, which does not overflow.
        half = np.float32(0.5)
        p: np.ndarray = half + half * np.tanh(half * (z - self.__threshold) / self.__temperature)
        return p

    def drawn(self, z: np.ndarray, key: Key) -> np.ndarray:
        """Return y (B, n) of zeros and ones drawn from `key`."""
        return (key.generator().random(z.shape, np.float32) < self(z)).astype(np.float32)


@dataclass(frozen=True)
class Switching:
    """Neurons that switch on with a probability.

    Parameters
    ----------
    offset : float
        Standard deviation of t_j [units of z].
    temperature : float
        Median of T_j [units of z].
    spread : float
        Standard deviation of ln T_j.

    Raises
    ------
    UsageError
        If one of them is out of range.
    """

    name: str = "switching"
    analog: bool = True
    offset: float = 0.25
    temperature: float = 0.5
    spread: float = 0.3

    def __post_init__(self) -> None:
        """Refuse figures that no neuron has."""
        owner = f"the nonlinearity {self.name}"
        in_range(owner, "offset", self.offset, 0.0, 1e3, "units of z")
        in_range(owner, "temperature", self.temperature, 0.0, 1e3, "units of z", low_open=True)
        in_range(owner, "spread", self.spread, 0.0, 5.0)

    def fabricate(self, neurons: int, key: Key) -> _Switches:
        """Return the neurons of one layer with thresholds and temperatures drawn from `key`."""
        rng = key.generator()
        threshold = self.offset * rng.standard_normal(neurons)
        temperature = self.temperature * np.exp(self.spread * rng.standard_normal(neurons))
        return _Switches(threshold.astype(np.float32), temperature.astype(np.float32))
